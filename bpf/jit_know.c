/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Forward analysis of register contents. States only lose knowledge from round to round, so it ends; a program on which it takes long
 * is taken to be one of which nothing is known.
 */
#include "bpf/jit_know.h"

#include "lib/bytes.h"
#include "lib/memory.h"

enum { ROUNDS_MAX = 8, OFFSET_MAX = 1 << 17 };

static const struct jit_value nothing = {.kind = KNOW_ANY};

static struct jit_value guess(enum jit_guess g) { return (struct jit_value){.kind = KNOW_ANY, .offset = (int32_t)g}; }

enum jit_guess jit_guess_of(struct jit_value v) {
  switch ((enum jit_kind)v.kind) {
    case KNOW_ANY:
      return (enum jit_guess)v.offset;
    case KNOW_PACKET:
      return GUESS_PACKET;
    case KNOW_VALUE:
    case KNOW_VALUE_OR_NULL:
      return GUESS_VALUE;
    default:
      return GUESS_NONE;
  }
}

static bool same(struct jit_value a, struct jit_value b) {
  return a.kind == b.kind && a.map == b.map && a.origin == b.origin && a.offset == b.offset && a.span == b.span;
}

/* --- ranges --- */

static bool has_range(struct jit_value v) { return v.kind >= KNOW_NUMBER; }
static int64_t highest(struct jit_value v) { return (int64_t)v.offset + v.span; }

/* The same with an offset from `low` to `high`. False: that is too far away. */
static bool set_range(struct jit_value *v, int64_t low, int64_t high) {
  const bool number = v->kind == KNOW_NUMBER;
  if (low < (number ? 0 : -OFFSET_MAX) || high > (number ? (int64_t)JIT_NUMBER_MAX : OFFSET_MAX)) return false;
  v->offset = (int32_t)low;
  v->span = (uint32_t)(high - low);
  return true;
}

/* A number from `low` to `high`. */
static struct jit_value number(int64_t low, int64_t high) {
  struct jit_value v = {.kind = KNOW_NUMBER};
  return set_range(&v, low, high) ? v : nothing;
}

/* Whether they are the same but for the range. */
static bool same_place(struct jit_value a, struct jit_value b) {
  return has_range(a) && a.kind == b.kind && a.map == b.map;
}

/* Stack and context lie in the machine: whoever computes with such an address may reach all of it. */
static bool is_inside_machine(struct jit_value v) { return v.kind == KNOW_STACK || v.kind == KNOW_CONTEXT; }

static void lose(struct jit_know *k, struct jit_value v) { k->escapes = k->escapes || is_inside_machine(v); }

/* --- joining --- */

/* `grows`: ranges may. They don't where loops begin, so that there is an end to it. */
static bool join_value(struct jit_know *k, struct jit_value *into, struct jit_value v, bool grows) {
  if (same(*into, v)) return false;
  if (same_place(*into, v)) {
    const int64_t low = into->offset, high = highest(*into);
    if (v.offset >= low && highest(v) <= high) return false;
    if (grows) {
      v.span = (uint32_t)((highest(v) > high ? highest(v) : high) - (v.offset < low ? v.offset : low));
      v.offset = (int32_t)(v.offset < low ? v.offset : low);
      *into = v;
      return true;
    }
  }
  enum jit_guess a = jit_guess_of(*into), b = jit_guess_of(v);
  struct jit_value joined = guess(a == b ? a : GUESS_NONE);
  if (same(*into, joined)) {
    lose(k, v);
    return false;
  }
  lose(k, *into);
  lose(k, v);
  *into = joined;
  return true;
}

