/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers compared with Linux's, one by one: the same few instructions run in the kernel (BPF_PROG_TEST_RUN) and here, interpreted and
 * as native code; results, packets and verdicts must agree. Helpers that Linux lets only programs with type information call are
 * compared in tests/system/test_typed_helpers.py, and by whole programs (tests/programs).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/jit.h"
#include "lib/memory.h"
#include "tests/unit/bpf/asm.h"
#include "tests/unit/bpf/kernel.h"

enum { AREA = 4096, ROOM = 256, PACKET_MAX = 1024, LENGTH = 60, RESULTS = 8, LOOPBACK_MTU = 65536, PROCESSORS = 64 };

/* --- maps, as many as rows refer to --- */

enum { RESULT, HASH, TEXT, QUEUE, STACK, RING, EVENTS, PROGRAMS, PER_CPU, DEVICES, BLOOM, MAPS };
static const struct bpf_map_def defs[MAPS] = {
    [RESULT] = {"result", BPF_MAP_TYPE_ARRAY, 4, 8 * RESULTS, 1, 0},
    [HASH] = {"hash", BPF_MAP_TYPE_HASH, 4, 8, 2, 0},
    [TEXT] = {"text", BPF_MAP_TYPE_ARRAY, 4, 32, 1, BPF_F_RDONLY_PROG},
    [QUEUE] = {"queue", BPF_MAP_TYPE_QUEUE, 0, 8, 2, 0},
    [STACK] = {"stack", BPF_MAP_TYPE_STACK, 0, 8, 2, 0},
    [RING] = {"ring", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0},
    [EVENTS] = {"events", BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 2, 0},
    [PROGRAMS] = {"programs", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2, 0},
    [PER_CPU] = {"per_cpu", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1, 0},
    [DEVICES] = {"devices", BPF_MAP_TYPE_DEVMAP, 4, 4, 4, 0},
    [BLOOM] = {"bloom", BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 16, 0},
};
static const char text[32] = "%d|%x\0\0\0hello\0\0\0%s and %llu";

/* --- rows --- */

/* In front of each: r6 is the context, r9 the results. Behind each: the verdict 0. */
#define SAVE(n, r) STORE(BPF_DW, 9, r, 8 * (n))
#define ON_STACK(r, off) MOV(r, 10), ADD_IMM(r, off)
#define KEY_AND_VALUE(map, key, value) \
  STORE_IMM(BPF_W, 10, -4, key), STORE_IMM(BPF_DW, 10, -16, value), LOAD_MAP(1, map), ON_STACK(2, -4), ON_STACK(3, -16)
#define UPDATE(n, map, key, value, flags) KEY_AND_VALUE(map, key, value), MOV_IMM(4, flags), CALL_HELPER(2), SAVE(n, 0)
#define LOOKUP(n, map, key)                                                                                     \
  STORE_IMM(BPF_W, 10, -4, key), LOAD_MAP(1, map), ON_STACK(2, -4), CALL_HELPER(1), JUMP_IMM(BPF_JEQ, 0, 0, 1), \
      LOAD(BPF_DW, 0, 0, 0), SAVE(n, 0)
#define CONTEXT_CALL(n, id, a, b, c, d) \
  MOV(1, 6), MOV_IMM(2, a), MOV_IMM(3, b), MOV_IMM(4, c), MOV_IMM(5, d), CALL_HELPER(id), SAVE(n, 0)
/* The second result is not below the first. */
#define GOES_ON(n, id)                                                                                     \
  CALL_HELPER(id), MOV(7, 0), CALL_HELPER(id), MOV_IMM(1, 0), INSN(BPF_JMP | BPF_JLT | BPF_X, 0, 7, 1, 0), \
      MOV_IMM(1, 1), SAVE(n, 1)
#define BELOW_1024(n, id) CALL_HELPER(id), MOV_IMM(1, 0), JUMP_IMM(BPF_JGE, 0, 1024, 1), MOV_IMM(1, 1), SAVE(n, 1)
#define FIELD(n, name) LOAD(BPF_W, 0, 6, offsetof(struct bpf_skb, name)), SAVE(n, 0)

#define MACS "020000000002020000000001"

