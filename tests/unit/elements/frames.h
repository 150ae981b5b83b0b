/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tables of packets in hexadecimal: what goes into a graph, and what must come out of it.
 */
#ifndef IMAGO_TESTS_ELEMENTS_FRAMES_H
#define IMAGO_TESTS_ELEMENTS_FRAMES_H

#include "tests/unit/elements/harness.h"

enum { FRAME_COPIES = 3 };

/* One row: an element between Inject and two Captures, pushed and pulled. A list of packets is hexadecimal with blanks between. */
struct frame_row {
  const char *element;  /* with arguments */
  const char *in;       /* to its input */
  const char *out;      /* from output 0 */
  const char *rejected; /* from output 1; NULL: it has none */
};

/* Runs a row with each batch size from 1 to 256, as push and as pull. */
void frames_check(const struct frame_row *row);
/* Sends one packet into Inject element `name` at time `timestamp` of its annotation. */
void frames_send(const char *name, const char *hex, uint64_t timestamp);
/* As harness_captured, in hexadecimal. */
const char *frames_captured(const char *name);

#endif
