/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Counter counts what passes, measures its rate, and may call a handler at a given count. AverageCounter measures the rate from the
 * first packet to the last.
 */
#include "click/element.h"
#include "click/number.h"
#include "click/router.h"
#include "elements/rate.h"

/* --- Counter --- */

/* A handler that is called once, when a count reaches `at`. */
struct trigger {
  struct handler_reference call;
  uint64_t at;
  bool armed;
};

struct counter {
  struct element element;
  uint64_t count, byte_count;
  struct ewma rate, byte_rate;
  char *count_text, *byte_text; /* COUNT_CALL and BYTE_COUNT_CALL */
  struct trigger count_trigger, byte_trigger;
};

static void counter_defaults(struct element *e) {
  struct counter *c = (struct counter *)e;
  c->count_trigger.at = c->byte_trigger.at = UINT64_MAX;
}

/* "COUNT HANDLER [VALUE]" */
static int trigger_set(struct trigger *trigger, struct element *e, const char *name, struct slice text,
                       struct report *report) {
  static const struct argument call = {.type = ARGUMENT_WRITE_HANDLER, .offset = offsetof(struct trigger, call)};
  struct slice first = slice_next_word(&text);
  uint64_t at;
  if (number_unsigned(first, UINT64_MAX, &at) != 0) {
    return report_error(report, ERROR_INVALID, "'%s' first word should be unsigned (count)", name);
  }
  struct text copy = {0};
  text_add_slice(&copy, text);
  int status = copy.failed ? -ERROR_NO_MEMORY : args_parse_value(e, &call, text_string(&copy), trigger, report);
  text_free(&copy);
  if (status < 0) return status;
  trigger->at = at;
  trigger->armed = true;
  return 0;
}

static int counter_configure(struct element *e, const struct args *rest, struct report *report) {
  struct counter *c = (struct counter *)e;
  int status = 0;
  if (c->count_text != NULL) {
    status = trigger_set(&c->count_trigger, e, "COUNT_CALL", slice_of(c->count_text), report);
  }
  if (status == 0 && c->byte_text != NULL) {
    status = trigger_set(&c->byte_trigger, e, "BYTE_COUNT_CALL", slice_of(c->byte_text), report);
  }
  return status;
}

static int counter_initialize(struct element *e, struct report *report) {
  struct counter *c = (struct counter *)e;
  ewma_reset(&c->rate, e->services->now());
  ewma_reset(&c->byte_rate, e->services->now());
  return 0;
}

static const struct argument call_release[] = {
    {"COUNT_CALL", ARGUMENT_WRITE_HANDLER, 0, offsetof(struct counter, count_trigger.call), NULL},
    {"BYTE_COUNT_CALL", ARGUMENT_WRITE_HANDLER, 0, offsetof(struct counter, byte_trigger.call), NULL},
    {0}};

static void counter_cleanup(struct element *e) {
  struct counter *c = (struct counter *)e;
  args_release(call_release, c);
  c->count_trigger = c->byte_trigger = (struct trigger){0};
}

static void counter_count(struct counter *c, struct packet *const *packets, uint32_t count) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < count; i++)
    bytes += packets[i]->length;
  counter_add(&c->count, count);
  counter_add(&c->byte_count, bytes);
  uint64_t now = element_round_time(&c->element);
  ewma_add(&c->rate, now, count);
  ewma_add(&c->byte_rate, now, bytes);
}

static bool counter_armed(const struct counter *c) { return c->count_trigger.armed || c->byte_trigger.armed; }

static void trigger_fire(struct trigger *trigger, const struct element *e, bool reached) {
  if (!trigger->armed || !reached) return;
  trigger->armed = false;
  struct report report = {0};
  if (router_write(e->router, slice_of(trigger->call.name), slice_of(trigger->call.value), &report) < 0)
    e->services->log(LOG_ERROR, text_string(&report.text), report.text.length);
  report_free(&report);
}

static bool counter_reaches(const struct counter *c, const struct packet *p) {
  return (c->count_trigger.armed && counter_read(&c->count) + 1 == c->count_trigger.at) ||
         (c->byte_trigger.armed && counter_read(&c->byte_count) + p->length >= c->byte_trigger.at);
}

static void counter_fire(struct counter *c) {
  trigger_fire(&c->count_trigger, &c->element, counter_read(&c->count) == c->count_trigger.at);
  trigger_fire(&c->byte_trigger, &c->element, counter_read(&c->byte_count) >= c->byte_trigger.at);
}

/* Packets before the one that reaches the count are handed on before the handler is called, and that one after, whatever the size
 * of batches: the handler may well turn a switch downstream. */
