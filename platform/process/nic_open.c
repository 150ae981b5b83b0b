/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kinds of NICs of the process platform, and how a name finds its kind.
 */
#include "platform/process/nic_open.h"

#include <string.h>
#include <strings.h>

#include "platform/process/host.h"

/* In the order of messages. A name that begins with `prefix` is of that kind; METHOD names it, too, by either name. */
static const struct nic_kind {
  const char *method, *also, *prefix, *form;
  struct process_nic *(*open)(const char *rest, struct report *report);
} kinds[] = {
    {"TAP", NULL, "tap:", "tap:NAME", nic_tap_open},
    {"AF_PACKET", "LINUX", "packet:", "packet:INTERFACE", nic_packet_open}, /* LINUX is Click's name for it */
    {"AF_XDP", "XDP", "xdp:", "xdp:INTERFACE", nic_xdp_open},
    {"PCAP", NULL, "pcap:", "pcap:IN,OUT", nic_pcap_open},
    {"REPLAY", NULL, "replay:", "replay:IN,OUT", nic_replay_open},
    {"UNIX", NULL, "unix:", "unix:LOCAL,REMOTE", nic_unix_open},
    {"MEMORY", NULL, "memory:", "memory:NAME", nic_memory_open},
};
enum { KIND_TAP, KIND_PACKET, KIND_XDP, KIND_PCAP, KIND_COUNT = sizeof kinds / sizeof kinds[0] };

static bool has_prefix(const struct nic_kind *kind, const char *name) {
  return strncmp(name, kind->prefix, strlen(kind->prefix)) == 0;
}

static bool is_called(const struct nic_kind *kind, const char *method) {
  return strcasecmp(method, kind->method) == 0 || (kind->also != NULL && strcasecmp(method, kind->also) == 0);
}

static const struct nic_kind *kind_by_method(const char *method) {
  for (unsigned k = 0; k < KIND_COUNT; k++) {
    if (is_called(&kinds[k], method)) return &kinds[k];
  }
  return NULL;
}

static const struct nic_kind *kind_by_prefix(const char *name) {
  for (unsigned k = 0; k < KIND_COUNT; k++) {
    if (has_prefix(&kinds[k], name)) return &kinds[k];
  }
  return NULL;
}

/* "A, B or C" of every kind's methods or forms. */
static void list_kinds(bool forms, struct text *out) {
  for (unsigned k = 0; k < KIND_COUNT; k++) {
    const char *between = k == 0 ? "" : k + 1 < KIND_COUNT ? ", " : " or ";
    text_addf(out, "%s%s", between, forms ? kinds[k].form : kinds[k].method);
  }
}

static int refuse(const char *name, const char *method, struct report *report) {
  struct text known = {0};
  list_kinds(method == NULL, &known);
  int error = method != NULL
                  ? report_error(report, ERROR_UNSUPPORTED, "METHOD: there is no '%s'; expected %s", method,
                                 text_string(&known))
                  : report_error(report, ERROR_NOT_FOUND, "no network interface '%s'; expected one of the host, or %s",
                                 name, text_string(&known));
  text_free(&known);
  return error;
}

static int opened(struct process_nic *made, const struct nic_kind *kind, struct nic **nic) {
  if (made == NULL) return -ERROR_INVALID;
  made->method = kind->method;
  *nic = &made->nic;
  return 0;
}

/* A tap that another process has open, or that belongs to somebody else, still can be listened to. */
static int open_interface(const char *name, struct nic **nic, struct report *report) {
  int found = host_link_find(name, report);
  if (found < 0) return found;
  if (found == 0) return refuse(name, NULL, report);
  if (host_link_is_tap(name)) {
    struct report attempt = {0};
    struct process_nic *tap = nic_tap_open(name, &attempt);
    report_free(&attempt);
    if (tap != NULL) return opened(tap, &kinds[KIND_TAP], nic);
  }
  return opened(nic_packet_open(name, report), &kinds[KIND_PACKET], nic);
}

int nic_open(const char *name, const char *method, struct nic **nic, struct report *report) {
  bool asked = method != NULL && method[0] != '\0';
  const struct nic_kind *prefixed = kind_by_prefix(name), *kind = asked ? kind_by_method(method) : prefixed;
  if (asked && kind == NULL) return refuse(name, method, report);
  if (asked && prefixed != NULL && prefixed != kind) {
    return report_error(report, ERROR_INVALID, "METHOD: %s does not fit '%s', which asks for %s", kind->method, name,
                        prefixed->method);
  }
  if (kind == NULL) return open_interface(name, nic, report);
  /* Click captures from interfaces with libpcap, where it reads a name that is no file's. */
  if (kind == &kinds[KIND_PCAP] && prefixed == NULL && strchr(name, ',') == NULL) kind = &kinds[KIND_PACKET];
  return opened(kind->open(prefixed != NULL ? name + strlen(kind->prefix) : name, report), kind, nic);
}

bool nic_is_other_kind(const struct nic *nic, const char *method) {
  if (method == NULL || method[0] == '\0') return false;
  const struct nic_kind *kind = kind_by_method(method);
  return kind == NULL || strcmp(kind->method, ((const struct process_nic *)nic)->method) != 0;
}

void nic_close(struct nic *nic) {
  struct process_nic *opened_nic = (struct process_nic *)nic;
  opened_nic->close(opened_nic);
}
