/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of the way that packets take through BPFilter, BPFClassifier and BPFRewriter. Verdicts and their numbers are Linux's
 * (include/uapi/linux/bpf.h, pkt_cls.h); what each leads to is docs/ebpf.md.
 */
#include <string.h>

#include "tests/unit/bpf/asm.h"
#include "tests/unit/elements/bundles.h"
#include "tests/unit/elements/frames.h"

#define SIGN_EXTEND_8(r) INSN(BPF_ALU64 | BPF_LSH | BPF_K, r, 0, 0, 56), INSN(BPF_ALU64 | BPF_ARSH | BPF_K, r, 0, 0, 56)

/* The frame says what to do: its bytes are the verdict, by how much the start moves, by how much the end moves, where to redirect. The
 * byte that is first then becomes ee. Verdict 66 reads address 1; what cannot be moved gives XDP_ABORTED. */
static const struct bpf_insn obey[] = {
    MOV(6, 1),
    LOAD(BPF_W, 2, 6, 0),
    LOAD(BPF_B, 7, 2, 0),
    LOAD(BPF_B, 8, 2, 1),
    LOAD(BPF_B, 9, 2, 2),
    LOAD(BPF_B, 1, 2, 3),
    STORE(BPF_DW, 10, 1, -8),
    SIGN_EXTEND_8(8),
    SIGN_EXTEND_8(9),
    MOV(1, 6),
    MOV(2, 8),
    CALL_HELPER(BPF_HELPER_XDP_ADJUST_HEAD),
    JUMP_IMM(BPF_JNE, 0, 0, 15),
    MOV(1, 6),
    MOV(2, 9),
    CALL_HELPER(BPF_HELPER_XDP_ADJUST_TAIL),
    JUMP_IMM(BPF_JNE, 0, 0, 11),
    LOAD(BPF_W, 2, 6, 0),
    STORE_IMM(BPF_B, 2, 0, 0xee),
    JUMP_IMM(BPF_JNE, 7, XDP_REDIRECT, 3),
    LOAD(BPF_DW, 1, 10, -8),
    MOV_IMM(2, 0),
    CALL_HELPER(BPF_HELPER_REDIRECT),
    JUMP_IMM(BPF_JNE, 7, 0x66, 2),
    MOV_IMM(2, 1),
    LOAD(BPF_B, 0, 2, 0),
    MOV(0, 7),
    EXIT(),
    MOV_IMM(0, XDP_ABORTED),
    EXIT(),
};
/* The first byte is the verdict. */
static const struct bpf_insn number[] = {LOAD(BPF_W, 2, 1, 0), LOAD(BPF_B, 0, 2, 0), EXIT()};
/* To the output that the second byte names, if the first is XDP_REDIRECT. */
static const struct bpf_insn number_or_redirect[] = {LOAD(BPF_W, 2, 1, 0),
                                                     LOAD(BPF_B, 6, 2, 0),
                                                     LOAD(BPF_B, 1, 2, 1),
                                                     MOV_IMM(2, 0),
                                                     CALL_HELPER(BPF_HELPER_REDIRECT),
                                                     MOV(0, 6),
                                                     EXIT()};
/* To every entry of map 0 but the one that the packet came in by. */
static const struct bpf_insn flood[] = {LOAD_MAP(1, 0), MOV_IMM(2, 0), MOV_IMM(3, 8 | 16),
                                        CALL_HELPER(BPF_HELPER_REDIRECT_MAP), EXIT()};
/* To the entry of map 0 that the first byte names, otherwise XDP_PASS. */
static const struct bpf_insn look_up[] = {LOAD(BPF_W, 2, 1, 0),
                                          LOAD(BPF_B, 2, 2, 0),
                                          LOAD_MAP(1, 0),
                                          MOV_IMM(3, XDP_PASS),
                                          CALL_HELPER(BPF_HELPER_REDIRECT_MAP),
                                          EXIT()};
