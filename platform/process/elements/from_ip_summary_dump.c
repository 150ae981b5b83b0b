/* SPDX-License-Identifier: BSD-3-Clause
 *
 * FromIPSummaryDump: makes packets from the lines or records of a summary dump.
 */
#include <errno.h>
#include <unistd.h>

#include "platform/process/dump_file.h"
#include "platform/process/elements/replay.h"
#include "platform/process/summary/summary.h"

struct from_summary {
  struct replay replay; /* first */
  char *fields_text, *flow_text, *data;
  bool zero, checksum, multipacket, allow_nonexistent;
  uint8_t protocol;
  struct summary_context context;
  FILE *file; /* NULL: the end was reached */
  struct text line;
  bool record;    /* it is a record's data */
  bool have_line; /* it was read, and is still to be looked at */
  uint64_t position, line_number, malformed;
  bool complained; /* of a line that is no packet; once is enough */
  /* MULTIPACKET: a packet that stands for several, of which `left` are still to come. */
  struct packet *many;
  uint32_t left, each;  /* bytes of each but the last */
  uint64_t bytes;       /* of all that are left */
  uint64_t step, until; /* nanoseconds between two; time of the last */
};

static void defaults(struct element *e) {
  struct from_summary *d = (struct from_summary *)e;
  replay_defaults(&d->replay);
  d->zero = true;
  d->protocol = 6;
}

static int configure(struct element *e, const struct args *rest, struct report *report) {
  struct from_summary *d = (struct from_summary *)e;
  replay_configure(&d->replay, report);
  summary_context_init(&d->context);
  d->context.protocol = d->protocol;
  d->context.checksum = d->checksum;
  if (d->data != NULL && d->replay.filename != NULL) {
    return report_error(report, ERROR_INVALID, "FILENAME and DATA conflict");
  }
  if (d->data == NULL && d->replay.filename == NULL) {
    return report_error(report, ERROR_INVALID, "FILENAME: required argument missing");
  }
  int status =
      d->fields_text != NULL ? summary_fields_parse(d->fields_text, SUMMARY_READ, &d->context.fields, report) : 0;
  if (status == 0 && d->flow_text != NULL) {
    status = summary_context_flow(&d->context, slice_of(d->flow_text), report);
  }
  return status;
}

/* --- lines and records --- */

/* "in.txt:3: " and the message. */
static void complain(struct from_summary *d, const char *message) {
  struct report report = {0};
  (void)report_error(&report, ERROR_INVALID, "%s:%llu: %s", d->replay.filename != NULL ? d->replay.filename : "DATA",
                     (unsigned long long)d->line_number, message);
  replay_log(&d->replay, &report);
}

/* A line without its end ('\n', '\r' or both). 1, 0 at the end of the file, or a negative code: there is no line to be found. */
static int read_line(struct from_summary *d) {
  char piece[512];
  size_t length = 0;
  int c;
  text_clear(&d->line);
  while ((c = getc_unlocked(d->file)) != EOF && c != '\n' && c != '\r') {
    if (length == sizeof piece) {
      text_add_bytes(&d->line, piece, length);
      length = 0;
    }
    piece[length++] = (char)c;
    if (d->line.length > SUMMARY_LINE_MAX) return -ERROR_TOO_BIG;
  }
  text_add_bytes(&d->line, piece, length);
  d->position += d->line.length + (c != EOF);
  if (c == '\r') {
    int next = getc_unlocked(d->file);
    if (next == '\n') d->position++;
    if (next != '\n' && next != EOF) ungetc(next, d->file);
  }
  if (d->line.failed) return -ERROR_NO_MEMORY;
  return c != EOF || d->line.length > 0;
}

#define METADATA 0x80000000u

