/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bpf_skb_vlan_push and bpf_skb_vlan_pop: what skb_vlan_push and skb_vlan_pop of Linux (net/core/skbuff.c) do to frame and context.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "lib/memory.h"
#include "tests/unit/bpf/asm.h"

enum { ROOM = 64, AREA = 256, ENOMEM_12 = -12, QINQ = 0xa888, VLAN = 0x0081, IPV4 = 0x0008, FIELD = 0x77 };

#define MACS "020000000002020000000001"

struct tag {
  uint32_t type, tci; /* type 0: there is none */
};

static const struct row {
  const char *what, *frame;
  struct tag before;
  char calls[4]; /* p: push (type, tci), o: pop */
  struct tag pushed;
  int32_t result; /* of the last */
  const char *after;
  struct tag tag;
  uint32_t protocol; /* as the context has it then */
} rows[] = {
    {"the first tag is beside the packet",
     MACS "0800aabb",
     {0},
     "p",
     {VLAN, 0x2005},
     0,
     MACS "0800aabb",
     {VLAN, 0x2005},
     IPV4},
    {"with priority alone, too", MACS "0800aabb", {0}, "p", {QINQ, 0}, 0, MACS "0800aabb", {QINQ, 0}, IPV4},
    {"any other type is 802.1Q", MACS "0800aabb", {0}, "p", {0x1234, 7}, 0, MACS "0800aabb", {VLAN, 7}, IPV4},
    {"the second moves the first into the frame",
     MACS "0800aabb",
     {VLAN, 5},
     "p",
     {QINQ, 6},
     0,
     MACS "810000050800aabb",
     {QINQ, 6},
     VLAN},
    {"and so on", MACS "0800aabb", {0}, "ppp", {QINQ, 9}, 0, MACS "88a8000988a800090800aabb", {QINQ, 9}, QINQ},
    {"pop takes it away", MACS "0800aabb", {VLAN, 5}, "o", {0}, 0, MACS "0800aabb", {0}, IPV4},
    {"nothing to pop", MACS "0800aabb", {0}, "o", {0}, 0, MACS "0800aabb", {0}, IPV4},
    {"the next one comes out of the frame",
     MACS "8100600788cc",
     {QINQ, 5},
     "o",
     {0},
     0,
     MACS "88cc",
     {VLAN, 0x6007},
     0xcc88},
    {"one that is in the frame only", MACS "810000070800aabb", {0}, "o", {0}, 0, MACS "0800aabb", {0}, IPV4},
    {"two that are in the frame", MACS "88a80009810000070800aabb", {0}, "o", {0}, 0, MACS "0800aabb", {VLAN, 7}, IPV4},
    {"a frame that ends in its tag's type", MACS "8100", {0}, "o", {0}, ENOMEM_12, MACS "8100", {0}, VLAN},
    {"a frame without room for another type",
     MACS "8100000708",
     {0},
     "o",
     {0},
     ENOMEM_12,
     MACS "8100000708",
     {0},
     VLAN},
    {"no link header to put a tag behind",
     "020000000002",
     {VLAN, 5},
     "p",
     {VLAN, 6},
     ENOMEM_12,
     "020000000002",
     {VLAN, 5},
     0},
    {"push and pop", MACS "0800aabb", {VLAN, 5}, "po", {QINQ, 6}, 0, MACS "0800aabb", {VLAN, 5}, IPV4},
};

/* What the frame is, with `room` bytes in front of it. */
static void check(const struct row *row, uint32_t room, const char *frame, struct tag tag, int32_t expected,
                  uint32_t protocol) {
  struct bpf_insn insns[16];
  uint32_t count = 0;
  insns[count++] = (struct bpf_insn)MOV(6, 1);
  for (const char *call = row->calls; *call != 0; call++) {
    insns[count++] = (struct bpf_insn)MOV(1, 6);
    if (*call == 'p') {
      insns[count++] = (struct bpf_insn)MOV_IMM(2, (int32_t)row->pushed.type);
      insns[count++] = (struct bpf_insn)MOV_IMM(3, (int32_t)row->pushed.tci);
    }
    insns[count++] = (struct bpf_insn)CALL_HELPER(*call == 'p' ? BPF_HELPER_SKB_VLAN_PUSH : BPF_HELPER_SKB_VLAN_POP);
  }
  insns[count++] = (struct bpf_insn)EXIT();

  uint8_t *area = memory_alloc_low(AREA, 64), bytes[64];
  size_t length, wanted;
  memset(area, FIELD, AREA);
  assert_int_equal(sodium_hex2bin(area + ROOM, AREA - ROOM, row->frame, strlen(row->frame), NULL, &length, NULL), 0);
  assert_int_equal(sodium_hex2bin(bytes, sizeof bytes, frame, strlen(frame), NULL, &wanted, NULL), 0);
  const struct bpf_skb skb = {.protocol = length >= 14 ? area[ROOM + 12] | (uint32_t)area[ROOM + 13] << 8 : 0,
                              .vlan_present = row->before.type != 0,
                              .vlan_proto = row->before.type,
                              .vlan_tci = row->before.tci};
  const uint64_t data = (uint64_t)(uintptr_t)area + ROOM;
  const struct bpf_input input = {
      .data = data, .data_end = data + length, .buffer_start = data - room, .buffer_end = data + length, .skb = &skb};
  struct bpf_program program = {insns, count, .kind = BPF_PROGRAM_TC};
  struct bpf_result result;
  assert_int_equal(bpf_program_prepare(&program, NULL), 0);
  bpf_run(&program, &test_environment, &input, &result);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  if ((int32_t)result.r0 != expected) fail_msg("%s: %d", row->what, (int32_t)result.r0);
  if (result.data_end - result.data != wanted || memcmp((void *)(uintptr_t)result.data, bytes, wanted) != 0)
    fail_msg("%s: other frame", row->what);
  assert_int_equal(result.skb.len, wanted);
  assert_int_equal(result.skb.data, result.data);
  assert_int_equal(result.skb.vlan_present, tag.type != 0);
  assert_int_equal(result.skb.vlan_proto, tag.type);
  assert_int_equal(result.skb.vlan_tci, tag.tci);
  assert_int_equal(result.skb.protocol, protocol);
  for (uint32_t i = 0; i < ROOM - room; i++)
    assert_int_equal(area[i], FIELD);
  memory_free(program.functions);
  memory_free_low(area, AREA);
}

static void tags_are_pushed_and_popped(void **state) {
  for (size_t i = 0; i < COUNT(rows); i++)
    check(&rows[i], ROOM, rows[i].after, rows[i].tag, rows[i].result, rows[i].protocol);
}

/* Without 4 bytes in front there is no room for a tag in the frame, and all stays as it was. */
static void room_in_front(void **state) {
  const struct row row = {"room", MACS "0800aabb", {VLAN, 5}, "p", {QINQ, 6}};
  check(&row, 3, MACS "0800aabb", (struct tag){VLAN, 5}, ENOMEM_12, IPV4);
  check(&row, 4, MACS "810000050800aabb", (struct tag){QINQ, 6}, 0, VLAN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(room_in_front),
      cmocka_unit_test(tags_are_pushed_and_popped),
  };
  return cmocka_run_group_tests_name("helper-vlan", tests, NULL, NULL);
}
