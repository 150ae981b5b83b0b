/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packet schedulers: which of several inputs the next packet is pulled from. RoundRobinSched takes turns, PrioSched prefers the first,
 * DRRSched shares bytes evenly (Shreedhar and Varghese, 1995), StrideSched shares packets by tickets (Waldspurger, 1995),
 * TimeSortedSched merges by timestamp. StrideSwitch is StrideSched for outputs.
 */
#include "click/reconfigure.h"
#include "elements/parameter.h"
#include "elements/run.h"
#include "lib/memory.h"

static bool pull_one(struct element *e, unsigned input, struct batch *batch) {
  uint32_t before = batch->count;
  element_pull(e, input, batch, 1);
  return batch->count > before;
}

/* --- RoundRobinSched --- */

struct round_robin_sched {
  struct element element;
  uint32_t next;
};

static void round_robin_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct round_robin_sched *r = (struct round_robin_sched *)e;
  unsigned got = 0;
  for (uint32_t idle = 0; got < max && idle < e->input_count;) {
    bool some = pull_one(e, r->next, batch);
    r->next = r->next + 1 < e->input_count ? r->next + 1 : 0;
    idle = some ? 0 : idle + 1;
    got += some;
  }
}

/* Whose turn it is, if there still is such an input. */
static void round_robin_take_state(struct element *e, struct element *old, struct report *report) {
  uint32_t next = ((const struct round_robin_sched *)old)->next;
  if (next < e->input_count) ((struct round_robin_sched *)e)->next = next;
}

static const struct element_class round_robin_class = {
    .name = "RoundRobinSched",
    .purpose = "pulls from its inputs in turn",
    .ports = "-/1",
    .processing = "l/l",
    .size = sizeof(struct round_robin_sched),
    .example = "a :: Queue -> s :: RoundRobinSched -> ToDevice(eth0); b :: Queue -> [1] s;",
    .manual = "An input without packets is passed over.",
    .take_state = round_robin_take_state,
    .pull = round_robin_pull,
};
ELEMENT(RoundRobinSched, round_robin_class);

/* --- PrioSched --- */

static void prio_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  uint32_t end = batch->count + max;
  for (uint32_t input = 0; input < e->input_count && batch->count < end; input++)
    element_pull(e, input, batch, end - batch->count);
}

static const struct element_class prio_class = {
    .name = "PrioSched",
    .purpose = "pulls from the first input that has packets",
    .ports = "-/1",
    .processing = "l/l",
    .size = sizeof(struct element),
    .example = "urgent :: Queue -> s :: PrioSched -> ToDevice(eth0); rest :: Queue -> [1] s;",
    .manual = "Packets of input 1 go only while input 0 has none, and so on.",
    .pull = prio_pull,
};
ELEMENT(PrioSched, prio_class);

/* Packets that DRRSched and TimeSortedSched had pulled from an input which a new graph no longer has. */
static const char *const gone_drops[] = {"input_gone", NULL};

/* --- DRRSched --- */

struct drr_input {
  struct packet *head; /* pulled, and too long for the deficit up to now */
  uint64_t deficit;
};

struct drr {
  struct element element;
  uint32_t quantum;
  uint32_t next;
  struct drr_input *inputs;
};

enum { DRR_QUANTUM = 500 };

static void drr_defaults(struct element *e) { ((struct drr *)e)->quantum = DRR_QUANTUM; }

static int drr_configure(struct element *e, const struct args *rest, struct report *report) {
  struct drr *d = (struct drr *)e;
  if (d->quantum == 0) return report_error(report, ERROR_INVALID, "bad QUANTUM");
  d->inputs = memory_alloc((e->input_count + 1) * sizeof *d->inputs);
  return d->inputs != NULL ? 0 : -ERROR_NO_MEMORY;
}

static void drr_cleanup(struct element *e) {
  struct drr *d = (struct drr *)e;
  for (uint32_t i = 0; d->inputs != NULL && i < e->input_count; i++) {
    if (d->inputs[i].head != NULL) packet_kill(d->inputs[i].head);
  }
  memory_free(d->inputs);
  d->inputs = NULL;
}

