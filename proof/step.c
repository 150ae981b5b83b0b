/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arithmetic, jumps, and which function sees to an instruction.
 */
#include "proof/step.h"

#include "proof/access.h"

#define MOVED_MAX ((int64_t)1 << 62)

/* The operand of an arithmetic instruction or jump: the register's value or the immediate, extended. */
static const struct proof_value *operand(struct proof_scope *scope, const struct proof_state *state,
                                         struct bpf_insn insn, struct proof_value *immediate) {
  if (BPF_SRC(insn.code) == BPF_X) return proof_read(scope, state, bpf_src(insn));
  proof_set_constant(immediate, (uint64_t)(int64_t)insn.imm);
  return immediate;
}

/* Whether both operands are known of; if not, refused. */
static bool readable(struct proof_scope *scope, const struct proof_state *state, struct bpf_insn insn,
                     const struct proof_value *src) {
  const unsigned reg = src->kind == PROOF_UNREADABLE ? bpf_src(insn) : bpf_dst(insn);
  return proof_read(scope, state, reg)->kind != PROOF_UNREADABLE ||
         proof_refuse(scope, state, PROOF_READS_UNREADABLE, reg);
}

/* --- addition and subtraction --- */

static struct proof_number negative(const struct proof_number *n) {
  struct proof_number result = *n;
  proof_number_alu(&result, (struct bpf_insn){.code = BPF_ALU64 | BPF_NEG}, NULL);
  return result;
}

/* The measure in v moves along by something in [low, high]. */
static void move(struct proof_value *v, int64_t low, int64_t high) {
  if (v->origin == 0) return;
  if (low <= -MOVED_MAX || high >= MOVED_MAX || v->moved_min + low <= -MOVED_MAX || v->moved_max + high >= MOVED_MAX) {
    v->origin = 0;
    v->moved_min = v->moved_max = 0;
    return;
  }
  v->moved_min += low;
  v->moved_max += high;
}

/* v plus n, a number; the sum is `sum`. A constant keeps the name, at another distance. */
static void shift(struct proof_scope *scope, struct proof_value *v, const struct proof_number *n,
                  const struct proof_number *sum) {
  move(v, n->wide.smin, n->wide.smax);
  v->number = *sum;
  if (proof_number_is_constant(sum)) {
    v->id = 0;
    v->delta = (int64_t)proof_number_value(sum);
  } else if (v->id != 0 && proof_number_is_constant(n)) {
    v->delta = proof_plus(v->delta, (int64_t)proof_number_value(n));
  } else {
    v->id = scope->next_id++;
    v->delta = 0;
  }
}

static bool in_range(int64_t delta) { return delta > -PROOF_MAX_OFFSET && delta < PROOF_MAX_OFFSET; }

/* r[to] = pointer + n or pointer - n. `reg` is the pointer's register. */
static bool add_to_pointer(struct proof_scope *scope, struct proof_state *state, unsigned to, unsigned reg,
                           struct proof_value pointer, const struct proof_value *n, bool subtract) {
  struct proof_value *p = &state->reg[to];
  const bool constant = proof_is_constant(n);
  const int64_t by = subtract ? proof_minus(0, n->delta) : n->delta;
  switch (pointer.kind) {
    case PROOF_CONTEXT:
      if (!constant) return proof_refuse(scope, state, PROOF_POINTER_MATH, reg);
      break;
    case PROOF_PACKET:
    case PROOF_META:
    case PROOF_STACK:
    case PROOF_MAP_VALUE:
    case PROOF_RECORD:
    case PROOF_MEMORY:
    case PROOF_LENT:
      break;
    default:
      return proof_refuse(scope, state, PROOF_POINTER_MATH, reg);
  }
  if (pointer.or_null) return proof_refuse(scope, state, PROOF_POINTER_MATH, reg);
  if (constant) {
    if (!in_range(by) || !in_range(pointer.delta + by)) return proof_refuse(scope, state, PROOF_OFFSET_RANGE, reg);
    move(&pointer, by, by);
    pointer.delta += by;
    *p = pointer;
    return true;
  }
  struct proof_number part = subtract ? negative(&n->number) : n->number;
  move(&pointer, part.wide.smin, part.wide.smax);
  if (proof_is_window(pointer.kind)) {
    if (pointer.id == 0 && !subtract && in_range(n->delta) && in_range(pointer.delta + n->delta)) {
      /* The offset is the number itself: what is learned about one holds for the other. */
      part = proof_number_add(&part, -n->delta);
      pointer.delta += n->delta;
      pointer.id = n->id;
    } else {
      pointer.id = scope->next_id++;
    }
    /* It reaches as far as before, less what it moved at most. */
    const int64_t room = proof_minus(pointer.room, part.wide.smax);
    const bool bounded = in_range(pointer.number.wide.smin) && in_range(part.wide.smin) && in_range(part.wide.smax);
    pointer.room = bounded && in_range(room) ? (int32_t)room : PROOF_NO_ROOM;
  }
  proof_number_alu(&pointer.number, (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_X}, &part);
  *p = pointer;
  if (proof_is_window(pointer.kind)) proof_state_share_room(state, pointer.kind, pointer.id, pointer.room);
  return true;
}

