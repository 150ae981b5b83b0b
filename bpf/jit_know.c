/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Forward analysis of register contents. States only lose knowledge from round to round, so it ends; a program on which it takes long
 * is taken to be one of which nothing is known.
 */
#include "bpf/jit_know.h"

#include "lib/bytes.h"
#include "lib/memory.h"

enum { ROUNDS_MAX = 8 };

/* --- joining --- */

/* `grows`: ranges may. They don't where loops begin, so that there is an end to it. */
static bool join_value(struct jit_know *k, struct jit_value *into, struct jit_value v, bool grows) {
  if (jit_same(*into, v)) return false;
  if (jit_same_place(*into, v)) {
    const int64_t low = into->offset, high = jit_highest(*into);
    if (v.offset >= low && jit_highest(v) <= high) return false;
    if (grows) {
      v.span = (uint32_t)((jit_highest(v) > high ? jit_highest(v) : high) - (v.offset < low ? v.offset : low));
      v.offset = (int32_t)(v.offset < low ? v.offset : low);
      *into = v;
      return true;
    }
  }
  enum jit_guess a = jit_guess_of(*into), b = jit_guess_of(v);
  struct jit_value joined = jit_guessed(a == b ? a : GUESS_NONE);
  if (jit_same(*into, joined)) {
    jit_lose(k, v);
    return false;
  }
  jit_lose(k, *into);
  jit_lose(k, v);
  *into = joined;
  return true;
}

/* What registers hold at the head in any round, given what they hold in the first one. */
static void enter_loop(struct jit_know *k, const struct jit_loop *loop, struct jit_state *s) {
  const struct jit_value counter = s->reg[loop->counter];
  const int64_t rounds = counter.kind == KNOW_NUMBER ? jit_loop_rounds(loop, counter.offset, jit_highest(counter)) : -1;
  for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++) {
    struct jit_value *v = &s->reg[r];
    if (!(loop->moved >> r & 1)) continue;
    const int64_t distance = rounds * loop->step[r];
    const bool moves = rounds >= 0 && jit_has_range(*v) && (v->kind == KNOW_NUMBER || !(loop->narrow >> r & 1));
    if (moves &&
        jit_set_range(v, v->offset + (distance < 0 ? distance : 0), jit_highest(*v) + (distance > 0 ? distance : 0)))
      continue;
    jit_lose(k, *v);
    *v = jit_guessed(jit_guess_of(*v));
  }
}

/* Registers that are not read behind are not looked at. */
static bool join_state(struct jit_know *k, uint32_t block, const struct jit_state *from) {
  struct jit_state *into = &k->entry[block];
  const uint32_t live = k->p->blocks[block].live_in;
  const bool grows = !(k->p->flags[k->p->blocks[block].first] & SLOT_LOOP);
  bool changed = !into->reached;
  if (changed) {
    *into = *from;
    into->reached = into->changed = true;
    for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++) {
      if (!(live & LIVE_LOW(r))) into->reg[r] = jit_anything();
    }
    return true;
  }
  for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++) {
    if (live & LIVE_LOW(r)) changed = join_value(k, &into->reg[r], from->reg[r], grows) || changed;
  }
  if (into->low & ~from->low) {
    into->low &= from->low;
    changed = true;
  }
  if (from->packet < into->packet) {
    into->packet = from->packet;
    changed = true;
  }
  into->changed = into->changed || changed;
  return changed;
}

enum { OUTSIDE = NO_BLOCK }; /* no block of the function */

/* Where a loop goes round, what its registers move by is known already. */
static bool join(struct jit_know *k, uint32_t block, uint32_t from_block, const struct jit_state *from) {
  const uint32_t index = k->p->blocks[block].loop;
  if (index == 0) return join_state(k, block, from);
  const struct jit_loop *loop = &k->loops[index - 1];
  struct jit_state s = *from;
  if (from_block != loop->latch) {
    enter_loop(k, loop, &s);
  } else {
    for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++)
      if (loop->moved >> r & 1) s.reg[r] = k->entry[block].reg[r];
  }
  return join_state(k, block, &s);
}

/* --- upper halves that are zero --- */

