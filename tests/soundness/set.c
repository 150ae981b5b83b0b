/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Registers by a bit, bytes of stack by a flag.
 */
#include "tests/soundness/set.h"

#include <string.h>

enum { ARGUMENTS = 0x3e, SAVED = 0x3c0, FRAME_POINTER = 1 << BPF_FRAME_REGISTER };

/* --- stack --- */

/* The flags of these bytes; NULL: they are no stack. */
static bool *flags_of(struct running *r, uint64_t address, uint64_t size) {
  const uint64_t offset = address - (uint64_t)(uintptr_t)r->m.stack_memory;
  return offset < RUNNING_STACK && size <= RUNNING_STACK - offset ? &r->set.stack[offset] : NULL;
}

bool set_has(const struct running *r, uint64_t address, uint64_t size) {
  const bool *flags = flags_of((struct running *)(uintptr_t)r, address, size);
  for (uint64_t i = 0; flags != NULL && i < size; i++) {
    if (!flags[i]) return false;
  }
  return true;
}

static void put(struct running *r, uint64_t address, uint64_t size, bool set) {
  bool *flags = flags_of(r, address, size);
  if (flags != NULL) memset(flags, set, size);
}

/* --- registers --- */

static bool has(const struct running *r, unsigned reg) { return (r->set.registers >> reg & 1) != 0; }
static void assign(struct running *r, unsigned reg, bool set) {
  r->set.registers = (uint16_t)((r->set.registers & ~(1u << reg)) | (unsigned)set << reg);
}

void set_enter(struct running *r, unsigned registers) {
  const unsigned depth = r->m.depth;
  r->set.registers = (uint16_t)(registers | FRAME_POINTER);
  r->set.framed[depth] = false;
  put(r, running_frame_end(&r->m, depth) - BPF_STACK_SIZE, BPF_STACK_SIZE, false);
}

void set_call(struct running *r) { r->set.saved[r->m.depth] = r->set.registers & SAVED; }

void set_return(struct running *r) {
  r->set.registers = (uint16_t)((r->set.registers & 1u) | r->set.saved[r->m.depth] | FRAME_POINTER);
}

/* --- use --- */

static enum set_verdict reads(const struct running *r, uint64_t address, uint64_t size) {
  if (set_has(r, address, size)) return SET_GOOD;
  const uint64_t depth = (running_frame_end(&r->m, 0) - 1 - address) / BPF_STACK_SIZE;
  return r->set.framed[depth] ? SET_FALSE_FRAME : SET_USES_UNSET;
}

static unsigned bytes_of(struct bpf_insn insn) {
  static const uint8_t bytes[] = {4, 2, 1, 8};
  return bytes[BPF_SIZE(insn.code) >> 3];
}

static enum set_verdict accesses(struct running *r, struct bpf_insn insn) {
  const bool load = BPF_CLASS(insn.code) == BPF_LDX;
  const unsigned base = load ? bpf_src(insn) : bpf_dst(insn), size = bytes_of(insn);
  const uint64_t address = r->m.reg[base] + (uint64_t)(int64_t)insn.off;
  const bool stack = flags_of(r, address, size) != NULL;
  if (!has(r, base)) return SET_USES_UNSET;
  if (load) {
    assign(r, bpf_dst(insn), set_has(r, address, size));
    return SET_GOOD;
  }
  const bool set = BPF_CLASS(insn.code) == BPF_ST || has(r, bpf_src(insn));
  if (BPF_MODE(insn.code) != BPF_ATOMIC) {
    put(r, address, size, set);
    return set || stack ? SET_GOOD : SET_USES_UNSET; /* outside it would be seen */
  }
  if (!set || (insn.imm == BPF_CMPXCHG && !has(r, 0))) return SET_USES_UNSET;
  return reads(r, address, size);
}

