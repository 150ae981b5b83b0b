/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of maps as seen through the handlers of elements that run programs, and of maps that elements share.
 */
#include <string.h>

#include "kernel/postpone.h"
#include "tests/unit/bpf/asm.h"
#include "tests/unit/elements/bundles.h"

static const struct bpf_insn pass[] = {MOV_IMM(0, XDP_PASS), EXIT()};
/* Counts in entry 0 of map 0, an array or per-CPU array of 8-byte values. */
static const struct bpf_insn count[] = {
    STORE_IMM(BPF_W, 10, -4, 0),
    LOAD_MAP(1, 0),
    MOV(2, 10),
    ADD_IMM(2, -4),
    CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM),
    JUMP_IMM(BPF_JEQ, 0, 0, 3),
    LOAD(BPF_DW, 1, 0, 0),
    ADD_IMM(1, 1),
    STORE(BPF_DW, 0, 1, 0),
    MOV_IMM(0, XDP_PASS),
    EXIT(),
};
/* The first two bytes of the packet are a record of map 0. */
static const struct bpf_insn record[] = {
    LOAD(BPF_W, 2, 1, 0), LOAD_MAP(1, 0), MOV_IMM(3, 2), MOV_IMM(4, 0), CALL_HELPER(BPF_HELPER_RINGBUF_OUTPUT),
    MOV_IMM(0, XDP_PASS), EXIT()};

static const struct bpf_map_def several[] = {
    {"flows", BPF_MAP_TYPE_HASH, 4, 8, 2, 0},
    {"wide", BPF_MAP_TYPE_HASH, 6, 3, 4, 0},
    {"list", BPF_MAP_TYPE_QUEUE, 0, 4, 2, 0},
    {"jumps", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2, 0},
};
static const struct bpf_map_def hits = {"hits", BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0};
static const struct bpf_map_def hits_wider = {"hits", BPF_MAP_TYPE_ARRAY, 4, 16, 1, 0};
static const struct bpf_map_def hits_per_cpu = {"hits", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1, 0};
static const struct bpf_map_def events = {"events", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0};
static const struct slice initial[] = {{"\0\0\0\0\0\0\0\0", 8}};

static const struct recipe counter = {"t", 1, CODE(count), .maps = &hits, .map_count = 1};
static const struct recipe counter_per_cpu = {"t", 1, CODE(count), .maps = &hits_per_cpu, .map_count = 1};

/* A second program, which no compiler takes: its main function runs on into the one that it calls. */
static const struct bpf_insn count_and_other[] = {
    STORE_IMM(BPF_W, 10, -4, 0),
    LOAD_MAP(1, 0),
    MOV(2, 10),
    ADD_IMM(2, -4),
    CALL_HELPER(BPF_HELPER_MAP_LOOKUP_ELEM),
    JUMP_IMM(BPF_JEQ, 0, 0, 3),
    LOAD(BPF_DW, 1, 0, 0),
    ADD_IMM(1, 1),
    STORE(BPF_DW, 0, 1, 0),
    MOV_IMM(0, XDP_PASS),
    EXIT(),
    CALL(0),
    MOV_IMM(0, XDP_PASS),
    EXIT(),
};
static const struct bundle_program count_and_other_programs[] = {{"", 0, 12}, {"other", 12, 3}};

static const char plain[] = "i :: Inject -> e :: BPFRewriter(first) -> Discard";

/* --- handlers --- */

/* Entries are put in, read, listed and taken out; numbers are decimal, everything else and whatever is written so is bytes in memory
 * order. */
