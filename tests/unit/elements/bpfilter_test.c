/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of BPFilter: verdicts, faults, and changes of the program while packets flow.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/bpf/asm.h"
#include "tests/unit/elements/bundles.h"

/* --- programs --- */

static const struct bpf_insn pass[] = {MOV_IMM(0, XDP_PASS), EXIT()};
static const struct bpf_insn drop[] = {MOV_IMM(0, XDP_DROP), EXIT()};
/* The frame's first digit is the verdict; 'f' reads address 1. */
static const struct bpf_insn obey[] = {
    LOAD(BPF_W, 2, 1, 0),
    LOAD(BPF_B, 0, 2, 0),
    JUMP_IMM(BPF_JNE, 0, 'f', 2),
    MOV_IMM(2, 1),
    LOAD(BPF_B, 0, 2, 0),
    ADD_IMM(0, -'0'),
    EXIT(),
};
/* Writes 'X' over the first byte, and passes. */
static const struct bpf_insn mark[] = {LOAD(BPF_W, 2, 1, 0), STORE_IMM(BPF_B, 2, 0, 'X'), MOV_IMM(0, XDP_PASS), EXIT()};
/* Enters the first byte as a key into map 0, and passes. */
#define FIRST_BYTE_AS_KEY \
  LOAD(BPF_W, 2, 1, 0), LOAD(BPF_B, 5, 2, 0), STORE(BPF_DW, 10, 5, -8), LOAD_MAP(1, 0), MOV(2, 10), ADD_IMM(2, -8)
static const struct bpf_insn learn[] = {FIRST_BYTE_AS_KEY,    MOV(3, 2), MOV_IMM(4, 0), CALL_HELPER(2),
                                        MOV_IMM(0, XDP_PASS), EXIT()};
/* Passes what was learnt, drops the rest. */
static const struct bpf_insn known[] = {
    FIRST_BYTE_AS_KEY,    CALL_HELPER(1), JUMP_IMM(BPF_JEQ, 0, 0, 2), MOV_IMM(0, XDP_PASS), EXIT(),
    MOV_IMM(0, XDP_DROP), EXIT()};
/* Returns the global variable, and then sets it to XDP_DROP. */
static const struct bpf_insn global[] = {LOAD_KIND(1, BPF_PSEUDO_MAP_VALUE, 0, 0), LOAD(BPF_W, 0, 1, 0),
                                         STORE_IMM(BPF_W, 1, 0, XDP_DROP), EXIT()};
static const struct bpf_insn wild_jump[] = {JUMP(100), EXIT()};

static const struct bpf_map_def seen = {"seen", BPF_MAP_TYPE_HASH, 8, 8, 64, 0};
static const struct bpf_map_def seen_larger = {"seen", BPF_MAP_TYPE_HASH, 8, 16, 128, 0};
static const struct bpf_map_def data = {"t.data", BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0};
static const struct slice data_initial[] = {{"\2\0\0\0", 4}};
static const struct bundle_line obey_lines[] = {{0, 7, "obey.bpf.c"}, {4, 41, "obey.bpf.c"}};

static const char plain[] = "i :: Inject -> fw :: BPFilter(first) -> o :: Capture";

static void start(struct recipe first, const char *config) { bundles_start(first, config); }
static int load(struct recipe r) { return bundles_load("fw.program", r); }
static void expect_load(struct recipe r) { bundles_expect_load("fw.program", r); }

/* --- verdicts --- */

/* Each verdict has its fate and its counter: without output 1, with it, and with ON_ABORT pass. Digits beyond
 * XDP_REDIRECT are no verdicts. */