/* tc: adds the protocol to the mark; the verdict is the first byte, signed. */
static const struct bpf_insn add_mark[] = {
    LOAD(BPF_W, 2, 1, offsetof(struct bpf_skb, protocol)),
    LOAD(BPF_W, 3, 1, offsetof(struct bpf_skb, mark)),
    ADD(3, 2),
    STORE(BPF_W, 1, 3, offsetof(struct bpf_skb, mark)),
    LOAD(BPF_W, 2, 1, offsetof(struct bpf_skb, data)),
    LOAD(BPF_B, 0, 2, 0),
    SIGN_EXTEND_8(0),
    EXIT(),
};
/* tc: a copy to output 1, then the first byte becomes ee. */
static const struct bpf_insn copy[] = {MOV(6, 1),
                                       MOV_IMM(2, 1),
                                       MOV_IMM(3, 0),
                                       CALL_HELPER(BPF_HELPER_CLONE_REDIRECT),
                                       LOAD(BPF_W, 2, 6, offsetof(struct bpf_skb, data)),
                                       STORE_IMM(BPF_B, 2, 0, 0xee),
                                       MOV_IMM(0, TC_ACT_OK),
                                       EXIT()};
static const struct bpf_insn two[] = {MOV_IMM(0, XDP_PASS), EXIT(), MOV_IMM(0, XDP_DROP), EXIT()};
static const struct bundle_program two_programs[] = {{"", 0, 2}, {"second", 2, 2}};

static const struct bpf_map_def ports = {"ports", BPF_MAP_TYPE_DEVMAP, 4, 4, 8, 0};
static const struct bpf_map_def processors = {"processors", BPF_MAP_TYPE_CPUMAP, 4, 4, 8, 0};

#define REWRITER(arguments)                                                                                     \
  "i :: Inject -> e :: BPFRewriter(first" arguments "); e [0] -> o0 :: Capture; e [1] -> o1 :: Capture; e [2] " \
  "-> o2 :: Capture"

static void expect_at(const char *const outputs[3]) {
  static const char *const names[] = {"o0", "o1", "o2"};
  for (unsigned i = 0; i < 3; i++)
    assert_string_equal(frames_captured(names[i]), outputs[i]);
}

/* --- rewriting --- */

/* Each verdict leads to its output, and the packet leaves with the ends that the program gave it: grown in front and behind (where zeros
 * come), cut, never under the 14 bytes of a link header. What is given up is dropped. */