/* What registers hold at the head in any round, given what they hold in the first one. */
static void enter_loop(struct jit_know *k, const struct jit_loop *loop, struct jit_state *s) {
  const struct jit_value counter = s->reg[loop->counter];
  const int64_t rounds = counter.kind == KNOW_NUMBER ? jit_loop_rounds(loop, counter.offset, highest(counter)) : -1;
  for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++) {
    struct jit_value *v = &s->reg[r];
    if (!(loop->moved >> r & 1)) continue;
    const int64_t distance = rounds * loop->step[r];
    const bool moves = rounds >= 0 && has_range(*v) && (v->kind == KNOW_NUMBER || !(loop->narrow >> r & 1));
    if (moves && set_range(v, v->offset + (distance < 0 ? distance : 0), highest(*v) + (distance > 0 ? distance : 0)))
      continue;
    lose(k, *v);
    *v = guess(jit_guess_of(*v));
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
      if (!(live & LIVE_LOW(r))) into->reg[r] = nothing;
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

/* --- one instruction --- */

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

static void forget_packet(struct jit_state *s) {
  s->packet = 0;
  for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++) {
    if (s->reg[r].kind == KNOW_PACKET || s->reg[r].kind == KNOW_PACKET_END) s->reg[r] = nothing;
  }
}

/* The frame is reached from this address upwards. */
static void reach_frame(struct jit_know *k, uint32_t at, int64_t offset, uint32_t span) {
  struct jit_function *f = &k->p->functions[k->p->blocks[k->p->block_of[at]].function];
  if (offset < -BPF_STACK_SIZE || offset + span >= 0) { /* below it, or a caller's frame */
    k->escapes = true;
  } else if (offset < f->frame_low) {
    f->frame_low = (int32_t)offset;
  }
}

static void step_add(struct jit_know *k, struct jit_state *s, unsigned d, int64_t distance) {
  struct jit_value v = s->reg[d];
  const int64_t offset = v.offset + distance;
  if (has_range(v) && set_range(&v, offset, offset + v.span)) {
    s->reg[d] = v;
  } else if (v.kind == KNOW_CONTEXT && offset > -OFFSET_MAX && offset < OFFSET_MAX) {
    s->reg[d].offset = (int32_t)offset;
  } else {
    lose(k, v);
    s->reg[d] = guess(jit_guess_of(v));
  }
}

/* Register and register: a pointer plus a number goes where the pointer went. */
static void step_add_register(struct jit_know *k, struct jit_state *s, unsigned d, unsigned from) {
  struct jit_value a = s->reg[d], b = s->reg[from];
  if (a.kind == KNOW_NUMBER) {
    a = b;
    b = s->reg[d];
  }
  if (has_range(a) && b.kind == KNOW_NUMBER && set_range(&a, (int64_t)a.offset + b.offset, highest(a) + highest(b))) {
    s->reg[d] = a;
    return;
  }
  const enum jit_guess of_a = jit_guess_of(s->reg[d]), of_b = jit_guess_of(s->reg[from]);
  lose(k, s->reg[d]);
  lose(k, s->reg[from]);
  s->reg[d] = guess(of_a != GUESS_NONE ? of_a : of_b);
}

/* Arithmetic whose result is a number, whatever it is of; in either width, as numbers are not negative in either. */
static struct jit_value result_of(struct bpf_insn insn, struct jit_value v) {
  const bool known = v.kind == KNOW_NUMBER;
  const unsigned bits = BPF_CLASS(insn.code) == BPF_ALU64 ? 63 : 31, count = (unsigned)insn.imm & bits;
  if (insn.code & BPF_X) return nothing;
  switch (BPF_OP(insn.code)) {
    case BPF_ADD:
      return known ? number(v.offset + (int64_t)insn.imm, highest(v) + insn.imm) : nothing;
    case BPF_AND:
      if (insn.imm < 0) return nothing;
      return number(0, known && highest(v) < insn.imm ? highest(v) : insn.imm);
    case BPF_LSH:
      return known && count < 31 ? number((int64_t)v.offset << count, highest(v) << count) : nothing;
    case BPF_RSH:
      if (known) return number(v.offset >> (count < 31 ? count : 31), highest(v) >> (count < 31 ? count : 31));
      return count > bits - 30 ? number(0, (INT64_C(1) << (bits + 1 - count)) - 1) : nothing;
    case BPF_MUL:
      return known && insn.imm >= 0 ? number((int64_t)v.offset * insn.imm, highest(v) * insn.imm) : nothing;
    case BPF_MOD:
      return insn.imm > 0 && insn.off == 0 ? number(0, (int64_t)insn.imm - 1) : nothing;
    default:
      return nothing;
  }
}