static const struct row {
  const char *what;
  bool tc;
  const char *frame; /* hexadecimal; NULL: 60 bytes that count up from 1 */
  struct bpf_insn body[64];
} rows[] = {
    {"map: update, lookup", 0, NULL, {UPDATE(0, HASH, 7, 42, 0), LOOKUP(1, HASH, 7), LOOKUP(2, HASH, 8)}},
    {"map: NOEXIST, EXIST, full",
     0,
     NULL,
     {UPDATE(0, HASH, 7, 42, BPF_EXIST), UPDATE(1, HASH, 7, 42, BPF_NOEXIST), UPDATE(2, HASH, 7, 43, BPF_NOEXIST)}},
    {"map: full, unknown flag",
     0,
     NULL,
     {UPDATE(0, HASH, 1, 1, 0), UPDATE(1, HASH, 2, 2, 0), UPDATE(2, HASH, 3, 3, 0), UPDATE(3, HASH, 1, 1, 8)}},
    {"map: delete",
     0,
     NULL,
     {UPDATE(0, HASH, 7, 42, 0), LOAD_MAP(1, HASH), ON_STACK(2, -4), CALL_HELPER(3), SAVE(1, 0), LOAD_MAP(1, HASH),
      ON_STACK(2, -4), CALL_HELPER(3), SAVE(2, 0), LOOKUP(3, HASH, 7)}},
    {"map: of another processor",
     0,
     NULL,
     {STORE_IMM(BPF_W, 10, -4, 0), LOAD_MAP(1, PER_CPU), ON_STACK(2, -4), MOV_IMM(3, 0), CALL_HELPER(195),
      JUMP_IMM(BPF_JEQ, 0, 0, 1), MOV_IMM(0, 1), SAVE(0, 0), LOAD_MAP(1, PER_CPU), ON_STACK(2, -4), MOV_IMM(3, 100000),
      CALL_HELPER(195), JUMP_IMM(BPF_JEQ, 0, 0, 1), MOV_IMM(0, 1), SAVE(1, 0)}},
#define PUSH(n, map, value, flags) \
  STORE_IMM(BPF_DW, 10, -16, value), LOAD_MAP(1, map), ON_STACK(2, -16), MOV_IMM(3, flags), CALL_HELPER(87), SAVE(n, 0)
#define TAKE(n, map, id)                                                                                        \
  STORE_IMM(BPF_DW, 10, -16, 9), LOAD_MAP(1, map), ON_STACK(2, -16), CALL_HELPER(id), LOAD(BPF_DW, 1, 10, -16), \
      ADD(0, 1), SAVE(n, 0)
    {"queue: push and pop",
     0,
     NULL,
     {PUSH(0, QUEUE, 5, 0), PUSH(1, QUEUE, 6, 0), PUSH(2, QUEUE, 7, 0), TAKE(3, QUEUE, 88), TAKE(4, QUEUE, 88)}},
    {"queue: overwriting, peeking, empty",
     0,
     NULL,
     {PUSH(0, QUEUE, 5, 0), PUSH(1, QUEUE, 6, 0), PUSH(2, QUEUE, 7, BPF_EXIST), TAKE(3, QUEUE, 89),
      TAKE(4, QUEUE, 88)}},
    {"queue: empty, unknown flag", 0, NULL, {TAKE(0, QUEUE, 88), TAKE(1, QUEUE, 89), PUSH(2, QUEUE, 1, 1)}},
    {"stack",
     0,
     NULL,
     {PUSH(0, STACK, 5, 0), PUSH(1, STACK, 6, 0), TAKE(2, STACK, 89), TAKE(3, STACK, 88), TAKE(4, STACK, 88)}},
    {"bloom filter", 0, NULL, {TAKE(0, BLOOM, 89), PUSH(1, BLOOM, 9, 0), TAKE(2, BLOOM, 89), PUSH(3, BLOOM, 9, 1)}},
    {"clocks go on", 0, NULL, {GOES_ON(0, 5), GOES_ON(1, 125), GOES_ON(2, 160), GOES_ON(3, 208), GOES_ON(4, 118)}},
    {"numbers of processor and node, random number", 0, NULL, {BELOW_1024(0, 8), BELOW_1024(1, 42), CALL_HELPER(7)}},
    {"trace_printk",
     0,
     NULL,
     {LOAD_64(1, 0x0a782564257c7c62), STORE(BPF_DW, 10, 1, -16), STORE_IMM(BPF_DW, 10, -8, 0), ON_STACK(1, -16),
      MOV_IMM(2, 9), MOV_IMM(3, -5), MOV_IMM(4, 255), MOV_IMM(5, 0), CALL_HELPER(6), SAVE(0, 0)}},
    {"trace_vprintk",
     0,
     NULL,
     {LOAD_64(1, 0x0a782564257c7c62), STORE(BPF_DW, 10, 1, -16), STORE_IMM(BPF_DW, 10, -8, 0),
      STORE_IMM(BPF_DW, 10, -32, -5), STORE_IMM(BPF_DW, 10, -24, 255), ON_STACK(1, -16), MOV_IMM(2, 9),
      ON_STACK(3, -32), MOV_IMM(4, 16), CALL_HELPER(177), SAVE(0, 0)}},
#define SNPRINTF(n, size, arguments)                                                                                   \
  STORE_IMM(BPF_DW, 10, -32, 0), STORE_IMM(BPF_DW, 10, -24, 0), STORE_IMM(BPF_DW, 10, -16, -5),                        \
      STORE_IMM(BPF_DW, 10, -8, 255), ON_STACK(1, -32), MOV_IMM(2, size), LOAD_KIND(3, BPF_PSEUDO_MAP_VALUE, TEXT, 0), \
      ON_STACK(4, -16), MOV_IMM(5, arguments), CALL_HELPER(165), SAVE(n, 0), LOAD(BPF_DW, 0, 10, -32),                 \
      SAVE((n) + 1, 0)
    {"snprintf", 0, NULL, {SNPRINTF(0, 16, 16), SNPRINTF(2, 3, 16), SNPRINTF(4, 1, 16)}},
#define STRTO(n, id, word, base)                                                                              \
  LOAD_64(1, word), STORE(BPF_DW, 10, 1, -16), STORE_IMM(BPF_DW, 10, -8, 0), ON_STACK(1, -16), MOV_IMM(2, 8), \
      MOV_IMM(3, base), ON_STACK(4, -8), CALL_HELPER(id), SAVE(n, 0), LOAD(BPF_DW, 0, 10, -8), SAVE((n) + 1, 0)
    /* "-42 xyz", " 0x1fz", "077;" in memory order */
    {"strtol",
     0,
     NULL,
     {STRTO(0, 105, 0x7a79782032342d, 0), STRTO(2, 105, 0x7a6631783020, 0), STRTO(4, 105, 0x3b373730, 8)}},
    {"strtol: bases and nonsense",
     0,
     NULL,
     {STRTO(0, 105, 0x3b373730, 7), STRTO(2, 105, 0x7a7a7a7a, 10), STRTO(4, 105, 0x3b373730, 16)}},
    {"strtoul",
     0,
     NULL,
     {STRTO(0, 106, 0x7a79782032342d, 0), STRTO(2, 106, 0x7a663178302020, 16), STRTO(4, 106, 0x3939393939393939, 10)}},
#define STRNCMP(n, word, size)                                                                                  \
  LOAD_64(1, word), STORE(BPF_DW, 10, 1, -8), ON_STACK(1, -8), MOV_IMM(2, size),                                \
      LOAD_KIND(3, BPF_PSEUDO_MAP_VALUE, TEXT, 8), CALL_HELPER(182), MOV_IMM(1, 0), JUMP_IMM(BPF_JEQ, 0, 0, 3), \
      MOV_IMM(1, 1), JUMP_IMM(BPF_JSGT, 0, 0, 1), MOV_IMM(1, -1), SAVE(n, 1)
    /* "hello", "help", "hell", in memory order; the sign of the result counts */
    {"strncmp",
     0,
     NULL,
     {STRNCMP(0, 0x6f6c6c6568, 8), STRNCMP(1, 0x706c6568, 8), STRNCMP(2, 0x6c6c6568, 8), STRNCMP(3, 0x706c6568, 3)}},
    {"tail call to nobody",
     0,
     NULL,
     {MOV(1, 6), LOAD_MAP(2, PROGRAMS), MOV_IMM(3, 1), CALL_HELPER(12), MOV_IMM(0, 5), SAVE(0, 0)}},

    {"ring buffer: records and what is in it",
     0,
     NULL,
     {STORE_IMM(BPF_DW, 10, -8, 5),
      LOAD_MAP(1, RING),
      ON_STACK(2, -8),
      MOV_IMM(3, 8),
      MOV_IMM(4, 0),
      CALL_HELPER(130),
      SAVE(0, 0),
      LOAD_MAP(1, RING),
      MOV_IMM(2, 0),
      CALL_HELPER(134),
      SAVE(1, 0),
      LOAD_MAP(1, RING),
      MOV_IMM(2, 1),
      CALL_HELPER(134),
      SAVE(2, 0),
      LOAD_MAP(1, RING),
      MOV_IMM(2, 3),
      CALL_HELPER(134),
      SAVE(3, 0),
      LOAD_MAP(1, RING),
      MOV_IMM(2, 99),
      CALL_HELPER(134),
      SAVE(4, 0),
      LOAD_MAP(1, RING),
      ON_STACK(2, -8),
      MOV_IMM(3, 8),
      MOV_IMM(4, 4),
      CALL_HELPER(130),
      SAVE(5, 0)}},
    {"ring buffer: reserved, submitted, discarded",
     0,
     NULL,
     {LOAD_MAP(1, RING),
      MOV_IMM(2, 20),
      MOV_IMM(3, 0),
      CALL_HELPER(131),
      JUMP_IMM(BPF_JEQ, 0, 0, 4),
      STORE_IMM(BPF_DW, 0, 0, 1),
      MOV(1, 0),
      MOV_IMM(2, 0),
      CALL_HELPER(132),
      LOAD_MAP(1, RING),
      MOV_IMM(2, 4),
      MOV_IMM(3, 0),
      CALL_HELPER(131),
      JUMP_IMM(BPF_JEQ, 0, 0, 3),
      MOV(1, 0),
      MOV_IMM(2, 0),
      CALL_HELPER(133),
      LOAD_MAP(1, RING),
      MOV_IMM(2, 0),
      CALL_HELPER(134),
      SAVE(0, 0),
      LOAD_MAP(1, RING),
      MOV_IMM(2, 3),
      CALL_HELPER(134),
      SAVE(1, 0)}},
    {"ring buffer: too large",
     0,
     NULL,
     {LOAD_MAP(1, RING), MOV_IMM(2, 4096), MOV_IMM(3, 0), CALL_HELPER(131), JUMP_IMM(BPF_JEQ, 0, 0, 4), MOV(1, 0),
      MOV_IMM(2, 0), CALL_HELPER(133), MOV_IMM(0, 1), SAVE(0, 0)}},
#define EVENT(n, flags)                                                                                            \
  STORE_IMM(BPF_DW, 10, -8, 5), MOV(1, 6), LOAD_MAP(2, EVENTS), LOAD_64(3, flags), ON_STACK(4, -8), MOV_IMM(5, 8), \
      CALL_HELPER(25), SAVE(n, 0)
    {"perf events: wrong targets", 0, NULL, {EVENT(0, 2), EVENT(1, 0x8000000000000000)}},

/* Linux gives it folded to 16 bits from 6.13 on, and before as the processor's own code had it. */
#define FOLD \
  MOV(1, 0), INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 0xffff), INSN(BPF_ALU | BPF_RSH | BPF_K, 1, 0, 0, 16), ADD(0, 1)
