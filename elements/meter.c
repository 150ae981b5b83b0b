/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Meter and BandwidthMeter choose an output by the rate that they measure, in packets or in bytes.
 */
#include "click/number.h"
#include "click/reconfigure.h"
#include "elements/parameter.h"
#include "elements/rated.h"

enum { METER_MAX = 64 };

struct meter {
  struct element element;
  uint32_t count;
  uint64_t limits[METER_MAX]; /* as ewma.average */
  struct ewma rate;
};

static int meter_limit(struct meter *m, const char *text, struct report *report) {
  uint64_t rate = 0;
  int status = rated_counts_bytes(&m->element) ? number_bandwidth(slice_of(text), &rate, NULL)
                                               : number_unsigned(slice_of(text), UINT64_MAX, &rate);
  uint32_t number = m->count + 1;
  if (status < 0) return report_error(report, ERROR_INVALID, "argument %u should be unsigned (rate)", number);
  if (rate > TOKEN_BUCKET_MAX) return report_error(report, ERROR_TOO_BIG, "rate %u too large", number);
  uint64_t limit = (rate << EWMA_SCALE) / EWMA_FREQUENCY;
  if (m->count > 0 && limit <= m->limits[m->count - 1]) {
    return report_error(report, ERROR_INVALID, "rate %u must be > rate %u", number, m->count);
  }
  m->limits[m->count++] = limit;
  return 0;
}

static int meter_configure(struct element *e, const struct args *rest, struct report *report) {
  struct meter *m = (struct meter *)e;
  if (rest->count == 0)
    return report_error(report, ERROR_INVALID, "too few arguments to %s(RATE, ...)", e->class->name);
  if (rest->count > METER_MAX) return report_error(report, ERROR_TOO_BIG, "at most %d rates", METER_MAX);
  if (rest->count + 1 != e->output_count) {
    return report_error(report, ERROR_INVALID, "%u rates need %u outputs, but %u are connected", rest->count,
                        rest->count + 1, e->output_count);
  }
  for (uint32_t i = 0; i < rest->count; i++) {
    int status = meter_limit(m, rest->values[i], report);
    if (status < 0) return status;
  }
  return 0;
}

static int meter_reconfigure(struct element *e, struct element *next, struct report *report) {
  struct meter *m = (struct meter *)e;
  const struct meter *from = (const struct meter *)next;
  m->count = from->count;
  memcpy(m->limits, from->limits, sizeof m->limits);
  return 0;
}

static int meter_initialize(struct element *e, struct report *report) {
  ewma_reset(&((struct meter *)e)->rate, e->services->now());
  return 0;
}

static void meter_take_state(struct element *e, struct element *old, struct report *report) {
  ((struct meter *)e)->rate = ((const struct meter *)old)->rate;
}

/* The average changes between milliseconds only, so a batch goes one way. */
static void meter_push(struct element *e, unsigned port, struct batch *batch) {
  struct meter *m = (struct meter *)e;
  uint64_t events = batch->count;
  if (rated_counts_bytes(e)) {
    events = 0;
    for (uint32_t i = 0; i < batch->count; i++)
      events += batch->packet[i]->length;
  }
  ewma_add(&m->rate, e->services->now(), events);
  uint64_t average = __atomic_load_n(&m->rate.average, __ATOMIC_RELAXED);
  unsigned output = 0;
  while (output < m->count && average >= m->limits[output])
    output++;
  element_push(e, output, batch);
}

static int meter_read_rate(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                           struct report *report) {
  struct meter *m = owner;
  ewma_print(&m->rate, m->element.services->now(), 1, out);
  return 0;
}

static int meter_read_meters(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                             struct report *report) {
  const struct meter *m = owner;
  for (uint32_t i = 0; i < m->count; i++) {
    text_add_fixed(out, m->limits[i] * EWMA_FREQUENCY, EWMA_SCALE);
    text_add(out, "\n");
  }
  return 0;
}

static const struct handler meter_handlers[] = {
    {.name = "rate", .read = meter_read_rate, .help = "the rate measured, a moving average"},
    {.name = "meters", .read = meter_read_meters, .help = "the rates given, a line each"},
    {0}};

static const struct element_class meter_class = {
    .name = "Meter",
    .purpose = "chooses an output by the rate of packets",
    .ports = "1/2-",
    .processing = "h/h",
    .size = sizeof(struct meter),
    .takes_rest = true,
    .handlers = meter_handlers,
    .example = "... -> m :: Meter(10000, 20000); m [0] -> slow; m [1] -> middle; m [2] -> Discard;",
    .manual =
        "Arguments are one or more rates in packets a second, ascending. While the rate is below the first, packets go to "
        "output 0; below the second, to output 1; and so on. The rate follows about the last 16 milliseconds.",
    .configure = meter_configure,
    .initialize = meter_initialize,
    .reconfigure = meter_reconfigure,
    .take_state = meter_take_state,
    .push = meter_push,
};
ELEMENT(Meter, meter_class);

static const struct element_class bandwidth_meter_class = {
    .name = "BandwidthMeter",
    .purpose = "chooses an output by the rate of bytes",
    .ports = "1/2-",
    .processing = "h/h",
    .size = sizeof(struct meter),
    .takes_rest = true,
    .handlers = meter_handlers,
    .example = "... -> m :: BandwidthMeter(1MBps); m [0] -> Queue -> ToDevice(eth0); m [1] -> Discard;",
    .manual = "Arguments are one or more rates in bytes a second, or with units, ascending. Otherwise as Meter.",
    .configure = meter_configure,
    .initialize = meter_initialize,
    .reconfigure = meter_reconfigure,
    .take_state = meter_take_state,
    .push = meter_push,
};
ELEMENT(BandwidthMeter, bandwidth_meter_class);
