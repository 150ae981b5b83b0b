/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tests of constants that an object declares tunable, or the command line makes so. Expected numbers are those of the sources.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bundle/tunable.h"
#include "compile.h"
#include "verifier/link.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define USE(variables) "SEC(\"xdp\") int p(void *c) { return " variables "; }"

static const char source[] =
    "#include \"imago/tunable.h\"\n"
    "#define MOST 1000\n"
    "const volatile __u32 rate IMAGO_TUNABLE(1, MOST) = 100;\n"
    "const volatile short depth IMAGO_TUNABLE(-5, 0x10);\n"
    "const volatile __u64 mask IMAGO_TUNABLE(0, 0xffffffffffffffff) = 7;\n"
    "const volatile __s8 plain = -1;\n"
    "const volatile _Bool on IMAGO_TUNABLE(0, 1) = 1;\n"
    "__attribute__((btf_decl_tag(\"else\"))) const volatile int fixed = 9;\n"
    "__attribute__((section(\".rodata.other\"))) const volatile int other IMAGO_TUNABLE(0, 9) = 3;\n" USE(
        "rate + depth + mask + plain + on + fixed") "\nSEC(\"xdp\") int q(void *c) { return other; }";

static int try_source(const char *text, struct link_options options, struct linked_program **linked,
                      struct text *object, struct report *report) {
  options.file = "test.bpf.o";
  options.name = "test";
  compile(text, NULL, object);
  return link_object((const uint8_t *)object->data, object->length, &options, linked, report);
}

static void expect_tunable(const struct linked_program *linked, const char *name, uint32_t size, bool is_signed,
                           uint64_t least, uint64_t most, uint64_t value) {
  for (uint32_t i = 0; i < linked->tunable_count; i++) {
    const struct bundle_tunable *t = &linked->tunables[i];
    if (strcmp(t->name, name) != 0) continue;
    assert_string_equal(linked->maps[t->map].name, "test.rodata");
    assert_int_equal(t->size, size);
    assert_int_equal(t->is_signed, is_signed);
    assert_int_equal(t->least, least);
    assert_int_equal(t->most, most);
    assert_int_equal(tunable_load(t, linked->initial[t->map].data), value);
    return;
  }
  fail_msg("no tunable %s", name);
}

/* What the source declares and what the command line adds, narrows or sets; what only another program of the object uses stays out. */
static void tunables_are_collected(void **state) {
  static const char *const more[] = {"plain=-128..0", "rate=50..200"}, *const sets[] = {"rate=60"};
  const struct link_options options = {
      .program = "p", .tunables = more, .tunable_count = COUNT(more), .sets = sets, .set_count = COUNT(sets)};
  struct linked_program *linked = NULL;
  struct report report = {0};
  struct text object;
  if (try_source(source, options, &linked, &object, &report) != 0) fail_msg("%s", text_string(&report.text));
  assert_int_equal(linked->tunable_count, 5);
  expect_tunable(linked, "rate", 4, false, 50, 200, 60);
  expect_tunable(linked, "depth", 2, true, (uint64_t)-5, 16, 0);
  expect_tunable(linked, "mask", 8, false, 0, UINT64_MAX, 7);
  expect_tunable(linked, "plain", 1, true, (uint64_t)-128, 0, (uint64_t)-1);
  expect_tunable(linked, "on", 1, false, 0, 1, 1);
  link_free(linked);
  report_free(&report);
  text_free(&object);
}

#define TUNABLE(type, range, value)                                             \
  "#include \"imago/tunable.h\"\n" type " rate IMAGO_TUNABLE" range value ";\n" \
  "const volatile int other = 1;\n" USE("rate + other")

/* What cannot be tunable is refused with the reason. */
static void what_cannot_be_tunable_is_refused(void **state) {
  static const struct {
    const char *source, *tunable;
    int error;
    const char *says;
  } cases[] = {
      {TUNABLE("const volatile int", "(5, 1)", "= 3"), NULL, ERROR_INVALID, "'5..1' is no range of a signed 32-bit"},
      {TUNABLE("const volatile int", "(1, 1 << 4)", "= 3"), NULL, ERROR_INVALID, "'1..1 << 4' is no range"},
      {TUNABLE("const volatile __u8", "(-1, 4)", "= 3"), NULL, ERROR_INVALID, "'-1..4' is no range of a 8-bit number"},
      {TUNABLE("const volatile __u8", "(1, 256)", "= 3"), NULL, ERROR_INVALID, "is no range"},
      {TUNABLE("const volatile int", "(10, 20)", "= 30"), NULL, ERROR_INVALID,
       "tunable 'rate' is 30, which is outside its range 10..20; initialise it, or set it with --set"},
      {TUNABLE("volatile int", "(10, 20)", "= 15"), NULL, ERROR_NOT_FOUND,
       "no constant 'rate'; declare it const volatile"},
      {"__attribute__((used)) static const int rate = 15; const volatile int other = 1;\n" USE("other"), "rate=1..20",
       ERROR_INVALID, "tunable 'rate' is not volatile"},
      {"const volatile char rate[4] = \"abc\";\n" USE("rate[0]"), "rate=1..20", ERROR_UNSUPPORTED, "is no number"},
      {"const volatile int rate = 1;\n" USE("rate"), "rate=1", ERROR_INVALID, "'1' is no range"},
      {"const volatile int rate = 1;\n" USE("rate"), "rate", ERROR_INVALID, "write NAME=MIN..MAX"},
      {"const volatile int rate = 1;\n" USE("rate"), "=1..2", ERROR_INVALID, "write NAME=MIN..MAX"},
      {"const volatile int rate = 1;\n" USE("rate"), "rat=1..2", ERROR_NOT_FOUND, "no constant 'rat'"},
      {"const volatile int rate = 1;\n" USE("0"), "rate=1..2", ERROR_NOT_FOUND, "nothing refers to constant 'rate'"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct linked_program *linked = NULL;
    struct report report = {0};
    struct text object;
    const struct link_options options = {.tunables = &cases[i].tunable, .tunable_count = cases[i].tunable != NULL};
    int error = try_source(cases[i].source, options, &linked, &object, &report);
    if (error != -cases[i].error || !strstr(text_string(&report.text), cases[i].says))
      fail_msg("case %zu: %d %s", i, error, text_string(&report.text));
    report_free(&report);
    text_free(&object);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_cannot_be_tunable_is_refused),
      cmocka_unit_test(tunables_are_collected),
  };
  return cmocka_run_group_tests_name("link-tunables", tests, NULL, NULL);
}