/* The next packet of an input if its deficit covers it. *waiting: it has one that must wait. */
static struct packet *drr_take(struct drr *d, uint32_t index, bool *waiting) {
  struct drr_input *input = &d->inputs[index];
  struct packet *p = input->head;
  if (p == NULL) {
    struct batch one;
    one.count = 0;
    if (!pull_one(&d->element, index, &one)) {
      input->deficit = 0;
      return NULL;
    }
    p = one.packet[0];
  }
  input->head = NULL;
  if (p->length <= input->deficit) {
    input->deficit -= p->length;
    return p;
  }
  input->head = p;
  *waiting = true;
  return NULL;
}

/* Goes round until every input is empty. While a packet waits, each round brings its input nearer to it by a quantum, so nothing is
 * left behind where the notifiers upstream don't tell of it. */
static void drr_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct drr *d = (struct drr *)e;
  unsigned got = 0;
  bool waiting = false;
  for (uint32_t idle = 0; got < max && (idle < e->input_count || waiting);) {
    if (idle == e->input_count) {
      idle = 0;
      waiting = false;
    }
    struct packet *p = drr_take(d, d->next, &waiting);
    if (p != NULL) {
      batch->packet[batch->count++] = p;
      got++;
      idle = 0;
      waiting = false;
      continue;
    }
    idle++;
    d->next = d->next + 1 < e->input_count ? d->next + 1 : 0;
    d->inputs[d->next].deficit += d->quantum;
  }
}

static void drr_take_state(struct element *e, struct element *old, struct report *report) {
  struct drr *d = (struct drr *)e, *from = (struct drr *)old;
  for (uint32_t i = 0; i < e->input_count && i < old->input_count; i++) {
    d->inputs[i] = from->inputs[i];
    from->inputs[i] = (struct drr_input){0};
  }
  for (uint32_t i = e->input_count; i < old->input_count; i++) {
    if (from->inputs[i].head != NULL) element_drop(e, 0, from->inputs[i].head);
    from->inputs[i].head = NULL;
  }
  if (from->next < e->input_count) d->next = from->next;
}

static const struct argument drr_arguments[] = {
    {"QUANTUM", ARGUMENT_U32, ARGUMENT_POSITIONAL, offsetof(struct drr, quantum),
     "bytes that each input gets in each round (500)"},
    {0}};

static const struct element_class drr_class = {
    .name = "DRRSched",
    .purpose = "pulls from its inputs by deficit round robin",
    .ports = "-/1",
    .processing = "l/l",
    .size = sizeof(struct drr),
    .arguments = drr_arguments,
    .drops = gone_drops,
    .example = "a :: Queue -> s :: DRRSched -> ToDevice(eth0); b :: Queue -> [1] s;",
    .manual = "Inputs that always have packets get the same number of bytes, whatever the length of their packets.",
    .defaults = drr_defaults,
    .configure = drr_configure,
    .cleanup = drr_cleanup,
    .take_state = drr_take_state,
    .pull = drr_pull,
};
ELEMENT(DRRSched, drr_class);

/* --- TimeSortedSched --- */

/* Packets of one input that wait, in a ring. */
struct sorted_input {
  struct packet **packets;
  uint32_t slots, first, count;
};

struct time_sorted {
  struct element element;
  bool stop;
  uint32_t buffer;
  bool well_ordered;
  uint64_t last; /* timestamp of the packet emitted last */
  struct sorted_input *inputs;
  struct notifier_signal *signals;
};

enum { SORTED_BUFFER_MAX = 65536 };

static void sorted_defaults(struct element *e) {
  struct time_sorted *s = (struct time_sorted *)e;
  s->buffer = 1;
  s->well_ordered = true;
}

