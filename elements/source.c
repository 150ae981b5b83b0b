/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What elements that make packets share.
 */
#include "elements/source.h"

#include "elements/parameter.h"
#include "lib/memory.h"

/* As long as Click's own, 69 bytes, so that counts of bytes agree. */
static const char default_text[] = "Imago makes this packet to carry some text that nobody needs to read.";

void source_defaults(struct element *e) {
  struct source *s = (struct source *)e;
  s->length = -1;
  s->headroom = PACKET_HEADROOM;
  s->limit = -1;
  s->burst = 1;
  s->rate = 10;
  s->interval = 500000000;
  s->active = s->timestamp = true;
}

static void free_data(struct deferred *node) { memory_free(node); }

static int check_length(const struct source *s, size_t length, struct report *report) {
  size_t room = PACKET_BUFFER_SIZE - sizeof(struct packet);
  if (s->headroom <= room && length <= room - s->headroom) return 0;
  return report_error(report, ERROR_TOO_BIG, "a packet has room for %u bytes, headroom included, not for %u and %u",
                      (unsigned)room, s->headroom, (unsigned)length);
}

/* Makes the packet's bytes from DATA and LENGTH: DATA is cut off, or repeated. */
static int rebuild(struct source *s, struct report *report) {
  size_t length = s->length < 0 ? s->text.length : (size_t)s->length;
  int status = check_length(s, length, report);
  if (status < 0) return status;
  struct source_data *data = memory_alloc(sizeof *data + length);
  if (data == NULL)
    return report_error(report, ERROR_NO_MEMORY, "no memory for a packet of %u bytes", (unsigned)length);
  data->length = length;
  for (size_t i = 0; i < length && s->text.length > 0; i++)
    data->bytes[i] = (uint8_t)s->text.data[i % s->text.length];
  struct source_data *old = __atomic_exchange_n(&s->data, data, __ATOMIC_ACQ_REL);
  if (old != NULL) s->element.services->defer(&old->deferred, free_data);
  return 0;
}

static int check_common(const struct source *s, struct report *report) {
  if (s->burst < 1) return report_error(report, ERROR_INVALID, "burst size must be >= 1");
  if (s->stop && s->end_call_given)
    return report_error(report, ERROR_INVALID, "END_CALL and STOP are mutually exclusive");
  return 0;
}

int source_configure(struct element *e, const struct args *rest, struct report *report) {
  struct source *s = (struct source *)e;
  if (s->text.data == NULL) {
    s->text.length = sizeof default_text - 1;
    s->text.data = memory_copy_string(default_text, s->text.length);
    if (s->text.data == NULL) return -ERROR_NO_MEMORY;
  }
  int status = check_common(s, report);
  return status < 0 ? status : rebuild(s, report);
}

int source_configure_random(struct element *e, const struct args *rest, struct report *report) {
  const struct source *s = (const struct source *)e;
  if (s->length < 0) return report_error(report, ERROR_INVALID, "bad length %d", s->length);
  int status = check_common(s, report);
  return status < 0 ? status : check_length(s, (size_t)s->length, report);
}

int source_initialize_task(struct source *s, bool (*run)(struct task *), struct report *report) {
  struct element *e = &s->element;
  s->ready.active = true;
  if (e->outputs[0].pull) return 0;
  task_init(&s->task, e->router->scheduler, e, run);
  task_schedule(&s->task);
  return notifier_listen_downstream(e, 0, &s->task, &s->room);
}

void source_cleanup(struct element *e) {
  struct source *s = (struct source *)e;
  task_unschedule(&s->task);
  timer_unschedule(&s->timer);
  notifier_signal_destroy(&s->room, &s->task);
  notifier_destroy(&s->ready);
  memory_free(s->data);
  s->data = NULL;
}

void source_take_state(struct element *e, struct element *old, struct report *report) {
  struct source *s = (struct source *)e;
  const struct source *from = (const struct source *)old;
  s->count = from->count;
  token_bucket_take(&s->bucket, &from->bucket);
  s->finished = from->finished && source_left(s, 1) == 0;
  if (!s->finished) return;
  task_unschedule(&s->task);
  timer_unschedule(&s->timer);
  notifier_sleep(&s->ready);
}

struct notifier *source_notifier(struct element *e, enum notifier_kind kind, unsigned port) {
  return kind == NOTIFIER_EMPTY ? &((struct source *)e)->ready : NULL;
}

uint64_t source_left(const struct source *s, uint64_t most) {
  int64_t limit = __atomic_load_n(&s->limit, __ATOMIC_RELAXED);
  if (limit < 0) return most;
  uint64_t count = counter_read(&s->count);
  uint64_t left = count < (uint64_t)limit ? (uint64_t)limit - count : 0;
  return left < most ? left : most;
}

