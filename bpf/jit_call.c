/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Calls of helpers and functions; 64-bit immediates, which their arguments often are.
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

/* --- helpers --- */

void jit_load_machine(struct jit *j, unsigned to) {
  jit_lea(&j->c, true, to, jit_mem(MACHINE, -MACHINE_BIAS));
  j->uses_machine = true;
}

void jit_note_slot(struct jit *j, uint32_t at) {
  jit_op(&j->c, 0xc7, 0, jit_field(j, FIELD(native_at)));
  jit_long(&j->c, at);
}

void jit_stop_after_fault(struct jit *j) {
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
  if (checks) jit_note_slot(j, at);
  jit_load_machine(j, R9);
  jit_call_address(c, proven ? (uint64_t)(uintptr_t)bpf_helper_code(id) : (uint64_t)(uintptr_t)jit_call_judged);
  if (checks) jit_stop_after_fault(j);
  if (proto->effects & (BPF_EFFECT_PACKET | BPF_EFFECT_CALLBACK)) {
    jit_mov_imm(c, SCRATCH, 0);
    for (unsigned i = 0; i < 4; i++)
      jit_op(c, 0x89 | OP_WIDE, SCRATCH, jit_field(j, FIELD(native_room[i])));
  }
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
  jit_clear_arguments(j, at);
}

static void emit_callx(struct jit *j, uint32_t at) {
  jit_mov(&j->c, true, SCRATCH, jit_native(bpf_dst(j->p.insns[at])));
  jit_mov_imm(&j->c, SCRATCH_2, at);
  j->uses_stubs = j->uses_machine = true;
  jit_call(&j->c, j->function_label);
  check_depth(j, at);
  jit_op(&j->c, 0xff, 2, jit_reg(SCRATCH));
  jit_clear_arguments(j, at);
}

uint32_t jit_emit_call(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  /* What leaves no trace needs no budget yet: the next jump backwards looks at it. */
  const uint32_t slots = jit_emit_array_lookup(j, at);
  if (slots != 0) return slots;
  jit_charge(j, at);
  if (j->counts) jit_fault_if(j, CC_SIGN, BPF_FAULT_BUDGET, at);
  if (jit_is_callx(insn)) {
    emit_callx(j, at);
  } else if (bpf_src(insn) == BPF_PSEUDO_CALL) {
    emit_local_call(j, at);
  } else if (insn.imm == BPF_HELPER_TAIL_CALL) {
    jit_emit_tail_call(j, at);
  } else {
    if (!jit_emit_in_line(j, at)) emit_helper(j, at);
  }
  return 1;
}

/* --- 64-bit immediates --- */

void jit_emit_immediate(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at], high = j->p.insns[at + 1];
  const struct bpf_program *program = j->p.program;
  unsigned to = jit_native(bpf_dst(insn));
  uint64_t value;
  switch (bpf_src(insn)) {
    case BPF_PSEUDO_MAP:
      if (bpf_dst(insn) == 2 && jit_is_tail_map(j, at)) return;
      value = (uint64_t)(uintptr_t)&program->maps[insn.imm];
      break;
    case BPF_PSEUDO_MAP_VALUE:
      value = (uint64_t)(uintptr_t)program->maps[insn.imm]->values + (uint32_t)high.imm;
      if (value <= INT32_MAX && jit_fold(j, at + 2, bpf_dst(insn), jit_absolute((int32_t)value), 0)) {
        jit_used(j, BPF_JIT_FOLDED_GLOBAL);
        return;
      }
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