static unsigned mask_of(unsigned r) { return 1u << r; }

/* struct jit_state's `low` behind the instruction. */
static unsigned low_behind(const struct jit_program *p, uint32_t at, unsigned low) {
  enum { CALL_LOSES = 0x3f };
  const struct bpf_insn insn = p->insns[at];
  const unsigned d = mask_of(bpf_dst(insn)), kind = jit_opcodes[insn.code].low;
  if (kind == LOW_KEPT) return low;
  if (kind == LOW_SET) return low | d;
  if (kind == LOW_CLEAR) return low & ~d;
  const bool was = (low & d) != 0, other = insn.code & BPF_X ? (low & mask_of(bpf_src(insn))) != 0 : insn.imm >= 0;
  bool is_low = false;
  switch ((enum jit_low)kind) {
    case LOW_WAS: /* an unsigned quotient or rest */
      is_low = was && insn.off == 0;
      break;
    case LOW_EITHER:
      is_low = was || other;
      break;
    case LOW_BOTH:
      is_low = was && other;
      break;
    case LOW_SHIFTED:
      is_low = was || (!(insn.code & BPF_X) && (insn.imm & 63) >= 32);
      break;
    case LOW_END:
      is_low = insn.imm != 64;
      break;
    case LOW_MOVE:
      is_low = other && insn.off == 0;
      break;
    case LOW_IMMEDIATE:
      is_low = bpf_src(insn) == BPF_PSEUDO_IMM && p->insns[at + 1].imm == 0;
      break;
    case LOW_ATOMIC: {
      if (!(insn.imm & BPF_FETCH)) return low;
      const unsigned r = insn.imm == BPF_CMPXCHG ? mask_of(0) : mask_of(bpf_src(insn));
      return BPF_SIZE(insn.code) == BPF_W ? low | r : low & ~r;
    }
    case LOW_CALL:
      return low & ~(unsigned)CALL_LOSES;
    default:
      break;
  }
  return is_low ? low | d : low & ~d;
}

/* --- where a block goes --- */

static void not_null(struct jit_state *s, unsigned r) {
  if (s->reg[r].kind != KNOW_VALUE_OR_NULL) return;
  uint16_t origin = s->reg[r].origin;
  for (unsigned i = 0; i < BPF_FRAME_REGISTER; i++) {
    if (s->reg[i].kind != KNOW_VALUE_OR_NULL || s->reg[i].origin != origin) continue;
    s->reg[i] = (struct jit_value){.kind = KNOW_VALUE, .map = s->reg[i].map};
  }
}

/* Given that `pointer <= end` (or `<`) holds. */
static void within_packet(struct jit_state *s, struct jit_value pointer, bool less) {
  int64_t bytes = (int64_t)pointer.offset + less;
  if (bytes > s->packet && bytes <= UINT16_MAX) s->packet = (uint16_t)bytes;
}

/* Given the outcome of a comparison with a constant. 64 bits say it of anything, 32 bits of numbers only. */
static void learn_number(struct jit_value *v, struct bpf_insn insn, bool taken) {
  int64_t low = 0, high = INT64_MAX;
  if (insn.imm < 0 || (v->kind != KNOW_NUMBER && (v->kind != KNOW_ANY || BPF_CLASS(insn.code) != BPF_JMP))) return;
  switch (BPF_OP(insn.code)) {
    case BPF_JLT:
    case BPF_JGE:
      if (taken == (BPF_OP(insn.code) == BPF_JLT)) {
        high = (int64_t)insn.imm - 1;
      } else {
        low = insn.imm;
      }
      break;
    case BPF_JLE:
    case BPF_JGT:
      if (taken == (BPF_OP(insn.code) == BPF_JLE)) {
        high = insn.imm;
      } else {
        low = (int64_t)insn.imm + 1;
      }
      break;
    case BPF_JEQ:
    case BPF_JNE:
      if (taken == (BPF_OP(insn.code) == BPF_JEQ)) low = high = insn.imm;
      break;
    default:
      break;
  }
  if (v->kind == KNOW_NUMBER) {
    if (v->offset > low) low = v->offset;
    if (jit_highest(*v) < high) high = jit_highest(*v);
  }
  /* Never so: nobody comes along here. */
  if (low > high) return;
  if (v->kind == KNOW_NUMBER || jit_guess_of(*v) == GUESS_NONE) {
    const struct jit_value learnt = jit_number(low, high);
    if (learnt.kind == KNOW_NUMBER) *v = learnt;
  }
}