static void step_alu(struct jit_know *k, struct jit_state *s, struct bpf_insn insn) {
  unsigned d = bpf_dst(insn), from = bpf_src(insn), op = BPF_OP(insn.code);
  bool wide = BPF_CLASS(insn.code) == BPF_ALU64, x = (insn.code & BPF_X) != 0 && op != BPF_END;
  if (op == BPF_MOV) {
    /* 32 bits hold all of a number. */
    if (x && insn.off == 0 && (wide || s->reg[from].kind == KNOW_NUMBER)) {
      s->reg[d] = s->reg[from];
    } else {
      if (x) lose(k, s->reg[from]);
      s->reg[d] = x ? nothing : number(insn.imm, insn.imm);
    }
    return;
  }
  if (wide && op == BPF_ADD) {
    if (x) {
      step_add_register(k, s, d, from);
    } else {
      step_add(k, s, d, insn.imm);
    }
    return;
  }
  if (wide && op == BPF_SUB && !x) {
    step_add(k, s, d, -(int64_t)insn.imm);
    return;
  }
  lose(k, s->reg[d]);
  if (x) lose(k, s->reg[from]);
  if (op == BPF_SUB && wide) {
    s->reg[d] = guess(jit_guess_of(s->reg[d]));
  } else {
    s->reg[d] = op != BPF_END ? result_of(insn, s->reg[d]) : insn.imm == 16 ? number(0, UINT16_MAX) : nothing;
  }
}

/* The packet's window as the context shows it. */
static struct jit_value context_field(const struct jit_know *k, int64_t offset, uint32_t size) {
  bool tc = k->p->program->kind == BPF_PROGRAM_TC;
  int64_t data = tc ? (int64_t)offsetof(struct bpf_skb, data) : (int64_t)offsetof(struct xdp_md, data);
  int64_t end = tc ? (int64_t)offsetof(struct bpf_skb, data_end) : (int64_t)offsetof(struct xdp_md, data_end);
  if (size == 4 && offset == data) return (struct jit_value){.kind = KNOW_PACKET};
  if (size == 4 && offset == end) return (struct jit_value){.kind = KNOW_PACKET_END};
  return nothing;
}

static void touch(struct jit_know *k, const struct jit_state *s, uint32_t at, unsigned base) {
  int64_t offset = s->reg[base].offset + (int64_t)k->p->insns[at].off;
  if (s->reg[base].kind == KNOW_STACK) {
    reach_frame(k, at, offset, s->reg[base].span);
  } else if (s->reg[base].kind == KNOW_CONTEXT && (offset < 0 || offset >= (int64_t)sizeof(struct bpf_skb))) {
    k->escapes = true; /* beyond the context, where the stack may lie */
  }
}

static void step_load(struct jit_know *k, struct jit_state *s, uint32_t at) {
  struct bpf_insn insn = k->p->insns[at];
  unsigned base = bpf_src(insn);
  uint32_t size = jit_access_size(insn);
  struct jit_value v = nothing;
  touch(k, s, at, base);
  if (s->reg[base].kind == KNOW_CONTEXT && BPF_MODE(insn.code) == BPF_MEM) {
    v = context_field(k, s->reg[base].offset + (int64_t)insn.off, size);
  }
  if (v.kind == KNOW_ANY && size <= 2 && BPF_MODE(insn.code) == BPF_MEM)
    v = number(0, size == 1 ? UINT8_MAX : UINT16_MAX);
  s->reg[bpf_dst(insn)] = v;
}

static void step_store(struct jit_know *k, struct jit_state *s, uint32_t at) {
  struct bpf_insn insn = k->p->insns[at];
  touch(k, s, at, bpf_dst(insn));
  if (BPF_CLASS(insn.code) == BPF_ST) return;
  lose(k, s->reg[bpf_src(insn)]);
  if (BPF_MODE(insn.code) != BPF_ATOMIC || !(insn.imm & BPF_FETCH)) return;
  lose(k, s->reg[0]);
  s->reg[insn.imm == BPF_CMPXCHG ? 0 : bpf_src(insn)] = nothing;
}