/* r[to] -= another pointer: of the same object it is the distance; of the packet and its end, stale or not, a number that nothing is
 * known of. */
static bool subtract_pointers(struct proof_scope *scope, struct proof_state *state, unsigned to, bool wide,
                              const struct proof_value *b) {
  const struct proof_value a = state->reg[to];
  const bool a_stale = a.kind == PROOF_STALE, b_stale = b->kind == PROOF_STALE;
  const bool same = a.kind == b->kind && a.object == b->object && !a.or_null && !b->or_null && !a_stale;
  /* Half of an address, which is stale, and a pointer go together in 32 bits. */
  const bool both =
      (a_stale || proof_is_packet(a.kind)) && (b_stale || proof_is_packet(b->kind)) && (!wide || a_stale == b_stale);
  if (!both && (!same || a.kind != PROOF_STACK) && (!same || a.id != b->id || a.id == 0)) {
    return proof_refuse(scope, state, PROOF_POINTER_MATH, to);
  }
  struct proof_number number = proof_number_unknown();
  if (same && proof_is_window(a.kind) && b->id == 0) {
    number = proof_number_add(&a.number, a.delta - b->delta);
    proof_set_scalar(&state->reg[to], &number, &scope->next_id);
    if (state->reg[to].id != 0) {
      state->reg[to].id = a.id;
      state->reg[to].delta = a.delta - b->delta;
    }
  } else if (same && a.id == b->id && proof_number_is_constant(&a.number) && proof_number_is_constant(&b->number)) {
    proof_set_constant(&state->reg[to], (uint64_t)(a.delta - b->delta) + a.number.value - b->number.value);
  } else if (same && proof_is_window(a.kind) && a.id == b->id) {
    proof_set_constant(&state->reg[to], (uint64_t)(a.delta - b->delta));
  } else {
    proof_set_scalar(&state->reg[to], &number, &scope->next_id);
  }
  if (wide) return true;
  number = state->reg[to].number;
  proof_number_extend(&number, 32, false);
  proof_set_scalar(&state->reg[to], &number, &scope->next_id);
  return true;
}

/* --- arithmetic --- */

/* r[to] = v, or its lower bits, extended. What doesn't change keeps its name. */
static void extend(struct proof_scope *scope, struct proof_state *state, unsigned to, const struct proof_value *v,
                   unsigned bits, bool is_signed) {
  struct proof_number number = v->number;
  const uint64_t low = bits < 64 ? (uint64_t)1 << bits : 0;
  const bool same = is_signed ? number.wide.smin >= -(int64_t)(low / 2) && number.wide.smax < (int64_t)(low / 2)
                              : number.wide.umax < low;
  if (bits == 64 || same) {
    state->reg[to] = *v;
  } else {
    proof_number_extend(&number, bits, is_signed);
    proof_set_scalar(&state->reg[to], &number, &scope->next_id);
  }
}

static bool assign(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn) {
  const bool wide = BPF_CLASS(insn.code) == BPF_ALU64;
  const unsigned to = bpf_dst(insn);
  struct proof_value immediate;
  const struct proof_value value = *operand(scope, state, insn, &immediate);
  if (value.kind != PROOF_SCALAR) {
    if ((wide && insn.off == 0) || value.kind == PROOF_UNREADABLE) {
      state->reg[to] = value;
      return true;
    }
    /* Programs compute the length of the packet from halves of its addresses, which are good for nothing else. */
    if (!proof_is_packet(value.kind) || insn.off != 0) return proof_refuse(scope, state, PROOF_LEAKS, bpf_src(insn));
    state->reg[to] = (struct proof_value){.kind = PROOF_STALE};
    return true;
  }
  extend(scope, state, to, &value, insn.off != 0 ? (unsigned)insn.off : 64, true);
  const struct proof_value extended = state->reg[to];
  if (!wide) extend(scope, state, to, &extended, 32, false);
  return true;
}

