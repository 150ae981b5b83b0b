/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Elements: the class that describes a kind, the instance in a graph, and how packets move between them. An element's own
 * struct begins with `struct element element`; the router allocates class->size zeroed bytes for it.
 *
 * To write an element: fill a struct element_class and register it with ELEMENT(symbol). The usual element supplies only
 * `simple`, and works for push and pull alike.
 */
#ifndef IMAGO_CLICK_ELEMENT_H
#define IMAGO_CLICK_ELEMENT_H

#include "click/args.h"
#include "click/config.h"
#include "click/handler.h"
#include "click/notifier.h"
#include "click/scheduler.h"
#include "click/services.h"
#include "lib/counter.h"
#include "packet/packet.h"

struct bpf_environment;
struct bpf_fib_lookup;
struct element;
struct router;

/* When an element is configured and initialized: names that others use come first. */
enum configure_phase { CONFIGURE_INFO = -1, CONFIGURE_DEFAULT = 0, CONFIGURE_LAST = 1 };

struct element_class {
  const char *name;    /* "Counter" */
  const char *purpose; /* one line: "counts packets and bytes" */
  const char *ports;   /* Click's port counts: "1/1", "1/1-", "1/1-2", "0/1", "-/=" ... */
  const char *
      processing; /* Click's processing code: "a/a" agnostic, "h/h" push, "l/l" pull, "h/l" ... per port, the last repeats */
  const char *flow;                 /* Click's flow code; NULL: "x/x" */
  size_t size;                      /* of the element's struct */
  const struct argument *arguments; /* ended by name NULL; NULL: none */
  const struct handler *handlers;   /* ended by name NULL; NULL: only the standard ones */
  const char *const *drops;         /* names of drop counters, ended by NULL; NULL: this element never drops */
  const char *example;              /* Click text for the manual page; may be NULL */
  const char *manual;               /* further paragraphs for the manual page; may be NULL */

  void (*defaults)(struct element *e); /* before arguments are parsed; may be NULL */
  /* After arguments were parsed; `rest` holds those the table did not take (class->takes_rest). May allocate. Ports are
   * connected already. Errors go to report. NULL: nothing to do. */
  int (*configure)(struct element *e, const struct args *rest, struct report *report);
  bool takes_rest;
  /* After every element is configured: take NICs, load programs, schedule tasks. NULL: nothing to do. */
  int (*initialize)(struct element *e, struct report *report);
  /* Undoes configure and initialize, whichever of them ran (state is zero where they did not). NULL: nothing to do. */
  void (*cleanup)(struct element *e);

  /* Hot swap (router_replace): takes over the state of `old`, an element of the same name and class in the graph that goes; called
   * after initialize of all, between batches, when neither runs. What it takes, it removes from old. Fails never: what cannot be
   * taken over is reported as a warning. NULL: there is no state. */
  void (*take_state)(struct element *e, struct element *old, struct report *report);
  /* The graph of e is about to run: last of router_create, or, in one that replaces another, after take_state. What must not happen
   * while the graph may still be refused belongs here: taking a NIC over, raising a version floor. NULL: nothing to do. */
  void (*commit)(struct element *e);
  /* The notifier of an output (NOTIFIER_EMPTY) or input (NOTIFIER_FULL), NULL where there is none: then listeners look further
   * up or down the graph. NULL: this class has none at all. */
  struct notifier *(*notifier)(struct element *e, enum notifier_kind kind, unsigned port);
  /* Live reconfiguration, by writing the handler `config`: `next` is an element of this class that was configured from the new text
   * (defaults, arguments, configure), but stands in no graph. Takes over what it can and returns 0, or reports and leaves all as it
   * was; what stays in next is cleaned up. NULL: `config` can only be read. */
  int (*reconfigure)(struct element *e, struct element *next, struct report *report);
  /* Handlers of this instance alone, found behind those of its class; handler_at lists them (NULL behind the last). Both or
   * neither. */
  const struct handler *(*handler_find)(struct element *e, struct slice name);
  const struct handler *(*handler_at)(struct element *e, uint32_t index);
  /* Route lookup elements: what bpf_fib_lookup of programs finds in their table (bpf/environment.h). NULL: this class has no routes. */
  int64_t (*fib_lookup)(const struct element *e, const struct bpf_environment *environment,
                        struct bpf_fib_lookup *parameters, uint32_t flags);
  enum configure_phase
      phase;         /* elements of an earlier phase go before those of a later; within one, in order of the file */
  bool process_only; /* needs files, sockets or taps: lives in platform/process/elements, never in an image */