static int sorted_configure(struct element *e, const struct args *rest, struct report *report) {
  struct time_sorted *s = (struct time_sorted *)e;
  if (s->buffer == 0 || s->buffer > SORTED_BUFFER_MAX) {
    return report_error(report, ERROR_INVALID, "BUFFER: must be between 1 and %d", SORTED_BUFFER_MAX);
  }
  s->inputs = memory_alloc((e->input_count + 1) * sizeof *s->inputs);
  s->signals = memory_alloc((e->input_count + 1) * sizeof *s->signals);
  if (s->inputs == NULL || s->signals == NULL) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < e->input_count; i++) {
    s->inputs[i].packets = memory_alloc(s->buffer * sizeof(struct packet *));
    if (s->inputs[i].packets == NULL) return -ERROR_NO_MEMORY;
    s->inputs[i].slots = s->buffer;
  }
  return 0;
}

static int sorted_initialize(struct element *e, struct report *report) {
  struct time_sorted *s = (struct time_sorted *)e;
  int status = 0;
  for (uint32_t i = 0; status == 0 && i < e->input_count; i++)
    status = notifier_listen_upstream(e, i, NULL, &s->signals[i]);
  return status;
}

/* Where number n of an input is, n up to the ring's size. */
static struct packet **sorted_slot(const struct sorted_input *input, uint32_t n) {
  uint32_t at = input->first + n;
  return &input->packets[at < input->slots ? at : at - input->slots];
}

static void sorted_cleanup(struct element *e) {
  struct time_sorted *s = (struct time_sorted *)e;
  for (uint32_t i = 0; s->inputs != NULL && i < e->input_count; i++) {
    struct sorted_input *input = &s->inputs[i];
    for (uint32_t n = 0; n < input->count; n++)
      packet_kill(*sorted_slot(input, n));
    memory_free((void *)input->packets);
  }
  for (uint32_t i = 0; s->signals != NULL && i < e->input_count; i++)
    notifier_signal_destroy(&s->signals[i], NULL);
  memory_free(s->inputs);
  memory_free(s->signals);
  s->inputs = NULL;
  s->signals = NULL;
}

/* Fills the buffer of an input. True if a packet is there. */
static bool sorted_fill(struct time_sorted *s, uint32_t index) {
  struct sorted_input *input = &s->inputs[index];
  struct batch one;
  while (input->count < s->buffer) {
    one.count = 0;
    if (!pull_one(&s->element, index, &one)) break;
    *sorted_slot(input, input->count++) = one.packet[0];
  }
  return input->count > 0;
}

/* Where the earliest packet of the input is, counted from its first. */
static uint32_t sorted_earliest(const struct sorted_input *input) {
  uint32_t best = 0;
  for (uint32_t n = 1; n < input->count; n++) {
    if ((*sorted_slot(input, n))->timestamp < (*sorted_slot(input, best))->timestamp) best = n;
  }
  return best;
}

/* Takes out number n; those before it keep their order. */
static struct packet *sorted_remove(struct sorted_input *input, uint32_t n) {
  struct packet *p = *sorted_slot(input, n);
  for (; n > 0; n--)
    *sorted_slot(input, n) = *sorted_slot(input, n - 1);
  input->first = input->first + 1 < input->slots ? input->first + 1 : 0;
  input->count--;
  return p;
}

static struct packet *sorted_next(struct time_sorted *s) {
  struct sorted_input *best = NULL;
  uint32_t best_number = 0;
  for (uint32_t i = 0; i < s->element.input_count; i++) {
    struct sorted_input *input = &s->inputs[i];
    if (!sorted_fill(s, i)) continue;
    uint32_t n = sorted_earliest(input);
    if (best != NULL && (*sorted_slot(input, n))->timestamp >= (*sorted_slot(best, best_number))->timestamp) continue;
    best = input;
    best_number = n;
  }
  return best == NULL ? NULL : sorted_remove(best, best_number);
}

static void sorted_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct time_sorted *s = (struct time_sorted *)e;
  unsigned got = 0;
  for (; got < max; got++) {
    struct packet *p = sorted_next(s);
    if (p == NULL) break;
    if (p->timestamp < s->last) s->well_ordered = false;
    s->last = p->timestamp;
    batch->packet[batch->count++] = p;
  }
  if (got > 0 || max == 0 || !s->stop) return;
  for (uint32_t i = 0; i < e->input_count; i++) {
    if (notifier_signal_active(&s->signals[i])) return;
  }
  if (e->services->stop_driver != NULL) e->services->stop_driver();
}