/* dst op= a number, both numbers. */
static void combine(struct proof_scope *scope, struct proof_value *dst, struct bpf_insn insn,
                    const struct proof_value *src) {
  const unsigned op = BPF_OP(insn.code);
  const bool wide = BPF_CLASS(insn.code) == BPF_ALU64;
  struct proof_number result = dst->number;
  const struct proof_value n = *src;
  if (op == BPF_SUB && wide && dst->id == n.id) {
    result = proof_number_constant((uint64_t)proof_minus(dst->delta, n.delta));
  } else {
    proof_number_alu(&result, insn, src == dst ? &result : &n.number);
  }
  if (op == BPF_ADD || op == BPF_SUB) {
    struct proof_number sum = dst->number;
    struct bpf_insn in_64_bits = insn;
    in_64_bits.code = (uint8_t)((insn.code & ~7u) | BPF_ALU64);
    if (!wide) proof_number_alu(&sum, in_64_bits, src == dst ? &sum : &n.number);
    /* In 32 bits it is the same sum if it doesn't leave them. */
    if (wide || sum.wide.umax <= UINT32_MAX) {
      if (op == BPF_ADD && dst->origin == 0 && (proof_is_constant(dst) || n.origin != 0)) {
        const struct proof_number before = dst->number;
        *dst = n;
        shift(scope, dst, &before, &result);
      } else {
        const struct proof_number by = op == BPF_SUB ? negative(&n.number) : n.number;
        shift(scope, dst, &by, &result);
      }
      return;
    }
  }
  if (op == BPF_AND && proof_is_constant(&n) &&
      ((dst->number.value | dst->number.mask) & ~(wide ? n.number.value : (uint32_t)n.number.value)) == 0) {
    return; /* all bits that it may have stay */
  }
  proof_set_scalar(dst, &result, &scope->next_id);
}

static bool is_shift_by_constant(struct bpf_insn insn, unsigned op) { return insn.code == (BPF_ALU64 | op | BPF_K); }

/* A shift to the left and one back by as much is the extension of the lower bits: compilers without 32-bit instructions write it so.
 * Counts as two. */
static bool shift_pair(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn) {
  const uint32_t next = state->pc + 1;
  if (!is_shift_by_constant(insn, BPF_LSH) || insn.imm <= 0 || insn.imm > 63) return false;
  if (next >= scope->program->start + scope->program->count || (scope->meets[next / 64] >> (next % 64) & 1))
    return false;
  const struct bpf_insn back = scope->input->insns[next];
  const bool with_sign = is_shift_by_constant(back, BPF_ARSH);
  if ((!with_sign && !is_shift_by_constant(back, BPF_RSH)) || back.regs != insn.regs || back.imm != insn.imm)
    return false;
  const struct proof_value v = state->reg[bpf_dst(insn)];
  extend(scope, state, bpf_dst(insn), &v, 64 - (unsigned)insn.imm, with_sign);
  scope->facts[next].known = PROOF_ALL_FACTS;
  state->cost.insns++;
  state->pc++;
  return true;
}

