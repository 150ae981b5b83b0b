/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The test of proof/number.h can fail: linked with sources in which tests/soundness/plant.py planted bugs, it finds each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "planted.h"
#include "tests/unit/proof/number_test.h"

unsigned proof_planted;

/* What the test says of a checker with this bug. */
static bool passes_with(unsigned bug) {
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    proof_planted = bug;
    if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL) _exit(3);
    _exit(number_test() == 0 ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
  return WEXITSTATUS(status) == 0;
}

static void test_without_a_bug_it_passes(void **state) { assert_true(passes_with(0)); }

static void test_each_planted_bug_is_found(void **state) {
  for (unsigned bug = 1; bug <= PLANTED_IN_NUMBERS; bug++) {
    if (passes_with(bug)) fail_msg("row %u of tests/soundness/plant.py is not found", bug);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_without_a_bug_it_passes),
      cmocka_unit_test(test_each_planted_bug_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
