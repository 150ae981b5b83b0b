/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Handlers: everything that can be read or changed at run time. "element.handler" names one of an element, "handler" one of
 * the router or the system.
 */
#ifndef IMAGO_CLICK_HANDLER_H
#define IMAGO_CLICK_HANDLER_H

#include <stdint.h>

#include "lib/report.h"
#include "lib/string.h"
#include "lib/text.h"

struct element;

/* `owner` is the struct element (or, for global handlers, what they were registered with). */
struct handler {
  const char *name;
  /* Appends the value. 0 or a negative code after reporting. NULL: not readable. `parameter` is the text behind the
   * handler's name in READ, usually empty. */
  int (*read)(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
              struct report *report);
  /* NULL: not writable. `value` may hold any bytes; it is aligned to 8 and writable only by the handler's caller. Notes in
   * report on success are the confirmation. */
  int (*write)(void *owner, const struct handler *handler, struct slice value, struct report *report);
  /* For the ready-made readers below. */
  size_t offset;
  const char *help; /* one line */
  /* What is written becomes this argument in `config`, as Click's reconfigure_keyword_handler does it. NULL: `config` stays. */
  const char *argument;
  bool local; /* only elements of the graph may read it: not the control socket (files, signals) */
};

/* Ready-made: appends the uint64_t, uint32_t or bool at owner + handler->offset as decimal (true/false). */
int handler_read_u64(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                     struct report *report);
int handler_read_u32(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                     struct report *report);
int handler_read_bool(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report);

#endif