static void rewrites(void **state) {
  static const struct {
    const char *in, *out[3], *stats;
  } cases[] = {
      {"02000000a4a5a6a7a8a9aaabacad", {"ee000000a4a5a6a7a8a9aaabacad "}, "passed 1"},
      {"03000000a4a5a6a7a8a9aaabacad", {NULL, "ee000000a4a5a6a7a8a9aaabacad "}, "transmitted 1"},
      {"04000002a4a5a6a7a8a9aaabacad", {NULL, NULL, "ee000002a4a5a6a7a8a9aaabacad "}, "redirected 1"},
      {"04000000a4a5a6a7a8a9aaabacad", {"ee000000a4a5a6a7a8a9aaabacad "}, "redirected 1"},
      {"04000003a4a5a6a7a8a9aaabacad", {NULL}, "aborted 1"},
      {"01000000a4a5a6a7a8a9aaabacad", {NULL}, "dropped 1"},
      {"00000000a4a5a6a7a8a9aaabacad", {NULL}, "aborted 1"},
      {"05000000a4a5a6a7a8a9aaabacad", {NULL}, "aborted 1"},
      {"66000000a4a5a6a7a8a9aaabacad", {NULL}, "faults 1"},
      {"02ff0000a4a5a6a7a8a9aaabacad", {"ee02ff0000a4a5a6a7a8a9aaabacad "}, "passed 1"},
      {"02000200a4a5a6a7a8a9aaabacad", {"ee000200a4a5a6a7a8a9aaabacad0000 "}, "passed 1"},
      {"0201ff00a4a5a6a7a8a9aaabacadaeaf", {"eeff00a4a5a6a7a8a9aaabacadae "}, "passed 1"},
      {"0202000000a4a5a6a7a8a9aaabacadae", {"ee0000a4a5a6a7a8a9aaabacadae "}, "passed 1"},
      {"0201000000a4a5a6a7a8a9aaabac", {NULL}, "aborted 1"},
      {"0200ff0000a4a5a6a7a8a9aaabac", {NULL}, "aborted 1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bundles_start((struct recipe){"obey", 1, CODE(obey)}, REWRITER(""));
    frames_send("i", cases[i].in, 0);
    const char *outputs[3];
    for (unsigned o = 0; o < 3; o++)
      outputs[o] = cases[i].out[o] != NULL ? cases[i].out[o] : "";
    expect_at(outputs);
    if (strstr(harness_read("e.stats"), cases[i].stats) == NULL) fail_msg("case %zu: %s", i, harness_read("e.stats"));
    harness_stop();
  }
}

/* ON_ABORT takes what is given up to the output that it names, with the ends that it came with. */
static void gives_up(void **state) {
  static const char *const frames[] = {
      "00ff0200a4a5a6a7a8a9aaabacad", /* XDP_ABORTED, behind changes */
      "05ff0200a4a5a6a7a8a9aaabacad", /* no verdict */
      "04ff0203a4a5a6a7a8a9aaabacad", /* no output 3 */
      "66ff0200a4a5a6a7a8a9aaabacad", /* a fault */
  };
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
    bundles_start((struct recipe){"obey", 1, CODE(obey)}, REWRITER(", ON_ABORT port 2"));
    frames_send("i", frames[i], 0);
    char same[64];
    format_text(same, sizeof same, "%s ", frames[i]);
    expect_at((const char *const[]){"", "", same});
    harness_stop();
  }
}

/* When the start moves, the link header goes with it, and what is known of the others lapses; when only the end moves, what lies before it
 * stays. */
static void header_offsets_follow(void **state) {
  static const struct {
    uint8_t head, tail;
    int mac, network, transport; /* counted from where the packet began; of the last two 0: unset */
    uint32_t destination;
  } cases[] = {
      {0, 0, 0, 14, 20, 7}, {0xfc, 0, -4, 0, 0, 0}, {4, 0, 4, 0, 0, 0}, {0, 0xfb, 0, 14, 0, 7}, {0, 0x7f, 0, 14, 20, 7},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bundles_start((struct recipe){"obey", 1, CODE(obey)}, "i :: Inject -> e :: BPFRewriter(first) -> o :: Capture");
    const uint8_t frame[24] = {XDP_PASS, cases[i].head, cases[i].tail};
    struct batch batch = {.count = 1};
    struct packet *p = batch.packet[0] = packet_new_from(&harness.pool, frame, sizeof frame);
    const int start = (int)(p->data - (uint8_t *)p);
    p->mac_header = (uint16_t)start;
    p->network_header = (uint16_t)(start + 14);
    p->transport_header = (uint16_t)(start + 20);
    annotation_set_u32(p, ANNOTATION_DST_IP, 7);
    element_push(router_find(harness.router, "i"), 0, &batch);
    p = harness_last("o");
    assert_int_equal(p->mac_header, start + cases[i].mac);
    assert_int_equal(p->network_header, cases[i].network != 0 ? start + cases[i].network : 0);
    assert_int_equal(p->transport_header, cases[i].transport != 0 ? start + cases[i].transport : 0);
    assert_int_equal(annotation_u32(p, ANNOTATION_DST_IP), cases[i].destination);
    harness_stop();
  }
}

/* BPFilter and BPFClassifier leave a packet its length: a program that would change it is refused by the name of what it calls. */
static void only_rewriters_resize(void **state) {
  static const char *const classes[] = {"BPFilter", "BPFClassifier"};
  for (size_t i = 0; i < 2; i++) {
    char config[64];
    bundles_open((struct recipe){"obey", 1, CODE(obey)});
    format_text(config, sizeof config, "Inject -> e :: %s(first) -> Capture", classes[i]);
    struct report report = {0};
    assert_int_equal(
        router_create("t.click", slice_of(config), &harness.services, &harness.scheduler, &harness.router, &report),
        -ERROR_UNSUPPORTED);
    assert_non_null(
        strstr(text_string(&report.text),
               "obey version 1: instruction 13 calls bpf_xdp_adjust_head, and e leaves a packet its length; "
               "run it in a BPFRewriter"));
    report_free(&report);
    harness.router = NULL;
    harness_stop();
  }
}

