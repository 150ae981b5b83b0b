/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shaper and BandwidthShaper limit what is pulled through them, RatedSplitter and BandwidthRatedSplitter send aside what is pushed above
 * a rate, Meter and BandwidthMeter choose an output by the rate they measure. The first of each pair counts packets, the second
 * bytes.
 */
#include "click/number.h"
#include "click/reconfigure.h"
#include "elements/parameter.h"
#include "elements/rated.h"
#include "elements/run.h"

/* --- Shaper --- */

struct shaper {
  struct element element;
  uint64_t rate;
  struct gap_rate gap;
};

static bool counts_bytes(const struct element *e) { return e->class->name[0] == 'B'; }

static int shaper_configure(struct element *e, const struct args *rest, struct report *report) {
  struct shaper *s = (struct shaper *)e;
  if (s->rate > GAP_RATE_MAX) report_warning(report, "rate too large; lowered to %u", GAP_RATE_MAX);
  gap_rate_set(&s->gap, s->rate);
  s->rate = s->gap.rate;
  return 0;
}

/* One after the other, as each is counted before the next is asked for; the clock is read once. */
static void shaper_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct shaper *s = (struct shaper *)e;
  uint64_t now = max > 0 ? e->services->now() : 0;
  for (unsigned i = 0; i < max && gap_rate_due(&s->gap, now); i++) {
    uint32_t before = batch->count;
    element_pull(e, 0, batch, 1);
    if (batch->count == before) return;
    s->gap.count += counts_bytes(e) ? batch->packet[before]->length : 1;
  }
}

static int shaper_write_rate(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  int status = parameter_write(owner, handler, value, report);
  return status < 0 ? status : shaper_configure(owner, NULL, report);
}

static int shaper_reconfigure(struct element *e, struct element *next, struct report *report) {
  ((struct shaper *)e)->gap = ((const struct shaper *)next)->gap;
  return reconfigure_arguments(e, next, report);
}

static int shaper_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct shaper *s = owner;
  gap_rate_set(&s->gap, s->rate);
  return 0;
}

/* At the same rate, this second's packets are those of the old one too. */
static void shaper_take_state(struct element *e, struct element *old, struct report *report) {
  struct shaper *s = (struct shaper *)e;
  const struct shaper *from = (const struct shaper *)old;
  if (s->rate == from->rate) s->gap = from->gap;
}

static const struct argument shaper_arguments[] = {
    {"RATE", ARGUMENT_U64, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct shaper, rate), "packets a second"},
    {0}};
static const struct argument bandwidth_shaper_arguments[] = {
    {"RATE", ARGUMENT_BANDWIDTH, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct shaper, rate),
     "bytes a second, or with a unit"},
    {0}};

static const struct handler shaper_handlers[] = {
    {.name = "rate",
     .read = parameter_read,
     .write = shaper_write_rate,
     .offset = offsetof(struct shaper, rate),
     .help = "the rate that is let through"},
    {.name = "reset", .write = shaper_reset, .help = "forget what has passed in this second"},
    {0}};

static const struct element_class shaper_class = {
    .name = "Shaper",
    .purpose = "limits the rate of packets that are pulled",
    .ports = "1/1",
    .processing = "l/l",
    .size = sizeof(struct shaper),
    .arguments = shaper_arguments,
    .handlers = shaper_handlers,
    .example = "Queue -> Shaper(1000) -> ToDevice(eth0);",
    .manual = "Spreads RATE packets over each second. Who pulls polls while packets wait.",
    .configure = shaper_configure,
    .reconfigure = shaper_reconfigure,
    .take_state = shaper_take_state,
    .pull = shaper_pull,
};
ELEMENT(Shaper, shaper_class);

static const struct element_class bandwidth_shaper_class = {
    .name = "BandwidthShaper",
    .purpose = "limits the bytes a second that are pulled",
    .ports = "1/1",
    .processing = "l/l",
    .size = sizeof(struct shaper),
    .arguments = bandwidth_shaper_arguments,
    .handlers = shaper_handlers,
    .example = "Queue -> BandwidthShaper(1Mbps) -> ToDevice(eth0);",
    .manual = "Spreads RATE bytes over each second. Who pulls polls while packets wait.",
    .configure = shaper_configure,
    .reconfigure = shaper_reconfigure,
    .take_state = shaper_take_state,
    .pull = shaper_pull,
};
ELEMENT(BandwidthShaper, bandwidth_shaper_class);

/* --- RatedSplitter --- */

struct rated_splitter {
  struct element element;
  struct rated rated;
};

static void splitter_defaults(struct element *e) { rated_defaults(&((struct rated_splitter *)e)->rated); }

