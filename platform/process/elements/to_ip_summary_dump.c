/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ToIPSummaryDump: writes a line of text per packet into a file, and passes packets on where it has an output.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "click/router.h"
#include "elements/parameter.h"
#include "platform/process/ip_summary.h"

enum { BURST = 32 };

struct to_summary {
  struct element element;
  char *filename, *fields_text, *banner;
  bool header, verbose, binary, bad_packets, extra_length;
  struct summary_fields fields;
  FILE *file; /* NULL: nothing is written (any more) */
  struct text lines;
  uint64_t count;
  struct task task;
  struct notifier_signal signal;
};

static void defaults(struct element *e) {
  struct to_summary *d = (struct to_summary *)e;
  d->header = d->extra_length = true;
}

static int configure(struct element *e, const struct args *rest, struct report *report) {
  struct to_summary *d = (struct to_summary *)e;
  if (d->binary) return report_error(report, ERROR_UNSUPPORTED, "BINARY: dumps are written as text here; leave it out");
  return summary_fields_parse(d->fields_text != NULL ? d->fields_text : "ip_src ip_dst", &d->fields, report);
}

static void write_lines(struct to_summary *d) {
  if (d->file != NULL && fwrite(text_string(&d->lines), 1, d->lines.length, d->file) != d->lines.length) {
    char line[256];
    size_t length = format_text(line, sizeof line, "%s: %.120s: %s", d->element.name, d->filename, strerror(errno));
    d->element.services->log(LOG_ERROR, line, length < sizeof line ? length : sizeof line - 1);
    if (d->file != stdout) (void)fclose(d->file);
    d->file = NULL;
  }
  text_clear(&d->lines);
}

static void summarize(struct to_summary *d, const struct packet *p) {
  size_t start = d->lines.length;
  const char *bad = summary_write(&d->fields, p, d->extra_length, &d->lines);
  if (bad == NULL || !d->bad_packets) return;
  /* The complaint stands before the packet's line. */
  struct text line = {0};
  text_add_bytes(&line, text_string(&d->lines) + start, d->lines.length - start);
  if (d->lines.length > 0) d->lines.length = start;
  text_addf(&d->lines, "!bad %s\n", bad);
  text_add_bytes(&d->lines, text_string(&line), line.length);
  text_free(&line);
}

static void push(struct element *e, unsigned port, struct batch *batch) {
  struct to_summary *d = (struct to_summary *)e;
  for (uint32_t i = 0; i < batch->count && d->file != NULL; i++)
    summarize(d, batch->packet[i]);
  if (d->file != NULL) counter_add(&d->count, batch->count);
  write_lines(d);
  if (e->output_count > 0) {
    element_push(e, 0, batch);
  } else {
    batch_kill(batch);
  }
}

static bool run_task(struct task *task) {
  struct to_summary *d = CONTAINER_OF(task, struct to_summary, task);
  struct batch batch;
  batch.count = 0;
  element_pull(&d->element, 0, &batch, BURST);
  if (batch.count == 0) {
    (void)notifier_signal_wait(&d->signal, task);
    return false;
  }
  push(&d->element, 0, &batch);
  return true;
}

