/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ToIPSummaryDump: writes a line of text or a binary record per packet into a file, and passes packets on where it has an output.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "click/router.h"
#include "click/words.h"
#include "elements/parameter.h"
#include "elements/puller.h"
#include "platform/process/dump_file.h"
#include "platform/process/summary/summary.h"

enum {
  BURST = 32,
  WRITE_SIZE = 65536, /* bytes that are collected before they are written */
  LINES_MAX = 65536,  /* for one packet with MULTIPACKET */
};

struct to_summary {
  struct element element;
  char *filename, *fields_text, *banner;
  bool header, verbose, bad_packets, multipacket;
  struct summary_style style;
  struct summary_fields fields;
  struct dump_output output;
  struct text lines, bad;
  uint64_t count;
  struct puller puller;
};

static void defaults(struct element *e) {
  struct to_summary *d = (struct to_summary *)e;
  d->header = d->style.extra_length = d->style.careful_truncation = true;
}

static int configure(struct element *e, const struct args *rest, struct report *report) {
  struct to_summary *d = (struct to_summary *)e;
  const char *fields = d->fields_text != NULL ? d->fields_text : "ip_src ip_dst";
  int status = summary_fields_parse(fields, d->style.binary ? SUMMARY_WRITE_BINARY : SUMMARY_WRITE, &d->fields, report);
  if (status == 0 && summary_fields_have(&d->fields, "count")) d->multipacket = false;
  return status;
}

static void write_lines(struct to_summary *d) {
  if (d->lines.failed) {
    errno = ENOMEM;
    dump_output_fail(&d->output, &d->element, d->filename, "cannot be written");
  } else {
    (void)dump_output_write(&d->output, d->lines.data, d->lines.length, &d->element, d->filename);
  }
  text_clear(&d->lines);
}

/* The complaint stands before the packet's line. */
static void summarize(struct to_summary *d, const struct packet *p) {
  struct text *bad = d->bad_packets ? &d->bad : NULL;
  size_t start = d->lines.length;
  summary_write(&d->fields, p, &d->style, &d->lines, bad);
  counter_add(&d->count, 1);
  if (d->bad.length > 0 && !d->lines.failed) {
    struct text complaint = {0}, line = {0};
    text_add_bytes(&line, d->lines.data + start, d->lines.length - start);
    text_addf(&complaint, "!bad %s\n", text_string(&d->bad));
    d->lines.length = start;
    summary_write_line(slice_of(text_string(&complaint)), d->style.binary, &d->lines);
    text_add_bytes(&d->lines, text_string(&line), line.length);
    d->lines.failed |= complaint.failed || line.failed;
    text_free(&complaint);
    text_free(&line);
  }
  text_clear(&d->bad);
  if (d->lines.length >= WRITE_SIZE) write_lines(d);
}

/* MULTIPACKET: a line for each packet that this one stands for, with the bytes and the time between first and last shared out. */
static void summarize_many(struct to_summary *d, struct packet *p) {
  uint32_t extra_packets = annotation_u32(p, SUMMARY_EXTRA_PACKETS), extra = annotation_u32(p, SUMMARY_EXTRA_LENGTH);
  uint32_t count = extra_packets < LINES_MAX ? extra_packets + 1 : LINES_MAX;
  uint64_t bytes = (uint64_t)p->length + (d->style.extra_length ? extra : 0), end = p->timestamp;
  uint64_t first = load_le64(p->annotation + SUMMARY_FIRST_TIMESTAMP), step = 0;
  if (bytes < (uint64_t)count * p->length) bytes = (uint64_t)count * p->length;
  if (first != 0 && first < end) {
    step = (end - first) / (count - 1);
    p->timestamp = first;
  }
  annotation_set_u32(p, SUMMARY_EXTRA_PACKETS, 0);
  for (uint32_t left = count; left > 0; left--) {
    uint64_t length = bytes / left;
    bytes -= length;
    if (left == 1) p->timestamp = end;
    annotation_set_u32(p, SUMMARY_EXTRA_LENGTH, (uint32_t)(length - p->length));
    summarize(d, p);
    p->timestamp += step;
  }
  p->timestamp = end;
  annotation_set_u32(p, SUMMARY_EXTRA_PACKETS, extra_packets);
  annotation_set_u32(p, SUMMARY_EXTRA_LENGTH, extra);
}