static void entries(void **state) {
  bundles_start((struct recipe){"t", 1, CODE(pass), .maps = several, .map_count = 4}, plain);
  harness_expect_write("e.map_set", "flows 7 1000000000000", 0);
  assert_string_equal(harness_read_with("e.map_get", "flows 7"), "7: 1000000000000");
  assert_string_equal(harness_read_with("e.map_get", "flows 7 json"), "{\"key\": 7, \"value\": 1000000000000}");
  /* 0x01000007 in the memory of a little-endian machine. */
  harness_expect_write("e.map_set", "flows 0x07000001 0x0200000000000000", 0);
  assert_string_equal(harness_read_with("e.map_get", "flows 16777223"), "16777223: 2");
  assert_string_equal(harness_read("e.maps"),
                      "flows hash 4 8 2 2\nwide hash 6 3 4 0\nlist queue 0 4 2 0\njumps prog_array 4 4 2 0\n");
  harness_expect_write("e.map_set", "flows 8 1", -ERROR_TOO_BIG);
  assert_non_null(strstr(harness_message(), "flows: there is no room"));
  harness_expect_write("e.map_delete", "flows 16777223", 0);
  harness_expect_write("e.map_delete", "flows 16777223", -ERROR_NOT_FOUND);
  assert_string_equal(harness_read_with("e.map_dump", "flows"), "7: 1000000000000\n");
  assert_string_equal(harness_read_with("e.map_dump", "flows json"), "[{\"key\": 7, \"value\": 1000000000000}]");
  harness_expect_write("e.map_set", "wide 0x0a0b0c0d0e0f 0x010203", 0);
  assert_string_equal(harness_read_with("e.map_dump", "wide"), "0a0b0c0d0e0f: 010203\n");
  harness_expect_write("e.map_set", "list 5", 0);
  assert_string_equal(harness_read_with("e.map_dump", "list"), "entries 1\n");
  harness_stop();
}

/* What is wrong with a request is said, and nothing changes. */
static void wrong_requests(void **state) {
  static const struct {
    const char *handler, *value;
    int status;
    const char *message;
  } cases[] = {
      {"e.map_set", "", -ERROR_NOT_FOUND, "t has no map ''; it has: flows, wide, list, jumps"},
      {"e.map_set", "flow 1 2", -ERROR_NOT_FOUND, "t has no map 'flow'"},
      {"e.map_set", "flows", -ERROR_INVALID, "flows: no key"},
      {"e.map_set", "flows 4294967296 1", -ERROR_INVALID, ""},
      {"e.map_set", "flows 0x010203 1", -ERROR_INVALID, ""},
      {"e.map_set", "flows 1", -ERROR_INVALID, ""},
      {"e.map_set", "flows 1 2 3", -ERROR_INVALID, ""},
      {"e.map_set", "wide 0x01 2", -ERROR_INVALID, ""},
      {"e.map_delete", "flows 1 2", -ERROR_INVALID, "flows: '2' is more than there is to say"},
      {"e.map_delete", "jumps 0", -ERROR_UNSUPPORTED, "jumps: entries are programs, maps or records"},
      {"e.map_set", "jumps 0 1", -ERROR_UNSUPPORTED, "jumps: entries are programs, maps or records"},
  };
  bundles_start((struct recipe){"t", 1, CODE(pass), .maps = several, .map_count = 4}, plain);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    harness_expect_write(cases[i].handler, cases[i].value, cases[i].status);
    if (strstr(harness_message(), cases[i].message) == NULL) fail_msg("case %zu: %s", i, harness_message());
  }
  harness_expect_refusal("e.map_get", "flows 1", -ERROR_NOT_FOUND, "flows: no such entry");
  harness_expect_refusal("e.map_dump", "nowhere", -ERROR_NOT_FOUND, "t has no map 'nowhere'");
  harness_expect_refusal("e.map_records", "flows", -ERROR_UNSUPPORTED, "flows: a hash has no records; read map_dump");
  assert_string_equal(harness_read_with("e.map_dump", "flows"), "");
  harness_stop();
}

static unsigned worker;
static unsigned this_worker(void) { return worker; }

