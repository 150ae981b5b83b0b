/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The strategy on shapes of loops and joins: each has a proof, whose bound covers the longest run. How often each loop goes round, and so the
 * least that the bound must be, is read off the source.
 */
#include "verifier/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "compile.h"
#include "lib/memory.h"
#include "verifier/verify_subject.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char source[] =
    "struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, __u64); __uint(max_entries, 8); }\n"
    "table SEC(\".maps\");\n"
    "#define KEEP _Pragma(\"clang loop unroll(disable)\")\n"
    "#define DATA(ctx) ((unsigned char *)(long)(ctx)->data)\n"
    "#define END(ctx) ((unsigned char *)(long)(ctx)->data_end)\n"
    "SEC(\"xdp\") int up(struct xdp_md *ctx) {\n"
    "  __u32 sum = 0;\n"
    "KEEP\n"
    "  for (int i = 0; i < 300; i++) sum += bpf_get_prandom_u32();\n"
    "  return sum & 1;\n"
    "}\n"
    "SEC(\"xdp\") int down_by_three(struct xdp_md *ctx) {\n"
    "  __u32 sum = 0;\n"
    "KEEP\n"
    "  for (int i = 300; i > 0; i -= 3) sum += bpf_get_prandom_u32();\n"
    "  return sum & 1;\n"
    "}\n"
    "SEC(\"xdp\") int nested(struct xdp_md *ctx) {\n"
    "  __u32 sum = 0;\n"
    "KEEP\n"
    "  for (int i = 0; i < 20; i++)\n"
    "KEEP\n"
    "    for (int j = 0; j < 30; j++) sum += bpf_get_prandom_u32();\n"
    "  return sum & 1;\n"
    "}\n"
    "SEC(\"xdp\") int through_the_packet(struct xdp_md *ctx) {\n"
    "  __u32 sum = 0;\n"
    "  unsigned char *p = DATA(ctx);\n"
    "KEEP\n"
    "  for (int i = 0; i < 100 && p + 2 <= END(ctx); i++, p += 2) sum += p[0] + p[1];\n"
    "  return sum & 1;\n"
    "}\n"
    "SEC(\"xdp\") int by_lengths(struct xdp_md *ctx) {\n"
    "  unsigned char *p = DATA(ctx);\n"
    "KEEP\n"
    "  for (int i = 0; i < 10; i++) {\n"
    "    if (p + 2 > END(ctx) || p[0] == 0) return 2;\n"
    "    p += p[1];\n"
    "  }\n"
    "  return 1;\n"
    "}\n"
    "static long each(__u32 i, __u64 *sum) {\n"
    "  *sum += i;\n"
    "  return 0;\n"
    "}\n"
    "SEC(\"xdp\") int callback(struct xdp_md *ctx) {\n"
    "  __u64 sum = 0;\n"
    "  bpf_loop(500, each, &sum, 0);\n"
    "  return sum & 1;\n"
    "}\n"
    "SEC(\"xdp\") int paths_that_differ(struct xdp_md *ctx) {\n"
    "  unsigned char *p = DATA(ctx), *end = END(ctx);\n"
    "  int long_header = 0;\n"
    "  if (p + 14 > end) return 2;\n"
    "  if (p[12] == 0x81) {\n"
    "    if (p + 18 > end) return 2;\n"
    "    long_header = 1;\n"
    "  }\n"
    "  asm volatile(\"\" : \"+r\"(long_header));\n"
    "  bpf_get_prandom_u32();\n"
    "  if (long_header == 1) return p[17];\n"
    "  return p[13];\n"
    "}\n"
    "SEC(\"xdp\") int table_by_index(struct xdp_md *ctx) {\n"
    "  __u64 sum = 0;\n"
    "KEEP\n"
    "  for (__u32 i = 0; i < 8; i++) {\n"
    "    __u64 *v = bpf_map_lookup_elem(&table, &i);\n"
    "    if (v) sum += *v;\n"
    "  }\n"
    "  return sum & 1;\n"
    "}\n";

/* The bound is at least what one run may take: each trip has an instruction for the sum, one for the counter and one for the jump (a callback its
 * sum, result and exit). And not over `most`. */