static void verdicts(void **state) {
  static const struct {
    const char *config, *out, *other, *drops;
  } cases[] = {
      {"i :: Inject -> fw :: BPFilter(first) -> o :: Capture; Idle -> x :: Capture", "2a 2b ", "",
       "dropped 1\naborted 4\nfault 1\n"},
      {"i :: Inject -> fw :: BPFilter(first) -> o :: Capture; fw [1] -> x :: Capture", "2a 2b ", "1 ",
       "dropped 0\naborted 4\nfault 1\n"},
      {"i :: Inject -> fw :: BPFilter(first, ON_ABORT pass) -> o :: Capture; Idle -> x :: Capture", "2a 0 f 3 4 9 2b ",
       "", "dropped 1\naborted 0\nfault 0\n"},
      {"i :: Inject -> Queue -> fw :: BPFilter(first) -> Unqueue -> o :: Capture; fw [1] -> x :: Capture", "2a 2b ",
       "1 ", "dropped 0\naborted 4\nfault 1\n"},
      {"i :: Inject -> Queue -> fw :: BPFilter(first, ON_ABORT drop) -> Unqueue(1) -> o :: Capture; "
       "Idle -> x :: Capture",
       "2a 2b ", "", "dropped 1\naborted 4\nfault 1\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    for (unsigned batch = 1; batch <= 256; batch *= 16) {
      start((struct recipe){"obey", 1, CODE(obey)}, cases[i].config);
      harness_inject("i", "2a 0 1 f 3 4 9 2b", batch);
      harness_run_until_idle();
      assert_string_equal(harness_captured("o"), cases[i].out);
      assert_string_equal(harness_captured("x"), cases[i].other);
      assert_string_equal(harness_read("fw.drops"), cases[i].drops);
      assert_int_equal(harness_number("fw.passed"), 2);
      assert_int_equal(harness_number("fw.dropped"), 1);
      assert_int_equal(harness_number("fw.aborted"), 4);
      assert_int_equal(harness_number("fw.faults"), 1);
      harness_stop();
    }
  }
}

/* A pull that finds only packets to drop is work all the same: the worker does not go to sleep on what waits behind them. */
static void pulls_past_drops(void **state) {
  start((struct recipe){"obey", 1, CODE(obey)},
        "i :: Inject -> q :: Queue -> fw :: BPFilter(first) -> u :: Unqueue(1) -> o :: Capture");
  for (unsigned i = 0; i < 10; i++)
    harness_inject("i", "1 1 1 1 1 1 1 1 1 1", 256);
  harness_inject("i", "2", 256);
  harness_run_until_idle();
  assert_string_equal(harness_captured("o"), "2 ");
  assert_int_equal(harness_number("fw.dropped"), 100);
  harness_stop();
}

/* The program sees and changes the packet itself. */
static void changes_packets(void **state) {
  start((struct recipe){"mark", 1, CODE(mark)}, plain);
  harness_inject("i", "abc def", 256);
  assert_string_equal(harness_captured("o"), "Xbc Xef ");
  harness_stop();
}

/* --- faults --- */

/* A fault is named in the log and in last_fault with program, instruction, line and address; a flood is one line a
 * second. */
static void names_faults(void **state) {
  start((struct recipe){"obey", 3, CODE(obey), .lines = obey_lines, .line_count = 2}, plain);
  assert_string_equal(harness_read("fw.last_fault"), "");
  text_clear(&harness.log);
  static const char line[] =
      "obey 3: instruction 4 (obey.bpf.c:41): memory access outside packet, stack, context and map values, or a store "
      "to what is read-only, address 0x1";
  harness.now = 5000000000;
  harness_inject("i", "f f f 2", 256);
  char expected[512];
  format_text(expected, sizeof expected, "fw: %s\n", line);
  assert_string_equal(text_string(&harness.log), expected);
  assert_string_equal(harness_read("fw.last_fault"), line);
  harness.now += 1000000000;
  harness_inject("i", "f", 256);
  format_text(expected, sizeof expected, "fw: %s\nfw: %s (and 2 not logged before)\n", line, line);
  assert_string_equal(text_string(&harness.log), expected);
  /* It stays readable when the program is replaced, and when it is freed. */
  expect_load((struct recipe){"pass", 1, CODE(pass)});
  assert_string_equal(harness_read("fw.last_fault"), line);
  harness_quiesce();
  assert_string_equal(harness_read("fw.last_fault"), line);
  assert_int_equal(harness_number("fw.faults"), 4);
  assert_string_equal(harness_captured("o"), "2 ");
  harness_stop();
}

/* --- changes --- */

/* A new program takes the next batch; the reply says what was done; the old one is freed after the quiescent point,
 * and its counts stay. */