#define CSUM(n, from, from_size, to, to_size, seed)                                                         \
  STORE_IMM(BPF_DW, 10, -16, from), STORE_IMM(BPF_DW, 10, -8, to), ON_STACK(1, -16), MOV_IMM(2, from_size), \
      ON_STACK(3, -8), MOV_IMM(4, to_size), MOV_IMM(5, seed), CALL_HELPER(28), FOLD, FOLD, SAVE(n, 0)
    {"csum_diff",
     0,
     NULL,
     {CSUM(0, 0x12345678, 8, -5, 8, 0), CSUM(1, 0x12345678, 0, -5, 8, 77), CSUM(2, 0x12345678, 4, -5, 0, -1)}},
    {"csum_diff of different lengths, and of nothing", 0, NULL, {CSUM(0, 1, 8, 1, 4, 3), CSUM(1, 1, 0, 1, 0, 5)}},

    {"adjust_head forward",
     0,
     NULL,
     {CONTEXT_CALL(0, 44, 8, 0, 0, 0), CONTEXT_CALL(1, 44, 39, 0, 0, 0), CONTEXT_CALL(2, 44, 38, 0, 0, 0)}},
    {"adjust_head back",
     0,
     NULL,
     {CONTEXT_CALL(0, 44, 4, 0, 0, 0), CONTEXT_CALL(1, 44, -4, 0, 0, 0), CONTEXT_CALL(2, 44, -5000, 0, 0, 0)}},
    {"adjust_tail",
     0,
     NULL,
     {CONTEXT_CALL(0, 65, -10, 0, 0, 0), CONTEXT_CALL(1, 65, 20, 0, 0, 0), CONTEXT_CALL(2, 65, -60, 0, 0, 0),
      CONTEXT_CALL(3, 188, 0, 0, 0, 0)}},
    {"adjust_meta",
     0,
     NULL,
     {CONTEXT_CALL(0, 54, -4, 0, 0, 0), CONTEXT_CALL(1, 54, -3, 0, 0, 0), CONTEXT_CALL(2, 54, 4, 0, 0, 0),
      CONTEXT_CALL(3, 54, 4, 0, 0, 0), CONTEXT_CALL(4, 54, -32, 0, 0, 0)}},
