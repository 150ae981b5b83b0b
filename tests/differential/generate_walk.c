/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loops that walk through memory up to its last byte, whose ends native code finds out.
 */
#include "tests/differential/generate_parts.h"

/* A test for another round, at the end or, `in_front`, at the beginning. */
struct counter {
  unsigned reg, copy;
  int step, limit;
  bool in_front, exact;
};

static uint32_t add_counter_head(struct generator *g, const struct counter *counter, uint32_t *leave) {
  uint32_t head = g->out->count;
  if (counter->in_front) {
    *leave = head;
    ADD_INSN((one_in(g, 2) ? BPF_JMP : BPF_JMP32) | BPF_JGE | BPF_K, counter->reg, 0, 0, counter->limit);
  }
  return head;
}

static void add_counter_end(struct generator *g, const struct counter *counter, uint32_t head, uint32_t leave) {
  const unsigned width = one_in(g, 2) ? BPF_JMP : BPF_JMP32;
  const bool copies = !counter->in_front && one_in(g, 2);
  if (copies) ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, counter->copy, counter->reg, 0, 0);
  ADD_INSN((one_in(g, 2) ? BPF_ALU : BPF_ALU64) | BPF_ADD | BPF_K, counter->reg, 0, 0, counter->step);
  const int limit = copies ? counter->limit - counter->step : counter->limit;
  const unsigned tested = copies ? counter->copy : counter->reg;
  if (!counter->in_front && one_in(g, 3)) { /* the other way round */
    ADD_INSN(width | (counter->exact ? BPF_JEQ : BPF_JGE) | BPF_K, tested, 0, 1, limit);
    fact(g, BPF_FACT_BOUNDED);
    ADD_INSN(BPF_JMP | BPF_JA, 0, 0, (int)head - (int)g->out->count - 1, 0);
    return;
  }
  fact(g, BPF_FACT_BOUNDED);
  const int back = (int)head - (int)g->out->count - 1;
  if (counter->in_front) {
    ADD_INSN(BPF_JMP | BPF_JA, 0, 0, back, 0);
    g->out->insns[leave].off = (int16_t)(g->out->count - leave - 1);
  } else if (counter->exact) {
    ADD_INSN(width | BPF_JNE | BPF_K, tested, 0, back, limit);
  } else if (limit > 0 && one_in(g, 2)) {
    ADD_INSN(width | BPF_JLE | BPF_K, tested, 0, back, limit - 1);
  } else {
    ADD_INSN(width | BPF_JLT | BPF_K, tested, 0, back, limit);
  }
}

/* A walk through packet, stack or map value, up to the last byte; in a wild program now and then beyond it, or with something else in the
 * way. r5 is used for the address and then overwritten. */
void generate_walk(struct generator *g) {
  static const struct {
    uint8_t reg;
    int8_t low, high;
  } regions[] = {{10, -STACK_BYTES, 0}, {7, 0, GENERATE_PACKET_MIN}, {8, 0, 80}};
  static const uint8_t counters[] = {0, 1, 2, 9};
  const unsigned region = g->in_function ? 0 : (unsigned)choose(g->c, COUNT(regions)), base = regions[region].reg;
  const unsigned size = random_size(g);
  const int bytes = bytes_of(size), room = regions[region].high - regions[region].low - bytes;
  /* Linux takes aligned accesses to the stack only. */
  const int unit = g->safe && base == 10 ? bytes : 1;
  const int step = unit * ((int)choose(g->c, (unsigned)(8 / unit)) + 1),
            rounds = (int)choose(g->c, (unsigned)(room / step) + 1) + 1;
  int first = regions[region].low + unit * (int)choose(g->c, (unsigned)((room - (rounds - 1) * step) / unit) + 1);
  const bool indexed = one_in(g, 2), down = !indexed && one_in(g, 3);
  struct counter counter = {.reg = counters[choose(g->c, COUNT(counters))], .copy = 3, .step = step};
  int start = 0;
  if (!indexed) {
    counter.step = (int)choose(g->c, 3) + 1;
    start = (int)choose(g->c, 4);
  }
  counter.limit = start + counter.step * rounds;
  counter.in_front = one_in(g, 3);
  counter.exact = one_in(g, 2);
  if (!g->safe && one_in(g, 3)) {
    first += (int)choose(g->c, 9) - 4;
    counter.limit += (int)choose(g->c, 5) - 2;
  }
  const int shift = (int)choose(g->c, 16) - 8;
  ADD_INSN((one_in(g, 2) ? BPF_ALU : BPF_ALU64) | BPF_MOV | BPF_K, counter.reg, 0, 0, start);
  if (!indexed) {
    ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 5, base, 0, 0);
    ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 5, 0, 0, (down ? first + (rounds - 1) * step : first) - shift);
  }
  uint32_t leave = 0, head = add_counter_head(g, &counter, &leave);
  if (indexed) {
    ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 5, base, 0, 0);
    ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_X, 5, counter.reg, 0, 0);
  }
  fact(g, BPF_FACT_ACCESS);
  if (one_in(g, 2)) {
    ADD_INSN(BPF_LDX | BPF_MEM | size, 4, 5, indexed ? first : shift, 0);
  } else {
    ADD_INSN(BPF_STX | BPF_MEM | size, 5, 4, indexed ? first : shift, 0);
  }
  if (one_in(g, 2))
    ADD_INSN((one_in(g, 2) ? BPF_ALU : BPF_ALU64) | BPF_AND | BPF_K, 4, 0, 0, choose(g->c, 2 * GENERATE_VALUES));
  if (indexed && counter.reg == 9 && one_in(g, 2)) generate_lookup_of(g, 4);
  if (one_in(g, 2)) add(g, choose_arithmetic(g->c, 4, 4, g->safe));
  if (!g->safe && one_in(g, 6)) add_alu(g);
  if (!indexed) ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 5, 0, 0, down ? -step : step);
  add_counter_end(g, &counter, head, leave);
  add_number(g, 5);
}
