/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a running program may and may not touch, where it may go, and how it is stopped: faults of each kind, frames, budget,
 * and programs written to do harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/memory.h"
#include "tests/unit/bpf/native.h"

static const struct hash_key seed = {1, 2};

static struct bpf_map *make_map(uint32_t type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags) {
  const struct bpf_map_def def = {
      .name = "m", .type = type, .key_size = key, .value_size = value, .max_entries = entries, .flags = flags};
  struct bpf_map *map = NULL;
  assert_int_equal(bpf_map_create(&def, &seed, &map, NULL), 0);
  return map;
}

static struct bpf_result run_packet(const struct bpf_insn *insns, uint32_t count, uint8_t *packet, uint32_t length) {
  struct bpf_program program = {(struct bpf_insn *)insns, count, NULL, 0};
  const struct bpf_input input = {(uint64_t)(uintptr_t)packet, (uint64_t)(uintptr_t)packet + length, 3, 4};
  struct bpf_result result;
  bpf_run(&program, &test_environment, &input, &result);
  return result;
}

/* Each load, store and atomic at the edges of the packet window: the last place that fits is fine, one further on either side
 * faults, an atomic that fits faults where it is not aligned, and the bytes around the window stay as they were. */
static void test_packet_edges(void **state) {
  enum { LENGTH = 64, GUARD = 16 };
  static const struct {
    unsigned code, size;
    bool atomic;
  } accesses[] = {
      {0x71, 1, false}, {0x69, 2, false}, {0x61, 4, false}, {0x79, 8, false}, {0x91, 1, false}, {0x89, 2, false},
      {0x81, 4, false}, {0x72, 1, false}, {0x6a, 2, false}, {0x62, 4, false}, {0x7a, 8, false}, {0x73, 1, false},
      {0x6b, 2, false}, {0x63, 4, false}, {0x7b, 8, false}, {0xc3, 4, true},  {0xdb, 8, true},
  };
  uint8_t *block = memory_alloc_low(4096, 64);
  assert_non_null(block);
  uint8_t *packet = block + GUARD;
  for (size_t i = 0; i < COUNT(accesses); i++) {
    for (int off = -20; off <= LENGTH + 20; off++) {
      memset(block, 0xa5, LENGTH + 2 * GUARD);
      bool load = (accesses[i].code & 7) == BPF_LDX;
      const struct bpf_insn insns[] = {
          LOAD(BPF_W, 2, 1, 0), /* data */
          INSN(accesses[i].code, load ? 3 : 2, load ? 2 : 0, off, 0),
          MOV_IMM(0, 2),
          EXIT(),
      };
      struct bpf_result result = run_packet(insns, COUNT(insns), packet, LENGTH);
      bool fits = off >= 0 && off + (int)accesses[i].size <= LENGTH;
      enum bpf_fault_kind expected = fits ? BPF_FAULT_NONE : BPF_FAULT_MEMORY;
      if (fits && accesses[i].atomic && off % (int)accesses[i].size != 0) expected = BPF_FAULT_ALIGNMENT;
      assert_int_equal(result.fault, expected);
      if (expected != BPF_FAULT_NONE) {
        assert_int_equal(result.fault_insn, 1);
        assert_int_equal(result.fault_address, (uint64_t)(uintptr_t)packet + (uint64_t)(int64_t)off);
        assert_int_equal(result.r0, 0);
      }
      for (unsigned g = 0; g < GUARD; g++) {
        assert_int_equal(block[g], 0xa5);
        assert_int_equal(packet[LENGTH + g], 0xa5);
      }
    }
  }
  memory_free_low(block, 4096);
}

/* Addresses near 0 and near 2^64, where sums wrap, are outside of everything. */
static void test_wrapping_addresses(void **state) {
  static const uint64_t addresses[] = {
      0, 1, 7, 0xffffffffffffffff, 0xfffffffffffffff8, 0xfffffffffffffff9, 0x8000000000000000, 0x7fffffffffffffff};
  static const int offsets[] = {0, 1, 8, -1, -8, 32767, -32768};
  uint8_t memory[16] = {0};
  for (size_t i = 0; i < COUNT(addresses); i++) {
    for (size_t j = 0; j < COUNT(offsets); j++) {
      const struct bpf_insn insns[] = {LOAD_64(3, addresses[i]), LOAD(BPF_DW, 0, 3, offsets[j]), EXIT()};
      /* Also with an empty window at address 0. */
      assert_int_equal(run_with(insns, COUNT(insns), memory, sizeof memory, NULL, 0).fault, BPF_FAULT_MEMORY);
      assert_int_equal(RUN(insns).fault, BPF_FAULT_MEMORY);
    }
  }
}