#define BYTES(n, id, offset, size, before)                                                                            \
  STORE_IMM(BPF_DW, 10, -8, before), MOV(1, 6), MOV_IMM(2, offset), ON_STACK(3, -8), MOV_IMM(4, size), MOV_IMM(5, 0), \
      CALL_HELPER(id), SAVE(n, 0), LOAD(BPF_DW, 0, 10, -8), SAVE((n) + 1, 0)
    {"xdp_load_bytes", 0, NULL, {BYTES(0, 189, 20, 8, 0), BYTES(2, 189, 53, 8, 0), BYTES(4, 189, 52, 8, 0)}},
    {"xdp_store_bytes", 0, NULL, {BYTES(0, 190, 20, 8, 0x77), BYTES(2, 190, 53, 8, 0x77), BYTES(4, 190, 57, 3, 0x77)}},
    {"redirect",
     0,
     NULL,
     {MOV_IMM(1, 1), MOV_IMM(2, 0), CALL_HELPER(23), SAVE(0, 0), MOV_IMM(1, 1), MOV_IMM(2, 1), CALL_HELPER(23),
      SAVE(1, 0)}},
#define REDIRECT_MAP(n, key, flags) \
  LOAD_MAP(1, DEVICES), MOV_IMM(2, key), MOV_IMM(3, flags), CALL_HELPER(51), SAVE(n, 0)
    {"redirect_map",
     0,
     NULL,
     {REDIRECT_MAP(0, 0, 0), REDIRECT_MAP(1, 1, 2), REDIRECT_MAP(2, 1, 0), REDIRECT_MAP(3, 9, 3),
      REDIRECT_MAP(4, 0, 64)}},
