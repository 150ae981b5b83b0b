/* SPDX-License-Identifier: BSD-3-Clause
 *
 * FromDump: packets from a capture file, in time or as fast as they are wanted.
 */
#include <sys/stat.h>

#include "click/router.h"
#include "elements/parameter.h"
#include "elements/run.h"
#include "lib/memory.h"
#include "platform/process/link_type.h"
#include "platform/process/pcap.h"

enum {
  BURST = 32,
  SKIPPED_MAX = 256,  /* frames left out before other tasks have their turn */
  SAMPLING_BITS = 28, /* of sampling_prob, as in Click */
  EXTRA_LENGTH = 28,  /* annotation */
};

/* What became of an attempt to read. */
enum outcome { GOT_PACKET, GOT_NOTHING, NO_BUFFER, AT_END };

/* One of the two ends of the time window. */
struct bound {
  bool set;
  uint64_t time; /* of capture, nanoseconds since 1970, once `relative` ones are known */
};

struct from_dump {
  struct element element;
  char *filename;
  bool timing, stop, active, force_ip, mmap;
  uint64_t sample;
  uint64_t start, start_after, end, end_after, interval;
  bool start_given, start_after_given, end_given, end_after_given, interval_given, end_call_given;
  struct handler_reference end_call;
  uint64_t filepos;
  struct pcap_reader reader;
  struct bound first, last;
  bool times_known;       /* first, last and timing_offset follow from the first frame */
  uint64_t timing_offset; /* monotonic time less time of capture */
  struct packet *held;    /* read, but its time has not come */
  uint64_t packet_filepos, count;
  struct task task;
  struct timer timer;
  struct notifier ready;       /* of a pull output */
  struct notifier_signal room; /* downstream of a push output */
};

enum { DROP_OTHER_LINK, DROP_NOT_IP };
static const char *const drops[] = {"other_link_type", "not_ip", NULL};

static void defaults(struct element *e) {
  struct from_dump *d = (struct from_dump *)e;
  d->active = true;
  d->sample = FRACTION_ONE;
}

static int configure(struct element *e, const struct args *rest, struct report *report) {
  struct from_dump *d = (struct from_dump *)e;
  if (d->sample > FRACTION_ONE) {
    report_warning(report, "SAMPLE probability reduced to 1");
    d->sample = FRACTION_ONE;
  } else if (d->sample == 0) {
    report_warning(report, "SAMPLE probability is 0; emitting no packets");
  }
  if (d->start_given && d->start_after_given) {
    return report_error(report, ERROR_INVALID, "START and START_AFTER are mutually exclusive");
  }
  if (d->end_given + d->end_after_given + d->interval_given > 1) {
    return report_error(report, ERROR_INVALID, "END, END_AFTER, and INTERVAL are mutually exclusive");
  }
  if (d->stop && d->end_call_given) {
    return report_error(report, ERROR_INVALID, "END_CALL and STOP are mutually exclusive");
  }
  d->first = (struct bound){d->start_given || d->start_after_given, d->start};
  d->last = (struct bound){d->end_given || d->end_after_given || d->interval_given, d->end};
  return 0;
}

static void wake(struct from_dump *d) {
  if (!d->active) return;
  if (d->element.outputs[0].pull) {
    notifier_wake(&d->ready);
  } else {
    task_schedule(&d->task);
  }
}

static void expired(struct timer *timer) { wake(CONTAINER_OF(timer, struct from_dump, timer)); }

/* --- reading --- */

static void prepare_times(struct from_dump *d, uint64_t time) {
  if (d->start_after_given) d->first.time = time + d->start_after;
  if (d->end_after_given) d->last.time = time + d->end_after;
  if (d->interval_given) d->last.time = (d->first.set ? d->first.time : time) + d->interval;
  d->timing_offset = d->element.services->now() - time;
  d->times_known = true;
}

/* The end of the file, or of the window: END_CALL, or STOP, or nothing more. */
static void finish(struct from_dump *d) {
  const struct element *e = &d->element;
  if (d->end_call.name != NULL) {
    struct report report = {0};
    if (router_write(e->router, slice_of(d->end_call.name), slice_of(d->end_call.value), &report) < 0)
      e->services->log(LOG_ERROR, text_string(&report.text), report.text.length);
    report_free(&report);
    return;
  }
  d->active = false;
  if (d->stop && e->services->stop_driver != NULL) e->services->stop_driver();
}