static void counter_push(struct element *e, unsigned port, struct batch *batch) {
  struct counter *c = (struct counter *)e;
  if (__builtin_expect(!counter_armed(c), 1)) {
    counter_count(c, batch->packet, batch->count);
    element_push(e, 0, batch);
    return;
  }
  struct batch part;
  part.count = 0;
  for (uint32_t i = 0; i < batch->count; i++) {
    bool fires = counter_reaches(c, batch->packet[i]);
    if (fires) {
      element_push(e, 0, &part);
      part.count = 0;
    }
    counter_count(c, &batch->packet[i], 1);
    if (fires) counter_fire(c);
    part.packet[part.count++] = batch->packet[i];
  }
  element_push(e, 0, &part);
}

static void counter_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct counter *c = (struct counter *)e;
  uint32_t first = batch->count;
  /* One at a time while a call is due, so that it comes when Click's would. */
  bool armed = counter_armed(c);
  element_pull(e, 0, batch, armed && max > 1 ? 1 : max);
  counter_count(c, batch->packet + first, batch->count - first);
  if (armed) counter_fire(c);
}

static int counter_write_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct counter *c = owner;
  counter_reset(&c->count);
  counter_reset(&c->byte_count);
  uint64_t now = c->element.services->now();
  ewma_reset(&c->rate, now);
  ewma_reset(&c->byte_rate, now);
  c->count_trigger.armed = c->count_trigger.call.name != NULL;
  c->byte_trigger.armed = c->byte_trigger.call.name != NULL;
  return 0;
}

enum counter_rate { COUNTER_PACKETS, COUNTER_BYTES, COUNTER_BITS };

static int counter_read_rate(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                             struct report *report) {
  struct counter *c = owner;
  struct ewma *rate = handler->offset == COUNTER_PACKETS ? &c->rate : &c->byte_rate;
  ewma_print(rate, c->element.services->now(), handler->offset == COUNTER_BITS ? 8 : 1, out);
  return 0;
}

static int counter_read_call(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                             struct report *report) {
  const struct trigger *trigger = (const void *)((const char *)owner + handler->offset);
  if (trigger->call.name != NULL) text_addf(out, "%llu", (unsigned long long)trigger->at);
  return 0;
}

static int counter_write_call(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct trigger *trigger = (struct trigger *)(void *)((char *)owner + handler->offset);
  return trigger_set(trigger, owner, handler->name, value, report);
}

/* Hot swap: the new one goes on counting where the old one was. */
static void counter_take_state(struct element *e, struct element *old, struct report *report) {
  struct counter *c = (struct counter *)e, *from = (struct counter *)old;
  counter_add(&c->count, __atomic_exchange_n(&from->count, 0, __ATOMIC_RELAXED));
  counter_add(&c->byte_count, __atomic_exchange_n(&from->byte_count, 0, __ATOMIC_RELAXED));
  c->rate = from->rate;
  c->byte_rate = from->byte_rate;
  if (counter_read(&c->count) >= c->count_trigger.at) c->count_trigger.armed = false;
  if (counter_read(&c->byte_count) >= c->byte_trigger.at) c->byte_trigger.armed = false;
}

static const struct argument counter_arguments[] = {
    {"COUNT_CALL", ARGUMENT_STRING, 0, offsetof(struct counter, count_text),
     "N HANDLER [VALUE]: writes the handler when the Nth packet comes"},
    {"BYTE_COUNT_CALL", ARGUMENT_STRING, 0, offsetof(struct counter, byte_text),
     "N HANDLER [VALUE]: writes the handler when N bytes have come"},
    {0}};

static const struct handler counter_handlers[] = {
    {.name = "count",
     .read = handler_read_u64,
     .offset = offsetof(struct counter, count),
     .help = "packets that have passed"},
    {.name = "byte_count",
     .read = handler_read_u64,
     .offset = offsetof(struct counter, byte_count),
     .help = "bytes that have passed"},
    {.name = "rate",
     .read = counter_read_rate,
     .offset = COUNTER_PACKETS,
     .help = "packets a second, a moving average"},
    {.name = "byte_rate", .read = counter_read_rate, .offset = COUNTER_BYTES, .help = "bytes a second"},
    {.name = "bit_rate", .read = counter_read_rate, .offset = COUNTER_BITS, .help = "bits a second"},
    {.name = "reset", .write = counter_write_reset, .help = "set counts and rates to 0"},
    {.name = "reset_counts", .write = counter_write_reset, .help = "as reset"},
    {.name = "count_call",
     .read = counter_read_call,
     .write = counter_write_call,
     .offset = offsetof(struct counter, count_trigger),
     .help = "the count at which COUNT_CALL is made; written as that argument is"},
    {.name = "byte_count_call",
     .read = counter_read_call,
     .write = counter_write_call,
     .offset = offsetof(struct counter, byte_trigger),
     .help = "the same for BYTE_COUNT_CALL"},
    {0}};