#define FIB(n, size, family, flags)                                                                               \
  STORE_IMM(BPF_DW, 10, -64, family), STORE_IMM(BPF_DW, 10, -56, 1), STORE_IMM(BPF_DW, 10, -48, 0),               \
      STORE_IMM(BPF_DW, 10, -40, 0), STORE_IMM(BPF_DW, 10, -32, 0), STORE_IMM(BPF_DW, 10, -24, 0),                \
      STORE_IMM(BPF_DW, 10, -16, 0), STORE_IMM(BPF_DW, 10, -8, 0), MOV(1, 6), ON_STACK(2, -64), MOV_IMM(3, size), \
      MOV_IMM(4, flags), CALL_HELPER(69), SAVE(n, 0)
    {"fib_lookup that cannot be", 0, NULL, {FIB(0, 63, 2, 0), FIB(1, 64, 99, 0), FIB(2, 64, 2, 128)}},
#define MTU(n, interface, length, difference, flags)                                                              \
  STORE_IMM(BPF_W, 10, -4, length), MOV(1, 6), MOV_IMM(2, interface), ON_STACK(3, -4), MOV_IMM(4, difference),    \
      MOV_IMM(5, flags), CALL_HELPER(163), LOAD(BPF_W, 1, 10, -4), INSN(BPF_ALU64 | BPF_LSH | BPF_K, 1, 0, 0, 8), \
      ADD(0, 1), SAVE(n, 0)
    {"check_mtu",
     0,
     NULL,
     {MTU(0, 1, 0, 0, 0), MTU(1, 1, 1500, 10, 0), MTU(2, 1, 65530, 7, 0), MTU(3, 999999, 0, 0, 0), MTU(4, 1, 0, 0, 1)}},
    {"check_mtu of the packet's interface",
     1,
     NULL,
     {MTU(0, 0, 0, 0, 0), MTU(1, 0, 0, 65536, 0), MTU(2, 0, 0, -10, 0)}},

    {"skb_load_bytes", 1, NULL, {BYTES(0, 26, 20, 8, 0), BYTES(2, 26, 53, 8, 0), BYTES(4, 26, 52, 8, 0)}},
    {"skb_store_bytes", 1, NULL, {BYTES(0, 9, 20, 8, 0x77), BYTES(2, 9, 53, 8, 0x77), BYTES(4, 9, 57, 3, 0x77)}},
    {"skb_store_bytes: flags",
     1,
     NULL,
     {STORE_IMM(BPF_DW, 10, -8, 0x77), MOV(1, 6), MOV_IMM(2, 0), ON_STACK(3, -8), MOV_IMM(4, 8), MOV_IMM(5, 3),
      CALL_HELPER(9), SAVE(0, 0), MOV(1, 6), MOV_IMM(2, 8), ON_STACK(3, -8), MOV_IMM(4, 8), MOV_IMM(5, 4),
      CALL_HELPER(9), SAVE(1, 0)}},
    {"skb_pull_data, the whole, too much",
     1,
     NULL,
     {CONTEXT_CALL(0, 39, 60, 0, 0, 0), CONTEXT_CALL(1, 39, 0, 0, 0, 0), CONTEXT_CALL(2, 39, 61, 0, 0, 0)}},
    {"l3_csum_replace",
     1,
     NULL,
     {CONTEXT_CALL(0, 10, 24, 0x1234, 0x4321, 2), CONTEXT_CALL(1, 10, 26, 0x12345678, 0x1020304, 4),
      CONTEXT_CALL(2, 10, 28, 0, 0x1020304, 0), CONTEXT_CALL(3, 10, 30, 1, 2, 3), CONTEXT_CALL(4, 10, 25, 1, 2, 2),
      CONTEXT_CALL(5, 10, 59, 1, 2, 2), CONTEXT_CALL(6, 10, 30, 1, 2, 0)}},
    {"l4_csum_replace",
     1,
     NULL,
     {CONTEXT_CALL(0, 11, 24, 0x1234, 0x4321, 2), CONTEXT_CALL(1, 11, 26, 0x12345678, 0x1020304, 4 | 16),
      CONTEXT_CALL(2, 11, 28, 0, 0x1020304, 0), CONTEXT_CALL(3, 11, 30, 1, 2, 32 | 2),
      CONTEXT_CALL(4, 11, 32, 1, 2, 64 | 2), CONTEXT_CALL(5, 11, 31, 1, 2, 2), CONTEXT_CALL(6, 11, 200, 1, 2, 2)}},
    {"l4_csum_replace of no checksum",
     1,
     MACS "88b50000000000000000000000000000000000000000000000000000",
     {CONTEXT_CALL(0, 11, 24, 0x1234, 0x4321, 32 | 2), CONTEXT_CALL(1, 11, 26, 0, 0xffff, 32 | 2),
      CONTEXT_CALL(2, 11, 28, 0xffff, 0, 64 | 32 | 2)}},
    {"skb_change_tail",
     1,
     NULL,
     {CONTEXT_CALL(0, 38, 50, 0, 0, 0), CONTEXT_CALL(1, 38, 70, 0, 0, 0), CONTEXT_CALL(2, 38, 50, 1, 0, 0),
      FIELD(3, len)}},
    {"skb_change_head", 1, NULL, {CONTEXT_CALL(0, 43, 14, 0, 0, 0), CONTEXT_CALL(1, 43, 4, 1, 0, 0), FIELD(2, len)}},
    {"hash that is set",
     1,
     NULL,
     {CONTEXT_CALL(0, 48, 0x1234, 0, 0, 0), MOV(1, 6), CALL_HELPER(34), SAVE(1, 0), FIELD(2, hash)}},
    {"hash that is not valid",
     1,
     NULL,
     {CONTEXT_CALL(0, 48, 0x1234, 0, 0, 0), MOV(1, 6), CALL_HELPER(41), FIELD(1, hash)}},
    {"tc redirect",
     1,
     NULL,
     {MOV_IMM(1, 1), MOV_IMM(2, 1), CALL_HELPER(23), SAVE(0, 0), MOV_IMM(1, 1), MOV_IMM(2, 2), CALL_HELPER(23),
      SAVE(1, 0)}},
    {"clone_redirect to nobody", 1, NULL, {CONTEXT_CALL(0, 13, 999999, 0, 0, 0), CONTEXT_CALL(1, 13, 1, 2, 0, 0)}},
