/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A depth-first search finds jumps back to blocks that it is still in; the blocks that lead there are the loop's body. If it has one jump
 * back and no loop inside, a walk through it in order says of each register which one it was at the head, and how much was added since.
 */
#include "bpf/jit_loop.h"

#include "lib/memory.h"

enum { BODY_MAX = 64, ADDED_MAX = 1 << 20, UNKNOWN = 0xff };

/* A register as one that it was at the head, plus `added`. */
struct origin {
  uint8_t reg;    /* UNKNOWN: none */
  bool is_narrow; /* by way of 32-bit operations */
  int32_t added;
};

struct origins {
  struct origin reg[BPF_FRAME_REGISTER];
};

enum { UNSEEN, OPEN, DONE };

struct search {
  struct jit_program *p;
  /* Per block. */
  uint32_t *order;      /* when it was done */
  uint32_t *stack;      /* of open blocks */
  uint32_t *first_from; /* where its predecessors begin in `from`; one more at the end */
  uint32_t *from;       /* two per block */
  uint32_t *latch;      /* of a head, the block that jumps back; NO_BLOCK: none */
  uint32_t *member;     /* the head of the loop that it was last found to be in */
  uint32_t *position;   /* in `body` then */
  uint8_t *seen;
  bool *mixed; /* several blocks jump back to it */
  uint32_t body[BODY_MAX], count;
  bool passed[BODY_MAX]; /* by every round */
  bool entered[BODY_MAX];
  struct origins at[BODY_MAX]; /* in front of the block */
};

/* --- the graph --- */

static uint32_t successor(const struct jit_block *block, unsigned which) {
  return which == 0 ? block->next : block->taken;
}

static void find_predecessors(struct search *s) {
  const uint32_t count = s->p->block_count;
  for (uint32_t i = 0; i <= count; i++)
    s->first_from[i] = 0;
  for (uint32_t i = 0; i < 2 * count; i++) {
    uint32_t to = successor(&s->p->blocks[i / 2], i % 2);
    if (to != NO_BLOCK) s->first_from[to]++;
  }
  for (uint32_t i = 1; i <= count; i++)
    s->first_from[i] += s->first_from[i - 1];
  for (uint32_t i = 0; i < 2 * count; i++) {
    uint32_t to = successor(&s->p->blocks[i / 2], i % 2);
    if (to != NO_BLOCK) s->from[--s->first_from[to]] = i / 2;
  }
}

static void found_jump_back(struct search *s, uint32_t latch, uint32_t head) {
  if (s->latch[head] != NO_BLOCK && s->latch[head] != latch) s->mixed[head] = true;
  s->latch[head] = latch;
}

/* From the first block of a function. `position` counts the successors that were looked at. */
static void visit(struct search *s, uint32_t root, uint32_t *done) {
  uint32_t depth = 0;
  s->stack[depth++] = root;
  s->seen[root] = OPEN;
  while (depth > 0) {
    const uint32_t block = s->stack[depth - 1];
    if (s->position[block] == 2) {
      s->seen[block] = DONE;
      s->order[block] = (*done)++;
      depth--;
      continue;
    }
    const uint32_t to = successor(&s->p->blocks[block], s->position[block]++);
    if (to == NO_BLOCK || s->seen[to] == DONE) continue;
    if (s->seen[to] == OPEN) {
      found_jump_back(s, block, to);
      continue;
    }
    s->seen[to] = OPEN;
    s->stack[depth++] = to;
  }
}

/* --- the body --- */

static bool is_root(const struct search *s, uint32_t block) {
  return s->p->functions[s->p->blocks[block].function].first == s->p->blocks[block].first;
}

static bool is_member(const struct search *s, uint32_t head, uint32_t block) {
  return block != NO_BLOCK && s->member[block] == head;
}

/* False: it is too large, or control gets in otherwise than by the head. */
static bool collect_body(struct search *s, uint32_t head, uint32_t latch) {
  s->count = 0;
  s->body[s->count++] = head;
  s->member[head] = head;
  if (latch != head) {
    s->body[s->count++] = latch;
    s->member[latch] = head;
  }
  for (uint32_t i = 1; i < s->count; i++) {
    const uint32_t block = s->body[i];
    if (is_root(s, block) || s->seen[block] == UNSEEN) return false;
    for (uint32_t at = s->first_from[block]; at < s->first_from[block + 1]; at++) {
      if (is_member(s, head, s->from[at])) continue;
      if (s->count == BODY_MAX) return false;
      s->member[s->from[at]] = head;
      s->body[s->count++] = s->from[at];
    }
  }
  return true;
}

