/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Calls of helpers, functions and programs.
 */
#include "bpf/helper.h"
#include "bpf/jit_emit.h"

/* --- what native code calls --- */

/* Bytes that an access of `size` may begin in, of `length`. */
static uint64_t room(uint64_t length, uint64_t size) { return length >= size ? length - size + 1 : 0; }

void jit_note_packet(struct bpf_machine *m) {
  for (unsigned i = 0; i < 4; i++) {
    m->native_room[i] = room(m->data_length, (uint64_t)1 << i);
  }
}

/* On success the room is noted, so that the next accesses to the packet, and to this map value, are checked in line. */
uint64_t jit_reach(struct bpf_machine *m, uint64_t address, uint32_t packed) {
  uint32_t at = packed & 0xffff, size = packed >> 16 & 15;
  if (bpf_machine_reach(m, address, size, packed >> 20) == NULL) {
    bpf_machine_fault(m, BPF_FAULT_MEMORY, at, address);
    return 0;
  }
  jit_note_packet(m);
  if (address - m->value >= m->value_length) return 1;
  const unsigned both = BPF_ACCESS_READ | BPF_ACCESS_WRITE;
  m->native_value = m->value;
  for (unsigned i = 0; i < 4; i++) {
    uint64_t bytes = room(m->value_length, (uint64_t)1 << i);
    m->native_value_room[0][i] = m->value_rights & BPF_ACCESS_READ ? bytes : 0;
    m->native_value_room[1][i] = (m->value_rights & both) == both ? bytes : 0;
  }
  return 1;
}

uint64_t jit_call_judged(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5, struct bpf_machine *m) {
  uint32_t id = (uint32_t)m->program->insns[m->native_at].imm;
  const struct bpf_proto *proto = bpf_proto_find(id);
  const uint64_t arguments[5] = {r1, r2, r3, r4, r5};
  if (!bpf_helper_judge(m, proto, arguments)) {
    m->fault = BPF_FAULT_HELPER;
    return 0;
  }
  return bpf_helper_code(id)(r1, r2, r3, r4, r5, m);
}

static const struct bpf_program *tail_call_proven(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                                  struct bpf_machine *m) {
  for (unsigned r = 0; r <= 5; r++) {
    m->reg[r] = 0;
  }
  m->reg[1] = r1;
  return bpf_machine_tail_target(m, bpf_machine_known_map(r2), (uint32_t)r3);
}

const struct bpf_program *jit_tail_call(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                        struct bpf_machine *m) {
  const uint64_t arguments[5] = {r1, r2, r3, r4, r5};
  if (!bpf_helper_judge(m, bpf_proto_find(BPF_HELPER_TAIL_CALL), arguments)) {
    m->fault = BPF_FAULT_HELPER;
    return NULL;
  }
  return tail_call_proven(r1, r2, r3, r4, r5, m);
}

/* --- helpers --- */

static void load_machine(struct jit *j, unsigned to) {
  jit_lea(&j->c, true, to, jit_mem(MACHINE, -MACHINE_BIAS));
  j->uses_machine = true;
}

static void note_slot(struct jit *j, uint32_t at) {
  jit_op(&j->c, 0xc7 | OP_WIDE, 0, jit_field(j, FIELD(native_at)));
  jit_long(&j->c, at);
}

static void stop_after_fault(struct jit *j) {
  jit_alu_imm(&j->c, false, ALU_CMP, jit_field(j, FIELD(fault)), 0);
  jit_jump_if(&j->c, CC_NOT_EQUAL, j->fault_label);
  j->uses_stubs = true;
}

/* r11 is lost in calls, and those who are called may spend from the budget. */
void jit_store_budget(struct jit *j) {
  if (j->counts) jit_op(&j->c, 0x89 | OP_WIDE, BUDGET, jit_field(j, FIELD(budget)));
}
void jit_load_budget(struct jit *j) {
  if (j->counts) jit_op(&j->c, 0x8b | OP_WIDE, BUDGET, jit_field(j, FIELD(budget)));
}

void jit_clear_arguments(struct jit *j, uint32_t at) {
  for (unsigned r = 1; r <= 5; r++) {
    if (jit_live(j, at) & LIVE_LOW(r)) jit_mov_imm(&j->c, jit_native(r), 0);
  }
}

