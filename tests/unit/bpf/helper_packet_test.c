/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers on packets and contexts: SEC("xdp"), SEC("tc"), checksums, redirects, routes. Where a row names no other source, it is
 * what net/core/filter.c of Linux does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/memory.h"
#include "tests/unit/bpf/asm.h"

enum { ROOM = 512, LENGTH = 60, AREA = 4096, EACCES = 13 };

static uint8_t *area; /* the packet is at area + ROOM, its buffer area + 64 .. area + ROOM + LENGTH + 64 */

static int setup(void **state) {
  area = memory_alloc_low(AREA, 64);
  return area == NULL;
}

static int teardown(void **state) {
  memory_free_low(area, AREA);
  return 0;
}

static uint8_t *packet(void) { return area + ROOM; }
static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

/* Bytes count up from 1; metadata of that many bytes stands in front and counts down. */
static struct bpf_result run_packet(enum bpf_program_kind kind, const struct bpf_insn *insns, uint32_t count,
                                    struct bpf_map **maps, uint32_t map_count, uint32_t metadata,
                                    const struct bpf_environment *environment) {
  struct bpf_program program = {(struct bpf_insn *)insns, count, maps, map_count, kind};
  const struct bpf_skb skb = {.protocol = 8, .mark = 5, .hash = 0x1234, .priority = 9, .cb = {1, 2, 3, 4, 5}};
  const struct bpf_input input = {.data = address(packet()),
                                  .data_end = address(packet()) + LENGTH,
                                  .ingress_ifindex = 3,
                                  .data_meta = address(packet()) - metadata,
                                  .buffer_start = address(area) + 64,
                                  .buffer_end = address(packet()) + LENGTH + 64,
                                  .processor = 1,
                                  .skb = &skb};
  struct bpf_result result;
  memset(area, 0xa5, AREA);
  for (int i = 0; i < LENGTH; i++) {
    packet()[i] = (uint8_t)(i + 1);
  }
  for (uint32_t i = 1; i <= metadata; i++) {
    packet()[-(int)i] = (uint8_t)(0x80 + i);
  }
  if (bpf_check(insns, count, map_count, NULL) == 0) assert_int_equal(bpf_program_prepare(&program, NULL), 0);
  bpf_run(&program, environment, &input, &result);
  memory_free(program.functions);
  for (int i = 0; i < 64; i++) {
    assert_int_equal(area[i], 0xa5);
    assert_int_equal(packet()[LENGTH + 64 + i], 0xa5);
  }
  return result;
}

/* helper(context, r2, r3, r4, r5) */
static struct bpf_result call(enum bpf_program_kind kind, int id, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                              uint32_t metadata) {
  const struct bpf_insn insns[] = {
      LOAD_64(2, r2), LOAD_64(3, r3), LOAD_64(4, r4), LOAD_64(5, r5), CALL_HELPER(id), EXIT(),
  };
  return run_packet(kind, insns, COUNT(insns), NULL, 0, metadata, &test_environment);
}

/* bpf_xdp_adjust_head: within the room in front, and leaving an Ethernet header; metadata moves along. */
static void test_adjust_head(void **state) {
  static const struct {
    int32_t offset;
    uint32_t metadata;
    int64_t expected;
  } rows[] = {
      {0, 0, 0},
      {-20, 0, 0},
      {20, 0, 0},
      {46, 0, 0},
      {47, 0, -BPF_EINVAL},
      {-448, 0, 0},
      {-449, 0, -BPF_EINVAL},
      {INT32_MIN, 0, -BPF_EINVAL},
      {-20, 8, 0},
      {20, 8, 0},
      {-440, 8, 0},
      {-441, 8, -BPF_EINVAL},
      {INT32_MAX, 8, -BPF_EINVAL},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    /* The upper half is not part of an int. */
    struct bpf_result result = call(BPF_PROGRAM_XDP, 44, (uint32_t)rows[i].offset, 0, 0, 0, rows[i].metadata);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal((int64_t)result.r0, rows[i].expected);
    const int64_t moved = rows[i].expected == 0 ? rows[i].offset : 0;
    assert_int_equal(result.data, address(packet()) + (uint64_t)moved);
    assert_int_equal(result.data_end, address(packet()) + LENGTH);
    assert_int_equal(result.data - result.data_meta, rows[i].metadata);
    for (uint32_t k = 1; k <= rows[i].metadata; k++) {
      assert_int_equal(packet()[moved - (int64_t)k], 0x80 + k);
    }
    if (moved <= 0) assert_int_equal(packet()[0], 1);
  }
}

