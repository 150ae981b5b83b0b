/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a programmer reads who wrote an unsafe program, word for word, for every kind of failure that compiled C can have. Lines, offsets and
 * sizes follow from the source above each; which registers the compiler took, and its instructions, are left out.
 */
#include "verifier/explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "compile.h"
#include "tests/unit/proof/proof_case.h"
#include "verifier/verify_subject.h"

static const char source[] =
    "struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u64); __type(value, __u64); __uint(max_entries, 4); } flows SEC(\".maps\");\n"
    "struct row { __u32 hits[8]; };\n"
    "struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, struct row); __uint(max_entries, 4); } rows SEC(\".maps\");\n"
    "struct guarded { struct bpf_spin_lock lock; __u32 count; };\n"
    "struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, struct guarded); __uint(max_entries, 1); } shared SEC(\".maps\");\n"
    "struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(\".maps\");\n"
    "const volatile __u32 limit = 5;\n"
    "#define DATA(ctx) ((unsigned char *)(long)(ctx)->data)\n"
    "#define END(ctx) ((unsigned char *)(long)(ctx)->data_end)\n"
    "SEC(\"xdp\") int null_value(struct xdp_md *ctx) {\n"
    "  __u64 key = 1, *value = bpf_map_lookup_elem(&flows, &key);\n"
    "  return *value == 7;\n"
    "}\n"
    "SEC(\"xdp\") int null_record(struct xdp_md *ctx) {\n"
    "  __u64 *record = bpf_ringbuf_reserve(&events, 8, 0);\n"
    "  *record = 1;\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") int past_the_end(struct xdp_md *ctx) {\n"
    "  unsigned char *p = DATA(ctx);\n"
    "  if (p + 4 > END(ctx)) return 1;\n"
    "  return *(__u32 *)p + p[4];\n"
    "}\n"
    "SEC(\"xdp\") int not_compared(struct xdp_md *ctx) {\n"
    "  return DATA(ctx)[0];\n"
    "}\n"
    "SEC(\"xdp\") int before_data(struct xdp_md *ctx) {\n"
    "  unsigned char *p = DATA(ctx);\n"
    "  if (p + 4 > END(ctx)) return 1;\n"
    "  return p[-1];\n"
    "}\n"
    "SEC(\"xdp\") int index_too_large(struct xdp_md *ctx) {\n"
    "  __u32 key = 0, i = ctx->rx_queue_index;\n"
    "  struct row *row = bpf_map_lookup_elem(&rows, &key);\n"
    "  if (!row || i > 8) return 1;\n"
    "  return row->hits[i];\n"
    "}\n"
    "SEC(\"xdp\") int past_the_value(struct xdp_md *ctx) {\n"
    "  __u32 key = 0;\n"
    "  struct row *row = bpf_map_lookup_elem(&rows, &key);\n"
    "  if (!row) return 1;\n"
    "  return ((volatile struct row *)row)->hits[8];\n"
    "}\n"
    "SEC(\"xdp\") int number_as_address(struct xdp_md *ctx) {\n"
    "  return *(int *)(long)ctx->rx_queue_index;\n"
    "}\n"
    "SEC(\"xdp\") int moved_packet(struct xdp_md *ctx) {\n"
    "  unsigned char *p = DATA(ctx);\n"
    "  if (p + 4 > END(ctx)) return 1;\n"
    "  if (bpf_xdp_adjust_head(ctx, 2)) return 1;\n"
    "  return p[0];\n"
    "}\n"
    "SEC(\"xdp\") int key_with_a_hole(struct xdp_md *ctx) {\n"
    "  struct { __u16 port; __u32 queue; } key;\n"
    "  key.port = 1;\n"
    "  key.queue = ctx->rx_queue_index;\n"
    "  return bpf_map_lookup_elem(&flows, &key) != 0;\n"
    "}\n"
    "SEC(\"xdp\") int stores_a_constant(struct xdp_md *ctx) {\n"
    "  *(volatile __u32 *)&limit = 6;\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") int misaligned_atomic(struct xdp_md *ctx) {\n"
    "  __u32 key = 0;\n"
    "  struct row *row = bpf_map_lookup_elem(&rows, &key);\n"
    "  if (row) __sync_fetch_and_add((__u32 *)((char *)row + 2), 1);\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") int leaks_a_pointer(struct xdp_md *ctx) {\n"
    "  __u64 key = 1, *value = bpf_map_lookup_elem(&flows, &key);\n"
    "  if (value) *value = (__u64)ctx;\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") int multiplies_a_pointer(struct xdp_md *ctx) {\n"
    "  return (__u64)(long)ctx * 3 == 9;\n"
    "}\n"
    "SEC(\"xdp\") int unbounded_offset(struct xdp_md *ctx) {\n"
    "  unsigned char *p = DATA(ctx) + bpf_ktime_get_ns();\n"
    "  if (p + 1 > END(ctx)) return 1;\n"
    "  return *p;\n"
    "}\n"
    "SEC(\"xdp\") int stores_to_the_context(struct xdp_md *ctx) {\n"
    "  ctx->data = 0;\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") int reads_a_lock(struct xdp_md *ctx) {\n"
    "  __u32 key = 0;\n"
    "  struct guarded *g = bpf_map_lookup_elem(&shared, &key);\n"
    "  return g ? *(volatile __u32 *)&g->lock : 0;\n"
    "}\n"
    "SEC(\"xdp\") int wrong_map(struct xdp_md *ctx) {\n"
    "  __u64 key = 1;\n"
    "  return bpf_map_lookup_elem(&events, &key) != 0;\n"
    "}\n"
    "SEC(\"xdp\") int unbounded_size(struct xdp_md *ctx) {\n"
    "  char text[8] = \"hi\";\n"
    "  return bpf_ringbuf_output(&events, text, ctx->rx_queue_index, 0);\n"
    "}\n"
    "SEC(\"xdp\") int helper_under_lock(struct xdp_md *ctx) {\n"
    "  __u32 key = 0;\n"
    "  struct guarded *g = bpf_map_lookup_elem(&shared, &key);\n"
    "  if (!g) return 1;\n"
    "  bpf_spin_lock(&g->lock);\n"
    "  g->count = bpf_get_prandom_u32();\n"
    "  bpf_spin_unlock(&g->lock);\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") int unlocks_twice(struct xdp_md *ctx) {\n"
    "  __u32 key = 0;\n"
    "  struct guarded *g = bpf_map_lookup_elem(&shared, &key);\n"
    "  if (!g) return 1;\n"
    "  bpf_spin_unlock(&g->lock);\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") int keeps_the_lock(struct xdp_md *ctx) {\n"
    "  __u32 key = 0;\n"
    "  struct guarded *g = bpf_map_lookup_elem(&shared, &key);\n"
    "  if (g) bpf_spin_lock(&g->lock);\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") int keeps_a_record(struct xdp_md *ctx) {\n"
    "  __u64 *record = bpf_ringbuf_reserve(&events, 8, 0);\n"
    "  if (record) *record = 1;\n"
    "  return 0;\n"
    "}\n"
    "static __attribute__((noinline)) int deeper(int n) {\n"
    "  volatile int here = n;\n"
    "  return here == 0 ? 0 : deeper(here - 1) + here;\n"
    "}\n"
    "SEC(\"xdp\") int recursion(struct xdp_md *ctx) {\n"
    "  return deeper(ctx->rx_queue_index);\n"
    "}\n"
    "SEC(\"xdp\") int waits_for_ever(struct xdp_md *ctx) {\n"
    "  while (bpf_get_prandom_u32() != 7) {\n"
    "  }\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") int too_many_trips(struct xdp_md *ctx) {\n"
    "  __u32 sum = 0;\n"
    "#pragma clang loop unroll(disable)\n"
    "  for (__u32 i = 0; i < 1000000; i++) sum += bpf_get_prandom_u32();\n"
    "  return sum;\n"
    "}\n"
    "static long callback(__u32 i, void *p) { return 0; }\n"
    "SEC(\"xdp\") int modifies_itself(struct xdp_md *ctx) {\n"
    "  *(volatile __u64 *)(void *)callback = 0x95;\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") int misaligned_stack(struct xdp_md *ctx) {\n"
    "  volatile char bytes[16] = {0};\n"
    "  __sync_fetch_and_add((__u32 *)(bytes + 1), 1);\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") int stands_still(struct xdp_md *ctx) {\n"
    "  __u32 last = ctx->rx_queue_index & 15;\n"
    "  for (__u32 i = 0; i < last;)\n"
    "    if (bpf_get_prandom_u32() != 7) i++;\n"
    "  return 0;\n"
    "}\n"
    "#define FOR(i) for (volatile __u32 i = 0; i < 2; i++)\n"
    "SEC(\"xdp\") int nested_too_deep(struct xdp_md *ctx) {\n"
    "  FOR(a) FOR(b) FOR(c) FOR(d) FOR(e) FOR(f) FOR(g) FOR(h) FOR(i)\n"
    "  FOR(j) FOR(k) FOR(l) FOR(m) FOR(n) FOR(o) FOR(p) FOR(q)\n"
    "    bpf_get_prandom_u32();\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") long returns_a_pointer(struct xdp_md *ctx) {\n"
    "  return (long)ctx;\n"
    "}\n"
    "SEC(\"xdp\") int too_far(struct xdp_md *ctx) {\n"
    "  unsigned char *p = DATA(ctx) + 0x30000000;\n"
    "  return p > END(ctx);\n"
    "}\n";

static const struct {
  const char *program, *text;
} rows[] = {
    {"null_value", "test.bpf.c:12: uses the result of bpf_map_lookup_elem, which may be NULL\n"
                   "  source  return *value == 7;\n"
                   "  needed  a check that it is not NULL\n"
                   "  known   rN is a value of map flows, or NULL\n"
                   "  hint    check the result of bpf_map_lookup_elem before this: if (!p) return XDP_PASS;\n"},
    {"null_record", "test.bpf.c:16: uses the result of bpf_ringbuf_reserve, which may be NULL\n"
                    "  source  *record = 1;\n"
                    "  needed  a check that it is not NULL\n"
                    "  known   rN is a ring buffer record of 8 bytes, or NULL\n"
                    "  hint    check the result of bpf_ringbuf_reserve before this: if (!p) return XDP_PASS;\n"},
    {"past_the_end", "test.bpf.c:22: reads 1 byte at 4 of the packet, which is not proven to be inside\n"
                     "  source  return *(__u32 *)p + p[4];\n"
                     "  needed  rN + 5 <= data_end\n"
                     "  known   rN is packet data, at least 4 bytes before data_end\n"
                     "  path    test.bpf.c:21  if (p + 4 > END(ctx)) return 1;  -> line 22\n"
                     "  hint    compare rN + 5 with data_end before this: if (p + 5 > data_end) return XDP_PASS;\n"},
    {"not_compared", "test.bpf.c:25: reads 1 byte at 0 of the packet, which is not proven to be inside\n"
                     "  source  return DATA(ctx)[0];\n"
                     "  needed  rN + 1 <= data_end\n"
                     "  known   rN is packet data, not beyond data_end\n"
                     "  hint    compare rN + 1 with data_end before this: if (p + 1 > data_end) return XDP_PASS;\n"},
    {"before_data", "test.bpf.c:30: reads 1 byte at -1 of the packet, which is not proven to be inside\n"
                    "  source  return p[-1];\n"
                    "  needed  an address not before data\n"
                    "  known   rN is packet data, at least 4 bytes before data_end\n"
                    "  path    test.bpf.c:29  if (p + 4 > END(ctx)) return 1;  -> line 30\n"
                    "  hint    only bpf_xdp_adjust_head makes room before data\n"},
    {"index_too_large",
     "test.bpf.c:36: reads 4 bytes at 0 to 32 of a value of map rows, which is not proven to be inside\n"
     "  source  return row->hits[i];\n"
     "  needed  an offset from 0 to 28\n"
     "  known   rN is a value of map rows + 0 to 32\n"
     "  path    test.bpf.c:35  if (!row || i > 8) return 1;  -> line 36\n"
     "  hint    bound the index before this: if (i >= SIZE) return XDP_DROP; or mask it: i & (SIZE - 1)\n"},
    {"past_the_value", "test.bpf.c:42: reads 4 bytes at 32 of a value of map rows, which is not proven to be inside\n"
                       "  source  return ((volatile struct row *)row)->hits[8];\n"
                       "  needed  an offset from 0 to 28\n"
                       "  known   rN is a value of map rows\n"
                       "  path    test.bpf.c:41  if (!row) return 1;  -> line 42\n"
                       "  hint    the object ends before; look at the types of both sides\n"},
    {"number_as_address", "test.bpf.c:45: uses rN as an address, which is a number\n"
                          "  source  return *(int *)(long)ctx->rx_queue_index;\n"
                          "  needed  a pointer to packet, stack, context or a map value\n"
                          "  known   rN is 0 to 0xffffffff\n"
                          "  hint    keep pointers in pointer variables; numbers do not become addresses\n"},
    {"moved_packet",
     "test.bpf.c:51: reads rN, which holds nothing here on some way\n"
     "  source  return p[0];\n"
     "  needed  a value in rN on every way here\n"
     "  known   rN is the packet or its end before a helper that may have moved it, or half of such an address\n"
     "  path    test.bpf.c:49  if (p + 4 > END(ctx)) return 1;  -> line 50\n"
     "          test.bpf.c:50  if (bpf_xdp_adjust_head(ctx, 2)) return 1;  -> line 51\n"
     "  hint    assign the variable on every way; pointers into the packet lapse with helpers that may move it: take them from ctx->data anew\n"},
    {"key_with_a_hole", "test.bpf.c:57: reads bytes of stack that may not have been written\n"
                        "  source  return bpf_map_lookup_elem(&flows, &key) != 0;\n"
                        "  needed  all of them written before\n"
                        "  known   rN is stack, r10 - 8\n"
                        "  hint    initialise the variable, padding included: struct key key = {}; or memset it\n"},
    {"stores_a_constant", "test.bpf.c:60: writes a value of map test.rodata, which it may not\n"
                          "  source  *(volatile __u32 *)&limit = 6;\n"
                          "  known   rN is a value of map test.rodata\n"
                          "  hint    the map's flags, or what it is, forbid it; copy the value to a variable first\n"},
    {"misaligned_atomic",
     "test.bpf.c:66: writes a value of map rows at an address that may be misaligned\n"
     "  source  if (row) __sync_fetch_and_add((__u32 *)((char *)row + 2), 1);\n"
     "  needed  an address that is a multiple of the size\n"
     "  known   rN is a value of map rows\n"
     "  path    test.bpf.c:66  if (row) __sync_fetch_and_add((__u32 *)((char *)row + 2), 1);  -> goes on\n"
     "  hint    align the member (a packed struct is not), or do it without an atomic operation\n"},
    {"leaks_a_pointer", "test.bpf.c:71: would hand out the context as a number\n"
                        "  source  if (value) *value = (__u64)ctx;\n"
                        "  needed  a number that is no address\n"
                        "  known   rN is the context\n"
                        "  path    test.bpf.c:71  if (value) *value = (__u64)ctx;  -> goes on\n"
                        "  hint    addresses must not get into maps, packets, results or helpers' number arguments\n"},
    {"multiplies_a_pointer",
     "test.bpf.c:75: calculates with the context in a way that leaves it no pointer\n"
     "  source  return (__u64)(long)ctx * 3 == 9;\n"
     "  needed  a number\n"
     "  known   rN is the context\n"
     "  hint    add or subtract bounded numbers; compare a pointer with NULL, or with data_end\n"},
    {"unbounded_offset",
     "test.bpf.c:80: reads 1 byte at an offset that is not bounded of the packet, which is not proven to be inside\n"
     "  source  return *p;\n"
     "  needed  an offset that is bounded, and compared with data_end\n"
     "  known   rN is packet data + any number, not compared with data_end\n"
     "  path    test.bpf.c:79  if (p + 1 > END(ctx)) return 1;  -> line 80\n"
     "  hint    bound the index before this: if (i >= SIZE) return XDP_DROP; or mask it: i & (SIZE - 1)\n"},
    {"stores_to_the_context",
     "test.bpf.c:83: writes 4 bytes of the context at 0, where it has no field that may be accessed so\n"
     "  source  ctx->data = 0;\n"
     "  known   rN is the context\n"
     "  hint    use the fields of struct xdp_md or struct __sk_buff whole, as they are declared\n"},
    {"reads_a_lock",
     "test.bpf.c:89: reads 4 bytes at 0 of a value of map shared, which are those of its lock or timer\n"
     "  source  return g ? *(volatile __u32 *)&g->lock : 0;\n"
     "  known   rN is a value of map shared\n"
     "  path    test.bpf.c:89  return g ? *(volatile __u32 *)&g->lock : 0;  -> goes on\n"
     "  hint    use bpf_spin_lock, bpf_spin_unlock and the bpf_timer helpers; copy the other members one by one\n"},
    {"wrong_map", "test.bpf.c:93: argument 1 of bpf_map_lookup_elem is not what it must be\n"
                  "  source  return bpf_map_lookup_elem(&events, &key) != 0;\n"
                  "  needed  a map that this helper is for\n"
                  "  known   rN is map events\n"
                  "  hint    docs/ebpf.md has the helper's prototype\n"},
    {"unbounded_size", "test.bpf.c:97: argument 3 of bpf_ringbuf_output is not what it must be\n"
                       "  source  return bpf_ringbuf_output(&events, text, ctx->rx_queue_index, 0);\n"
                       "  needed  a bounded number of bytes\n"
                       "  known   rN is 0 to 0xffffffff\n"
                       "  hint    bound it before the call: if (n == 0 || n > sizeof(buffer)) return XDP_DROP;\n"},
    {"helper_under_lock", "test.bpf.c:104: calls while it holds a spin lock\n"
                          "  source  g->count = bpf_get_prandom_u32();\n"
                          "  path    test.bpf.c:102  if (!g) return 1;  -> line 103\n"
                          "  hint    call bpf_spin_unlock before\n"},
    {"unlocks_twice", "test.bpf.c:112: releases a spin lock that it does not hold\n"
                      "  source  bpf_spin_unlock(&g->lock);\n"
                      "  needed  the lock of the same value, held\n"
                      "  known   rN is a value of map shared\n"
                      "  path    test.bpf.c:111  if (!g) return 1;  -> line 112\n"
                      "  hint    lock and unlock the same value, on every way\n"},
    {"keeps_the_lock", "test.bpf.c:119: ends while it holds a spin lock\n"
                       "  source  return 0;\n"
                       "  needed  everything released\n"
                       "  path    test.bpf.c:118  if (g) bpf_spin_lock(&g->lock);  -> line 119\n"
                       "  hint    call bpf_spin_unlock, bpf_ringbuf_submit or bpf_ringbuf_discard on every way out\n"},
    {"keeps_a_record", "test.bpf.c:124: ends while it holds a ring buffer record\n"
                       "  source  return 0;\n"
                       "  needed  everything released\n"
                       "  path    test.bpf.c:123  if (record) *record = 1;  -> line 124\n"
                       "  hint    call bpf_spin_unlock, bpf_ringbuf_submit or bpf_ringbuf_discard on every way out\n"},
    {"recursion", "test.bpf.c:128: calls are nested over 8 deep\n"
                  "  source  return here == 0 ? 0 : deeper(here - 1) + here;\n"
                  "  path    test.bpf.c:128  return here == 0 ? 0 : deeper(here - 1) + here;  -> goes on\n"
                  "          test.bpf.c:128  return here == 0 ? 0 : deeper(here - 1) + here;  -> goes on\n"
                  "          test.bpf.c:128  return here == 0 ? 0 : deeper(here - 1) + here;  -> goes on\n"
                  "          test.bpf.c:128  return here == 0 ? 0 : deeper(here - 1) + here;  -> goes on\n"
                  "          test.bpf.c:128  return here == 0 ? 0 : deeper(here - 1) + here;  -> goes on\n"
                  "          test.bpf.c:128  return here == 0 ? 0 : deeper(here - 1) + here;  -> goes on\n"
                  "          test.bpf.c:128  return here == 0 ? 0 : deeper(here - 1) + here;  -> goes on\n"
                  "  hint    let functions be inlined, or use a loop instead of recursion\n"},
    {"waits_for_ever", "test.bpf.c:134: this loop is not proven to end\n"
                       "  source  while (bpf_get_prandom_u32() != 7) {\n"
                       "  needed  a counter that is bounded\n"
                       "  hint    count it up to a constant: for (int i = 0; i < LIMIT; i++)\n"},
    {"too_many_trips",
     "test.bpf.c:141: may execute more than 1000000 instructions\n"
     "  source  for (__u32 i = 0; i < 1000000; i++) sum += bpf_get_prandom_u32();\n"
     "  hint    lower the loops' bounds, or count a loop over the packet: for (int i = 0; i < LIMIT; i++)\n"},
    {"modifies_itself", "test.bpf.c:146: uses rN as an address, which is that of a function\n"
                        "  source  *(volatile __u64 *)(void *)callback = 0x95;\n"
                        "  needed  a pointer to packet, stack, context or a map value\n"
                        "  known   rN is the function at instruction 6\n"
                        "  hint    functions are for calls: a program neither reads nor changes its instructions\n"},
    {"misaligned_stack", "test.bpf.c:151: writes the stack at an address that may be misaligned\n"
                         "  source  __sync_fetch_and_add((__u32 *)(bytes + 1), 1);\n"
                         "  needed  an address that is a multiple of the size\n"
                         "  known   r10 is stack, r10\n"
                         "  hint    align the member (a packed struct is not), or do it without an atomic operation\n"},
    {"stands_still", "test.bpf.c:157: this loop is not proven to end\n"
                     "  source  if (bpf_get_prandom_u32() != 7) i++;\n"
                     "  needed  a counter that moves the same way on every trip\n"
                     "  path    test.bpf.c:156  for (__u32 i = 0; i < last;)  -> goes on\n"
                     "  hint    count it: for (int i = 0; i < LIMIT; i++)\n"},
    {"nested_too_deep",
     "test.bpf.c:164: loops are nested over 16 deep\n"
     "  source  bpf_get_prandom_u32();\n"
     "  path    test.bpf.c:162  FOR(a) FOR(b) FOR(c) FOR(d) FOR(e) FOR(f) FOR(g) FOR(h) FOR(i)  -> line 163\n"
     "          test.bpf.c:163  FOR(j) FOR(k) FOR(l) FOR(m) FOR(n) FOR(o) FOR(p) FOR(q)  -> line 164\n"
     "  hint    nest fewer loops\n"},
    {"returns_a_pointer", "test.bpf.c:168: returns what is not a number\n"
                          "  source  return (long)ctx;\n"
                          "  needed  a number in rN\n"
                          "  known   rN is the context\n"
                          "  hint    return a verdict such as XDP_PASS on every way\n"},
    {"too_far", "test.bpf.c:171: moves the packet too far\n"
                "  source  unsigned char *p = DATA(ctx) + 0x30000000;\n"
                "  needed  an offset below 2^29\n"
                "  known   rN is packet data, not beyond data_end\n"
                "  hint    look at the number: nothing that a program reaches is so far away\n"},
};

/* What compiled C can't have, or the verifier sees to: programs by hand, and what the checker says along a plan that doesn't do. The last
 * loop counts to 9. */
#define COUNTED MOV_IMM(6, 0), MOV_IMM(0, 0), ADD_IMM(6, 1), JUMP_IMM(BPF_JLT, 6, 9, -2), EXIT()
#define LOOP_AT_2(...) \
  .entry_count = 1, .entries = {{.kind = PROOF_LOOP, .key = {2}, .end = 3, .measure = 6, .step = 1, __VA_ARGS__}}
#define R6_TO_8 .change_count = 1, .changes = {{0, {.location = 6, .value = CASE_BETWEEN(0, 8)}}}
#define ON_ONE_WAY(...) LOAD(BPF_W, 6, 1, 16), JUMP_IMM(BPF_JEQ, 6, 0, 1), __VA_ARGS__, MOV_IMM(0, 0), EXIT()

static const struct {
  struct proof_case of;
  const char *text;
} by_hand[] = {
    {{NULL, PROOF_BAD_PROGRAM, 0, INSNS(MOV_IMM(0, 0))},
     "test.bpf.o: instruction 0: the program is malformed\n"
     "  hint    compile it with clang -target bpf\n"},
    {{NULL, PROOF_NOT_FUNCTION, 1, INSNS(MOV_IMM(2, 5), INSN(BPF_JMP | BPF_CALL | BPF_X, 2, 0, 0, 0), EXIT())},
     "test.bpf.o: instruction 1: calls what is not known to be one function of the program\n"
     "  needed  the address of one function\n"
     "  known   r2 is 5\n"
     "  hint    call it by name, or choose between calls with if\n"},
    {{NULL, PROOF_NO_HELPER, 0, INSNS(CALL_HELPER(19), EXIT())},
     "test.bpf.o: instruction 0: bpf_skb_vlan_pop is not for programs of this kind\n"
     "  hint    docs/ebpf.md lists the helpers of each kind of program\n"},
    {{NULL, PROOF_NO_POINT, 2, INSNS(COUNTED)},
     "test.bpf.o: instruction 2: this loop could not be followed\n"
     "  hint    write it as a loop with a counter and one entry\n"},
    {{NULL, PROOF_NOT_WITHIN, 2, INSNS(COUNTED), LOOP_AT_2(.body = {2, 0})},
     "test.bpf.o: instruction 2: what holds in this loop could not be found\n"
     "  hint    give the loop a constant bound, and set in it only what it needs\n"},
    {{NULL, PROOF_BODY, 2, INSNS(COUNTED), LOOP_AT_2(.body = {1, 0}), R6_TO_8},
     "test.bpf.o: instruction 2: the length of this loop's body could not be found\n"
     "  hint    give the loops inside it constant bounds\n"},
    {{NULL, PROOF_COST, 3, INSNS(ON_ONE_WAY(MOV_IMM(0, 0))), .entry_count = 1,
      .entries = {{.kind = PROOF_MERGE, .key = {3}}}},
     "test.bpf.o: instruction 3: the number of instructions up to here could not be bounded\n"
     "  hint    give loops constant bounds\n"},
    {{NULL, PROOF_NO_JOIN, 9,
      INSNS(LOAD(BPF_W, 6, 1, 16), JUMP_IMM(BPF_JEQ, 6, 0, 7), LOAD_MAP(1, RING), MOV_IMM(2, 8), MOV_IMM(3, 0),
            CALL_HELPER(131), JUMP_IMM(BPF_JEQ, 0, 0, 1), JUMP(0), MOV_IMM(0, 0), EXIT())},
     "test.bpf.o: instruction 9: ways meet here that hold different locks or records\n"
     "  needed  the same on each way\n"
     "  hint    release it on every way before they meet\n"},
};

/* Leaves out the line of the instruction, and which register it is: "r7" becomes "rN". */
static void normalise(const char *from, struct text *out) {
  while (*from != '\0') {
    size_t length = strcspn(from, "\n") + 1;
    bool code = strncmp(from, "  code", 6) == 0;
    for (size_t i = 0; i < length && !code; i++) {
      bool word = i > 0 && (from[i - 1] == ' ' || from[i - 1] == '(');
      bool reg = word && from[i] == 'r' && from[i + 1] >= '0' && from[i + 1] <= '9' && from[i + 2] != '0';
      text_add_bytes(out, reg ? "rN" : &from[i], reg ? 2 : 1);
      i += reg;
    }
    from += length;
  }
}

/* Global functions, and programs that call them. */
static const char global_source[] =
    "struct two { __u32 a, b; };\n"
    "struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __type(value, struct two); __uint(max_entries, 4); } pairs SEC(\".maps\");\n"
    "const struct two constant = {1, 2};\n"
    "#define ALONE __attribute__((noinline))\n"
    "#define HERE(ctx) struct two here = {1, (ctx)->rx_queue_index}\n"
    "ALONE int sum(struct two *p) { return p ? p->a + p->b : 0; }\n"
    "ALONE int sum_there(struct two *p __attribute__((btf_decl_tag(\"arg:nonnull\")))) { return p->a + p->b; }\n"
    "ALONE void swap(struct two *p) { if (p) { __u32 a = p->a; p->a = p->b; p->b = a; } }\n"
    "ALONE int not_asked(struct two *p) { return p->a + p->b; }\n"
    "ALONE int too_long(__u32 *p) { return p ? p[3] : 0; }\n"
    "ALONE int counts(struct two *p) { return p ? __sync_fetch_and_add(&p->a, 1) : 0; }\n"
    "ALONE int moves(struct xdp_md *ctx, struct two *p) { return p ? bpf_xdp_adjust_head(ctx, p->a & 7) : 0; }\n"
    "ALONE int of_number(__u32 n) { return ((const __u8 *)&constant)[n]; }\n"
    "SEC(\"xdp\") int three_alone(struct xdp_md *ctx) {\n"
    "  __u32 key = 1;\n"
    "  HERE(ctx);\n"
    "  swap(&here);\n"
    "  return (sum(bpf_map_lookup_elem(&pairs, &key)) + sum_there(&here)) & 1;\n"
    "}\n"
    "SEC(\"xdp\") int null_not_asked(struct xdp_md *ctx) { HERE(ctx); return not_asked(&here) & 1; }\n"
    "SEC(\"xdp\") int longer_than_its_type(struct xdp_md *ctx) { __u32 four[4] = {1, 2, 3, ctx->rx_queue_index}; return too_long(four) & 1; }\n"
    "SEC(\"xdp\") int atomic(struct xdp_md *ctx) { HERE(ctx); return counts(&here) & 1; }\n"
    "SEC(\"xdp\") int packet_that_moves(struct xdp_md *ctx) {\n"
    "  struct two *p = (void *)(long)ctx->data;\n"
    "  if ((void *)(p + 1) > (void *)(long)ctx->data_end) return 1;\n"
    "  return moves(ctx, p) & 1;\n"
    "}\n"
    "SEC(\"xdp\") int constant_lent(struct xdp_md *ctx) {\n"
    "  HERE(ctx);\n"
    "  return (sum(&here) + sum((struct two *)&constant)) & 1;\n"
    "}\n"
    "SEC(\"xdp\") int small_number(struct xdp_md *ctx) { return of_number(ctx->rx_queue_index & 7) & 1; }\n";

static const struct {
  const char *program;
  unsigned alone;   /* of its global functions */
  const char *note; /* behind "test.bpf.o: " */
} global_rows[] = {
    {"three_alone", 3, ""},
    {"null_not_asked", 0,
     "not_asked is verified anew for each call, as it does not do alone: test.bpf.c:9: uses an argument, which may be NULL\n"},
    {"longer_than_its_type", 0,
     "too_long is verified anew for each call, as it does not do alone: test.bpf.c:10: reads 4 bytes at 12 of an argument's memory, "
     "which is not proven to be inside\n"},
    {"atomic", 0,
     "counts is verified anew for each call, as it does not do alone: test.bpf.c:11: writes an argument's memory at an address that "
     "may be misaligned\n"},
    {"packet_that_moves", 0,
     "moves is verified anew for each call, as it does not do alone: test.bpf.c:26: argument 2 of moves is not what it must be\n"},
    {"constant_lent", 0,
     "sum is verified anew for each call, as it does not do alone: test.bpf.c:30: reads a value of map test.rodata, which it may "
     "not\n"},
    {"small_number", 0,
     "of_number is verified anew for each call, as it does not do alone: test.bpf.c:13: reads 1 byte at an offset that is not bounded "
     "of a value of map test.rodata, which is not proven to be inside\n"},
};

static void explain(const struct text *object, const char *program, struct text *out) {
  static struct verify_result result;
  const struct link_options options = {.file = "test.bpf.o", .name = "test", .program = program};
  const struct bundle_meta meta = {.name = "test", .version = 1, .audience = "*"};
  struct linked_program *linked = NULL;
  struct subject subject;
  struct report report = {0};
  assert_int_equal(link_object((const uint8_t *)object->data, object->length, &options, &linked, &report), 0);
  assert_int_equal(subject_make(&subject, linked, &meta, BPF_MAX_EXECUTED, &report), 0);
  subject_verify(&subject, &result);
  assert_int_not_equal(result.end, VERIFY_PROVEN);
  const struct explained explained = {linked, &subject.in->input, "test.bpf.o"};
  explain_failure(&explained, &result, &report);
  normalise(text_string(&report.text), out);
  verify_free(&result);
  subject_free(&subject);
  link_free(linked);
  report_free(&report);
}

/* Each unsafe program is refused for the right reason: at its line, with the fact that was needed, the best that is known, and what to write
 * instead. */
static void unsafe_programs_are_explained(void **state) {
  struct text object, out = {0};
  compile(source, "-target bpf -O2 -g -Wno-array-bounds", &object);
  for (size_t i = 0; i < COUNT(rows); i++) {
    text_clear(&out);
    explain(&object, rows[i].program, &out);
    if (strcmp(text_string(&out), rows[i].text) != 0)
      fail_msg("%s says\n%snot\n%s", rows[i].program, text_string(&out), rows[i].text);
  }
  text_free(&out);
  text_free(&object);
}

static void explain_verdict(const struct bpf_insn *insns, uint32_t count, const struct proof_verdict *verdict,
                            struct text *out) {
  static struct linked_program nothing; /* no lines are known */
  struct proof_program program;
  const struct proof_input input = case_input(insns, count, &program);
  const struct explained explained = {&nothing, &input, "test.bpf.o"};
  const struct verify_result result = {.end = VERIFY_REFUSED, .verdict = *verdict};
  struct report report = {0};
  explain_failure(&explained, &result, &report);
  text_clear(out);
  text_add(out, text_string(&report.text));
  report_free(&report);
}

/* What compiled C can't have, and what says something of the plan, is explained as well: without lines, by the number of the instruction. */
static void refusals_of_the_checker_are_explained(void **state) {
  struct bpf_fact facts[CASE_INSNS];
  struct text out = {0};
  for (size_t i = 0; i < COUNT(by_hand); i++) {
    const struct proof_case *c = &by_hand[i].of;
    const struct proof_verdict verdict = case_walk(c, facts);
    if (verdict.failure.kind != c->kind || verdict.failure.pc != c->pc)
      fail_msg("row %zu: refusal %d at %u", i, (int)verdict.failure.kind, verdict.failure.pc);
    explain_verdict(c->insns, c->count, &verdict, &out);
    struct text said = {0};
    for (const char *line = text_string(&out); *line != '\0'; line += strcspn(line, "\n") + 1)
      if (strncmp(line, "  code", 6) != 0) text_add_bytes(&said, line, strcspn(line, "\n") + 1);
    if (strcmp(text_string(&said), by_hand[i].text) != 0)
      fail_msg("row %zu says\n%snot\n%s", i, text_string(&said), by_hand[i].text);
    text_free(&said);
  }
  text_free(&out);
}

/* Each kind of failure says something, and something that no other says. */
static void each_kind_has_its_own_text(void **state) {
  static const struct bpf_insn insns[] = {EXIT()};
  struct text said[PROOF_TOO_NESTED + 1] = {{0}};
  for (unsigned kind = PROOF_OK + 1; kind <= PROOF_TOO_NESTED; kind++) {
    const struct proof_verdict verdict = {
        .failure = {.kind = (enum proof_failure_kind)kind, .location = 1, .helper = 1, .entry = UINT32_MAX}};
    explain_verdict(insns, COUNT(insns), &verdict, &said[kind]);
    assert_null(strstr(text_string(&said[kind]), "cannot be proven safe"));
    for (unsigned other = PROOF_OK + 1; other < kind; other++)
      if (strcmp(text_string(&said[kind]), text_string(&said[other])) == 0)
        fail_msg("%u says what %u says", kind, other);
  }
  for (unsigned kind = 0; kind <= PROOF_TOO_NESTED; kind++)
    text_free(&said[kind]);
}

/* What is not verified alone although its type can be told is named, with the reason for which it cannot be. */
static void functions_in_context_are_named(void **state) {
  static struct verify_result result;
  struct text object;
  compile(global_source, "-target bpf -O2 -g -mcpu=v3", &object);
  for (size_t i = 0; i < COUNT(global_rows); i++) {
    const struct link_options options = {.file = "test.bpf.o", .name = "test", .program = global_rows[i].program};
    const struct bundle_meta meta = {.name = "test", .version = 1, .audience = "*"};
    struct linked_program *linked = NULL;
    struct subject subject;
    struct report report = {0};
    unsigned alone = 0;
    assert_int_equal(link_object((const uint8_t *)object.data, object.length, &options, &linked, &report), 0);
    assert_int_equal(subject_make(&subject, linked, &meta, BPF_MAX_EXECUTED, &report), 0);
    subject_verify(&subject, &result);
    assert_int_equal(result.end, VERIFY_PROVEN);
    for (uint32_t f = 0; f < result.function_count; f++)
      alone += result.functions[f].alone;
    assert_int_equal(alone, global_rows[i].alone);
    explain_functions(&(struct explained){linked, &subject.in->input, "test.bpf.o"}, &result, &report);
    const char *text = text_string(&report.text), *colon = strstr(text, ": ");
    assert_string_equal(colon != NULL ? colon + 2 : text, global_rows[i].note);
    verify_free(&result);
    subject_free(&subject);
    link_free(linked);
    report_free(&report);
  }
  text_free(&object);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unsafe_programs_are_explained), cmocka_unit_test(refusals_of_the_checker_are_explained),
      cmocka_unit_test(each_kind_has_its_own_text), cmocka_unit_test(functions_in_context_are_named)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
