/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What one register is known to hold, for code that came without a proof (jit_know.h). Private to the JIT.
 */
#ifndef IMAGO_BPF_JIT_VALUE_H
#define IMAGO_BPF_JIT_VALUE_H

#include <stdbool.h>
#include <stdint.h>

enum jit_kind {
  KNOW_ANY,     /* offset: enum jit_guess */
  KNOW_CONTEXT, /* context + offset */
  KNOW_PACKET_END,
  KNOW_MAP,           /* handle of map `map` */
  KNOW_VALUE_OR_NULL, /* what the lookup at slot `origin` gave */
  /* With ranges: the offset may be up to `span` more. */
  KNOW_NUMBER, /* offset, from 0 to JIT_NUMBER_MAX */
  KNOW_STACK,  /* r10 of this function + offset */
  KNOW_PACKET, /* first byte of the packet + offset */
  KNOW_VALUE,  /* a value of map `map` + offset */
};
enum { JIT_NUMBER_MAX = 1 << 30, JIT_OFFSET_MAX = 1 << 17 };

/* Where a pointer that is not known probably goes: which window to test first. */
enum jit_guess { GUESS_NONE, GUESS_PACKET, GUESS_VALUE };

struct jit_value {
  uint8_t kind; /* enum jit_kind */
  uint8_t map;
  uint16_t origin;
  int32_t offset;
  uint32_t span;
};

enum jit_guess jit_guess_of(struct jit_value v);
/* Nothing is known. */
static inline struct jit_value jit_anything(void) { return (struct jit_value){.kind = KNOW_ANY}; }
/* Nothing but where a pointer probably goes. */
static inline struct jit_value jit_guessed(enum jit_guess g) {
  return (struct jit_value){.kind = KNOW_ANY, .offset = (int32_t)g};
}
static inline bool jit_has_range(struct jit_value v) { return v.kind >= KNOW_NUMBER; }
/* Of one with a range: its highest offset. */
static inline int64_t jit_highest(struct jit_value v) { return (int64_t)v.offset + v.span; }
/* The same with an offset from `low` to `high`. False: that is too far away. */
bool jit_set_range(struct jit_value *v, int64_t low, int64_t high);
/* A number from `low` to `high`; anything if that is too much. */
struct jit_value jit_number(int64_t low, int64_t high);
/* Whether they are the same, and whether but for the range. */
bool jit_same(struct jit_value a, struct jit_value b);
bool jit_same_place(struct jit_value a, struct jit_value b);

#endif