/* Whether a frame of this time is wanted. False with *ended: none of the rest is, as long as nobody extends the window. */
static bool in_window(struct from_dump *d, uint64_t time, bool *ended) {
  if (!d->times_known) prepare_times(d, time);
  if (d->first.set && time < d->first.time) return false;
  d->first.set = false;
  while (d->last.set && time >= d->last.time) {
    d->last.set = false;
    finish(d);
    if (!d->active) {
      *ended = true;
      return false;
    }
  }
  return true;
}

static bool sampled(const struct from_dump *d) {
  return d->sample == FRACTION_ONE || d->element.services->random() < d->sample;
}

static void damaged(struct from_dump *d, int status) {
  char line[256];
  size_t length = format_text(line, sizeof line, "%s: %.120s: %s at byte %llu; giving up", d->element.name, d->filename,
                              error_text(status), (unsigned long long)d->packet_filepos);
  d->element.services->log(LOG_ERROR, line, length < sizeof line ? length : sizeof line - 1);
}

/* Reads one frame into d->held. */
static enum outcome read_one(struct from_dump *d) {
  struct packet *p = packet_new(d->element.services->pool);
  struct pcap_frame frame;
  bool ended = false;
  if (p == NULL) return NO_BUFFER;
  d->packet_filepos = d->reader.position;
  int status = d->reader.file != NULL ? pcap_read_frame(&d->reader, p->data, PACKET_DATA_CAPACITY, &frame) : 0;
  if (status < 0) damaged(d, status);
  if (status < 0) pcap_reader_close(&d->reader);
  if (status == 1 && link_type_canonical(frame.link_type) != link_type_canonical(d->reader.link_type)) {
    element_drop(&d->element, DROP_OTHER_LINK, p);
    return GOT_NOTHING;
  }
  if (status != 1 || !in_window(d, frame.time, &ended) || !sampled(d)) {
    packet_kill(p);
    if (status != 1) finish(d);
    return status != 1 || ended ? AT_END : GOT_NOTHING;
  }
  p->length = frame.captured < PACKET_DATA_CAPACITY ? frame.captured : PACKET_DATA_CAPACITY;
  p->timestamp = frame.time;
  p->mac_header = (uint16_t)(p->data - (uint8_t *)p);
  annotation_set_u32(p, EXTRA_LENGTH, frame.length - p->length);
  d->held = p;
  return GOT_PACKET;
}

/* With TIMING, whether it is too early for the packet; then the timer is set. */
static bool too_early(struct from_dump *d) {
  uint64_t due = d->held->timestamp + d->timing_offset;
  if (!d->timing || (int64_t)(due - d->element.services->now()) <= 0) return false;
  timer_schedule(&d->timer, due);
  return true;
}

/* Fills the run from the file: packets for output 0, and others for output 1 where there is one. Returns how many for output 0;
 * *outcome tells why there are no more. */
static unsigned read_run(struct from_dump *d, struct run *run, unsigned max, enum outcome *outcome) {
  unsigned got = 0;
  bool ip = d->force_ip || link_type_canonical(d->reader.link_type) == LINK_TYPE_IP;
  *outcome = GOT_PACKET;
  for (unsigned tries = 0; got < max && tries < SKIPPED_MAX; tries++) {
    if (d->held == NULL) *outcome = read_one(d);
    if (*outcome == NO_BUFFER || *outcome == AT_END) return got;
    if (d->held == NULL) continue;
    if (too_early(d)) {
      *outcome = GOT_NOTHING;
      return got;
    }
    struct packet *p = d->held;
    d->held = NULL;
    if (ip && !link_type_mark_ip(link_type_canonical(d->reader.link_type), p)) {
      if (d->element.output_count > 1) {
        run_add(run, 1, p);
      } else {
        element_drop(&d->element, DROP_NOT_IP, p);
      }
      continue;
    }
    run_add(run, 0, p);
    got++;
  }
  return got;
}

