/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The structural check of a program, one linear pass: each instruction is one of RFC 9669, fields that it doesn't use are
 * zero, and control stays inside. What needs values (memory, frames, helper arguments) the interpreter checks. The same for one
 * instruction, when a program runs that was not checked before.
 */
#include <stdbool.h>

#include "bpf/machine.h"
#include "bpf/proto.h"

/* Which fields an instruction uses; the others must be zero. */
enum {
  USES_DST = 1,      /* reads or writes the destination register */
  WRITES_DST = 2,    /* so it must not be r10 */
  USES_SRC = 4,      /* a register number */
  USES_OFF = 8,      /* any value, or judged further */
  USES_IMM = 16,     /* the same */
  USES_KIND = 32,    /* the source field says which kind of call or immediate; judged further */
  NO_OPCODE = 64,    /* not an instruction of RFC 9669 */
  NOT_OFFERED = 128, /* legacy packet access */
};

static unsigned arithmetic_fields(unsigned code) {
  unsigned operand = BPF_SRC(code) == BPF_X ? USES_SRC : USES_IMM;
  switch (BPF_OP(code)) {
    case BPF_NEG:
      return BPF_SRC(code) == BPF_K ? USES_DST | WRITES_DST : NO_OPCODE;
    case BPF_END:
      if (BPF_CLASS(code) == BPF_ALU64 && BPF_SRC(code) == BPF_X) return NO_OPCODE;
      return USES_DST | WRITES_DST | USES_IMM;
    case BPF_DIV:
    case BPF_MOD:
      return USES_DST | WRITES_DST | USES_OFF | operand;
    case BPF_MOV:
      return USES_DST | WRITES_DST | operand | (BPF_SRC(code) == BPF_X ? USES_OFF : 0);
    case 0xe0:
    case 0xf0:
      return NO_OPCODE;
    default:
      return USES_DST | WRITES_DST | operand;
  }
}

static unsigned jump_fields(unsigned code) {
  switch (BPF_OP(code)) {
    case BPF_JA:
      if (BPF_SRC(code) == BPF_X) return NO_OPCODE;
      return BPF_CLASS(code) == BPF_JMP ? USES_OFF : USES_IMM;
    case BPF_CALL:
      if (code == (BPF_JMP | BPF_CALL | BPF_X)) return USES_DST;
      return code == (BPF_JMP | BPF_CALL) ? USES_KIND | USES_IMM : NO_OPCODE;
    case BPF_EXIT:
      return code == (BPF_JMP | BPF_EXIT) ? 0 : NO_OPCODE;
    case 0xe0:
    case 0xf0:
      return NO_OPCODE;
    default:
      return USES_DST | USES_OFF | (BPF_SRC(code) == BPF_X ? USES_SRC : USES_IMM);
  }
}

static unsigned fields_of(unsigned code) {
  unsigned mode = BPF_MODE(code), size = BPF_SIZE(code);
  switch (BPF_CLASS(code)) {
    case BPF_LD:
      if (code == (BPF_LD | BPF_IMM | BPF_DW)) return USES_DST | WRITES_DST | USES_KIND | USES_IMM;
      return (mode == BPF_ABS || mode == BPF_IND) && size != BPF_DW ? NOT_OFFERED : NO_OPCODE;
    case BPF_LDX:
      if (mode != BPF_MEM && (mode != BPF_MEMSX || size == BPF_DW)) return NO_OPCODE;
      return USES_DST | WRITES_DST | USES_SRC | USES_OFF;
    case BPF_ST:
      return mode == BPF_MEM ? USES_DST | USES_OFF | USES_IMM : NO_OPCODE;
    case BPF_STX:
      if (mode == BPF_ATOMIC && (size == BPF_W || size == BPF_DW)) return USES_DST | USES_SRC | USES_OFF | USES_IMM;
      return mode == BPF_MEM ? USES_DST | USES_SRC | USES_OFF : NO_OPCODE;
    case BPF_JMP:
    case BPF_JMP32:
      return jump_fields(code);
    default:
      return arithmetic_fields(code);
  }
}

struct check {
  const struct bpf_insn *insns;
  uint32_t count, map_count;
  struct report *report;
};

static uint32_t slots_of(struct bpf_insn insn) { return insn.code == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1; }

/* Whether control never goes on behind it. */
static bool ends_line(struct bpf_insn insn) {
  return insn.code == (BPF_JMP | BPF_EXIT) || insn.code == (BPF_JMP | BPF_JA) || insn.code == (BPF_JMP32 | BPF_JA);
}

/* Whether it is a jump or a local call, and how far it goes. */
static bool has_target(struct bpf_insn insn, int64_t *distance) {
  const unsigned class = BPF_CLASS(insn.code), op = BPF_OP(insn.code);
  if (class != BPF_JMP && class != BPF_JMP32) return false;
  if (op == BPF_EXIT || (op == BPF_CALL && (BPF_SRC(insn.code) == BPF_X || bpf_src(insn) != BPF_PSEUDO_CALL)))
    return false;
  *distance = op == BPF_CALL || insn.code == (BPF_JMP32 | BPF_JA) ? insn.imm : insn.off;
  return true;
}

