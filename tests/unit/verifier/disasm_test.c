/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tests of the disassembler: one instruction of every form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verifier/disasm.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct bpf_map_def maps[] = {{.name = "flows"}};

/* Every form of instruction reads as llvm-objdump prints it, with names for maps and helpers. */
static void every_form(void **state) {
  static const struct {
    struct bpf_insn insn[2];
    const char *expected;
  } cases[] = {
      {{{BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, -8}}, "r1 += -8"},
      {{{BPF_ALU | BPF_ARSH | BPF_X, 0x21, 0, 0}}, "w1 s>>= w2"},
      {{{BPF_ALU64 | BPF_MOV | BPF_X, 0x21, 0, 0}}, "r1 = r2"},
      {{{BPF_ALU64 | BPF_MOV | BPF_X, 0x21, 16, 0}}, "r1 = (s16)r2"},
      {{{BPF_ALU | BPF_DIV | BPF_K, 1, 1, 3}}, "w1 s/= 3"},
      {{{BPF_ALU64 | BPF_MOD | BPF_X, 0x21, 0, 0}}, "r1 %= r2"},
      {{{BPF_ALU64 | BPF_NEG, 3, 0, 0}}, "r3 = -r3"},
      {{{BPF_ALU | BPF_END | BPF_X, 3, 0, 32}}, "r3 = be32 r3"},
      {{{BPF_ALU | BPF_END | BPF_K, 3, 0, 16}}, "r3 = le16 r3"},
      {{{BPF_ALU64 | BPF_END, 3, 0, 64}}, "r3 = bswap64 r3"},
      {{{BPF_LDX | BPF_MEM | BPF_W, 0x21, 4, 0}}, "r1 = *(u32 *)(r2 + 4)"},
      {{{BPF_LDX | BPF_MEMSX | BPF_H, 0x21, -4, 0}}, "r1 = *(s16 *)(r2 - 4)"},
      {{{BPF_ST | BPF_MEM | BPF_B, 10, -1, 7}}, "*(u8 *)(r10 - 1) = 7"},
      {{{BPF_STX | BPF_MEM | BPF_DW, 0x1a, -32768, 0}}, "*(u64 *)(r10 - 32768) = r1"},
      {{{BPF_STX | BPF_ATOMIC | BPF_DW, 0x21, 0, BPF_XOR}}, "lock *(u64 *)(r1 + 0) ^= r2"},
      {{{BPF_STX | BPF_ATOMIC | BPF_W, 0x21, 8, BPF_ADD | BPF_FETCH}}, "r2 = atomic_fetch_add((u32 *)(r1 + 8), r2)"},
      {{{BPF_STX | BPF_ATOMIC | BPF_DW, 0x21, 8, BPF_XCHG}}, "r2 = xchg_64(r1 + 8, r2)"},
      {{{BPF_STX | BPF_ATOMIC | BPF_W, 0x21, 8, BPF_CMPXCHG}}, "r0 = cmpxchg_32(r1 + 8, r0, r2)"},
      {{{BPF_JMP | BPF_JA, 0, -1, 0}}, "goto -1 <0>"},
      {{{BPF_JMP32 | BPF_JA, 0, 0, 5}}, "gotol +5 <6>"},
      {{{BPF_JMP | BPF_JSLE | BPF_K, 1, 2, -3}}, "if r1 s<= -3 goto +2 <3>"},
      {{{BPF_JMP32 | BPF_JSET | BPF_X, 0x21, 2, 0}}, "if w1 & w2 goto +2 <3>"},
      {{{BPF_JMP | BPF_CALL, 0, 0, 1}}, "call bpf_map_lookup_elem"},
      {{{BPF_JMP | BPF_CALL, 0, 0, 9999}}, "call 9999"},
      {{{BPF_JMP | BPF_CALL, 0x10, 0, 3}}, "call +3 <4>"},
      {{{BPF_JMP | BPF_EXIT, 0, 0, 0}}, "exit"},
      {{{BPF_LD | BPF_DW, 1, 0, 2}, {0, 0, 0, 1}}, "r1 = 0x100000002 ll"},
      {{{BPF_LD | BPF_DW, 0x11, 0, 0}, {0}}, "r1 = map flows"},
      {{{BPF_LD | BPF_DW, 0x11, 0, 1}, {0}}, "r1 = map ?"},
      {{{BPF_LD | BPF_DW, 0x21, 0, 0}, {0, 0, 0, 12}}, "r1 = value of flows + 12"},
      {{{BPF_LD | BPF_DW, 0x41, 0, 7}, {0}}, "r1 = function +7 <8>"},
      {{{BPF_LD | BPF_DW, 0x91, 0, 7}, {0}}, "unknown: 18 91 0000 00000007"},
      {{{0xff, 0xff, -1, -1}}, "unknown: ff ff ffff ffffffff"},
      {{{BPF_STX | BPF_ATOMIC | BPF_DW, 0x21, 0, 0x77}}, "unknown: db 21 0000 00000077"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct text out = {0};
    struct disassembly code = {cases[i].insn, 2, maps, COUNT(maps)};
    uint32_t slots = disassemble(&code, 0, &out);
    assert_string_equal(text_string(&out), cases[i].expected);
    assert_int_equal(slots, cases[i].insn[0].code == (BPF_LD | BPF_DW) ? 2 : 1);
    text_free(&out);
  }
}

/* A 64-bit immediate cut off at the end is not read past it. */
static void cut_immediate(void **state) {
  static const struct bpf_insn insn = {BPF_LD | BPF_DW, 1, 0, 2};
  struct text out = {0};
  struct disassembly code = {&insn, 1, NULL, 0};
  assert_int_equal(disassemble(&code, 0, &out), 1);
  assert_string_equal(text_string(&out), "unknown: 18 01 0000 00000002");
  text_free(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cut_immediate), cmocka_unit_test(every_form)};
  return cmocka_run_group_tests_name("disasm", tests, NULL, NULL);
}
