/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What statements are made of.
 */
#include "tests/soundness/plausible_parts.h"

void add_wide(struct generator *g, unsigned dst, unsigned kind, uint64_t low, uint64_t high) {
  ADD_INSN(BPF_LD | BPF_IMM | BPF_DW, dst, kind, 0, low);
  ADD_INSN(0, 0, 0, 0, high);
}

void add_map(struct generator *g, unsigned dst, enum plausible_map map) {
  add_wide(g, dst, BPF_PSEUDO_MAP, (uint64_t)map, 0);
}

void add_helper(struct generator *g, int id) { ADD_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_HELPER, 0, id); }

void refresh(struct generator *g, unsigned r) {
  if (!g->has_context || coin(g)) {
    SET(r, choose_number(g->c));
  } else {
    LOAD_FROM(BPF_W, r, 6, 12 + 4 * (int)below(g, 2));
  }
}

void renew(struct generator *g, unsigned first) {
  for (unsigned r = first; r <= 5; r++) {
    if (!slip(g)) refresh(g, r);
  }
}

unsigned number_register(struct generator *g) {
  unsigned r = below(g, g->r9_counts ? 6 : 7);
  return r == 6 ? 9 : r;
}

int bytes_of(unsigned size) { return size == BPF_DW ? 8 : size == BPF_W ? 4 : size == BPF_H ? 2 : 1; }
unsigned some_size(struct generator *g) { return below(g, 4) << 3; }

void leave_if(struct generator *g, unsigned code, unsigned dst, unsigned src, uint64_t imm) {
  if (g->exit_count == EXITS_MAX) return;
  g->exits[g->exit_count++] = g->out->count;
  ADD_INSN(code, dst, src, 0, imm);
}

void leave_beyond_end(struct generator *g, unsigned limit) {
  bool off_by_one = slip(g);
  switch (below(g, 4)) {
    case 0:
      leave_if(g, BPF_JMP | (off_by_one ? BPF_JGE : BPF_JGT) | BPF_X, limit, 8, 0);
      break;
    case 1:
      leave_if(g, BPF_JMP | BPF_JLT | BPF_X, 8, limit, 0);
      break;
    case 2:
      ADD_INSN(BPF_JMP | (off_by_one ? BPF_JLT : BPF_JLE) | BPF_X, limit, 8, 1, 0);
      leave_if(g, BPF_JMP | BPF_JA, 0, 0, 0);
      break;
    default:
      ADD_INSN(BPF_JMP | BPF_JGE | BPF_X, 8, limit, 1, 0);
      leave_if(g, BPF_JMP | BPF_JA, 0, 0, 0);
      break;
  }
}

void add_access(struct generator *g, unsigned base, int offset, unsigned size, bool writable) {
  unsigned r = number_register(g);
  switch (below(g, writable ? 4 : 2)) {
    case 0:
      LOAD_FROM(size, r, base, offset);
      break;
    case 1:
      ADD_INSN(BPF_LDX | (size == BPF_DW ? BPF_MEM : BPF_MEMSX) | size, r, base, offset, 0);
      break;
    case 2:
      if (r != base) STORE_TO(size, base, r, offset);
      break;
    default:
      ADD_INSN(BPF_ST | BPF_MEM | size, base, 0, offset, choose_number(g->c));
      break;
  }
}

unsigned narrow(struct generator *g, unsigned most) {
  unsigned r = number_register(g), other = number_register(g);
  if (slip(g)) most = most * 2 + 1;
  switch (below(g, 7)) {
    case 0:
      ADD_INSN((coin(g) ? BPF_ALU : BPF_ALU64) | BPF_AND | BPF_K, r, 0, 0, (1u << (31 - __builtin_clz(most + 1))) - 1);
      break;
    case 1:
      ADD_INSN((coin(g) ? BPF_ALU : BPF_ALU64) | BPF_MOD | BPF_K, r, 0, 0, most + 1);
      break;
    case 2:
      leave_if(g, BPF_JMP | BPF_JGT | BPF_K, r, 0, most);
      break;
    case 3: /* signed, and then not negative */
      leave_if(g, BPF_JMP | BPF_JSGT | BPF_K, r, 0, most);
      if (!slip(g)) leave_if(g, BPF_JMP | BPF_JSLT | BPF_K, r, 0, 0);
      break;
    case 4:
      MOVE(other, r);
      leave_if(g, BPF_JMP | BPF_JGE | BPF_K, other, 0, most + 1);
      break;
    case 5: /* the lower half, which is then all of it */
      ADD_INSN(BPF_ALU | BPF_MOV | BPF_X, r, r, 0, 0);
      leave_if(g, BPF_JMP32 | (coin(g) ? BPF_JGT : BPF_JSGT) | BPF_K, r, 0, most);
      ADD_INSN(BPF_ALU | BPF_AND | BPF_K, r, 0, 0, 0x7fffffff);
      leave_if(g, BPF_JMP32 | BPF_JGT | BPF_K, r, 0, most);
      break;
    default:
      ADD_INSN((coin(g) ? BPF_ALU : BPF_ALU64) | BPF_RSH | BPF_K, r, 0, 0, 27);
      leave_if(g, BPF_JMP | BPF_JGT | BPF_K, r, 0, most);
      break;
  }
  return r;
}

void add_inside(struct generator *g, unsigned pointer, unsigned first, unsigned bytes) {
  unsigned size = some_size(g), room = bytes - first - (unsigned)bytes_of(size);
  if (coin(g)) {
    unsigned r = narrow(g, room);
    if (r != pointer) {
      if (first != 0 && !slip(g)) PLUS(pointer, first);
      ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, pointer, r, 0, 0);
      add_access(g, pointer, 0, size, true);
    }
  } else {
    add_access(g, pointer, (int)(first + below(g, room + 1)) + (slip(g) ? 1 : 0), size, true);
  }
  refresh(g, pointer);
}

void load_window(struct generator *g) {
  if (!slip(g)) LOAD_FROM(BPF_W, 7, 6, 0);
  LOAD_FROM(BPF_W, 8, 6, 4);
  g->checked = slip(g) ? g->checked : 0;
}