static bool gives_value(const struct bpf_map *map) {
  switch (map->def.type) {
    case BPF_MAP_TYPE_HASH:
    case BPF_MAP_TYPE_ARRAY:
    case BPF_MAP_TYPE_PERCPU_HASH:
    case BPF_MAP_TYPE_PERCPU_ARRAY:
    case BPF_MAP_TYPE_LRU_HASH:
    case BPF_MAP_TYPE_LRU_PERCPU_HASH:
    case BPF_MAP_TYPE_LPM_TRIE:
      return true;
    default:
      return false;
  }
}

static struct jit_value lookup_result(const struct jit_know *k, struct jit_state *s, uint32_t at) {
  struct jit_value map = s->reg[1];
  if (map.kind != KNOW_MAP || !gives_value(k->p->program->maps[map.map])) return guess(GUESS_VALUE);
  struct jit_value v = {.kind = KNOW_VALUE_OR_NULL, .map = map.map, .origin = (uint16_t)at};
  /* What an earlier round of a loop got here is another value. */
  for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++) {
    if (s->reg[r].kind == KNOW_VALUE_OR_NULL && s->reg[r].origin == v.origin) s->reg[r] = guess(GUESS_VALUE);
  }
  return v;
}

static void step_helper(struct jit_know *k, struct jit_state *s, uint32_t at) {
  uint32_t id = (uint32_t)k->p->insns[at].imm;
  const struct bpf_proto *proto = bpf_proto_find(id);
  for (unsigned r = 1; r <= jit_arguments(proto); r++) {
    if (s->reg[r].kind == KNOW_STACK) reach_frame(k, at, s->reg[r].offset, s->reg[r].span);
    if (s->reg[r].kind == KNOW_STACK && (proto->effects & BPF_EFFECT_CALLBACK)) k->escapes = true;
    if (s->reg[r].kind == KNOW_CONTEXT && proto->args[r - 1] != BPF_ARG_CONTEXT) k->escapes = true;
  }
  struct jit_value result = nothing;
  if (id == BPF_HELPER_MAP_LOOKUP_ELEM) {
    result = lookup_result(k, s, at);
  } else if (proto->result == BPF_RETURN_VALUE_OR_NULL || proto->result == BPF_RETURN_RECORD_OR_NULL) {
    result = guess(GUESS_VALUE);
  }
  if (proto->effects & (BPF_EFFECT_PACKET | BPF_EFFECT_CALLBACK)) forget_packet(s);
  s->reg[0] = result;
  for (unsigned r = 1; r <= 5; r++)
    s->reg[r] = nothing;
}

static void step_local_call(struct jit_know *k, struct jit_state *s) {
  if (k->p->moves_packet || k->p->callbacks) forget_packet(s);
  for (unsigned r = 0; r <= 5; r++) {
    if (s->reg[r].kind == KNOW_STACK) k->escapes = true;
    s->reg[r] = nothing;
  }
}

static void step_immediate(struct jit_know *k, struct jit_state *s, uint32_t at) {
  struct bpf_insn insn = k->p->insns[at], high = k->p->insns[at + 1];
  struct jit_value v = nothing;
  if (bpf_src(insn) == BPF_PSEUDO_MAP) v = (struct jit_value){.kind = KNOW_MAP, .map = (uint8_t)insn.imm};
  if (bpf_src(insn) == BPF_PSEUDO_MAP_VALUE) {
    v = (struct jit_value){.kind = KNOW_VALUE, .map = (uint8_t)insn.imm, .offset = high.imm};
  }
  if (bpf_src(insn) == BPF_PSEUDO_IMM && high.imm == 0) v = number((uint32_t)insn.imm, (uint32_t)insn.imm);
  s->reg[bpf_dst(insn)] = v;
}

