/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Write handlers for boolean and numeric parameters. Workers read these parameters while a handler writes them, so the
 * store is atomic and ordered by nothing else.
 */
#include "elements/parameter.h"

#include "click/router.h"
#include "click/words.h"
#include "lib/memory.h"

int parameter_write_bool(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  bool wanted;
  if (!words_bool(value, &wanted)) {
    return report_error(report, ERROR_INVALID, "%s: expected true or false, not '%.*s'", handler->name,
                        (int)value.length, value.data);
  }
  __atomic_store_n((bool *)((char *)owner + handler->offset), wanted, __ATOMIC_RELAXED);
  return 0;
}

int parameter_write_i32(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  value = slice_trim(value);
  struct slice digits = value;
  bool negative = slice_starts_with(value, "-");
  if (negative) {
    digits.data++;
    digits.length--;
  }
  uint64_t magnitude = 0;
  if (slice_to_u64(digits, (uint64_t)INT32_MAX + negative, &magnitude) < 0) {
    return report_error(report, ERROR_INVALID, "%s: expected a number of 32 bits, not '%.*s'", handler->name,
                        (int)value.length, value.data);
  }
  int64_t number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
  __atomic_store_n((int32_t *)(void *)((char *)owner + handler->offset), (int32_t)number, __ATOMIC_RELAXED);
  return 0;
}

int parameter_read_i32(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report) {
  text_addf(out, "%d", __atomic_load_n((int32_t *)(void *)((char *)owner + handler->offset), __ATOMIC_RELAXED));
  return 0;
}

/* --- by argument table --- */

static const struct argument *parameter_argument(const struct element *e, const struct handler *handler) {
  const struct argument *argument = e->class->arguments;
  while (argument->name != NULL && argument->offset != handler->offset)
    argument++;
  return argument;
}

/* value / one with up to nine digits behind the point, without trailing zeros. */
static void add_decimal(struct text *out, uint64_t value, uint64_t one) {
  text_addf(out, "%llu", (unsigned long long)(value / one));
  uint64_t rest = value % one;
  if (rest > 0) text_add(out, ".");
  while (rest > 0) {
    one /= 10;
    text_addf(out, "%u", (unsigned)(rest / one));
    rest %= one;
  }
}

static void add_time(struct text *out, uint64_t nanoseconds) {
  bool seconds = nanoseconds == 0 || nanoseconds >= 1000000000;
  uint64_t one = seconds ? 1000000000 : nanoseconds >= 1000000 ? 1000000 : nanoseconds >= 1000 ? 1000 : 1;
  add_decimal(out, nanoseconds, one);
  text_add(out, seconds ? "s" : one == 1000000 ? "ms" : one == 1000 ? "us" : "ns");
}

/* In bits, as Click prints it. */
static void add_bandwidth(struct text *out, uint64_t bytes) {
  uint64_t bits = bytes > UINT64_MAX / 8 ? UINT64_MAX : bytes * 8;
  uint64_t one = bits >= 1000000000 ? 1000000000 : bits >= 1000000 ? 1000000 : bits >= 1000 ? 1000 : 1;
  add_decimal(out, bits, one);
  text_add(out, one == 1000000000 ? "Gbps" : one == 1000000 ? "Mbps" : one == 1000 ? "kbps" : "bps");
}

int parameter_read(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                   struct report *report) {
  const struct argument *argument = parameter_argument(owner, handler);
  const void *at = (const char *)owner + handler->offset;
  switch (argument->type) {
    case ARGUMENT_BOOL:
      return handler_read_bool(owner, handler, parameter, out, report);
    case ARGUMENT_I32:
      return parameter_read_i32(owner, handler, parameter, out, report);
    case ARGUMENT_I64:
      text_addf(out, "%lld", (long long)__atomic_load_n((const int64_t *)at, __ATOMIC_RELAXED));
      return 0;
    case ARGUMENT_U8:
      text_addf(out, "%u", (unsigned)*(const uint8_t *)at);
      return 0;
    case ARGUMENT_U64:
      return handler_read_u64(owner, handler, parameter, out, report);
    case ARGUMENT_TIME:
      add_time(out, counter_read(at));
      return 0;
    case ARGUMENT_BANDWIDTH:
      add_bandwidth(out, counter_read(at));
      return 0;
    case ARGUMENT_FRACTION:
      text_add_fixed(out, counter_read(at), 32);
      return 0;
    default: /* U32 and annotations */
      return handler_read_u32(owner, handler, parameter, out, report);
  }
}

