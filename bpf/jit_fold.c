/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Addresses that are not computed: where a register is nothing but the base of the next loads and stores, they name what it would be
 * computed from. One place decides, when the address comes up; jit_operand gives the operand when it is used.
 */
#include "bpf/jit_emit.h"

enum { USES_MAX = 3 }; /* further ones cost more bytes than the computation */

static bool is_plain_access(struct bpf_insn insn) {
  unsigned class = BPF_CLASS(insn.code), mode = BPF_MODE(insn.code);
  if (class == BPF_LDX) return mode == BPF_MEM || mode == BPF_MEMSX;
  return class == BPF_ST || (class == BPF_STX && mode == BPF_MEM);
}

/* Whether the instruction uses `reg` as a base and in no other way. */
static bool only_as_base(struct bpf_insn insn, unsigned reg) {
  if (!is_plain_access(insn)) return false;
  if (BPF_CLASS(insn.code) == BPF_LDX) return bpf_src(insn) == reg;
  return bpf_dst(insn) == reg && (BPF_CLASS(insn.code) == BPF_ST || bpf_src(insn) != reg);
}

static bool is_never(const struct jit *j, uint32_t at) {
  return jit_is_jump(j->p.insns[at]) && (jit_fact(&j->p, at) & BPF_FACT_NEVER) != 0;
}

/* Without looking at what registers hold when they come. */
static bool are_safe(const struct jit *j, uint32_t first, uint32_t second) {
  return (jit_fact(&j->p, first) & jit_fact(&j->p, second) & BPF_FACT_ACCESS) != 0;
}

/* The slot behind the last use. 0: it is used otherwise, or `parts` (a set of registers) change before. */
static uint32_t find_end(const struct jit *j, uint32_t from, unsigned reg, int32_t displacement, unsigned parts) {
  unsigned uses = 0;
  for (uint32_t at = from; at < j->p.count && !(j->p.flags[at] & (SLOT_TARGET | SLOT_FUNCTION));
       at = jit_behind(&j->p, at)) {
    struct bpf_insn insn = j->p.insns[at];
    if (is_never(j, at)) continue;
    if (only_as_base(insn, reg) && jit_is_in_place(j, at) && are_safe(j, at, at + 2) &&
        !(jit_mentioned(j->p.insns[at + 1]) >> reg & 1) && jit_fits32((int64_t)displacement + insn.off)) {
      /* One instruction will do; the register in the middle never gets the value. */
      uses++;
      at += 2;
      if (!(jit_live(j, at) & LIVE_LOW(reg))) return at + 1;
      continue;
    }
    bool uses_it = only_as_base(insn, reg);
    if (!uses_it && ((jit_mentioned(insn) >> reg & 1) || jit_ends_line(insn))) return 0;
    if (uses_it && (++uses > USES_MAX || !jit_fits32((int64_t)displacement + insn.off))) return 0;
    bool overwritten = BPF_CLASS(insn.code) == BPF_LDX && bpf_dst(insn) == reg;
    if (overwritten || !(jit_live(j, at) & LIVE_LOW(reg))) return uses > 0 ? at + 1 : 0;
    if (jit_written(insn) & parts) return 0;
  }
  return 0;
}

bool jit_fold(struct jit *j, uint32_t from, unsigned reg, struct jit_rm rm, unsigned parts) {
  uint32_t end = find_end(j, from, reg, rm.displacement, parts);
  if (end == 0) return false;
  j->fold[reg] = (struct jit_fold){.end = end, .rm = rm};
  return true;
}

struct jit_rm jit_operand(const struct jit *j, uint32_t at, unsigned base, int32_t offset) {
  struct jit_rm rm = at < j->fold[base].end ? j->fold[base].rm : jit_mem(jit_native(base), 0);
  rm.displacement += offset;
  return rm;
}