/* bpf_xdp_adjust_tail: new bytes are zero, an Ethernet header stays. */
static void test_adjust_tail(void **state) {
  static const struct {
    int32_t offset;
    int64_t expected;
  } rows[] = {
      {0, 0}, {64, 0}, {65, -BPF_EINVAL}, {-46, 0}, {-47, -BPF_EINVAL}, {-61, -BPF_EINVAL}, {INT32_MAX, -BPF_EINVAL}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct bpf_result result = call(BPF_PROGRAM_XDP, 65, (uint32_t)rows[i].offset, 0, 0, 0, 0);
    assert_int_equal((int64_t)result.r0, rows[i].expected);
    const int32_t moved = rows[i].expected == 0 ? rows[i].offset : 0;
    assert_int_equal(result.data_end - result.data, LENGTH + moved);
    for (int k = 0; k < moved; k++) {
      assert_int_equal(packet()[LENGTH + k], 0);
    }
  }
}

/* bpf_xdp_adjust_meta: whole words, at most 252 bytes, not beyond the packet's start. */
static void test_adjust_meta(void **state) {
  static const struct {
    int32_t offset;
    uint32_t metadata;
    int64_t expected;
  } rows[] = {
      {-8, 0, 0},          {-252, 0, 0}, {-256, 0, -EACCES}, {-6, 0, -EACCES}, {-449, 0, -BPF_EINVAL},
      {4, 0, -BPF_EINVAL}, {8, 8, 0},    {4, 8, 0},          {-4, 8, 0},       {9, 8, -BPF_EINVAL},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct bpf_result result = call(BPF_PROGRAM_XDP, 54, (uint32_t)rows[i].offset, 0, 0, 0, rows[i].metadata);
    assert_int_equal((int64_t)result.r0, rows[i].expected);
    const int64_t moved = rows[i].expected == 0 ? rows[i].offset : 0;
    assert_int_equal(result.data_meta, address(packet()) - rows[i].metadata + (uint64_t)moved);
    assert_int_equal(result.data, address(packet()));
  }
}

/* After an adjustment the context has the new window, metadata may be written, and old pointers don't reach what was cut off. */
static void test_context_follows(void **state) {
  const struct bpf_insn grown[] = {
      MOV(6, 1),
      MOV_IMM(2, -8),
      CALL_HELPER(54),
      LOAD(BPF_W, 2, 6, 8),
      STORE_IMM(BPF_DW, 2, 0, 77),
      LOAD(BPF_W, 3, 6, 0),
      LOAD(BPF_DW, 0, 3, -8),
      EXIT(),
  };
  struct bpf_result result = run_packet(BPF_PROGRAM_XDP, grown, COUNT(grown), NULL, 0, 0, &test_environment);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  assert_int_equal(result.r0, 77);
  const struct bpf_insn across[] = {LOAD(BPF_W, 2, 1, 0), LOAD(BPF_DW, 0, 2, -4), EXIT()};
  result = run_packet(BPF_PROGRAM_XDP, across, COUNT(across), NULL, 0, 8, &test_environment);
  assert_int_equal(result.fault, BPF_FAULT_MEMORY);
  const struct bpf_insn cut[] = {
      MOV(6, 1), LOAD(BPF_W, 7, 1, 4), MOV_IMM(2, -8), CALL_HELPER(65), LOAD(BPF_B, 0, 7, -9), LOAD(BPF_B, 0, 7, -8),
      EXIT(),
  };
  result = run_packet(BPF_PROGRAM_XDP, cut, COUNT(cut), NULL, 0, 0, &test_environment);
  assert_int_equal(result.fault, BPF_FAULT_MEMORY);
  assert_int_equal(result.fault_insn, 5);
}

