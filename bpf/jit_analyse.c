/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Functions, blocks and liveness. Everything is linear but liveness, which goes round until nothing changes; a program twisted so that
 * this takes long is taken to need every register everywhere.
 */
#include "bpf/jit_analyse.h"

#include "lib/memory.h"

enum { ROUNDS_MAX = 12 };
#define ALL_LIVE 0x07ff07ffu

/* --- marks --- */

static void mark_target(struct jit_program *p, uint32_t at, uint32_t target) {
  p->flags[target] |= SLOT_LEADER | SLOT_TARGET;
  if (target > at) return;
  p->flags[target] |= SLOT_LOOP;
  if (!(jit_fact(p, at) & BPF_FACT_BOUNDED)) p->loops = true;
}

/* The function that the instruction at `at` calls or takes the address of. */
static void mark_function(struct jit_program *p, uint32_t at, uint8_t flags) {
  uint32_t target = at + 1 + (uint32_t)p->insns[at].imm;
  p->flags[target] |= flags;
  if (target == 0) p->recursive = true;
}

static void mark_call(struct jit_program *p, uint32_t at) {
  struct bpf_insn insn = p->insns[at];
  if (bpf_src(insn) == BPF_PSEUDO_CALL) {
    mark_function(p, at, SLOT_LEADER | SLOT_FUNCTION);
    p->calls_local = true;
    return;
  }
  if (bpf_proto_find((uint32_t)insn.imm)->effects & BPF_EFFECT_PACKET) p->moves_packet = true;
  if (insn.imm == BPF_HELPER_TAIL_CALL) p->tail_calls = true;
}

static void mark(struct jit_program *p) {
  p->flags[0] |= SLOT_LEADER | SLOT_FUNCTION;
  for (uint32_t at = 0; at < p->count; at = jit_behind(p, at)) {
    struct bpf_insn insn = p->insns[at];
    if (jit_is_wide_immediate(insn)) {
      p->flags[at + 1] |= SLOT_SECOND;
      if (bpf_src(insn) != BPF_PSEUDO_FUNC) continue;
      mark_function(p, at, SLOT_LEADER | SLOT_FUNCTION | SLOT_CALLBACK);
      p->calls_local = p->callbacks = true;
    } else if (jit_is_callx(insn)) {
      p->calls_values = p->calls_local = true;
    } else if (insn.code == (BPF_JMP | BPF_CALL)) {
      mark_call(p, at);
    } else if (jit_is_jump(insn)) {
      mark_target(p, at, jit_target(insn, at));
      if (at + 1 < p->count) p->flags[at + 1] |= SLOT_LEADER;
    } else if (jit_is_exit(insn) && at + 1 < p->count) {
      p->flags[at + 1] |= SLOT_LEADER;
    }
  }
}

/* --- functions and blocks --- */

static void count_parts(struct jit_program *p) {
  for (uint32_t at = 0; at < p->count; at++) {
    p->block_count += (p->flags[at] & SLOT_LEADER) != 0;
    p->function_count += (p->flags[at] & SLOT_FUNCTION) != 0;
  }
}

uint16_t jit_mentioned(struct bpf_insn insn) {
  switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
    case BPF_ST:
      return (uint16_t)(1u << bpf_dst(insn));
    case BPF_LDX:
    case BPF_STX:
      return (uint16_t)(1u << bpf_dst(insn) | 1u << bpf_src(insn));
    case BPF_JMP:
    case BPF_JMP32:
      if (jit_is_callx(insn)) return (uint16_t)(1u << bpf_dst(insn));
      if (!jit_is_jump(insn) || BPF_OP(insn.code) == BPF_JA) return 0;
      break;
    default:
      break;
  }
  return (uint16_t)(1u << bpf_dst(insn) | ((insn.code & BPF_X) ? 1u << bpf_src(insn) : 0));
}

static void divide(struct jit_program *p) {
  struct jit_block *block = p->blocks - 1;
  struct jit_function *function = p->functions - 1;
  for (uint32_t at = 0; at < p->count; at++) {
    if (p->flags[at] & SLOT_FUNCTION) {
      function++;
      function->first = at;
    }
    if (p->flags[at] & SLOT_LEADER) {
      block++;
      *block = (struct jit_block){.first = at, .next = NO_BLOCK, .taken = NO_BLOCK};
      block->function = (uint32_t)(function - p->functions);
    }
    p->block_of[at] = (uint32_t)(block - p->blocks);
    block->end = function->end = at + 1;
    if (p->flags[at] & SLOT_SECOND) continue;
    function->mentions |= jit_mentioned(p->insns[at]);
    if (p->insns[at].code == (BPF_JMP | BPF_CALL) || jit_is_callx(p->insns[at])) function->calls = true;
  }
}