/* What the outcome of a comparison says. */
static void learn(struct jit_state *s, struct bpf_insn insn, bool taken) {
  unsigned d = bpf_dst(insn), op = BPF_OP(insn.code);
  if (!(insn.code & BPF_X) && d != BPF_FRAME_REGISTER) learn_number(&s->reg[d], insn, taken);
  if (BPF_CLASS(insn.code) != BPF_JMP) return;
  if (!(insn.code & BPF_X)) {
    if (insn.imm == 0 && ((op == BPF_JEQ && !taken) || (op == BPF_JNE && taken))) not_null(s, d);
    return;
  }
  struct jit_value a = s->reg[d], b = s->reg[bpf_src(insn)];
  /* As a comparison with the pointer on the left. */
  bool turned = a.kind == KNOW_PACKET_END && b.kind == KNOW_PACKET;
  if (!turned && (a.kind != KNOW_PACKET || b.kind != KNOW_PACKET_END)) return;
  struct jit_value pointer = turned ? b : a;
  bool less = op == BPF_JLT || op == BPF_JLE, greater = op == BPF_JGT || op == BPF_JGE;
  bool strict = op == BPF_JLT || op == BPF_JGT;
  if (!less && !greater) return;
  if (turned) {
    bool other = less;
    less = greater;
    greater = other;
  }
  if (less && taken) within_packet(s, pointer, strict);
  if (greater && !taken) within_packet(s, pointer, !strict);
}

/* The callee begins with the caller's registers, and a frame of its own. */
static bool enter_callee(struct jit_know *k, const struct jit_state *s, uint32_t at) {
  uint32_t block = k->p->block_of[at + 1 + (uint32_t)k->p->insns[at].imm];
  struct jit_state entry = *s;
  for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++) {
    if (entry.reg[r].kind != KNOW_STACK) continue;
    if (k->p->blocks[block].live_in & LIVE_LOW(r)) k->escapes = true;
    entry.reg[r] = jit_anything();
  }
  return join(k, block, OUTSIDE, &entry);
}

static bool flow(struct jit_know *k, uint32_t index) {
  const struct jit_block *block = &k->p->blocks[index];
  struct jit_state s = k->entry[index];
  uint32_t last = block->first;
  bool changed = false;
  for (uint32_t at = block->first; at < block->end; at = jit_behind(k->p, at)) {
    if (jit_is_call(k->p->insns[at], BPF_PSEUDO_CALL)) changed = enter_callee(k, &s, at) || changed;
    jit_know_step(k, &s, at);
    k->p->low[at] = s.low;
    s.low = (uint16_t)low_behind(k->p, at, s.low);
    last = at;
  }
  unsigned fact = jit_fact(k->p, last);
  struct bpf_insn insn = k->p->insns[last];
  bool conditional = jit_is_jump(insn) && block->next != NO_BLOCK;
  if (block->taken != NO_BLOCK && !(fact & BPF_FACT_NEVER)) {
    struct jit_state taken = s;
    if (conditional) learn(&taken, insn, true);
    changed = join(k, block->taken, index, &taken) || changed;
  }
  if (block->next != NO_BLOCK && !(fact & BPF_FACT_ALWAYS)) {
    if (conditional) learn(&s, insn, false);
    changed = join(k, block->next, index, &s) || changed;
  }
  return changed;
}

/* --- what registers hold --- */

static void know_nothing(struct jit_know *k) {
  for (uint32_t i = 0; i < k->p->block_count; i++) {
    struct jit_state *s = &k->entry[i];
    *s = (struct jit_state){.reached = true};
    s->reg[BPF_FRAME_REGISTER] = (struct jit_value){.kind = KNOW_STACK};
  }
  memset(k->p->low, 0, k->p->count * sizeof *k->p->low);
  k->escapes = true;
}