static const struct element_class counter_class = {
    .name = "Counter",
    .purpose = "counts packets and bytes",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct counter),
    .arguments = counter_arguments,
    .handlers = counter_handlers,
    .example = "FromDevice(eth0) -> in :: Counter -> Queue -> ToDevice(eth1);",
    .manual =
        "Passes every packet on unchanged. Counts once a batch, so counting costs next to nothing a packet. The rate "
        "follows about the last 16 milliseconds. A call is made once, until reset.",
    .defaults = counter_defaults,
    .configure = counter_configure,
    .initialize = counter_initialize,
    .cleanup = counter_cleanup,
    .take_state = counter_take_state,
    .push = counter_push,
    .pull = counter_pull,
};
ELEMENT(Counter, counter_class);

/* --- AverageCounter --- */

enum { NANOSECONDS_IN_MS = 1000000 };

/* Times are in milliseconds, as Click's jiffies. */
struct average_counter {
  struct element element;
  uint32_t ignore; /* seconds */
  bool started;
  uint64_t first, last;
  uint64_t count, byte_count;
};

static void average_simple(struct element *e, struct batch *batch) {
  struct average_counter *c = (struct average_counter *)e;
  if (batch->count == 0) return;
  uint64_t now = e->services->now() / NANOSECONDS_IN_MS;
  if (!c->started) c->first = now;
  c->started = true;
  c->last = now;
  if (now - c->first < (uint64_t)c->ignore * 1000) return;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < batch->count; i++)
    bytes += batch->packet[i]->length;
  counter_add(&c->count, batch->count);
  counter_add(&c->byte_count, bytes);
}

/* count / duration with twelve digits at most. */
static void add_quotient(struct text *out, uint64_t count, uint64_t divisor) {
  uint64_t whole = count / divisor, rest = count % divisor, fraction = 0;
  unsigned digits = 12;
  for (uint64_t left = whole; left > 0 && digits > 0; left /= 10)
    digits--;
  uint64_t one = 1;
  for (unsigned i = 0; i < digits; i++) {
    rest *= 10;
    fraction = fraction * 10 + rest / divisor;
    rest %= divisor;
    one *= 10;
  }
  if (rest * 2 >= divisor) fraction++;
  if (fraction == one) {
    whole++;
    fraction = 0;
  }
  text_addf(out, "%llu", (unsigned long long)whole);
  if (fraction > 0) text_add(out, ".");
  while (fraction > 0) {
    one /= 10;
    text_addf(out, "%u", (unsigned)(fraction / one));
    fraction %= one;
  }
}

static int average_read_rate(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                             struct report *report) {
  const struct average_counter *c = owner;
  uint64_t duration = c->last - c->first, ignore = (uint64_t)c->ignore * 1000;
  duration = duration > ignore ? duration - ignore : 1;
  add_quotient(out, counter_read((const uint64_t *)(const void *)((const char *)owner + handler->offset)) * 1000,
               duration);
  return 0;
}

static int average_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct average_counter *c = owner;
  counter_reset(&c->count);
  counter_reset(&c->byte_count);
  c->started = false;
  c->first = c->last = 0;
  return 0;
}

static void average_take_state(struct element *e, struct element *old, struct report *report) {
  struct average_counter *c = (struct average_counter *)e, *from = (struct average_counter *)old;
  c->started = from->started;
  c->first = from->first;
  c->last = from->last;
  counter_add(&c->count, __atomic_exchange_n(&from->count, 0, __ATOMIC_RELAXED));
  counter_add(&c->byte_count, __atomic_exchange_n(&from->byte_count, 0, __ATOMIC_RELAXED));
}

static const struct argument average_arguments[] = {
    {"IGNORE", ARGUMENT_U32, ARGUMENT_POSITIONAL, offsetof(struct average_counter, ignore),
     "seconds from the first packet on that don't count (0)"},
    {0}};

static const struct handler average_handlers[] = {{.name = "count",
                                                   .read = handler_read_u64,
                                                   .offset = offsetof(struct average_counter, count),
                                                   .help = "packets that have passed"},
                                                  {.name = "byte_count",
                                                   .read = handler_read_u64,
                                                   .offset = offsetof(struct average_counter, byte_count),
                                                   .help = "bytes that have passed"},
                                                  {.name = "rate",
                                                   .read = average_read_rate,
                                                   .offset = offsetof(struct average_counter, count),
                                                   .help = "packets a second between the first packet and the last"},
                                                  {.name = "byte_rate",
                                                   .read = average_read_rate,
                                                   .offset = offsetof(struct average_counter, byte_count),
                                                   .help = "bytes a second between the first packet and the last"},
                                                  {.name = "reset", .write = average_reset, .help = "begin anew"},
                                                  {0}};

static const struct element_class average_class = {
    .name = "AverageCounter",
    .purpose = "measures the average rate of packets",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct average_counter),
    .arguments = average_arguments,
    .handlers = average_handlers,
    .example = "FromDevice(eth0) -> c :: AverageCounter(IGNORE 1) -> Discard;",
    .manual = "The rate is that of the time from the first packet, or IGNORE seconds later, to the last.",
    .take_state = average_take_state,
    .simple = average_simple,
};
ELEMENT(AverageCounter, average_class);