/* Each behind those that lead to it. False: there is a loop inside. */
static bool sort_body(struct search *s, uint32_t head, uint32_t latch) {
  for (uint32_t i = 1; i < s->count; i++) {
    const uint32_t block = s->body[i];
    uint32_t to = i;
    for (; to > 1 && s->order[s->body[to - 1]] < s->order[block]; to--)
      s->body[to] = s->body[to - 1];
    s->body[to] = block;
  }
  for (uint32_t i = 0; i < s->count; i++)
    s->position[s->body[i]] = i;
  for (uint32_t i = 0; i < s->count; i++) {
    for (unsigned which = 0; which < 2; which++) {
      const uint32_t to = successor(&s->p->blocks[s->body[i]], which);
      if (!is_member(s, head, to)) continue;
      if (to == head ? s->body[i] != latch : s->position[to] <= i) return false;
    }
  }
  return true;
}

/* The head, and the blocks in front of the latch that have one predecessor each. */
static void find_passed(struct search *s, uint32_t head, uint32_t latch) {
  for (uint32_t i = 0; i < s->count; i++)
    s->passed[i] = i == 0;
  for (uint32_t block = latch; block != head;) {
    s->passed[s->position[block]] = true;
    if (s->first_from[block + 1] - s->first_from[block] != 1) return;
    block = s->from[s->first_from[block]];
  }
}

/* --- what a round does to registers --- */

static const struct origin nowhere = {.reg = UNKNOWN};

static struct origin moved(struct origin o, int64_t distance, bool is_narrow) {
  const int64_t added = o.added + distance;
  if (o.reg == UNKNOWN || added > ADDED_MAX || added < -ADDED_MAX) return nowhere;
  o.is_narrow = o.is_narrow || is_narrow;
  /* 32 bits hold what is added to a number that is not negative, as long as that isn't, either. */
  if (o.is_narrow && added < 0) return nowhere;
  o.added = (int32_t)added;
  return o;
}

static void follow_instruction(struct origins *o, struct bpf_insn insn) {
  const unsigned class = BPF_CLASS(insn.code), d = bpf_dst(insn);
  if (class == BPF_ALU || class == BPF_ALU64) {
    const bool is_narrow = class == BPF_ALU;
    switch (insn.code & ~3u) {
      case (BPF_ALU | BPF_MOV | BPF_X):
        if (insn.off != 0 || bpf_src(insn) == BPF_FRAME_REGISTER) break;
        o->reg[d] = moved(o->reg[bpf_src(insn)], 0, is_narrow);
        return;
      case (BPF_ALU | BPF_ADD | BPF_K):
        o->reg[d] = moved(o->reg[d], insn.imm, is_narrow);
        return;
      case (BPF_ALU | BPF_SUB | BPF_K):
        o->reg[d] = moved(o->reg[d], -(int64_t)insn.imm, is_narrow);
        return;
      default:
        break;
    }
    o->reg[d] = nowhere;
    return;
  }
  if ((insn.code & ~(unsigned)BPF_X) == (BPF_JMP | BPF_CALL)) {
    for (unsigned r = 0; r <= 5; r++)
      o->reg[r] = nowhere;
    return;
  }
  const unsigned written = jit_written(insn);
  for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++)
    if (written >> r & 1) o->reg[r] = nowhere;
}

/* Calls that change what a register means although it stays as it is. */
static bool changes_meaning(struct bpf_insn insn) {
  if ((insn.code & ~(unsigned)BPF_X) != (BPF_JMP | BPF_CALL)) return false;
  return !jit_is_call(insn, BPF_PSEUDO_HELPER) ||
         (bpf_proto_find((uint32_t)insn.imm)->effects & (BPF_EFFECT_PACKET | BPF_EFFECT_CALLBACK)) != 0;
}

static void join(struct search *s, uint32_t position, const struct origins *o) {
  struct origins *into = &s->at[position];
  if (!s->entered[position]) {
    *into = *o;
    s->entered[position] = true;
    return;
  }
  for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++) {
    if (into->reg[r].reg != o->reg[r].reg || into->reg[r].added != o->reg[r].added) into->reg[r] = nowhere;
    into->reg[r].is_narrow = into->reg[r].is_narrow || o->reg[r].is_narrow;
  }
}

/* The condition that the block ends in, under which there is another round: if it is one that ends loops. */
static bool find_test(const struct search *s, uint32_t head, uint32_t block, const struct origins *o,
                      struct jit_loop *loop) {
  const struct jit_block *b = &s->p->blocks[block];
  const struct bpf_insn insn = s->p->insns[b->last];
  if (!jit_is_jump(insn) || BPF_OP(insn.code) == BPF_JA || (insn.code & BPF_X) || insn.imm < 0) return false;
  if (bpf_dst(insn) == BPF_FRAME_REGISTER || is_member(s, head, b->taken) == is_member(s, head, b->next)) return false;
  const struct origin value = o->reg[bpf_dst(insn)];
  if (value.reg == UNKNOWN) return false;
  int64_t limit = insn.imm;
  const bool taken = is_member(s, head, b->taken);
  switch (BPF_OP(insn.code)) {
    case BPF_JLT:
    case BPF_JGE:
      if (taken != (BPF_OP(insn.code) == BPF_JLT)) return false;
      break;
    case BPF_JLE:
    case BPF_JGT:
      if (taken != (BPF_OP(insn.code) == BPF_JLE)) return false;
      limit++;
      break;
    case BPF_JNE:
    case BPF_JEQ:
      if (taken != (BPF_OP(insn.code) == BPF_JNE)) return false;
      loop->exact = true;
      break;
    default:
      return false;
  }
  loop->counter = value.reg;
  loop->ahead = value.added;
  loop->limit = limit;
  return true;
}