/* helper(context, offset, r10 - 16, length): load and store of bytes. */
static struct bpf_result move_bytes(enum bpf_program_kind kind, int id, uint64_t offset, int length) {
  const struct bpf_insn insns[] = {
      STORE_IMM(BPF_DW, 10, -16, 0x11223344),
      STORE_IMM(BPF_DW, 10, -8, 0x55667788),
      LOAD_64(2, offset),
      MOV(3, 10),
      ADD_IMM(3, -16),
      MOV_IMM(4, length),
      MOV_IMM(5, 0),
      CALL_HELPER(id),
      MOV(6, 0),
      LOAD(BPF_DW, 7, 10, -16),
      STORE(BPF_DW, 10, 7, -24),
      MOV(0, 6),
      JUMP_IMM(BPF_JNE, 0, 0, 1),
      LOAD(BPF_DW, 0, 10, -24),
      EXIT(),
  };
  return run_packet(kind, insns, COUNT(insns), NULL, 0, 0, &test_environment);
}

static void test_load_and_store_bytes(void **state) {
  const uint64_t stored = 0x11223344;
  static const struct {
    enum bpf_program_kind kind;
    int id;
    uint64_t offset;
    int length;
    int64_t error;
    uint64_t loaded;
  } rows[] = {
      {BPF_PROGRAM_XDP, 189, 0, 8, 0, 0x0807060504030201},
      {BPF_PROGRAM_XDP, 189, 52, 8, 0, 0x3c3b3a3938373635},
      {BPF_PROGRAM_XDP, 189, 0x100000000, 2, 0, 0x11220201},
      {BPF_PROGRAM_XDP, 189, 53, 8, -BPF_EINVAL, 0},
      {BPF_PROGRAM_XDP, 189, 0x10000, 8, -BPF_EFAULT, 0},
      {BPF_PROGRAM_XDP, 189, 0xffffffff, 8, -BPF_EFAULT, 0},
      {BPF_PROGRAM_TC, 26, 0, 8, 0, 0x0807060504030201},
      {BPF_PROGRAM_TC, 26, 53, 8, -BPF_EFAULT, 0},
      {BPF_PROGRAM_TC, 26, 0xfffffffc, 8, -BPF_EFAULT, 0},
      {BPF_PROGRAM_XDP, 190, 10, 4, 0, 0x11223344},
      {BPF_PROGRAM_XDP, 190, 57, 4, -BPF_EINVAL, 0},
      {BPF_PROGRAM_TC, 9, 10, 4, 0, 0x11223344},
      {BPF_PROGRAM_TC, 9, 57, 4, -BPF_EFAULT, 0},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct bpf_result result = move_bytes(rows[i].kind, rows[i].id, rows[i].offset, rows[i].length);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    if (rows[i].error != 0) {
      assert_int_equal((int64_t)result.r0, rows[i].error);
      continue;
    }
    assert_int_equal(result.r0, rows[i].loaded);
    if (rows[i].id == 190 || rows[i].id == 9) assert_memory_equal(packet() + 10, &stored, 4);
  }
  /* The stack has 16 bytes there. */
  assert_int_equal(move_bytes(BPF_PROGRAM_XDP, 189, 0, 17).fault, BPF_FAULT_HELPER);
  assert_int_equal(move_bytes(BPF_PROGRAM_XDP, 189, 0, 0).fault, BPF_FAULT_HELPER);
  assert_int_equal(move_bytes(BPF_PROGRAM_TC, 26, 0, -1).fault, BPF_FAULT_HELPER);
}

/* A helper of the other kind of program is no helper. */
static void test_kinds(void **state) {
  static const int xdp[] = {44, 54, 65, 188}, tc[] = {34, 38, 39, 41, 43, 48};
  for (size_t i = 0; i < COUNT(xdp); i++) {
    const struct bpf_insn insns[] = {MOV_IMM(2, 0), MOV_IMM(3, 0), CALL_HELPER(xdp[i]), EXIT()};
    struct bpf_program program = {(struct bpf_insn *)insns, COUNT(insns), NULL, 0, BPF_PROGRAM_TC};
    assert_int_equal(bpf_program_prepare(&program, NULL), -ERROR_UNSUPPORTED);
    assert_int_equal(call(BPF_PROGRAM_XDP, xdp[i], 0, 0, 0, 0, 0).fault, BPF_FAULT_NONE);
  }
  for (size_t i = 0; i < COUNT(tc); i++) {
    const struct bpf_insn insns[] = {MOV_IMM(2, 0), MOV_IMM(3, 0), CALL_HELPER(tc[i]), EXIT()};
    struct bpf_program program = {(struct bpf_insn *)insns, COUNT(insns), NULL, 0, BPF_PROGRAM_XDP};
    assert_int_equal(bpf_program_prepare(&program, NULL), -ERROR_UNSUPPORTED);
    const struct bpf_input input = {.data = 4096, .data_end = 4096};
    struct bpf_result result;
    bpf_run(&program, &test_environment, &input, &result);
    assert_int_equal(result.fault, BPF_FAULT_HELPER);
  }
  assert_int_equal(call(BPF_PROGRAM_XDP, 188, 0, 0, 0, 0, 0).r0, LENGTH);
}