static void begin(struct jit_know *k) {
  struct jit_state main = {0}, callback = {0};
  main.reg[BPF_FRAME_REGISTER] = callback.reg[BPF_FRAME_REGISTER] = (struct jit_value){.kind = KNOW_STACK};
  main.reg[1].kind = k->is_memory ? KNOW_ANY : KNOW_CONTEXT;
  if (k->is_memory) main.reg[1].offset = GUESS_PACKET;
  join(k, 0, OUTSIDE, &main);
  for (uint32_t i = 0; i < k->p->function_count; i++) {
    uint32_t first = k->p->functions[i].first;
    if (k->p->flags[first] & SLOT_CALLBACK) join(k, k->p->block_of[first], OUTSIDE, &callback);
  }
}

/* Goes round until nothing changes. False: that takes too long. */
static bool settle(struct jit_know *k, bool follow(struct jit_know *k, uint32_t block)) {
  bool changed = true;
  for (unsigned round = 0; changed && round < ROUNDS_MAX; round++) {
    changed = false;
    for (uint32_t i = 0; i < k->p->block_count; i++) {
      if (!k->entry[i].changed) continue;
      k->entry[i].changed = false;
      changed = follow(k, i) || changed;
    }
  }
  return !changed;
}

static void know_what_registers_hold(struct jit_know *k) {
  begin(k);
  if (!settle(k, flow)) know_nothing(k);
  for (uint32_t i = 0; i < k->p->function_count && k->escapes; i++) {
    k->p->functions[i].frame_low = -BPF_STACK_SIZE;
  }
}

/* --- upper halves only --- */

static bool join_low(struct jit_know *k, uint32_t block, unsigned low) {
  struct jit_state *into = &k->entry[block];
  if (into->reached && (into->low & ~low) == 0) return false;
  into->low = (uint16_t)(into->reached ? into->low & low : low);
  into->reached = into->changed = true;
  return true;
}

static bool flow_low(struct jit_know *k, uint32_t index) {
  const struct jit_block *block = &k->p->blocks[index];
  const unsigned fact = jit_fact(k->p, block->last);
  unsigned low = k->entry[index].low;
  bool changed = false;
  for (uint32_t at = block->first; at < block->end; at = jit_behind(k->p, at)) {
    k->p->low[at] = (uint16_t)low;
    low = low_behind(k->p, at, low);
  }
  if (block->taken != NO_BLOCK && !(fact & BPF_FACT_NEVER)) changed = join_low(k, block->taken, low);
  if (block->next != NO_BLOCK && !(fact & BPF_FACT_ALWAYS)) changed = join_low(k, block->next, low) || changed;
  return changed;
}

static void know_upper_halves(struct jit_know *k) {
  for (uint32_t i = 0; i < k->p->function_count; i++)
    join_low(k, k->p->block_of[k->p->functions[i].first], 0);
  if (settle(k, flow_low)) return;
  memset(k->p->low, 0, k->p->count * sizeof *k->p->low);
  for (uint32_t i = 0; i < k->p->block_count; i++)
    k->entry[i].reached = true;
}

/* --- all of it --- */

int jit_know_all(struct jit_know *k, struct jit_program *p, bool is_memory, struct report *report) {
  *k = (struct jit_know){.p = p, .is_memory = is_memory, .escapes = p->callbacks};
  k->entry = memory_resize(NULL, p->block_count * sizeof *k->entry);
  if (k->entry == NULL)
    return report_error(report, ERROR_NO_MEMORY, "no memory to translate %u instructions", p->count);
  for (uint32_t i = 0; i < p->block_count; i++)
    k->entry[i].reached = k->entry[i].changed = false;
  if (p->proven) {
    know_upper_halves(k);
    return 0;
  }
  if (!jit_loops_find(p, &k->loops, &k->loop_count))
    return report_error(report, ERROR_NO_MEMORY, "no memory to translate %u instructions", p->count);
  know_what_registers_hold(k);
  return 0;
}

void jit_know_free(struct jit_know *k) {
  memory_free(k->entry);
  memory_free(k->loops);
}