  /* Packet movement; exactly what the processing code calls for. All take ownership as documented at the functions below. */
  void (*push)(struct element *e, unsigned port, struct batch *batch);
  /* Appends at most max packets. */
  void (*pull)(struct element *e, unsigned port, struct batch *batch, unsigned max);
  /* For 1/1 agnostic elements instead of push and pull: works on the batch in place; may remove packets (element_drop). */
  void (*simple)(struct element *e, struct batch *batch);
};

/* Where a port leads. */
struct port {
  struct element *element;
  uint32_t port;
  bool pull; /* resolved kind of this port */
  /* Packets that went through, counted a batch at a time where the move is begun: at push outputs and pull inputs. Not an atomic
   * addition: two workers that use one port at the same time may lose counts. Others' are sums over these. */
  uint64_t packets;
};

static inline void port_count(struct port *port, uint32_t packets) {
  __atomic_store_n(&port->packets, __atomic_load_n(&port->packets, __ATOMIC_RELAXED) + packets, __ATOMIC_RELAXED);
}

/* Invariant: outputs[i] of a push port and inputs[i] of a pull port name the one peer to call. */
struct element {
  const struct element_class *class;
  struct router *router;
  const struct services *services;
  char *name;
  char *config;
  struct landmark at;
  uint32_t index;
  uint32_t input_count, output_count;
  struct port *inputs;  /* for a pull input: the upstream output. For a push input: element of the first connection */
  struct port *outputs; /* for a push output: the downstream input */
  uint64_t *drops;      /* one counter per name in class->drops */
  /* class->push and class->pull, or what the router puts in their place for a class that has `simple`. */
  void (*push)(struct element *e, unsigned port, struct batch *batch);
  void (*pull)(struct element *e, unsigned port, struct batch *batch, unsigned max);
};

/* The element whose code runs in this thread, for fault reports and profiles. NULL outside the graph. */
extern _Thread_local const struct element *element_running;

/* Set where a pull took packets and none was left of them: who pulled finds nothing, though there may be more upstream. The scheduler
 * counts it as work, so that the worker does not sleep on what waits there. */
extern _Thread_local bool element_pulled_in_vain;

/* The time when this thread's round began: services->now() without a reading of the clock, and up to a round earlier. */
static inline uint64_t element_round_time(const struct element *e) {
  return scheduler_round_time != 0 ? scheduler_round_time : e->services->now();
}

/* Hands the batch to whatever output `port` (a push port) leads to. Takes the packets; an empty batch is not passed on. */
static inline void element_push(struct element *e, unsigned port, struct batch *batch) {
  if (batch->count == 0) return;
  struct port *to = &e->outputs[port];
  port_count(to, batch->count);
  element_running = to->element;
  to->element->push(to->element, to->port, batch);
  element_running = e;
}

/* Appends at most max packets from whatever input `port` (a pull port) comes from; batch has room for them. */
static inline void element_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct port *from = &e->inputs[port];
  uint32_t before = batch->count;
  element_running = from->element;
  from->element->pull(from->element, from->port, batch, max);
  element_running = e;
  if (batch->count > before) port_count(from, batch->count - before);
}

/* push and pull of elements whose class has `simple` instead. */
void element_simple_push(struct element *e, unsigned port, struct batch *batch);
void element_simple_pull(struct element *e, unsigned port, struct batch *batch, unsigned max);

/* Kills packets and counts them under class->drops[reason]. */
void element_drop(struct element *e, unsigned reason, struct packet *p);
void element_drop_batch(struct element *e, unsigned reason, struct batch *batch);

/* Registration: puts a pointer to the class into the linker set `imago_elements` and defines the symbol imago_element_NAME, by
 * which `imago build` asks the linker for just the classes that a graph needs. NAME is the class name. */
#define ELEMENT(NAME, variable)                                  \
  extern const struct element_class *const imago_element_##NAME; \
  const struct element_class *const imago_element_##NAME __attribute__((used, section("imago_elements"))) = &(variable)

/* The classes linked into this program. */
const struct element_class *element_class_find(const char *name);
unsigned element_class_count(void);
const struct element_class *element_class_at(unsigned index);
/* The linked class whose name is nearest to `name` by edit distance, or NULL when nothing is near. */
const struct element_class *element_class_nearest(const char *name);

#endif