/* Packets that wait keep waiting. An input that has more of them than its new ring can hold keeps the old ring: it is filled up again when
 * there are fewer than BUFFER. */
static void sorted_take_input(struct sorted_input *input, struct sorted_input *from) {
  if (from->count > input->slots) {
    struct sorted_input mine = *input;
    *input = *from;
    *from = mine;
    return;
  }
  for (; from->count > 0; input->count++)
    *sorted_slot(input, input->count) = sorted_remove(from, 0);
}

static void sorted_take_state(struct element *e, struct element *old, struct report *report) {
  struct time_sorted *s = (struct time_sorted *)e, *from = (struct time_sorted *)old;
  s->well_ordered = from->well_ordered;
  s->last = from->last;
  for (uint32_t i = 0; i < old->input_count; i++) {
    if (i < e->input_count) sorted_take_input(&s->inputs[i], &from->inputs[i]);
    while (i >= e->input_count && from->inputs[i].count > 0)
      element_drop(e, 0, sorted_remove(&from->inputs[i], 0));
  }
}

static const struct argument sorted_arguments[] = {
    {"STOP", ARGUMENT_BOOL, 0, offsetof(struct time_sorted, stop), "stop the driver when no input has packets (false)"},
    {"BUFFER", ARGUMENT_U32, 0, offsetof(struct time_sorted, buffer),
     "packets of each input that are sorted among themselves (1)"},
    {0}};

static const struct handler sorted_handlers[] = {{.name = "well_ordered",
                                                  .read = handler_read_bool,
                                                  .offset = offsetof(struct time_sorted, well_ordered),
                                                  .help = "false when a packet was earlier than one before it"},
                                                 {0}};

static const struct element_class sorted_class = {
    .name = "TimeSortedSched",
    .purpose = "merges sorted streams by timestamp",
    .ports = "-/1",
    .processing = "l/l",
    .size = sizeof(struct time_sorted),
    .arguments = sorted_arguments,
    .handlers = sorted_handlers,
    .drops = gone_drops,
    .example = "s :: TimeSortedSched(STOP true); FromDump(a) -> [0] s; FromDump(b) -> [1] s; s -> ...;",
    .manual =
        "Each pull gives the earliest of the packets at hand. Packets of one timestamp come in order of the inputs. Inputs are "
        "expected to be sorted; one that is only nearly so may need a BUFFER.",
    .defaults = sorted_defaults,
    .configure = sorted_configure,
    .initialize = sorted_initialize,
    .cleanup = sorted_cleanup,
    .take_state = sorted_take_state,
    .pull = sorted_pull,
};
ELEMENT(TimeSortedSched, sorted_class);

/* --- StrideSched, StrideSwitch --- */

enum { STRIDE_TICKETS_MAX = 65536, STRIDE_NAME_MAX = 24 };
#define STRIDE_ONE ((uint32_t)1 << 16)

/* Passes may wrap; they are compared by their distance. */
struct stride_client {
  uint32_t tickets, stride, pass;
  bool asked;                 /* in vain, in this pull */
  char name[STRIDE_NAME_MAX]; /* of its handler: "tickets3" */
  struct handler handler;
};

struct stride {
  struct element element;
  uint32_t count;
  struct stride_client *clients;
};

static bool stride_is_switch(const struct element *e) { return e->class->processing[0] == 'h'; }

static int stride_read_tickets(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                               struct report *report) {
  const struct stride *s = owner;
  text_addf(out, "%u", s->clients[handler->offset].tickets);
  return 0;
}

static void stride_set(struct stride_client *client, uint32_t tickets) {
  client->tickets = tickets;
  client->stride = tickets == 0 ? 0 : STRIDE_ONE / tickets;
}

/* The one whose pass is lowest, the first of several. Those without tickets, and those asked in vain, are left out. Returns count if
 * there is none. */