/* The context: 4-byte loads of whole fields up to rx_queue_index, as in Linux; nothing else, and no stores. */
static void test_context(void **state) {
  uint8_t *packet = memory_alloc_low(4096, 64);
  const uint64_t expected[] = {(uint64_t)(uintptr_t)packet, (uint64_t)(uintptr_t)packet + 60,
                               (uint64_t)(uintptr_t)packet, 3, 4};
  for (int off = -8; off < 32; off++) {
    static const uint8_t codes[] = {0x61, 0x71, 0x69, 0x79, 0x81, 0x62, 0x63, 0xc3};
    for (size_t i = 0; i < COUNT(codes); i++) {
      bool load = (codes[i] & 7) == BPF_LDX;
      const struct bpf_insn insns[] = {INSN(codes[i], load ? 0 : 1, load ? 1 : 0, off, 0), EXIT()};
      struct bpf_result result = run_packet(insns, COUNT(insns), packet, 60);
      bool allowed = codes[i] == 0x61 && off >= 0 && off <= 16 && off % 4 == 0;
      assert_int_equal(result.fault, allowed ? BPF_FAULT_NONE : BPF_FAULT_MEMORY);
      if (allowed) assert_int_equal(result.r0, expected[off / 4]);
    }
  }
  memory_free_low(packet, 4096);
}

/* A window whose end lies before its start is empty. */
static void test_inverted_window(void **state) {
  uint8_t *packet = memory_alloc_low(4096, 64);
  const struct bpf_insn insns[] = {LOAD(BPF_W, 2, 1, 0), LOAD(BPF_B, 0, 2, 0), EXIT()};
  struct bpf_program program = {(struct bpf_insn *)insns, COUNT(insns), NULL, 0};
  const struct bpf_input input = {(uint64_t)(uintptr_t)packet + 8, (uint64_t)(uintptr_t)packet, 0, 0};
  struct bpf_result result;
  bpf_run(&program, &test_environment, &input, &result);
  assert_int_equal(result.fault, BPF_FAULT_MEMORY);
  memory_free_low(packet, 4096);
}

/* A frame is the 512 bytes below r10, zeroed; a byte more on either side faults. */
static void test_stack_edges(void **state) {
  static const unsigned sizes[] = {BPF_B, BPF_H, BPF_W, BPF_DW};
  for (unsigned i = 0; i < 4; i++) {
    const int size[] = {1, 2, 4, 8};
    for (int off = -530; off <= 10; off++) {
      const struct bpf_insn insns[] = {LOAD(sizes[i], 0, 10, off), STORE(sizes[i], 10, 1, off), EXIT()};
      struct bpf_result result = RUN(insns);
      bool fits = off >= -512 && off + size[i] <= 0;
      assert_int_equal(result.fault, fits ? BPF_FAULT_NONE : BPF_FAULT_MEMORY);
      assert_int_equal(result.r0, 0);
    }
  }
}

/* Sections 4.3.1 and 2: a callee gets r1 to r5, gives r0, and r6 to r9 and r10 are the caller's again afterwards. */
static void test_local_call(void **state) {
  const struct bpf_insn insns[] = {
      /* 0 */ MOV_IMM(6, 60),
      /* 1 */ MOV_IMM(9, 90),
      /* 2 */ MOV_IMM(1, 5),
      /* 3 */ STORE(BPF_DW, 10, 6, -8),
      /* 4 */ CALL(5), /* 10 */
      /* 5 */ ADD(0, 6),
      /* 6 */ ADD(0, 9),
      /* 7 */ LOAD(BPF_DW, 1, 10, -8),
      /* 8 */ ADD(0, 1),
      /* 9 */ EXIT(),
      /* 10 */ MOV_IMM(6, 1),
      /* 11 */ MOV_IMM(9, 2),
      /* 12 */ LOAD(BPF_DW, 0, 10, -8), /* its own frame: zero */
      /* 13 */ STORE_IMM(BPF_DW, 10, -8, 77),
      /* 14 */ ADD(0, 1),
      /* 15 */ EXIT(),
  };
  assert_int_equal(bpf_check(insns, COUNT(insns), 0, NULL), 0);
  struct bpf_result result = RUN(insns);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  assert_int_equal(result.r0, 5 + 60 + 90 + 60);
}

