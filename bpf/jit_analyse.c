/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Functions, blocks and liveness. Everything is linear but liveness, which goes round until nothing changes; a program twisted so that
 * this takes long is taken to need every register everywhere.
 */
#include "bpf/jit_analyse.h"

#include "lib/bytes.h"
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
  p->goes_back = true;
  if (!(jit_fact(p, at) & BPF_FACT_BOUNDED)) p->loops = true;
}

/* The function that the instruction at `at` calls or takes the address of. */
static void mark_function(struct jit_program *p, uint32_t at, uint8_t flags) {
  uint32_t target = at + 1 + (uint32_t)p->insns[at].imm;
  set_flags(p, target, flags);
  if (target == 0) p->recursive = true;
}

static void mark_helper(struct jit_program *p, uint32_t at) {
  const struct bpf_proto *proto = bpf_proto_find((uint32_t)p->insns[at].imm);
  const unsigned fact = jit_fact(p, at);
  bool is_tail = p->insns[at].imm == BPF_HELPER_TAIL_CALL, good = (fact & (BPF_FACT_ARGUMENTS | BPF_FACT_KEY)) != 0;
  if (proto->effects & BPF_EFFECT_PACKET) p->moves_packet = true;
  if (is_tail) p->tail_calls = p->moves_packet = true; /* who is called may do all that */
  if (!is_tail || !(fact & BPF_FACT_ARGUMENTS)) p->finds_values = true;
  /* A lookup may be better where its map is known. */
  const bool wants_map = p->insns[at].imm == BPF_HELPER_MAP_LOOKUP_ELEM && !(fact & (BPF_FACT_MAP | BPF_FACT_KEY));
  if (!good || wants_map) p->proven = false;
}

static void mark_jump(struct jit_program *p, uint32_t at) {
  struct bpf_insn insn = p->insns[at];
  switch (BPF_OP(insn.code)) {
    case BPF_CALL:
      if (jit_is_callx(insn)) {
        p->calls_values = p->calls_local = true;
      } else if (bpf_src(insn) == BPF_PSEUDO_CALL) {
        mark_function(p, at, SLOT_LEADER | SLOT_FUNCTION);
        p->calls_local = true;
      } else {
        mark_helper(p, at);
      }
      return;
    case BPF_EXIT:
      break;
    default:
      mark_target(p, at, jit_target(insn, at));
      break;
  }
  if (at + 1 < p->count) set_flags(p, at + 1, SLOT_LEADER);
}