static bool may_fault(uint32_t id) {
  switch (id) {
    case BPF_HELPER_MAP_LOOKUP_ELEM:
    case BPF_HELPER_MAP_UPDATE_ELEM:
    case BPF_HELPER_MAP_DELETE_ELEM:
    case BPF_HELPER_KTIME_GET_NS:
    case BPF_HELPER_KTIME_GET_BOOT_NS:
    case BPF_HELPER_KTIME_GET_COARSE_NS:
    case BPF_HELPER_KTIME_GET_TAI_NS:
    case BPF_HELPER_JIFFIES64:
    case BPF_HELPER_GET_PRANDOM_U32:
    case BPF_HELPER_GET_SMP_PROCESSOR_ID:
    case BPF_HELPER_GET_NUMA_NODE_ID:
      return false;
    default:
      return true;
  }
}

static void emit_helper(struct jit *j, uint32_t at) {
  struct jit_code *c = &j->c;
  uint32_t id = (uint32_t)j->p.insns[at].imm;
  const struct bpf_proto *proto = bpf_proto_find(id);
  bool proven =
      (jit_fact(&j->p, at) & (BPF_FACT_ARGUMENTS | BPF_FACT_KEY)) != 0 || jit_know_arguments(&j->know, &j->s, proto);
  bool checks = !proven || may_fault(id);
  jit_store_budget(j);
  if (checks) note_slot(j, at);
  load_machine(j, R9);
  jit_call_address(c, proven ? (uint64_t)(uintptr_t)bpf_helper_code(id) : (uint64_t)(uintptr_t)jit_call_judged);
  if (checks) stop_after_fault(j);
  if (proto->effects & (BPF_EFFECT_PACKET | BPF_EFFECT_CALLBACK)) {
    jit_mov_imm(c, SCRATCH, 0);
    for (unsigned i = 0; i < 4; i++)
      jit_op(c, 0x89 | OP_WIDE, SCRATCH, jit_field(j, FIELD(native_room[i])));
  }
  jit_load_budget(j);
  jit_clear_arguments(j, at);
}

/* From the program's first function into native code: a jump, as whoever called this program is who the other returns to. Falls through
 * when the target, in rax, is interpreted. */
static void emit_tail_jump(struct jit *j) {
  struct jit_code *c = &j->c;
  uint32_t interpreted = jit_label_new(c);
  jit_op(c, 0x8b | OP_WIDE, RSI, jit_mem(RAX, (int32_t)offsetof(struct bpf_program, code)));
  jit_test(c, true, RSI, RSI);
  jit_jump_if(c, CC_EQUAL, interpreted);
  jit_op(c, 0x89 | OP_WIDE, RAX, jit_field(j, FIELD(program)));
  load_machine(j, RDI);
  jit_emit_leave(j);
  jit_op(c, 0xff, 4, jit_mem(RSI, (int32_t)offsetof(struct bpf_code, run)));
  jit_label_set(c, interpreted);
}

static void emit_tail_call(struct jit *j, uint32_t at) {
  struct jit_code *c = &j->c;
  uint32_t none = jit_label_new(c);
  bool proven = (jit_fact(&j->p, at) & BPF_FACT_ARGUMENTS) != 0;
  jit_store_budget(j);
  note_slot(j, at);
  load_machine(j, R9);
  j->uses_stubs = true; /* before jit_emit_leave */
  jit_call_address(c, proven ? (uint64_t)(uintptr_t)tail_call_proven : (uint64_t)(uintptr_t)jit_tail_call);
  if (!proven) stop_after_fault(j);
  jit_test(c, true, RAX, RAX);
  jit_jump_if(c, CC_EQUAL, none);
  unsigned named = jit_kept_registers(j, 0, j->p.function_count - 1);
  for (unsigned r = 6; r <= 9; r++) {
    /* What the program doesn't name is in the machine as it was when it began. */
    if (named >> r & 1) jit_op(c, 0x89 | OP_WIDE, jit_native(r), jit_field(j, FIELD(reg[r])));
  }
  if (j->function == 0) emit_tail_jump(j);
  load_machine(j, RDI);
  jit_mov(c, true, RSI, RAX);
  jit_call_address(c, (uint64_t)(uintptr_t)bpf_machine_go_on);
  stop_after_fault(j);
  jit_load_budget(j);
  jit_jump(c, j->function == 0 ? j->exit_label : j->function_exit);
  jit_label_set(c, none);
  jit_mov_imm(c, RAX, (uint64_t)-BPF_EINVAL);
  jit_load_budget(j);
  jit_clear_arguments(j, at);
}

