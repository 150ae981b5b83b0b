/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kinds of NICs of the process platform, and how a name finds its kind.
 */
#include "platform/process/nic_open.h"

#include <string.h>
#include <strings.h>

#include "platform/process/host.h"

/* In the order of messages. A name that begins with `prefix` is of that kind; METHOD names it, too. */
static const struct nic_kind {
  const char *method, *prefix;
  struct process_nic *(*open)(const char *rest, struct report *report);
} kinds[] = {
    {"PCAP", "pcap:", nic_pcap_open},
    {"UNIX", "unix:", nic_unix_open},
};
enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

static bool has_prefix(const struct nic_kind *kind, const char *name) {
  return strncmp(name, kind->prefix, strlen(kind->prefix)) == 0;
}

static const struct nic_kind *find_kind(const char *name, const char *method) {
  for (unsigned k = 0; k < KIND_COUNT; k++) {
    bool named = method != NULL && method[0] != '\0';
    if (named ? strcasecmp(method, kinds[k].method) == 0 : has_prefix(&kinds[k], name)) return &kinds[k];
  }
  return NULL;
}

int nic_open(const char *name, const char *method, struct nic **nic, struct report *report) {
  const struct nic_kind *kind = find_kind(name, method);
  if (kind == NULL && method != NULL && method[0] != '\0') {
    return report_error(report, ERROR_UNSUPPORTED, "METHOD: there is no '%s'; expected PCAP or UNIX", method);
  }
  if (kind == NULL) {
    return report_error(report, ERROR_NOT_FOUND, "no network interface '%s'; expected pcap:IN,OUT or unix:LOCAL,REMOTE",
                        name);
  }
  struct process_nic *opened = kind->open(has_prefix(kind, name) ? name + strlen(kind->prefix) : name, report);
  if (opened == NULL) return -ERROR_INVALID;
  *nic = &opened->nic;
  return 0;
}

void nic_close(struct nic *nic) {
  struct process_nic *opened = (struct process_nic *)nic;
  opened->close(opened);
}
