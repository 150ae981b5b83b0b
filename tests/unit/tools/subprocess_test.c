/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Running another program to its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "tools/subprocess.h"

/* Every way for a program to end gives its own answer, and what it said is kept. */
static void ends_are_told_apart(void **state) {
  static const struct {
    const char *script, *input;
    int status;
    const char *output;
  } cases[] = {
      {"exit 0", "", 0, ""},
      {"exit 0", "never read\n", 0, ""}, /* ends without looking at its input */
      {"exit 7", "", 7, ""},
      {"cat", "to and fro", 0, "to and fro"},
      {"echo out; echo err >&2; exit 1", "", 1, "out\nerr\n"},
      {"kill -TERM $$", "", 128 + SIGTERM, ""},
      {"sleep 100", "", SUBPROCESS_TIMEOUT, ""},
      {"sleep 100 & exit 3", "", 3, ""}, /* a grandchild that keeps the output open holds nobody up */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char shell[] = "sh", option[] = "-c", script[64];
    format_text(script, sizeof(script), "%s", cases[i].script);
    char *values[] = {shell, option, script, NULL};
    struct text output = {0};
    unsigned timeout = cases[i].status == SUBPROCESS_TIMEOUT ? 50 : 20000;
    assert_int_equal(subprocess_run(values, cases[i].input, timeout, &output), cases[i].status);
    assert_string_equal(text_string(&output), cases[i].output);
    text_free(&output);
  }
}

/* A program that is not there is said to be not there. */
static void missing_programs_are_named_so(void **state) {
  char name[] = "no-such-program-anywhere";
  char *values[] = {name, NULL};
  struct text output = {0};
  assert_int_equal(subprocess_run(values, "", 1000, &output), SUBPROCESS_NOT_FOUND);
  text_free(&output);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ends_are_told_apart),
      cmocka_unit_test(missing_programs_are_named_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