static void push(struct element *e, unsigned port, struct batch *batch) {
  struct to_summary *d = (struct to_summary *)e;
  for (uint32_t i = 0; i < batch->count && d->output.file != NULL; i++) {
    struct packet *p = batch->packet[i];
    if (d->multipacket && annotation_u32(p, SUMMARY_EXTRA_PACKETS) > 0) {
      summarize_many(d, p);
    } else {
      summarize(d, p);
    }
  }
  write_lines(d);
  if (e->output_count > 0) {
    element_push(e, 0, batch);
  } else {
    batch_kill(batch);
  }
}

static bool run_task(struct task *task) {
  struct to_summary *d = CONTAINER_OF(task, struct to_summary, puller.task);
  struct batch batch;
  batch.count = 0;
  element_pull(&d->element, 0, &batch, BURST);
  if (batch.count == 0) {
    (void)puller_wait(&d->puller);
    return false;
  }
  push(&d->element, 0, &batch);
  return true;
}

/* Whether the element that goes in a hot swap writes the same file with the same fields: then it goes on. */
static bool continues(const struct to_summary *d, const struct to_summary *before) {
  if (before == NULL || before->output.file == NULL || strcmp(d->filename, before->filename) != 0) return false;
  size_t fields = d->fields.count * sizeof d->fields.field[0];
  return d->style.binary == before->style.binary && d->fields.count == before->fields.count &&
         memcmp(d->fields.field, before->fields.field, fields) == 0;
}

static int initialize(struct element *e, struct report *report) {
  struct to_summary *d = (struct to_summary *)e;
  int status = 0;
  if (!continues(d, (struct to_summary *)router_predecessor(e))) {
    status = dump_output_open(&d->output, d->filename, report);
  }
  if (status < 0 || !e->inputs[0].pull) return status;
  return puller_start(&d->puller, e, run_task);
}

/* VERBOSE: where and when. */
static void add_origin(struct to_summary *d) {
  char host[256] = "", date[64] = "";
  uint64_t now = d->element.services->wall();
  time_t seconds = (time_t)(now / 1000000000);
  struct tm local;
  if (gethostname(host, sizeof host - 1) == 0) text_addf(&d->lines, "!host %s\n", host);
  if (localtime_r(&seconds, &local) != NULL) (void)!strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &local);
  text_addf(&d->lines, "!runtime %llu.%06u (%s)\n", (unsigned long long)seconds, (unsigned)(now % 1000000000 / 1000),
            date);
}

static void commit(struct element *e) {
  struct to_summary *d = (struct to_summary *)e;
  if (!dump_output_begin(&d->output) || !d->header) return;
  text_addf(&d->lines, "!IPSummaryDump 1.%d\n", SUMMARY_MINOR_VERSION);
  if (d->banner != NULL) {
    text_add(&d->lines, "!creator ");
    words_quote(slice_of(d->banner), true, &d->lines);
    text_add(&d->lines, "\n");
  }
  if (d->verbose) add_origin(d);
  summary_fields_describe(&d->fields, d->style.binary, &d->lines);
  if (d->style.binary) text_add(&d->lines, "!binary\n");
  write_lines(d);
}

static void take_state(struct element *e, struct element *old, struct report *report) {
  struct to_summary *d = (struct to_summary *)e, *before = (struct to_summary *)old;
  bool same_file = strcmp(d->filename, before->filename) == 0;
  if (continues(d, before)) {
    dump_output_take(&d->output, &before->output);
    d->count = before->count;
  } else if (same_file) {
    dump_output_close(&before->output, old, before->filename); /* not into what begins anew */
  }
}

static void cleanup(struct element *e) {
  struct to_summary *d = (struct to_summary *)e;
  puller_stop(&d->puller);
  text_free(&d->lines);
  text_free(&d->bad);
  dump_output_close(&d->output, e, d->filename);
}

