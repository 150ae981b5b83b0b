/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers in line: lookups in arrays, direct calls of the lookup of other maps (which maps have by key size), processor number, time.
 */
#include "bpf/helper.h"
#include "bpf/jit_emit.h"

/* The map that r1 holds at this call, or NULL. */
static const struct bpf_map *map_of(const struct jit *j, uint32_t at) {
  if (jit_fact(&j->p, at) & (BPF_FACT_KEY | BPF_FACT_MAP)) return j->p.program->maps[j->p.facts[at].map];
  return j->s.reg[1].kind == KNOW_MAP ? j->p.program->maps[j->s.reg[1].map] : NULL;
}

static bool is_array(const struct bpf_map *map) {
  return map->def.type == BPF_MAP_TYPE_ARRAY ||
         (map->def.type == BPF_MAP_TYPE_PERCPU_ARRAY && jit_fits32((int64_t)map->processor_stride));
}

static bool is_hash(const struct bpf_map *map) {
  return map->def.type == BPF_MAP_TYPE_HASH || map->def.type == BPF_MAP_TYPE_LRU_HASH ||
         map->def.type == BPF_MAP_TYPE_LPM_TRIE;
}

/* r0 = r0 * factor */
static void multiply(struct jit_code *c, uint32_t factor) {
  if ((factor & (factor - 1)) == 0) {
    unsigned count = (unsigned)__builtin_ctz(factor);
    if (count != 0) jit_shift_imm(c, true, SHIFT_SHL, RAX, count);
  } else {
    jit_op(c, (jit_fits8((int32_t)factor) ? 0x6bu : 0x69u) | OP_WIDE, RAX, jit_reg(RAX));
    if (jit_fits8((int32_t)factor)) {
      jit_byte(c, factor);
    } else {
      jit_long(c, factor);
    }
  }
}

/* A jump behind the call that only asks whether the result is null, and does not go back. */
static bool tests_null(const struct jit *j, uint32_t at) {
  if (at >= j->p.blocks[j->p.block_of[at - 1]].end || (jit_fact(&j->p, at) & JIT_DECIDED) != 0) return false;
  struct bpf_insn insn = j->p.insns[at];
  if (BPF_CLASS(insn.code) != BPF_JMP || (insn.code & BPF_X) || bpf_dst(insn) != 0 || insn.imm != 0) return false;
  return (BPF_OP(insn.code) == BPF_JEQ || BPF_OP(insn.code) == BPF_JNE) && jit_target(insn, at) > at;
}

/* Where an index that is out of bounds leads; `at` is the jump behind the lookup. */
static uint32_t null_label(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  uint32_t slot = BPF_OP(insn.code) == BPF_JEQ ? jit_target(insn, at) : at + 1;
  if (!(j->p.blocks[j->p.block_of[slot]].live_in & LIVE_LOW(0))) return slot;
  struct jit_stub *stub = jit_stub_new(j, STUB_NULL, at);
  if (stub == NULL) return slot;
  stub->back = slot;
  return stub->label;
}

