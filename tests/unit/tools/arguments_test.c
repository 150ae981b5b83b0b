/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Command lines as text for a shell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tools/arguments.h"

/* A word comes out of the shell as it went in, whatever is in it: the shell itself is the judge. */
static void words_survive_the_shell(void **state) {
  static const char *const words[] = {"plain",     "",           "two words", "it's",      "''", "$HOME",
                                      "`id`",      "a;b",        "a\\b",      "new\nline", "*",  "~",
                                      "x=1,y=:2%", "\"quoted\"", "#no",       "tab\there", "!!", "(a)&|<>",
                                      "-o",        "{a,b}",      "[a]?",      "\xc3\xa9"};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    struct text command = {0};
    char out[64];
    text_add(&command, "printf %s. ");
    shell_quote(words[i], &command);
    FILE *shell = popen(text_string(&command), "r");
    assert_non_null(shell);
    size_t length = fread(out, 1, sizeof(out), shell);
    assert_int_equal(pclose(shell), 0);
    assert_int_equal(length, strlen(words[i]) + 1);
    assert_memory_equal(out, words[i], length - 1);
    text_free(&command);
  }
}

/* Words that no shell touches stay as they are: a command line is for reading, too. */
static void plain_words_are_not_quoted(void **state) {
  static const char *const words[] = {"-M", "microvm,acpi=off", "file:/run/imago/fw/console", "user@host", "100%"};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    struct text text = {0};
    shell_quote(words[i], &text);
    assert_string_equal(text_string(&text), words[i]);
    text_free(&text);
  }
}

/* One option a line with its value, every line but the last continued. */
static void one_option_a_line(void **state) {
  struct arguments arguments = {0};
  struct text text = {0};
  arguments_add(&arguments, "qemu");
  arguments_add(&arguments, "-m");
  arguments_add(&arguments, "%u", 8);
  arguments_add(&arguments, "-append");
  arguments_add(&arguments, "a b");
  arguments_to_shell(&arguments, &text);
  assert_string_equal(text_string(&text), "qemu \\\n  -m 8 \\\n  -append 'a b'\n");
  assert_null(arguments.values[arguments.count]);
  arguments_free(&arguments);
  text_free(&text);
}

/* The vector stays ended by NULL however long it grows. */
static void long_vectors_end_in_null(void **state) {
  struct arguments arguments = {0};
  for (unsigned i = 0; i < 1000; i++) {
    arguments_add(&arguments, "%u", i);
    assert_false(arguments.failed);
    assert_int_equal(arguments.count, i + 1);
    assert_null(arguments.values[i + 1]);
  }
  assert_string_equal(arguments.values[999], "999");
  arguments_free(&arguments);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_survive_the_shell),
      cmocka_unit_test(plain_words_are_not_quoted),
      cmocka_unit_test(one_option_a_line),
      cmocka_unit_test(long_vectors_end_in_null),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