/* tc: length and room, hash, and fields that are written come back with the result. */
static void test_skb(void **state) {
  static const struct {
    int id;
    uint64_t r2, r3;
    int64_t expected;
    uint64_t length;
  } rows[] = {
      {38, 20, 0, 0, 20},
      {38, 124, 0, 0, 124},
      {38, 125, 0, -BPF_EINVAL, LENGTH},
      {38, 13, 0, -BPF_EINVAL, LENGTH},
      {38, 20, 1, -BPF_EINVAL, LENGTH},
      {43, 20, 0, 0, LENGTH + 20},
      {43, 448, 0, 0, LENGTH + 448},
      {43, 449, 0, -BPF_ENOMEM, LENGTH},
      {43, 4, 1, -BPF_EINVAL, LENGTH},
      {39, 60, 0, 0, LENGTH},
      {39, 61, 0, -BPF_ENOMEM, LENGTH},
      {34, 0, 0, 0x1234, LENGTH},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct bpf_result result = call(BPF_PROGRAM_TC, rows[i].id, rows[i].r2, rows[i].r3, 0, 0, 0);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal((int64_t)result.r0, rows[i].expected);
    assert_int_equal(result.data_end - result.data, rows[i].length);
    assert_int_equal(result.skb.len, rows[i].length);
    for (uint64_t at = result.data; at < address(packet()); at++) {
      assert_int_equal(*(uint8_t *)(uintptr_t)at, 0);
    }
  }
  assert_int_equal(call(BPF_PROGRAM_TC, 41, 0, 0, 0, 0, 0).skb.hash, 0);
  assert_int_equal(call(BPF_PROGRAM_TC, 48, 99, 0, 0, 0, 0).skb.hash, 99);
  const struct bpf_insn write[] = {
      MOV_IMM(2, 7),
      STORE(BPF_W, 1, 2, offsetof(struct bpf_skb, mark)),
      STORE(BPF_H, 1, 2, offsetof(struct bpf_skb, cb) + 2),
      STORE(BPF_DW, 1, 2, offsetof(struct bpf_skb, tstamp)),
      LOAD(BPF_B, 0, 1, offsetof(struct bpf_skb, hash) + 1),
      EXIT(),
  };
  struct bpf_result result = run_packet(BPF_PROGRAM_TC, write, COUNT(write), NULL, 0, 0, &test_environment);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  assert_int_equal(result.r0, 0x12);
  assert_int_equal(result.skb.mark, 7);
  assert_int_equal(result.skb.cb[0], 0x70001);
  assert_int_equal(result.skb.tstamp, 7);
  assert_int_equal(result.skb.priority, 9);
}