/* The last instruction of a block; the block may end in the second half of an immediate. */
static uint32_t last_of(const struct jit_program *p, const struct jit_block *block) {
  return p->flags[block->end - 1] & SLOT_SECOND ? block->end - 2 : block->end - 1;
}

static int connect(struct jit_program *p, struct report *report) {
  if (p->recursive) {
    return report_error(report, ERROR_UNSUPPORTED, "the program calls itself from its beginning; native code does not");
  }
  for (uint32_t i = 0; i < p->block_count; i++) {
    struct jit_block *block = &p->blocks[i];
    uint32_t last = last_of(p, block);
    struct bpf_insn insn = p->insns[last];
    bool always = BPF_OP(insn.code) == BPF_JA && jit_is_jump(insn);
    if (jit_is_jump(insn)) block->taken = p->block_of[jit_target(insn, last)];
    if (!jit_is_exit(insn) && !always) block->next = i + 1; /* bpf_check: the last block ends in a jump or exit */
    if ((block->next == NO_BLOCK || p->blocks[block->next].function == block->function) &&
        (block->taken == NO_BLOCK || p->blocks[block->taken].function == block->function)) {
      continue;
    }
    return report_error(
        report, ERROR_UNSUPPORTED,
        "instruction %u: goes on in another function without a call; native code needs closed functions", last);
  }
  return 0;
}

/* --- liveness --- */

/* The upper half of `from` counts if that of `of` does. */
static uint32_t same_halves(uint32_t live, unsigned of, unsigned from) {
  return (live & LIVE_HIGH(of) ? LIVE_BOTH(from) : 0) | (live & LIVE_LOW(of) ? LIVE_LOW(from) : 0);
}

static uint32_t live_before_alu(struct bpf_insn insn, uint32_t live) {
  unsigned d = bpf_dst(insn), s = bpf_src(insn), op = BPF_OP(insn.code);
  bool wide = BPF_CLASS(insn.code) == BPF_ALU64, from_register = (insn.code & BPF_X) != 0;
  uint32_t behind = live;
  live &= ~LIVE_BOTH(d);
  if (!(behind & LIVE_LOW(d))) return live;
  switch (op) {
    case BPF_MOV:
      if (!from_register) return live;
      return live | (wide && insn.off == 0 ? same_halves(behind, d, s) : LIVE_LOW(s));
    case BPF_END:
      return live | (insn.imm == 64 ? LIVE_BOTH(d) : LIVE_LOW(d));
    case BPF_NEG:
      return live | (wide ? same_halves(behind, d, d) : LIVE_LOW(d));
    case BPF_LSH:
      return live | (wide ? same_halves(behind, d, d) : LIVE_LOW(d)) | (from_register ? LIVE_LOW(s) : 0);
    case BPF_RSH:
    case BPF_ARSH:
      return live | (wide ? LIVE_BOTH(d) : LIVE_LOW(d)) | (from_register ? LIVE_LOW(s) : 0);
    case BPF_DIV:
    case BPF_MOD:
      live |= wide ? LIVE_BOTH(d) : LIVE_LOW(d);
      if (from_register) live |= wide ? LIVE_BOTH(s) : LIVE_LOW(s);
      return live;
    default: /* low halves of these come from low halves */
      live |= wide ? same_halves(behind, d, d) : LIVE_LOW(d);
      if (from_register) live |= wide ? same_halves(behind, d, s) : LIVE_LOW(s);
      return live;
  }
}

static uint32_t live_before_store(struct bpf_insn insn, uint32_t live) {
  unsigned d = bpf_dst(insn), s = bpf_src(insn);
  uint32_t value = BPF_SIZE(insn.code) == BPF_DW ? LIVE_BOTH(s) : LIVE_LOW(s);
  if (BPF_MODE(insn.code) == BPF_ATOMIC) {
    uint32_t r0 = BPF_SIZE(insn.code) == BPF_DW ? LIVE_BOTH(0) : LIVE_LOW(0);
    if (insn.imm == BPF_CMPXCHG) {
      live = (live & ~LIVE_BOTH(0)) | r0;
    } else if (insn.imm & BPF_FETCH) {
      live &= ~LIVE_BOTH(s);
    }
  }
  return live | value | LIVE_BOTH(d);
}

