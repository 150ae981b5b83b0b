/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of packets as tc programs see them in elements, and of what comes back: VLAN tags in the frame and in the annotation,
 * priority and hash. As in Linux the outermost tag is beside the frame that a program sees (skb_vlan_untag in net/core/skbuff.c), and
 * leaves in the frame.
 */
#include <string.h>

#include "tests/unit/bpf/asm.h"
#include "tests/unit/elements/bundles.h"
#include "tests/unit/elements/frames.h"

#define FIELD(name) offsetof(struct bpf_skb, name)

/* Writes what it sees into the payload: 4 bytes in front of its end become protocol and tag. */
static const struct bpf_insn look[] = {
    LOAD(BPF_W, 2, 1, FIELD(data_end)),
    LOAD(BPF_W, 3, 1, FIELD(protocol)),
    STORE(BPF_H, 2, 3, -4),
    LOAD(BPF_W, 3, 1, FIELD(vlan_tci)),
    STORE(BPF_H, 2, 3, -2),
    MOV_IMM(0, TC_ACT_OK),
    EXIT(),
};
static const struct bpf_insn pop[] = {CALL_HELPER(BPF_HELPER_SKB_VLAN_POP), MOV_IMM(0, TC_ACT_OK), EXIT()};
/* 802.1Q, tag 0x2005 */
static const struct bpf_insn push[] = {MOV_IMM(2, 0x0081), MOV_IMM(3, 0x2005), CALL_HELPER(BPF_HELPER_SKB_VLAN_PUSH),
                                       MOV_IMM(0, TC_ACT_OK), EXIT()};
/* Pushes, then redirects to nowhere: given up. */
static const struct bpf_insn give_up[] = {MOV_IMM(2, 0x0081), MOV_IMM(3, 0x2005), CALL_HELPER(BPF_HELPER_SKB_VLAN_PUSH),
                                          MOV_IMM(0, TC_ACT_REDIRECT), EXIT()};
/* Pops, sends a copy to output 1, and pushes. */
static const struct bpf_insn copy[] = {MOV(6, 1),
                                       CALL_HELPER(BPF_HELPER_SKB_VLAN_POP),
                                       MOV(1, 6),
                                       MOV_IMM(2, 1),
                                       MOV_IMM(3, 0),
                                       CALL_HELPER(BPF_HELPER_CLONE_REDIRECT),
                                       MOV(1, 6),
                                       MOV_IMM(2, 0x0081),
                                       MOV_IMM(3, 0x2005),
                                       CALL_HELPER(BPF_HELPER_SKB_VLAN_PUSH),
                                       MOV(1, 6),
                                       MOV_IMM(2, 1),
                                       MOV_IMM(3, 0),
                                       CALL_HELPER(BPF_HELPER_CLONE_REDIRECT),
                                       MOV_IMM(0, TC_ACT_SHOT),
                                       EXIT()};
/* priority + 1, hash + 2 */
static const struct bpf_insn fields[] = {LOAD(BPF_W, 2, 1, FIELD(priority)),
                                         ADD_IMM(2, 1),
                                         STORE(BPF_W, 1, 2, FIELD(priority)),
                                         LOAD(BPF_W, 2, 1, FIELD(hash)),
                                         ADD_IMM(2, 2),
                                         CALL_HELPER(BPF_HELPER_SET_HASH),
                                         MOV_IMM(0, TC_ACT_OK),
                                         EXIT()};

#define TC(code) \
  { "t", 1, CODE(code), .kind = BPF_PROGRAM_TC, .section = "tc" }
#define MACS "020000000002020000000001"

/* A tag in the frame is read from the context, popped, and joined by others; what was given up leaves as it came. */
static void tags_in_the_frame(void **state) {
  static const struct {
    struct recipe recipe;
    const char *class, *in, *out;
  } cases[] = {
      {TC(look), "BPFRewriter", MACS "8100a0070800aabb11223344", MACS "8100a0070800aabb080007a0 "},
      {TC(look), "BPFilter", MACS "88a8a0070800aabb11223344", MACS "88a8a0070800aabb080007a0 "},
      {TC(look), "BPFRewriter", MACS "0800aabb11223344", MACS "0800aabb08000000 "},
      {TC(look), "BPFRewriter", MACS "8100a0078100b0060800aabb11223344", MACS "8100a0078100b0060800aabb810007a0 "},
      {TC(pop), "BPFRewriter", MACS "8100a0070800aabb", MACS "0800aabb "},
      {TC(pop), "BPFRewriter", MACS "8100a0078100b0060800aabb", MACS "8100b0060800aabb "},
      {TC(pop), "BPFRewriter", MACS "0800aabb", MACS "0800aabb "},
      {TC(push), "BPFRewriter", MACS "0800aabb", MACS "810020050800aabb "},
      {TC(push), "BPFRewriter", MACS "8100a0070800aabb", MACS "810020058100a0070800aabb "},
      {TC(give_up), "BPFRewriter", MACS "0800aabb", MACS "0800aabb "},
      /* Too short for a tag behind it: given up. */
      {TC(push), "BPFRewriter", "0200", "0200 "},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char config[128];
    format_text(config, sizeof config, "i :: Inject -> e :: %s(first, ON_ABORT pass) -> o :: Capture", cases[i].class);
    bundles_start(cases[i].recipe, config);
    frames_send("i", cases[i].in, 0);
    const char *got = frames_captured("o");
    if (strcmp(got, cases[i].out) != 0) fail_msg("case %zu: %s", i, got);
    harness_stop();
  }
}

