/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Element classes of the unit tests, one for each way ports, arguments and start-up can be, and a system around them.
 */
#ifndef IMAGO_TESTS_CLICK_TEST_ELEMENTS_H
#define IMAGO_TESTS_CLICK_TEST_ELEMENTS_H

#include "click/router.h"

struct test_element {
  struct element element;
  uint32_t number;
  char *word;
  bool flag;
  uint64_t seen; /* packets */
  bool configured, initialized;
};

/* How often cleanup ran, and how often configure had allocated what cleanup has to free. */
extern unsigned test_cleanups, test_configures;

/* A router from `source`, which must be good; fails the test with the messages otherwise. */
struct router *test_router(struct scheduler *scheduler, const char *source);
/* The messages that `source` gives, into buffer. Fails the test when it is accepted. Returns the code. */
int test_errors(const char *source, char *buffer, size_t size);
/* Reads handler `name` into buffer. */
int test_read(struct router *router, const char *name, char *buffer, size_t size);

#endif
