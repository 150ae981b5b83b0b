/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names behind code addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tools/symbols.h"

static void load(struct symbols *symbols, const char *file, size_t length) {
  struct text text = {0};
  text_add_bytes(&text, file, length);
  symbols_parse(symbols, &text);
}

static const char file[] = "0000000000100000 start\n"
                           "0000000000100040 work\n"
                           "0000000000200000 far\n";

/* A damaged symbol file costs names, nothing else. */
static void damaged_files_cost_only_names(void **state) {
  static const struct {
    const char *text;
    size_t length, count;
  } cases[] = {
      {"", 0, 0},
      {"\n\n\n", 3, 0},
      {"0000000000100000 a", 18, 0},                                /* cut off in the middle of the line */
      {"0000000000100000\n", 17, 0},                                /* no name */
      {"100000 a\n", 9, 0},                                         /* short address */
      {"00000000001000000 a\n", 20, 0},                             /* long address */
      {"000000000010000g a\n", 19, 0},                              /* no address */
      {"\0\0\0\n\n", 5, 0},                                         /* NULs */
      {"0000000000100000 a\nrubbish\n0000000000100010 b\n", 46, 2}, /* good lines around a bad one */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct symbols symbols;
    load(&symbols, cases[i].text, cases[i].length);
    assert_int_equal(symbols.count, cases[i].count);
    symbols_free(&symbols);
  }
}

/* An address belongs to the last symbol at or below it, unless that is too far away to be its function. */
static void addresses_find_their_function(void **state) {
  static const struct {
    uint64_t address;
    const char *name;
    uint64_t offset;
  } cases[] = {
      {0, NULL, 0},          {0xfffff, NULL, 0},         {0x100000, "start", 0}, {0x10003f, "start", 0x3f},
      {0x100040, "work", 0}, {0x10ffff, "work", 0xffbf}, {0x1fffff, NULL, 0},    {0x200000, "far", 0},
      {UINT64_MAX, NULL, 0},
  };
  struct symbols symbols;
  load(&symbols, file, sizeof(file) - 1);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint64_t offset = 0;
    const char *name = symbols_find(&symbols, cases[i].address, &offset);
    if (cases[i].name == NULL) {
      assert_null(name);
    } else {
      assert_non_null(name);
      assert_string_equal(name, cases[i].name);
      assert_int_equal(offset, cases[i].offset);
    }
  }
  symbols_free(&symbols);
}

/* Code addresses of fault reports get a name once; everything else stays byte for byte. */
static void only_code_addresses_are_named(void **state) {
  static const struct {
    const char *line, *expected;
  } cases[] = {
      {"", ""},
      {"  #0 0000000000100044", "  #0 0000000000100044 work+0x4"},
      {"  #12 0000000000100000  ", "  #12 0000000000100000 start+0x0  "},
      {"  #1 0000000000100044 work+0x4", "  #1 0000000000100044 work+0x4"},
      {"  rip 0000000000100041 rsp 0000000000100042", "  rip 0000000000100041 work+0x1 rsp 0000000000100042"},
      {"  r15    000000000014a4c0  rip    0000000000100040",
       "  r15    000000000014a4c0  rip    0000000000100040 work+0x0"},
      {"  rax 0000000000100044", "  rax 0000000000100044"},
      {"  # 0000000000100044", "  # 0000000000100044"},
      {"  #x 0000000000100044", "  #x 0000000000100044"},
      {"  #0 100044", "  #0 100044"},
      {"  #0 0000000000300000", "  #0 0000000000300000"},
      {"rip", "rip"},
  };
  struct symbols symbols;
  load(&symbols, file, sizeof(file) - 1);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct text out = {0};
    symbols_annotate(&symbols, slice_of(cases[i].line), &out);
    assert_string_equal(text_string(&out), cases[i].expected);
    text_free(&out);
  }
  symbols_free(&symbols);
}

/* Without symbols every line stays as it is. */
static void no_symbols_no_names(void **state) {
  struct symbols none = {0};
  struct text out = {0};
  symbols_annotate(&none, slice_of("  #0 0000000000100044"), &out);
  assert_string_equal(text_string(&out), "  #0 0000000000100044");
  text_free(&out);
}

/* A file that is no ELF file is refused with a reason; this very program, which is one, gives its own functions in order. */
static void functions_of_an_elf_file(void **state) {
  struct report report = {0};
  struct text text = {0};
  assert_true(elf_symbols("/dev/null", &text, &report) < 0);
  assert_int_equal(report.errors, 1);
  report_free(&report);
  assert_int_equal(elf_symbols("/proc/self/exe", &text, &report), 0);
  struct symbols symbols;
  symbols_parse(&symbols, &text);
  bool found = false;
  for (size_t i = 0; i < symbols.count; i++) {
    found = found || strcmp(symbols.table[i].name, "functions_of_an_elf_file") == 0;
    assert_true(i == 0 || symbols.table[i - 1].address <= symbols.table[i].address);
  }
  assert_true(found);
  symbols_free(&symbols);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(damaged_files_cost_only_names), cmocka_unit_test(addresses_find_their_function),
      cmocka_unit_test(only_code_addresses_are_named), cmocka_unit_test(no_symbols_no_names),
      cmocka_unit_test(functions_of_an_elf_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