/* A callee writes to its caller's frame through a pointer; the frame of a function that has returned is out of reach, and so is
 * a piece that lies across two frames. */
static void test_frames_by_pointer(void **state) {
  const struct bpf_insn through[] = {
      MOV(1, 10), CALL(2), LOAD(BPF_DW, 0, 10, -16), EXIT(), STORE_IMM(BPF_DW, 1, -16, 41), EXIT(),
  };
  struct bpf_result result = RUN(through);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  assert_int_equal(result.r0, 41);

  const struct bpf_insn dangling[] = {CALL(2), LOAD(BPF_B, 0, 0, -1), EXIT(), MOV(0, 10), EXIT()};
  result = RUN(dangling);
  assert_int_equal(result.fault, BPF_FAULT_MEMORY);
  assert_int_equal(result.fault_insn, 1);

  const struct bpf_insn across[] = {CALL(1), EXIT(), STORE_IMM(BPF_DW, 10, -4, 1), EXIT()};
  result = RUN(across);
  assert_int_equal(result.fault, BPF_FAULT_MEMORY);
  assert_int_equal(result.fault_insn, 2);

  /* Below its own frame a callee finds nothing either, since callers' frames lie above. */
  const struct bpf_insn below[] = {CALL(1), EXIT(), STORE_IMM(BPF_B, 10, -513, 1), EXIT()};
  assert_int_equal(RUN(below).fault, BPF_FAULT_MEMORY);
}

/* A frame that is used again is zero again: nothing leaks from call to call. */
static void test_frame_is_zeroed(void **state) {
  const struct bpf_insn insns[] = {
      CALL(2), CALL(1), EXIT(), LOAD(BPF_DW, 0, 10, -512), STORE_IMM(BPF_DW, 10, -512, 9), EXIT(),
  };
  struct bpf_result result = RUN(insns);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  assert_int_equal(result.r0, 0);
}

/* r1 calls deep; 8 frames are allowed, the ninth call faults. */
static void test_call_depth(void **state) {
  const struct bpf_insn insns[] = {
      /* 0 */ LOAD(BPF_B, 1, 1, 0),
      /* 1 */ JUMP_IMM(BPF_JEQ, 1, 0, 2),
      /* 2 */ ADD_IMM(1, -1),
      /* 3 */ CALL(-3), /* 1 */
      /* 4 */ EXIT(),
  };
  for (unsigned depth = 0; depth < 10; depth++) {
    uint8_t memory[1] = {(uint8_t)depth};
    struct bpf_result result = run_with(insns, COUNT(insns), memory, 1, NULL, 0);
    assert_int_equal(result.fault, depth < BPF_MAX_FRAMES ? BPF_FAULT_NONE : BPF_FAULT_FRAMES);
    if (depth >= BPF_MAX_FRAMES) assert_int_equal(result.fault_insn, 3);
  }
}

/* callx calls a function that BPF_PSEUDO_FUNC names, by its value; any other number, even the address of another instruction,
 * faults. Without functions there is nothing to call. */
static void test_callx(void **state) {
  struct bpf_insn insns[] = {
      /* 0 */ MOV_IMM(6, 3),
      /* 1 */ LOAD_KIND(2, BPF_PSEUDO_FUNC, 4, 0), /* 6 */
      /* 3 */ ADD_IMM(2, 0),
      /* 4 */ INSN(BPF_JMP | BPF_CALL | BPF_X, 2, 0, 0, 0),
      /* 5 */ EXIT(),
      /* 6 */ MOV_IMM(0, 40),
      /* 7 */ ADD(0, 6),
      /* 8 */ MOV_IMM(6, 0),
      /* 9 */ EXIT(),
  };
  assert_int_equal(bpf_check(insns, COUNT(insns), 0, NULL), 0);
  struct bpf_program program = {insns, COUNT(insns), NULL, 0};
  struct bpf_result result;
  bpf_run_memory(&program, &test_environment, NULL, 0, &result);
  assert_int_equal(result.fault, BPF_FAULT_FUNCTION);
  assert_int_equal(bpf_program_prepare(&program, NULL), 0);
  assert_int_equal(program.function_count, 1);
  assert_int_equal(program.functions[0], 6);
  static const struct {
    int change;
    enum bpf_fault_kind fault;
  } rows[] = {{0, BPF_FAULT_NONE},     {8, BPF_FAULT_FUNCTION},   {-8, BPF_FAULT_FUNCTION},
              {1, BPF_FAULT_FUNCTION}, {800, BPF_FAULT_FUNCTION}, {-48, BPF_FAULT_FUNCTION}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    insns[3].imm = rows[i].change;
    bpf_run_memory(&program, &test_environment, NULL, 0, &result);
    assert_int_equal(result.fault, rows[i].fault);
    if (rows[i].fault == BPF_FAULT_NONE) {
      assert_int_equal(result.r0, 43);
    } else {
      assert_int_equal(result.fault_insn, 4);
    }
  }
  memory_free(program.functions);
}