static void swaps(void **state) {
  start((struct recipe){"pass", 1, CODE(pass)}, plain);
  harness_inject("i", "a b", 256);
  harness.tick = 1500;
  harness.now = 2000000000;
  expect_load((struct recipe){"block", 2, CODE(drop)});
  harness.tick = 0;
  assert_string_equal(harness_message(),
                      "committed block version 2 (was pass version 1); staged in 12 us, committed in 1500 ns\n");
  assert_string_equal(
      harness_read("fw.swap"),
      "verify_ns 1500\ncheck_ns 1500\nproof_ns 1500\nmaps_ns 1500\ncommit_ns 1500\ntotal_ns 13500\ncompile_ns 1500\n");
  assert_non_null(harness.deferred);
  harness_inject("i", "c d e", 256);
  assert_string_equal(harness_captured("o"), "a b ");
  for (unsigned freed = 0; freed < 2; freed++) {
    assert_int_equal(harness_number("fw.passed"), 2);
    assert_int_equal(harness_number("fw.dropped"), 3);
    const char *history = harness_read("fw.history");
    char first[96], second[96];
    assert_int_equal(
        sscanf(history, "pass 1 %*8[0-9a-f] demo %95[^\n]\nblock 2 %*8[0-9a-f] demo %95[^\n]", first, second), 2);
    assert_string_equal(first, "0.000000 2 0 0 0 replaced by block 2");
    assert_string_equal(second, "2.000015 0 3 0 0 running");
    harness_quiesce();
  }
  assert_null(harness.deferred);
  const char *program = harness_read("fw.program");
  assert_non_null(strstr(program, "name block\nversion 2\nhash "));
  assert_non_null(strstr(program, "\nkey demo\n"));
  assert_non_null(strstr(program, "\ninsns 2\nmaps 0\n"));
  harness_stop();
}

/* Sixteen programs are remembered, the last ones. */
static void remembers_sixteen(void **state) {
  start((struct recipe){"pass", 1, CODE(pass)}, plain);
  for (uint64_t version = 2; version <= 40; version++) {
    expect_load((struct recipe){"pass", version, CODE(pass)});
    if (version % 3 == 0) harness_quiesce();
  }
  const char *history = harness_read("fw.history");
  unsigned lines = 0;
  for (const char *c = history; *c; c++)
    lines += *c == '\n';
  assert_int_equal(lines, 16);
  assert_int_equal(strncmp(history, "pass 25 ", 8), 0);
  harness_stop();
}

/* While another thread pushes batches, program after program is put to work: every packet is accounted for, and a
 * batch is judged by one program from its first packet to its last. */
enum { STREAM_BATCH = 64, STREAM_CHANGES = 40 };
struct stream {
  struct element *inject, *counter;
  bool stop, mixed;
  uint64_t pushed;
};

static void *stream(void *argument) {
  struct stream *s = argument;
  uint64_t before = 0;
  while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
    struct batch batch = {.count = 0};
    while (batch.count < STREAM_BATCH)
      batch.packet[batch.count++] = packet_new_from(&harness.pool, "x", 1);
    element_push(s->inject, 0, &batch);
    __atomic_fetch_add(&s->pushed, STREAM_BATCH, __ATOMIC_RELEASE);
    struct text text = {0};
    (void)handler_read_u64(s->counter, &s->counter->class->handlers[0], slice_of(""), &text, NULL);
    uint64_t passed = strtoull(text_string(&text), NULL, 10);
    text_free(&text);
    if (passed - before != 0 && passed - before != STREAM_BATCH) s->mixed = true;
    before = passed;
  }
  return NULL;
}

static void swaps_under_load(void **state) {
  start((struct recipe){"even", 2, CODE(pass)}, "i :: Inject -> fw :: BPFilter(first) -> c :: Counter -> Discard");
  struct stream s = {.inject = router_find(harness.router, "i"), .counter = router_find(harness.router, "c")};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, stream, &s), 0);
  for (uint64_t version = 3; version < 3 + STREAM_CHANGES; version++) {
    uint64_t seen = __atomic_load_n(&s.pushed, __ATOMIC_ACQUIRE);
    while (__atomic_load_n(&s.pushed, __ATOMIC_ACQUIRE) < seen + 2 * STREAM_BATCH)
      continue;
    if (version % 2 == 0) {
      expect_load((struct recipe){"even", version, CODE(pass)});
    } else {
      expect_load((struct recipe){"odd", version, CODE(drop)});
    }
  }
  __atomic_store_n(&s.stop, true, __ATOMIC_RELEASE);
  pthread_join(thread, NULL);
  assert_false(s.mixed);
  harness_quiesce();
  assert_int_equal(harness_number("fw.passed"), harness_number("c.count"));
  assert_int_equal(harness_number("fw.passed") + harness_number("fw.dropped"), s.pushed);
  assert_true(harness_number("fw.dropped") > 0);
  harness_stop();
}

/* A program may go together with the graph while it waits for its quiescent point. */
static void ends_while_waiting(void **state) {
  start((struct recipe){"pass", 1, CODE(pass)}, plain);
  expect_load((struct recipe){"pass", 2, CODE(pass)});
  expect_load((struct recipe){"pass", 3, CODE(pass)});
  assert_non_null(harness.deferred);
  harness_stop();
}

