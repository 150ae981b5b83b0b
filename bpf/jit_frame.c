/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Entry and exit of programs and functions, what ends a program that faults, and the code out of line.
 *
 * Every function keeps those of r6 to r9 that it names; the first one keeps for the host whatever any of them names, so that a fault in the
 * depth can return from there. Frames are 16-byte aligned wherever something is called.
 */
#include "bpf/jit_emit.h"

/* --- frames --- */

static void zero_frame(struct jit *j, const struct jit_function *f, uint32_t function) {
  struct jit_code *c = &j->c;
  int32_t from = f->frame_low;
  if (from == 0 || (jit_fact(&j->p, j->p.functions[function].first) & BPF_FACT_FRAME)) return;
  from = -(int32_t)align_up((uint64_t)-from, 8);
  if (from % 16 != 0) {
    jit_op(c, 0xc7 | OP_WIDE, 0, jit_mem(RBP, from));
    jit_long(c, 0);
    from += 8;
  }
  if (from == 0) return;
  jit_op(c, 0x57 | OP_0F, 0, jit_reg(0)); /* xorps xmm0, xmm0 */
  for (; from < 0; from += 16) {
    jit_op(c, 0x11 | OP_0F, 0, jit_mem(RBP, from)); /* movups */
  }
}

static bool uses_frames(const struct jit *j) {
  if (j->keeps_frames && j->p.calls_local) return true;
  for (uint32_t i = 0; i < j->p.function_count; i++) {
    const struct jit_function *f = &j->p.functions[i];
    if ((f->mentions >> BPF_FRAME_REGISTER & 1) || f->frame_low != 0) return true;
  }
  return false;
}

unsigned jit_kept_registers(const struct jit *j, uint32_t first, uint32_t last) {
  unsigned set = 0;
  for (uint32_t i = first; i <= last; i++) {
    set |= j->p.functions[i].mentions & 0x3c0u;
  }
  return set;
}

static void push_set(struct jit_code *c, unsigned set) {
  for (unsigned r = 6; r <= 9; r++) {
    if (set >> r & 1) jit_push(c, jit_native(r));
  }
}

static void pop_set(struct jit_code *c, unsigned set) {
  for (unsigned r = 9; r >= 6; r--) {
    if (set >> r & 1) jit_pop(c, jit_native(r));
  }
}

static unsigned count_set(unsigned set) {
  unsigned count = 0;
  for (; set != 0; set &= set - 1)
    count++;
  return count;
}

/* Whether so many pushes behind the return address leave the stack unaligned. */
static bool needs_filler(unsigned set) { return count_set(set) % 2 == 0; }

/* --- functions but the first --- */

static void move_frame(struct jit *j, bool down) {
  struct jit_code *c = &j->c;
  enum jit_alu towards = down ? ALU_SUB : ALU_ADD, away = down ? ALU_ADD : ALU_SUB;
  if (uses_frames(j)) jit_alu_imm(c, true, towards, jit_reg(RBP), BPF_STACK_SIZE);
  if (!j->keeps_frames) return;
  jit_alu_imm(c, true, towards, jit_field(j, FIELD(stack)), BPF_STACK_SIZE);
  jit_alu_imm(c, true, away, jit_field(j, FIELD(stack_length)), BPF_STACK_SIZE);
  jit_alu_imm(c, false, away, jit_field(j, FIELD(depth)), 1);
}

void jit_emit_function_entry(struct jit *j) {
  struct jit_code *c = &j->c;
  if (j->function == 0) return;
  unsigned set = jit_kept_registers(j, j->function, j->function);
  j->function_exit = jit_label_new(c);
  jit_align(c, 15);
  jit_label_set(c, jit_entry_label(j, j->function));
  push_set(c, set);
  if (needs_filler(set)) jit_push(c, RAX);
  move_frame(j, true);
  zero_frame(j, &j->p.functions[j->function], j->function);
}

void jit_emit_function_end(struct jit *j) {
  struct jit_code *c = &j->c;
  if (j->function == 0) return;
  unsigned set = jit_kept_registers(j, j->function, j->function);
  jit_label_set(c, j->function_exit);
  move_frame(j, false);
  if (needs_filler(set)) jit_pop(c, SCRATCH);
  pop_set(c, set);
  jit_ret(c);
}

void jit_emit_exit(struct jit *j, uint32_t at) {
  jit_charge(j, at);
  if (j->counts) jit_fault_if(j, CC_SIGN, BPF_FAULT_BUDGET, at);
  bool last = at + 1 == j->p.functions[j->function].end;
  if (j->function != 0) {
    if (!last) jit_jump(&j->c, j->function_exit);
  } else if (!last || j->p.function_count > 1) {
    jit_jump(&j->c, j->exit_label);
  }
}

/* --- the program --- */

/* What the first function keeps for the host. */
struct kept {
  unsigned set; /* of r6 to r9 */
  bool rbp, r12, native_stack, filler;
};