/* Which parts of struct __sk_buff a tc program may touch, and how wide: tc_cls_act_is_valid_access and bpf_skb_is_valid_access. */
static void test_skb_access(void **state) {
  enum { READ_1 = 1, READ_2 = 2, READ_4 = 4, READ_8 = 8, WRITE_1 = 16, WRITE_4 = 64, WRITE_8 = 128 };
  enum { NARROW = READ_1 | READ_2 | READ_4 };
  static const struct {
    size_t offset;
    unsigned allowed;
  } rows[] = {
      {offsetof(struct bpf_skb, len), NARROW},
      {offsetof(struct bpf_skb, mark), NARROW | WRITE_4},
      {offsetof(struct bpf_skb, protocol), NARROW},
      {offsetof(struct bpf_skb, priority), NARROW | WRITE_4},
      {offsetof(struct bpf_skb, tc_classid), NARROW | WRITE_4},
      {offsetof(struct bpf_skb, cb), NARROW | READ_8 | WRITE_1 | WRITE_4 | WRITE_8},
      {offsetof(struct bpf_skb, cb) + 4, NARROW | WRITE_1 | WRITE_4},
      {offsetof(struct bpf_skb, data), READ_4},
      {offsetof(struct bpf_skb, data_end), READ_4},
      {offsetof(struct bpf_skb, data_meta), READ_4},
      {offsetof(struct bpf_skb, socket), 0},
      {offsetof(struct bpf_skb, sk), 0},
      {offsetof(struct bpf_skb, flow_keys), 0},
      {offsetof(struct bpf_skb, tstamp), READ_8 | WRITE_8},
      {offsetof(struct bpf_skb, wire_len), NARROW},
      {sizeof(struct bpf_skb), 0},
  };
  static const struct {
    unsigned bit, code;
  } accesses[] = {{READ_1, 0x71},  {READ_2, 0x69},  {READ_4, 0x61}, {READ_8, 0x79},
                  {WRITE_1, 0x73}, {WRITE_4, 0x63}, {WRITE_8, 0x7b}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    for (size_t k = 0; k < COUNT(accesses); k++) {
      const bool load = (accesses[k].code & 7) == BPF_LDX;
      const struct bpf_insn insns[] = {INSN(accesses[k].code, load ? 0 : 1, load ? 1 : 0, (int)rows[i].offset, 0),
                                       EXIT()};
      struct bpf_result result = run_packet(BPF_PROGRAM_TC, insns, COUNT(insns), NULL, 0, 0, &test_environment);
      const bool allowed = (rows[i].allowed & accesses[k].bit) != 0;
      if ((result.fault == BPF_FAULT_NONE) != allowed)
        fail_msg("offset %zu, opcode %#x", rows[i].offset, accesses[k].code);
    }
  }
}

/* bpf_csum_diff(from, to) with the bytes at r10 - 16 and r10 - 8. */
static uint64_t csum_diff(uint64_t from, int from_size, uint64_t to, int to_size, uint32_t seed) {
  const struct bpf_insn insns[] = {
      LOAD_64(6, from), STORE(BPF_DW, 10, 6, -16), LOAD_64(6, to), STORE(BPF_DW, 10, 6, -8), MOV(1, 10),
      ADD_IMM(1, -16),  MOV_IMM(2, from_size),     MOV(3, 10),     ADD_IMM(3, -8),           MOV_IMM(4, to_size),
      LOAD_64(5, seed), CALL_HELPER(28),           EXIT(),
  };
  return RUN(insns).r0;
}

/* RFC 1071 section 3 has the sum of 00 01 f2 03 f4 f5 f6 f7: ddf2, here with its bytes swapped. Adding and taking away again
 * gives the seed. Sizes are multiples of 4. */
static void test_csum_diff(void **state) {
  const uint64_t rfc = 0xf7f6f5f403f20100;
  assert_int_equal(csum_diff(0, 0, rfc, 8, 0), 0xf2dd);
  assert_int_equal(csum_diff(rfc, 8, 0, 0, 0), 0xffff & ~0xf2dd);
  assert_int_equal(csum_diff(rfc, 8, rfc, 8, 0x1234), 0x1234);
  assert_int_equal(csum_diff(0, 0, 0, 0, 0x1234), 0x1234);
  assert_int_equal(csum_diff(0, 0, 0, 0, 0x10001), 2);
  assert_int_equal(csum_diff(1, 4, 3, 4, 0), 2);
  assert_int_equal(csum_diff(3, 4, 1, 4, 0), 0xfffd); /* -2 in one's complement */
  assert_int_equal((int64_t)csum_diff(0, 3, 0, 0, 0), -BPF_EINVAL);
  assert_int_equal((int64_t)csum_diff(0, 0, 0, 6, 0), -BPF_EINVAL);
}

