/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Elements that choose a port: Switch and PullSwitch by a handler, StaticSwitch and StaticPullSwitch once and for all,
 * RoundRobinSwitch, HashSwitch and RandomSwitch for each packet. RandomSample lets packets through at random.
 */
#include "click/reconfigure.h"
#include "elements/parameter.h"
#include "elements/run.h"

static const char *const no_drops[] = {"off", NULL};

/* --- Switch, PullSwitch, StaticSwitch, StaticPullSwitch --- */

struct switch_element {
  struct element element;
  int32_t port; /* below 0: none */
};

static bool switch_is_pull(const struct element *e) { return e->class->processing[0] == 'l'; }

static int switch_check(const struct element *e, int32_t port, const char *name, struct report *report) {
  bool pull = switch_is_pull(e);
  uint32_t count = pull ? e->input_count : e->output_count;
  if (port < 0 || (uint32_t)port < count) return 0;
  if (count == 0) {
    return report_error(report, ERROR_INVALID, "%s: %s %d is not connected, nor is any other; -1 %s", name,
                        pull ? "input" : "output", port, pull ? "is none" : "drops");
  }
  return report_error(report, ERROR_INVALID, "%s: %s %d is not connected; the last one is %u, -1 %s", name,
                      pull ? "input" : "output", port, count - 1, pull ? "is none" : "drops");
}

static int switch_configure(struct element *e, const struct args *rest, struct report *report) {
  return switch_check(e, ((struct switch_element *)e)->port, switch_is_pull(e) ? "INPUT" : "OUTPUT", report);
}

static void switch_push(struct element *e, unsigned port, struct batch *batch) {
  int32_t output = __atomic_load_n(&((struct switch_element *)e)->port, __ATOMIC_RELAXED);
  if (output < 0) {
    element_drop_batch(e, 0, batch);
  } else {
    element_push(e, (unsigned)output, batch);
  }
}

static void switch_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  int32_t input = __atomic_load_n(&((struct switch_element *)e)->port, __ATOMIC_RELAXED);
  if (input >= 0) element_pull(e, (unsigned)input, batch, max);
}

static int switch_write(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  /* Checked in a copy: packets pass meanwhile and must never see a number that has no port. */
  struct switch_element wanted = {.port = 0};
  int status = parameter_write_i32(&wanted, handler, value, report);
  if (status == 0) status = switch_check(owner, wanted.port, handler->name, report);
  if (status < 0) return status;
  __atomic_store_n(&((struct switch_element *)owner)->port, wanted.port, __ATOMIC_RELAXED);
  return 0;
}

/* The port that a handler chose stays, unless the file was changed to choose another. */
static void switch_take_state(struct element *e, struct element *old, struct report *report) {
  int32_t port = ((const struct switch_element *)old)->port;
  if (strcmp(e->config, old->config) != 0 || switch_check(e, port, "port", NULL) < 0) return;
  ((struct switch_element *)e)->port = port;
}

static const struct argument switch_arguments[] = {
    {"OUTPUT", ARGUMENT_I32, ARGUMENT_POSITIONAL, offsetof(struct switch_element, port),
     "output that gets the packets; -1 drops them (0)"},
    {0}};

static const struct argument pull_switch_arguments[] = {
    {"INPUT", ARGUMENT_I32, ARGUMENT_POSITIONAL, offsetof(struct switch_element, port),
     "input that packets come from; -1: none (0)"},
    {0}};

static const struct argument static_switch_arguments[] = {
    {"OUTPUT", ARGUMENT_I32, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct switch_element, port),
     "output that gets the packets; -1 drops them"},
    {0}};

static const struct argument static_pull_switch_arguments[] = {
    {"INPUT", ARGUMENT_I32, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct switch_element, port),
     "input that packets come from; -1: none"},
    {0}};

static const struct handler switch_handlers[] = {{.name = "switch",
                                                  .read = parameter_read_i32,
                                                  .write = switch_write,
                                                  .offset = offsetof(struct switch_element, port),
                                                  .help = "the port that is used; -1: none"},
                                                 {.name = "config",
                                                  .read = parameter_read_i32,
                                                  .write = reconfigure_write,
                                                  .offset = offsetof(struct switch_element, port),
                                                  .help = "as switch; writing reconfigures"},
                                                 {0}};

