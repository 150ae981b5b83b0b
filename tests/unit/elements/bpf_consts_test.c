/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of tunables: constants of a program that its element chooses, and that handlers read and change.
 */
#include <string.h>

#include "tests/unit/bpf/asm.h"
#include "tests/unit/elements/bundles.h"

/* The verdict is `verdict`, the second constant of map 0. */
static const struct bpf_insn obey[] = {LOAD_KIND(1, BPF_PSEUDO_MAP_VALUE, 0, 4), LOAD(BPF_W, 0, 1, 0), EXIT()};
static const struct bpf_insn pass[] = {MOV_IMM(0, XDP_PASS), EXIT()};

static const struct bpf_map_def constants = {"t.rodata", BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY_PROG};
/* depth is -3, verdict XDP_PASS. */
static const struct slice initial[] = {{"\xfd\xff\x11\x22\x02\0\0\0", 8}};
static const struct bundle_tunable tunables[] = {{"depth", 0, 0, 2, true, (uint64_t)-5, 16},
                                                 {"verdict", 0, 4, 4, false, XDP_DROP, XDP_PASS}};

#define TUNED(version)                                                                                      \
  "t", (version), CODE(obey), .maps = &constants, .map_count = 1, .initial = initial, .tunables = tunables, \
                              .tunable_count = 2
static const struct recipe tuned = {TUNED(1)};
static const struct recipe tuned_again = {TUNED(2)};
static const struct recipe untuned = {"t", 3, CODE(pass)};

#define GRAPH(arguments) "i :: Inject -> e :: BPFilter(first" arguments ") -> c :: Capture"

/* CONST decides from the first packet on, in both engines; the rest of the constants stay as the bundle has them. */
static void chosen_by_the_argument(void **state) {
  static const char *const graphs[] = {GRAPH(", CONST verdict=1 depth=-5"),
                                       GRAPH(", CONST \"verdict=1 depth=-5\", JIT false")};
  for (size_t i = 0; i < 2; i++) {
    bundles_start(tuned, graphs[i]);
    harness_inject("i", "a b", 256);
    assert_string_equal(harness_captured("c"), "");
    assert_string_equal(harness_read("e.consts"), "depth -5 -5..16\nverdict 1 1..2\n");
    harness_stop();
  }
  bundles_start(tuned, GRAPH(""));
  harness_inject("i", "a", 256);
  assert_string_equal(harness_captured("c"), "a ");
  assert_string_equal(harness_read("e.consts"), "depth -3 -5..16\nverdict 2 1..2\n");
  assert_string_equal(harness_read_with("e.consts", "json"),
                      "[{\"name\": \"depth\", \"value\": -3, \"min\": -5, \"max\": 16},\n "
                      "{\"name\": \"verdict\", \"value\": 2, \"min\": 1, \"max\": 2}]");
  harness_stop();
}

/* An unknown name is refused with those that there are, a value outside the range with the range. */
static void wrong_choices_are_refused(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {GRAPH(", CONST speed=1"), "CONST: t version 1 has no tunable 'speed'; it has: depth -5..16, verdict 1..2"},
      {GRAPH(", CONST verdict=3"), "CONST: verdict of t version 1 must be a number in 1..2, not '3'"},
      {GRAPH(", CONST verdict=0"), "must be a number in 1..2, not '0'"},
      {GRAPH(", CONST depth=-6"), "CONST: depth of t version 1 must be a number in -5..16, not '-6'"},
      {GRAPH(", CONST depth=65533"), "not '65533'"},
      {GRAPH(", CONST verdict="), "must be a number in 1..2, not ''"},
      {GRAPH(", CONST verdict=4294967297"), "not '4294967297'"},
      {GRAPH(", CONST verdict"), "CONST: 'verdict': write NAME=VALUE, separated by blanks"},
      {GRAPH(", CONST =1"), "CONST: '=1': write NAME=VALUE"},
      {GRAPH(", CONST verdict=1 speed=1"), "no tunable 'speed'"},
  };
  bundles_start(tuned, GRAPH(""));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    harness_refuses_beside(cases[i].config, cases[i].message);
  harness_inject("i", "a", 256);
  assert_string_equal(harness_captured("c"), "a ");
  harness_stop();
}

/* A change holds for the next packet, and until the program is replaced: then CONST counts again. */
static void changed_while_packets_flow(void **state) {
  bundles_start(tuned, GRAPH(", CONST verdict=1"));
  harness_expect_write("e.const", "verdict 2", 0);
  harness_inject("i", "a", 256);
  assert_string_equal(harness_captured("c"), "a ");
  harness_expect_write("e.const", "verdict 3", -ERROR_INVALID);
  assert_non_null(strstr(harness_message(), "must be a number in 1..2, not '3'"));
  harness_expect_write("e.const", "verdict", -ERROR_INVALID);
  harness_expect_write("e.const", "", -ERROR_NOT_FOUND);
  harness_expect_write("e.map_set", "t.rodata 0 0x0000000000000000", -ERROR_PERMISSION);
  assert_string_equal(harness_read("e.consts"), "depth -3 -5..16\nverdict 2 1..2\n");
  bundles_expect_load("e.program", tuned_again);
  harness_quiesce();
  assert_string_equal(harness_read("e.consts"), "depth -3 -5..16\nverdict 1 1..2\n");
  /* A program that cannot take CONST is refused, and the other goes on. */
  assert_int_equal(bundles_load("e.program", untuned), -ERROR_NOT_FOUND);
  assert_non_null(strstr(harness_message(), "CONST: t version 3 has no tunable 'verdict'; it has: none"));
  /* Another graph: the same CONST keeps what was written, another one starts the program anew. */
  harness_expect_write("e.const", "depth 7", 0);
  harness_replace(GRAPH(", CONST verdict=1"));
  assert_string_equal(harness_read("e.consts"), "depth 7 -5..16\nverdict 1 1..2\n");
  harness_replace(GRAPH(", CONST verdict=2"));
  assert_string_equal(harness_read("e.consts"), "depth -3 -5..16\nverdict 2 1..2\n");
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_choices_are_refused),
      cmocka_unit_test(chosen_by_the_argument),
      cmocka_unit_test(changed_while_packets_flow),
  };
  return cmocka_run_group_tests(tests, NULL, bundles_release);
}
