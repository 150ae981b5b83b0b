/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The structural check: what it refuses, with which code, and that its message names the instruction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/bpf/asm.h"

/* Each is refused with `error`, at the instruction the message names; two maps are declared. */
static const struct {
  struct bpf_insn insns[4];
  int error;
  const char *message;
} refused[] = {
    {{INSN(0, 0, 0, 0, 0)}, -ERROR_INVALID, "instruction 0: opcode 0x00 is not in RFC 9669"},
    {{MOV_IMM(0, 0), INSN(0x86, 0, 0, 0, 0)}, -ERROR_INVALID, "instruction 1: opcode 0x86 is not in RFC 9669"},
    {{INSN(0xff, 0, 0, 0, 0)}, -ERROR_INVALID, "instruction 0: opcode 0xff"},
    {{INSN(0x30, 0, 0, 0, 0)}, -ERROR_UNSUPPORTED, "instruction 0: legacy packet access (opcode 0x30)"},
    {{INSN(0x50, 0, 0, 0, 0)}, -ERROR_UNSUPPORTED, "instruction 0: legacy packet access (opcode 0x50)"},
    /* Registers. */
    {{MOV_IMM(11, 0)}, -ERROR_INVALID, "instruction 0: destination field is 11; use r0 to r10"},
    {{MOV(0, 11)}, -ERROR_INVALID, "instruction 0: source field is 11; use r0 to r10"},
    {{LOAD(BPF_B, 0, 15, 0)}, -ERROR_INVALID, "instruction 0: source field is 15"},
    {{STORE(BPF_B, 15, 0, 0)}, -ERROR_INVALID, "instruction 0: destination field is 15"},
    {{MOV_IMM(10, 0)}, -ERROR_INVALID, "instruction 0: writes r10"},
    {{LOAD(BPF_B, 10, 1, 0)}, -ERROR_INVALID, "instruction 0: writes r10"},
    {{LOAD_64(10, 0)}, -ERROR_INVALID, "instruction 0: writes r10"},
    {{INSN(0xdc, 10, 0, 0, 16)}, -ERROR_INVALID, "instruction 0: writes r10"},
    {{ATOMIC(BPF_DW, 1, 10, 0, BPF_XCHG)}, -ERROR_INVALID, "instruction 0: writes r10"},
    {{ATOMIC(BPF_DW, 1, 10, 0, BPF_ADD | BPF_FETCH)}, -ERROR_INVALID, "instruction 0: writes r10"},
    /* Fields that must be zero. */
    {{INSN(0xb7, 0, 1, 0, 0)}, -ERROR_INVALID, "instruction 0: source field is 1; use 0"},
    {{INSN(0x95, 1, 0, 0, 0)}, -ERROR_INVALID, "instruction 0: destination field is 1; use 0"},
    {{INSN(0x95, 0, 1, 0, 0)}, -ERROR_INVALID, "instruction 0: source field is 1; use 0"},
    {{INSN(0x95, 0, 0, 1, 0)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0x95, 0, 0, 0, 1)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0x05, 0, 0, 0, 1)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0x06, 0, 0, 1, 0)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0x07, 0, 0, 1, 0)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0x0f, 0, 0, 0, 1)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0x87, 0, 0, 0, 1)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0x1d, 0, 0, 0, 1)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0xb7, 0, 0, 8, 0)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0xd7, 0, 0, 1, 16)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0x85, 0, 0, 1, 5)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0x85, 1, 0, 0, 5)}, -ERROR_INVALID, "instruction 0: destination field is 1; use 0"},
    {{INSN(0x61, 0, 1, 0, 1)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0x63, 1, 0, 0, 1)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{INSN(0x62, 1, 1, 0, 1)}, -ERROR_INVALID, "instruction 0: source field is 1; use 0"},
    /* Variants. */
    {{INSN(0x3f, 0, 0, 2, 0)}, -ERROR_INVALID, "instruction 0: opcode 0x3f has no variant with offset 2"},
    {{INSN(0x94, 0, 0, -1, 1)}, -ERROR_INVALID, "instruction 0: opcode 0x94 has no variant with offset -1"},
    {{INSN(0xbc, 0, 0, 32, 0)}, -ERROR_INVALID, "instruction 0: opcode 0xbc has no variant with offset 32"},
    {{INSN(0xbf, 0, 0, 24, 0)}, -ERROR_INVALID, "instruction 0: opcode 0xbf has no variant with offset 24"},
    {{INSN(0xd4, 0, 0, 0, 8)}, -ERROR_INVALID, "instruction 0: byte swap of 8 bits"},
    {{INSN(0xd7, 0, 0, 0, 0)}, -ERROR_INVALID, "instruction 0: byte swap of 0 bits"},
    {{ATOMIC(BPF_W, 1, 0, 0, 0x10)}, -ERROR_INVALID, "instruction 0: 0x10 is no atomic operation"},
    {{ATOMIC(BPF_W, 1, 0, 0, 0xe0)}, -ERROR_INVALID, "instruction 0: 0xe0 is no atomic operation"},
    {{ATOMIC(BPF_W, 1, 0, 0, -1)}, -ERROR_INVALID, "instruction 0: 0xffffffff is no atomic operation"},
    /* Where control goes. */
    {{JUMP(4)}, -ERROR_INVALID, "instruction 0: target 5 is outside the program of 4 slots"},
    {{JUMP(-2)}, -ERROR_INVALID, "instruction 0: target -1 is outside the program"},
    {{JUMP_IMM(BPF_JEQ, 0, 0, 3)}, -ERROR_INVALID, "instruction 0: target 4 is outside the program"},
    {{INSN(0x06, 0, 0, 0, 0x7fffffff)}, -ERROR_INVALID, "instruction 0: target 2147483648 is outside the program"},
    {{INSN(0x06, 0, 0, 0, 0x80000000)}, -ERROR_INVALID, "instruction 0: target -2147483647 is outside the program"},
    {{CALL(3)}, -ERROR_INVALID, "instruction 0: target 4 is outside the program"},
    {{CALL(-2)}, -ERROR_INVALID, "instruction 0: target -1 is outside the program"},
    {{JUMP(1), LOAD_64(0, 0), EXIT()}, -ERROR_INVALID, "instruction 0: target 2 is the second half"},
    {{CALL(1), LOAD_64(0, 0), EXIT()}, -ERROR_INVALID, "instruction 0: target 2 is the second half"},
    {{MOV_IMM(0, 0), MOV_IMM(0, 0), MOV_IMM(0, 0), MOV_IMM(0, 0)}, -ERROR_INVALID, "instruction 3: control runs off"},
    {{EXIT(), EXIT(), EXIT(), CALL(-4)}, -ERROR_INVALID, "instruction 3: control runs off"},
    {{EXIT(), EXIT(), EXIT(), JUMP_IMM(BPF_JEQ, 0, 0, -1)}, -ERROR_INVALID, "instruction 3: control runs off"},
    {{EXIT(), EXIT(), LOAD_64(0, 0)}, -ERROR_INVALID, "instruction 2: control runs off"},
    /* Calls and immediates. */
    {{INSN(0x8d, 11, 0, 0, 0)}, -ERROR_INVALID, "instruction 0: destination field is 11; use r0 to r10"},
    {{INSN(0x8d, 0, 1, 0, 0)}, -ERROR_INVALID, "instruction 0: source field is 1; use 0"},
    {{INSN(0x8d, 0, 0, 0, 1)}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{CALL_HELPER(4)}, -ERROR_UNSUPPORTED, "instruction 0: helper 4 is not offered"},
    {{CALL_HELPER(-1)}, -ERROR_UNSUPPORTED, "instruction 0: helper 4294967295 is not offered"},
    {{INSN(0x85, 0, 2, 0, 1)}, -ERROR_UNSUPPORTED, "instruction 0: calls by BTF id"},
    {{INSN(0x85, 0, 3, 0, 1)}, -ERROR_INVALID, "instruction 0: 3 is no kind of call"},
    {{EXIT(), EXIT(), EXIT(), INSN(0x18, 0, 0, 0, 0)}, -ERROR_INVALID, "instruction 3: 64-bit immediate without"},
    {{INSN(0x18, 0, 0, 0, 0), EXIT()}, -ERROR_INVALID, "instruction 0: second half of a 64-bit immediate is malformed"},
    {{INSN(0x18, 0, 0, 0, 0), INSN(0, 1, 0, 0, 0)}, -ERROR_INVALID, "instruction 0: second half"},
    {{INSN(0x18, 0, 0, 0, 0), INSN(0, 0, 0, 1, 0)}, -ERROR_INVALID, "instruction 0: second half"},
    {{LOAD_KIND(0, BPF_PSEUDO_MAP, 0, 1), EXIT()}, -ERROR_INVALID, "instruction 0: second half"},
    {{LOAD_KIND(0, BPF_PSEUDO_FUNC, 1, 1), EXIT()}, -ERROR_INVALID, "instruction 0: second half"},
    {{INSN(0x18, 0, 0, 1, 0), INSN(0, 0, 0, 0, 0), EXIT()}, -ERROR_INVALID, "instruction 0: a reserved field"},
    {{LOAD_MAP(0, 2), EXIT()}, -ERROR_INVALID, "instruction 0: map 2 of a program with 2 maps"},
    {{LOAD_MAP(0, -1), EXIT()}, -ERROR_INVALID, "instruction 0: map 4294967295 of a program with 2 maps"},
    {{LOAD_KIND(0, BPF_PSEUDO_MAP_VALUE, 2, 0), EXIT()}, -ERROR_INVALID, "instruction 0: map 2"},
    {{LOAD_KIND(0, BPF_PSEUDO_FUNC, 3, 0), EXIT()}, -ERROR_INVALID, "instruction 0: target 4 is outside"},
    {{LOAD_KIND(0, BPF_PSEUDO_FUNC, 0, 0), EXIT()}, -ERROR_INVALID, "instruction 0: target 1 is the second half"},
    {{LOAD_KIND(0, 3, 0, 0), EXIT()}, -ERROR_UNSUPPORTED, "instruction 0: 64-bit immediate of kind 3"},
    {{LOAD_KIND(0, 6, 0, 0), EXIT()}, -ERROR_UNSUPPORTED, "instruction 0: 64-bit immediate of kind 6"},
};