static uint32_t stride_choose(const struct stride *s) {
  uint32_t best = s->count;
  for (uint32_t i = 0; i < s->count; i++) {
    if (s->clients[i].tickets == 0 || s->clients[i].asked) continue;
    if (best == s->count || (int32_t)(s->clients[i].pass - s->clients[best].pass) < 0) best = i;
  }
  return best;
}

static void stride_take_tickets(struct stride *s, uint32_t port, uint32_t tickets) {
  struct stride_client *client = &s->clients[port];
  uint32_t first = stride_choose(s);
  bool joins = client->tickets == 0 && tickets > 0;
  stride_set(client, tickets);
  /* Who comes anew gets no credit for the time before. */
  if (joins) client->pass = first < s->count ? s->clients[first].pass + client->stride : 0;
}

static int stride_write_tickets(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct stride *s = owner;
  uint64_t tickets = 0;
  if (slice_to_u64(slice_trim(value), UINT32_MAX, &tickets) < 0) {
    return report_error(report, ERROR_INVALID, "tickets value must be integer");
  }
  if (tickets > STRIDE_TICKETS_MAX) {
    report_warning(report, "port %u tickets reduced to %d", (unsigned)handler->offset, STRIDE_TICKETS_MAX);
    tickets = STRIDE_TICKETS_MAX;
  }
  stride_take_tickets(s, (uint32_t)handler->offset, (uint32_t)tickets);
  return 0;
}

static int stride_configure(struct element *e, const struct args *rest, struct report *report) {
  struct stride *s = (struct stride *)e;
  uint32_t ports = stride_is_switch(e) ? e->output_count : e->input_count;
  if (rest->count != ports) {
    return report_error(report, ERROR_INVALID, "need %u arguments, one per %s port", ports,
                        stride_is_switch(e) ? "output" : "input");
  }
  s->clients = memory_alloc((ports + 1) * sizeof *s->clients);
  if (s->clients == NULL) return -ERROR_NO_MEMORY;
  s->count = ports;
  for (uint32_t i = 0; i < ports; i++) {
    struct stride_client *client = &s->clients[i];
    uint64_t tickets = 0;
    if (slice_to_u64(slice_of(rest->values[i]), UINT32_MAX, &tickets) < 0) {
      return report_error(report, ERROR_INVALID, "argument %u should be number of tickets (integer)", i);
    }
    if (tickets > STRIDE_TICKETS_MAX) {
      report_warning(report, "input %u tickets reduced to %d", i, STRIDE_TICKETS_MAX);
      tickets = STRIDE_TICKETS_MAX;
    }
    stride_set(client, (uint32_t)tickets);
    client->pass = client->stride;
    format_text(client->name, sizeof client->name, "tickets%u", i);
    client->handler = (struct handler){.name = client->name,
                                       .read = stride_read_tickets,
                                       .write = stride_write_tickets,
                                       .offset = i,
                                       .help = "tickets of this port"};
  }
  return 0;
}

/* Unless the file says otherwise, tickets that a handler wrote stay, and who is ahead of whom. */
static void stride_take_state(struct element *e, struct element *old, struct report *report) {
  struct stride *s = (struct stride *)e;
  const struct stride *from = (const struct stride *)old;
  if (s->count != from->count || strcmp(e->config, old->config) != 0) return;
  for (uint32_t i = 0; i < s->count; i++) {
    stride_set(&s->clients[i], from->clients[i].tickets);
    s->clients[i].pass = from->clients[i].pass;
  }
}

static int stride_read_config(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                              struct report *report) {
  const struct stride *s = owner;
  for (uint32_t i = 0; i < s->count; i++)
    text_addf(out, "%s%u", i > 0 ? ", " : "", s->clients[i].tickets);
  return 0;
}

/* As by the handlers, port by port. */
static int stride_reconfigure(struct element *e, struct element *next, struct report *report) {
  struct stride *s = (struct stride *)e;
  for (uint32_t i = 0; i < s->count; i++)
    stride_take_tickets(s, i, ((const struct stride *)next)->clients[i].tickets);
  return 0;
}

