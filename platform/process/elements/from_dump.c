/* SPDX-License-Identifier: BSD-3-Clause
 *
 * FromDump: packets from a capture file, in time or as fast as they are wanted.
 */
#include "elements/link_type.h"
#include "lib/memory.h"
#include "platform/process/elements/replay.h"
#include "platform/process/pcap.h"

/* One of the two ends of the time window. */
struct bound {
  bool set;
  uint64_t time; /* of capture, nanoseconds since 1970, once `relative` ones are known */
};

struct from_dump {
  struct replay replay; /* first */
  bool force_ip, mmap;
  uint64_t start, start_after, end, end_after, interval;
  bool start_given, start_after_given, end_given, end_after_given, interval_given, end_call_given;
  struct handler_reference end_call;
  uint64_t filepos;
  struct pcap_reader reader;
  struct bound first, last;
  bool times_known; /* first and last follow from the first frame */
  bool ends;        /* something is done at the end: STOP, END_CALL, or an end of the window */
  uint64_t packet_filepos;
};

enum { DROP_OTHER_LINK, DROP_NOT_IP };
static const char *const drops[] = {"other_link_type", "not_ip", NULL};

static void defaults(struct element *e) { replay_defaults((struct replay *)e); }

static int configure(struct element *e, const struct args *rest, struct report *report) {
  struct from_dump *d = (struct from_dump *)e;
  replay_configure(&d->replay, report);
  if (d->start_given && d->start_after_given) {
    return report_error(report, ERROR_INVALID, "START and START_AFTER are mutually exclusive");
  }
  if (d->end_given + d->end_after_given + d->interval_given > 1) {
    return report_error(report, ERROR_INVALID, "END, END_AFTER, and INTERVAL are mutually exclusive");
  }
  if (d->replay.stop && d->end_call_given) {
    return report_error(report, ERROR_INVALID, "END_CALL and STOP are mutually exclusive");
  }
  d->first = (struct bound){d->start_given || d->start_after_given, d->start};
  d->last = (struct bound){d->end_given || d->end_after_given || d->interval_given, d->end};
  d->ends = d->last.set || d->replay.stop || d->end_call_given;
  return 0;
}

/* --- reading --- */

static void prepare_times(struct from_dump *d, uint64_t time) {
  if (d->start_after_given) d->first.time = time + d->start_after;
  if (d->end_after_given) d->last.time = time + d->end_after;
  if (d->interval_given) d->last.time = (d->first.set ? d->first.time : time) + d->interval;
  d->replay.timing_offset = d->replay.element.services->now() - time;
  d->replay.timing_known = d->times_known = true;
}

/* The end of the file, or of the window: END_CALL, or STOP; what had a window becomes inactive without either. */
static void finish(struct replay *r) {
  struct from_dump *d = (struct from_dump *)r;
  if (d->end_call.name != NULL) {
    struct report report = {0};
    (void)!router_write(r->element.router, slice_of(d->end_call.name), slice_of(d->end_call.value), &report);
    replay_log(r, &report);
  } else if (r->stop) {
    replay_stop(r);
  } else if (d->ends) {
    r->active = false;
  }
}

/* Whether a frame of this time is wanted. */
static bool in_window(struct from_dump *d, uint64_t time) {
  if (!d->times_known) prepare_times(d, time);
  if (d->first.set && time < d->first.time) return false;
  d->first.set = false;
  while (d->last.set && time >= d->last.time) {
    d->last.set = false;
    finish(&d->replay);
    if (!d->replay.active) return false;
  }
  return true;
}

static void damaged(struct from_dump *d, int status) {
  struct report report = {0};
  (void)report_error(&report, ERROR_INVALID, "%s: %s at byte %llu; giving up", d->replay.filename, error_text(status),
                     (unsigned long long)d->packet_filepos);
  replay_log(&d->replay, &report);
  pcap_reader_close(&d->reader);
}