static bool arithmetic(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn) {
  const unsigned op = BPF_OP(insn.code), to = bpf_dst(insn);
  const bool wide = BPF_CLASS(insn.code) == BPF_ALU64;
  if (op == BPF_MOV) return assign(scope, state, insn);
  struct proof_value immediate;
  struct proof_value *dst = &state->reg[to];
  const bool alone = op == BPF_NEG || op == BPF_END;
  if (alone) proof_set_constant(&immediate, 0);
  const struct proof_value *src = alone ? &immediate : operand(scope, state, insn, &immediate);
  if (!readable(scope, state, insn, src)) return false;
  if (dst->kind != PROOF_SCALAR) {
    if (op == BPF_SUB && src->kind != PROOF_SCALAR) return subtract_pointers(scope, state, to, wide, src);
    if (!wide || (op != BPF_ADD && op != BPF_SUB) || src->kind != PROOF_SCALAR) {
      return proof_refuse(scope, state, PROOF_POINTER_MATH, to);
    }
    return add_to_pointer(scope, state, to, to, *dst, src, op == BPF_SUB);
  }
  if (src->kind != PROOF_SCALAR) {
    if (!wide || op != BPF_ADD) return proof_refuse(scope, state, PROOF_POINTER_MATH, bpf_src(insn));
    const struct proof_value number = *dst;
    return add_to_pointer(scope, state, to, bpf_src(insn), *src, &number, false);
  }
  if ((op == BPF_DIV || op == BPF_MOD) && (wide ? src->number.wide.umin == 0 : src->number.low.umin == 0)) {
    scope->facts[state->pc].known &= (uint16_t)~BPF_FACT_DIVISOR;
  }
  if (shift_pair(scope, state, insn)) return true;
  combine(scope, dst, insn, src);
  return true;
}

/* --- jumps --- */

/* left <= right, or, with `strictly`, left < right, is what a comparison of addresses found. Packet pointers learn from the end, and from
 * other packet pointers behind which it is known to be; metadata pointers from data; and the end that it is before a packet pointer. */
static bool learn_order(struct proof_state *state, const struct proof_value *left, const struct proof_value *right,
                        bool strictly) {
  const int64_t far = (int64_t)1 << 62;
  const bool at_end = left->kind == PROOF_PACKET && right->kind == PROOF_PACKET_END;
  const bool at_data = left->kind == PROOF_META && right->kind == PROOF_PACKET && right->id == 0 && right->delta == 0;
  if (left->kind == PROOF_PACKET_END && right->kind == PROOF_PACKET) {
    const bool wraps = right->delta < 0 || right->number.wide.smin < 0 || right->number.wide.smax >= far;
    return wraps || proof_state_learn_short(state, right->id, (int32_t)right->delta + !strictly);
  }
  const bool before =
      left->kind == PROOF_PACKET && right->kind == PROOF_PACKET && right->room != PROOF_NO_ROOM &&
      right->number.wide.smin >= -right->delta; /* no lower than data, so that its address didn't wrap */
  if ((!at_end && !at_data && !before) || left->number.wide.smin <= -far || left->number.wide.smax >= far) return true;
  struct proof_value learned = *left;
  const int64_t room = left->delta + strictly + (before ? right->room - right->delta : 0);
  if (room > learned.room && room < PROOF_MAX_OFFSET) learned.room = (int32_t)room;
  if (at_end && proof_is_short(right, left->id, learned.room)) return false;
  const struct proof_number most = proof_number_between_signed(INT64_MIN, PROOF_MAX_PACKET - (int64_t)learned.room);
  if (!proof_number_meet(&learned.number, &most)) return false;
  return proof_state_learn(state, &learned);
}

static bool compare_pointers(struct proof_state *state, unsigned code, bool taken, const struct proof_value *a,
                             const struct proof_value *b) {
  const bool equality = code == (BPF_JMP | BPF_JEQ) || code == (BPF_JMP | BPF_JNE);
  if (equality && proof_is_constant(b) && b->delta == 0) {
    const bool null = (code == (BPF_JMP | BPF_JEQ)) == taken;
    if (a->or_null) {
      proof_state_learn_null(state, a->id, null);
      return true;
    }
    /* Nothing lies so low that this would be 0. */
    return !null || !proof_number_is_constant(&a->number) || a->delta < -BPF_STACK_SIZE || a->kind == PROOF_STALE;
  }
  switch (code) {
    case BPF_JMP | BPF_JGT:
      return taken ? learn_order(state, b, a, true) : learn_order(state, a, b, false);
    case BPF_JMP | BPF_JGE:
      return taken ? learn_order(state, b, a, false) : learn_order(state, a, b, true);
    case BPF_JMP | BPF_JLT:
      return taken ? learn_order(state, a, b, true) : learn_order(state, b, a, false);
    case BPF_JMP | BPF_JLE:
      return taken ? learn_order(state, a, b, false) : learn_order(state, b, a, true);
    default:
      return true;
  }
}

