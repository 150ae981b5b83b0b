/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of configurations in archives. Archives are written as ar(5) and ar.h describe them: magic, then for each member a header of
 * 16 + 12 + 6 + 6 + 8 + 10 + 2 characters and the data, padded to an even length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "click/archive.h"
#include "click/config.h"

#define HEADER(NAME, SIZE) NAME "0           0     0     644     " SIZE "`\n"
#define AR "!<arch>\n"
#define CONFIG HEADER("config/         ", "3         ") "a;b\n"

/* Hostile ones first: whatever is cut off or false is named, and nothing beyond the bytes is read (the sanitizers watch). */
static void takes_the_config_member(void **state) {
  static const struct {
    const char *source, *config, *message; /* config NULL: refused with message */
  } rows[] = {
      {AR "c", NULL, "f: bad archive: truncated\n"},
      {AR HEADER("config          ", "4         ") "abc", NULL, "f: bad archive: truncated\n"},
      {AR HEADER("config          ", "4294967296"), NULL, "f: bad archive: size\n"},
      {AR HEADER("config          ", "-1        "), NULL, "f: bad archive: size\n"},
      {AR HEADER("config          ", "          "), NULL, "f: bad archive: size\n"},
      {AR "config          0           0     0     644     3         'x", NULL,
       "f: bad archive: missing header magic number\n"},
      {AR HEADER("#1/9            ", "3         ") "abc", NULL, "f: bad archive: long name\n"},
      {AR HEADER("#1/x            ", "3         ") "abc", NULL, "f: bad archive: long name\n"},
      {AR HEADER("/7              ", "3         ") "abc", NULL, "f: bad archive: long name\n"},
      {AR HEADER("//              ", "2         ") "x/" HEADER("/3              ", "0         "), NULL,
       "f: bad archive: long name\n"},
      {AR, NULL, "f: archive has no 'config' section\n"},
      {AR HEADER("configs         ", "1         ") "x\n", NULL, "f: archive has no 'config' section\n"},
      {AR CONFIG, "a;b", ""},
      /* BSD's and old archives have no '/' behind the name. */
      {AR HEADER("config          ", "2         ") "ab", "ab", ""},
      {AR HEADER("config          ", "0         "), "", ""},
      /* An odd last member may lack the padding. */
      {AR HEADER("config/         ", "1         ") "a", "a", ""},
      /* Packages beside it, before and behind, are nothing to us. */
      {AR HEADER("x.uo/           ", "3         ") "\1\2\3\n" CONFIG HEADER("y.ko/           ", "1         ") "z",
       "a;b", ""},
      {AR HEADER("#1/6            ", "9         ") "configa;b\n", "a;b", ""},
      {AR HEADER("#1/8            ", "10        ") "config  ab", "ab", ""},
      {AR HEADER("//              ", "10        ") "x/\nconfig/" HEADER("/3              ", "2         ") "ab", "ab",
       ""},
      /* The first of several counts. */
      {AR CONFIG HEADER("config/         ", "1         ") "x\n", "a;b", ""},
      /* What is no archive is the Click text. */
      {"", "", ""},
      {"!<arch>", "!<arch>", ""},
      {"a -> b", "a -> b", ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct report report = {0};
    struct slice config;
    int result = click_archive_config("f", slice_of(rows[i].source), &config, &report);
    if ((result == 0) != (rows[i].config != NULL)) fail_msg("row %zu: %d %s", i, result, text_string(&report.text));
    if (result == 0 && !slice_equals(config, rows[i].config))
      fail_msg("row %zu: '%.*s'", i, (int)config.length, config.data);
    assert_string_equal(text_string(&report.text), rows[i].message);
    report_free(&report);
  }
}

/* A library that is a member of the archive is read from there, and before any other; without an archive, or under another name, it is
 * not found, and a driver without files says so. */
static void finds_libraries(void **state) {
  static const char archive[] = AR HEADER("config/         ", "28        ") "require(library l.click); a\n" HEADER(
      "l.click/        ", "14        ") "a :: Counter;\n";
  static const struct {
    const char *archive, *source, *message;
  } rows[] = {
      {"", "require(library l.click);", "f:1: 'require library' may not be used in this driver\n"},
      {archive, "require(library m.click);", "f:1: 'require library' may not be used in this driver\n"},
      {AR "x", "require(library l.click);", "f: bad archive: truncated\n"},
      {archive, "require(library l.click); a -> a;", ""},
      {archive, "require(library l.click); require(library l.click); a -> a;", ""},
      {archive, "require(library l.click); b", "f:1: undeclared element 'b', assuming element class\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct report report = {0};
    struct click_config config = {0};
    const struct click_language language = {.archive = slice_of(rows[i].archive)};
    int result = click_parse_with("f", slice_of(rows[i].source), &language, &config, &report);
    if (rows[i].message[0] == '\0' && result != 0) fail_msg("row %zu: %s", i, text_string(&report.text));
    if (result != 0) assert_string_equal(text_string(&report.text), rows[i].message);
    if (result == 0) assert_true(click_config_find(&config, "a") >= 0);
    click_config_free(&config);
    report_free(&report);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(takes_the_config_member), cmocka_unit_test(finds_libraries)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