/* Entries stay when the new program has a map of the same name and layout; global variables start anew. */
static void keeps_maps(void **state) {
  start((struct recipe){"learn", 1, CODE(learn), .maps = &seen, .map_count = 1}, plain);
  harness_inject("i", "a b", 256);
  assert_string_equal(harness_read("fw.maps"), "seen hash 8 8 64 2\n");
  expect_load((struct recipe){"known", 1, CODE(known), .maps = &seen, .map_count = 1});
  harness_quiesce();
  harness_inject("i", "a c b", 256);
  assert_string_equal(harness_captured("o"), "a b a b ");
  assert_string_equal(harness_read("fw.maps"), "seen hash 8 8 64 2\n");
  /* In between a program without the map: its state is gone with the last user. */
  expect_load((struct recipe){"pass", 1, CODE(pass)});
  harness_quiesce();
  expect_load((struct recipe){"known", 2, CODE(known), .maps = &seen, .map_count = 1});
  harness_inject("i", "a", 256);
  assert_string_equal(harness_captured("o"), "");
  harness_stop();
}

static void globals_start_anew(void **state) {
  start((struct recipe){"global", 1, CODE(global), .maps = &data, .map_count = 1, .initial = data_initial}, plain);
  harness_inject("i", "a b", 256);
  expect_load((struct recipe){"global", 2, CODE(global), .maps = &data, .map_count = 1, .initial = data_initial});
  harness_inject("i", "c d", 256);
  assert_string_equal(harness_captured("o"), "a c ");
  harness_stop();
}

/* --- refusals --- */

/* Whatever is wrong with a bundle, the reply says it, and program, maps, floors and verdicts are as before. */
static void refusals_change_nothing(void **state) {
  static const struct {
    struct recipe recipe;
    int status;
    const char *message;
  } cases[] = {
      {{"learn", 9, CODE(learn), .maps = &seen, .map_count = 1, .signer = 1}, -ERROR_KEY, "unknown key"},
      {{"learn", 4, CODE(learn), .maps = &seen, .map_count = 1},
       -ERROR_VERSION,
       "learn version 4 is not above the floor 5 (highest version committed here); sign it with --version 6 or higher"},
      {{"learn", 5, CODE(learn), .maps = &seen, .map_count = 1}, -ERROR_VERSION, "learn version 5 runs in fw already"},
      {{"learn", 5, CODE(known), .maps = &seen, .map_count = 1},
       -ERROR_VERSION,
       "learn version 5 is not above the floor 5"},
      {{"other", 7, CODE(pass)}, -ERROR_VERSION, "other version 7 is not above the floor 7"},
      {{"learn", 9, CODE(learn), .maps = &seen, .map_count = 1, .audience = "ids*"},
       -ERROR_AUDIENCE,
       "learn version 9 is meant for 'ids*', not for fw"},
      {{"wild", 1, CODE(wild_jump)}, -ERROR_INVALID, "wild version 1: instruction 0: target 101 is outside"},
      {{"learn", 9, CODE(learn)}, -ERROR_INVALID, "learn version 9: instruction 3: "},
      {{"learn", 9, CODE(learn), .maps = &seen_larger, .map_count = 1},
       -ERROR_INVALID,
       "map seen of learn version 9 does not fit the one that learn version 5 has filled: value size 16, was 8; "
       "max_entries 128, was 64"},
  };
  start((struct recipe){"learn", 5, CODE(learn), .maps = &seen, .map_count = 1}, plain);
  assert_int_equal(version_floor_reserve(&harness.floors, "other"), 0);
  version_floor_raise(&harness.floors, "other", 7);
  harness_inject("i", "a", 256);
  char program[512], maps[128], swap[256];
  format_text(program, sizeof program, "%s", harness_read("fw.program"));
  format_text(maps, sizeof maps, "%s", harness_read("fw.maps"));
  format_text(swap, sizeof swap, "%s", harness_read("fw.swap"));
  struct version_floors floors = harness.floors;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int status = load(cases[i].recipe);
    if (status != cases[i].status || !strstr(harness_message(), cases[i].message)) {
      fail_msg("case %zu gives %d: %s", i, status, harness_message());
    }
    assert_non_null(strstr(harness_message(), "fw runs learn version 5 as before\n"));
    assert_string_equal(harness_read("fw.program"), program);
    assert_string_equal(harness_read("fw.maps"), maps);
    assert_string_equal(harness_read("fw.swap"), swap);
    assert_memory_equal(&harness.floors, &floors, sizeof floors);
    assert_null(harness.deferred);
  }
  assert_string_equal(harness_captured("o"), "a ");
  harness_inject("i", "b", 256);
  assert_string_equal(harness_captured("o"), "b ");
  harness_stop();
}