bool proof_branch(struct proof_scope *scope, struct proof_state *state, bool taken) {
  const struct bpf_insn insn = scope->input->insns[state->pc];
  struct proof_value immediate;
  struct proof_value b = *operand(scope, state, insn, &immediate), a = *proof_read(scope, state, bpf_dst(insn));
  state->pc += taken ? (uint32_t)(1 + insn.off) : 1;
  if (a.kind != PROOF_SCALAR || b.kind != PROOF_SCALAR) {
    return compare_pointers(state, insn.code & ~(unsigned)BPF_X, taken, &a, &b);
  }
  if (!proof_number_branch(insn.code, taken, &a.number, &b.number)) return false;
  return (a.id == 0 || proof_state_learn(state, &a)) && (b.id == 0 || proof_state_learn(state, &b));
}

static enum proof_outcome jump(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn) {
  struct proof_value immediate;
  switch (BPF_OP(insn.code)) {
    case BPF_JA:
      state->pc += 1 + (uint32_t)(BPF_CLASS(insn.code) == BPF_JMP ? insn.off : insn.imm);
      return PROOF_NEXT;
    case BPF_CALL:
      return proof_call(scope, state, insn);
    case BPF_EXIT:
      return PROOF_EXIT;
    default:
      return readable(scope, state, insn, operand(scope, state, insn, &immediate)) ? PROOF_BRANCH : PROOF_REFUSED;
  }
}

/* --- dispatch --- */

static bool load_immediate(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn) {
  const uint32_t high = (uint32_t)scope->input->insns[state->pc + 1].imm;
  struct proof_value v = {.number = proof_number_constant(0)};
  switch (bpf_src(insn)) {
    case BPF_PSEUDO_IMM:
      proof_set_constant(&v, (uint64_t)high << 32 | (uint32_t)insn.imm);
      break;
    case BPF_PSEUDO_MAP:
      v.kind = PROOF_MAP;
      v.object = (uint8_t)insn.imm;
      break;
    case BPF_PSEUDO_MAP_VALUE: {
      const struct bpf_map_def *def = scope->input->maps[insn.imm].def;
      v.kind = PROOF_MAP_VALUE;
      v.object = (uint8_t)insn.imm;
      v.id = scope->next_id++;
      v.delta = high;
      if (def->type != BPF_MAP_TYPE_ARRAY || def->max_entries != 1 || high >= def->value_size) {
        return proof_refuse(scope, state, PROOF_BAD_PROGRAM, PROOF_LOCATIONS);
      }
      break;
    }
    default:
      v.kind = PROOF_FUNCTION;
      v.room = (int32_t)(state->pc + 1) + insn.imm;
      break;
  }
  state->reg[bpf_dst(insn)] = v;
  return true;
}

enum proof_outcome proof_step(struct proof_scope *scope, struct proof_state *state) {
  const struct bpf_insn insn = scope->input->insns[state->pc];
  bool good;
  scope->revisits = scope->facts[state->pc].known != 0;
  if (!scope->revisits) scope->facts[state->pc].known = PROOF_ALL_FACTS;
  scope->timer_map = PROOF_NO_MAP;
  state->cost.insns++;
  switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
      good = load_immediate(scope, state, insn);
      state->pc += good;
      break;
    case BPF_LDX:
      good = proof_load(scope, state, insn);
      break;
    case BPF_ST:
      good = proof_store(scope, state, insn);
      break;
    case BPF_STX:
      good = BPF_MODE(insn.code) == BPF_ATOMIC ? proof_atomic(scope, state, insn) : proof_store(scope, state, insn);
      break;
    case BPF_ALU:
    case BPF_ALU64:
      good = arithmetic(scope, state, insn);
      break;
    default:
      return jump(scope, state, insn);
  }
  if (!good) return PROOF_REFUSED;
  state->pc++;
  return PROOF_NEXT;
}

void proof_begin(struct proof_scope *scope, struct proof_state *state, uint32_t pc, uint32_t map,
                 const struct proof_argument *arguments) {
  static const struct proof_argument context[PROOF_ARGUMENTS] = {{.kind = PROOF_CONTEXT}};
  *state = (struct proof_state){.pc = pc};
  if (map == PROOF_NO_MAP || map == PROOF_ALONE) {
    proof_take_arguments(scope, state, map == PROOF_ALONE ? arguments : context);
  } else {
    proof_timer_arguments(scope, state, map);
  }
}