static struct kept kept_by_program(const struct jit *j) {
  struct kept k = {.set = jit_kept_registers(j, 0, j->p.function_count - 1)};
  k.rbp = uses_frames(j);
  k.r12 = j->uses_machine;
  k.native_stack = j->uses_stubs && j->p.calls_local;
  unsigned pushes = count_set(k.set) + k.rbp + k.r12 + k.native_stack;
  bool calls = j->p.calls_local;
  for (uint32_t i = 0; i < j->p.function_count; i++) {
    calls = calls || j->p.functions[i].calls;
  }
  k.filler = calls && pushes % 2 == 0;
  return k;
}

/* rdi: the machine. */
static void emit_save(struct jit *j, struct kept k) {
  struct jit_code *c = &j->c;
  push_set(c, k.set);
  if (k.rbp) jit_push(c, RBP);
  if (k.r12) {
    jit_push(c, R12);
    jit_lea(c, true, MACHINE, jit_mem(RDI, MACHINE_BIAS));
  }
  if (k.native_stack) jit_op(c, 0xff, 6, FIELD(native_stack)); /* push */
  if (k.filler) jit_push(c, RAX);
  if (k.native_stack) jit_op(c, 0x89 | OP_WIDE, RSP, FIELD(native_stack));
}

static void emit_restore(struct jit *j, struct kept k) {
  struct jit_code *c = &j->c;
  if (k.filler) jit_pop(c, SCRATCH);
  if (k.native_stack) jit_op(c, 0x8f, 0, FIELD(native_stack)); /* pop */
  if (k.r12) jit_pop(c, R12);
  if (k.rbp) jit_pop(c, RBP);
  pop_set(c, k.set);
}

void jit_emit_leave(struct jit *j) { emit_restore(j, kept_by_program(j)); }

static void load_register(struct jit_code *c, unsigned r) {
  jit_op(c, 0x8b | OP_WIDE, jit_native(r), jit_mem(RDI, (int32_t)(offsetof(struct bpf_machine, reg) + 8 * r)));
}

/* In front of the first function. r1 comes last: its register holds the machine until then. */
static void emit_entry(struct jit *j, struct kept k) {
  struct jit_code *c = &j->c;
  /* Of r6 to r9 what nobody names stays in the machine, for programs further on. */
  uint32_t live = j->p.blocks[0].live_in & (0x3fu | k.set);
  /* Native code that goes on here has the budget in its register. */
  if (j->counts) {
    jit_op(c, 0x8b | OP_WIDE, BUDGET, jit_mem(RDI, (int32_t)offsetof(struct bpf_machine, budget)));
  }
  c->labels[j->start_label] = (struct jit_label){.at = c->length};
  emit_save(j, k);
  if (k.rbp) load_register(c, BPF_FRAME_REGISTER);
  zero_frame(j, &j->p.functions[0], 0);
  for (unsigned r = 0; r <= 9; r++) {
    if (r != 1 && (live & LIVE_LOW(r))) load_register(c, r);
  }
  if (live & LIVE_LOW(1)) load_register(c, 1);
}

void jit_emit_ends(struct jit *j) {
  struct jit_code *c = &j->c;
  struct kept k = kept_by_program(j);
  jit_label_set(c, j->exit_label);
  if (j->counts) jit_op(c, 0x89 | OP_WIDE, BUDGET, jit_field(j, FIELD(budget)));
  emit_restore(j, k);
  jit_ret(c);
  if (j->p.callbacks) {
    /* enter(machine, code): r1 to r4 from the machine, the others 0. Leaves as the program does. */
    jit_label_set(c, j->enter_label);
    emit_save(j, k);
    jit_mov(c, true, SCRATCH_2, RSI);
    if (k.rbp) {
      jit_op(c, 0x8b | OP_WIDE, RBP, FIELD(stack));
      jit_alu_imm(c, true, ALU_ADD, jit_reg(RBP), BPF_STACK_SIZE);
    }
    if (j->counts) jit_op(c, 0x8b | OP_WIDE, BUDGET, FIELD(budget));
    for (unsigned r = 2; r <= 4; r++)
      load_register(c, r);
    load_register(c, 1);
    /* Of r6 to r9 those that nobody names are the host's, and were not saved. */
    for (unsigned r = 5; r <= 9; r++)
      if (r == 5 || (k.set >> r & 1)) jit_mov_imm(c, jit_native(r), 0);
    jit_mov_imm(c, RAX, 0);
    jit_op(c, 0xff, 2, jit_reg(SCRATCH_2));
    jit_jump(c, j->exit_label);
  }
  /* The entry is written behind everything and moved to the room in front. */
  uint32_t end = c->length;
  emit_entry(j, k);
  uint32_t length = c->length - end;
  c->start = JIT_ENTRY_ROOM - length;
  c->labels[j->start_label].at -= end - c->start;
  memcpy(c->bytes + c->start, c->bytes + end, length);
  c->length = end;
}

/* --- code out of line --- */

static const uint8_t caller_saved[] = {RAX, RDI, RSI, RDX, RCX, R8, R11};
enum { CALLER_SAVED = sizeof caller_saved };

