/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where paths may meet, and which entry of the plan stands there.
 */
#include "proof/walk.h"

static void set_bit(uint64_t *words, uint32_t at) { words[at / 64] |= (uint64_t)1 << (at % 64); }

static int order_to_entry(const struct proof_state *state, const struct proof_entry *entry) {
  const unsigned common = state->depth < entry->depth ? state->depth : entry->depth;
  for (unsigned i = 0; i <= common; i++) {
    const uint32_t at = i < state->depth ? state->site[i] : state->pc;
    if (at != entry->key[i]) return at < entry->key[i] ? -1 : 1;
  }
  return (int)state->depth - (int)entry->depth;
}

uint32_t walk_entry_of(const struct walk *w, const struct proof_state *state) {
  if (!bit(w->is_point, state->pc) || w->root == NULL) return UINT32_MAX;
  uint32_t low = w->root->first_entry, high = low + w->root->entry_count;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    const int order = order_to_entry(state, &w->plan->entries[middle]);
    if (order == 0) return middle;
    if (order > 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return UINT32_MAX;
}

void walk_mark_meets(struct walk *w) {
  const struct proof_input *input = w->scope.input;
  for (uint32_t at = 0; at < input->insn_count; at++) {
    const struct bpf_insn insn = input->insns[at];
    const unsigned class = BPF_CLASS(insn.code), op = BPF_OP(insn.code);
    if (insn.code == (BPF_LD | BPF_IMM | BPF_DW)) {
      if (bpf_src(insn) == BPF_PSEUDO_FUNC) set_bit(w->meets, at + 1 + (uint32_t)insn.imm);
      at++;
    } else if ((class != BPF_JMP && class != BPF_JMP32) || op == BPF_EXIT) {
      continue;
    } else if (op == BPF_CALL) {
      if (at + 1 < input->insn_count) set_bit(w->meets, at + 1);
      if (insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == BPF_PSEUDO_CALL) {
        set_bit(w->meets, at + 1 + (uint32_t)insn.imm);
      }
    } else {
      const int32_t distance = insn.code == (BPF_JMP32 | BPF_JA) ? insn.imm : insn.off;
      set_bit(w->meets, at + 1 + (uint32_t)distance);
    }
  }
  for (uint32_t i = 0; i < w->plan->entry_count; i++) {
    const struct proof_entry *entry = &w->plan->entries[i];
    if (entry->key[entry->depth] >= input->insn_count) continue; /* nothing gets there */
    set_bit(w->meets, entry->key[entry->depth]);
    set_bit(w->is_point, entry->key[entry->depth]);
  }
}
