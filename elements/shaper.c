/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shaper and BandwidthShaper limit what is pulled through them, RatedSplitter and BandwidthRatedSplitter send aside what is pushed above
 * a rate. The first of each pair counts packets, the second bytes.
 */
#include "click/reconfigure.h"
#include "elements/parameter.h"
#include "elements/pull_gate.h"
#include "elements/rated.h"
#include "elements/run.h"

/* --- Shaper --- */

struct shaper {
  struct element element;
  uint64_t rate;
  struct gap_rate gap;
  struct pull_gate gate;
};

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
  if (max == 0) return;
  uint64_t now = e->services->now();
  for (unsigned i = 0; i < max; i++) {
    if (!gap_rate_due(&s->gap, now)) {
      if (i == 0) pull_gate_wait_until(&s->gate, gap_rate_next(&s->gap, now));
      return;
    }
    uint32_t before = batch->count;
    element_pull(e, 0, batch, 1);
    if (batch->count == before) {
      if (i == 0) pull_gate_wait_for_packets(&s->gate);
      return;
    }
    s->gap.count += rated_counts_bytes(e) ? batch->packet[before]->length : 1;
  }
}

static int shaper_initialize(struct element *e, struct report *report) {
  return pull_gate_open(&((struct shaper *)e)->gate, e);
}

static void shaper_cleanup(struct element *e) { pull_gate_close(&((struct shaper *)e)->gate); }

static struct notifier *shaper_notifier(struct element *e, enum notifier_kind kind, unsigned port) {
  return kind == NOTIFIER_EMPTY ? &((struct shaper *)e)->gate.ready : NULL;
}

/* Begins anew, at what `rate` is now. */
static void shaper_restart(struct shaper *s) {
  gap_rate_set(&s->gap, s->rate);
  pull_gate_wake(&s->gate);
}

static int shaper_write_rate(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  int status = parameter_write(owner, handler, value, report);
  if (status == 0) status = shaper_configure(owner, NULL, report);
  if (status == 0) pull_gate_wake(&((struct shaper *)owner)->gate);
  return status;
}

static int shaper_reconfigure(struct element *e, struct element *next, struct report *report) {
  int status = reconfigure_arguments(e, next, report);
  shaper_restart((struct shaper *)e);
  return status;
}

static int shaper_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  shaper_restart(owner);
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
     .argument = "RATE",
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
    .manual = "Spreads RATE packets over each second. Those who pull sleep until the next one is due.",
    .configure = shaper_configure,
    .reconfigure = shaper_reconfigure,
    .initialize = shaper_initialize,
    .cleanup = shaper_cleanup,
    .take_state = shaper_take_state,
    .notifier = shaper_notifier,
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
    .manual =
        "Spreads RATE bytes over each second; a packet may go when the bytes of those before it were due. Those who pull sleep until then.",
    .configure = shaper_configure,
    .reconfigure = shaper_reconfigure,
    .initialize = shaper_initialize,
    .cleanup = shaper_cleanup,
    .take_state = shaper_take_state,
    .notifier = shaper_notifier,
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
  return rated_configure(&((struct rated_splitter *)e)->rated, rated_counts_bytes(e), report);
}

static int splitter_initialize(struct element *e, struct report *report) {
  rated_start(&((struct rated_splitter *)e)->rated, e->services->now());
  return 0;
}

static void splitter_push(struct element *e, unsigned port, struct batch *batch) {
  struct rated *rated = &((struct rated_splitter *)e)->rated;
  bool bytes = rated_counts_bytes(e);
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
  return status < 0 ? status : rated_configure(&s->rated, rated_counts_bytes(owner), report);
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
                                                    .argument = "RATE",
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