/* The second slot of a 64-bit immediate has opcode 0, and nothing else that passes the check has. */
static bool is_target(const struct check *c, int64_t target) {
  return target >= 0 && target < c->count && c->insns[target].code != 0;
}

static int check_target(const struct check *c, uint32_t at, int64_t distance) {
  int64_t target = (int64_t)at + 1 + distance;
  if (is_target(c, target)) return 0;
  if (target < 0 || target >= c->count) {
    return report_error(c->report, ERROR_INVALID, "instruction %u: target %lld is outside the program of %u slots", at,
                        (long long)target, c->count);
  }
  return report_error(c->report, ERROR_INVALID, "instruction %u: target %lld is the second half of a 64-bit immediate",
                      at, (long long)target);
}

static int check_registers(const struct check *c, uint32_t at, unsigned fields) {
  struct bpf_insn insn = c->insns[at];
  if (bpf_dst(insn) >= ((fields & USES_DST) ? BPF_REGISTERS : 1)) {
    return report_error(c->report, ERROR_INVALID, "instruction %u: destination field is %u; use %s", at, bpf_dst(insn),
                        fields & USES_DST ? "r0 to r10" : "0, it has no destination");
  }
  if (!(fields & USES_KIND) && bpf_src(insn) >= ((fields & USES_SRC) ? BPF_REGISTERS : 1)) {
    return report_error(c->report, ERROR_INVALID, "instruction %u: source field is %u; use %s", at, bpf_src(insn),
                        fields & USES_SRC ? "r0 to r10" : "0, it has no source register");
  }
  if ((fields & WRITES_DST) && bpf_dst(insn) == BPF_FRAME_REGISTER) {
    return report_error(c->report, ERROR_INVALID, "instruction %u: writes r10, the read-only frame pointer", at);
  }
  return 0;
}

static int check_arithmetic(const struct check *c, uint32_t at) {
  struct bpf_insn insn = c->insns[at];
  int off = insn.off;
  bool good = true;
  switch (BPF_OP(insn.code)) {
    case BPF_DIV:
    case BPF_MOD:
      good = off == 0 || off == 1;
      break;
    case BPF_MOV:
      good = off == 0 || off == 8 || off == 16 || (off == 32 && BPF_CLASS(insn.code) == BPF_ALU64);
      break;
    case BPF_END:
      if (insn.imm == 16 || insn.imm == 32 || insn.imm == 64) break;
      return report_error(c->report, ERROR_INVALID, "instruction %u: byte swap of %d bits; use 16, 32 or 64", at,
                          (int)insn.imm);
    default:
      break;
  }
  if (good) return 0;
  return report_error(c->report, ERROR_INVALID, "instruction %u: opcode 0x%02x has no variant with offset %d", at,
                      (unsigned)insn.code, off);
}

static int check_atomic(const struct check *c, uint32_t at) {
  struct bpf_insn insn = c->insns[at];
  switch (insn.imm) {
    case BPF_ADD:
    case BPF_ADD | BPF_FETCH:
    case BPF_OR:
    case BPF_OR | BPF_FETCH:
    case BPF_AND:
    case BPF_AND | BPF_FETCH:
    case BPF_XOR:
    case BPF_XOR | BPF_FETCH:
    case BPF_XCHG:
    case BPF_CMPXCHG:
      break;
    default:
      return report_error(c->report, ERROR_INVALID, "instruction %u: 0x%x is no atomic operation of RFC 9669", at,
                          (unsigned)insn.imm);
  }
  if ((insn.imm & BPF_FETCH) && insn.imm != BPF_CMPXCHG && bpf_src(insn) == BPF_FRAME_REGISTER) {
    return report_error(c->report, ERROR_INVALID, "instruction %u: writes r10, the read-only frame pointer", at);
  }
  return 0;
}

static int check_jump(const struct check *c, uint32_t at) {
  struct bpf_insn insn = c->insns[at];
  int64_t distance;
  if (has_target(insn, &distance)) return check_target(c, at, distance);
  if (insn.code != (BPF_JMP | BPF_CALL)) return 0;
  switch (bpf_src(insn)) {
    case BPF_PSEUDO_HELPER:
      if (bpf_proto_find((uint32_t)insn.imm) != NULL) return 0;
      return report_error(c->report, ERROR_UNSUPPORTED, "instruction %u: helper %u is not offered", at,
                          (unsigned)insn.imm);
    case BPF_PSEUDO_BTF_CALL:
      return report_error(c->report, ERROR_UNSUPPORTED, "instruction %u: calls by BTF id are not offered; use a helper",
                          at);
    default:
      return report_error(c->report, ERROR_INVALID, "instruction %u: %u is no kind of call", at, bpf_src(insn));
  }
}