static const struct element_class switch_class = {
    .name = "Switch",
    .purpose = "sends packets to one output, chosen by a handler",
    .ports = "1/-",
    .processing = "h/h",
    .size = sizeof(struct switch_element),
    .arguments = switch_arguments,
    .handlers = switch_handlers,
    .drops = no_drops,
    .example = "FromDevice(eth0) -> s :: Switch(0); s [0] -> Queue -> ToDevice(eth1); s [1] -> Discard;",
    .manual = "Packets dropped because OUTPUT is negative are counted under off.",
    .configure = switch_configure,
    .take_state = switch_take_state,
    .reconfigure = reconfigure_arguments,
    .push = switch_push,
};
ELEMENT(Switch, switch_class);

static const struct element_class pull_switch_class = {
    .name = "PullSwitch",
    .purpose = "pulls packets from one input, chosen by a handler",
    .ports = "-/1",
    .processing = "l/l",
    .size = sizeof(struct switch_element),
    .arguments = pull_switch_arguments,
    .handlers = switch_handlers,
    .example = "a :: Queue -> s :: PullSwitch(0) -> ToDevice(eth0); b :: Queue -> [1] s;",
    .configure = switch_configure,
    .take_state = switch_take_state,
    .reconfigure = reconfigure_arguments,
    .pull = switch_pull,
};
ELEMENT(PullSwitch, pull_switch_class);

static const struct element_class static_switch_class = {
    .name = "StaticSwitch",
    .purpose = "sends packets to one output, chosen by its argument",
    .ports = "1/-",
    .processing = "h/h",
    .size = sizeof(struct switch_element),
    .arguments = static_switch_arguments,
    .drops = no_drops,
    .example = "... -> s :: StaticSwitch($WHERE); s [0] -> Discard; s [1] -> Queue -> ToDevice(eth1);",
    .configure = switch_configure,
    .push = switch_push,
};
ELEMENT(StaticSwitch, static_switch_class);

static const struct element_class static_pull_switch_class = {
    .name = "StaticPullSwitch",
    .purpose = "pulls packets from one input, chosen by its argument",
    .ports = "-/1",
    .processing = "l/l",
    .size = sizeof(struct switch_element),
    .arguments = static_pull_switch_arguments,
    .example = "a :: Queue -> s :: StaticPullSwitch($WHICH) -> ToDevice(eth0); b :: Queue -> [1] s;",
    .configure = switch_configure,
    .pull = switch_pull,
};
ELEMENT(StaticPullSwitch, static_pull_switch_class);

/* --- RoundRobinSwitch --- */

struct round_robin {
  struct element element;
  uint32_t next; /* several workers may push: each packet takes a number */
};

static void round_robin_push(struct element *e, unsigned port, struct batch *batch) {
  struct round_robin *r = (struct round_robin *)e;
  struct run run;
  run_start(&run, e);
  uint32_t output = __atomic_load_n(&r->next, __ATOMIC_RELAXED);
  for (uint32_t i = 0; i < batch->count; i++) {
    run_add(&run, output, batch->packet[i]);
    output = output + 1 < e->output_count ? output + 1 : 0;
  }
  __atomic_store_n(&r->next, output, __ATOMIC_RELAXED);
  run_flush(&run);
}

/* Whose turn it is, if there still is such an output. */
static void round_robin_take_state(struct element *e, struct element *old, struct report *report) {
  uint32_t next = ((const struct round_robin *)old)->next;
  if (next < e->output_count) ((struct round_robin *)e)->next = next;
}

static const struct element_class round_robin_class = {
    .name = "RoundRobinSwitch",
    .purpose = "sends packets to each output in turn",
    .ports = "1/1-",
    .processing = "h/h",
    .size = sizeof(struct round_robin),
    .example = "... -> r :: RoundRobinSwitch; r [0] -> Queue -> ToDevice(eth0); r [1] -> Queue -> ToDevice(eth1);",
    .manual = "The first packet goes to output 0. Where several workers push, the turn is kept roughly.",
    .take_state = round_robin_take_state,
    .push = round_robin_push,
};
ELEMENT(RoundRobinSwitch, round_robin_class);

/* --- HashSwitch --- */

struct hash_switch {
  struct element element;
  uint32_t offset, length;
};

static int hash_switch_configure(struct element *e, const struct args *rest, struct report *report) {
  if (((const struct hash_switch *)e)->length > 0) return 0;
  return report_error(report, ERROR_INVALID, "length must be > 0");
}

/* Click's function: the sum of the bytes, folded for 2, 4 and 8 outputs, modulo their number otherwise. */
static unsigned hash_switch_output(const struct hash_switch *h, const struct packet *p) {
  if (p->length < h->offset || p->length - h->offset < h->length) return 0;
  uint32_t sum = 0, outputs = h->element.output_count;
  for (uint32_t i = 0; i < h->length; i++)
    sum += p->data[h->offset + i];
  if (outputs == 2 || outputs == 4 || outputs == 8) return (sum ^ sum >> 4) & (outputs - 1);
  return sum % outputs;
}

