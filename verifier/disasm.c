/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tables by operation, one function by class. Encodings: RFC 9669, sections 4 and 5.
 */
#include "verifier/disasm.h"

#include "bpf/proto.h"

static const char *const alu_operators[16] = {
    "+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", NULL, "%=", "^=", "=", "s>>="};
static const char *const jump_operators[16] = {NULL,  "==", ">",  ">=", "&",  "!=", "s>",
                                               "s>=", NULL, NULL, "<",  "<=", "s<", "s<="};

static unsigned operation(struct bpf_insn insn) { return insn.code >> 4; }

/* Bits of a memory access. */
static unsigned width(struct bpf_insn insn) {
  static const uint8_t bits[] = {[BPF_W >> 3] = 32, [BPF_H >> 3] = 16, [BPF_B >> 3] = 8, [BPF_DW >> 3] = 64};
  return bits[BPF_SIZE(insn.code) >> 3];
}

static void add_offset(struct text *out, int value) {
  text_addf(out, " %c %d", value < 0 ? '-' : '+', value < 0 ? -value : value);
}

static void add_address(struct text *out, unsigned reg, int offset) {
  text_addf(out, "(r%u", reg);
  add_offset(out, offset);
  text_add(out, ")");
}

/* The second operand: a register of the given letter, or the immediate. */
static void add_operand(struct text *out, struct bpf_insn insn, char letter) {
  if (BPF_SRC(insn.code) == BPF_X)
    text_addf(out, "%c%u", letter, bpf_src(insn));
  else
    text_addf(out, "%d", insn.imm);
}

static bool add_alu(struct bpf_insn insn, struct text *out) {
  bool wide = BPF_CLASS(insn.code) == BPF_ALU64, from_register = BPF_SRC(insn.code) == BPF_X;
  char r = wide ? 'r' : 'w';
  unsigned dst = bpf_dst(insn);
  switch (BPF_OP(insn.code)) {
    case BPF_NEG:
      text_addf(out, "%c%u = -%c%u", r, dst, r, dst);
      return true;
    case BPF_END:
      text_addf(out, "r%u = %s%d r%u", dst, wide ? "bswap" : from_register ? "be" : "le", insn.imm, dst);
      return true;
    default:
      break;
  }
  const char *operator= alu_operators[operation(insn)];
  if (!operator) return false;
  /* The offset makes a move sign-extend from that many bits, and division and remainder signed. */
  if (insn.off != 0 && BPF_OP(insn.code) == BPF_MOV) {
    text_addf(out, "%c%u = (s%d)%c%u", r, dst, insn.off, r, bpf_src(insn));
    return true;
  }
  text_addf(out, "%c%u %s%s ", r, dst, insn.off != 0 ? "s" : "", operator);
  add_operand(out, insn, r);
  return true;
}

static void add_target(struct text *out, uint32_t index, int32_t distance) {
  text_addf(out, "%+d <%lld>", distance, (long long)index + 1 + distance);
}

static bool add_call(const struct disassembly *code, uint32_t index, struct text *out) {
  struct bpf_insn insn = code->insns[index];
  if (bpf_src(insn) == BPF_PSEUDO_CALL) {
    text_add(out, "call ");
    add_target(out, index, insn.imm);
    return true;
  }
  const struct bpf_proto *proto = bpf_proto_find((uint32_t)insn.imm);
  if (proto)
    text_addf(out, "call %s", proto->name);
  else
    text_addf(out, "call %d", insn.imm);
  return true;
}

static bool add_jump(const struct disassembly *code, uint32_t index, struct text *out) {
  struct bpf_insn insn = code->insns[index];
  bool wide = BPF_CLASS(insn.code) == BPF_JMP;
  char r = wide ? 'r' : 'w';
  switch (BPF_OP(insn.code)) {
    case BPF_JA:
      text_add(out, wide ? "goto " : "gotol ");
      add_target(out, index, wide ? insn.off : insn.imm);
      return true;
    case BPF_CALL:
      return add_call(code, index, out);
    case BPF_EXIT:
      text_add(out, "exit");
      return true;
    default:
      break;
  }
  const char *operator= jump_operators[operation(insn)];
  if (!operator) return false;
  text_addf(out, "if %c%u %s ", r, bpf_dst(insn), operator);
  add_operand(out, insn, r);
  text_add(out, " goto ");
  add_target(out, index, insn.off);
  return true;
}

