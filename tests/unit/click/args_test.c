/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of argument strings, of the port codes of classes, and of nearest names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "click/args.h"
#include "click/codes.h"
#include "click/names.h"
#include "lib/memory.h"

/* Splitting follows Click's rules for commas, quotes, comments and empty arguments. */
static void splits(void **state) {
  static const struct {
    const char *config, *joined; /* arguments, each ended by '|' */
  } cases[] = {
      {"", ""},
      {"  \n ", ""},
      {"a", "a|"},
      {" a b , c ", "a b|c|"},
      {"a,", "a|"},
      {",", "|"},
      {",,a", "||a|"},
      {"\"a,b\",'c,d'", "\"a,b\"|'c,d'|"},
      {"\"a\\\",b\", c", "\"a\\\",b\"|c|"},
      {"'a\\', b", "'a\\'|b|"},
      {"\\<2c,2c>, x", "\\<2c,2c>|x|"},
      {"a /* , */ b, c // , d\n, e", "a   b|c|e|"},
      {"/* only */", ""},
      {"\n# 12 \"f\"\na, b # c,\n#5\nd", "a|b # c|d|"}, /* line markers, which the lexer has taken */
      {"a/b, http://x", "a/b|http:|"},
      {"\"open, ", "\"open,|"},
      {"\\", "\\|"},
      {"\\<", "\\<|"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct args args;
    struct text joined = {0};
    assert_int_equal(args_split(cases[i].config, &args), 0);
    for (uint32_t j = 0; j < args.count; j++)
      text_addf(&joined, "%s|", args.values[j]);
    assert_string_equal(text_string(&joined), cases[i].joined);
    text_free(&joined);
    args_free(&args);
  }
}

/* Unquoting gives the bytes Click gives, and ends where the string ends, whatever is left open. */
static void unquotes(void **state) {
  static const struct {
    const char *quoted, *plain;
    size_t length;
  } cases[] = {
      {"plain", "plain", 5},
      {"\"a b\"c'd'", "a bcd", 5},
      {"'a\\n\"'", "a\\n\"", 4},
      {"\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\q\"", "\a\b\f\n\r\t\v\\\"q", 10},
      {"a\\n", "a\\n", 3},
      {"\\<48 65 6C>x", "Helx", 4},
      {"\"\\<48\n65>\"", "He", 2},
      {"\\<00 01>", "\0\1", 2},
      {"\\<4>", "", 0},
      {"\\<41", "A", 1},
      {"\"\\101\\x42\\x\\0\"", "ABx\0", 4},
      {"\"a\\\nb\"", "ab", 2},
      {"\"open\\", "open\\", 5},
      {"\"", "", 0},
      {"\\", "\\", 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t length;
    char *plain = args_unquote(cases[i].quoted, &length);
    assert_int_equal(length, cases[i].length);
    assert_memory_equal(plain, cases[i].plain, length + 1);
    memory_free(plain);
  }
}

struct target {
  uint32_t u32;
  uint64_t u64;
  int32_t i32;
  bool flag;
  char *string, *word;
};

static const struct argument table[] = {
    {"FIRST", ARGUMENT_U32, ARGUMENT_POSITIONAL | ARGUMENT_MANDATORY, offsetof(struct target, u32), ""},
    {"LABEL", ARGUMENT_STRING, ARGUMENT_POSITIONAL, offsetof(struct target, string), ""},
    {"BIG", ARGUMENT_U64, 0, offsetof(struct target, u64), ""},
    {"SIGNED", ARGUMENT_I32, 0, offsetof(struct target, i32), ""},
    {"FLAG", ARGUMENT_BOOL, 0, offsetof(struct target, flag), ""},
    {"NAME", ARGUMENT_WORD, 0, offsetof(struct target, word), ""},
    {"OLD", ARGUMENT_U64, ARGUMENT_DEPRECATED, offsetof(struct target, u64), ""},
    {0}};

/* Positions and keywords reach their targets, with edge values of every type. */
static void parses(void **state) {
  struct target t = {0};
  struct args rest;
  assert_int_equal(args_parse("4294967295, \"a, \\\"b\\\"\", BIG 18446744073709551615, SIGNED -2147483648, FLAG yes,"
                              "NAME 'x', 12/0800 20/0a, -",
                              table, &t, &rest, NULL),
                   0);
  assert_int_equal(t.u32, UINT32_MAX);
  assert_true(t.u64 == UINT64_MAX);
  assert_int_equal(t.i32, INT32_MIN);
  assert_true(t.flag);
  assert_string_equal(t.string, "a, \"b\"");
  assert_string_equal(t.word, "x");
  assert_int_equal(rest.count, 2);
  assert_string_equal(rest.values[0], "12/0800 20/0a");
  assert_string_equal(rest.values[1], "-");
  args_free(&rest);
  args_release(table, &t);
  assert_null(t.string);
  args_release(table, &t);

  assert_int_equal(args_parse("LABEL two words, FIRST 0x10, SIGNED +5, FLAG 0", table, &t, NULL, NULL), 0);
  assert_int_equal(t.u32, 16);
  assert_int_equal(t.i32, 5);
  assert_false(t.flag);
  assert_string_equal(t.string, "two words");
  args_release(table, &t);
}

/* Every mistake is said with Click's text, in the order of the table; what was taken before is released by args_release. */
static void refuses(void **state) {
  static const struct {
    const char *config, *messages;
  } cases[] = {
      {"", "FIRST: required argument missing\n"},
      {", x", "FIRST: parse error\n"},
      {"x", "FIRST: parse error\n"},
      {"-1", "FIRST: parse error\n"},
      {"4294967296", "FIRST: out of range, bound 4294967295\n"},
      {"1, BIG 18446744073709551616", "BIG: out of range, bound 18446744073709551615\n"},
      {"1, SIGNED 2147483648", "SIGNED: out of range, bound 2147483647\n"},
      {"1, SIGNED -2147483649", "SIGNED: out of range, bound -2147483648\n"},
      {"1, SIGNED --1", "SIGNED: parse error\n"},
      {"1, FLAG 2", "FLAG: parse error\n"},
      {"1, NAME two words", "NAME: parse error\n"},
      {"1, NAME ''", "NAME: parse error\n"},
      {"1, a\\<00>b", "LABEL: parse error\n"},
      {"1, FLGA true", "FLGA: unknown argument\n"},
      {"1, a, QUITE 5", "QUITE: unknown argument\n"},
      {"1, a, b, c", "too many arguments\n"},
      {"1, two words", "two: unknown argument\n"},
      {"BIG 1, 5, a", "FIRST: parse error\ntoo many arguments\n"},
      {"FLAG x, FIRST x", "FIRST: parse error\nFLAG: parse error\n"},
      {"1, OLD 5, FOO 1", "warning: OLD: argument deprecated\nFOO: unknown argument\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct target t = {0};
    struct report report = {0};
    assert_true(args_parse(cases[i].config, table, &t, NULL, &report) < 0);
    assert_string_equal(text_string(&report.text), cases[i].messages);
    report_free(&report);
    args_release(table, &t);
  }
}

/* A written value stands in `config` where the argument stood (element.cc, reconfigure_keyword_handler), quoted where it must be. */
static void replaces(void **state) {
  static const struct argument rows[] = {{"CAPACITY", ARGUMENT_U32, ARGUMENT_POSITIONAL, 0, "", 0},
                                         {"FLAG", ARGUMENT_BOOL, 0, 0, "", 0},
                                         {"LAST", ARGUMENT_STRING, ARGUMENT_POSITIONAL, 0, "", 0},
                                         {0}};
  static const struct {
    const char *config, *name, *value, *expected;
  } cases[] = {
      {"", "CAPACITY", "5", "CAPACITY 5"},
      {"10", "CAPACITY", "5", "5"},
      {"10, b", "LAST", "c, d", "10, \"c, d\""},
      {"10", "LAST", "c", "10, LAST c"},
      {"FLAG true, CAPACITY 10", "CAPACITY", "5", "FLAG true, CAPACITY 5"},
      {"FLAG true", "CAPACITY", "5", "FLAG true, CAPACITY 5"},
      {"CAPACITY 1, CAPACITY 2", "CAPACITY", "5", "CAPACITY 1, CAPACITY 5"},
      {"\"a,b\", LAST 'x, y'", "CAPACITY", "", "\"\", LAST 'x, y'"},
      {"1, FLAG 0", "NONE", "5", "1, FLAG 0, NONE 5"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct text out = {0};
    assert_int_equal(args_replace(cases[i].config, rows, cases[i].name, slice_of(cases[i].value), &out), 0);
    assert_string_equal(text_string(&out), cases[i].expected);
    text_free(&out);
  }
}

/* A class without arguments takes none; a default text is replaced, not leaked. */
static void edge_tables(void **state) {
  struct target t = {.string = memory_copy_string("default", 7)};
  assert_int_equal(args_parse(" ", NULL, &t, NULL, NULL), 0);
  assert_int_equal(args_parse("1", NULL, &t, NULL, NULL), -ERROR_INVALID);
  assert_int_equal(args_parse("1, new", table, &t, NULL, NULL), 0);
  assert_string_equal(t.string, "new");
  args_release(table, &t);
}

/* Port count codes mean what Click's do; malformed ones are told apart. */
static void port_counts(void **state) {
  static const struct {
    const char *code;
    uint32_t in_low, in_high, out_low, out_high;
    uint32_t extra;
    bool good, equal;
  } cases[] = {
      {"1/1", 1, 1, 1, 1, 0, true, false},
      {"0/1-", 0, 0, 1, 1024, 0, true, false},
      {"1-2/-3", 1, 2, 0, 3, 0, true, false},
      {"-/=", 0, 1024, 0, 0, 0, true, true},
      {"1-/=++", 1, 1024, 0, 0, 2, true, true},
      {"2", 2, 2, 2, 2, 0, true, false},
      {"*/0", 0, 1024, 0, 0, 0, true, false},
      {"99999999999/1", 1024, 1024, 1, 1, 0, true, false},
      {.code = ""},
      {.code = "1/"},
      {.code = "/1"},
      {.code = "3-2/1"},
      {.code = "1/1x"},
      {.code = "1/=1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct port_counts counts;
    assert_int_equal(port_counts_parse(cases[i].code, &counts), cases[i].good);
    if (!cases[i].good) continue;
    assert_int_equal(counts.inputs.low, cases[i].in_low);
    assert_int_equal(counts.inputs.high, cases[i].in_high);
    assert_int_equal(counts.outputs.low, cases[i].out_low);
    assert_int_equal(counts.outputs.high, cases[i].out_high);
    assert_int_equal(counts.equal, cases[i].equal);
    assert_int_equal(counts.extra, cases[i].extra);
  }
}

/* Processing and flow codes: the last letter repeats, sets and '#' hold. */
static void processing_and_flow(void **state) {
  assert_int_equal(processing_of("a/ah", true, 0), PORT_AGNOSTIC);
  assert_int_equal(processing_of("a/ah", true, 1), PORT_PUSH);
  assert_int_equal(processing_of("a/ah", true, 900), PORT_PUSH);
  assert_int_equal(processing_of("hl/a", false, 0), PORT_PUSH);
  assert_int_equal(processing_of("hl/a", false, 5), PORT_PULL);
  assert_int_equal(processing_of("l", true, 3), PORT_PULL);
  static const struct {
    const char *code;
    uint32_t input, output;
    bool linked;
  } cases[] = {
      {NULL, 3, 9, true},      {"x/x", 0, 7, true},      {"x/y", 0, 0, false},      {"xy/x", 0, 0, true},
      {"xy/x", 1, 0, false},   {"xy/x", 2, 0, false},    {"#/#", 4, 4, true},       {"#/#", 4, 5, false},
      {"xy/[xy]", 1, 3, true}, {"xy/x[^x]", 1, 1, true}, {"xy/x[^x]", 0, 1, false}, {"[x", 0, 0, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(flow_links(cases[i].code, cases[i].input, cases[i].output), cases[i].linked);
}

/* A name is suggested when a third of it or less is wrong, whatever its case; swapped letters are one mistake. */
static void nearest_names(void **state) {
  static const struct {
    const char *wanted, *best;
  } cases[] = {
      {"Countr", "Counter"}, {"COUNTER", "Counter"}, {"Quuee", "Queue"}, {"Xyzzy", NULL}, {"Q", NULL}, {"", NULL},
      {"Conuter", "Counter"}};
  static const char *const names[] = {"Counter", "Queue", "Discard"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct nearest nearest;
    nearest_init(&nearest, slice_of(cases[i].wanted));
    for (size_t j = 0; j < 3; j++)
      nearest_consider(&nearest, names[j]);
    if (cases[i].best) {
      assert_string_equal(nearest.best, cases[i].best);
    } else {
      assert_null(nearest.best);
    }
  }
}

/* A table finds every name put into it through its growth, and refuses a second one of the same name. */
static void name_tables(void **state) {
  struct name_table table_of_names = {0};
  char names[1000][8];
  assert_true(name_table_find(&table_of_names, slice_of("n0")) == -1);
  for (uint32_t i = 0; i < 1000; i++) {
    format_text(names[i], sizeof names[i], "n%u", i);
    assert_int_equal(name_table_add(&table_of_names, slice_of(names[i]), i), 0);
  }
  for (uint32_t i = 0; i < 1000; i++) {
    assert_true(name_table_find(&table_of_names, slice_of(names[i])) == i);
    assert_int_equal(name_table_add(&table_of_names, slice_of(names[i]), 0), -ERROR_EXISTS);
  }
  assert_true(name_table_find(&table_of_names, slice_of("n1000")) == -1);
  name_table_free(&table_of_names);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuses),     cmocka_unit_test(parses),        cmocka_unit_test(replaces),
      cmocka_unit_test(splits),      cmocka_unit_test(unquotes),      cmocka_unit_test(edge_tables),
      cmocka_unit_test(port_counts), cmocka_unit_test(nearest_names), cmocka_unit_test(processing_and_flow),
      cmocka_unit_test(name_tables),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