/* A record's data, which may be a line. */
static int read_record(struct from_summary *d) {
  uint8_t header[4];
  char piece[512];
  text_clear(&d->line);
  size_t got = fread(header, 1, sizeof header, d->file);
  d->position += got;
  if (got < sizeof header) return got == 0 ? 0 : -ERROR_TRUNCATED;
  d->record = !(load_be32(header) & METADATA);
  uint32_t left = load_be32(header) & ~METADATA;
  if (left < sizeof header) return -ERROR_INVALID;
  if (left > SUMMARY_LINE_MAX) return -ERROR_TOO_BIG;
  for (left -= (uint32_t)sizeof header; left > 0; left -= (uint32_t)got) {
    got = fread(piece, 1, left < sizeof piece ? left : sizeof piece, d->file);
    d->position += got;
    if (got == 0) return -ERROR_TRUNCATED;
    text_add_bytes(&d->line, piece, got);
  }
  return d->line.failed ? -ERROR_NO_MEMORY : 1;
}

static int next_line(struct from_summary *d) {
  if (d->have_line) {
    d->have_line = false;
    return 1;
  }
  d->record = d->context.binary;
  int status = d->record ? read_record(d) : read_line(d);
  d->line_number++;
  if (status < 0) complain(d, error_text(status));
  return status;
}

/* --- packets --- */

/* One of several packets: its length on the wire, in IP's and UDP's terms, too. */
static void set_length(struct packet *p, uint32_t length) {
  annotation_set_u32(p, SUMMARY_EXTRA_PACKETS, 0);
  annotation_set_u32(p, SUMMARY_EXTRA_LENGTH, length > p->length ? length - p->length : 0);
  uint8_t *ip = (uint8_t *)p + p->network_header;
  if (p->network_header == 0) return;
  uint32_t header = (ip[0] & 15u) * 4, whole = length - (uint32_t)(ip - p->data);
  if (whole > UINT16_MAX) whole = UINT16_MAX;
  store_be16(ip + 2, (uint16_t)whole);
  bool udp = ip[9] == 17 && ip + header + 6 <= p->data + p->length && whole > header;
  if (udp) store_be16(ip + header + 4, (uint16_t)(whole - header));
}

/* Click's rule: all but the last have the same length, the last has what is left; times are evenly spaced. */
static void divide(struct from_summary *d, struct packet *p) {
  uint64_t first = load_le64(p->annotation + SUMMARY_FIRST_TIMESTAMP), between = p->timestamp - first;
  uint32_t extra = annotation_u32(p, SUMMARY_EXTRA_PACKETS);
  d->many = p;
  d->left = extra < UINT32_MAX ? extra + 1 : UINT32_MAX;
  d->bytes = (uint64_t)p->length + annotation_u32(p, SUMMARY_EXTRA_LENGTH);
  if (d->bytes < (uint64_t)p->length * d->left) d->bytes = (uint64_t)p->length * d->left;
  d->each = (uint32_t)(d->bytes / d->left);
  d->until = p->timestamp;
  d->step = first != 0 && first < p->timestamp ? between / (d->left - 1) : 0;
  if (d->step > 0) p->timestamp = first;
}

static enum replay_outcome one_of_many(struct from_summary *d) {
  bool last = d->left == 1;
  struct packet *p = last ? d->many : packet_clone(d->many);
  if (p == NULL) return REPLAY_NO_BUFFER;
  set_length(p, last ? (uint32_t)d->bytes : d->each);
  if (last) p->timestamp = d->until;
  if (last) d->many = NULL;
  if (!last) d->many->timestamp += d->step;
  d->left--;
  d->bytes -= d->each;
  if (replay_sampled(&d->replay)) {
    d->replay.held = p;
    return REPLAY_PACKET;
  }
  packet_kill(p);
  return REPLAY_SKIPPED;
}

static enum replay_outcome make_packet(struct from_summary *d, struct slice line) {
  struct packet *p = packet_new(d->replay.element.services->pool);
  bool malformed;
  if (p == NULL) {
    d->have_line = true; /* with a buffer it is a packet */
    return REPLAY_NO_BUFFER;
  }
  unsigned told = summary_read(&d->context, line, d->record, p, &malformed);
  if (malformed || told == 0) counter_add(&d->malformed, 1);
  if (told == 0) {
    if (!d->complained) complain(d, d->context.fields.count == 0 ? "no '!data' provided" : "packet parse error");
    d->complained = true;
    packet_kill(p);
    return REPLAY_SKIPPED;
  }
  if (d->multipacket && annotation_u32(p, SUMMARY_EXTRA_PACKETS) > 0) {
    divide(d, p);
    return one_of_many(d);
  }
  d->replay.held = p;
  if (replay_sampled(&d->replay)) return REPLAY_PACKET;
  d->replay.held = NULL;
  packet_kill(p);
  return REPLAY_SKIPPED;
}

