/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers in line: lookups in arrays, direct calls of the lookup of other maps (which maps have by key size), processor number, time.
 */
#include "bpf/helper.h"
#include "bpf/jit_emit.h"

/* The map that r1 holds at this call, or NULL. */
static const struct bpf_map *map_of(const struct jit *j, uint32_t at) {
  if (j->lookup.call == at) return j->lookup.map;
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

/* --- what is known before the block is translated --- */

enum { NONE = JIT_NO_SLOT };

/* The frame's bytes at r10 + offset as r2: the two slots that put it there, or NONE. */
static bool find_key(const struct jit *j, uint32_t call, uint32_t *copy, uint32_t *add) {
  *add = jit_definition(&j->p, call, 2);
  if (*add == NONE || j->p.insns[*add].code != (BPF_ALU64 | BPF_ADD | BPF_K)) return false;
  *copy = jit_definition(&j->p, *add, 2);
  if (*copy == NONE) return false;
  struct bpf_insn insn = j->p.insns[*copy];
  return insn.code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn.off == 0 && bpf_src(insn) == BPF_FRAME_REGISTER;
}

/* The slot that stored the 4 bytes at r10 + offset as they are at the call, and whose register still has them; NONE. */
static uint32_t find_store(const struct jit *j, uint32_t call, uint32_t first, int32_t offset) {
  unsigned changed = 0; /* between the store and the call */
  for (uint32_t at = call; at-- > first;) {
    struct bpf_insn insn = j->p.insns[at];
    unsigned class = BPF_CLASS(insn.code);
    if (j->p.flags[at] & SLOT_SECOND) continue;
    if (jit_ends_line(insn)) return NONE;
    if (class != BPF_ST && class != BPF_STX) {
      if (!(j->p.flags[at] & SLOT_SKIPPED)) changed |= jit_written(insn);
      continue;
    }
    if (bpf_dst(insn) != BPF_FRAME_REGISTER || BPF_MODE(insn.code) != BPF_MEM) return NONE;
    if (insn.off == offset && BPF_SIZE(insn.code) == BPF_W)
      return class == BPF_ST || !(changed >> bpf_src(insn) & 1) ? at : NONE;
    if (insn.off < offset + 4 && insn.off + (int32_t)jit_access_size(insn) > offset) return NONE;
  }
  return NONE;
}

static bool may_look_up(const struct bpf_map *map) {
  return !(bpf_proto_find(BPF_HELPER_MAP_LOOKUP_ELEM)->map_use & ~bpf_machine_map_rights(map));
}

void jit_plan_lookup(struct jit *j, const struct jit_block *block) {
  uint32_t call = block->end - 1, copy, add;
  if (call > block->first && !jit_is_call(j->p.insns[call], BPF_PSEUDO_HELPER)) call--;
  j->lookup = (struct jit_lookup){.call = NONE};
  if (!jit_is_call(j->p.insns[call], BPF_PSEUDO_HELPER) || j->p.insns[call].imm != BPF_HELPER_MAP_LOOKUP_ELEM) return;
  uint32_t load = jit_definition(&j->p, call, 1);
  if (load == NONE || !jit_is_wide_immediate(j->p.insns[load]) || bpf_src(j->p.insns[load]) != BPF_PSEUDO_MAP) return;
  const struct bpf_map *map = j->p.program->maps[j->p.insns[load].imm];
  if (!(is_array(map) || is_hash(map)) || !may_look_up(map)) return;
  if (!find_key(j, call, &copy, &add)) return;
  int32_t offset = j->p.insns[add].imm;
  if (offset < -BPF_STACK_SIZE || offset > -(int32_t)map->def.key_size) return;
  j->lookup = (struct jit_lookup){.call = call, .map = map};
  j->p.flags[load] |= SLOT_SKIPPED;
  if (!is_array(map)) return;
  /* What is not translated changes nothing; the copy and the sum stay if the key comes from memory. */
  j->p.flags[copy] |= SLOT_SKIPPED;
  j->p.flags[add] |= SLOT_SKIPPED;
  j->lookup.offset = offset;
  j->lookup.store = find_store(j, call, block->first, offset);
}

/* --- a result that is tested at once --- */

/* A jump behind the call that only asks whether the result is null, and does not go back, or never does as it is not (`found`). */
static bool tests_null(const struct jit *j, uint32_t at, bool found) {
  if (at >= j->p.blocks[j->p.block_of[at - 1]].end || (jit_fact(&j->p, at) & JIT_DECIDED) != 0) return false;
  struct bpf_insn insn = j->p.insns[at];
  if (BPF_CLASS(insn.code) != BPF_JMP || (insn.code & BPF_X) || bpf_dst(insn) != 0 || insn.imm != 0) return false;
  if (BPF_OP(insn.code) == BPF_JEQ && found) return true;
  return (BPF_OP(insn.code) == BPF_JEQ || BPF_OP(insn.code) == BPF_JNE) && jit_target(insn, at) > at;
}

/* Where a null pointer leads; `at` is the jump behind the lookup. */
static uint32_t null_slot(const struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  return BPF_OP(insn.code) == BPF_JEQ ? jit_target(insn, at) : at + 1;
}

/* The same for those who leave r0 alone. */
static uint32_t null_label(struct jit *j, uint32_t at) {
  uint32_t slot = null_slot(j, at);
  if (!(j->p.blocks[j->p.block_of[slot]].live_in & LIVE_LOW(0))) return jit_goal(j, slot);
  struct jit_stub *stub = jit_stub_new(j, STUB_NULL, at);
  if (stub == NULL) return slot;
  stub->back = jit_goal(j, slot);
  return stub->label;
}

/* --- arrays --- */

/* r0 = r0 * factor */
static void multiply(struct jit_code *c, uint32_t factor) {
  if ((factor & (factor - 1)) == 0) {
    unsigned count = (unsigned)__builtin_ctz(factor);
    if (count != 0) jit_shift_imm(c, true, SHIFT_SHL, RAX, count);
  } else {
    jit_multiply_imm(c, true, RAX, RAX, (int32_t)factor);
  }
}

/* Where the index of a lookup is: a constant (reg is NO_REGISTER), or a register, zero-extended. */
struct index {
  unsigned reg;
  uint32_t value;
  unsigned part; /* the BPF register that it is, as a set; 0: rax */
};

static struct index find_index(struct jit *j, uint32_t at, uint32_t behind) {
  struct jit_code *c = &j->c;
  const struct jit_lookup *lookup = &j->lookup;
  const struct bpf_insn store = j->p.insns[lookup->store];
  if (lookup->call == at && lookup->store != NONE && BPF_CLASS(store.code) == BPF_ST) {
    jit_used(j, BPF_JIT_KEY_CONSTANT);
    return (struct index){NO_REGISTER, (uint32_t)store.imm, 0};
  }
  if (lookup->call == at && lookup->is_stored) {
    unsigned from = bpf_src(store), reg = jit_native(from);
    /* r1 to r5 are cleared behind the call, where somebody looks. */
    bool stays = lookup->is_low && (from > 5 || !(jit_live(j, behind) & LIVE_LOW(from)));
    jit_used(j, stays ? BPF_JIT_KEY_REGISTER : BPF_JIT_KEY_EXTENDED);
    if (stays) return (struct index){reg, 0, 1u << from};
    jit_mov(c, false, RAX, reg);
  } else if (lookup->call == at) {
    jit_used(j, BPF_JIT_KEY_MEMORY);
    jit_op(c, 0x8b, RAX, jit_mem(RBP, lookup->offset));
  } else {
    const struct jit_value key = j->s.reg[2];
    jit_op(c, 0x8b, RAX, key.kind == KNOW_STACK && key.span == 0 ? jit_mem(RBP, key.offset) : jit_mem(RSI, 0));
  }
  return (struct index){RAX, 0, 0};
}

/* r0 = what the operand addresses, unless the slots from `from` on name that. */
static void emit_address(struct jit *j, struct jit_rm rm, unsigned part, uint32_t from) {
  if (jit_fold(j, from, 0, rm, part)) {
    jit_used(j, BPF_JIT_FOLDED_VALUE);
  } else if (rm.base == NO_REGISTER && rm.index == NO_REGISTER) {
    jit_mov_imm(&j->c, RAX, (uint32_t)rm.displacement);
  } else {
    jit_lea(&j->c, true, RAX, rm);
  }
}

/* r0 = the value of that index. */
static void emit_value(struct jit *j, const struct bpf_map *map, struct index index, uint32_t from) {
  struct jit_code *c = &j->c;
  const uint64_t values = (uint64_t)(uintptr_t)map->values, last = values + map->processor_stride * map->processors +
                                                                   (uint64_t)map->slot_count * map->value_stride;
  const bool near = last <= INT32_MAX, of_processor = map->processors > 1;
  if (map->def.max_entries == 1) index.reg = NO_REGISTER; /* 0 is the only one below the bound */
  const uint64_t value = values + (uint64_t)index.value * map->value_stride;
  if (index.reg == NO_REGISTER && !of_processor) {
    if (near) {
      emit_address(j, jit_absolute((int32_t)value), 0, from);
    } else {
      jit_mov_imm(c, RAX, value);
    }
    return;
  }
  struct jit_rm rm;
  unsigned scale = (unsigned)__builtin_ctz(map->value_stride);
  if (index.reg == NO_REGISTER) {
    jit_mov_imm(c, RAX, value);
    rm = jit_mem(RAX, 0);
  } else {
    if (map->value_stride != 1u << scale || scale > 3) {
      if (index.reg != RAX) jit_mov(c, false, RAX, index.reg);
      multiply(c, map->value_stride);
      index = (struct index){RAX, 0, 0};
      scale = 0;
    }
    if (near && scale == 0) {
      rm = jit_mem(index.reg, (int32_t)values);
    } else if (near) {
      rm = jit_scaled(index.reg, scale, (int32_t)values);
    } else {
      jit_mov_imm(c, SCRATCH, values);
      rm = jit_indexed(SCRATCH, index.reg, scale, 0);
    }
  }
  if (of_processor) {
    jit_lea(c, true, RAX, rm);
    jit_op(c, 0x8b, SCRATCH, jit_field(j, FIELD(processor)));
    jit_op(c, 0x69 | OP_WIDE, SCRATCH, jit_reg(SCRATCH));
    jit_long(c, (uint32_t)map->processor_stride);
    jit_alu(c, true, ALU_ADD, RAX, jit_reg(SCRATCH));
  } else {
    emit_address(j, rm, index.part, near ? from : j->p.count); /* SCRATCH does not last */
  }
}

/* The bound of the key. Gives the label to set behind the lookup, if there is one; 0: none, UINT32_MAX: the result is always null, and
 * the code for that is there. */
static uint32_t emit_bound(struct jit *j, uint32_t at, const struct bpf_map *map, struct index index, bool fused) {
  struct jit_code *c = &j->c;
  if (index.reg == NO_REGISTER) {
    if (index.value < map->def.max_entries) return NONE;
    jit_used(j, BPF_JIT_KEY_ALWAYS_NULL);
    jit_mov_imm(c, RAX, 0);
    if (fused) jit_jump(c, jit_goal(j, null_slot(j, at + 1)));
    return UINT32_MAX;
  }
  uint32_t back = NONE, null;
  if (fused) {
    null = null_label(j, at + 1);
  } else {
    struct jit_stub *stub = jit_stub_new(j, STUB_NULL, at);
    if (stub == NULL) return NONE;
    null = stub->label;
    back = stub->back = jit_label_new(c);
  }
  jit_alu_imm(c, false, ALU_CMP, jit_reg(index.reg), (int32_t)map->def.max_entries);
  jit_jump_if(c, CC_ABOVE_EQUAL, null);
  return back;
}

static uint32_t emit_array_lookup(struct jit *j, uint32_t at, const struct bpf_map *map) {
  struct jit_code *c = &j->c;
  bool bound = (jit_fact(&j->p, at) & BPF_FACT_KEY) != 0;
  if (!bound && j->lookup.call == at && j->lookup.is_stored && j->lookup.highest < map->def.max_entries) {
    jit_used(j, BPF_JIT_KEY_BOUNDED);
    bound = true;
  }
  const bool fused = tests_null(j, at + 1, bound);
  uint32_t behind = fused ? at + 1 : at, back = NONE;
  bool taken = fused && BPF_OP(j->p.insns[at + 1].code) == BPF_JNE;
  if (fused) jit_used(j, BPF_JIT_NULL_FUSED);
  if (fused && bound && !taken && !(j->p.flags[at + 2] & SLOT_TARGET)) {
    j->uncharged = at + 2;
  } else if (fused) {
    jit_charge(j, at + 1);
  }
  struct index index = find_index(j, at, behind);
  jit_clear_arguments(j, behind);
  if (!bound) back = emit_bound(j, at, map, index, fused);
  if (back != UINT32_MAX) {
    emit_value(j, map, index, taken || back != NONE ? j->p.count : behind + 1);
    if (back != NONE) jit_label_set(c, back);
    if (taken) jit_jump(c, jit_goal(j, jit_target(j->p.insns[at + 1], at + 1)));
  }
  return fused ? 2 : 1;
}

/* --- all of them --- */

static void emit_hash_lookup(struct jit *j, uint32_t at, const struct bpf_map *map) {
  jit_used(j, BPF_JIT_HASH_DIRECT);
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

/* The map that the lookup at `at` is in, if its arguments are good. */
static const struct bpf_map *lookup_map(const struct jit *j, uint32_t at) {
  if (!jit_is_call(j->p.insns[at], BPF_PSEUDO_HELPER) || j->p.insns[at].imm != BPF_HELPER_MAP_LOOKUP_ELEM) return NULL;
  const bool good = j->lookup.call == at || (jit_fact(&j->p, at) & (BPF_FACT_ARGUMENTS | BPF_FACT_KEY)) != 0 ||
                    jit_know_arguments(&j->know, &j->s, bpf_proto_find(BPF_HELPER_MAP_LOOKUP_ELEM));
  return good ? map_of(j, at) : NULL;
}

uint32_t jit_emit_array_lookup(struct jit *j, uint32_t at) {
  const struct bpf_map *map = lookup_map(j, at);
  return map != NULL && is_array(map) ? emit_array_lookup(j, at, map) : 0;
}

bool jit_emit_in_line(struct jit *j, uint32_t at) {
  const struct bpf_map *map = lookup_map(j, at);
  switch (j->p.insns[at].imm) {
    case BPF_HELPER_MAP_LOOKUP_ELEM:
      if (map == NULL || !is_hash(map)) return false;
      emit_hash_lookup(j, at, map);
      return true;
    case BPF_HELPER_GET_SMP_PROCESSOR_ID:
      jit_op(&j->c, 0x8b, RAX, jit_field(j, FIELD(processor)));
      jit_clear_arguments(j, at);
      return true;
    case BPF_HELPER_KTIME_GET_NS:
      emit_environment(j, at, offsetof(struct bpf_environment, ktime_ns));
      return true;
    default:
      return false;
  }
}