/* Puts a checksum at offset 20 and replaces. */
static struct bpf_result replace(int id, uint16_t checksum, uint64_t offset, uint64_t from, uint64_t to, uint64_t flags,
                                 uint16_t *after) {
  const struct bpf_insn insns[] = {
      LOAD(BPF_W, 6, 1, offsetof(struct bpf_skb, data)),
      MOV_IMM(7, checksum),
      STORE(BPF_H, 6, 7, 20),
      LOAD_64(2, offset),
      LOAD_64(3, from),
      LOAD_64(4, to),
      LOAD_64(5, flags),
      CALL_HELPER(id),
      EXIT(),
  };
  struct bpf_result result = run_packet(BPF_PROGRAM_TC, insns, COUNT(insns), NULL, 0, 0, &test_environment);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  memcpy(after, packet() + 20, sizeof *after);
  return result;
}

/* RFC 1624 section 4: checksum DD2F, field 5555 becomes 3285: new checksum 0000. A UDP checksum that is none stays none, and one that
 * would become 0 becomes ffff (RFC 768) where the flag asks. */
static void test_csum_replace(void **state) {
  enum { L3 = 10, L4 = 11 };
  static const struct {
    int id;
    uint16_t checksum;
    uint64_t offset, from, to, flags;
    int64_t expected;
    uint16_t after;
  } rows[] = {
      {L3, 0x2fdd, 20, 0x5555, 0x8532, 2, 0, 0x0000},     {L3, 0x2fdd, 20, 0x12345555, 0x12348532, 4, 0, 0x0000},
      {L3, 0x2fdd, 20, 0, 0x2fdd, 0, 0, 0x0000}, /* difference: ~HC' = ~HC + diff */
      {L3, 0x2fdd, 20, 1, 2, 0, -BPF_EINVAL, 0x2fdd},     {L3, 0x2fdd, 20, 1, 2, 3, -BPF_EINVAL, 0x2fdd},
      {L3, 0x2fdd, 20, 1, 2, 0x12, -BPF_EINVAL, 0x2fdd},  {L3, 0x2fdd, 21, 1, 2, 2, -BPF_EFAULT, 0x2fdd},
      {L3, 0x2fdd, 60, 1, 2, 2, -BPF_EFAULT, 0x2fdd},     {L3, 0x2fdd, 0x10000, 1, 2, 2, -BPF_EFAULT, 0x2fdd},
      {L4, 0x2fdd, 20, 0x5555, 0x8532, 2, 0, 0x0000},     {L4, 0x2fdd, 20, 0x5555, 0x8532, 0x12, 0, 0x0000},
      {L4, 0x2fdd, 20, 0x5555, 0x8532, 0x22, 0, 0xffff},  {L4, 0, 20, 0x5555, 0x8532, 0x22, 0, 0},
      {L4, 0x2fdd, 20, 1, 2, 0x102, -BPF_EINVAL, 0x2fdd},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    uint16_t after;
    struct bpf_result result =
        replace(rows[i].id, rows[i].checksum, rows[i].offset, rows[i].from, rows[i].to, rows[i].flags, &after);
    if ((int64_t)result.r0 != rows[i].expected || after != rows[i].after) {
      fail_msg("row %zu: %lld, checksum %#x", i, (long long)result.r0, after);
    }
  }
}