static enum replay_outcome read_one(struct replay *r) {
  struct from_summary *d = (struct from_summary *)r;
  if (d->many != NULL) return one_of_many(d);
  if (d->file == NULL) return REPLAY_END;
  if (next_line(d) <= 0) {
    dump_file_close(d->file);
    d->file = NULL;
    return REPLAY_END;
  }
  struct slice line = {text_string(&d->line), d->line.length};
  if (d->record) return make_packet(d, line);
  while (line.length > 0 && line.data[line.length - 1] == '\0') /* that fills up a record */
    line.length--;
  line = slice_trim(line);
  if (line.length == 0 || line.data[0] == '#') return REPLAY_SKIPPED;
  if (line.data[0] != '!') return make_packet(d, line);
  struct report report = {0};
  summary_context_line(&d->context, line, &report);
  if (report.text.length > 0) complain(d, text_string(&report.text));
  report_free(&report);
  return REPLAY_SKIPPED;
}

static void end(struct replay *r) {
  if (r->stop) replay_stop(r);
}

static const struct replay_source source = {.read = read_one, .end = end};

/* --- life --- */

/* The first line says whether this is a dump at all. */
static int read_banner(struct from_summary *d, struct report *report) {
  int status = read_line(d);
  const char *name = d->replay.filename != NULL ? d->replay.filename : "DATA";
  if (status < 0) return report_error(report, (enum error)(-status), "%s: %s", name, error_text(status));
  if (status == 0 && !d->allow_nonexistent) return report_error(report, ERROR_TRUNCATED, "%s: empty file", name);
  struct slice line = {text_string(&d->line), d->line.length};
  d->line_number = 1;
  d->have_line = status == 1;
  if (status == 1 && !summary_is_banner(line) && d->context.fields.count == 0) {
    report_warning(report, "%s: missing banner line; is this an IP summary dump?", name);
  }
  return 0;
}

static int open_file(struct from_summary *d, struct report *report) {
  const char *name = d->replay.filename;
  if (name != NULL && d->allow_nonexistent && access(name, F_OK) != 0 && errno == ENOENT) return 0;
  d->file = name != NULL ? dump_file_open(name, report) : fmemopen(d->data, strlen(d->data), "r");
  if (d->file == NULL) return name != NULL ? -ERROR_IO : report_error(report, ERROR_INVALID, "DATA: is empty");
  return read_banner(d, report);
}

/* As for FromDump: the element that goes hands its file over. */
static bool takes_over(const struct from_summary *d, const struct from_summary *old) {
  const char *name = d->replay.filename;
  return old != NULL && name != NULL && old->replay.filename != NULL && strcmp(old->replay.filename, name) == 0;
}

static int initialize(struct element *e, struct report *report) {
  struct from_summary *d = (struct from_summary *)e;
  d->replay.source = &source;
  d->replay.file = &d->file;
  int status = takes_over(d, (struct from_summary *)router_predecessor(e)) ? 0 : open_file(d, report);
  return status < 0 ? status : replay_initialize(&d->replay);
}

static void cleanup(struct element *e) {
  struct from_summary *d = (struct from_summary *)e;
  replay_cleanup(&d->replay);
  if (d->many != NULL) packet_kill(d->many);
  d->many = NULL;
  text_free(&d->line);
  dump_file_close(d->file);
  d->file = NULL;
}

static void take_state(struct element *e, struct element *old, struct report *report) {
  struct from_summary *d = (struct from_summary *)e, *before = (struct from_summary *)old;
  if (!takes_over(d, before)) return;
  bool checksum = d->context.checksum;
  d->context = before->context;
  d->context.checksum = checksum;
  d->file = before->file;
  d->line = before->line;
  d->record = before->record;
  d->have_line = before->have_line;
  d->position = before->position;
  d->line_number = before->line_number;
  d->malformed = before->malformed;
  d->complained = before->complained;
  d->many = before->many;
  d->left = before->left;
  d->each = before->each;
  d->bytes = before->bytes;
  d->step = before->step;
  d->until = before->until;
  before->file = NULL;
  before->line = (struct text){0};
  before->many = NULL;
  replay_take_state(&d->replay, &before->replay);
}