static int write_flush(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct to_summary *d = owner;
  if (d->output.file == NULL || fflush(d->output.file) == 0) return 0;
  return report_error(report, ERROR_IO, "%s: %s", d->filename, strerror(errno));
}

#define AT(member) offsetof(struct to_summary, member)
static const struct argument arguments[] = {
    {"FILENAME", ARGUMENT_FILENAME, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, AT(filename),
     "the file; -: standard output"},
    {"FIELDS", ARGUMENT_STRING, 0, AT(fields_text), "what is written of each packet (ip_src ip_dst)"},
    {"CONTENTS", ARGUMENT_STRING, 0, AT(fields_text), "the same"},
    {"DATA", ARGUMENT_STRING, ARGUMENT_DEPRECATED, AT(fields_text), "the same"},
    {"HEADER", ARGUMENT_BOOL, 0, AT(header), "begin with lines that describe the dump (true)"},
    {"VERBOSE", ARGUMENT_BOOL, 0, AT(verbose), "name the host and the time there, too (false)"},
    {"BANNER", ARGUMENT_STRING, 0, AT(banner), "what made the dump, for a line !creator"},
    {"MULTIPACKET", ARGUMENT_BOOL, 0, AT(multipacket),
     "a line for each packet that one stands for, at most 65,536, unless field count says so (false)"},
    {"BAD_PACKETS", ARGUMENT_BOOL, 0, AT(bad_packets), "a line !bad before packets whose headers are bad (false)"},
    {"CAREFUL_TRUNC", ARGUMENT_BOOL, 0, AT(style.careful_truncation),
     "packets that are shorter than IP says are bad (true)"},
    {"EXTRA_LENGTH", ARGUMENT_BOOL, 0, AT(style.extra_length), "count the extra length annotation (true)"},
    {"BINARY", ARGUMENT_BOOL, 0, AT(style.binary), "write records instead of lines (false)"},
    {0}};

static const struct handler handlers[] = {
    {.name = "flush", .write = write_flush, .help = "write out what is buffered"},
    {.name = "count", .read = handler_read_u64, .offset = AT(count), .help = "lines or records written"},
    TASK_HANDLERS(struct to_summary, puller.task),
    {0}};

static const struct element_class to_summary_class = {
    .name = "ToIPSummaryDump",
    .purpose = "writes a line or record about each packet",
    .ports = "1/0-1",
    .processing = "a/h",
    .size = sizeof(struct to_summary),
    .arguments = arguments,
    .handlers = handlers,
    .example = "FromDump(in.pcap, FORCE_IP true) -> ToIPSummaryDump(-, FIELDS timestamp ip_src ip_dst ip_proto);",
    .manual =
        "Fields: timestamp ntimestamp ts_sec ts_usec ts_usec1 first_timestamp first_ntimestamp; ip_src ip_dst ip_frag "
        "ip_fragoff ip_len ip_proto ip_hl ip_id ip_tos ip_dscp ip_ecn ip_ttl ip_sum ip_opt ip_capture_len; sport dport "
        "tcp_seq tcp_ack tcp_off tcp_flags tcp_opt tcp_ntopt tcp_sack tcp_window tcp_urp udp_len; icmp_type icmp_code "
        "icmp_type_name icmp_code_name icmp_flowid icmp_seq icmp_nextmtu; payload payload_len payload_md5 payload_md5_hex; "
        "count direction link paint aggregate wire_len; eth_src eth_dst eth_type. A blank may stand for _, and ip_ may be "
        "left out. What a packet does not have is written as \"-\", in a record as 0.\n\n"
        "Records (BINARY) begin behind the line !binary. Each is its length in four bytes, itself included, and the fields; "
        "all numbers are in network order. A length with its top bit set is that of a line. Field payload is not for records.\n\n"
        "A file whose name ends in .gz or .bz2 is compressed. In a hot swap an element of the same name, file and fields goes "
        "on where its predecessor was.",
    .defaults = defaults,
    .configure = configure,
    .initialize = initialize,
    .commit = commit,
    .take_state = take_state,
    .cleanup = cleanup,
    .process_only = true,
    .push = push,
};
ELEMENT(ToIPSummaryDump, to_summary_class);
