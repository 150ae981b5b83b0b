/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tail calls. Where the map is known and the arguments are good, the target is looked up in line; native code is entered by a jump,
 * behind the exit of the program that calls, so that whoever called this one is who the other returns to.
 */
#include "bpf/helper.h"
#include "bpf/jit_emit.h"

/* --- the search in C --- */

static const struct bpf_program *search_proven(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                               struct bpf_machine *m) {
  for (unsigned r = 0; r <= 5; r++) {
    m->reg[r] = 0;
  }
  m->reg[1] = r1;
  return bpf_machine_tail_target(m, bpf_machine_known_map(r2), (uint32_t)r3);
}

static const struct bpf_program *search_judged(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                               struct bpf_machine *m) {
  const uint64_t arguments[5] = {r1, r2, r3, r4, r5};
  if (!bpf_helper_judge(m, bpf_proto_find(BPF_HELPER_TAIL_CALL), arguments)) {
    m->fault = BPF_FAULT_HELPER;
    return NULL;
  }
  return search_proven(r1, r2, r3, r4, r5, m);
}

static void emit_search(struct jit *j, uint32_t at, bool proven, uint32_t none) {
  struct jit_code *c = &j->c;
  jit_used(j, BPF_JIT_TAIL_CALLED);
  if (!proven) jit_note_slot(j, at);
  jit_load_machine(j, R9);
  j->uses_stubs = true; /* before jit_emit_leave */
  jit_call_address(c, proven ? (uint64_t)(uintptr_t)search_proven : (uint64_t)(uintptr_t)search_judged);
  if (!proven) jit_stop_after_fault(j);
  jit_test(c, true, RAX, RAX);
  jit_jump_if(c, CC_EQUAL, none);
}

/* --- the search in line --- */

/* Whether r3 is a constant at the call. */
static bool find_index(const struct jit *j, uint32_t call, uint32_t *index) {
  uint32_t at = jit_definition(&j->p, call, 3);
  if (at == JIT_NO_SLOT) return false;
  struct bpf_insn insn = j->p.insns[at];
  *index = (uint32_t)insn.imm;
  return insn.code == (BPF_ALU | BPF_MOV | BPF_K) || insn.code == (BPF_ALU64 | BPF_MOV | BPF_K);
}

static bool is_in_line(const struct jit *j) { return j->function == 0 && !j->options.memory; }

/* Of the map's load into r2 at `at`: the search needs neither that nor a constant in r3, if it is in line. */
bool jit_is_tail_map(struct jit *j, uint32_t at) {
  const uint32_t end = j->p.blocks[j->p.block_of[at]].end;
  uint32_t call = at + 2, index;
  bool context = j->s.reg[1].kind == KNOW_CONTEXT && j->s.reg[1].offset == 0;
  if (!is_in_line(j)) return false;
  for (; call < end && !jit_is_call(j->p.insns[call], BPF_PSEUDO_HELPER); call = jit_behind(&j->p, call)) {
    if (jit_mentioned(j->p.insns[call]) & 4 || jit_ends_line(j->p.insns[call])) return false;
    if (jit_written(j->p.insns[call]) & 2) context = false;
  }
  if (call >= end || j->p.insns[call].imm != BPF_HELPER_TAIL_CALL) return false;
  if (!context && !(jit_fact(&j->p, call) & BPF_FACT_ARGUMENTS)) return false;
  const struct bpf_map *map = j->p.program->maps[j->p.insns[at].imm];
  if (map->def.type != BPF_MAP_TYPE_PROG_ARRAY) return false;
  uint32_t number = jit_definition(&j->p, call, 3);
  if (number > at && find_index(j, call, &index)) j->p.flags[number] |= SLOT_SKIPPED;
  j->tail = call;
  j->tail_map = map;
  return true;
}

/* rax = the program in that cell of the map. */
static void load_program(struct jit *j, const struct bpf_map *map, const uint32_t *index, uint32_t none) {
  struct jit_code *c = &j->c;
  const uint64_t cells = (uint64_t)(uintptr_t)map->slots;
  const bool near = cells + (uint64_t)map->slot_count * map->stride <= INT32_MAX;
  if (index != NULL && *index >= map->def.max_entries) {
    jit_mov_imm(c, RAX, 0);
  } else if (index != NULL && near) {
    jit_op(c, 0x8b | OP_WIDE, RAX, jit_absolute((int32_t)(cells + (uint64_t)*index * map->stride)));
  } else if (index != NULL) {
    jit_mov_imm(c, RAX, cells + (uint64_t)*index * map->stride);
    jit_op(c, 0x8b | OP_WIDE, RAX, jit_mem(RAX, 0));
  } else {
    jit_alu_imm(c, false, ALU_CMP, jit_reg(RDX), (int32_t)map->def.max_entries);
    jit_jump_if(c, CC_ABOVE_EQUAL, none);
    if (!jit_is_low(j, 3)) jit_mov(c, false, RDX, RDX);
    if (near) {
      jit_op(c, 0x8b | OP_WIDE, RAX, jit_scaled(RDX, 3, (int32_t)cells));
    } else {
      jit_mov_imm(c, RAX, cells);
      jit_op(c, 0x8b | OP_WIDE, RAX, jit_indexed(RAX, RDX, 3, 0));
    }
  }
}

