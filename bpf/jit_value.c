/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Values with ranges: small ones only, so that sums of them never overflow.
 */
#include "bpf/jit_value.h"

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

bool jit_same(struct jit_value a, struct jit_value b) {
  return a.kind == b.kind && a.map == b.map && a.origin == b.origin && a.offset == b.offset && a.span == b.span;
}

bool jit_same_place(struct jit_value a, struct jit_value b) {
  return jit_has_range(a) && a.kind == b.kind && a.map == b.map;
}

bool jit_set_range(struct jit_value *v, int64_t low, int64_t high) {
  const bool number = v->kind == KNOW_NUMBER;
  if (low < (number ? 0 : -JIT_OFFSET_MAX) || high > (number ? (int64_t)JIT_NUMBER_MAX : JIT_OFFSET_MAX)) return false;
  v->offset = (int32_t)low;
  v->span = (uint32_t)(high - low);
  return true;
}

struct jit_value jit_number(int64_t low, int64_t high) {
  struct jit_value v = {.kind = KNOW_NUMBER};
  return jit_set_range(&v, low, high) ? v : jit_anything();
}