static void emit_callout(struct jit *j, uint32_t label, jit_callout *function) {
  struct jit_code *c = &j->c;
  uint32_t failed = jit_label_new(c);
  jit_label_set(c, label);
  for (unsigned i = 0; i < CALLER_SAVED; i++)
    jit_push(c, caller_saved[i]);
  jit_mov(c, true, RAX, RSP);
  jit_alu_imm(c, true, ALU_AND, jit_reg(RSP), -16);
  jit_push(c, RAX);
  jit_push(c, RAX);
  jit_lea(c, true, RDI, jit_mem(MACHINE, -MACHINE_BIAS));
  jit_mov(c, true, RSI, SCRATCH);
  jit_mov(c, false, RDX, SCRATCH_2);
  jit_call_address(c, (uint64_t)(uintptr_t)function);
  jit_pop(c, RSP);
  jit_mov(c, true, SCRATCH, RAX);
  for (unsigned i = CALLER_SAVED; i-- > 0;)
    jit_pop(c, caller_saved[i]);
  jit_test(c, true, SCRATCH, SCRATCH);
  jit_jump_if(c, CC_EQUAL, failed);
  jit_ret(c);
  jit_label_set(c, failed);
  jit_pop(c, SCRATCH); /* the return address */
  jit_jump(c, j->fault_label);
}

static void emit_fault_end(struct jit *j) {
  struct jit_code *c = &j->c;
  jit_label_set(c, j->fault_at_label);
  jit_op(c, 0xb6 | OP_0F | OP_BYTE_RM, RAX, jit_reg(SCRATCH_2)); /* movzx */
  jit_op(c, 0x89, RAX, FIELD(fault));
  jit_shift_imm(c, false, SHIFT_SHR, SCRATCH_2, 8);
  jit_op(c, 0x89, SCRATCH_2, FIELD(native_at));
  jit_label_set(c, j->fault_label);
  if (j->p.calls_local) jit_op(c, 0x8b | OP_WIDE, RSP, FIELD(native_stack));
  jit_mov_imm(c, RAX, 0);
  jit_jump(c, j->exit_label);
}

static void emit_stub(struct jit *j, const struct jit_stub *stub) {
  struct jit_code *c = &j->c;
  jit_label_set(c, stub->label);
  if (stub->kind == STUB_NULL) {
    jit_mov_imm(c, RAX, 0);
    jit_jump(c, stub->back);
    return;
  }
  if (stub->kind == STUB_SPEND) {
    jit_alu_imm(c, true, ALU_SUB, jit_reg(BUDGET), stub->slots);
    jit_jump(c, stub->back);
    return;
  }
  if (stub->kind == STUB_REACH) {
    jit_lea(c, true, SCRATCH, stub->operand);
    jit_mov_imm(c, SCRATCH_2, jit_pack(stub->at, stub->size, stub->access));
    jit_call(c, j->reach_label);
    jit_jump(c, stub->back);
    return;
  }
  if (stub->kind == STUB_GROUP) {
    jit_lea(c, true, SCRATCH, stub->operand);
    jit_mov_imm(c, SCRATCH_2, stub->at | (uint32_t)stub->slots << 16);
    jit_call(c, j->group_label);
    jit_jump(c, stub->back);
    return;
  }
  if (stub->fault == BPF_FAULT_ALIGNMENT) jit_op(c, 0x89 | OP_WIDE, SCRATCH, FIELD(fault_address));
  jit_mov_imm(c, SCRATCH_2, jit_pack_fault(stub->at, (enum bpf_fault_kind)stub->fault));
  jit_jump(c, j->fault_at_label);
}

/* What entries by tail calls have besides: values that were looked at before are another program's. */
static void emit_go_on(struct jit *j) {
  struct jit_code *c = &j->c;
  jit_label_set(c, j->go_on_label);
  jit_op(c, 0x57 | OP_0F, 0, jit_reg(0)); /* xorps xmm0, xmm0 */
  for (uint32_t i = 0; i < sizeof((struct bpf_machine *)0)->native_value_room; i += 16) {
    jit_op(c, 0x11 | OP_0F, 0, jit_mem(RDI, (int32_t)(offsetof(struct bpf_machine, native_value_room) + i)));
  }
  jit_jump(c, j->start_label);
}

void jit_emit_stubs(struct jit *j) {
  for (uint32_t i = 0; i < j->stub_count && jit_code_reserve(&j->c); i++) {
    emit_stub(j, &j->stubs[i]);
  }
  if (!jit_code_reserve(&j->c) || !j->uses_stubs) return;
  jit_emit_interpreted(j);
  if (j->uses_reach) emit_callout(j, j->reach_label, jit_reach);
  if (j->uses_group) emit_callout(j, j->group_label, jit_reach_group);
  if (j->p.calls_values) emit_callout(j, j->function_label, jit_find_function);
  if (jit_looks_at_memory(j)) emit_go_on(j);
  emit_fault_end(j);
}
