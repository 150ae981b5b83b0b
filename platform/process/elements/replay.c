/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets read from a file and sent in their time: FromDump's and FromIPSummaryDump's common part.
 */
#include "platform/process/elements/replay.h"

#include "elements/run.h"
#include "platform/process/dump_file.h"

enum {
  BURST = 32,
  TRIES_MAX = 128,    /* packets read, taken or left out, before other tasks have their turn; at most BATCH_MAX */
  SAMPLING_BITS = 28, /* of sampling_prob, as in Click */
};

void replay_defaults(struct replay *r) {
  r->active = true;
  r->sample = FRACTION_ONE;
}

void replay_configure(struct replay *r, struct report *report) {
  if (r->sample > FRACTION_ONE) {
    report_warning(report, "SAMPLE probability reduced to 1");
    r->sample = FRACTION_ONE;
  } else if (r->sample == 0) {
    report_warning(report, "SAMPLE probability is 0; emitting no packets");
  }
}

bool replay_sampled(const struct replay *r) {
  return r->sample == FRACTION_ONE || r->element.services->random() < r->sample;
}

void replay_wake(struct replay *r) {
  if (!r->active) return;
  if (r->element.outputs[0].pull) {
    notifier_wake(&r->ready);
  } else {
    task_schedule(&r->task);
  }
}

void replay_stop(struct replay *r) {
  r->active = false;
  if (r->element.services->stop_driver != NULL) r->element.services->stop_driver();
}

void replay_log(const struct replay *r, struct report *report) {
  struct slice rest = slice_of(text_string(&report->text));
  while (rest.length > 0) {
    char line[512];
    const char *end = memchr(rest.data, '\n', rest.length);
    size_t taken = end != NULL ? (size_t)(end - rest.data) : rest.length;
    size_t length = format_text(line, sizeof line, "%s: %.*s", r->element.name, (int)taken, rest.data);
    r->element.services->log(LOG_ERROR, line, length < sizeof line ? length : sizeof line - 1);
    taken += end != NULL;
    rest = (struct slice){rest.data + taken, rest.length - taken};
  }
  report_free(report);
}

static void expired(struct timer *timer) { replay_wake(CONTAINER_OF(timer, struct replay, timer)); }

static void fall_asleep(struct replay *r) {
  if (r->element.outputs[0].pull) {
    notifier_sleep(&r->ready);
  } else {
    task_unschedule(&r->task);
  }
}

/* With TIMING, whether it is too early for the packet; then the timer is set. */
static bool too_early(struct replay *r) {
  if (!r->timing) return false;
  uint64_t now = r->element.services->now();
  if (!r->timing_known) r->timing_offset = now - r->held->timestamp;
  r->timing_known = true;
  uint64_t due = r->held->timestamp + r->timing_offset;
  if ((int64_t)(due - now) <= 0) return false;
  timer_schedule(&r->timer, due);
  return true;
}

/* The next packet whose time has come, or NULL; *outcome tells why there is none. */
static struct packet *next(struct replay *r, enum replay_outcome *outcome) {
  *outcome = r->held != NULL ? REPLAY_PACKET : r->source->read(r);
  if (*outcome == REPLAY_END) {
    fall_asleep(r);
    r->source->end(r);
  }
  if (*outcome != REPLAY_PACKET) return NULL;
  if (too_early(r)) {
    *outcome = REPLAY_WAITING;
    fall_asleep(r);
    return NULL;
  }
  struct packet *p = r->held;
  r->held = NULL;
  return p;
}

/* The output of a packet; -1: it was dropped. */
static int output_of(struct replay *r, struct packet *p) {
  unsigned output = r->source->output != NULL ? r->source->output(r, p) : 0;
  if (output < r->element.output_count) return (int)output;
  element_drop(&r->element, r->source->drop, p);
  return -1;
}

static bool run_task(struct task *task) {
  struct replay *r = CONTAINER_OF(task, struct replay, task);
  task->polls = false;
  if (!r->active) {
    task_unschedule(task);
    return false;
  }
  if (!notifier_signal_active(&r->room)) {
    (void)notifier_signal_wait(&r->room, task);
    return false;
  }
  struct run run;
  enum replay_outcome outcome = REPLAY_SKIPPED;
  unsigned got = 0;
  run_start(&run, &r->element);
  for (unsigned tries = 0; tries < TRIES_MAX && got < BURST && r->active && outcome <= REPLAY_SKIPPED; tries++) {
    struct packet *p = next(r, &outcome);
    int output = p != NULL ? output_of(r, p) : -1;
    if (output >= 0) run_add(&run, (unsigned)output, p);
    if (output == 0) got++;
  }
  counter_add(&r->count, got);
  run_flush(&run);
  task->polls = outcome == REPLAY_NO_BUFFER; /* buffers come back without a word */
  return got > 0 || outcome <= REPLAY_SKIPPED;
}

void replay_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct replay *r = (struct replay *)e;
  enum replay_outcome outcome = REPLAY_SKIPPED;
  unsigned got = 0, tries = 0;
  for (; tries < TRIES_MAX && got < max && r->active && outcome <= REPLAY_SKIPPED; tries++) {
    struct packet *p = next(r, &outcome);
    int output = p != NULL ? output_of(r, p) : -1;
    if (output == 0) {
      batch->packet[batch->count++] = p;
      got++;
    } else if (output > 0) {
      struct batch other = {.count = 1, .packet = {p}};
      element_push(e, (unsigned)output, &other);
    }
  }
  counter_add(&r->count, got);
  if (!r->active) notifier_sleep(&r->ready);
  if (got == 0 && tries == TRIES_MAX) element_pulled_in_vain = true;
}

int replay_initialize(struct replay *r) {
  struct element *e = &r->element;
  timer_init(&r->timer, e->router->scheduler, e, expired);
  r->ready.active = r->active;
  if (e->outputs[0].pull) return 0;
  task_init(&r->task, e->router->scheduler, e, run_task);
  if (r->active) task_schedule(&r->task);
  return notifier_listen_downstream(e, 0, &r->task, &r->room);
}

void replay_cleanup(struct replay *r) {
  task_unschedule(&r->task);
  timer_unschedule(&r->timer);
  notifier_signal_destroy(&r->room, &r->task);
  notifier_destroy(&r->ready);
  if (r->held != NULL) packet_kill(r->held);
  r->held = NULL;
}

void replay_take_state(struct replay *r, struct replay *old) {
  r->held = old->held;
  old->held = NULL;
  r->timing_known = old->timing_known;
  r->timing_offset = old->timing_offset;
  r->count = old->count;
}

struct notifier *replay_notifier(struct element *e, enum notifier_kind kind, unsigned port) {
  return kind == NOTIFIER_EMPTY && port == 0 ? &((struct replay *)e)->ready : NULL;
}

/* --- handlers --- */

int replay_read_sampling(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report) {
  text_add_fixed(out, ((struct replay *)owner)->sample >> (32 - SAMPLING_BITS), SAMPLING_BITS);
  return 0;
}

int replay_read_filename(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report) {
  const struct replay *r = owner;
  text_add(out, r->filename != NULL ? r->filename : "");
  return 0;
}

int replay_read_filesize(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report) {
  int64_t size = dump_file_size(*((const struct replay *)owner)->file);
  if (size >= 0) text_addf(out, "%lld", (long long)size);
  if (size < 0) text_add(out, "-");
  return 0;
}

int replay_write_active(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  int status = parameter_write(owner, handler, value, report);
  if (status == 0) replay_wake(owner);
  return status;
}

int replay_write_stop(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  replay_stop(owner);
  return 0;
}
