/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A row for every argument and handler of every element class: a graph in which it matters, what is done there, and what is read
 * then. rows_test.c runs them, and fails where an argument or a handler of a linked class has none.
 */
#ifndef IMAGO_TESTS_ELEMENTS_ROWS_H
#define IMAGO_TESTS_ELEMENTS_ROWS_H

#include <stddef.h>

/* The element in question is called e. `classes` are words CLASS or CLASS:ARGUMENTS; the row is run for each, with $C and $A in `graph`
 * for the two. `items` are the arguments (upper case) and handlers of that class that the row is about; each stands in `graph` or
 * `steps`. Without an argument the result has to be another one, unless it is marked with '~'.
 *
 * `steps` are separated by blanks; in words, values, arguments and parameters '_' stands for a blank:
 *   I=WORDS       inject frames at element i, all in one batch     J=WORDS  one by one at element j
 *   R             20 rounds of all tasks, at this time             T=MS     until so many milliseconds later
 *   H=VALUE       write handler H, which is accepted               !H=VALUE which is refused
 *   H  H(PARAM)   read handler H                                   @NAME    what Capture NAME has, which it then forgets
 *   %log          the log so far                                   %said    what was said of the graph
 *   %stops        how often the driver was asked to stop
 * `expected` is what reads, @ and % give, in order, joined by '|'. Steps NULL: the graph is refused, with `expected` in the message.
 *
 * `source` says why so: the file of Click that says it, an RFC, or how it is computed; never our own output. */
struct row {
  const char *classes, *items, *graph, *steps, *expected, *source;
};

/* Ended by classes NULL. */
extern const struct row rows_flow[];   /* sources, queues, what moves, paces and counts packets */
extern const struct row rows_choice[]; /* what chooses, marks and changes packets */
extern const struct row rows_header[]; /* what looks at headers, and what prints */
extern const struct row rows_script[]; /* what acts on handlers */

#endif