static bool run_task(struct task *task) {
  struct from_dump *d = CONTAINER_OF(task, struct from_dump, task);
  task->polls = false;
  if (!d->active) {
    task_unschedule(task);
    return false;
  }
  if (!notifier_signal_active(&d->room)) {
    (void)notifier_signal_wait(&d->room, task);
    return false;
  }
  struct run run;
  enum outcome outcome;
  run_start(&run, &d->element);
  unsigned got = read_run(d, &run, BURST, &outcome);
  counter_add(&d->count, got);
  run_flush(&run);
  task->polls = outcome == NO_BUFFER; /* buffers come back without a word */
  if (outcome == AT_END || timer_scheduled(&d->timer)) task_unschedule(task);
  if (outcome == AT_END && d->active && d->last.set) task_schedule(task); /* END_CALL has extended the window */
  return got > 0 || outcome == GOT_PACKET;
}

static void pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct from_dump *d = (struct from_dump *)e;
  enum outcome outcome = AT_END;
  struct run run;
  run_start(&run, e);
  run.port = 1; /* only what goes to the push output 1 is flushed */
  while (max > 0 && d->active) {
    if (d->held == NULL) outcome = read_one(d);
    if (d->held == NULL && outcome != GOT_NOTHING) break;
    if (d->held == NULL) continue;
    outcome = GOT_PACKET;
    if (too_early(d)) break;
    struct packet *p = d->held;
    d->held = NULL;
    uint32_t link = link_type_canonical(d->reader.link_type);
    if ((d->force_ip || link == LINK_TYPE_IP) && !link_type_mark_ip(link, p)) {
      if (e->output_count == 1) {
        element_drop(e, DROP_NOT_IP, p);
      } else {
        run_add(&run, 1, p);
        run_flush(&run);
      }
      continue;
    }
    batch->packet[batch->count++] = p;
    counter_add(&d->count, 1);
    max--;
  }
  if (!d->active || outcome == AT_END || timer_scheduled(&d->timer)) notifier_sleep(&d->ready);
}

/* --- life --- */

static int initialize(struct element *e, struct report *report) {
  struct from_dump *d = (struct from_dump *)e;
  int status = pcap_reader_open_any(&d->reader, d->filename, report);
  if (status < 0) return status;
  uint32_t link = link_type_canonical(d->reader.link_type);
  if (d->force_ip && !link_type_has_ip(link)) {
    return report_error(report, ERROR_UNSUPPORTED, "%s: unknown linktype %u; can't force IP packets", d->filename,
                        link);
  }
  if (d->filepos != 0 && pcap_seek(&d->reader, d->filepos) != 0) {
    return report_error(report, ERROR_IO, "FILEPOS: %s cannot seek; leave it out", d->filename);
  }
  timer_init(&d->timer, e->router->scheduler, e, expired);
  d->ready.active = d->active;
  if (e->outputs[0].pull) return 0;
  task_init(&d->task, e->router->scheduler, e, run_task);
  if (d->active) task_schedule(&d->task);
  return notifier_listen_downstream(e, 0, &d->task, &d->room);
}

static void cleanup(struct element *e) {
  struct from_dump *d = (struct from_dump *)e;
  task_unschedule(&d->task);
  timer_unschedule(&d->timer);
  notifier_signal_destroy(&d->room, &d->task);
  notifier_destroy(&d->ready);
  pcap_reader_close(&d->reader);
  if (d->held != NULL) packet_kill(d->held);
  d->held = NULL;
}

static struct notifier *notifier(struct element *e, enum notifier_kind kind, unsigned port) {
  return kind == NOTIFIER_EMPTY && port == 0 ? &((struct from_dump *)e)->ready : NULL;
}

/* The same file goes on where the old graph was in it. */
static void take_state(struct element *e, struct element *old, struct report *report) {
  struct from_dump *d = (struct from_dump *)e, *before = (struct from_dump *)old;
  if (strcmp(d->filename, before->filename) != 0) return;
  pcap_reader_close(&d->reader);
  d->reader = before->reader;
  before->reader.file = NULL;
  d->held = before->held;
  before->held = NULL;
  d->timing_offset = before->timing_offset;
  d->packet_filepos = before->packet_filepos;
  d->count = before->count;
}

/* --- handlers --- */