static uint32_t live_before_jump(const struct jit_program *p, struct bpf_insn insn, uint32_t live, bool in_main) {
  uint32_t set = 0;
  if (jit_is_callx(insn)) return live | 0x03ff03ff;
  switch (BPF_OP(insn.code)) {
    case BPF_JA:
      return live;
    case BPF_EXIT:
      /* A caller may look at what is left in r1 to r5. */
      return in_main ? LIVE_BOTH(0) : 0x003f003f;
    case BPF_CALL:
      for (unsigned r = 0; r <= 5; r++)
        set |= LIVE_BOTH(r);
      live &= ~set;
      if (bpf_src(insn) == BPF_PSEUDO_CALL) return live | 0x03ff03ff;
      for (unsigned r = 1; r <= jit_arguments(bpf_proto_find((uint32_t)insn.imm)); r++)
        live |= LIVE_BOTH(r);
      return insn.imm == BPF_HELPER_TAIL_CALL ? live | 0x03c003c0 : live;
    default:
      if (BPF_CLASS(insn.code) == BPF_JMP32) {
        return live | LIVE_LOW(bpf_dst(insn)) | (insn.code & BPF_X ? LIVE_LOW(bpf_src(insn)) : 0);
      }
      return live | LIVE_BOTH(bpf_dst(insn)) | (insn.code & BPF_X ? LIVE_BOTH(bpf_src(insn)) : 0);
  }
}

static uint32_t live_before(const struct jit_program *p, struct bpf_insn insn, uint32_t live, bool in_main) {
  switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
      return live & ~LIVE_BOTH(bpf_dst(insn));
    case BPF_LDX:
      return (live & ~LIVE_BOTH(bpf_dst(insn))) | LIVE_BOTH(bpf_src(insn));
    case BPF_ST:
      return live | LIVE_BOTH(bpf_dst(insn));
    case BPF_STX:
      return live_before_store(insn, live);
    case BPF_JMP:
    case BPF_JMP32:
      return live_before_jump(p, insn, live, in_main);
    default:
      return live_before_alu(insn, live);
  }
}

static bool live_round(struct jit_program *p) {
  bool changed = false;
  for (uint32_t i = p->block_count; i-- > 0;) {
    struct jit_block *block = &p->blocks[i];
    uint32_t live = 0;
    if (block->next != NO_BLOCK) live |= p->blocks[block->next].live_in;
    if (block->taken != NO_BLOCK) live |= p->blocks[block->taken].live_in;
    for (uint32_t at = block->end; at-- > block->first;) {
      p->live[at] = live;
      if (!(p->flags[at] & SLOT_SECOND)) live = live_before(p, p->insns[at], live, block->function == 0);
    }
    changed = changed || live != block->live_in;
    block->live_in = live;
  }
  return changed;
}

static void find_live(struct jit_program *p) {
  for (unsigned round = 0; round < ROUNDS_MAX; round++) {
    if (!live_round(p)) return;
  }
  for (uint32_t at = 0; at < p->count; at++) {
    p->live[at] = ALL_LIVE;
  }
  for (uint32_t i = 0; i < p->block_count; i++) {
    p->blocks[i].live_in = ALL_LIVE;
  }
}

/* --- all of it --- */

int jit_analyse(struct jit_program *p, const struct bpf_program *program, const struct bpf_fact *facts,
                struct report *report) {
  *p = (struct jit_program){.program = program, .facts = facts, .insns = program->insns, .count = program->insn_count};
  p->flags = memory_alloc(p->count);
  p->live = memory_alloc(p->count * sizeof *p->live);
  p->block_of = memory_alloc(p->count * sizeof *p->block_of);
  if (p->flags == NULL || p->live == NULL || p->block_of == NULL) goto out_of_memory;
  mark(p);
  count_parts(p);
  p->blocks = memory_alloc(p->block_count * sizeof *p->blocks);
  p->functions = memory_alloc(p->function_count * sizeof *p->functions);
  if (p->blocks == NULL || p->functions == NULL) goto out_of_memory;
  divide(p);
  int error = connect(p, report);
  if (error == 0) find_live(p);
  return error;

out_of_memory:
  return report_error(report, ERROR_NO_MEMORY, "no memory to translate %u instructions", p->count);
}

void jit_analyse_free(struct jit_program *p) {
  memory_free(p->flags);
  memory_free(p->live);
  memory_free(p->block_of);
  memory_free(p->blocks);
  memory_free(p->functions);
}