static int read_encap(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  text_add(out, "IP");
  return 0;
}

#define AT(member) offsetof(struct from_summary, member)
static const struct argument arguments[] = {
    {"FILENAME", ARGUMENT_FILENAME, ARGUMENT_POSITIONAL, AT(replay.filename), "the dump; -: standard input"},
    {"STOP", ARGUMENT_BOOL, 0, AT(replay.stop), "stop the driver at the end (false)"},
    {"ACTIVE", ARGUMENT_BOOL, 0, AT(replay.active), "whether packets come (true)"},
    {"ZERO", ARGUMENT_BOOL, 0, AT(zero), "no effect: what the dump does not say is zero"},
    {"TIMING", ARGUMENT_BOOL, 0, AT(replay.timing), "packets come in the time of the dump (false)"},
    {"CHECKSUM", ARGUMENT_BOOL, 0, AT(checksum), "set checksums, and make packets as long as IP says (false)"},
    {"SAMPLE", ARGUMENT_FRACTION, 0, AT(replay.sample), "probability with which a packet is taken (1)"},
    {"PROTO", ARGUMENT_U8, 0, AT(protocol), "IP protocol where the dump does not say (6, TCP)"},
    {"MULTIPACKET", ARGUMENT_BOOL, 0, AT(multipacket), "as many packets as field count says (false)"},
    {"FIELDS", ARGUMENT_STRING, 0, AT(fields_text), "the fields, until a !data line tells them"},
    {"CONTENTS", ARGUMENT_STRING, 0, AT(fields_text), "the same"},
    {"DEFAULT_FIELDS", ARGUMENT_STRING, 0, AT(fields_text), "the same"},
    {"DEFAULT_CONTENTS", ARGUMENT_STRING, 0, AT(fields_text), "the same"},
    {"FLOWID", ARGUMENT_STRING, 0, AT(flow_text),
     "SRC SPORT DST DPORT [PROTO] for packets without, until a !flowid line"},
    {"DEFAULT_FLOWID", ARGUMENT_STRING, 0, AT(flow_text), "the same"},
    {"ALLOW_NONEXISTENT", ARGUMENT_BOOL, 0, AT(allow_nonexistent),
     "a file that is not there, or empty, has no packets (false)"},
    {"DATA", ARGUMENT_STRING, 0, AT(data), "the dump itself instead of FILENAME"},
    {0}};

static const struct handler handlers[] = {
    REPLAY_HANDLERS,
    {.name = "encap", .read = read_encap, .help = "IP"},
    {.name = "filepos", .read = handler_read_u64, .offset = AT(position), .help = "where in the file reading goes on"},
    {.name = "malformed",
     .read = handler_read_u64,
     .offset = AT(malformed),
     .help = "lines and records with values that make no sense"},
    {0}};

static const struct element_class from_summary_class = {
    .name = "FromIPSummaryDump",
    .purpose = "makes packets from an IP summary dump",
    .ports = "0/1",
    .processing = "a/a",
    .size = sizeof(struct from_summary),
    .arguments = arguments,
    .handlers = handlers,
    .example = "FromIPSummaryDump(in.txt, STOP true) -> ToDump(out.pcap, ENCAP IP);",
    .manual =
        "Reads what ToIPSummaryDump writes, text and binary, also compressed with gzip or bzip2. Packets have the headers that "
        "their fields call for, with a time to live of 100 and otherwise zeros where the dump says nothing; what it says of "
        "lengths beyond the packet's bytes goes into the extra length annotation. Values that make no sense are left out and "
        "counted as malformed. A line without any value is no packet.\n\n"
        "Lines that begin with !data, !flowid, !proto and !aggregate say what holds for the packets behind them; after !binary "
        "come records.",
    .defaults = defaults,
    .configure = configure,
    .initialize = initialize,
    .cleanup = cleanup,
    .take_state = take_state,
    .notifier = replay_notifier,
    .process_only = true,
    .pull = replay_pull,
};
ELEMENT(FromIPSummaryDump, from_summary_class);
