/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ready-made write handlers for parameters of an element: the counterpart of handler_read_* in click/handler.h. Each
 * stores at owner + handler->offset when the value is acceptable, and reports what was wrong otherwise.
 */
#ifndef IMAGO_ELEMENTS_PARAMETER_H
#define IMAGO_ELEMENTS_PARAMETER_H

#include "click/handler.h"

/* true false yes no on off 1 0 */
int parameter_write_bool(void *owner, const struct handler *handler, struct slice value, struct report *report);
/* A signed decimal number that fits 32 bits. */
int parameter_write_i32(void *owner, const struct handler *handler, struct slice value, struct report *report);
/* Appends the int32_t at owner + handler->offset. */
int parameter_read_i32(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report);

#endif