static int check_immediate(const struct check *c, uint32_t at) {
  struct bpf_insn insn = c->insns[at];
  unsigned kind = bpf_src(insn);
  if (at + 1 == c->count) {
    return report_error(c->report, ERROR_INVALID, "instruction %u: 64-bit immediate without its second half", at);
  }
  struct bpf_insn high = c->insns[at + 1];
  if (high.code != 0 || high.regs != 0 || high.off != 0) {
    return report_error(c->report, ERROR_INVALID, "instruction %u: second half of a 64-bit immediate is malformed", at);
  }
  switch (kind) {
    case BPF_PSEUDO_IMM:
      return 0;
    case BPF_PSEUDO_MAP:
    case BPF_PSEUDO_MAP_VALUE:
      if ((uint32_t)insn.imm >= c->map_count) {
        return report_error(c->report, ERROR_INVALID, "instruction %u: map %u of a program with %u maps", at,
                            (unsigned)insn.imm, c->map_count);
      }
      break;
    case BPF_PSEUDO_FUNC: {
      int error = check_target(c, at, insn.imm);
      if (error != 0) return error;
      break;
    }
    default:
      return report_error(c->report, ERROR_UNSUPPORTED, "instruction %u: 64-bit immediate of kind %u is not offered",
                          at, kind);
  }
  if (kind == BPF_PSEUDO_MAP_VALUE || high.imm == 0) return 0;
  return report_error(c->report, ERROR_INVALID, "instruction %u: second half of a 64-bit immediate is malformed", at);
}

/* `at` is not the second slot of an immediate. */
static int check_instruction(const struct check *c, uint32_t at) {
  struct bpf_insn insn = c->insns[at];
  unsigned fields = fields_of(insn.code);
  if (fields & NO_OPCODE) {
    return report_error(c->report, ERROR_INVALID, "instruction %u: opcode 0x%02x is not in RFC 9669", at,
                        (unsigned)insn.code);
  }
  if (fields & NOT_OFFERED) {
    return report_error(c->report, ERROR_UNSUPPORTED,
                        "instruction %u: legacy packet access (opcode 0x%02x) is not offered; use data and data_end",
                        at, (unsigned)insn.code);
  }
  int error = check_registers(c, at, fields);
  if (error != 0) return error;
  if ((!(fields & USES_OFF) && insn.off != 0) || (!(fields & USES_IMM) && insn.imm != 0)) {
    return report_error(c->report, ERROR_INVALID, "instruction %u: a reserved field of opcode 0x%02x is not 0", at,
                        (unsigned)insn.code);
  }
  switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
      return check_immediate(c, at);
    case BPF_STX:
      return BPF_MODE(insn.code) == BPF_ATOMIC ? check_atomic(c, at) : 0;
    case BPF_ALU:
    case BPF_ALU64:
      return check_arithmetic(c, at);
    case BPF_JMP:
    case BPF_JMP32:
      return check_jump(c, at);
    default:
      return 0;
  }
}

int bpf_check(const struct bpf_insn *insns, uint32_t count, uint32_t map_count, struct report *report) {
  const struct check c = {insns, count, map_count, report};
  if (count == 0) return report_error(report, ERROR_INVALID, "program has no instructions");
  if (count > BPF_MAX_INSNS) {
    return report_error(report, ERROR_TOO_BIG, "program has %u slots; at most %u are allowed", count,
                        (unsigned)BPF_MAX_INSNS);
  }
  if (map_count > BPF_MAX_MAPS) {
    return report_error(report, ERROR_TOO_BIG, "program has %u maps; at most %u are allowed", map_count,
                        (unsigned)BPF_MAX_MAPS);
  }
  uint32_t last = 0;
  for (uint32_t at = 0; at < count; at += slots_of(insns[at])) {
    int error = check_instruction(&c, at);
    if (error != 0) return error;
    last = at;
  }
  if (ends_line(insns[last])) return 0;
  return report_error(report, ERROR_INVALID, "instruction %u: control runs off the end; end with exit", last);
}

enum bpf_fault_kind bpf_check_slot(const struct bpf_program *program, uint32_t at) {
  const struct check c = {program->insns, program->insn_count, program->map_count, NULL};
  const struct bpf_insn insn = program->insns[at];
  const bool calls_helper = insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == BPF_PSEUDO_HELPER;
  int64_t distance;
  if (!calls_helper && check_instruction(&c, at) != 0) {
    return has_target(insn, &distance) && !is_target(&c, at + 1 + distance) ? BPF_FAULT_JUMP : BPF_FAULT_INSTRUCTION;
  }
  return ends_line(insn) || at + slots_of(insn) < c.count ? BPF_FAULT_NONE : BPF_FAULT_JUMP;
}