/* A bundle without proof runs only where the boot configuration says so, and then with every access checked; a proof that proves
 * nothing never does. */
static void unproven_programs_need_leave(void **state) {
  start((struct recipe){"pass", 1, CODE(pass)}, plain);
  assert_non_null(strstr(harness_read("fw.program"), "proof 0\n"));
  harness.services.allow_unproven = false;
  assert_int_equal(load((struct recipe){"pass", 2, CODE(drop)}), -ERROR_UNSUPPORTED);
  assert_non_null(strstr(harness_message(), "pass version 2 carries no proof that it is safe"));
  assert_non_null(strstr(harness_message(), "fw runs pass version 1 as before\n"));
  harness.services.allow_unproven = true;
  assert_int_equal(load((struct recipe){"pass", 2, CODE(drop), .proof = {"trust me", 8}}), -ERROR_INVALID);
  assert_non_null(strstr(harness_message(), "pass version 2: its proof is malformed"));
  assert_int_equal(load((struct recipe){"pass", 2, CODE(drop)}), 0);
  harness_inject("i", "a", 256);
  assert_string_equal(harness_captured("o"), "");
  harness_stop();
}

/* A bundle of which any one byte is changed, or that ends anywhere early, is refused. */
static void damage_is_refused(void **state) {
  start((struct recipe){"pass", 1, CODE(pass)}, plain);
  struct slice good = bundles_bake(1, (struct recipe){"pass", 2, CODE(drop)});
  uint8_t *bytes = calloc(1, good.length + 8);
  for (size_t i = 0; i < good.length; i++) {
    memcpy(bytes, good.data, good.length);
    bytes[i] ^= (uint8_t)(1 << i % 8);
    assert_true(harness_write("fw.program", bytes, good.length) < 0);
    assert_true(harness_write("fw.program", good.data, i) < 0);
  }
  memcpy(bytes, good.data, good.length);
  assert_true(harness_write("fw.program", bytes, good.length + 8) < 0);
  bytes[good.length - 1] ^= 1;
  assert_int_equal(harness_write("fw.program", bytes, good.length), -ERROR_SIGNATURE);
  bytes[good.length - 1] ^= 1;
  assert_int_equal(harness_write("fw.program", "", 0), -ERROR_TRUNCATED);
  assert_non_null(strstr(harness_message(), "no bundle: write the bytes of a bundle file"));
  harness_inject("i", "a", 256);
  assert_string_equal(harness_captured("o"), "a ");
  /* The same bytes, undamaged and at an odd address, are good. */
  memmove(bytes + 1, good.data, good.length);
  assert_int_equal(harness_write("fw.program", bytes + 1, good.length), 0);
  free(bytes);
  harness_stop();
}

/* One bundle may serve several elements, at the start and later; another bundle of the same version may not. */
static void serves_several_elements(void **state) {
  start((struct recipe){"pass", 2, CODE(pass)},
        "i :: Inject -> fw :: BPFilter(first) -> two :: BPFilter(first) -> o :: Capture");
  struct slice same = harness.files[0].bytes;
  expect_load((struct recipe){"other", 1, CODE(pass)});
  assert_int_equal(load((struct recipe){"pass", 2, CODE(drop)}), -ERROR_VERSION);
  assert_int_equal(harness_write("fw.program", same.data, same.length), 0);
  /* As soon as no element runs it, its version is one that was left behind. */
  expect_load((struct recipe){"pass", 3, CODE(pass)});
  assert_int_equal(harness_write("fw.program", same.data, same.length), -ERROR_VERSION);
  harness_stop();
}

