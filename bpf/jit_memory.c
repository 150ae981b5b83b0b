/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loads, stores and atomics (RFC 9669, section 5), and the run-time checks of their addresses: the packet's window in line, everything
 * else through bpf_machine_reach, out of line.
 */
#include "bpf/jit_emit.h"
#include "lib/memory.h"

/* --- checks --- */

struct jit_stub *jit_stub_new(struct jit *j, enum jit_stub_kind kind, uint32_t at) {
  if (j->stub_count == j->stub_capacity) {
    uint32_t capacity = j->stub_capacity * 2 + 64;
    struct jit_stub *grown = memory_resize(j->stubs, capacity * sizeof *grown);
    if (grown == NULL) {
      j->c.failed = true;
      return NULL;
    }
    j->stubs = grown;
    j->stub_capacity = capacity;
  }
  struct jit_stub *stub = &j->stubs[j->stub_count++];
  *stub = (struct jit_stub){.kind = (uint8_t)kind, .at = at, .label = jit_label_new(&j->c)};
  if (kind != STUB_NULL && kind != STUB_SPEND) j->uses_stubs = j->uses_machine = true;
  j->uses_reach = j->uses_reach || kind == STUB_REACH;
  j->uses_group = j->uses_group || kind == STUB_GROUP;
  return stub;
}

void jit_fault_if(struct jit *j, unsigned condition, enum bpf_fault_kind fault, uint32_t at) {
  struct jit_stub *stub = jit_stub_new(j, STUB_FAULT, at);
  if (stub == NULL) return;
  stub->fault = (uint8_t)fault;
  jit_jump_if(&j->c, condition, stub->label);
}

static void load_address(struct jit_code *c, unsigned to, struct jit_rm operand) {
  if (operand.displacement == 0 && operand.index == NO_REGISTER && operand.base != NO_REGISTER) {
    jit_mov(c, true, to, operand.base);
  } else {
    jit_lea(c, true, to, operand);
  }
}

static unsigned log2_of(uint32_t size) { return (unsigned)__builtin_ctz(size); }

/* --- several accesses, one test --- */

/* What the instruction asks of its address; 0: it has none. */
static unsigned access_of(struct bpf_insn insn) {
  switch (BPF_CLASS(insn.code)) {
    case BPF_LDX:
      return BPF_ACCESS_READ | (BPF_MODE(insn.code) == BPF_MEM ? BPF_ACCESS_CONTEXT : 0u);
    case BPF_ST:
      return BPF_ACCESS_WRITE | BPF_ACCESS_CONTEXT;
    case BPF_STX:
      return BPF_ACCESS_WRITE | (BPF_MODE(insn.code) == BPF_MEM ? BPF_ACCESS_CONTEXT : BPF_ACCESS_READ);
    default:
      return 0;
  }
}

static unsigned base_of(struct bpf_insn insn) {
  return BPF_CLASS(insn.code) == BPF_LDX ? bpf_src(insn) : bpf_dst(insn);
}

/* Of the program's own frame, whose contents nobody sees after a fault, and which cannot fault itself. */
static bool in_frame(struct bpf_insn insn) {
  return base_of(insn) == BPF_FRAME_REGISTER && insn.off >= -BPF_STACK_SIZE &&
         insn.off + (int)jit_access_size(insn) <= 0 && BPF_MODE(insn.code) != BPF_ATOMIC;
}

/* Accesses through `base` from `first` on, as far as one test in front may stand for all: nothing between them can be seen when a
 * later one faults, and the base stays. */
struct group {
  uint32_t end; /* slot behind the last */
  unsigned count;
  int32_t low, high; /* bytes from the base */
  bool writes;
};

enum { GROUP_BYTES = 256 };