static const struct handler stride_handlers[] = {{.name = "config",
                                                  .read = stride_read_config,
                                                  .write = reconfigure_write,
                                                  .help = "tickets of the ports; writing reconfigures"},
                                                 {0}};

static void stride_cleanup(struct element *e) {
  struct stride *s = (struct stride *)e;
  memory_free(s->clients);
  s->clients = NULL;
  s->count = 0;
}

static const struct handler *stride_handler_at(struct element *e, uint32_t index) {
  struct stride *s = (struct stride *)e;
  return index < s->count ? &s->clients[index].handler : NULL;
}

static const struct handler *stride_handler_find(struct element *e, struct slice name) {
  struct stride *s = (struct stride *)e;
  for (uint32_t i = 0; i < s->count; i++) {
    if (slice_equals(name, s->clients[i].name)) return &s->clients[i].handler;
  }
  return NULL;
}

/* An input that is asked in vain strides all the same, as in Click. */
static bool stride_pull_one(struct stride *s, struct batch *batch) {
  bool some = false;
  while (!some) {
    uint32_t best = stride_choose(s);
    if (best == s->count) break;
    s->clients[best].pass += s->clients[best].stride;
    some = pull_one(&s->element, best, batch);
    s->clients[best].asked = !some;
  }
  for (uint32_t i = 0; i < s->count; i++)
    s->clients[i].asked = false;
  return some;
}

static void stride_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct stride *s = (struct stride *)e;
  for (unsigned got = 0; got < max && stride_pull_one(s, batch); got++) {
  }
}

static void stride_push(struct element *e, unsigned port, struct batch *batch) {
  struct stride *s = (struct stride *)e;
  struct run run;
  run_start(&run, e);
  for (uint32_t i = 0; i < batch->count; i++) {
    uint32_t best = stride_choose(s);
    if (best == s->count) {
      element_drop(e, 0, batch->packet[i]);
      continue;
    }
    s->clients[best].pass += s->clients[best].stride;
    run_add(&run, best, batch->packet[i]);
  }
  run_flush(&run);
}

static const struct element_class stride_sched_class = {
    .name = "StrideSched",
    .purpose = "pulls from its inputs in proportion to tickets",
    .ports = "-/1",
    .processing = "l/l",
    .size = sizeof(struct stride),
    .takes_rest = true,
    .example = "a :: Queue -> s :: StrideSched(2, 1) -> ToDevice(eth0); b :: Queue -> [1] s;",
    .manual =
        "Arguments are numbers of tickets, one for each input, up to 65536. An input with twice the tickets gives twice the "
        "packets; one without tickets gives none. The handlers ticketsN, N the number of the input, read and set them.",
    .handlers = stride_handlers,
    .configure = stride_configure,
    .cleanup = stride_cleanup,
    .reconfigure = stride_reconfigure,
    .take_state = stride_take_state,
    .handler_find = stride_handler_find,
    .handler_at = stride_handler_at,
    .pull = stride_pull,
};
ELEMENT(StrideSched, stride_sched_class);

static const char *const stride_drops[] = {"no_tickets", NULL};

static const struct element_class stride_switch_class = {
    .name = "StrideSwitch",
    .purpose = "sends packets to its outputs in proportion to tickets",
    .ports = "1/-",
    .processing = "h/h",
    .size = sizeof(struct stride),
    .takes_rest = true,
    .drops = stride_drops,
    .example = "... -> s :: StrideSwitch(2, 1); s [0] -> Queue -> ToDevice(eth0); s [1] -> Queue -> ToDevice(eth1);",
    .manual =
        "Arguments are numbers of tickets, one for each output, up to 65536. An output with twice the tickets gets twice the "
        "packets. The handlers ticketsN, N the number of the output, read and set them.",
    .handlers = stride_handlers,
    .configure = stride_configure,
    .cleanup = stride_cleanup,
    .reconfigure = stride_reconfigure,
    .take_state = stride_take_state,
    .handler_find = stride_handler_find,
    .handler_at = stride_handler_at,
    .push = stride_push,
};
ELEMENT(StrideSwitch, stride_switch_class);