/* Exactly BPF_MAX_EXECUTED instructions run, not one more. */
static void test_budget(void **state) {
  struct bpf_insn insns[] = {
      MOV_IMM(1, BPF_MAX_EXECUTED / 2 - 1), ADD_IMM(1, -1), JUMP_IMM(BPF_JNE, 1, 0, -2), EXIT(), EXIT(),
  };
  struct bpf_result result = RUN(insns);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  assert_int_equal(result.executed, BPF_MAX_EXECUTED);
  insns[3] = (struct bpf_insn)MOV_IMM(0, 0);
  result = RUN(insns);
  assert_int_equal(result.fault, BPF_FAULT_BUDGET);
  assert_int_equal(result.executed, BPF_MAX_EXECUTED);
  assert_int_equal(result.fault_insn, 4);

  const struct bpf_insn endless[] = {JUMP(-1)};
  assert_int_equal(RUN(endless).fault, BPF_FAULT_BUDGET);
}

/* Instructions that bpf_check would have refused fault when they run all the same. */
static void test_unchecked_instructions(void **state) {
  static const struct {
    struct bpf_insn insns[3];
    enum bpf_fault_kind fault;
    uint32_t at;
  } rows[] = {
      {{MOV_IMM(11, 0), EXIT()}, BPF_FAULT_INSTRUCTION, 0},
      {{MOV_IMM(15, 0), EXIT()}, BPF_FAULT_INSTRUCTION, 0},
      {{MOV(0, 11), EXIT()}, BPF_FAULT_INSTRUCTION, 0},
      {{MOV(0, 15), EXIT()}, BPF_FAULT_INSTRUCTION, 0},
      {{MOV_IMM(0, 0), LOAD(BPF_B, 12, 13, 0)}, BPF_FAULT_INSTRUCTION, 1},
      {{INSN(0x3f, 0, 0, 2, 0)}, BPF_FAULT_INSTRUCTION, 0},
      {{INSN(0x9c, 0, 0, -1, 0)}, BPF_FAULT_INSTRUCTION, 0},
      {{INSN(0xbf, 0, 0, 7, 0)}, BPF_FAULT_INSTRUCTION, 0},
      {{INSN(0xbc, 0, 0, 32, 0)}, BPF_FAULT_INSTRUCTION, 0},
      {{INSN(0xd4, 0, 0, 0, 8)}, BPF_FAULT_INSTRUCTION, 0},
      {{INSN(0xd7, 0, 0, 0, -16)}, BPF_FAULT_INSTRUCTION, 0},
      {{ATOMIC(BPF_W, 10, 0, -4, 2)}, BPF_FAULT_INSTRUCTION, 0},
      {{ATOMIC(BPF_W, 10, 0, -4, 0xe0)}, BPF_FAULT_INSTRUCTION, 0},
      {{ATOMIC(BPF_DW, 10, 0, -8, 0xf0)}, BPF_FAULT_INSTRUCTION, 0},
      {{ATOMIC(BPF_DW, 10, 0, -8, 0x101)}, BPF_FAULT_INSTRUCTION, 0},
      {{ATOMIC(BPF_B, 10, 0, -8, 0)}, BPF_FAULT_INSTRUCTION, 0},
      {{INSN(0x8d, 0, 0, 0, 0)}, BPF_FAULT_FUNCTION, 0}, /* callx to what is no function */
      {{INSN(0x85, 0, BPF_PSEUDO_BTF_CALL, 0, 1)}, BPF_FAULT_INSTRUCTION, 0},
      {{INSN(0x85, 0, 10, 0, 1)}, BPF_FAULT_INSTRUCTION, 0},
      {{INSN(0x20, 0, 0, 0, 0)}, BPF_FAULT_INSTRUCTION, 0}, /* legacy packet access */
      {{EXIT(), EXIT(), EXIT()}, BPF_FAULT_NONE, 0},
      /* Control leaves: at the end, before the start, far away. */
      {{MOV_IMM(0, 0), MOV_IMM(0, 0), MOV_IMM(0, 0)}, BPF_FAULT_JUMP, 2},
      {{JUMP(-2)}, BPF_FAULT_JUMP, 0},
      {{JUMP(32767)}, BPF_FAULT_JUMP, 0},
      {{INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, 0x7fffffff)}, BPF_FAULT_JUMP, 0},
      {{INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, 0x80000000)}, BPF_FAULT_JUMP, 0},
      {{CALL(-2)}, BPF_FAULT_JUMP, 0},
      {{CALL(3)}, BPF_FAULT_JUMP, 0},
      /* 64-bit immediates: their middle, cut off, malformed, of unknown kinds, of maps that are not there. */
      {{JUMP(1), LOAD_64(0, 0)}, BPF_FAULT_JUMP, 0},
      {{INSN(0, 0, 0, 0, 0)}, BPF_FAULT_INSTRUCTION, 0},
      {{EXIT(), EXIT(), INSN(0x18, 0, 0, 0, 0)}, BPF_FAULT_NONE, 0},
      {{MOV_IMM(0, 0), MOV_IMM(0, 0), INSN(0x18, 0, 0, 0, 0)}, BPF_FAULT_INSTRUCTION, 2},
      {{INSN(0x18, 0, 0, 0, 0), EXIT()}, BPF_FAULT_INSTRUCTION, 0},
      {{LOAD_KIND(0, 3, 0, 0), EXIT()}, BPF_FAULT_INSTRUCTION, 0},
      {{LOAD_KIND(0, 5, 0, 0), EXIT()}, BPF_FAULT_INSTRUCTION, 0},
      {{LOAD_MAP(0, 0), EXIT()}, BPF_FAULT_INSTRUCTION, 0},
      {{LOAD_MAP(0, -1), EXIT()}, BPF_FAULT_INSTRUCTION, 0},
      {{LOAD_KIND(0, BPF_PSEUDO_MAP_VALUE, 0, 0), EXIT()}, BPF_FAULT_INSTRUCTION, 0},
      {{LOAD_KIND(0, BPF_PSEUDO_FUNC, 2, 0), EXIT()}, BPF_FAULT_INSTRUCTION, 0},
      {{LOAD_KIND(0, BPF_PSEUDO_FUNC, -2, 0), EXIT()}, BPF_FAULT_INSTRUCTION, 0},
      {{LOAD_KIND(0, BPF_PSEUDO_FUNC, 1, 0), EXIT()}, BPF_FAULT_NONE, 0},
      {{CALL_HELPER(0), EXIT()}, BPF_FAULT_HELPER, 0},
      {{CALL_HELPER(4), EXIT()}, BPF_FAULT_HELPER, 0},
      {{CALL_HELPER(-1), EXIT()}, BPF_FAULT_HELPER, 0},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct bpf_result result = run_with(rows[i].insns, 3, NULL, 0, NULL, 0);
    if (result.fault != rows[i].fault || result.fault_insn != rows[i].at) {
      fail_msg("row %zu: fault %d at %u, expected %d at %u", i, result.fault, result.fault_insn, rows[i].fault,
               rows[i].at);
    }
  }
  struct bpf_result result = run_with(NULL, 0, NULL, 0, NULL, 0);
  assert_int_equal(result.fault, BPF_FAULT_JUMP);
}