static struct group find_group(const struct jit *j, uint32_t first, unsigned base) {
  struct group g = {.end = first, .low = INT32_MAX, .high = INT32_MIN};
  uint32_t block_end = j->p.blocks[j->p.block_of[first]].end;
  for (uint32_t at = first; at < block_end; at = jit_behind(&j->p, at)) {
    struct bpf_insn insn = j->p.insns[at];
    unsigned class = BPF_CLASS(insn.code), access = access_of(insn);
    if (class == BPF_JMP || class == BPF_JMP32) break;
    if (access != 0 && base_of(insn) == base) {
      int32_t end = insn.off + (int32_t)jit_access_size(insn);
      int32_t low = insn.off < g.low ? insn.off : g.low, high = end > g.high ? end : g.high;
      if (high - low > GROUP_BYTES) break;
      g = (struct group){at + 1, g.count + 1, low, high, g.writes || (access & BPF_ACCESS_WRITE)};
      if (access & BPF_ACCESS_WRITE) break;
    } else if (access != 0 && !in_frame(insn)) {
      break;
    }
    if (class != BPF_ST && class != BPF_STX && bpf_dst(insn) == base) break;
  }
  return g;
}

uint64_t jit_reach_group(struct bpf_machine *m, uint64_t base, uint32_t packed) {
  const struct bpf_insn *insns = m->program->insns;
  uint32_t first = packed & 0xffff, end = first + (packed >> 16);
  for (uint32_t at = first; at < end; at++) {
    unsigned access = access_of(insns[at]);
    if (insns[at].code == (BPF_LD | BPF_IMM | BPF_DW)) at++;
    if (access == 0 || base_of(insns[at]) != base_of(insns[first])) continue;
    uint32_t rest = at | jit_access_size(insns[at]) << 16 | access << 20;
    if (jit_reach(m, base + (uint64_t)(int64_t)insns[at].off, rest) == 0) return 0;
  }
  return 1;
}

static void emit_group_check(struct jit *j, uint32_t at, unsigned bpf_base, struct group g) {
  const struct jit_rm base = jit_operand(j, at, bpf_base, 0), lowest = jit_operand(j, at, bpf_base, g.low);
  struct jit_code *c = &j->c;
  struct jit_stub *stub = jit_stub_new(j, STUB_GROUP, at);
  if (stub == NULL) return;
  stub->operand = base;
  stub->slots = (uint16_t)(g.end - at);
  stub->back = jit_label_new(c);
  uint32_t stub_label = stub->label, back = stub->back, bytes = (uint32_t)(g.high - g.low);
  bool value = jit_guess_of(j->s.reg[bpf_base]) == GUESS_VALUE;
  const struct jit_rm rooms[4] = {
      value ? FIELD(native_value_room[g.writes][0]) : FIELD(native_room[0]),
      value ? FIELD(native_value_room[g.writes][1]) : FIELD(native_room[1]),
      value ? FIELD(native_value_room[g.writes][2]) : FIELD(native_room[2]),
      value ? FIELD(native_value_room[g.writes][3]) : FIELD(native_room[3]),
  };
  load_address(c, SCRATCH, lowest);
  jit_alu(c, true, ALU_SUB, SCRATCH, value ? FIELD(native_value) : FIELD(data));
  if (bytes <= 8) {
    unsigned room = bytes == 1 ? 0 : bytes == 2 ? 1 : bytes <= 4 ? 2 : 3;
    jit_alu(c, true, ALU_CMP, SCRATCH, rooms[room]);
  } else {
    jit_alu(c, true, ALU_CMP, SCRATCH, rooms[0]);
    jit_jump_if(c, CC_ABOVE_EQUAL, stub_label);
    jit_alu_imm(c, true, ALU_ADD, jit_reg(SCRATCH), (int32_t)bytes - 1);
    jit_alu(c, true, ALU_CMP, SCRATCH, rooms[0]);
  }
  jit_jump_if(c, CC_ABOVE_EQUAL, stub_label);
  jit_label_set(c, back);
  j->group_end[bpf_base] = g.end;
  jit_used(j, BPF_JIT_GROUP);
}