/* Each worker has a value of its own; all are shown, and set to one value or each to its own. */
static void values_per_processor(void **state) {
  bundles_open(counter_per_cpu);
  struct scheduler schedulers[2];
  scheduler_init(&schedulers[0], 0);
  scheduler_init(&schedulers[1], 0);
  harness.services.workers = 2;
  harness.services.worker = this_worker;
  struct report report = {0};
  assert_int_equal(router_create("t.click", slice_of(plain), &harness.services, schedulers, &harness.router, &report),
                   0);
  report_free(&report);
  worker = 0;
  harness_inject("i", "a b c", 256);
  worker = 1;
  harness_inject("i", "d", 256);
  worker = 0;
  assert_string_equal(harness_read_with("e.map_get", "hits 0"), "0: 3 1");
  assert_string_equal(harness_read_with("e.map_get", "hits 0 json"), "{\"key\": 0, \"values\": [3, 1]}");
  harness_expect_write("e.map_set", "hits 0 [5, 6]", 0);
  assert_string_equal(harness_read_with("e.map_dump", "hits"), "0: 5 6\n");
  harness_expect_write("e.map_set", "hits 0 9", 0);
  assert_string_equal(harness_read_with("e.map_dump", "hits json"), "[{\"key\": 0, \"values\": [9, 9]}]");
  router_destroy(harness.router);
  harness.router = NULL;
  harness_stop();
}

/* Records are taken, oldest first, each once. */
static void records(void **state) {
  bundles_start((struct recipe){"t", 1, CODE(record), .maps = &events, .map_count = 1}, plain);
  harness_inject("i", "ab cd", 256);
  assert_string_equal(harness_read_with("e.map_records", "events"), "6162\n6364\n");
  assert_string_equal(harness_read_with("e.map_records", "events"), "");
  harness_inject("i", "ef gh", 256);
  assert_string_equal(harness_read_with("e.map_records", "events json"),
                      "[{\"processor\": 0, \"length\": 2, \"data\": \"0x6566\"},\n "
                      "{\"processor\": 0, \"length\": 2, \"data\": \"0x6768\"}]");
  harness_stop();
}

/* --- engines --- */

static struct postpone postponed;
static void postpone(struct postponed *work, bool (*function)(struct postponed *work)) {
  postpone_add(&postponed, work, function);
}

static void start_postponed(struct recipe first, const char *config) {
  postpone_init(&postponed);
  bundles_open(first);
  harness.services.postpone = postpone;
  harness_build(config);
}

/* At first packets meet the interpreter; then native code goes on with the same maps, a program a step. What cannot
 * be compiled stays interpreted, and the log says why. */
static void compiles_later(void **state) {
  start_postponed((struct recipe){"t", 1, CODE(count_and_other), .maps = &hits, .map_count = 1,
                                  .programs = count_and_other_programs, .program_count = 2},
                  plain);
  harness_inject("i", "a b", 0);
  assert_non_null(strstr(harness_read("e.program"), "engine interpreter\n"));
  assert_true(postpone_step(&postponed));
  assert_non_null(strstr(harness_read("e.program"), "engine native\n"));
  assert_null(strstr(text_string(&harness.log), "interpreted"));
  assert_true(postpone_step(&postponed));
  assert_non_null(strstr(text_string(&harness.log), "t version 1, program other runs interpreted: "));
  assert_false(postpone_step(&postponed));
  harness_inject("i", "c", 0);
  assert_string_equal(harness_read_with("e.map_get", "hits 0"), "0: 3");
  /* So it is with what is loaded later. */
  bundles_expect_load("e.program", (struct recipe){"t", 2, CODE(count), .maps = &hits, .map_count = 1});
  assert_non_null(strstr(harness_read("e.program"), "engine interpreter\n"));
  assert_true(postpone_step(&postponed));
  assert_non_null(strstr(harness_read("e.program"), "engine native\n"));
  harness_inject("i", "d", 0);
  assert_string_equal(harness_read_with("e.map_get", "hits 0"), "0: 4");
  harness_stop();
}