/* A value of the program's own map may be touched from its first to its last byte, but not the padding behind it, the next
 * value through it, or a value of somebody else's map. */
static void test_map_values(void **state) {
  struct bpf_map *map = make_map(BPF_MAP_TYPE_ARRAY, 4, 12, 4, 0);
  struct bpf_map *other = make_map(BPF_MAP_TYPE_ARRAY, 4, 12, 4, 0);
  const uint32_t key = 1;
  uint64_t value = (uint64_t)(uintptr_t)map->ops->lookup(map, &key);
  for (int off = -8; off <= 20; off++) {
    const struct bpf_insn insns[] = {LOAD_64(3, value), STORE_IMM(BPF_W, 3, off, 5), EXIT()};
    struct bpf_result result = run_with(insns, COUNT(insns), NULL, 0, &map, 1);
    /* -8 is inside value 0; 16 to 20 is value 2. */
    bool fits = off == -8 || (off >= 0 && off <= 8) || off >= 16;
    assert_int_equal(result.fault, fits ? BPF_FAULT_NONE : BPF_FAULT_MEMORY);
    /* The same when the value was touched just before. */
    const struct bpf_insn again[] = {LOAD_64(3, value), LOAD(BPF_B, 0, 3, 0), STORE_IMM(BPF_W, 3, off, 5), EXIT()};
    assert_int_equal(run_with(again, COUNT(again), NULL, 0, &map, 1).fault, fits ? BPF_FAULT_NONE : BPF_FAULT_MEMORY);
  }
  const struct bpf_insn load[] = {LOAD_64(3, value), LOAD(BPF_B, 0, 3, 0), EXIT()};
  assert_int_equal(run_with(load, COUNT(load), NULL, 0, &other, 1).fault, BPF_FAULT_MEMORY);
  struct bpf_map *both[] = {other, map};
  assert_int_equal(run_with(load, COUNT(load), NULL, 0, both, 2).fault, BPF_FAULT_NONE);
  bpf_map_release(map);
  bpf_map_release(other);
}

