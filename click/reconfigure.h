/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Live reconfiguration: writing an element's `config` while the graph runs. The new text is configured in an element that stands in
 * no graph; only what that accepts reaches the running one.
 */
#ifndef IMAGO_CLICK_RECONFIGURE_H
#define IMAGO_CLICK_RECONFIGURE_H

#include "click/element.h"

/* The write half of handler `config`. All or nothing: after an error the element is as it was. */
int reconfigure_write(void *owner, const struct handler *handler, struct slice value, struct report *report);

/* `value` was accepted by a handler that stands for this argument: from now on `config` says so. 0 or -ERROR_NO_MEMORY after a report. */
int reconfigure_note(struct element *e, const char *argument, struct slice value, struct report *report) MUST_USE;

/* element_class.reconfigure of the usual class, whose configure only checks: every argument takes next's value. Never fails. */
int reconfigure_arguments(struct element *e, struct element *next, struct report *report);

#endif