static void emit_check(struct jit *j, uint32_t at, unsigned bpf_base, struct jit_rm operand, uint32_t size,
                       unsigned access) {
  struct jit_code *c = &j->c;
  struct jit_stub *stub = jit_stub_new(j, STUB_REACH, at);
  if (stub == NULL) return;
  stub->operand = operand;
  stub->size = (uint8_t)size;
  stub->access = (uint8_t)access;
  stub->back = jit_label_new(c);
  uint32_t stub_label = stub->label, back = stub->back;
  load_address(c, SCRATCH, operand);
  if (jit_guess_of(j->s.reg[bpf_base]) != GUESS_VALUE) {
    jit_alu(c, true, ALU_SUB, SCRATCH, FIELD(data));
    jit_alu(c, true, ALU_CMP, SCRATCH, FIELD(native_room[log2_of(size)]));
  } else {
    jit_alu(c, true, ALU_SUB, SCRATCH, FIELD(native_value));
    jit_alu(c, true, ALU_CMP, SCRATCH, FIELD(native_value_room[(access & BPF_ACCESS_WRITE) != 0][log2_of(size)]));
  }
  jit_jump_if(c, CC_ABOVE_EQUAL, stub_label);
  jit_label_set(c, back);
}

bool jit_is_safe(const struct jit *j, uint32_t at, unsigned base, unsigned access) {
  struct bpf_insn insn = j->p.insns[at];
  if (jit_fact(&j->p, at) & BPF_FACT_ACCESS) return true;
  return jit_know_access(&j->know, &j->s, base, insn.off, jit_access_size(insn), access);
}

struct jit_rm jit_checked(struct jit *j, uint32_t at, unsigned base, unsigned access) {
  struct bpf_insn insn = j->p.insns[at];
  struct jit_rm operand = jit_operand(j, at, base, insn.off);
  if (jit_is_safe(j, at, base, access)) {
    if (j->s.reg[base].span != 0) jit_used(j, BPF_JIT_RANGE);
    return operand;
  }
  if (at < j->group_end[base]) return operand;
  struct group g = find_group(j, at, base);
  if (g.count > 1) {
    emit_group_check(j, at, base, g);
  } else {
    emit_check(j, at, base, operand, jit_access_size(insn), access);
  }
  return operand;
}

/* --- loads and stores --- */

static void emit_load(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  bool extends = BPF_MODE(insn.code) == BPF_MEMSX;
  unsigned to = jit_native(bpf_dst(insn));
  unsigned access = BPF_ACCESS_READ | (extends ? 0 : BPF_ACCESS_CONTEXT);
  struct jit_rm from = jit_checked(j, at, bpf_src(insn), access);
  bool upper = jit_upper_live(j, at, bpf_dst(insn));
  switch (BPF_SIZE(insn.code)) {
    case BPF_B:
      jit_op(&j->c, OP_0F | (extends ? 0xbe | jit_width(upper) : 0xb6u), to, from);
      break;
    case BPF_H:
      jit_op(&j->c, OP_0F | (extends ? 0xbf | jit_width(upper) : 0xb7u), to, from);
      break;
    case BPF_W:
      jit_op(&j->c, extends && upper ? 0x63 | OP_WIDE : 0x8b, to, from);
      break;
    default:
      jit_op(&j->c, 0x8b | jit_width(upper), to, from);
      break;
  }
}

static const unsigned store_register[] = {[BPF_B >> 3] = 0x88 | OP_BYTE_REG,
                                          [BPF_H >> 3] = 0x89 | OP_HALF,
                                          [BPF_W >> 3] = 0x89,
                                          [BPF_DW >> 3] = 0x89 | OP_WIDE};
static const unsigned store_immediate[] = {
    [BPF_B >> 3] = 0xc6, [BPF_H >> 3] = 0xc7 | OP_HALF, [BPF_W >> 3] = 0xc7, [BPF_DW >> 3] = 0xc7 | OP_WIDE};