/* A program that goes before it is compiled is forgotten; JIT false never compiles. */
static void forgets_what_went(void **state) {
  start_postponed(counter, plain);
  bundles_expect_load("e.program", (struct recipe){"t", 2, CODE(count), .maps = &hits, .map_count = 1});
  harness_quiesce(); /* version 1 goes */
  assert_true(postpone_step(&postponed));
  assert_non_null(strstr(harness_read("e.program"), "engine native\n"));
  assert_false(postpone_step(&postponed));
  harness_stop();
  start_postponed(counter, plain);
  harness_stop();
  assert_false(postpone_step(&postponed));
  start_postponed(counter, "i :: Inject -> e :: BPFRewriter(first, JIT false) -> Discard");
  assert_false(postpone_step(&postponed));
  assert_non_null(strstr(harness_read("e.program"), "engine interpreter\n"));
  harness_stop();
}

/* --- shared maps --- */

/* Elements that name a map have one in common, the others have their own; it lives as long as the last that uses it, across changes of
 * program and graph. */
static void maps_are_shared(void **state) {
  bundles_start(counter,
                "i :: Inject -> a :: BPFilter(first, MAPS hits) -> b :: BPFRewriter(first, MAPS \"hits\") -> c :: "
                "BPFilter(first) -> Discard");
  harness_inject("i", "x y", 256);
  assert_string_equal(harness_read_with("a.map_get", "hits 0"), "0: 4");
  assert_string_equal(harness_read_with("b.map_get", "hits 0"), "0: 4");
  assert_string_equal(harness_read_with("c.map_get", "hits 0"), "0: 2");
  bundles_expect_load("a.program", (struct recipe){"t", 2, CODE(count), .maps = &hits, .map_count = 1});
  harness_quiesce();
  harness_inject("i", "x", 256);
  assert_string_equal(harness_read_with("b.map_get", "hits 0"), "0: 6");
  /* a goes, d comes: what they share with b stays. */
  harness.files[1].name = "other";
  harness.files[1].bytes = bundles_bake(1, (struct recipe){"u", 1, CODE(count), .maps = &hits, .map_count = 1});
  harness_replace("i :: Inject -> d :: BPFilter(other, MAPS hits) -> b :: BPFRewriter(first, MAPS hits) -> Discard");
  harness_inject("i", "x", 256);
  assert_string_equal(harness_read_with("d.map_get", "hits 0"), "0: 8");
  harness_stop();
}

/* Another layout than the other's, what cannot be common and what is not there are refused. */
static void sharing_is_refused(void **state) {
  static const char pair[] =
      "i :: Inject -> a :: BPFilter(first, MAPS hits) -> b :: BPFilter(first, MAPS hits) -> Discard";
  bundles_start(counter, pair);
  assert_int_equal(bundles_load("b.program", (struct recipe){"u", 1, CODE(pass), .maps = &hits_wider, .map_count = 1}),
                   -ERROR_INVALID);
  assert_non_null(
      strstr(harness_message(),
             "map hits of u version 1 does not fit the one that t version 1 has filled: value size 16, was 8"));
  assert_int_equal(bundles_load("b.program", (struct recipe){"u", 1, CODE(pass)}), -ERROR_INVALID);
  assert_non_null(strstr(harness_message(), "MAPS: u version 1: 'hits' is none of its maps; leave it out of MAPS"));
  assert_int_equal(
      bundles_load("b.program", (struct recipe){"u", 1, CODE(pass), .maps = &hits, .map_count = 1, .initial = initial}),
      -ERROR_INVALID);
  assert_non_null(strstr(harness_message(), "'hits' belongs to one program"));
  harness_inject("i", "x", 256);
  assert_string_equal(harness_read_with("b.map_get", "hits 0"), "0: 2");
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(entries),         cmocka_unit_test(wrong_requests),     cmocka_unit_test(values_per_processor),
      cmocka_unit_test(compiles_later),  cmocka_unit_test(forgets_what_went),  cmocka_unit_test(records),
      cmocka_unit_test(maps_are_shared), cmocka_unit_test(sharing_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, bundles_release);
}