static enum replay_outcome read_one(struct replay *r) {
  struct from_dump *d = (struct from_dump *)r;
  struct pcap_frame frame;
  if (d->reader.file == NULL) return REPLAY_END;
  struct packet *p = packet_new(r->element.services->pool);
  if (p == NULL) return REPLAY_NO_BUFFER;
  d->packet_filepos = d->reader.position;
  int status = pcap_read_frame(&d->reader, p->data, PACKET_DATA_CAPACITY, &frame);
  if (status < 0) damaged(d, status);
  if (status == 1 && link_type_canonical(frame.link_type) != link_type_canonical(d->reader.link_type)) {
    element_drop(&r->element, DROP_OTHER_LINK, p);
    return REPLAY_SKIPPED;
  }
  if (status != 1 || !in_window(d, frame.time) || !replay_sampled(r)) {
    packet_kill(p);
    return status == 1 ? REPLAY_SKIPPED : REPLAY_END;
  }
  p->length = frame.captured < PACKET_DATA_CAPACITY ? frame.captured : PACKET_DATA_CAPACITY;
  p->timestamp = frame.time;
  p->mac_header = (uint16_t)(p->data - (uint8_t *)p);
  annotation_set_u32(p, ANNOTATION_EXTRA_LENGTH, frame.length - p->length);
  r->held = p;
  return REPLAY_PACKET;
}

/* With FORCE_IP, or in a file of raw IP, what is no IP packet goes to output 1. */
static unsigned output_of(struct replay *r, struct packet *p) {
  const struct from_dump *d = (const struct from_dump *)r;
  uint32_t link = link_type_canonical(d->reader.link_type);
  return (d->force_ip || link == LINK_TYPE_IP) && !link_type_mark_ip(link, p);
}

static const struct replay_source source = {read_one, finish, output_of, DROP_NOT_IP};

/* --- life --- */

/* In a hot swap the element that goes has the file open, and hands it over: standard input could not be read twice. */
static bool takes_over(const struct element *e) {
  const struct element *old = router_predecessor(e);
  return old != NULL && strcmp(((const struct replay *)old)->filename, ((const struct replay *)e)->filename) == 0;
}

static int open_file(struct from_dump *d, struct report *report) {
  int status = pcap_reader_open_any(&d->reader, d->replay.filename, report);
  if (status == 0 && d->filepos != 0 && pcap_seek(&d->reader, d->filepos) != 0) {
    return report_error(report, ERROR_IO, "FILEPOS: %s cannot seek; leave it out", d->replay.filename);
  }
  return status;
}

static int initialize(struct element *e, struct report *report) {
  struct from_dump *d = (struct from_dump *)e;
  d->replay.source = &source;
  d->replay.file = &d->reader.file;
  int status = 0;
  if (takes_over(e)) {
    d->reader.link_type = ((const struct from_dump *)router_predecessor(e))->reader.link_type;
  } else {
    status = open_file(d, report);
  }
  if (status < 0) return status;
  uint32_t link = link_type_canonical(d->reader.link_type);
  if (d->force_ip && !link_type_has_ip(link)) {
    return report_error(report, ERROR_UNSUPPORTED, "%s: unknown linktype %u; can't force IP packets",
                        d->replay.filename, link);
  }
  return replay_initialize(&d->replay);
}

static void cleanup(struct element *e) {
  replay_cleanup((struct replay *)e);
  pcap_reader_close(&((struct from_dump *)e)->reader);
}

/* The same file goes on where the old graph was in it. */
static void take_state(struct element *e, struct element *old, struct report *report) {
  struct from_dump *d = (struct from_dump *)e, *before = (struct from_dump *)old;
  if (strcmp(d->replay.filename, before->replay.filename) != 0) return;
  d->reader = before->reader;
  before->reader.file = NULL;
  d->packet_filepos = before->packet_filepos;
  replay_take_state(&d->replay, &before->replay);
}

/* --- handlers --- */

static int read_encap(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  link_type_text(link_type_canonical(((struct from_dump *)owner)->reader.link_type), out);
  return 0;
}

static int write_filepos(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct from_dump *d = owner;
  uint64_t position;
  if (slice_to_u64(slice_trim(value), INT64_MAX, &position) != 0) {
    return report_error(report, ERROR_INVALID, "filepos: argument must be file offset");
  }
  if (d->reader.file == NULL || pcap_seek(&d->reader, position) != 0) {
    return report_error(report, ERROR_IO, "filepos: %s cannot seek", d->replay.filename);
  }
  return 0;
}

static const struct argument interval_argument = {"extend_interval", ARGUMENT_TIME, 0, 0, "", 0};

static int write_extend(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct from_dump *d = owner;
  uint64_t by;
  char *text = memory_copy_string(value.data, value.length);
  if (text == NULL) return report_error(report, ERROR_NO_MEMORY, "extend_interval: no memory");
  int status = args_parse_value(NULL, &interval_argument, text, &by, report);
  memory_free(text);
  if (status < 0) return status;
  d->last.time += by;
  if (!d->ends) return 0;
  d->last.set = d->replay.active = true;
  replay_wake(&d->replay);
  return 0;
}