static uint32_t emit_array_lookup(struct jit *j, uint32_t at, const struct bpf_map *map) {
  struct jit_code *c = &j->c;
  bool bound = (jit_fact(&j->p, at) & BPF_FACT_KEY) != 0, fused = tests_null(j, at + 1);
  uint32_t behind = fused ? at + 1 : at;
  bool taken = fused && BPF_OP(j->p.insns[at + 1].code) == BPF_JNE;
  struct jit_value key = j->s.reg[2];
  if (fused) jit_charge(j, at + 1);
  jit_op(c, 0x8b, RAX, key.kind == KNOW_STACK ? jit_mem(RBP, key.offset) : jit_mem(RSI, 0));
  jit_clear_arguments(j, behind);
  if (!bound) {
    uint32_t null = 0;
    if (fused) {
      null = null_label(j, at + 1);
    } else {
      struct jit_stub *stub = jit_stub_new(j, STUB_NULL, at);
      if (stub == NULL) return 1;
      null = stub->label;
      stub->back = jit_label_new(c);
    }
    jit_alu_imm(c, false, ALU_CMP, jit_reg(RAX), (int32_t)map->def.max_entries);
    jit_jump_if(c, CC_ABOVE_EQUAL, null);
  }
  uint32_t back = !bound && !fused ? j->stubs[j->stub_count - 1].back : 0;
  multiply(c, map->value_stride);
  uint64_t values = (uint64_t)(uintptr_t)map->values;
  if (values <= INT32_MAX) {
    jit_alu_imm(c, true, ALU_ADD, jit_reg(RAX), (int32_t)values);
  } else {
    jit_mov_imm(c, SCRATCH, values);
    jit_alu(c, true, ALU_ADD, RAX, jit_reg(SCRATCH));
  }
  if (map->processor_stride != 0) {
    jit_op(c, 0x8b, SCRATCH, jit_field(j, FIELD(processor)));
    jit_op(c, 0x69 | OP_WIDE, SCRATCH, jit_reg(SCRATCH));
    jit_long(c, (uint32_t)map->processor_stride);
    jit_alu(c, true, ALU_ADD, RAX, jit_reg(SCRATCH));
  }
  if (back != 0) jit_label_set(c, back);
  if (taken) jit_jump(c, jit_target(j->p.insns[at + 1], at + 1));
  return fused ? 2 : 1;
}

static void emit_hash_lookup(struct jit *j, uint32_t at, const struct bpf_map *map) {
  jit_store_budget(j);
  jit_mov_imm(&j->c, RDI, (uint64_t)(uintptr_t)map);
  jit_call_address(&j->c, (uint64_t)(uintptr_t)map->ops->lookup);
  jit_load_budget(j);
  jit_clear_arguments(j, at);
}

/* An operation of the environment that takes its context only. */
static void emit_environment(struct jit *j, uint32_t at, size_t operation) {
  struct jit_code *c = &j->c;
  jit_store_budget(j);
  jit_op(c, 0x8b | OP_WIDE, RAX, jit_field(j, FIELD(environment)));
  jit_op(c, 0x8b | OP_WIDE, RDI, jit_mem(RAX, (int32_t)offsetof(struct bpf_environment, context)));
  jit_op(c, 0xff, 2, jit_mem(RAX, (int32_t)operation)); /* call */
  jit_load_budget(j);
  jit_clear_arguments(j, at);
}

static bool inlines_lookup(const struct jit *j, uint32_t at, bool known) {
  const struct bpf_map *map = map_of(j, at);
  if (map == NULL || !(is_array(map) || is_hash(map))) return false;
  return known || (jit_fact(&j->p, at) & (BPF_FACT_ARGUMENTS | BPF_FACT_KEY)) != 0;
}

uint32_t jit_emit_in_line(struct jit *j, uint32_t at) {
  uint32_t id = (uint32_t)j->p.insns[at].imm;
  switch (id) {
    case BPF_HELPER_MAP_LOOKUP_ELEM: {
      bool known = jit_know_arguments(&j->know, &j->s, bpf_proto_find(id));
      if (!inlines_lookup(j, at, known)) return 0;
      const struct bpf_map *map = map_of(j, at);
      if (is_array(map)) return emit_array_lookup(j, at, map);
      emit_hash_lookup(j, at, map);
      return 1;
    }
    case BPF_HELPER_GET_SMP_PROCESSOR_ID:
      jit_op(&j->c, 0x8b, RAX, jit_field(j, FIELD(processor)));
      jit_clear_arguments(j, at);
      return 1;
    case BPF_HELPER_KTIME_GET_NS:
      emit_environment(j, at, offsetof(struct bpf_environment, ktime_ns));
      return 1;
    default:
      return 0;
  }
}