/* Headers stay where they are in a packet that came with a tag. */
static void headers_stay(void **state) {
  bundles_start((struct recipe)TC(look), "i :: Inject -> e :: BPFRewriter(first) -> o :: Capture");
  uint8_t frame[60] = {[12] = 0x81, [16] = 0x08};
  struct batch batch = {.count = 1, .packet = {packet_new_from(&harness.pool, frame, sizeof frame)}};
  struct packet *p = batch.packet[0];
  const uint16_t start = p->mac_header = (uint16_t)(p->data - (uint8_t *)p);
  p->network_header = (uint16_t)(start + 18);
  element_push(router_find(harness.router, "i"), 0, &batch);
  p = harness_last("o");
  assert_int_equal((uint8_t *)p + start, p->data);
  assert_int_equal(p->mac_header, start);
  assert_int_equal(p->network_header, start + 18);
  harness_stop();
}

/* The packet that a graph's VLANDecap would have left: the tag is in the annotation, and stays there. */
static void tags_in_the_annotation(void **state) {
  static const struct {
    struct recipe recipe;
    const char *out;
    uint16_t tag; /* in memory order */
  } cases[] = {
      {TC(look), MACS "0800aabb080007a0 ", 0x07a0},
      {TC(pop), MACS "0800aabb11223344 ", 0},
      {TC(push), MACS "8100a0070800aabb11223344 ", 0x0520},
  };
  static const uint8_t frame[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0xaa, 0xbb, 0x11, 0x22, 0x33, 0x44};
  for (size_t i = 0; i < COUNT(cases); i++) {
    bundles_start(cases[i].recipe, "i :: Inject -> e :: BPFRewriter(first) -> o :: Capture");
    struct batch batch = {.count = 1, .packet = {packet_new_from(&harness.pool, frame, sizeof frame)}};
    store_be16(batch.packet[0]->annotation + ANNOTATION_VLAN_TCI, 0xa007);
    element_push(router_find(harness.router, "i"), 0, &batch);
    assert_int_equal(load_le16(harness_last("o")->annotation + ANNOTATION_VLAN_TCI), cases[i].tag);
    assert_string_equal(frames_captured("o"), cases[i].out);
    harness_stop();
  }
}

/* A copy has the tag that the packet has at that moment. */
static void copies_have_their_tag(void **state) {
  bundles_start((struct recipe)TC(copy),
                "i :: Inject -> e :: BPFRewriter(first); e [0] -> Discard; e [1] -> o :: Capture");
  frames_send("i", MACS "8100a0070800aabb", 0);
  assert_string_equal(frames_captured("o"), MACS "0800aabb " MACS "810020050800aabb ");
  harness_stop();
}

/* Priority and hash are annotations where the element says which, and otherwise begin as 0 and end with the program. */
static void fields_are_annotations(void **state) {
  static const struct {
    const char *arguments;
    uint32_t first, second;
  } cases[] = {{", PRIORITY 24, HASH 36", 0x11, 0x22}, {", PRIORITY 24", 0x11, 0x20}, {"", 0x10, 0x20}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    char config[128];
    format_text(config, sizeof config, "i :: Inject -> e :: BPFRewriter(first%s) -> o :: Capture", cases[i].arguments);
    bundles_start((struct recipe)TC(fields), config);
    struct batch batch = {.count = 1, .packet = {packet_new_from(&harness.pool, MACS, 24)}};
    annotation_set_u32(batch.packet[0], 24, 0x10);
    annotation_set_u32(batch.packet[0], 36, 0x20);
    element_push(router_find(harness.router, "i"), 0, &batch);
    assert_int_equal(annotation_u32(harness_last("o"), 24), cases[i].first);
    assert_int_equal(annotation_u32(harness_last("o"), 36), cases[i].second);
    harness_stop();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tags_in_the_frame),      cmocka_unit_test(headers_stay),
      cmocka_unit_test(tags_in_the_annotation), cmocka_unit_test(copies_have_their_tag),
      cmocka_unit_test(fields_are_annotations),
  };
  return cmocka_run_group_tests(tests, NULL, bundles_release);
}