int parameter_write(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct argument argument = *parameter_argument(owner, handler);
  argument.name = handler->name;
  value = slice_trim(value);
  char *text = memory_copy_string(value.data, value.length);
  if (text == NULL) return report_error(report, ERROR_NO_MEMORY, "%s: no memory", handler->name);
  int status = args_parse_value(owner, &argument, text, owner, report);
  memory_free(text);
  return status;
}

/* Digits until what is left is less than half a step, the last one rounded (Knuth, TeX: The Program, section 103). */
void text_add_fixed(struct text *out, uint64_t value, unsigned bits) {
  uint64_t one = (uint64_t)1 << bits;
  text_addf(out, "%llu", (unsigned long long)(value >> bits));
  uint64_t rest = value & (one - 1);
  if (rest == 0) return;
  text_add(out, ".");
  rest = 10 * rest + 5;
  for (uint64_t step = 10;; step *= 10) {
    if (step > one) rest += one / 2 - step / 2;
    text_addf(out, "%u", (unsigned)(rest >> bits));
    rest = 10 * (rest & (one - 1));
    if (rest <= 10 * step) return;
  }
}

/* --- tasks --- */

static struct task *handler_task(void *owner, const struct handler *handler) {
  return (struct task *)(void *)((char *)owner + handler->offset);
}

int task_read_scheduled(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                        struct report *report) {
  text_add(out, task_scheduled(handler_task(owner, handler)) ? "true" : "false");
  return 0;
}

int task_write_scheduled(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct task *task = handler_task(owner, handler);
  struct wanted {
    bool scheduled;
  } wanted = {false};
  struct handler row = {.name = handler->name, .offset = offsetof(struct wanted, scheduled)};
  int status = parameter_write_bool(&wanted, &row, value, report);
  if (status < 0) return status;
  /* A task that was never set up belongs to an element that works by push alone. */
  if (task->run == NULL) return report_error(report, ERROR_STATE, "%s: this element has no task", handler->name);
  if (wanted.scheduled) {
    task_schedule(task);
  } else {
    task_unschedule(task);
  }
  return 0;
}

int task_read_tickets(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  text_addf(out, "%u", handler_task(owner, handler)->tickets);
  return 0;
}

int task_write_tickets(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  uint64_t tickets = 0;
  if (slice_to_u64(slice_trim(value), TICKETS_MAX, &tickets) < 0 || tickets == 0) {
    return report_error(report, ERROR_INVALID, "%s: expected a number from 1 to %d", handler->name, TICKETS_MAX);
  }
  task_set_tickets(handler_task(owner, handler), (uint32_t)tickets);
  return 0;
}

int task_read_home_thread(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                          struct report *report) {
  const struct task *task = handler_task(owner, handler);
  text_addf(out, "%u", task->scheduler != NULL ? task->scheduler->worker : 0);
  return 0;
}

int task_write_home_thread(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct router *router = ((struct element *)owner)->router;
  struct task *task = handler_task(owner, handler);
  uint64_t thread = 0;
  if (slice_to_u64(slice_trim(value), router_workers(router) - 1, &thread) < 0) {
    return report_error(report, ERROR_INVALID, "%s: bad thread; the last one is %u", handler->name,
                        router_workers(router) - 1);
  }
  if (task->run == NULL) return report_error(report, ERROR_STATE, "%s: this element has no task", handler->name);
  task_move(task, &router->scheduler[thread]);
  return 0;
}
