/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Addresses are recognised by what lies there: eight bytes with one of the machine's or of a map's are no accident.
 */
#include "tests/soundness/leak.h"

#include <string.h>

#include "bpf/proto.h"
#include "tests/soundness/set.h"

/* Of the stack, the context, a map value, or the handle of a map. */
static bool is_address(const struct bpf_machine *m, uint64_t value) {
  if (value - (uint64_t)(uintptr_t)m < sizeof *m) return true;
  if (value - bpf_machine_map_handle(m, 0) < m->program->map_count * sizeof m->program->maps[0]) return true;
  for (uint32_t i = 0; i < m->program->map_count; i++) {
    const struct bpf_map *map = m->program->maps[i];
    const uint64_t size = (uint64_t)map->slot_count * map->value_stride;
    if (map->values != NULL && value - (uint64_t)(uintptr_t)map->values < size) return true;
  }
  return false;
}

static bool is_stack(const struct bpf_machine *m, uint64_t address) {
  return address - (uint64_t)(uintptr_t)m->stack_memory < RUNNING_STACK;
}

/* Whether a helper is handed memory of the stack that has an address in it. Traces may show them. */
static bool hands_out(const struct running *r, uint32_t id) {
  const struct bpf_proto *proto = bpf_proto_find(id);
  if (proto == NULL || id == BPF_HELPER_TRACE_PRINTK || id == BPF_HELPER_TRACE_VPRINTK) return false;
  for (unsigned i = 0; i < 5 && proto->args[i] != BPF_ARG_NONE; i++) {
    const uint64_t address = r->m.reg[i + 1], size = set_reads(r, proto, i);
    if (!is_stack(&r->m, address)) continue;
    for (uint64_t at = 0; at + 8 <= size; at += 8) {
      uint64_t value;
      memcpy(&value, (const void *)(uintptr_t)(address + at), sizeof value);
      if (is_address(&r->m, value)) return true;
    }
  }
  return false;
}

bool leak_is_near(const struct running *r, struct bpf_insn insn) {
  const struct bpf_machine *m = &r->m;
  if (BPF_CLASS(insn.code) == BPF_STX && BPF_SIZE(insn.code) == BPF_DW) {
    const uint64_t to = m->reg[bpf_dst(insn)] + (uint64_t)(int64_t)insn.off;
    return !is_stack(m, to) && is_address(m, m->reg[bpf_src(insn)]);
  }
  if (insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == BPF_PSEUDO_HELPER) return hands_out(r, (uint32_t)insn.imm);
  return insn.code == (BPF_JMP | BPF_EXIT) && m->depth == r->active[r->active_count - 1].base &&
         is_address(m, m->reg[0]);
}
