/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A router is a graph of elements, made from a flat configuration in one go: parse, look up classes, connect, resolve push and
 * pull, configure, initialize. If any step fails nothing remains.
 */
#ifndef IMAGO_CLICK_ROUTER_H
#define IMAGO_CLICK_ROUTER_H

#include "click/address.h"
#include "click/config.h"
#include "click/element.h"
#include "click/scheduler.h"

/* Handlers may call handlers (Script); so deep at most. */
enum { ROUTER_HANDLER_DEPTH = 16 };

/* Where an element's task runs, by index of the element; StaticThreadSched and ScheduleInfo set it in configure. */
struct placement {
  uint32_t worker;
  uint32_t tickets; /* 0: the default */
};

struct router {
  struct click_config config; /* owned */
  struct element **elements;
  uint32_t element_count;
  struct scheduler
      *scheduler; /* one for each worker, worker 0's first: task_init and timer_init find the right one from it */
  struct placement *placement; /* owned */
  struct router *replaces;     /* the running graph that this one was made beside; NULL once it has replaced it */
  const struct services *services;
  struct address_book *addresses; /* names that AddressInfo and PortInfo define; NULL: none */
  struct channel *channels;       /* who listens to chatter channels; NULL: nobody */
  char *source;                   /* the text it was made from */
  struct slice source_text;       /* the same, with its length: it may hold any bytes */
  /* The element that decides what a wish to stop means (Script of TYPE DRIVER), NULL: it means to stop. `stop_asked` is true when
   * the driver is to stop now. */
  struct element *stop_manager;
  bool (*stop_asked)(struct element *manager);
  uint32_t handler_depth; /* handlers that are being called now */
};

/* Builds a graph whose tasks are in `scheduler`, the first of services->workers (0 counts as 1) that are the caller's and the router's
 * alone; it runs when they run. Errors read as Click's:
 *   fw.click:3: While configuring 'q :: Queue':
 *     CAPACITY: expected an unsigned number, not 'x'
 * Returns 0 and *router (owned by the caller), or a negative code. */
int router_create(const char *file, struct slice source, const struct services *services, struct scheduler *scheduler,
                  struct router **router, struct report *report) MUST_USE;
/* The same beside a graph that runs, which the new one is to replace: its elements see their predecessors, and are not committed. */
int router_create_beside(struct router *running, const char *file, struct slice source, const struct services *services,
                         struct scheduler *scheduler, struct router **router, struct report *report) MUST_USE;
/* In a graph made beside another, until it replaces that: the element of the same name and class there. Otherwise NULL. */
struct element *router_predecessor(const struct element *e);
/* Cleans every element up and frees all. Its schedulers must not be running. */
void router_destroy(struct router *router);
unsigned router_workers(const struct router *router);
/* The scheduler that e's tasks and timers belong to (StaticThreadSched may name another than worker 0's). */
struct scheduler *router_scheduler(struct router *router, const struct element *e);
/* Hot swap. `next` was made by router_create_beside(old): takes over the state of same-named elements of the same class
 * (element_class.take_state), then commits. Between batches, while every worker stands still; the caller has the workers run next's
 * schedulers from now on, and destroys old afterwards. Cannot fail; warnings go to report. */
void router_replace(struct router *old, struct router *next, struct report *report);
/* What services->stop_driver leads to, on worker 0 between two rounds, once for each time it was called: true when the driver is to
 * stop; false when a DriverManager took the wish as a step of its script. */
bool router_stop_asked(struct router *router);
struct element *router_find(struct router *router, const char *name);
/* The element that `context` means by `name`: the one of that name in its own compound element, else in the one around it, and so on
 * outwards, as in Click. NULL: there is none. */
struct element *router_find_in(const struct element *context, const char *name);

/* Handlers of the graph: "elem.handler", and the global ones: those of services->handlers, then the router's own (version, list,
 * classes, config, flatconfig, packages, requirements, handlers, drops). Names as in Click; unknown ones give
 * -ERROR_NOT_FOUND with "no element named 'x'" or "no handler named 'y'; 'x' has: ...". */
int router_read(struct router *router, struct slice name, struct slice parameter, struct text *out,
                struct report *report) MUST_USE;
int router_write(struct router *router, struct slice name, struct slice value, struct report *report) MUST_USE;
/* 0 if it exists and is readable from outside the graph (write: writable); -ERROR_NOT_FOUND, -ERROR_PERMISSION otherwise. Distinguishes, for
 * ControlSocket codes 510 and 511: *element_known is set when the element exists (or the name is a global handler). */
int router_check(struct router *router, struct slice name, bool write, bool *element_known);

#endif