static int read_sampling(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report) {
  text_add_fixed(out, ((struct from_dump *)owner)->sample >> (32 - SAMPLING_BITS), SAMPLING_BITS);
  return 0;
}

static int read_encap(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  text_add(out, link_type_name(link_type_canonical(((struct from_dump *)owner)->reader.link_type)));
  return 0;
}

static int read_filename(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report) {
  text_add(out, ((struct from_dump *)owner)->filename);
  return 0;
}

static int read_filesize(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report) {
  const struct from_dump *d = owner;
  struct stat status;
  bool known = d->reader.file != NULL && fstat(fileno(d->reader.file), &status) == 0 && S_ISREG(status.st_mode);
  if (known) text_addf(out, "%llu", (unsigned long long)status.st_size);
  if (!known) text_add(out, "-");
  return 0;
}

static int write_filepos(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct from_dump *d = owner;
  uint64_t position;
  if (slice_to_u64(slice_trim(value), INT64_MAX, &position) != 0) {
    return report_error(report, ERROR_INVALID, "filepos: expected a position in bytes");
  }
  if (d->reader.file == NULL || pcap_seek(&d->reader, position) != 0) {
    return report_error(report, ERROR_IO, "filepos: %s cannot seek", d->filename);
  }
  return 0;
}

static int write_active(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  int status = parameter_write(owner, handler, value, report);
  if (status == 0) wake(owner);
  return status;
}

static int write_stop(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct from_dump *d = owner;
  d->active = false;
  if (d->element.services->stop_driver != NULL) d->element.services->stop_driver();
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
  d->last.set = d->active = true;
  wake(d);
  return 0;
}

static int reset_counts(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  counter_reset(&((struct from_dump *)owner)->count);
  return 0;
}

static int reset_timing(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct from_dump *d = owner;
  d->start_after_given = d->end_after_given = d->interval_given = d->times_known = false;
  return 0;
}

#define AT(member) offsetof(struct from_dump, member)
static const struct argument arguments[] = {
    {"FILENAME", ARGUMENT_FILENAME, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, AT(filename),
     "the capture file; -: standard input"},
    {"TIMING", ARGUMENT_BOOL, ARGUMENT_POSITIONAL, AT(timing), "packets come in the time of their capture (false)"},
    {"STOP", ARGUMENT_BOOL, 0, AT(stop), "stop the driver at the end (false)"},
    {"ACTIVE", ARGUMENT_BOOL, 0, AT(active), "whether packets come (true)"},
    {"SAMPLE", ARGUMENT_FRACTION, 0, AT(sample), "probability with which a packet is taken (1)"},
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
    {.name = "sampling_prob", .read = read_sampling, .help = "SAMPLE, as it is used"},
    {.name = "active",
     .read = handler_read_bool,
     .write = write_active,
     .offset = AT(active),
     .help = "whether packets come"},
    {.name = "encap", .read = read_encap, .help = "the file's link type: ETHER, IP, ..."},
    {.name = "filename", .read = read_filename, .help = "the file"},
    {.name = "filesize", .read = read_filesize, .help = "its length in bytes; - when unknown"},
    {.name = "filepos",
     .read = handler_read_u64,
     .write = write_filepos,
     .offset = AT(reader.position),
     .help = "where in the file reading goes on"},
    {.name = "packet_filepos",
     .read = handler_read_u64,
     .offset = AT(packet_filepos),
     .help = "where in the file the last packet's record is"},
    {.name = "stop", .write = write_stop, .help = "no more packets; stop the driver"},
    {.name = "extend_interval", .write = write_extend, .help = "move the end on by this time, and go on"},
    {.name = "count", .read = handler_read_u64, .offset = AT(count), .help = "packets that came"},
    {.name = "reset_counts", .write = reset_counts, .help = "set count to 0"},
    {.name = "reset_timing", .write = reset_timing, .help = "keep time with the next packet as if it were the first"},
    TASK_HANDLERS(struct from_dump, task),
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
        "Compressed files are refused: pipe them in.",
    .defaults = defaults,
    .configure = configure,
    .initialize = initialize,
    .cleanup = cleanup,
    .take_state = take_state,
    .notifier = notifier,
    .process_only = true,
    .pull = pull,
};
ELEMENT(FromDump, from_dump_class);