/* bpf_redirect and bpf_redirect_map: verdicts, and what they note. */
static void test_redirect(void **state) {
  const struct bpf_insn plain[] = {MOV_IMM(1, 4), MOV_IMM(2, 0), CALL_HELPER(23), EXIT()};
  struct bpf_result result = run_packet(BPF_PROGRAM_XDP, plain, COUNT(plain), NULL, 0, 0, &test_environment);
  assert_int_equal(result.r0, XDP_REDIRECT);
  assert_int_equal(result.redirect.kind, BPF_REDIRECT_PORT);
  assert_int_equal(result.redirect.target, 4);
  const struct bpf_insn flagged[] = {MOV_IMM(1, 4), MOV_IMM(2, 1), CALL_HELPER(23), EXIT()};
  result = run_packet(BPF_PROGRAM_XDP, flagged, COUNT(flagged), NULL, 0, 0, &test_environment);
  assert_int_equal(result.r0, XDP_ABORTED);
  assert_int_equal(result.redirect.kind, BPF_REDIRECT_NONE);
  result = run_packet(BPF_PROGRAM_TC, flagged, COUNT(flagged), NULL, 0, 0, &test_environment);
  assert_int_equal(result.r0, TC_ACT_REDIRECT);
  assert_true(result.redirect.ingress);

  static const struct {
    uint32_t type;
    uint64_t key, flags, verdict;
    enum bpf_redirect_kind kind;
    uint32_t target;
  } rows[] = {
      {BPF_MAP_TYPE_DEVMAP, 1, 0, XDP_REDIRECT, BPF_REDIRECT_PORT, 7},
      {BPF_MAP_TYPE_DEVMAP, 2, 0, XDP_ABORTED, BPF_REDIRECT_NONE, 0},
      {BPF_MAP_TYPE_DEVMAP, 2, XDP_PASS, XDP_PASS, BPF_REDIRECT_NONE, 0},
      {BPF_MAP_TYPE_DEVMAP, 99, XDP_DROP, XDP_DROP, BPF_REDIRECT_NONE, 0},
      {BPF_MAP_TYPE_DEVMAP, 1, 4, XDP_ABORTED, BPF_REDIRECT_NONE, 0},
      {BPF_MAP_TYPE_DEVMAP, 99, 8, XDP_REDIRECT, BPF_REDIRECT_ALL, 0},
      {BPF_MAP_TYPE_DEVMAP, 0, 24, XDP_REDIRECT, BPF_REDIRECT_ALL, 0},
      {BPF_MAP_TYPE_DEVMAP_HASH, 1, 0, XDP_REDIRECT, BPF_REDIRECT_PORT, 7},
      {BPF_MAP_TYPE_DEVMAP_HASH, 0x100000001, 0, XDP_REDIRECT, BPF_REDIRECT_PORT, 7},
      {BPF_MAP_TYPE_CPUMAP, 1, 0, XDP_REDIRECT, BPF_REDIRECT_PROCESSOR, 1},
      {BPF_MAP_TYPE_CPUMAP, 0, XDP_TX, XDP_TX, BPF_REDIRECT_NONE, 0},
      {BPF_MAP_TYPE_CPUMAP, 1, 8, XDP_ABORTED, BPF_REDIRECT_NONE, 0},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    const struct hash_key seed = {1, 2};
    const struct bpf_map_def def = {
        .type = rows[i].type, .key_size = 4, .value_size = 4, .max_entries = 4, .processors = 2};
    struct bpf_map *map = NULL;
    const uint32_t key = 1, value = 7;
    assert_int_equal(bpf_map_create(&def, &seed, &map, NULL), 0);
    assert_int_equal(map->ops->update(map, &key, &value, BPF_ANY, 0), 0);
    const struct bpf_insn insns[] = {LOAD_MAP(1, 0), LOAD_64(2, rows[i].key), LOAD_64(3, rows[i].flags),
                                     CALL_HELPER(51), EXIT()};
    result = run_packet(BPF_PROGRAM_XDP, insns, COUNT(insns), &map, 1, 0, &test_environment);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    if (result.r0 != rows[i].verdict || result.redirect.kind != rows[i].kind) fail_msg("row %zu", i);
    assert_int_equal(result.redirect.target, rows[i].target);
    assert_true(result.redirect.exclude_ingress == ((rows[i].flags & 16) != 0));
    bpf_map_release(map);
  }
}

static struct {
  struct bpf_fib_lookup asked;
  uint32_t flags, cloned_to;
} seen;

static int64_t route(void *context, struct bpf_fib_lookup *parameters, uint32_t flags) {
  seen.asked = *parameters;
  seen.flags = flags;
  parameters->ifindex = 12;
  parameters->dmac[5] = 0x66;
  return BPF_FIB_SUCCESS;
}
static int64_t mtu_of(void *context, uint32_t ifindex) { return ifindex == 9 ? -BPF_ENODEV : 40; }
static int64_t clone(void *context, const struct bpf_machine *m, uint32_t ifindex, uint64_t flags) {
  seen.cloned_to = ifindex;
  return -BPF_EPERM;
}