/* Keys, links and headers of a hash map's slots are out of reach: only values are the program's. */
static void test_hash_internals(void **state) {
  struct bpf_map *map = make_map(BPF_MAP_TYPE_HASH, 8, 8, 4, 0);
  for (uint32_t byte = 0; byte < map->slot_count * map->stride; byte++) {
    const struct bpf_insn insns[] = {LOAD_64(3, (uint64_t)(uintptr_t)map->slots + byte), STORE_IMM(BPF_B, 3, 0, 5),
                                     EXIT()};
    bool value = byte % map->stride >= map->value_offset && byte % map->stride < map->value_offset + 8;
    assert_int_equal(run_with(insns, COUNT(insns), NULL, 0, &map, 1).fault, value ? BPF_FAULT_NONE : BPF_FAULT_MEMORY);
  }
  bpf_map_release(map);
}

/* BPF_F_RDONLY_PROG values cannot be stored to, BPF_F_WRONLY_PROG values not loaded, neither can be the target of an atomic;
 * also when the other direction was used just before. */
static void test_map_rights(void **state) {
  static const uint32_t flags[] = {BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG};
  for (unsigned i = 0; i < 2; i++) {
    struct bpf_map *map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, flags[i]);
    const struct bpf_insn load = LOAD(BPF_W, 0, 3, 0), store = STORE(BPF_W, 3, 0, 0);
    struct bpf_insn insns[] = {LOAD_KIND(3, BPF_PSEUDO_MAP_VALUE, 0, 4), i == 0 ? load : store, i == 0 ? store : load,
                               EXIT()};
    struct bpf_result result = run_with(insns, COUNT(insns), NULL, 0, &map, 1);
    assert_int_equal(result.fault, BPF_FAULT_MEMORY);
    assert_int_equal(result.fault_insn, 3);
    insns[3] = (struct bpf_insn)ATOMIC(BPF_W, 3, 0, 0, BPF_ADD);
    result = run_with(insns, COUNT(insns), NULL, 0, &map, 1);
    assert_int_equal(result.fault, BPF_FAULT_MEMORY);
    assert_int_equal(result.fault_insn, 3);
    bpf_map_release(map);
  }
}

