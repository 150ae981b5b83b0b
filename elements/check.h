/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the elements that check headers share (CheckIPHeader, CheckTCPHeader ...): a verdict for each packet of a batch, good ones to
 * output 0, bad ones to output 1 or dropped, counts by reason, Click's message and handlers.
 */
#ifndef IMAGO_ELEMENTS_CHECK_H
#define IMAGO_ELEMENTS_CHECK_H

#include "click/element.h"

enum { CHECK_REASONS_MAX = 6 };

struct check;

/* A kind of check. Reasons are Click's texts with '_' for blanks: they are the names of drop counters too. */
struct check_kind {
  const char *header; /* "IP", for "IP header check failed" */
  const char *const *reasons;
  /* Writes verdicts[i] for each packet: 0 good, otherwise 1 + the number of the reason. Returns whether any is bad. */
  bool (*judge)(struct check *check, struct packet *const *packets, uint32_t count, uint8_t *verdicts);
};

/* First member of the element's struct; `kind` is set in its defaults. */
struct check {
  struct element element;
  const struct check_kind *kind;
  bool verbose, details;
  uint8_t told; /* the first failure was logged */
  uint64_t failed[CHECK_REASONS_MAX];
};

/* For the class. Ports 1/1-2, processing a/ah. */
void check_push(struct element *e, unsigned port, struct batch *batch);
void check_pull(struct element *e, unsigned port, struct batch *batch, unsigned max);
void check_take_state(struct element *e, struct element *old, struct report *report);
/* `drop_details` is there only with DETAILS true. */
const struct handler *check_handler_find(struct element *e, struct slice name);
const struct handler *check_handler_at(struct element *e, uint32_t index);
extern const struct handler check_handlers[];

/* Rows of an argument table. */
#define CHECK_ARGUMENTS                                                                                               \
  {"VERBOSE", ARGUMENT_BOOL, 0, offsetof(struct check, verbose), "log every bad packet, not only the first (false)"}, \
      {"DETAILS", ARGUMENT_BOOL, 0, offsetof(struct check, details), "have drop_details (false)"}, {                  \
    0                                                                                                                 \
  }

#endif