/* At the start, too, what is wrong is said, and nothing remains. */
static void refuses_at_start(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Inject -> BPFilter -> Capture", "FILE"},
      {"Inject -> BPFilter(none) -> Capture",
       "FILE: no 'none' in the boot archive; put the bundle there under this name"},
      {"Inject -> BPFilter(none, ON_ABORT maybe) -> Capture", "ON_ABORT: expected drop, pass or port N, not 'maybe'"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    harness_refuses(cases[i].config, cases[i].message);

  harness_open();
  harness.files[0].name = "first";
  harness.files[0].bytes = slice_of("IMAGOBPF but no bundle, whatever it says about itself");
  struct report report = {0};
  assert_true(
      router_create("t.click", slice_of(plain), &harness.services, &harness.scheduler, &harness.router, &report) < 0);
  harness.router = NULL;
  assert_non_null(strstr(text_string(&report.text), "While initializing 'fw :: BPFilter':\n  FILE: first: bundle: "));
  report_free(&report);
  harness_stop();
}

/* --- hot swap of the graph --- */

/* A filter of the same name and file goes on with the program that runs, its maps, counts and history; the floor stays where it
 * is. */
static void graph_swap_keeps_the_program(void **state) {
  start((struct recipe){"t", 1, CODE(learn), .maps = &seen, .map_count = 1}, plain);
  harness_inject("i", "a b", 2);
  expect_load((struct recipe){"t", 5, CODE(known), .maps = &seen, .map_count = 1});
  harness_inject("i", "a c", 2);
  assert_string_equal(harness_captured("o"), "a b a ");
  harness_replace("i :: Inject -> Null -> fw :: BPFilter(first) -> o :: Capture");
  assert_string_equal(harness_message(), "");
  harness_inject("i", "b c", 2);
  assert_string_equal(harness_captured("o"), "b ");
  assert_int_equal(harness_number("fw.passed"), 4);
  assert_int_equal(harness_number("fw.dropped"), 2);
  assert_non_null(strstr(harness_read("fw.history"), "replaced by t 5"));
  assert_int_equal(version_floor(&harness.floors, "t"), 5);
  harness_quiesce(); /* what was retired before belongs to the new filter now */
  assert_int_equal(harness_number("fw.passed"), 4);
  expect_load((struct recipe){"t", 6, CODE(pass)});
  harness_stop();
}

/* A refused graph raises no floor, even when its filter had loaded; an accepted one does. */
static void floors_rise_when_the_graph_commits(void **state) {
  start((struct recipe){"t", 1, CODE(pass)}, plain);
  harness.files[1].name = "second";
  harness.files[1].bytes = bundles_bake(1, (struct recipe){"u", 7, CODE(drop)});
  harness_refuses_beside("i :: Inject -> x :: BPFilter(second) -> FromDevice(eth9)", "");
  assert_int_equal(version_floor(&harness.floors, "u"), 0);
  harness_replace("i :: Inject -> x :: BPFilter(second) -> o :: Capture");
  assert_int_equal(version_floor(&harness.floors, "u"), 7);
  harness_inject("i", "a", 1);
  assert_int_equal(harness_number("x.dropped"), 1);
  harness_stop();
}

/* A new file means a new program: it takes the maps over, and the counts go on. */
static void graph_swap_to_another_file(void **state) {
  start((struct recipe){"t", 1, CODE(learn), .maps = &seen, .map_count = 1}, plain);
  harness.files[1].name = "second";
  harness.files[1].bytes = bundles_bake(1, (struct recipe){"t", 2, CODE(known), .maps = &seen, .map_count = 1});
  harness_inject("i", "a", 1);
  harness_replace("i :: Inject -> fw :: BPFilter(second) -> o :: Capture");
  harness_inject("i", "a b", 2);
  assert_string_equal(harness_captured("o"), "a ");
  assert_int_equal(harness_number("fw.passed"), 2);
  assert_int_equal(harness_number("fw.dropped"), 1);
  assert_int_equal(version_floor(&harness.floors, "t"), 2);
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(graph_swap_keeps_the_program),
      cmocka_unit_test(floors_rise_when_the_graph_commits),
      cmocka_unit_test(graph_swap_to_another_file),
      cmocka_unit_test(verdicts),
      cmocka_unit_test(pulls_past_drops),
      cmocka_unit_test(changes_packets),
      cmocka_unit_test(names_faults),
      cmocka_unit_test(swaps),
      cmocka_unit_test(remembers_sixteen),
      cmocka_unit_test(swaps_under_load),
      cmocka_unit_test(ends_while_waiting),
      cmocka_unit_test(keeps_maps),
      cmocka_unit_test(globals_start_anew),
      cmocka_unit_test(refusals_change_nothing),
      cmocka_unit_test(unproven_programs_need_leave),
      cmocka_unit_test(damage_is_refused),
      cmocka_unit_test(serves_several_elements),
      cmocka_unit_test(refuses_at_start),
  };
  return cmocka_run_group_tests(tests, NULL, bundles_release);
}