#define TAG(n) FIELD(n, vlan_present), FIELD((n) + 1, vlan_tci), FIELD((n) + 2, vlan_proto)
#define PUSH_TAG(type, tci) MOV(1, 6), MOV_IMM(2, type), MOV_IMM(3, tci), CALL_HELPER(18)
#define POP_TAG MOV(1, 6), CALL_HELPER(19)
    {"vlan_push",
     1,
     MACS "88b5aabbccdd",
     {PUSH_TAG(0x0081, 0x2005), SAVE(0, 0), TAG(1), FIELD(4, len), FIELD(5, protocol)}},
    {"vlan_push of another type", 1, MACS "88b5aabbccdd", {PUSH_TAG(0x1234, 7), SAVE(0, 0), TAG(1)}},
    {"vlan_push, three times",
     1,
     MACS "88b5aabbccdd",
     {PUSH_TAG(0x0081, 5), PUSH_TAG(0xa888, 6), PUSH_TAG(0x0081, 7), SAVE(0, 0), TAG(1), FIELD(4, len),
      FIELD(5, protocol)}},
    {"vlan_pop of none", 1, MACS "88b5aabbccdd", {POP_TAG, SAVE(0, 0), TAG(1), FIELD(4, len)}},
    {"vlan_pop of one in the frame",
     1,
     MACS "8100000788b5aabbccdd",
     {POP_TAG, SAVE(0, 0), TAG(1), FIELD(4, len), FIELD(5, protocol)}},
    {"vlan_pop of two in the frame",
     1,
     MACS "88a800098100000788b5aabbccdd",
     {POP_TAG, SAVE(0, 0), TAG(1), FIELD(4, len), FIELD(5, protocol)}},
    {"vlan_push, push, pop",
     1,
     MACS "88b5aabbccdd",
     {PUSH_TAG(0x0081, 5), PUSH_TAG(0xa888, 6), POP_TAG, SAVE(0, 0), TAG(1), FIELD(4, len)}},
};

/* Helpers that no row calls, and why. */
static const struct {
  uint32_t id;
  const char *why;
} not_compared[] = {
    {BPF_HELPER_SPIN_LOCK, "type information"},   {BPF_HELPER_SPIN_UNLOCK, "type information"},
    {BPF_HELPER_TIMER_INIT, "type information"},  {BPF_HELPER_TIMER_SET_CALLBACK, "type information"},
    {BPF_HELPER_TIMER_START, "type information"}, {BPF_HELPER_TIMER_CANCEL, "type information"},
    {BPF_HELPER_LOOP, "type information"},        {BPF_HELPER_FOR_EACH_MAP_ELEM, "type information"},
};