/* Whatever is malformed is refused with its instruction named. */
static void test_refused(void **state) {
  for (size_t i = 0; i < COUNT(refused); i++) {
    struct report report = {0};
    int error = bpf_check(refused[i].insns, 4, 2, &report);
    if (error != refused[i].error || strstr(text_string(&report.text), refused[i].message) == NULL) {
      fail_msg("row %zu: %d, \"%s\", expected %d, \"%s\"", i, error, text_string(&report.text), refused[i].error,
               refused[i].message);
    }
    assert_int_equal(report.errors, 1);
    report_free(&report);
  }
}

/* Valid forms pass: each ends in exit or in a jump that stays inside. */
static void test_accepted(void **state) {
  static const struct bpf_insn rows[][4] = {
      {EXIT(), EXIT(), EXIT(), EXIT()},
      {MOV(0, 10), STORE(BPF_DW, 10, 10, -8), ATOMIC(BPF_DW, 10, 10, -8, BPF_ADD), EXIT()},
      {LOAD_MAP(0, 1), EXIT(), EXIT()},
      {LOAD_KIND(0, BPF_PSEUDO_MAP_VALUE, 1, 0x7fffffff), EXIT(), EXIT()},
      {LOAD_KIND(0, BPF_PSEUDO_FUNC, 2, 0), EXIT(), EXIT()},
      {LOAD_KIND(0, BPF_PSEUDO_FUNC, -1, 0), EXIT(), EXIT()},
      {EXIT(), CALL(-2), CALL(0), JUMP(-4)},
      {EXIT(), EXIT(), EXIT(), INSN(0x06, 0, 0, 0, -1)},
      {EXIT(), EXIT(), JUMP(0), EXIT()},
      {INSN(0x8d, 9, 0, 0, 0), EXIT(), EXIT(), EXIT()}, /* callx, as clang 19 encodes it */
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    assert_int_equal(bpf_check(rows[i], 4, 2, NULL), 0);
  }
}

/* Limits are exact: 65,536 slots and 64 maps pass, one more does not, nor does nothing. */
static void test_limits(void **state) {
  struct bpf_insn *insns = calloc(BPF_MAX_INSNS + 1, sizeof *insns);
  assert_non_null(insns);
  for (uint32_t i = 0; i <= BPF_MAX_INSNS; i++) {
    insns[i] = (struct bpf_insn)EXIT();
  }
  assert_int_equal(bpf_check(insns, 0, 0, NULL), -ERROR_INVALID);
  assert_int_equal(bpf_check(insns, 1, 0, NULL), 0);
  assert_int_equal(bpf_check(insns, BPF_MAX_INSNS, 0, NULL), 0);
  assert_int_equal(bpf_check(insns, BPF_MAX_INSNS + 1, 0, NULL), -ERROR_TOO_BIG);
  assert_int_equal(bpf_check(insns, 1, BPF_MAX_MAPS, NULL), 0);
  assert_int_equal(bpf_check(insns, 1, BPF_MAX_MAPS + 1, NULL), -ERROR_TOO_BIG);
  free(insns);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_accepted),
      cmocka_unit_test(test_limits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
