/* SPDX-License-Identifier: BSD-3-Clause
 *
 * FromIPSummaryDump: makes packets from the lines of a summary dump: headers of 20 bytes with the fields the line has, the rest zero.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "click/router.h"
#include "elements/parameter.h"
#include "platform/process/ip_summary.h"

enum { BURST = 32, LINE_MAX_LENGTH = 8192, SAMPLING_BITS = 28 };

struct from_summary {
  struct element element;
  char *filename, *fields_text;
  bool stop, active, zero;
  uint8_t protocol;
  uint64_t sample;
  struct summary_fields fields;
  FILE *file; /* NULL: the end was reached */
  uint64_t count, malformed;
  struct task task;
  struct notifier_signal room;
};

static void defaults(struct element *e) {
  struct from_summary *d = (struct from_summary *)e;
  d->active = d->zero = true;
  d->protocol = 6;
  d->sample = FRACTION_ONE;
}

static int configure(struct element *e, const struct args *rest, struct report *report) {
  struct from_summary *d = (struct from_summary *)e;
  if (d->sample > FRACTION_ONE) d->sample = FRACTION_ONE;
  return d->fields_text != NULL ? summary_fields_parse(d->fields_text, &d->fields, report) : 0;
}

/* A line that begins with '!': what the fields are, or nothing that matters here. */
static void read_mark(struct from_summary *d, const char *line) {
  struct report report = {0};
  if (strncmp(line, "!data ", 6) == 0 && summary_fields_parse(line + 6, &d->fields, &report) != 0) {
    d->fields.count = 0; /* its lines cannot be understood */
    d->element.services->log(LOG_ERROR, text_string(&report.text), report.text.length);
  }
  report_free(&report);
}

/* Appends packets until there are `max`. False: the file has ended. */
static bool read_lines(struct from_summary *d, struct batch *batch, unsigned max) {
  char line[LINE_MAX_LENGTH];
  while (batch->count < max) {
    if (d->element.services->pool->free_count == 0) return true;
    if (fgets(line, sizeof line, d->file) == NULL) return false;
    struct slice text = slice_trim(slice_of(line));
    if (text.length == 0 || line[0] == '#') continue;
    if (line[0] == '!') {
      line[(size_t)(text.data - line) + text.length] = '\0';
      read_mark(d, line);
      continue;
    }
    if (d->sample < FRACTION_ONE && d->element.services->random() >= d->sample) continue;
    struct packet *p = packet_new(d->element.services->pool);
    if (p == NULL) return true;
    if (d->fields.count == 0 || !summary_read(&d->fields, text, d->protocol, p)) counter_add(&d->malformed, 1);
    if (d->fields.count == 0) {
      packet_kill(p);
      continue;
    }
    batch->packet[batch->count++] = p;
  }
  return true;
}

static bool run_task(struct task *task) {
  struct from_summary *d = CONTAINER_OF(task, struct from_summary, task);
  struct batch batch;
  batch.count = 0;
  task->polls = false;
  if (!d->active || d->file == NULL) {
    task_unschedule(task);
    return false;
  }
  if (!notifier_signal_active(&d->room)) {
    (void)notifier_signal_wait(&d->room, task);
    return false;
  }
  bool more = read_lines(d, &batch, BURST);
  task->polls = more && batch.count == 0; /* for buffers */
  bool worked = batch.count > 0;
  counter_add(&d->count, batch.count);
  element_push(&d->element, 0, &batch);
  if (more) return worked;
  if (d->file != stdin) (void)fclose(d->file);
  d->file = NULL;
  task_unschedule(task);
  if (d->stop && d->element.services->stop_driver != NULL) d->element.services->stop_driver();
  return true;
}