/* --- a row as a program --- */

static uint32_t assemble(const struct row *row, struct bpf_insn *insns) {
  const struct bpf_insn head[] = {MOV(6, 1), LOAD_KIND(9, BPF_PSEUDO_MAP_VALUE, RESULT, 0)};
  const struct bpf_insn tail[] = {MOV_IMM(0, 0), EXIT()};
  uint32_t count = COUNT(row->body), body = COUNT(head);
  memcpy(insns, head, sizeof head);
  memcpy(insns + body, row->body, sizeof row->body);
  while (count > 0 && row->body[count - 1].code == 0) /* no row ends in an immediate */
    count--;
  memcpy(insns + body + count, tail, sizeof tail);
  return body + count + COUNT(tail);
}

static bool refers_to(const struct bpf_insn *insns, uint32_t count, uint32_t map) {
  for (uint32_t i = 0; i < count; i++) {
    const unsigned kind = bpf_src(insns[i]);
    if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) && (kind == BPF_PSEUDO_MAP || kind == BPF_PSEUDO_MAP_VALUE) &&
        (uint32_t)insns[i].imm == map)
      return true;
  }
  return false;
}

static uint32_t frame_of(const struct row *row, uint8_t *frame) {
  uint32_t length = 0;
  for (; row->frame == NULL && length < LENGTH; length++)
    frame[length] = (uint8_t)(length + 1);
  unsigned byte;
  for (const char *at = row->frame; at != NULL && sscanf(at, "%2x", &byte) == 1; at += 2)
    frame[length++] = (uint8_t)byte;
  return length;
}

struct outcome {
  uint32_t r0, length;
  uint8_t packet[PACKET_MAX];
  uint64_t results[RESULTS];
};

/* --- here --- */

static int64_t loopback_mtu(void *context, uint32_t interface) { return interface <= 1 ? LOOPBACK_MTU : -BPF_ENODEV; }

static void run_here(const struct row *row, const struct bpf_insn *insns, uint32_t count, bool native,
                     struct outcome *outcome) {
  static const struct hash_key seed = {5, 6};
  const struct bpf_environment environment = {
      .ktime_ns = fixed_ktime, .random_u32 = fixed_random, .trace = no_trace, .mtu = loopback_mtu};
  struct bpf_map *maps[MAPS];
  const uint32_t zero = 0, interface = 1;
  uint8_t *area = memory_alloc_low(AREA, 64), frame[PACKET_MAX];
  for (uint32_t i = 0; i < MAPS; i++) {
    struct bpf_map_def def = defs[i];
    def.processors = PROCESSORS;
    assert_int_equal(bpf_map_create(&def, &seed, &maps[i], NULL), 0);
  }
  memcpy(maps[TEXT]->values, text, sizeof text);
  assert_int_equal(maps[DEVICES]->ops->update(maps[DEVICES], &zero, &interface, BPF_ANY, 0), 0);
  struct bpf_program program = {(struct bpf_insn *)insns, count, maps, MAPS,
                                row->tc ? BPF_PROGRAM_TC : BPF_PROGRAM_XDP};
  struct report report = {0};
  if (bpf_program_prepare(&program, &report) != 0) fail_msg("%s: %s", row->what, text_string(&report.text));
  if (native) assert_int_equal(bpf_jit(&program, NULL, NULL, NULL), 0);
  const uint32_t length = frame_of(row, frame);
  memcpy(area + ROOM, frame, length);
  const struct bpf_skb skb = {.protocol = area[ROOM + 12] | (uint32_t)area[ROOM + 13] << 8, .ifindex = 1};
  const uint64_t data = (uint64_t)(uintptr_t)area + ROOM;
  const struct bpf_input input = {.data = data,
                                  .data_end = data + length,
                                  .ingress_ifindex = 1,
                                  .buffer_start = data - ROOM,
                                  .buffer_end = data - ROOM + AREA,
                                  .skb = &skb};
  struct bpf_result result;
  bpf_run(&program, &environment, &input, &result);
  if (result.fault != BPF_FAULT_NONE)
    fail_msg("%s: %s, at %u", row->what, bpf_fault_text(result.fault), result.fault_insn);
  const uint64_t start = row->tc ? result.data : result.data_meta; /* what Linux's test run gives back */
  *outcome = (struct outcome){.r0 = (uint32_t)result.r0, .length = (uint32_t)(result.data_end - start)};
  memcpy(outcome->packet, (const void *)(uintptr_t)start, outcome->length);
  memcpy(outcome->results, maps[RESULT]->values, sizeof outcome->results);
  if (program.code != NULL) program.code->release(program.code);
  memory_free(program.functions);
  for (uint32_t i = 0; i < MAPS; i++)
    bpf_map_release(maps[i]);
  memory_free_low(area, AREA);
}

