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

static void set_flags(struct jit_program *p, uint32_t at, unsigned flags) {
  const unsigned added = flags & ~(unsigned)p->flags[at];
  p->flags[at] |= (uint8_t)flags;
  p->block_count += (added & SLOT_LEADER) != 0;
  p->function_count += (added & SLOT_FUNCTION) != 0;
}

static void mark_target(struct jit_program *p, uint32_t at, uint32_t target) {
  set_flags(p, target, SLOT_LEADER | SLOT_TARGET);
  if (target > at) return;
  p->flags[target] |= SLOT_LOOP;
  if (!(jit_fact(p, at) & BPF_FACT_BOUNDED)) p->loops = true;
}

/* The function that the instruction at `at` calls or takes the address of. */
static void mark_function(struct jit_program *p, uint32_t at, uint8_t flags) {
  uint32_t target = at + 1 + (uint32_t)p->insns[at].imm;
  set_flags(p, target, flags);
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
  if (insn.imm == BPF_HELPER_TAIL_CALL) p->tail_calls = p->moves_packet = true; /* who is called may do all that */
  if (insn.imm != BPF_HELPER_TAIL_CALL || !(jit_fact(p, at) & BPF_FACT_ARGUMENTS)) p->finds_values = true;
}

static void mark(struct jit_program *p) {
  set_flags(p, 0, SLOT_LEADER | SLOT_FUNCTION);
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
      if (at + 1 < p->count) set_flags(p, at + 1, SLOT_LEADER);
    } else if (jit_is_exit(insn)) {
      if (at + 1 < p->count) set_flags(p, at + 1, SLOT_LEADER);
    } else if (BPF_CLASS(insn.code) >= BPF_LDX && BPF_CLASS(insn.code) <= BPF_STX) {
      if (!(jit_fact(p, at) & BPF_FACT_ACCESS)) p->finds_values = true;
    }
  }
}

uint32_t jit_definition(const struct jit_program *p, uint32_t at, unsigned reg) {
  const uint32_t first = p->blocks[p->block_of[at]].first;
  while (at-- > first) {
    struct bpf_insn insn = p->insns[at];
    if (p->flags[at] & SLOT_SECOND) continue;
    if (jit_mentioned(insn) >> reg & 1) return jit_written(insn) == 1u << reg ? at : JIT_NO_SLOT;
    if (jit_ends_line(insn)) return JIT_NO_SLOT;
  }
  return JIT_NO_SLOT;
}

/* --- functions and blocks --- */

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

/* What an operand must have so that the result has the halves that are wanted of it. */
enum { UNUSED, LOW, SAME, WHOLE };

static uint32_t halves(unsigned need, unsigned reg, bool high) {
  uint32_t upper = need == WHOLE || (need == SAME && high);
  return need == UNUSED ? 0 : LIVE_LOW(reg) | upper << (reg + 16);
}

static uint32_t live_before_alu(struct bpf_insn insn, uint32_t live) {
  /* Of 64-bit operations: destination, source. */
  static const uint8_t needs[16][2] = {
      [BPF_ADD >> 4] = {SAME, SAME},   [BPF_SUB >> 4] = {SAME, SAME},   [BPF_MUL >> 4] = {SAME, SAME},
      [BPF_DIV >> 4] = {WHOLE, WHOLE}, [BPF_OR >> 4] = {SAME, SAME},    [BPF_AND >> 4] = {SAME, SAME},
      [BPF_LSH >> 4] = {SAME, LOW},    [BPF_RSH >> 4] = {WHOLE, LOW},   [BPF_NEG >> 4] = {SAME, UNUSED},
      [BPF_MOD >> 4] = {WHOLE, WHOLE}, [BPF_XOR >> 4] = {SAME, SAME},   [BPF_MOV >> 4] = {UNUSED, SAME},
      [BPF_ARSH >> 4] = {WHOLE, LOW},  [BPF_END >> 4] = {WHOLE, UNUSED}};
  unsigned d = bpf_dst(insn), s = bpf_src(insn), op = BPF_OP(insn.code);
  uint32_t behind = live;
  live &= ~LIVE_BOTH(d);
  if (!(behind & LIVE_LOW(d))) return live;
  bool wide = BPF_CLASS(insn.code) == BPF_ALU64, high = wide && (behind & LIVE_HIGH(d)) != 0;
  unsigned of_d = needs[op >> 4][0], of_s = insn.code & BPF_X ? needs[op >> 4][1] : UNUSED;
  if (op == BPF_END) {
    of_d = insn.imm == 64 ? WHOLE : LOW;
  } else if (!wide || (op == BPF_MOV && insn.off != 0)) {
    of_d = of_d < LOW ? of_d : LOW;
    of_s = of_s < LOW ? of_s : LOW;
  }
  return live | halves(of_d, d, high) | halves(of_s, s, high);
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

static uint32_t live_before_jump(struct bpf_insn insn, uint32_t live) {
  uint32_t set = 0;
  if (jit_is_callx(insn)) return live | 0x03ff03ff;
  switch (BPF_OP(insn.code)) {
    case BPF_JA:
      return live;
    case BPF_EXIT:
      return LIVE_BOTH(0);
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

static uint32_t live_before(struct bpf_insn insn, uint32_t live) {
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
      return live_before_jump(insn, live);
    default:
      return live_before_alu(insn, live);
  }
}

/* Looks at the blocks behind which something changed since they were looked at. False: none did. */
static bool live_round(struct jit_program *p, uint32_t *step) {
  static const struct jit_block nothing = {.live_in = 0};
  bool changed = false;
  for (uint32_t i = p->block_count; i-- > 0;) {
    struct jit_block *block = &p->blocks[i];
    unsigned fact = jit_fact(p, last_of(p, block));
    const struct jit_block *next =
        block->next == NO_BLOCK || (fact & BPF_FACT_ALWAYS) ? &nothing : &p->blocks[block->next];
    const struct jit_block *taken =
        block->taken == NO_BLOCK || (fact & BPF_FACT_NEVER) ? &nothing : &p->blocks[block->taken];
    if (block->seen != 0 && next->changed < block->seen && taken->changed < block->seen) continue;
    block->seen = ++*step;
    uint32_t live = next->live_in | taken->live_in;
    for (uint32_t at = block->end; at-- > block->first;) {
      p->live[at] = live;
      if (!(p->flags[at] & SLOT_SECOND)) live = live_before(p->insns[at], live);
    }
    if (live == block->live_in) continue;
    changed = true;
    block->live_in = live;
    block->changed = ++*step;
  }
  return changed;
}

static void find_live(struct jit_program *p) {
  uint32_t step = 0;
  for (unsigned round = 0; round < ROUNDS_MAX; round++) {
    if (!live_round(p, &step)) return;
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
  p->live = memory_alloc(p->count * (sizeof *p->live + sizeof *p->block_of + sizeof *p->flags));
  if (p->live == NULL) goto out_of_memory;
  p->block_of = p->live + p->count;
  p->flags = (uint8_t *)(p->block_of + p->count);
  mark(p);
  p->blocks = memory_alloc(p->block_count * sizeof *p->blocks + p->function_count * sizeof *p->functions);
  if (p->blocks == NULL) goto out_of_memory;
  p->functions = (struct jit_function *)(void *)(p->blocks + p->block_count);
  divide(p);
  int error = connect(p, report);
  if (error == 0) find_live(p);
  return error;

out_of_memory:
  return report_error(report, ERROR_NO_MEMORY, "no memory to translate %u instructions", p->count);
}

void jit_analyse_free(struct jit_program *p) {
  memory_free(p->live);
  memory_free(p->blocks);
}