/* False: nothing is gained. */
static bool follow_body(struct search *s, struct jit_loop *loop) {
  const uint32_t head = loop->head;
  struct origins o;
  bool tested = false;
  for (uint32_t i = 0; i < s->count; i++)
    s->entered[i] = false;
  for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++)
    o.reg[r] = (struct origin){.reg = (uint8_t)r};
  join(s, 0, &o);
  for (uint32_t i = 0; i < s->count; i++) {
    const struct jit_block *block = &s->p->blocks[s->body[i]];
    o = s->at[i];
    for (uint32_t at = block->first; at < block->end; at = jit_behind(s->p, at)) {
      if (changes_meaning(s->p->insns[at])) return false;
      follow_instruction(&o, s->p->insns[at]);
    }
    if (s->passed[i] && !tested) tested = find_test(s, head, s->body[i], &o, loop);
    for (unsigned which = 0; which < 2; which++) {
      const uint32_t to = successor(block, which);
      if (is_member(s, head, to) && to != head) join(s, s->position[to], &o);
    }
    if (s->body[i] != loop->latch) continue;
    for (unsigned r = 0; r < BPF_FRAME_REGISTER; r++) {
      if (o.reg[r].reg != r || o.reg[r].added == 0) continue;
      loop->moved |= (uint16_t)(1u << r);
      loop->narrow |= (uint16_t)((unsigned)o.reg[r].is_narrow << r);
      loop->step[r] = o.reg[r].added;
    }
  }
  return tested && (loop->moved >> loop->counter & 1) && loop->step[loop->counter] > 0;
}

int64_t jit_loop_rounds(const struct jit_loop *loop, int64_t low, int64_t high) {
  const int64_t first = low + loop->ahead, step = loop->step[loop->counter];
  if (low < 0 || high > INT32_MAX || first < 0) return -1;
  if (loop->exact) {
    /* Else it jumps over it. */
    if (low != high || first > loop->limit || (loop->limit - first) % step != 0) return -1;
    return (loop->limit - first) / step;
  }
  return first < loop->limit ? (loop->limit - 1 - first) / step + 1 : 0;
}

/* --- all of it --- */

static bool examine(struct search *s, uint32_t head, struct jit_loop *loop) {
  *loop = (struct jit_loop){.head = head, .latch = s->latch[head]};
  if (s->mixed[head] || !collect_body(s, head, loop->latch) || !sort_body(s, head, loop->latch)) return false;
  find_passed(s, head, loop->latch);
  return follow_body(s, loop);
}

bool jit_loops_find(struct jit_program *p, struct jit_loop **loops, uint32_t *count) {
  enum { PER_BLOCK = 8 * sizeof(uint32_t) + 2 };
  const uint32_t blocks = p->block_count;
  uint32_t heads = 0, done = 0;
  *loops = NULL;
  *count = 0;
  if (!p->goes_back) return true;
  /* Not zeroed: most of it is for the largest body. */
  struct search *s = memory_resize(NULL, sizeof *s + sizeof(uint32_t) + (size_t)blocks * PER_BLOCK);
  if (s == NULL) return false;
  uint32_t *room = (uint32_t *)(void *)(s + 1);
  s->p = p;
  uint32_t **const arrays[] = {&s->order, &s->stack, &s->latch, &s->member, &s->position};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++, room += blocks)
    *arrays[i] = room;
  s->first_from = room;
  s->from = room + blocks + 1;
  s->seen = (uint8_t *)(s->from + 2 * (size_t)blocks);
  s->mixed = (bool *)(s->seen + blocks);
  for (uint32_t i = 0; i < blocks; i++) {
    s->latch[i] = s->member[i] = NO_BLOCK;
    s->position[i] = 0;
    s->seen[i] = UNSEEN;
    s->mixed[i] = false;
  }
  find_predecessors(s);
  for (uint32_t i = 0; i < p->function_count; i++)
    visit(s, p->block_of[p->functions[i].first], &done);
  for (uint32_t i = 0; i < blocks; i++)
    heads += s->latch[i] != NO_BLOCK;
  *loops = heads == 0 ? NULL : memory_alloc(heads * sizeof **loops);
  for (uint32_t i = 0; i < blocks && *loops != NULL; i++) {
    if (s->latch[i] == NO_BLOCK || !examine(s, i, &(*loops)[*count])) continue;
    p->blocks[i].loop = ++*count;
  }
  memory_free(s);
  return heads == 0 || *loops != NULL;
}