static bool add_atomic(struct bpf_insn insn, struct text *out) {
  unsigned src = bpf_src(insn), bits = width(insn);
  bool fetch = insn.imm & BPF_FETCH;
  static const struct {
    uint8_t code;
    const char *operator, * name;
  } operations[] = {{BPF_ADD, "+=", "add"}, {BPF_OR, "|=", "or"}, {BPF_AND, "&=", "and"}, {BPF_XOR, "^=", "xor"}};
  if (insn.imm == BPF_XCHG || insn.imm == BPF_CMPXCHG) {
    bool compare = insn.imm == BPF_CMPXCHG;
    text_addf(out, "r%u = %s_%u(r%u", compare ? 0 : src, compare ? "cmpxchg" : "xchg", bits, bpf_dst(insn));
    add_offset(out, insn.off);
    text_addf(out, "%s, r%u)", compare ? ", r0" : "", src);
    return true;
  }
  for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
    if ((insn.imm & ~BPF_FETCH) != operations[i].code) continue;
    if (fetch) {
      text_addf(out, "r%u = atomic_fetch_%s((u%u *)", src, operations[i].name, bits);
      add_address(out, bpf_dst(insn), insn.off);
      text_addf(out, ", r%u)", src);
    } else {
      text_addf(out, "lock *(u%u *)", bits);
      add_address(out, bpf_dst(insn), insn.off);
      text_addf(out, " %s r%u", operations[i].operator, src);
    }
    return true;
  }
  return false;
}

static bool add_memory(struct bpf_insn insn, struct text *out) {
  unsigned bits = width(insn), mode = BPF_MODE(insn.code), class = BPF_CLASS(insn.code);
  if (class == BPF_LDX && (mode == BPF_MEM || mode == BPF_MEMSX)) {
    text_addf(out, "r%u = *(%c%u *)", bpf_dst(insn), mode == BPF_MEM ? 'u' : 's', bits);
    add_address(out, bpf_src(insn), insn.off);
    return true;
  }
  if (class == BPF_STX && mode == BPF_ATOMIC) return add_atomic(insn, out);
  if (class == BPF_LDX || mode != BPF_MEM) return false;
  text_addf(out, "*(u%u *)", bits);
  add_address(out, bpf_dst(insn), insn.off);
  if (class == BPF_ST)
    text_addf(out, " = %d", insn.imm);
  else
    text_addf(out, " = r%u", bpf_src(insn));
  return true;
}

static bool add_wide_immediate(const struct disassembly *code, uint32_t index, struct text *out) {
  struct bpf_insn insn = code->insns[index];
  uint32_t low = (uint32_t)insn.imm, high = (uint32_t)code->insns[index + 1].imm;
  const char *map = low < code->map_count ? code->maps[low].name : "?";
  text_addf(out, "r%u = ", bpf_dst(insn));
  switch (bpf_src(insn)) {
    case BPF_PSEUDO_IMM:
      text_addf(out, "0x%llx ll", (unsigned long long)((uint64_t)high << 32 | low));
      return true;
    case BPF_PSEUDO_MAP:
      text_addf(out, "map %s", map);
      return true;
    case BPF_PSEUDO_MAP_VALUE:
      text_addf(out, "value of %s + %u", map, high);
      return true;
    case BPF_PSEUDO_FUNC:
      text_add(out, "function ");
      add_target(out, index, insn.imm);
      return true;
    default:
      return false;
  }
}

uint32_t disassemble(const struct disassembly *code, uint32_t index, struct text *out) {
  struct bpf_insn insn = code->insns[index];
  size_t before = out->length;
  uint32_t slots = 1;
  bool known = false;
  switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
      if (insn.code != (BPF_LD | BPF_DW | BPF_IMM) || index + 1 >= code->insn_count) break;
      known = add_wide_immediate(code, index, out);
      slots = 2;
      break;
    case BPF_ALU:
    case BPF_ALU64:
      known = add_alu(insn, out);
      break;
    case BPF_JMP:
    case BPF_JMP32:
      known = add_jump(code, index, out);
      break;
    default:
      known = add_memory(insn, out);
      break;
  }
  if (known) return slots;
  out->length = before; /* what a class began */
  if (out->data) out->data[before] = '\0';
  text_addf(out, "unknown: %02x %02x %04x %08x", insn.code, insn.regs, (uint16_t)insn.off, (uint32_t)insn.imm);
  return slots;
}