/* As bpf_machine_tail_target and bpf_map_program. In the first function r0 to r5 are in the machine as the target finds them, unless the
 * program runs on memory: r1 is the context, as it was for this program, and the others are 0. */
static void emit_search_in_line(struct jit *j, uint32_t at, const struct bpf_map *map, uint32_t none) {
  struct jit_code *c = &j->c;
  uint32_t index;
  bool constant = find_index(j, at, &index);
  jit_used(j, constant ? BPF_JIT_TAIL_CONSTANT : BPF_JIT_TAIL_IN_LINE);
  load_program(j, map, constant ? &index : NULL, none);
  jit_test(c, true, RAX, RAX);
  jit_jump_if(c, CC_EQUAL, none);
  jit_alu_imm(c, false, ALU_CMP, jit_mem(RAX, (int32_t)offsetof(struct bpf_program, kind)),
              (int32_t)j->p.program->kind);
  jit_jump_if(c, CC_NOT_EQUAL, none);
  jit_alu_imm(c, false, ALU_CMP, jit_field(j, FIELD(tail_calls)), BPF_MAX_TAIL_CALLS);
  jit_jump_if(c, CC_EQUAL, none);
  jit_op(c, 0xff, 0, FIELD(tail_calls)); /* inc */
  if (!j->p.finds_values) return;
  jit_op(c, 0xc7 | OP_WIDE, 0, FIELD(value_length));
  jit_long(c, 0);
}

/* The map, if the call knows it. */
static const struct bpf_map *map_of(const struct jit *j, uint32_t at) {
  if (j->tail == at) return j->tail_map;
  if (jit_fact(&j->p, at) & BPF_FACT_MAP) return j->p.program->maps[j->p.facts[at].map];
  return j->s.reg[2].kind == KNOW_MAP ? j->p.program->maps[j->s.reg[2].map] : NULL;
}

/* --- the jump --- */

/* Goes on in the program in rax, by way of C, and then wherever the caller of this function does. */
static void emit_call(struct jit *j, uint32_t end) {
  struct jit_code *c = &j->c;
  jit_load_machine(j, RDI);
  jit_mov(c, true, RSI, RAX);
  jit_call_address(c, (uint64_t)(uintptr_t)bpf_machine_go_on);
  jit_stop_after_fault(j);
  jit_load_budget(j);
  jit_jump(c, end);
}

static void emit_jump(struct jit *j) {
  struct jit_code *c = &j->c;
  jit_op(c, 0x8b | OP_WIDE, RSI, jit_mem(RAX, (int32_t)offsetof(struct bpf_program, code)));
  jit_test(c, true, RSI, RSI);
  jit_jump_if(c, CC_EQUAL, j->interpreted_label);
  jit_op(c, 0x89 | OP_WIDE, RAX, jit_field(j, FIELD(program)));
  jit_load_machine(j, RDI);
  j->uses_stubs = j->uses_interpreted = true; /* before jit_emit_leave */
  jit_emit_leave(j);
  jit_op(c, 0xff, 4, jit_mem(RSI, (int32_t)offsetof(struct bpf_code, go_on)));
}

void jit_emit_interpreted(struct jit *j) {
  if (!j->uses_interpreted) return;
  jit_label_set(&j->c, j->interpreted_label);
  emit_call(j, j->exit_label);
}

void jit_emit_tail_call(struct jit *j, uint32_t at) {
  struct jit_code *c = &j->c;
  const struct bpf_map *map = map_of(j, at);
  uint32_t none = jit_label_new(c);
  bool proven = (jit_fact(&j->p, at) & BPF_FACT_ARGUMENTS) != 0 || j->tail == at ||
                jit_know_arguments(&j->know, &j->s, bpf_proto_find(BPF_HELPER_TAIL_CALL));
  const bool in_line = proven && map != NULL && is_in_line(j);
  jit_store_budget(j);
  if (in_line) {
    emit_search_in_line(j, at, map, none);
  } else {
    emit_search(j, at, proven, none);
  }
  unsigned named = jit_kept_registers(j, 0, j->p.function_count - 1);
  for (unsigned r = 6; r <= 9; r++) {
    /* What the program doesn't name is in the machine as it was when it began. */
    if (named >> r & 1) jit_op(c, 0x89 | OP_WIDE, jit_native(r), jit_field(j, FIELD(reg[r])));
  }
  if (j->function == 0) {
    emit_jump(j);
  } else {
    emit_call(j, j->function_exit);
  }
  jit_label_set(c, none);
  if (jit_live(j, at) & LIVE_LOW(0)) jit_mov_imm(c, RAX, (uint64_t)-BPF_EINVAL);
  if (!in_line) jit_load_budget(j);
  jit_clear_arguments(j, at);
}