static void hash_switch_push(struct element *e, unsigned port, struct batch *batch) {
  struct run run;
  run_start(&run, e);
  for (uint32_t i = 0; i < batch->count; i++)
    run_add(&run, hash_switch_output((const struct hash_switch *)e, batch->packet[i]), batch->packet[i]);
  run_flush(&run);
}

static const struct argument hash_switch_arguments[] = {
    {"OFFSET", ARGUMENT_U32, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct hash_switch, offset),
     "first byte that is hashed"},
    {"LENGTH", ARGUMENT_U32, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct hash_switch, length),
     "how many bytes are hashed, at least 1"},
    {0}};

static const struct element_class hash_switch_class = {
    .name = "HashSwitch",
    .purpose = "sends packets to an output chosen by a hash of some bytes",
    .ports = "1/1-",
    .processing = "h/h",
    .size = sizeof(struct hash_switch),
    .arguments = hash_switch_arguments,
    .example = "... -> h :: HashSwitch(26, 8); h [0] -> Queue -> ToDevice(eth0); h [1] -> Queue -> ToDevice(eth1);",
    .manual = "A packet that is too short goes to output 0.",
    .configure = hash_switch_configure,
    .reconfigure = reconfigure_arguments,
    .push = hash_switch_push,
};
ELEMENT(HashSwitch, hash_switch_class);

/* --- RandomSwitch --- */

static void random_switch_push(struct element *e, unsigned port, struct batch *batch) {
  struct run run;
  run_start(&run, e);
  for (uint32_t i = 0; i < batch->count; i++) {
    uint64_t random = e->services->random();
    run_add(&run, (unsigned)(random * e->output_count >> 32), batch->packet[i]);
  }
  run_flush(&run);
}

static const struct element_class random_switch_class = {
    .name = "RandomSwitch",
    .purpose = "sends each packet to an output chosen at random",
    .ports = "1/1-",
    .processing = "h/h",
    .size = sizeof(struct element),
    .example = "... -> r :: RandomSwitch; r [0] -> Queue -> ToDevice(eth0); r [1] -> Queue -> ToDevice(eth1);",
    .push = random_switch_push,
};
ELEMENT(RandomSwitch, random_switch_class);

/* --- RandomSample --- */

struct random_sample {
  struct element element;
  uint64_t sample, drop; /* of FRACTION_ONE; one follows from the other */
  bool p_given, sample_given, drop_given;
  bool active;
  uint64_t drops;
};

static void random_sample_defaults(struct element *e) {
  struct random_sample *s = (struct random_sample *)e;
  s->active = true;
}

static int random_sample_check(uint64_t probability, struct report *report) {
  if (probability <= FRACTION_ONE) return 0;
  return report_error(report, ERROR_INVALID, "sampling probability must be between 0 and 1");
}

static int random_sample_configure(struct element *e, const struct args *rest, struct report *report) {
  struct random_sample *s = (struct random_sample *)e;
  if (s->sample_given && s->drop_given)
    return report_error(report, ERROR_INVALID, "give at most one of SAMPLE and DROP");
  if (!s->p_given && !s->sample_given && !s->drop_given)
    return report_error(report, ERROR_INVALID, "give one of P, SAMPLE and DROP");
  int status = random_sample_check(s->drop_given ? s->drop : s->sample, report);
  if (status < 0) return status;
  if (s->drop_given) s->sample = FRACTION_ONE - s->drop;
  s->drop = FRACTION_ONE - s->sample;
  return 0;
}

/* Keeps in the batch, from `first` on, what is sampled; the rest goes to output 1 or away. */
static void random_sample_filter(struct random_sample *s, struct batch *batch, uint32_t first) {
  if (!__atomic_load_n(&s->active, __ATOMIC_RELAXED)) return;
  uint64_t sample = counter_read(&s->sample);
  struct batch rest;
  rest.count = 0;
  uint32_t kept = first;
  for (uint32_t i = first; i < batch->count; i++) {
    bool keep = s->element.services->random() < sample;
    if (keep) {
      batch->packet[kept++] = batch->packet[i];
    } else {
      rest.packet[rest.count++] = batch->packet[i];
    }
  }
  batch->count = kept;
  counter_add(&s->drops, rest.count);
  if (s->element.output_count > 1) {
    element_push(&s->element, 1, &rest);
  } else {
    element_drop_batch(&s->element, 0, &rest);
  }
}

