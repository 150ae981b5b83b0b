/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ready-made write handlers for parameters of an element: the counterpart of handler_read_* in click/handler.h. Each
 * stores at owner + handler->offset when the value is acceptable, and reports what was wrong otherwise.
 */
#ifndef IMAGO_ELEMENTS_PARAMETER_H
#define IMAGO_ELEMENTS_PARAMETER_H

#include "click/handler.h"
#include "click/scheduler.h"

/* As an argument: true false yes no 1 0 t f y n */
int parameter_write_bool(void *owner, const struct handler *handler, struct slice value, struct report *report);
/* A signed decimal number that fits 32 bits. */
int parameter_write_i32(void *owner, const struct handler *handler, struct slice value, struct report *report);
/* Appends the int32_t at owner + handler->offset. */
int parameter_read_i32(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report);

/* For a parameter that is an argument too: the row of the element's argument table with the handler's offset says how its value is
 * written. Not for text arguments, which a worker may be reading. */
int parameter_read(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                   struct report *report);
int parameter_write(void *owner, const struct handler *handler, struct slice value, struct report *report);

/* "1.5" for 1.5 in fixed point with that many bits behind the point (at most 32): as few digits as tell it from its neighbours. */
void text_add_fixed(struct text *out, uint64_t value, unsigned bits);

/* Handlers of a task, as Click has them; offset is that of the struct task. */
int task_read_scheduled(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                        struct report *report);
int task_write_scheduled(void *owner, const struct handler *handler, struct slice value, struct report *report);
int task_read_tickets(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report);
int task_write_tickets(void *owner, const struct handler *handler, struct slice value, struct report *report);
int task_read_home_thread(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                          struct report *report);
int task_write_home_thread(void *owner, const struct handler *handler, struct slice value, struct report *report);

/* The rows of these in a handler table. `home` writes home_thread: task_write_home_thread, or NULL for a task that is bound to its
 * worker. */
#define TASK_HANDLERS_HOME(type, member, home)                                                             \
  {.name = "scheduled",                                                                                    \
   .read = task_read_scheduled,                                                                            \
   .write = task_write_scheduled,                                                                          \
   .offset = offsetof(type, member),                                                                       \
   .help = "whether the task is scheduled"},                                                               \
      {.name = "tickets",                                                                                  \
       .read = task_read_tickets,                                                                          \
       .write = task_write_tickets,                                                                        \
       .offset = offsetof(type, member),                                                                   \
       .help = "share of the worker's time, 1 to 32768 (1024)"},                                           \
  {                                                                                                        \
    .name = "home_thread", .read = task_read_home_thread, .write = home, .offset = offsetof(type, member), \
    .help = "number of the thread that runs the task"                                                      \
  }
#define TASK_HANDLERS(type, member) TASK_HANDLERS_HOME(type, member, task_write_home_thread)

#endif