/* Bytes of argument i, in a helper that is given these arguments. */
static uint64_t size_of(const struct running *r, const struct bpf_proto *proto, unsigned i) {
  const uint64_t *argument = &r->m.reg[1];
  const struct bpf_map *map = NULL;
  for (unsigned at = 0; at < 5; at++) {
    if (proto->args[at] == BPF_ARG_MAP) map = bpf_machine_map(&r->m, argument[at]);
  }
  switch ((enum bpf_arg)proto->args[i]) {
    case BPF_ARG_MAP_KEY:
      return map != NULL ? map->def.key_size : 0;
    case BPF_ARG_MAP_VALUE:
    case BPF_ARG_MAP_VALUE_OUT:
      return map != NULL ? map->def.value_size : 0;
    case BPF_ARG_MEMORY:
    case BPF_ARG_MEMORY_OR_NULL:
    case BPF_ARG_MEMORY_OUT:
    case BPF_ARG_MEMORY_OUT_OR_NULL:
    case BPF_ARG_MEMORY_INOUT:
      return (uint32_t)argument[i + 1];
    case BPF_ARG_FIXED:
    case BPF_ARG_FIXED_OUT:
      return proto->fixed_size;
    default:
      return 0;
  }
}

static bool is_read(const struct running *r, const struct bpf_proto *proto, unsigned i) {
  if (proto->args[i] == BPF_ARG_MAP_VALUE_OUT) {
    const struct bpf_map *map = bpf_machine_map(&r->m, r->m.reg[1]);
    return map != NULL && map->def.type == BPF_MAP_TYPE_BLOOM_FILTER; /* is asked about a value */
  }
  return proto->args[i] != BPF_ARG_FIXED_OUT && proto->args[i] != BPF_ARG_MEMORY_OUT &&
         proto->args[i] != BPF_ARG_MEMORY_OUT_OR_NULL;
}

uint64_t set_reads(const struct running *r, const struct bpf_proto *proto, unsigned i) {
  return is_read(r, proto, i) ? size_of(r, proto, i) : 0;
}

static enum set_verdict calls_helper(struct running *r, uint32_t id) {
  const struct bpf_proto *proto = bpf_proto_find(id);
  enum set_verdict verdict = SET_GOOD;
  if (proto == NULL) return SET_GOOD; /* a fault */
  for (unsigned i = 0; i < 5 && proto->args[i] != BPF_ARG_NONE && verdict == SET_GOOD; i++) {
    const bool optional = id == BPF_HELPER_TRACE_PRINTK && i >= 2; /* those that the format has no use for */
    const uint64_t size = size_of(r, proto, i), address = r->m.reg[i + 1];
    if (!has(r, i + 1) && !optional) verdict = SET_USES_UNSET;
    if (size == 0 || verdict != SET_GOOD) continue;
    if (is_read(r, proto, i)) verdict = reads(r, address, size);
    put(r, address, size, true);
  }
  r->set.registers &= (uint16_t)~ARGUMENTS;
  assign(r, 0, proto->result != BPF_RETURN_VOID);
  return verdict;
}

enum set_verdict set_step(struct running *r, struct bpf_insn insn) {
  const unsigned op = BPF_OP(insn.code), to = bpf_dst(insn);
  const bool needs_source = BPF_SRC(insn.code) == BPF_X;
  switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
      assign(r, to, true);
      return SET_GOOD;
    case BPF_LDX:
    case BPF_ST:
    case BPF_STX: {
      const enum set_verdict verdict = accesses(r, insn);
      if (BPF_MODE(insn.code) == BPF_ATOMIC && BPF_CLASS(insn.code) == BPF_STX && (insn.imm & BPF_FETCH)) {
        assign(r, insn.imm == BPF_CMPXCHG ? 0 : bpf_src(insn), true);
      }
      return verdict;
    }
    case BPF_ALU:
    case BPF_ALU64:
      if (op == BPF_MOV) {
        assign(r, to, !needs_source || has(r, bpf_src(insn)));
        return SET_GOOD;
      }
      if (op == BPF_END || op == BPF_NEG) return has(r, to) ? SET_GOOD : SET_USES_UNSET;
      return has(r, to) && (!needs_source || has(r, bpf_src(insn))) ? SET_GOOD : SET_USES_UNSET;
    default:
      if (op == BPF_JA) return SET_GOOD;
      if (op == BPF_EXIT) return r->m.depth > running_now(r)->base || has(r, 0) ? SET_GOOD : SET_USES_UNSET;
      if (op != BPF_CALL) {
        return has(r, to) && (!needs_source || has(r, bpf_src(insn))) ? SET_GOOD : SET_USES_UNSET;
      }
      if (needs_source) return has(r, to) ? SET_GOOD : SET_USES_UNSET; /* callx */
      return bpf_src(insn) == BPF_PSEUDO_HELPER ? calls_helper(r, (uint32_t)insn.imm) : SET_GOOD;
  }
}