static struct packet *make_one(const struct source *s, const struct source_data *data) {
  const struct services *services = s->element.services;
  struct packet *p = packet_new(services->pool);
  if (p == NULL) return NULL;
  p->data = packet_buffer_start(p) + s->headroom;
  if (data != NULL) {
    p->length = (uint32_t)data->length;
    memcpy(p->data, data->bytes, data->length);
    return p;
  }
  p->length = (uint32_t)__atomic_load_n(&s->length, __ATOMIC_RELAXED);
  for (uint32_t i = 0; i < p->length; i += 4) {
    uint32_t random = services->random();
    memcpy(p->data + i, &random, p->length - i < 4 ? p->length - i : 4);
  }
  return p;
}

unsigned source_make(struct source *s, struct batch *batch, unsigned max) {
  const struct source_data *data = __atomic_load_n(&s->data, __ATOMIC_ACQUIRE);
  uint64_t now = s->timestamp && max > 0 ? s->element.services->wall() : 0;
  unsigned made = 0;
  for (; made < max; made++) {
    struct packet *p = make_one(s, data);
    if (p == NULL) break;
    p->timestamp = now;
    batch->packet[batch->count++] = p;
  }
  counter_add(&s->count, made);
  return made;
}

void source_finish(struct source *s) {
  const struct element *e = &s->element;
  s->finished = true;
  if (s->stop && e->services->stop_driver != NULL) e->services->stop_driver();
  if (s->end_call.name == NULL) return;
  struct report report = {0};
  if (router_write(e->router, slice_of(s->end_call.name), slice_of(s->end_call.value), &report) < 0)
    e->services->log(LOG_ERROR, text_string(&report.text), report.text.length);
  report_free(&report);
}

/* --- handlers --- */

int source_reconfigure(struct element *e, struct element *next, struct report *report) {
  struct source *s = (struct source *)e, *from = (struct source *)next;
  struct source_data *data = s->data;
  args_exchange(e->class->arguments, e, next);
  s->data = from->data;
  from->data = data;
  source_wake(s);
  return 0;
}

void source_wake(struct source *s) {
  if (!s->active || source_left(s, 1) == 0) return;
  s->finished = false;
  if (s->element.outputs[0].pull) {
    notifier_wake(&s->ready);
  } else if (s->task.run != NULL) {
    task_schedule(&s->task);
  }
}

int source_read_data(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                     struct report *report) {
  const struct source *s = owner;
  text_add_bytes(out, s->text.data, s->text.length);
  return 0;
}

/* The value as it is, unquoted or not: it is data. */
int source_write_data(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct source *s = owner;
  int status = s->length < 0 ? check_length(s, value.length, report) : 0;
  if (status < 0) return status;
  char *copy = memory_copy_string(value.data, value.length);
  if (copy == NULL) return report_error(report, ERROR_NO_MEMORY, "data: no memory");
  memory_free(s->text.data);
  s->text = (struct argument_data){copy, value.length};
  return rebuild(s, report);
}

int source_write_length(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct source *s = owner;
  int32_t before = s->length;
  int status = parameter_write(owner, handler, value, report);
  if (status < 0) return status;
  if (s->data != NULL) {
    status = rebuild(s, report);
  } else {
    status = s->length < 0 ? report_error(report, ERROR_INVALID, "bad length %d", s->length)
                           : check_length(s, (size_t)s->length, report);
  }
  if (status < 0) s->length = before;
  return status;
}

int source_write_headroom(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct source *s = owner;
  uint32_t before = s->headroom;
  int status = parameter_write(owner, handler, value, report);
  if (status == 0) status = check_length(s, s->data->length, report);
  if (status < 0) s->headroom = before;
  return status;
}

int source_write(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  int status = parameter_write(owner, handler, value, report);
  if (status == 0) source_wake(owner);
  return status;
}

int source_write_burst(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct source *s = owner;
  int32_t before = s->burst;
  int status = parameter_write(owner, handler, value, report);
  if (status < 0 || s->burst > 0) return status;
  s->burst = before;
  return report_error(report, ERROR_INVALID, "burst size must be >= 1");
}

int source_write_end_call(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct source *s = owner;
  int status = parameter_write(owner, handler, value, report);
  if (status == 0) s->stop = false;
  return status;
}

int source_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct source *s = owner;
  counter_reset(&s->count);
  token_bucket_set(&s->bucket, 1, s->element.services->now());
  source_wake(s);
  return 0;
}