static int reset_counts(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  counter_reset(&((struct replay *)owner)->count);
  return 0;
}

static int reset_timing(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct from_dump *d = owner;
  d->start_after_given = d->end_after_given = d->interval_given = d->times_known = false;
  return 0;
}

#define AT(member) offsetof(struct from_dump, member)
static const struct argument arguments[] = {
    {"FILENAME", ARGUMENT_FILENAME, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, AT(replay.filename),
     "the capture file; -: standard input"},
    {"TIMING", ARGUMENT_BOOL, ARGUMENT_POSITIONAL, AT(replay.timing),
     "packets come in the time of their capture (false)"},
    {"STOP", ARGUMENT_BOOL, 0, AT(replay.stop), "stop the driver at the end (false)"},
    {"ACTIVE", ARGUMENT_BOOL, 0, AT(replay.active), "whether packets come (true)"},
    {"SAMPLE", ARGUMENT_FRACTION, 0, AT(replay.sample), "probability with which a packet is taken (1)"},
    {"FORCE_IP", ARGUMENT_BOOL, 0, AT(force_ip),
     "only IP packets, with their headers marked; others to output 1 (false)"},
    {"START", ARGUMENT_TIME, 0, AT(start), "leave out what is before this time since 1970", AT(start_given)},
    {"START_AFTER", ARGUMENT_TIME, 0, AT(start_after), "leave out this much from the first packet on",
     AT(start_after_given)},
    {"END", ARGUMENT_TIME, 0, AT(end), "end at this time since 1970", AT(end_given)},
    {"END_AFTER", ARGUMENT_TIME, 0, AT(end_after), "end this long after the first packet of the file",
     AT(end_after_given)},
    {"INTERVAL", ARGUMENT_TIME, 0, AT(interval), "end this long after the start", AT(interval_given)},
    {"END_CALL", ARGUMENT_WRITE_HANDLER, 0, AT(end_call), "handler that is written at the end", AT(end_call_given)},
    {"FILEPOS", ARGUMENT_U64, 0, AT(filepos), "begin at this byte of the file, where a packet's record must be"},
    {"MMAP", ARGUMENT_BOOL, 0, AT(mmap), "no effect"},
    {0}};

static const struct handler handlers[] = {
    REPLAY_HANDLERS,
    {.name = "encap", .read = read_encap, .help = "the file's link type: ETHER, IP, ..., #147"},
    {.name = "filepos",
     .read = handler_read_u64,
     .write = write_filepos,
     .offset = AT(reader.position),
     .help = "where in the file reading goes on"},
    {.name = "packet_filepos",
     .read = handler_read_u64,
     .offset = AT(packet_filepos),
     .help = "where in the file the last packet's record is"},
    {.name = "extend_interval", .write = write_extend, .help = "move the end on by this time, and go on"},
    {.name = "reset_counts", .write = reset_counts, .help = "set count to 0"},
    {.name = "reset_timing", .write = reset_timing, .help = "keep time with the next packet as if it were the first"},
    {0}};

static const struct element_class from_dump_class = {
    .name = "FromDump",
    .purpose = "reads packets from a capture file",
    .ports = "0/1-2",
    .processing = "a/ah",
    .size = sizeof(struct from_dump),
    .arguments = arguments,
    .handlers = handlers,
    .drops = drops,
    .example = "FromDump(in.pcap, STOP true) -> Counter -> ToDump(out.pcap);",
    .manual =
        "Reads pcap in either byte order, with micro- or nanoseconds, and pcapng. Timestamps are kept in nanoseconds. "
        "What a packet was longer on the wire than in the file goes into its extra length annotation; so does what does "
        "not fit into a buffer (1,664 bytes).\n\n"
        "A file of raw IP is read as with FORCE_IP. In a pcapng file whose interfaces have several link types, only "
        "packets with that of the first are read; others are dropped as other_link_type.\n\n"
        "Files that gzip or bzip2 has compressed are read as what they hold; positions are those in there. Not from standard "
        "input: pipe them through gzip -dc.",
    .defaults = defaults,
    .configure = configure,
    .initialize = initialize,
    .cleanup = cleanup,
    .take_state = take_state,
    .notifier = replay_notifier,
    .process_only = true,
    .pull = replay_pull,
};
ELEMENT(FromDump, from_dump_class);