void jit_know_step(struct jit_know *k, struct jit_state *s, uint32_t at) {
  struct bpf_insn insn = k->p->insns[at];
  switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
      step_immediate(k, s, at);
      break;
    case BPF_LDX:
      step_load(k, s, at);
      break;
    case BPF_ST:
    case BPF_STX:
      step_store(k, s, at);
      break;
    case BPF_JMP:
    case BPF_JMP32:
      if (jit_is_call(insn, BPF_PSEUDO_HELPER)) {
        step_helper(k, s, at);
      } else if (BPF_OP(insn.code) == BPF_CALL) {
        step_local_call(k, s);
      }
      break;
    default:
      step_alu(k, s, insn);
      break;
  }
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
    if (highest(*v) < high) high = highest(*v);
  }
  /* Never so: nobody comes along here. */
  if (low > high) return;
  if (v->kind == KNOW_NUMBER || jit_guess_of(*v) == GUESS_NONE) {
    const struct jit_value learnt = number(low, high);
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
    entry.reg[r] = nothing;
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

/* --- questions --- */

int64_t jit_know_highest(const struct jit_state *s, unsigned reg) {
  return s->reg[reg].kind == KNOW_NUMBER ? highest(s->reg[reg]) : INT64_MAX;
}

static bool context_allows(const struct jit_know *k, int64_t offset, uint32_t size, unsigned access) {
  /* Whole fields of struct xdp_md; of struct __sk_buff those that hold the window, which every program loads. */
  if (size != 4 || offset < 0 || offset % 4 != 0 || (access & BPF_ACCESS_WRITE)) return false;
  if (k->p->program->kind == BPF_PROGRAM_XDP) return offset < (int64_t)offsetof(struct xdp_md, egress_ifindex);
  return offset == (int64_t)offsetof(struct bpf_skb, data) || offset == (int64_t)offsetof(struct bpf_skb, data_end);
}

static bool value_allows(const struct jit_know *k, struct jit_value v, int64_t offset, int64_t end, unsigned access) {
  const struct bpf_map *map = k->p->program->maps[v.map];
  if (map->def.spin_lock != 0 || map->def.timer != 0) return false; /* bytes inside that are not the program's */
  return offset >= 0 && end <= map->def.value_size && (access & ~bpf_machine_map_rights(map)) == 0;
}

bool jit_know_access(const struct jit_know *k, const struct jit_state *s, unsigned reg, int32_t distance, uint32_t size,
                     unsigned access) {
  struct jit_value v = s->reg[reg];
  const int64_t offset = (int64_t)v.offset + distance, end = offset + v.span + size;
  switch ((enum jit_kind)v.kind) {
    case KNOW_CONTEXT:
      return (access & BPF_ACCESS_CONTEXT) && context_allows(k, offset, size, access);
    case KNOW_STACK:
      return offset >= -BPF_STACK_SIZE && end <= 0;
    case KNOW_PACKET:
      return offset >= 0 && end <= s->packet;
    case KNOW_VALUE:
      return value_allows(k, v, offset, end, access);
    default:
      return false;
  }
}

bool jit_know_arguments(const struct jit_know *k, const struct jit_state *s, const struct bpf_proto *proto) {
  const struct bpf_map *map = NULL;
  for (unsigned i = 0; i < 5; i++) {
    struct jit_value v = s->reg[i + 1];
    switch ((enum bpf_arg)proto->args[i]) {
      case BPF_ARG_NONE:
        return true;
      case BPF_ARG_ANY:
        break;
      case BPF_ARG_CONTEXT:
        if (v.kind != KNOW_CONTEXT || v.offset != 0) return false;
        break;
      case BPF_ARG_MAP:
        if (v.kind != KNOW_MAP) return false;
        map = k->p->program->maps[v.map];
        if (!(proto->map_types >> map->def.type & 1) || (proto->map_use & ~bpf_machine_map_rights(map))) return false;
        break;
      case BPF_ARG_MAP_KEY:
        if (map == NULL || !jit_know_access(k, s, i + 1, 0, map->def.key_size, BPF_ACCESS_READ)) return false;
        break;
      case BPF_ARG_MAP_VALUE:
        if (map == NULL || !jit_know_access(k, s, i + 1, 0, map->def.value_size, BPF_ACCESS_READ)) return false;
        break;
      default:
        return false;
    }
  }
  return true;
}