/* --- functions of the program --- */

static void check_depth(struct jit *j, uint32_t at) {
  if (jit_fact(&j->p, at) & BPF_FACT_BOUNDED) return;
  jit_alu_imm(&j->c, false, ALU_CMP, jit_field(j, FIELD(depth)), BPF_MAX_FRAMES - 1);
  jit_fault_if(j, CC_ABOVE_EQUAL, BPF_FAULT_FRAMES, at);
}

static void emit_local_call(struct jit *j, uint32_t at) {
  check_depth(j, at);
  uint32_t target = at + 1 + (uint32_t)j->p.insns[at].imm;
  jit_call(&j->c, jit_entry_label(j, j->p.blocks[j->p.block_of[target]].function));
}

static void emit_callx(struct jit *j, uint32_t at) {
  jit_mov(&j->c, true, SCRATCH, jit_native(bpf_dst(j->p.insns[at])));
  jit_mov_imm(&j->c, SCRATCH_2, at);
  j->uses_stubs = j->uses_machine = true;
  jit_call(&j->c, j->function_label);
  check_depth(j, at);
  jit_op(&j->c, 0xff, 2, jit_reg(SCRATCH));
}

uint32_t jit_emit_call(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  jit_charge(j, at);
  if (j->counts) jit_fault_if(j, CC_SIGN, BPF_FAULT_BUDGET, at);
  if (jit_is_callx(insn)) {
    emit_callx(j, at);
  } else if (bpf_src(insn) == BPF_PSEUDO_CALL) {
    emit_local_call(j, at);
  } else if (insn.imm == BPF_HELPER_TAIL_CALL) {
    emit_tail_call(j, at);
  } else {
    uint32_t slots = jit_emit_in_line(j, at);
    if (slots != 0) return slots;
    if (j->delayed == at) jit_mov_imm(&j->c, RDI, (uint64_t)(uintptr_t)&j->p.program->maps[j->s.reg[1].map]);
    emit_helper(j, at);
  }
  return 1;
}

/* --- 64-bit immediates --- */

/* The lookup whose map this load gives it, if nothing else uses the register in between; 0: none. */
static uint32_t lookup_behind(const struct jit *j, uint32_t at) {
  const struct jit_block *block = &j->p.blocks[j->p.block_of[at]];
  if (bpf_dst(j->p.insns[at]) != 1) return 0;
  for (uint32_t i = at + 2; i < block->end; i = jit_behind(&j->p, i)) {
    struct bpf_insn insn = j->p.insns[i];
    if (jit_is_call(insn, BPF_PSEUDO_HELPER)) return insn.imm == BPF_HELPER_MAP_LOOKUP_ELEM ? i : 0;
    if (jit_mentioned(insn) & 2) return 0;
  }
  return 0;
}

void jit_emit_immediate(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at], high = j->p.insns[at + 1];
  const struct bpf_program *program = j->p.program;
  unsigned to = jit_native(bpf_dst(insn));
  uint64_t value;
  switch (bpf_src(insn)) {
    case BPF_PSEUDO_MAP:
      j->delayed = lookup_behind(j, at);
      if (j->delayed != 0) return;
      value = (uint64_t)(uintptr_t)&program->maps[insn.imm];
      break;
    case BPF_PSEUDO_MAP_VALUE:
      value = (uint64_t)(uintptr_t)program->maps[insn.imm]->values + (uint32_t)high.imm;
      break;
    case BPF_PSEUDO_FUNC:
      value = (uint64_t)(uintptr_t)&program->insns[at + 1 + (uint32_t)insn.imm];
      break;
    default:
      value = (uint64_t)(uint32_t)high.imm << 32 | (uint32_t)insn.imm;
      if (!jit_upper_live(j, at, bpf_dst(insn))) value = (uint32_t)value;
      jit_load_constant(j, to, value);
      return;
  }
  jit_mov_imm(&j->c, to, value);
}