static int initialize(struct element *e, struct report *report) {
  struct to_summary *d = (struct to_summary *)e;
  /* Not emptied yet: until the graph runs, the one before it may be writing here. */
  int fd = strcmp(d->filename, "-") == 0 ? -1 : open(d->filename, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  d->file = strcmp(d->filename, "-") == 0 ? stdout : fd >= 0 ? fdopen(fd, "wb") : NULL;
  if (d->file == NULL) {
    int status = report_error(report, ERROR_IO, "%s: %s", d->filename, strerror(errno));
    if (fd >= 0) close(fd);
    return status;
  }
  if (!e->inputs[0].pull) return 0;
  task_init(&d->task, e->router->scheduler, e, run_task);
  task_schedule(&d->task);
  return notifier_listen_upstream(e, 0, &d->task, &d->signal);
}

static void commit(struct element *e) {
  struct to_summary *d = (struct to_summary *)e;
  if (d->file == NULL) return;
  if (d->file != stdout) (void)!ftruncate(fileno(d->file), 0); /* a pipe cannot be, and need not */
  if (!d->header) return;
  text_add(&d->lines, "!IPSummaryDump 1.3\n");
  if (d->banner != NULL) text_addf(&d->lines, "!creator \"%s\"\n", d->banner);
  char host[256] = "";
  if (d->verbose && gethostname(host, sizeof host - 1) == 0) text_addf(&d->lines, "!host %s\n", host);
  uint64_t now = d->verbose ? e->services->wall() : 0;
  if (d->verbose) {
    text_addf(&d->lines, "!runtime %llu.%06u\n", (unsigned long long)(now / 1000000000),
              (unsigned)(now % 1000000000 / 1000));
  }
  summary_fields_describe(&d->fields, &d->lines);
  write_lines(d);
}

static void cleanup(struct element *e) {
  struct to_summary *d = (struct to_summary *)e;
  task_unschedule(&d->task);
  notifier_signal_destroy(&d->signal, &d->task);
  text_free(&d->lines);
  if (d->file == stdout) (void)fflush(stdout);
  if (d->file != NULL && d->file != stdout) (void)fclose(d->file);
  d->file = NULL;
}

static int write_flush(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct to_summary *d = owner;
  if (d->file == NULL || fflush(d->file) == 0) return 0;
  return report_error(report, ERROR_IO, "%s: %s", d->filename, strerror(errno));
}

#define AT(member) offsetof(struct to_summary, member)
static const struct argument arguments[] = {
    {"FILENAME", ARGUMENT_FILENAME, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, AT(filename),
     "the file; -: standard output"},
    {"FIELDS", ARGUMENT_STRING, 0, AT(fields_text), "what is written of each packet (ip_src ip_dst)"},
    {"CONTENTS", ARGUMENT_STRING, 0, AT(fields_text), "old name of FIELDS"},
    {"HEADER", ARGUMENT_BOOL, 0, AT(header), "begin with lines that describe the dump (true)"},
    {"VERBOSE", ARGUMENT_BOOL, 0, AT(verbose), "name the host and the time there, too (false)"},
    {"BANNER", ARGUMENT_STRING, 0, AT(banner), "what made the dump, for a line !creator"},
    {"BAD_PACKETS", ARGUMENT_BOOL, 0, AT(bad_packets), "a line !bad before packets whose headers are bad (false)"},
    {"EXTRA_LENGTH", ARGUMENT_BOOL, 0, AT(extra_length), "count the extra length annotation (true)"},
    {"BINARY", ARGUMENT_BOOL, 0, AT(binary), "only false"},
    {0}};

static const struct handler handlers[] = {
    {.name = "flush", .write = write_flush, .help = "write out what is buffered"},
    {.name = "count", .read = handler_read_u64, .offset = AT(count), .help = "packets written"},
    TASK_HANDLERS(struct to_summary, task),
    {0}};

static const struct element_class to_summary_class = {
    .name = "ToIPSummaryDump",
    .purpose = "writes a line of text about each packet",
    .ports = "1/0-1",
    .processing = "a/h",
    .size = sizeof(struct to_summary),
    .arguments = arguments,
    .handlers = handlers,
    .example = "FromDump(in.pcap, FORCE_IP true) -> ToIPSummaryDump(-, FIELDS timestamp ip_src ip_dst ip_proto);",
    .manual =
        "Fields: timestamp utimestamp ntimestamp ts_sec ts_usec ts_usec1 ip_src ip_dst ip_frag ip_fragoff ip_len ip_proto "
        "ip_hl ip_id ip_tos ip_dscp ip_ecn ip_ttl ip_sum sport dport tcp_seq tcp_ack tcp_off tcp_flags tcp_window tcp_urp "
        "udp_len icmp_type icmp_code icmp_flowid icmp_seq icmp_nextmtu payload payload_len ip_capture_len count direction "
        "link aggregate eth_src eth_dst wire_len. A field that a packet does not have is written as \"-\".",
    .defaults = defaults,
    .configure = configure,
    .initialize = initialize,
    .commit = commit,
    .cleanup = cleanup,
    .process_only = true,
    .push = push,
};
ELEMENT(ToIPSummaryDump, to_summary_class);