/* --- in Linux --- */

/* False: it doesn't let us, or doesn't know the helper. */
static bool run_linux(const struct row *row, const struct bpf_insn *insns, uint32_t count, struct outcome *outcome) {
  const uint32_t zero = 0, interface = 1;
  int maps[MAPS];
  const char *log;
  for (uint32_t i = 0; i < MAPS; i++) {
    maps[i] = -1;
    if (!refers_to(insns, count, i)) continue;
    maps[i] = kernel_map_create(defs[i].type, defs[i].key_size, defs[i].value_size, defs[i].max_entries, defs[i].flags);
    if (maps[i] < 0) skip();
  }
  if (maps[TEXT] >= 0) {
    assert_int_equal(kernel_map_update(maps[TEXT], &zero, text, BPF_ANY), 0);
    assert_int_equal(kernel_map_freeze(maps[TEXT]), 0);
  }
  if (maps[DEVICES] >= 0) assert_int_equal(kernel_map_update(maps[DEVICES], &zero, &interface, BPF_ANY), 0);
  int program = kernel_program_load(row->tc, insns, count, maps, &log);
  if (program == -BPF_EPERM) skip();
  bool known = program >= 0 || strstr(log, "func") == NULL || strstr(log, "unknown") == NULL;
  if (program < 0 && known) fail_msg("%s: Linux's verifier: %s", row->what, log);
  if (program >= 0) {
    uint8_t frame[PACKET_MAX];
    const uint32_t length = frame_of(row, frame);
    *outcome = (struct outcome){.length = PACKET_MAX};
    const long error = kernel_program_run(program, frame, length, outcome->packet, &outcome->length, &outcome->r0);
    if (error != 0) fail_msg("%s: Linux does not run it: %ld", row->what, error);
    assert_int_equal(kernel_map_lookup(maps[RESULT], &zero, outcome->results), 0);
  } else {
    fprintf(stderr, "%s: this kernel does not have the helper\n", row->what);
  }
  kernel_program_close(program);
  for (uint32_t i = 0; i < MAPS; i++)
    kernel_map_close(maps[i]);
  return program >= 0;
}

/* --- tests --- */

/* All differences are told in one run; gives how many there are. */
static unsigned compare(const struct row *row, const char *other, const struct outcome *a, const struct outcome *b) {
  unsigned differences = 0;
  for (unsigned i = 0; i < RESULTS; i++) {
    if (a->results[i] == b->results[i]) continue;
    print_error("%s: result %u is %lld, %s %lld\n", row->what, i, (long long)a->results[i], other,
                (long long)b->results[i]);
    differences++;
  }
  if (a->r0 != b->r0 || a->length != b->length || memcmp(a->packet, b->packet, a->length) != 0) {
    print_error("%s: verdict %u and %u bytes, %s verdict %u and %u bytes, or others\n", row->what, a->r0, a->length,
                other, b->r0, b->length);
    differences++;
  }
  return differences;
}

/* Each row leaves the same in both engines here, and in Linux where the system call is permitted. */
static void helpers_do_as_in_linux(void **state) {
  static struct outcome interpreted, native, there;
  unsigned differences = 0;
  for (unsigned kernel = 0; kernel < 2; kernel++) { /* what needs no permission comes first */
    for (size_t i = 0; i < COUNT(rows); i++) {
      struct bpf_insn insns[COUNT(rows[0].body) + 8];
      const uint32_t count = assemble(&rows[i], insns);
      run_here(&rows[i], insns, count, false, &interpreted);
      if (!kernel) {
        run_here(&rows[i], insns, count, true, &native);
        differences += compare(&rows[i], "as native code", &interpreted, &native);
      } else if (run_linux(&rows[i], insns, count, &there)) {
        differences += compare(&rows[i], "in Linux", &interpreted, &there);
      }
    }
    assert_int_equal(differences, 0);
  }
}

/* No helper is forgotten: a row calls it, or it is said why none can. */
static void every_helper_has_a_row(void **state) {
  for (uint32_t id = 0; id < 1000; id++) {
    const struct bpf_proto *proto = bpf_proto_find(id);
    bool found = proto == NULL;
    for (size_t i = 0; i < COUNT(not_compared) && !found; i++)
      found = not_compared[i].id == id;
    for (size_t i = 0; i < COUNT(rows) && !found; i++) {
      for (size_t k = 0; k < COUNT(rows[i].body) && !found; k++)
        found = rows[i].body[k].code == (BPF_JMP | BPF_CALL) && (uint32_t)rows[i].body[k].imm == id;
    }
    if (!found) fail_msg("%s is compared by no row", proto->name);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_helper_has_a_row),
      cmocka_unit_test(helpers_do_as_in_linux),
  };
  return cmocka_run_group_tests_name("helper-linux", tests, NULL, NULL);
}
