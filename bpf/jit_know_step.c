/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What one instruction makes of what registers are known to hold.
 */
#include "bpf/jit_know.h"

#include "lib/bytes.h"

static void forget_packet(struct jit_state *s) {
  s->packet = 0;
  for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++) {
    if (s->reg[r].kind == KNOW_PACKET || s->reg[r].kind == KNOW_PACKET_END) s->reg[r] = jit_anything();
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
  if (jit_has_range(v) && jit_set_range(&v, offset, offset + v.span)) {
    s->reg[d] = v;
  } else if (v.kind == KNOW_CONTEXT && offset > -JIT_OFFSET_MAX && offset < JIT_OFFSET_MAX) {
    s->reg[d].offset = (int32_t)offset;
  } else {
    jit_lose(k, v);
    s->reg[d] = jit_guessed(jit_guess_of(v));
  }
}

/* Register and register: a pointer plus a number goes where the pointer went. */
static void step_add_register(struct jit_know *k, struct jit_state *s, unsigned d, unsigned from) {
  struct jit_value a = s->reg[d], b = s->reg[from];
  if (a.kind == KNOW_NUMBER) {
    a = b;
    b = s->reg[d];
  }
  if (jit_has_range(a) && b.kind == KNOW_NUMBER &&
      jit_set_range(&a, (int64_t)a.offset + b.offset, jit_highest(a) + jit_highest(b))) {
    s->reg[d] = a;
    return;
  }
  const enum jit_guess of_a = jit_guess_of(s->reg[d]), of_b = jit_guess_of(s->reg[from]);
  jit_lose(k, s->reg[d]);
  jit_lose(k, s->reg[from]);
  s->reg[d] = jit_guessed(of_a != GUESS_NONE ? of_a : of_b);
}