/* What the system answers reaches the program; without the operation, and with wrong sizes, flags and families, Linux's errors. */
static void test_system(void **state) {
  enum { EAFNOSUPPORT = 97 };
  const struct bpf_environment full = {
      .ktime_ns = fixed_ktime, .fib_lookup = route, .mtu = mtu_of, .clone_redirect = clone};
  static const struct {
    int family, size, flags;
    bool there;
    int64_t expected;
  } routes[] = {
      {2, 64, 3, true, BPF_FIB_SUCCESS}, {10, 64, 0, true, BPF_FIB_SUCCESS}, {3, 64, 0, true, -EAFNOSUPPORT},
      {2, 63, 0, true, -BPF_EINVAL},     {2, 64, 64, true, -BPF_EINVAL},     {2, 64, 0, false, -BPF_EINVAL},
  };
  for (size_t i = 0; i < COUNT(routes); i++) {
    const struct bpf_insn insns[] = {
        STORE_IMM(BPF_B, 10, -64, routes[i].family),
        STORE_IMM(BPF_W, 10, -56, 3),
        MOV(2, 10),
        ADD_IMM(2, -64),
        MOV_IMM(3, routes[i].size),
        MOV_IMM(4, routes[i].flags),
        CALL_HELPER(69),
        JUMP_IMM(BPF_JNE, 0, 0, 1),
        LOAD(BPF_W, 0, 10, -56),
        EXIT(),
    };
    struct bpf_result result =
        run_packet(BPF_PROGRAM_XDP, insns, COUNT(insns), NULL, 0, 0, routes[i].there ? &full : &test_environment);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    assert_int_equal((int64_t)result.r0, routes[i].expected == 0 ? 12 : routes[i].expected);
    if (routes[i].expected == 0) assert_int_equal(seen.flags, routes[i].flags);
  }
  assert_int_equal(seen.asked.ifindex, 3);

  static const struct {
    enum bpf_program_kind kind;
    int ifindex, given, difference, flags;
    int64_t expected;
  } checks[] = {
      {BPF_PROGRAM_XDP, 1, 0, 0, 0, 1}, /* 60 bytes with 14 of Ethernet are over 40 */
      {BPF_PROGRAM_XDP, 1, 0, -6, 0, 0},          {BPF_PROGRAM_XDP, 1, 40, 0, 0, 0},
      {BPF_PROGRAM_XDP, 1, 41, 0, 0, 1},          {BPF_PROGRAM_XDP, 9, 0, 0, 0, -BPF_ENODEV},
      {BPF_PROGRAM_XDP, 1, 0, 0, 1, -BPF_EINVAL}, {BPF_PROGRAM_TC, 1, 40, 0, 1, 0},
      {BPF_PROGRAM_TC, 1, 40, 0, 2, -BPF_EINVAL},
  };
  for (size_t i = 0; i < COUNT(checks); i++) {
    const struct bpf_insn insns[] = {
        STORE_IMM(BPF_W, 10, -4, checks[i].given), MOV_IMM(2, checks[i].ifindex), MOV(3, 10),       ADD_IMM(3, -4),
        MOV_IMM(4, checks[i].difference),          MOV_IMM(5, checks[i].flags),   CALL_HELPER(163), EXIT(),
    };
    struct bpf_result result = run_packet(checks[i].kind, insns, COUNT(insns), NULL, 0, 0, &full);
    assert_int_equal(result.fault, BPF_FAULT_NONE);
    if ((int64_t)result.r0 != checks[i].expected) fail_msg("row %zu: %lld", i, (long long)result.r0);
  }

  const struct bpf_insn cloning[] = {MOV_IMM(2, 6), MOV_IMM(3, 0), CALL_HELPER(13), EXIT()};
  assert_int_equal((int64_t)run_packet(BPF_PROGRAM_TC, cloning, COUNT(cloning), NULL, 0, 0, &full).r0, -BPF_EPERM);
  assert_int_equal(seen.cloned_to, 6);
  assert_int_equal((int64_t)run_packet(BPF_PROGRAM_TC, cloning, COUNT(cloning), NULL, 0, 0, &test_environment).r0,
                   -BPF_EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_adjust_head),
      cmocka_unit_test(test_adjust_tail),
      cmocka_unit_test(test_adjust_meta),
      cmocka_unit_test(test_context_follows),
      cmocka_unit_test(test_load_and_store_bytes),
      cmocka_unit_test(test_kinds),
      cmocka_unit_test(test_skb),
      cmocka_unit_test(test_skb_access),
      cmocka_unit_test(test_csum_diff),
      cmocka_unit_test(test_csum_replace),
      cmocka_unit_test(test_redirect),
      cmocka_unit_test(test_system),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