/* --- outputs --- */

/* A number is an output; none is where ON_ABORT leads. */
static void classifies(void **state) {
  static const struct {
    const char *config, *out[3];
  } cases[] = {
      {"", {"00a0 00b0 ", "01a1 ", "02a2 "}},
      {", ON_ABORT pass", {"00a0 03a3 00b0 ffa4 ", "01a1 ", "02a2 "}},
      {", ON_ABORT port 1", {"00a0 00b0 ", "01a1 03a3 ffa4 ", "02a2 "}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[256];
    format_text(config, sizeof config,
                "i :: Inject -> e :: BPFClassifier(first%s); e [0] -> o0 :: Capture; e [1] -> o1 :: Capture; e [2] "
                "-> o2 :: Capture",
                cases[i].config);
    bundles_start((struct recipe){"number", 1, CODE(number)}, config);
    static const char *const frames[] = {"00a0", "01a1", "02a2", "03a3", "00b0", "ffa4"};
    for (size_t f = 0; f < sizeof frames / sizeof *frames; f++)
      frames_send("i", frames[f], 0);
    expect_at(cases[i].out);
    assert_int_equal(harness_number("e.passed"), 4);
    assert_int_equal(harness_number("e.aborted"), 2);
    assert_string_equal(
        harness_read_with("e.stats", "json"),
        i == 0
            ? "{\"packets\": 6, \"passed\": 4, \"dropped\": 0, \"transmitted\": 0, \"redirected\": 0, \"aborted\": 2, "
              "\"faults\": 0, \"callbacks\": 0, \"executed\": 0, \"measured\": 0, \"nanoseconds\": 0, \"outputs\": [2, 1, 1]}"
        : i == 1
            ? "{\"packets\": 6, \"passed\": 4, \"dropped\": 0, \"transmitted\": 0, \"redirected\": 0, \"aborted\": 2, "
              "\"faults\": 0, \"callbacks\": 0, \"executed\": 0, \"measured\": 0, \"nanoseconds\": 0, \"outputs\": [4, 1, 1]}"
            : "{\"packets\": 6, \"passed\": 4, \"dropped\": 0, \"transmitted\": 0, \"redirected\": 0, \"aborted\": 2, "
              "\"faults\": 0, \"callbacks\": 0, \"executed\": 0, \"measured\": 0, \"nanoseconds\": 0, \"outputs\": [2, 3, 1]}");
    harness_stop();
  }
}

/* XDP_REDIRECT behind a redirecting helper goes where that says, and not to output 4. */
static void classifier_redirects(void **state) {
  bundles_start((struct recipe){"redirect", 1, CODE(number_or_redirect)},
                "i :: Inject -> e :: BPFClassifier(first); e [0] -> o0 :: Capture; e [1] -> o1 :: Capture; e [2] "
                "-> o2 :: Capture; e [3] -> Discard; e [4] -> Discard");
  static const char *const frames[] = {"0402", "0201", "0400", "0409"};
  for (size_t f = 0; f < sizeof frames / sizeof *frames; f++)
    frames_send("i", frames[f], 0);
  expect_at((const char *const[]){"0400 ", "", "0402 0201 "});
  assert_int_equal(harness_number("e.redirected"), 2);
  assert_int_equal(harness_number("e.aborted"), 1);
  harness_stop();
}

/* Entries of a device map name outputs, keys of a CPU map do; a key without an entry gives the verdict in the flags. */
static void redirects_by_map(void **state) {
  for (unsigned i = 0; i < 2; i++) {
    bundles_start((struct recipe){"look_up", 1, CODE(look_up), .maps = i == 0 ? &ports : &processors, .map_count = 1},
                  REWRITER(""));
    harness_expect_write("e.map_set", i == 0 ? "ports 5 2" : "processors 2 64", 0);
    frames_send("i", i == 0 ? "05a0" : "02a0", 0);
    frames_send("i", "03a1", 0);
    expect_at((const char *const[]){"03a1 ", "", i == 0 ? "05a0 " : "02a0 "});
    harness_stop();
  }
}

/* A broadcast is a copy to every output in the device map, in its order, but the one with the number of the interface that the packet came
 * in by (interface 1: NIC 0); entries without an output are left out. Without any output the packet is dropped. */
static void broadcasts(void **state) {
  bundles_start(
      (struct recipe){"flood", 1, CODE(flood), .maps = &ports, .map_count = 1},
      "i :: Inject -> e :: BPFRewriter(first); e [0] -> o0 :: Capture; e [1] -> o1 :: Capture; e [2] -> o2 :: "
      "Capture; e [3] -> o2");
  frames_send("i", "a0", 0);
  assert_string_equal(harness_read("e.drops"), "dropped 1\naborted 0\nfault 0\n");
  harness_expect_write("e.map_set", "ports 0 3", 0);
  harness_expect_write("e.map_set", "ports 1 1", 0);
  harness_expect_write("e.map_set", "ports 4 9", 0);
  harness_expect_write("e.map_set", "ports 7 2", 0);
  frames_send("i", "a1", 0);
  expect_at((const char *const[]){"", "", "a1 a1 "});
  assert_int_equal(harness_number("e.redirected"), 2);
  harness_stop();
}

/* While `measure` is true each run is timed, by the clock of the system (which here goes on by 7 with every reading). */
static void runs_are_measured(void **state) {
  bundles_start((struct recipe){"number", 1, CODE(number)}, REWRITER(""));
  frames_send("i", "02", 0);
  harness_expect_write("e.measure", "true", 0);
  harness.tick = 7;
  frames_send("i", "02", 0);
  frames_send("i", "01", 0);
  harness_expect_write("e.measure", "maybe", -ERROR_INVALID);
  harness_expect_write("e.measure", "false", 0);
  frames_send("i", "02", 0);
  assert_string_equal(harness_read("e.measure"), "false");
  const char *stats = harness_read("e.stats");
  assert_non_null(strstr(stats, "packets 4\n"));
  assert_non_null(strstr(stats, "measured 2\nnanoseconds 14\n"));
  harness_stop();
}

/* --- tc --- */

/* cls_bpf's verdicts in direct action: OK and UNSPEC, and what is none, go on; SHOT, STOLEN and TRAP end; REDIRECT needs a target. The
 * context is the packet's, and a mark comes back into its annotation. */
static void tc_verdicts(void **state) {
  static const struct {
    const char *verdict, *count;
  } cases[] = {{"00", "passed"},  {"ff", "passed"},  {"03", "passed"},  {"01", "passed"},
               {"02", "dropped"}, {"04", "dropped"}, {"08", "dropped"}, {"07", "aborted"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char frame[64], name[32];
    bundles_start((struct recipe){"marker", 1, CODE(add_mark), .kind = BPF_PROGRAM_TC, .section = "tc"},
                  "i :: Inject -> e :: BPFRewriter(first, MARK 36) -> o :: Capture");
    format_text(frame, sizeof frame, "%sa1a2a3a4a5a6a7a8a9aaab86dd00", cases[i].verdict);
    frames_send("i", frame, 12345);
    format_text(name, sizeof name, "e.%s", cases[i].count);
    assert_int_equal(harness_number(name), 1);
    if (strcmp(cases[i].count, "passed") == 0) {
      /* Ethernet type 0x86dd in network byte order, read by a little-endian machine. */
      assert_int_equal(annotation_u32(harness_last("o"), 36), 0xdd86);
      assert_int_equal(harness_last("o")->timestamp, 12345);
    }
    harness_stop();
  }
}

/* bpf_clone_redirect sends what the packet is then, before the packet itself. */
static void clones(void **state) {
  bundles_start((struct recipe){"copy", 1, CODE(copy), .kind = BPF_PROGRAM_TC, .section = "tc"}, REWRITER(""));
  frames_send("i", "a0a1a2", 0);
  expect_at((const char *const[]){"eea1a2 ", "a0a1a2 ", ""});
  harness_stop();
}

/* --- arguments --- */

/* PROGRAM names a function, or the section of the first program; what is neither is refused with the names that there are. */
static void chooses_the_program(void **state) {
  static const struct { const char *program, *passed; } cases[] = {{"xdp", "1"}, {"two", "1"}, {"second", "0"}};
  const struct recipe recipe = {"two", 1, CODE(two), .programs = two_programs, .program_count = 2};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char config[128];
    format_text(config, sizeof config, "i :: Inject -> e :: BPFilter(first, PROGRAM %s) -> Discard", cases[i].program);
    bundles_start(recipe, config);
    frames_send("i", "a0", 0);
    assert_string_equal(harness_read("e.passed"), cases[i].passed);
    harness_stop();
  }
  bundles_start(recipe, "i :: Inject -> e :: BPFilter(first, PROGRAM second) -> Discard");
  assert_int_equal(bundles_load("e.program", (struct recipe){"two", 2, CODE(number)}), -ERROR_NOT_FOUND);
  assert_non_null(strstr(harness_message(), "PROGRAM: two version 2 has no program 'second'; it has: two (xdp)\n"));
  /* A graph with another PROGRAM and the same FILE enters what runs there now. */
  harness_replace("i :: Inject -> e :: BPFilter(first, PROGRAM xdp) -> Discard");
  frames_send("i", "a0", 0);
  assert_int_equal(harness_number("e.passed"), 1);
  harness_stop();
}

/* JIT false is the interpreter, with the same verdicts. */
static void engines_can_be_chosen(void **state) {
  for (unsigned jit = 0; jit < 2; jit++) {
    bundles_start((struct recipe){"obey", 1, CODE(obey)}, jit ? REWRITER(", JIT true") : REWRITER(", JIT false"));
    assert_non_null(strstr(harness_read("e.program"), jit ? "engine native\n" : "engine interpreter\n"));
    frames_send("i", "03ff0200a4a5a6a7a8a9aaabacad", 0);
    expect_at((const char *const[]){"", "ee03ff0200a4a5a6a7a8a9aaabacad0000 ", ""});
    harness_stop();
  }
}

/* Arguments that make no sense are refused with what would. */
static void refuses_arguments(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Inject -> BPFRewriter(first, ON_ABORT port 1) -> Capture",
       "ON_ABORT: there is no output 1; connected are 0 to 0"},
      {"Inject -> BPFRewriter(first, ON_ABORT port) -> Capture", "ON_ABORT: expected drop, pass or port N, not 'port'"},
      {"Inject -> BPFRewriter(first, ON_ABORT port 0 1) -> Capture", "ON_ABORT: expected drop, pass or port N"},
      {"Inject -> BPFRewriter(first, MARK 46) -> Capture", "MARK"},
      {"Inject -> Queue -> BPFRewriter(first) -> Discard", "push"},
      {"Inject -> BPFClassifier -> Capture", "FILE"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rewrites),
      cmocka_unit_test(gives_up),
      cmocka_unit_test(header_offsets_follow),
      cmocka_unit_test(only_rewriters_resize),
      cmocka_unit_test(classifies),
      cmocka_unit_test(classifier_redirects),
      cmocka_unit_test(redirects_by_map),
      cmocka_unit_test(broadcasts),
      cmocka_unit_test(runs_are_measured),
      cmocka_unit_test(tc_verdicts),
      cmocka_unit_test(clones),
      cmocka_unit_test(chooses_the_program),
      cmocka_unit_test(engines_can_be_chosen),
      cmocka_unit_test(refuses_arguments),
  };
  return cmocka_run_group_tests(tests, NULL, bundles_release);
}