static void mark(struct jit_program *p) {
  p->proven = p->facts != NULL;
  set_flags(p, 0, SLOT_LEADER | SLOT_FUNCTION);
  for (uint32_t at = 0; at < p->count; at++) {
    struct bpf_insn insn = p->insns[at];
    switch (BPF_CLASS(insn.code)) {
      case BPF_LD:
        p->flags[at + 1] |= SLOT_SECOND;
        if (bpf_src(insn) == BPF_PSEUDO_FUNC) {
          mark_function(p, at, SLOT_LEADER | SLOT_FUNCTION | SLOT_CALLBACK);
          p->calls_local = p->callbacks = true;
        }
        at++;
        break;
      case BPF_LDX:
      case BPF_ST:
      case BPF_STX:
        if (jit_fact(p, at) & BPF_FACT_ACCESS) break;
        p->finds_values = true;
        p->proven = false;
        break;
      case BPF_JMP:
      case BPF_JMP32:
        mark_jump(p, at);
        break;
      default:
        break;
    }
  }
  if (p->callbacks || p->calls_values) p->proven = false;
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

/* Up to the slot behind its last, `end`. */
static void close_block(struct jit_program *p, struct jit_block *block, uint32_t end) {
  block->end = end;
  block->last = p->flags[end - 1] & SLOT_SECOND ? end - 2 : end - 1;
}

static void divide(struct jit_program *p) {
  struct jit_block *block = p->blocks;
  struct jit_function *function = p->functions - 1;
  uint16_t mentions = 0;
  uint32_t index = UINT32_MAX;
  for (uint32_t at = 0; at < p->count; at++) {
    const unsigned flags = p->flags[at];
    if (flags & SLOT_LEADER) {
      if (at > 0) close_block(p, block++, at);
      index++;
      if (flags & SLOT_FUNCTION) {
        if (at > 0) {
          function->mentions = mentions;
          function->end = at;
        }
        *++function = (struct jit_function){.first = at};
        mentions = 0;
        if (!(jit_fact(p, at) & BPF_FACT_FRAME)) p->proven = false;
      }
      *block = (struct jit_block){.first = at, .next = NO_BLOCK, .taken = NO_BLOCK};
      block->function = (uint32_t)(function - p->functions);
    }
    p->block_of[at] = index;
    if (flags & SLOT_SECOND) continue;
    mentions |= (uint16_t)jit_mentioned(p->insns[at]);
    if ((p->insns[at].code & ~BPF_X) == (BPF_JMP | BPF_CALL)) function->calls = true;
  }
  close_block(p, block, p->count);
  function->mentions = mentions;
  function->end = p->count;
}

static int connect(struct jit_program *p, struct report *report) {
  if (p->recursive) {
    return report_error(report, ERROR_UNSUPPORTED, "the program calls itself from its beginning; native code does not");
  }
  for (uint32_t i = 0; i < p->block_count; i++) {
    struct jit_block *block = &p->blocks[i];
    const uint32_t last = block->last;
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

static uint32_t live_before_atomic(struct bpf_insn insn, uint32_t live) {
  const unsigned s = bpf_src(insn);
  const bool wide = BPF_SIZE(insn.code) == BPF_DW;
  if (insn.imm == BPF_CMPXCHG) {
    live = (live & ~LIVE_BOTH(0)) | (wide ? LIVE_BOTH(0) : LIVE_LOW(0));
  } else if (insn.imm & BPF_FETCH) {
    live &= ~LIVE_BOTH(s);
  }
  return live | (wide ? LIVE_BOTH(s) : LIVE_LOW(s)) | LIVE_BOTH(bpf_dst(insn));
}

static uint32_t live_before_call(struct bpf_insn insn, uint32_t live) {
  enum { R0_TO_R5 = 0x003f003f, R6_TO_R9 = 0x03c003c0, R0_TO_R9 = R0_TO_R5 | R6_TO_R9 };
  if (jit_is_callx(insn)) return live | R0_TO_R9;
  live &= ~(uint32_t)R0_TO_R5;
  if (bpf_src(insn) == BPF_PSEUDO_CALL) return live | R0_TO_R9;
  for (unsigned r = 1; r <= jit_arguments(bpf_proto_find((uint32_t)insn.imm)); r++)
    live |= LIVE_BOTH(r);
  return insn.imm == BPF_HELPER_TAIL_CALL ? live | R6_TO_R9 : live;
}

static uint32_t live_before_special(struct bpf_insn insn, uint32_t live) {
  const unsigned d = bpf_dst(insn);
  switch (BPF_CLASS(insn.code)) {
    case BPF_STX:
      return live_before_atomic(insn, live);
    case BPF_JMP:
      return jit_is_exit(insn) ? LIVE_BOTH(0) : live_before_call(insn, live);
    default: /* byte swap */
      if (!(live & LIVE_LOW(d))) return live & ~LIVE_BOTH(d);
      return (live & ~LIVE_BOTH(d)) | (insn.imm == 64 ? LIVE_BOTH(d) : LIVE_LOW(d));
  }
}

static uint32_t live_before(struct bpf_insn insn, uint32_t live) {
  /* By NEED_: which halves of the result an operand must have too, and which in any case. As sets of r0. */
  static const uint32_t same[] = {[NEED_LOW] = 0, [NEED_SAME] = LIVE_BOTH(0), [NEED_WHOLE] = 0};
  static const uint32_t always[] = {[NEED_LOW] = LIVE_LOW(0), [NEED_SAME] = 0, [NEED_WHOLE] = LIVE_BOTH(0)};
  const struct jit_opcode *o = &jit_opcodes[insn.code];
  const unsigned d = bpf_dst(insn);
  const uint32_t result = live >> d;
  if (o->life == LIFE_SPECIAL) return live_before_special(insn, live);
  const uint32_t kept = o->writes & OPERAND_DST ? live & ~LIVE_BOTH(d) : live;
  if (o->life == LIFE_RESULT && !(result & 1)) return kept;
  unsigned of_src = o->of_src;
  if (insn.off != 0 && insn.code == (BPF_ALU64 | BPF_MOV | BPF_X)) of_src = NEED_LOW; /* sign-extends */
  return kept | ((result & same[o->of_dst]) | always[o->of_dst]) << d |
         ((result & same[of_src]) | always[of_src]) << bpf_src(insn);
}

/* Looks at the blocks behind which something changed since they were looked at. False: none did. */
static bool live_round(struct jit_program *p, uint32_t *step) {
  static const struct jit_block nothing = {.live_in = 0};
  bool changed = false;
  for (uint32_t i = p->block_count; i-- > 0;) {
    struct jit_block *block = &p->blocks[i];
    unsigned fact = jit_fact(p, block->last);
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
  /* Not zeroed, but for the flags: the others are all written. */
  p->live = memory_resize(NULL, p->count * (sizeof *p->live + sizeof *p->block_of + sizeof *p->low + sizeof *p->flags));
  if (p->live == NULL) goto out_of_memory;
  p->block_of = p->live + p->count;
  p->low = (uint16_t *)(p->block_of + p->count);
  p->flags = (uint8_t *)(p->low + p->count);
  memset(p->flags, 0, p->count);
  mark(p);
  p->blocks = memory_resize(NULL, p->block_count * sizeof *p->blocks + p->function_count * sizeof *p->functions);
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
