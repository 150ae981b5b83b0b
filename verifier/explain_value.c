/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers are shown as ranges, signed where they may be negative; a pointer as its object and offset.
 */
#include "verifier/explain_value.h"

#include "bpf/isa.h"

enum { DECIMAL_LIMIT = 1 << 20 };

/* Large numbers are easier to recognise in hexadecimal. */
static void add_number(int64_t value, struct text *out) {
  if (value > -DECIMAL_LIMIT && value < DECIMAL_LIMIT)
    text_addf(out, "%lld", (long long)value);
  else
    text_addf(out, "%s0x%llx", value < 0 ? "-" : "",
              value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value);
}

static void add_unsigned(uint64_t value, struct text *out) {
  if (value < DECIMAL_LIMIT)
    text_addf(out, "%llu", (unsigned long long)value);
  else
    text_addf(out, "0x%llx", (unsigned long long)value);
}

void explain_number(const struct proof_number *n, struct text *out) {
  uint64_t width = n->wide.umax - n->wide.umin, signed_width = (uint64_t)n->wide.smax - (uint64_t)n->wide.smin;
  if (proof_number_is_constant(n)) {
    int64_t value = (int64_t)proof_number_value(n);
    add_number(value, out);
    return;
  }
  if (width == UINT64_MAX && signed_width == UINT64_MAX) {
    text_add(out, "any number");
    return;
  }
  if (signed_width < width) {
    add_number(n->wide.smin, out);
    text_add(out, " to ");
    add_number(n->wide.smax, out);
  } else {
    add_unsigned(n->wide.umin, out);
    text_add(out, " to ");
    add_unsigned(n->wide.umax, out);
  }
  unsigned zeros = 0; /* low bits that are known to be 0 */
  while (zeros < 63 && ((n->mask | n->value) >> zeros & 1) == 0)
    zeros++;
  if (zeros > 0) text_addf(out, ", a multiple of %llu", 1ull << zeros);
}

void explain_offset(int64_t low, int64_t high, struct text *out) {
  if (low == high) {
    if (low != 0)
      text_addf(out, " %c %llu", low < 0 ? '-' : '+', low < 0 ? 0 - (unsigned long long)low : (unsigned long long)low);
    return;
  }
  if (low <= -PROOF_MAX_OFFSET || high >= PROOF_MAX_OFFSET) {
    text_add(out, " + any number");
    return;
  }
  text_add(out, " + ");
  add_number(low, out);
  text_add(out, " to ");
  add_number(high, out);
}

static void add_offset(const struct proof_value *v, struct text *out) {
  explain_offset(v->delta + v->number.wide.smin, v->delta + v->number.wide.smax, out);
}

static void add_map(const struct proof_value *v, const struct proof_input *input, struct text *out) {
  unsigned map = v->object & ~(unsigned)PROOF_INNER;
  if (v->object & PROOF_INNER) text_add(out, "an inner map of ");
  if (map < input->map_count) text_addf(out, "map %s", input->maps[map].def->name);
}

/* Bytes that may be touched from where the pointer points. */
static void add_room(const struct proof_value *v, const char *end, struct text *out) {
  int64_t room = v->room == PROOF_NO_ROOM ? 0 : v->room - v->delta;
  if (room > 0)
    text_addf(out, ", at least %lld bytes before %s", (long long)room, end);
  else if (v->room != PROOF_NO_ROOM && room == 0)
    text_addf(out, ", not beyond %s", end);
  else
    text_addf(out, ", not compared with %s", end);
}

void explain_value(const struct proof_value *v, const struct proof_input *input, unsigned frame, struct text *out) {
  switch (v->kind) {
    case PROOF_SCALAR:
      explain_number(&v->number, out);
      return;
    case PROOF_CONTEXT:
      text_add(out, "the context");
      return;
    case PROOF_PACKET:
      text_add(out, "packet data");
      add_offset(v, out);
      add_room(v, "data_end", out);
      return;
    case PROOF_PACKET_END:
      text_add(out, "data_end");
      return;
    case PROOF_META:
      text_add(out, "data_meta");
      add_offset(v, out);
      add_room(v, "data", out);
      return;
    case PROOF_STACK:
      text_add(out, v->object == frame ? "stack, r10" : "a caller's stack, r10");
      add_offset(v, out);
      return;
    case PROOF_MAP:
      add_map(v, input, out);
      break;
    case PROOF_MAP_VALUE:
      text_add(out, "a value of ");
      add_map(v, input, out);
      add_offset(v, out);
      break;
    case PROOF_RECORD:
      text_addf(out, "a ring buffer record of %d bytes", (int)v->room);
      add_offset(v, out);
      break;
    case PROOF_MEMORY:
    case PROOF_LENT:
      text_addf(out, "memory of %d bytes", (int)v->room);
      add_offset(v, out);
      break;
    case PROOF_FUNCTION:
      text_addf(out, "the function at instruction %d", (int)v->room);
      return;
    case PROOF_STALE:
      text_add(out, "the packet or its end before a helper that may have moved it, or half of such an address");
      return;
    default:
      text_add(out, "nothing that may be read");
      return;
  }
  if (v->or_null) text_add(out, ", or NULL");
}

void explain_location(unsigned location, unsigned frame, struct text *out) {
  if (location < PROOF_FIRST_SLOT) { /* r10 too, which no state holds */
    text_addf(out, "r%u", location);
    return;
  }
  unsigned owner = (location - PROOF_FIRST_SLOT) / PROOF_FRAME_SLOTS;
  unsigned slot = (location - PROOF_FIRST_SLOT) % PROOF_FRAME_SLOTS;
  if (slot >= PROOF_FRAME_CALLBACK)
    text_add(out, "what the helper hands to the callback");
  else if (slot >= PROOF_FRAME_SAVED)
    text_addf(out, "the caller's r%u", 6 + slot - PROOF_FRAME_SAVED);
  else
    text_addf(out, "%s r10 - %u", owner == frame ? "the stack at" : "a caller's stack at", BPF_STACK_SIZE - 8 * slot);
}