static void random_sample_push(struct element *e, unsigned port, struct batch *batch) {
  if (e->output_count == 1) {
    random_sample_filter((struct random_sample *)e, batch, 0);
    element_push(e, 0, batch);
    return;
  }
  /* One at a time, so that both outputs see packets in order of arrival. */
  for (uint32_t i = 0; i < batch->count; i++) {
    struct batch one;
    one.count = 1;
    one.packet[0] = batch->packet[i];
    random_sample_filter((struct random_sample *)e, &one, 0);
    element_push(e, 0, &one);
  }
}

static void random_sample_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  uint32_t first = batch->count;
  element_pull(e, 0, batch, max);
  if (batch->count == first) return;
  random_sample_filter((struct random_sample *)e, batch, first);
  if (batch->count == first) element_pulled_in_vain = true;
}

static int random_sample_write(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct random_sample *s = owner;
  bool drop = handler->offset == offsetof(struct random_sample, drop);
  struct random_sample wanted = {.element = {.class = s->element.class}};
  int status = parameter_write(&wanted, handler, value, report);
  if (status == 0) status = random_sample_check(drop ? wanted.drop : wanted.sample, report);
  if (status < 0) return status;
  uint64_t sample = drop ? FRACTION_ONE - wanted.drop : wanted.sample;
  __atomic_store_n(&s->sample, sample, __ATOMIC_RELAXED);
  __atomic_store_n(&s->drop, FRACTION_ONE - sample, __ATOMIC_RELAXED);
  return 0;
}

static int random_sample_read_config(void *owner, const struct handler *handler, struct slice parameter,
                                     struct text *out, struct report *report) {
  const struct random_sample *s = owner;
  text_add(out, "SAMPLE ");
  text_add_fixed(out, counter_read(&s->sample), 32);
  text_addf(out, ", ACTIVE %s", __atomic_load_n(&s->active, __ATOMIC_RELAXED) ? "true" : "false");
  return 0;
}

static void random_sample_take_state(struct element *e, struct element *old, struct report *report) {
  ((struct random_sample *)e)->drops = ((const struct random_sample *)old)->drops;
}

static const struct argument random_sample_arguments[] = {
    {"P", ARGUMENT_FRACTION, ARGUMENT_POSITIONAL, offsetof(struct random_sample, sample),
     "probability that a packet passes, 0 to 1", offsetof(struct random_sample, p_given)},
    {"SAMPLE", ARGUMENT_FRACTION, 0, offsetof(struct random_sample, sample), "as P",
     offsetof(struct random_sample, sample_given)},
    {"DROP", ARGUMENT_FRACTION, 0, offsetof(struct random_sample, drop), "probability that it does not, instead of P",
     offsetof(struct random_sample, drop_given)},
    {"ACTIVE", ARGUMENT_BOOL, 0, offsetof(struct random_sample, active), "false: all packets pass (true)"},
    {0}};

static const struct handler random_sample_handlers[] = {{.name = "sampling_prob",
                                                         .read = parameter_read,
                                                         .write = random_sample_write,
                                                         .offset = offsetof(struct random_sample, sample),
                                                         .help = "probability that a packet passes"},
                                                        {.name = "drop_prob",
                                                         .read = parameter_read,
                                                         .write = random_sample_write,
                                                         .offset = offsetof(struct random_sample, drop),
                                                         .help = "probability that it does not"},
                                                        {.name = "active",
                                                         .read = handler_read_bool,
                                                         .write = parameter_write_bool,
                                                         .offset = offsetof(struct random_sample, active),
                                                         .help = "false: all packets pass"},
                                                        {.name = "drops",
                                                         .read = handler_read_u64,
                                                         .offset = offsetof(struct random_sample, drops),
                                                         .help = "packets that were not sampled"},
                                                        {.name = "config",
                                                         .read = random_sample_read_config,
                                                         .write = reconfigure_write,
                                                         .help = "what is sampled now; writing reconfigures"},
                                                        {0}};

static const char *const random_sample_drops[] = {"not_sampled", NULL};

static const struct element_class random_sample_class = {
    .name = "RandomSample",
    .purpose = "lets packets through with a probability",
    .ports = "1/1-2",
    .processing = "a/ah",
    .size = sizeof(struct random_sample),
    .arguments = random_sample_arguments,
    .handlers = random_sample_handlers,
    .drops = random_sample_drops,
    .example = "FromDevice(eth0) -> RandomSample(0.01) -> Print -> Discard;",
    .manual = "Packets that are not sampled go to output 1 if that is connected, and are dropped otherwise.",
    .defaults = random_sample_defaults,
    .configure = random_sample_configure,
    .reconfigure = reconfigure_arguments,
    .take_state = random_sample_take_state,
    .push = random_sample_push,
    .pull = random_sample_pull,
};
ELEMENT(RandomSample, random_sample_class);