static void emit_store(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  unsigned size = BPF_SIZE(insn.code) >> 3;
  struct jit_rm to = jit_checked(j, at, bpf_dst(insn), BPF_ACCESS_WRITE | BPF_ACCESS_CONTEXT);
  if (BPF_CLASS(insn.code) == BPF_STX) {
    if (j->lookup.store == at) {
      j->lookup.is_stored = true;
      j->lookup.is_low = jit_is_low(j, bpf_src(insn));
      j->lookup.highest = jit_know_highest(&j->s, bpf_src(insn));
    }
    jit_op(&j->c, store_register[size], jit_native(bpf_src(insn)), to);
    return;
  }
  if (j->options.blind && !jit_fits8(insn.imm)) {
    jit_load_constant(j, SCRATCH, (uint64_t)(int64_t)insn.imm);
    jit_op(&j->c, store_register[size], SCRATCH, to);
    return;
  }
  jit_op(&j->c, store_immediate[size], 0, to);
  if (BPF_SIZE(insn.code) == BPF_B) {
    jit_byte(&j->c, (uint8_t)insn.imm);
  } else if (BPF_SIZE(insn.code) == BPF_H) {
    jit_byte(&j->c, (uint8_t)insn.imm);
    jit_byte(&j->c, (uint8_t)(insn.imm >> 8));
  } else {
    jit_long(&j->c, (uint32_t)insn.imm);
  }
}

/* --- atomics --- */

static enum jit_alu atomic_operation(int32_t imm) {
  switch (imm & 0xf0) {
    case BPF_OR:
      return ALU_OR;
    case BPF_AND:
      return ALU_AND;
    case BPF_XOR:
      return ALU_XOR;
    default:
      return ALU_ADD;
  }
}

/* Operations that fetch and for which there is no instruction: until nobody came between. */
static void emit_fetch_loop(struct jit *j, uint32_t at, struct jit_rm to, bool wide) {
  struct bpf_insn insn = j->p.insns[at];
  struct jit_code *c = &j->c;
  unsigned from = jit_native(bpf_src(insn));
  uint32_t again = jit_label_new(c);
  jit_mov(c, true, SCRATCH_2, RAX);
  if (to.base == RAX) to.base = SCRATCH_2;
  jit_op(c, 0x8b | jit_width(wide), RAX, to);
  jit_label_set(c, again);
  jit_mov(c, wide, SCRATCH, RAX);
  jit_alu(c, wide, atomic_operation(insn.imm), SCRATCH, jit_reg(from == RAX ? SCRATCH_2 : from));
  jit_op(c, 0xb1 | OP_0F | OP_LOCK | jit_width(wide), SCRATCH, to);
  jit_jump_if(c, CC_NOT_EQUAL, again);
  if (from == RAX) return;
  jit_mov(c, wide, from, RAX);
  jit_mov(c, true, RAX, SCRATCH_2);
}

static void emit_atomic(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  struct jit_code *c = &j->c;
  bool wide = BPF_SIZE(insn.code) == BPF_DW;
  unsigned from = jit_native(bpf_src(insn));
  struct jit_rm to = jit_checked(j, at, bpf_dst(insn), BPF_ACCESS_READ | BPF_ACCESS_WRITE);
  if (!(jit_fact(&j->p, at) & BPF_FACT_ACCESS)) {
    load_address(c, SCRATCH, to);
    jit_test_imm(c, false, SCRATCH, wide ? 7 : 3);
    jit_fault_if(j, CC_NOT_EQUAL, BPF_FAULT_ALIGNMENT, at); /* its stub takes the address from SCRATCH */
  }
  switch (insn.imm) {
    case BPF_XCHG:
      jit_op(c, 0x87 | jit_width(wide), from, to);
      break;
    case BPF_CMPXCHG:
      jit_op(c, 0xb1 | OP_0F | OP_LOCK | jit_width(wide), from, to);
      if (!wide) jit_mov(c, false, RAX, RAX);
      break;
    case BPF_ADD | BPF_FETCH:
      jit_op(c, 0xc1 | OP_0F | OP_LOCK | jit_width(wide), from, to);
      break;
    case BPF_OR | BPF_FETCH:
    case BPF_AND | BPF_FETCH:
    case BPF_XOR | BPF_FETCH:
      emit_fetch_loop(j, at, to, wide);
      break;
    default:
      jit_op(c, (unsigned)atomic_operation(insn.imm) << 3 | 1 | OP_LOCK | jit_width(wide), from, to);
      break;
  }
}

uint32_t jit_emit_memory(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  if (BPF_CLASS(insn.code) == BPF_LDX) {
    emit_load(j, at);
  } else if (BPF_MODE(insn.code) == BPF_ATOMIC) {
    emit_atomic(j, at);
  } else {
    emit_store(j, at);
  }
  return 1;
}