static const struct {
  const char *program;
  uint32_t least, most;
} rows[] = {
    {"up", 300 * 3, 300 * 10},       {"down_by_three", 100 * 3, 100 * 12},
    {"nested", 600 * 3, 660 * 12},   {"through_the_packet", 100 * 4, 100 * 20},
    {"by_lengths", 10 * 4, 10 * 60}, {"callback", 500 * 3, 500 * 20},
    {"paths_that_differ", 8, 60},    {"table_by_index", 8 * 5, 8 * 30},
};

static void judge(const struct text *object, const char *program, uint32_t max_insns, struct verify_result *result) {
  const struct link_options options = {.file = "test.bpf.o", .name = "test", .program = program};
  const struct bundle_meta meta = {.name = "test", .version = 1, .audience = "*"};
  struct linked_program *linked = NULL;
  struct subject subject;
  assert_int_equal(link_object((const uint8_t *)object->data, object->length, &options, &linked, NULL), 0);
  assert_int_equal(subject_make(&subject, linked, &meta, max_insns, NULL), 0);
  subject_verify(&subject, result);
  subject_free(&subject);
  link_free(linked);
}

static void loops_and_joins_have_proofs(void **state) {
  static struct verify_result result, again;
  struct text object;
  compile(source, NULL, &object);
  for (size_t i = 0; i < COUNT(rows); i++) {
    judge(&object, rows[i].program, BPF_MAX_EXECUTED, &result);
    if (result.end != VERIFY_PROVEN)
      fail_msg("%s: not proven, failure %d at %u", rows[i].program, (int)result.verdict.failure.kind,
               result.verdict.failure.pc);
    uint32_t bound = result.verdict.root[0].cost.insns;
    if (bound < rows[i].least || bound > rows[i].most) fail_msg("%s: at most %u executed", rows[i].program, bound);
    /* The same program has the same proof. */
    judge(&object, rows[i].program, BPF_MAX_EXECUTED, &again);
    assert_int_equal(again.proof.length, result.proof.length);
    assert_memory_equal(again.proof.data, result.proof.data, result.proof.length);
    verify_free(&again);
    verify_free(&result);
    /* What may execute more than it should is refused. */
    judge(&object, rows[i].program, rows[i].least - 1, &result);
    assert_int_not_equal(result.end, VERIFY_PROVEN);
    verify_free(&result);
  }
  text_free(&object);
}

static const char calls_source[] =
    "struct words { __u64 word[2]; };\n"
    "#define STEP h ^= h >> 29; h *= 0xbf58476d1ce4e5b9; h ^= h >> 32; h += w->word[1];\n"
    "__attribute__((noinline)) int hash(struct words *w) {\n"
    "  if (!w) return 0;\n"
    "  __u64 h = w->word[0];\n"
    "  STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP STEP\n"
    "  return h & 1;\n"
    "}\n"
    "#define CALL w.word[0] = bpf_get_prandom_u32(); sum += hash(&w);\n"
    "SEC(\"xdp\") int calls(struct xdp_md *ctx) {\n"
    "  struct words w = {{1, ctx->rx_queue_index}};\n"
    "  __u32 sum = 0;\n"
    "  CALL CALL CALL CALL CALL CALL CALL CALL\n"
    "  return sum & 1;\n"
    "}\n";

/* A global function of 20 steps, each of 7 instructions at least, is walked once for its eight calls; each of them counts. Declared hidden it is
 * no more than static, and walked for each. */
static void global_functions_are_walked_once(void **state) {
  enum { LEAST = 8 * 20 * 7 };
  static struct verify_result result;
  struct text object;
  compile(calls_source, NULL, &object);
  judge(&object, "calls", BPF_MAX_EXECUTED, &result);
  assert_int_equal(result.end, VERIFY_PROVEN);
  assert_true(result.verdict.root[0].cost.insns >= LEAST);
  assert_true(result.verdict.used.work < LEAST / 4);
  verify_free(&result);
  text_free(&object);
  compile(calls_source, "-target bpf -O2 -g -fvisibility=hidden", &object);
  judge(&object, "calls", BPF_MAX_EXECUTED, &result);
  assert_int_equal(result.end, VERIFY_PROVEN);
  assert_true(result.verdict.used.work >= LEAST);
  verify_free(&result);
  text_free(&object);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(loops_and_joins_have_proofs),
                                     cmocka_unit_test(global_functions_are_walked_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
