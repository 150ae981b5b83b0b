/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What elements that make packets share: what is in the packets, how many there will be, and what happens when they are done.
 */
#ifndef IMAGO_ELEMENTS_SOURCE_H
#define IMAGO_ELEMENTS_SOURCE_H

#include "click/element.h"
#include "click/router.h"
#include "elements/rate.h"

/* What packets are copies of. Replaced as a whole, because another worker may be copying from it. */
struct source_data {
  struct deferred deferred; /* first: it is how the old one is freed */
  size_t length;
  uint8_t bytes[];
};

struct source {
  struct element element;
  struct argument_data text; /* DATA; only configuration and handlers look at it */
  int32_t length;            /* below 0: as long as DATA */
  uint32_t headroom;
  int64_t limit; /* below 0: none */
  int32_t burst;
  uint64_t rate, bandwidth; /* RatedSource */
  bool bandwidth_given;
  uint64_t interval; /* TimedSource */
  bool active, stop, timestamp;
  bool finished; /* what LIMIT ends with was done */
  struct handler_reference end_call;
  bool end_call_given;
  struct source_data *data; /* NULL: random bytes */
  uint64_t count;
  struct task task;
  struct timer timer;
  struct notifier_signal room; /* downstream */
  struct notifier ready;       /* of a pull output */
  struct token_bucket bucket;
};

void source_defaults(struct element *e);
/* Checks the arguments and prepares the packet. */
int source_configure(struct element *e, const struct args *rest, struct report *report);
/* The same for packets of random bytes. */
int source_configure_random(struct element *e, const struct args *rest, struct report *report);
/* For sources that have a task: it runs when the output is push. */
int source_initialize_task(struct source *s, bool (*run)(struct task *), struct report *report);
void source_cleanup(struct element *e);
/* Goes on counting towards LIMIT. What the old one's end asked for is not asked for again. */
void source_take_state(struct element *e, struct element *old, struct report *report);
struct notifier *source_notifier(struct element *e, enum notifier_kind kind, unsigned port);

/* How many of `most` packets LIMIT leaves. */
uint64_t source_left(const struct source *s, uint64_t most);
/* Appends at most max packets, which are counted. Fewer, when the pool is empty. */
unsigned source_make(struct source *s, struct batch *batch, unsigned max);
/* LIMIT is reached: calls END_CALL, or stops the driver. */
void source_finish(struct source *s);

/* Handlers. What they change may let a source that sleeps go on. */
int source_read_data(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                     struct report *report);
int source_write_data(void *owner, const struct handler *handler, struct slice value, struct report *report);
int source_write_length(void *owner, const struct handler *handler, struct slice value, struct report *report);
int source_write_headroom(void *owner, const struct handler *handler, struct slice value, struct report *report);
int source_write(void *owner, const struct handler *handler, struct slice value, struct report *report);
int source_write_burst(void *owner, const struct handler *handler, struct slice value, struct report *report);
int source_write_end_call(void *owner, const struct handler *handler, struct slice value, struct report *report);
/* element_class.reconfigure: other packets from now on; the count goes on. */
int source_reconfigure(struct element *e, struct element *next, struct report *report);
int source_reset(void *owner, const struct handler *handler, struct slice value, struct report *report);
/* Wakes the task, or whoever pulls, if LIMIT leaves a packet to be made. */
void source_wake(struct source *s);

/* Rows of the tables of those that have a task. */
#define SOURCE_END_ARGUMENTS                                                                                           \
  {"STOP", ARGUMENT_BOOL, 0, offsetof(struct source, stop), "stop the driver when LIMIT packets were made (false)"}, { \
    "END_CALL", ARGUMENT_WRITE_HANDLER, 0, offsetof(struct source, end_call),                                          \
        "handler that is written when LIMIT packets were made", offsetof(struct source, end_call_given)                \
  }
#define SOURCE_HANDLERS                                                                                              \
  {.name = "limit",                                                                                                  \
   .read = parameter_read,                                                                                           \
   .write = source_write,                                                                                            \
   .offset = offsetof(struct source, limit),                                                                         \
   .help = "how many packets are made; below 0: no end"},                                                            \
      {.name = "count", .read = handler_read_u64, .offset = offsetof(struct source, count), .help = "packets made"}, \
      {.name = "reset", .write = source_reset, .help = "set count to 0, so that LIMIT packets more are made"},       \
      {.name = "length",                                                                                             \
       .read = parameter_read,                                                                                       \
       .write = source_write_length,                                                                                 \
       .offset = offsetof(struct source, length),                                                                    \
       .help = "length of the packets; -1: that of data"},                                                           \
      {.name = "datasize",                                                                                           \
       .read = parameter_read,                                                                                       \
       .write = source_write_length,                                                                                 \
       .offset = offsetof(struct source, length),                                                                    \
       .help = "old name of length"},                                                                                \
      {.name = "end_call",                                                                                           \
       .write = source_write_end_call,                                                                               \
       .offset = offsetof(struct source, end_call),                                                                  \
       .help = "handler that is written when LIMIT packets were made"},                                              \
      TASK_HANDLERS(struct source, task)

#endif