/* Arithmetic whose result is a number, whatever it is of; in either width, as numbers are not negative in either. */
static struct jit_value result_of(struct bpf_insn insn, struct jit_value v) {
  const bool known = v.kind == KNOW_NUMBER;
  const unsigned bits = BPF_CLASS(insn.code) == BPF_ALU64 ? 63 : 31, count = (unsigned)insn.imm & bits;
  if (insn.code & BPF_X) return jit_anything();
  switch (BPF_OP(insn.code)) {
    case BPF_ADD:
      return known ? jit_number(v.offset + (int64_t)insn.imm, jit_highest(v) + insn.imm) : jit_anything();
    case BPF_AND:
      if (insn.imm < 0) return jit_anything();
      return jit_number(0, known && jit_highest(v) < insn.imm ? jit_highest(v) : insn.imm);
    case BPF_LSH:
      return known && count < 31 ? jit_number((int64_t)v.offset << count, jit_highest(v) << count) : jit_anything();
    case BPF_RSH:
      if (known) return jit_number(v.offset >> (count < 31 ? count : 31), jit_highest(v) >> (count < 31 ? count : 31));
      return count > bits - 30 ? jit_number(0, (INT64_C(1) << (bits + 1 - count)) - 1) : jit_anything();
    case BPF_MUL:
      return known && insn.imm >= 0 ? jit_number((int64_t)v.offset * insn.imm, jit_highest(v) * insn.imm)
                                    : jit_anything();
    case BPF_MOD:
      return insn.imm > 0 && insn.off == 0 ? jit_number(0, (int64_t)insn.imm - 1) : jit_anything();
    default:
      return jit_anything();
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
      if (x) jit_lose(k, s->reg[from]);
      s->reg[d] = x ? jit_anything() : jit_number(insn.imm, insn.imm);
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
  jit_lose(k, s->reg[d]);
  if (x) jit_lose(k, s->reg[from]);
  if (op == BPF_SUB && wide) {
    s->reg[d] = jit_guessed(jit_guess_of(s->reg[d]));
  } else {
    s->reg[d] = op != BPF_END    ? result_of(insn, s->reg[d])
                : insn.imm == 16 ? jit_number(0, UINT16_MAX)
                                 : jit_anything();
  }
}

/* The packet's window as the context shows it. */
static struct jit_value context_field(const struct jit_know *k, int64_t offset, uint32_t size) {
  bool tc = k->p->program->kind == BPF_PROGRAM_TC;
  int64_t data = tc ? (int64_t)offsetof(struct bpf_skb, data) : (int64_t)offsetof(struct xdp_md, data);
  int64_t end = tc ? (int64_t)offsetof(struct bpf_skb, data_end) : (int64_t)offsetof(struct xdp_md, data_end);
  if (size == 4 && offset == data) return (struct jit_value){.kind = KNOW_PACKET};
  if (size == 4 && offset == end) return (struct jit_value){.kind = KNOW_PACKET_END};
  return jit_anything();
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
  struct jit_value v = jit_anything();
  touch(k, s, at, base);
  if (s->reg[base].kind == KNOW_CONTEXT && BPF_MODE(insn.code) == BPF_MEM) {
    v = context_field(k, s->reg[base].offset + (int64_t)insn.off, size);
  }
  if (v.kind == KNOW_ANY && size <= 2 && BPF_MODE(insn.code) == BPF_MEM)
    v = jit_number(0, size == 1 ? UINT8_MAX : UINT16_MAX);
  s->reg[bpf_dst(insn)] = v;
}

static void step_store(struct jit_know *k, struct jit_state *s, uint32_t at) {
  struct bpf_insn insn = k->p->insns[at];
  touch(k, s, at, bpf_dst(insn));
  if (BPF_CLASS(insn.code) == BPF_ST) return;
  jit_lose(k, s->reg[bpf_src(insn)]);
  if (BPF_MODE(insn.code) != BPF_ATOMIC || !(insn.imm & BPF_FETCH)) return;
  jit_lose(k, s->reg[0]);
  s->reg[insn.imm == BPF_CMPXCHG ? 0 : bpf_src(insn)] = jit_anything();
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
  if (map.kind != KNOW_MAP || !gives_value(k->p->program->maps[map.map])) return jit_guessed(GUESS_VALUE);
  struct jit_value v = {.kind = KNOW_VALUE_OR_NULL, .map = map.map, .origin = (uint16_t)at};
  /* What an earlier round of a loop got here is another value. */
  for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++) {
    if (s->reg[r].kind == KNOW_VALUE_OR_NULL && s->reg[r].origin == v.origin) s->reg[r] = jit_guessed(GUESS_VALUE);
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
  struct jit_value result = jit_anything();
  if (id == BPF_HELPER_MAP_LOOKUP_ELEM) {
    result = lookup_result(k, s, at);
  } else if (proto->result == BPF_RETURN_VALUE_OR_NULL || proto->result == BPF_RETURN_RECORD_OR_NULL) {
    result = jit_guessed(GUESS_VALUE);
  }
  if (proto->effects & (BPF_EFFECT_PACKET | BPF_EFFECT_CALLBACK)) forget_packet(s);
  s->reg[0] = result;
  for (unsigned r = 1; r <= 5; r++)
    s->reg[r] = jit_anything();
}

static void step_local_call(struct jit_know *k, struct jit_state *s) {
  if (k->p->moves_packet || k->p->callbacks) forget_packet(s);
  for (unsigned r = 0; r <= 5; r++) {
    if (s->reg[r].kind == KNOW_STACK) k->escapes = true;
    s->reg[r] = jit_anything();
  }
}

static void step_immediate(struct jit_know *k, struct jit_state *s, uint32_t at) {
  struct bpf_insn insn = k->p->insns[at], high = k->p->insns[at + 1];
  struct jit_value v = jit_anything();
  if (bpf_src(insn) == BPF_PSEUDO_MAP) v = (struct jit_value){.kind = KNOW_MAP, .map = (uint8_t)insn.imm};
  if (bpf_src(insn) == BPF_PSEUDO_MAP_VALUE) {
    v = (struct jit_value){.kind = KNOW_VALUE, .map = (uint8_t)insn.imm, .offset = high.imm};
  }
  if (bpf_src(insn) == BPF_PSEUDO_IMM && high.imm == 0) v = jit_number((uint32_t)insn.imm, (uint32_t)insn.imm);
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