static int initialize(struct element *e, struct report *report) {
  struct from_summary *d = (struct from_summary *)e;
  d->file = strcmp(d->filename, "-") == 0 ? stdin : fopen(d->filename, "re");
  if (d->file == NULL) return report_error(report, ERROR_IO, "%s: %s", d->filename, strerror(errno));
  task_init(&d->task, e->router->scheduler, e, run_task);
  if (d->active) task_schedule(&d->task);
  return notifier_listen_downstream(e, 0, &d->task, &d->room);
}

static void cleanup(struct element *e) {
  struct from_summary *d = (struct from_summary *)e;
  task_unschedule(&d->task);
  notifier_signal_destroy(&d->room, &d->task);
  if (d->file != NULL && d->file != stdin) (void)fclose(d->file);
  d->file = NULL;
}

static int read_sampling(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report) {
  text_add_fixed(out, ((struct from_summary *)owner)->sample >> (32 - SAMPLING_BITS), SAMPLING_BITS);
  return 0;
}
static int read_encap(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  text_add(out, "IP");
  return 0;
}
static int write_active(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct from_summary *d = owner;
  int status = parameter_write(owner, handler, value, report);
  if (status == 0 && d->active) task_schedule(&d->task);
  return status;
}
static int write_stop(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct from_summary *d = owner;
  d->active = false;
  if (d->element.services->stop_driver != NULL) d->element.services->stop_driver();
  return 0;
}

#define AT(member) offsetof(struct from_summary, member)
static const struct argument arguments[] = {
    {"FILENAME", ARGUMENT_FILENAME, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, AT(filename),
     "the dump; -: standard input"},
    {"STOP", ARGUMENT_BOOL, 0, AT(stop), "stop the driver at the end (false)"},
    {"ACTIVE", ARGUMENT_BOOL, 0, AT(active), "whether packets come (true)"},
    {"ZERO", ARGUMENT_BOOL, 0, AT(zero), "no effect: what the dump does not say is zero"},
    {"PROTO", ARGUMENT_U8, 0, AT(protocol), "IP protocol where the dump does not say (6, TCP)"},
    {"SAMPLE", ARGUMENT_FRACTION, 0, AT(sample), "probability with which a packet is taken (1)"},
    {"DEFAULT_FIELDS", ARGUMENT_STRING, 0, AT(fields_text), "the fields, until a !data line tells them"},
    {"DEFAULT_CONTENTS", ARGUMENT_STRING, 0, AT(fields_text), "old name of DEFAULT_FIELDS"},
    {0}};

static const struct handler handlers[] = {
    {.name = "sampling_prob", .read = read_sampling, .help = "SAMPLE, as it is used"},
    {.name = "active",
     .read = handler_read_bool,
     .write = write_active,
     .offset = AT(active),
     .help = "whether packets come"},
    {.name = "encap", .read = read_encap, .help = "IP"},
    {.name = "stop", .write = write_stop, .help = "no more packets; stop the driver"},
    {.name = "count", .read = handler_read_u64, .offset = AT(count), .help = "packets that came"},
    {.name = "malformed",
     .read = handler_read_u64,
     .offset = AT(malformed),
     .help = "lines with values that make no sense"},
    TASK_HANDLERS(struct from_summary, task),
    {0}};

static const struct element_class from_summary_class = {
    .name = "FromIPSummaryDump",
    .purpose = "makes packets from an IP summary dump",
    .ports = "0/1",
    .processing = "h/h",
    .size = sizeof(struct from_summary),
    .arguments = arguments,
    .handlers = handlers,
    .example = "FromIPSummaryDump(in.txt, STOP true) -> ToDump(out.pcap, ENCAP IP);",
    .manual =
        "Packets have an IP header of 20 bytes and the header of their protocol, with the fields of ToIPSummaryDump that the "
        "dump has; checksums are those of the dump. What the line's length says beyond goes into the extra length "
        "annotation. Options and payloads are not made.",
    .defaults = defaults,
    .configure = configure,
    .initialize = initialize,
    .cleanup = cleanup,
    .process_only = true,
};
ELEMENT(FromIPSummaryDump, from_summary_class);