static int splitter_configure(struct element *e, const struct args *rest, struct report *report) {
  return rated_configure(&((struct rated_splitter *)e)->rated, counts_bytes(e), report);
}

static int splitter_initialize(struct element *e, struct report *report) {
  rated_start(&((struct rated_splitter *)e)->rated, e->services->now());
  return 0;
}

static void splitter_push(struct element *e, unsigned port, struct batch *batch) {
  struct rated *rated = &((struct rated_splitter *)e)->rated;
  bool bytes = counts_bytes(e);
  token_bucket_fill(&rated->bucket, e->services->now());
  struct run run;
  run_start(&run, e);
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    if (rated_take(rated, p, bytes)) {
      run_add(&run, 0, p);
    } else if (e->output_count > 1) {
      run_add(&run, 1, p);
    } else {
      element_drop(e, 0, p);
    }
  }
  run_flush(&run);
}

static void splitter_take_state(struct element *e, struct element *old, struct report *report) {
  token_bucket_take(&((struct rated_splitter *)e)->rated.bucket, &((struct rated_splitter *)old)->rated.bucket);
}

static int splitter_write_rate(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct rated_splitter *s = owner;
  int status = parameter_write(owner, handler, value, report);
  return status < 0 ? status : rated_configure(&s->rated, counts_bytes(owner), report);
}

/* The tokens that are there stay. */
static int splitter_reconfigure(struct element *e, struct element *next, struct report *report) {
  args_exchange(e->class->arguments, e, next);
  return splitter_configure(e, NULL, report);
}

static const struct argument splitter_arguments[] = {
    RATED_ARGUMENTS(struct rated_splitter, rated, ARGUMENT_U64, "BURST_SIZE", "packets"), {0}};
static const struct argument bandwidth_splitter_arguments[] = {
    RATED_ARGUMENTS(struct rated_splitter, rated, ARGUMENT_BANDWIDTH, "BURST_BYTES", "bytes"), {0}};

static const struct handler splitter_handlers[] = {{.name = "rate",
                                                    .read = parameter_read,
                                                    .write = splitter_write_rate,
                                                    .offset = offsetof(struct rated_splitter, rated.rate),
                                                    .help = "the rate that goes to output 0"},
                                                   {0}};

static const char *const splitter_drops[] = {"above_rate", NULL};

static const struct element_class rated_splitter_class = {
    .name = "RatedSplitter",
    .purpose = "sends packets above a rate aside",
    .ports = "1/1-2",
    .processing = "h/h",
    .size = sizeof(struct rated_splitter),
    .arguments = splitter_arguments,
    .handlers = splitter_handlers,
    .drops = splitter_drops,
    .example = "FromDevice(eth0) -> s :: RatedSplitter(2000); s [0] -> Queue -> ToDevice(eth1); s [1] -> Discard;",
    .manual =
        RATED_MANUAL " Packets that find no token go to output 1 if that is connected, and are dropped otherwise.",
    .defaults = splitter_defaults,
    .configure = splitter_configure,
    .initialize = splitter_initialize,
    .reconfigure = splitter_reconfigure,
    .take_state = splitter_take_state,
    .push = splitter_push,
};
ELEMENT(RatedSplitter, rated_splitter_class);

static const struct element_class bandwidth_rated_splitter_class = {
    .name = "BandwidthRatedSplitter",
    .purpose = "sends packets above a bandwidth aside",
    .ports = "1/1-2",
    .processing = "h/h",
    .size = sizeof(struct rated_splitter),
    .arguments = bandwidth_splitter_arguments,
    .handlers = splitter_handlers,
    .drops = splitter_drops,
    .example =
        "FromDevice(eth0) -> s :: BandwidthRatedSplitter(1MBps); s [0] -> Queue -> ToDevice(eth1); s [1] -> Discard;",
    .manual = RATED_BYTES_MANUAL
    " Packets that find no token go to output 1 if that is connected, and are dropped otherwise.",
    .defaults = splitter_defaults,
    .configure = splitter_configure,
    .initialize = splitter_initialize,
    .reconfigure = splitter_reconfigure,
    .take_state = splitter_take_state,
    .push = splitter_push,
};
ELEMENT(BandwidthRatedSplitter, bandwidth_rated_splitter_class);

/* --- Meter --- */

enum { METER_MAX = 64 };

struct meter {
  struct element element;
  uint32_t count;
  uint64_t limits[METER_MAX]; /* as ewma.average */
  struct ewma rate;
};

static int meter_limit(struct meter *m, const char *text, struct report *report) {
  uint64_t rate = 0;
  int status = counts_bytes(&m->element) ? number_bandwidth(slice_of(text), &rate, NULL)
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
  if (counts_bytes(e)) {
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