/* Section 5.4.1: the address of a map's value plus an offset inside it; only arrays of one entry have it, as in Linux. */
static void test_map_value_address(void **state) {
  struct bpf_map *globals = make_map(BPF_MAP_TYPE_ARRAY, 4, 16, 1, 0);
  struct bpf_map *array = make_map(BPF_MAP_TYPE_ARRAY, 4, 16, 2, 0);
  struct bpf_map *hash = make_map(BPF_MAP_TYPE_HASH, 4, 16, 1, 0);
  struct bpf_map *maps[] = {globals, array, hash};
  for (int map = 0; map < 3; map++) {
    static const int offsets[] = {0, 8, 15, 16, -1};
    for (size_t i = 0; i < COUNT(offsets); i++) {
      const struct bpf_insn insns[] = {LOAD_KIND(0, BPF_PSEUDO_MAP_VALUE, map, offsets[i]), EXIT()};
      struct bpf_result result = run_with(insns, COUNT(insns), NULL, 0, maps, 3);
      bool good = map == 0 && offsets[i] >= 0 && offsets[i] < 16;
      assert_int_equal(result.fault, good ? BPF_FAULT_NONE : BPF_FAULT_INSTRUCTION);
      if (good) assert_int_equal(result.r0, (uint64_t)(uintptr_t)globals->slots + (unsigned)offsets[i]);
    }
  }
  for (int i = 0; i < 3; i++) {
    bpf_map_release(maps[i]);
  }
}

/* No register and no stack byte carries anything from one run to the next, or anything but zero at the start. */
static void test_nothing_leaks(void **state) {
  for (unsigned r = 0; r < 10; r++) {
    if (r == 1 || r == 2) continue;
    const struct bpf_insn insns[] = {MOV(0, r), EXIT()};
    assert_int_equal(RUN(insns).r0, 0);
  }
}

/* Random bytes as instructions, without bpf_check: they end in some defined way and leave the guard around the packet alone. */
static void test_random_instructions(void **state) {
  enum { LENGTH = 64, GUARD = 64 };
  uint64_t x = 88172645463325252u;
  uint8_t *block = memory_alloc_low(4096, 64);
  struct bpf_map *map = make_map(BPF_MAP_TYPE_HASH, 4, 8, 8, 0);
  for (unsigned round = 0; round < 20000; round++) {
    struct bpf_insn insns[16];
    for (unsigned i = 0; i < COUNT(insns); i++) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      memcpy(&insns[i], &x, sizeof x);
      if (x & (1u << 20)) insns[i].regs &= 0x77;
      if (x & (1u << 21)) insns[i].off = (int16_t)(insns[i].off % 16);
    }
    memset(block, 0x5a, LENGTH + 2 * GUARD);
    struct bpf_program program = {insns, COUNT(insns), &map, 1};
    const uint64_t data = (uint64_t)(uintptr_t)block + GUARD;
    const struct bpf_input input = {data, data + LENGTH, 0, 0};
    struct bpf_result result;
    bpf_run(&program, &test_environment, &input, &result);
    assert_in_range(result.executed, 1, BPF_MAX_EXECUTED);
    for (unsigned g = 0; g < GUARD; g++) {
      assert_int_equal(block[g], 0x5a);
      assert_int_equal(block[GUARD + LENGTH + g], 0x5a);
    }
  }
  bpf_map_release(map);
  memory_free_low(block, 4096);
}

/* Every fault has its own text; numbers outside have one too. */
static void test_fault_texts(void **state) {
  for (int a = 0; a <= BPF_FAULT_FUNCTION; a++) {
    for (int b = 0; b < a; b++) {
      assert_string_not_equal(bpf_fault_text((enum bpf_fault_kind)a), bpf_fault_text((enum bpf_fault_kind)b));
    }
  }
  assert_string_equal(bpf_fault_text((enum bpf_fault_kind)99), "unknown fault");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_packet_edges),
      cmocka_unit_test(test_wrapping_addresses),
      cmocka_unit_test(test_context),
      cmocka_unit_test(test_inverted_window),
      cmocka_unit_test(test_stack_edges),
      cmocka_unit_test(test_local_call),
      cmocka_unit_test(test_frames_by_pointer),
      cmocka_unit_test(test_frame_is_zeroed),
      cmocka_unit_test(test_call_depth),
      cmocka_unit_test(test_callx),
      cmocka_unit_test(test_budget),
      cmocka_unit_test(test_unchecked_instructions),
      cmocka_unit_test(test_map_values),
      cmocka_unit_test(test_hash_internals),
      cmocka_unit_test(test_map_rights),
      cmocka_unit_test(test_map_value_address),
      cmocka_unit_test(test_nothing_leaks),
      cmocka_unit_test(test_random_instructions),
      cmocka_unit_test(test_fault_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
