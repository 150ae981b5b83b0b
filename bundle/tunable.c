/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers of 1 to 8 bytes, signed or not, all held in 64 bits.
 */
#include "bundle/tunable.h"

bool tunable_size_ok(uint32_t size) { return size == 1 || size == 2 || size == 4 || size == 8; }

/* The greatest number of so many bytes. */
static uint64_t greatest(uint32_t size, bool is_signed) {
  return (UINT64_MAX >> (64 - 8 * size)) >> (is_signed ? 1 : 0);
}

bool tunable_number(struct slice text, uint32_t size, bool is_signed, uint64_t *value) {
  const bool negative = is_signed && text.length > 1 && text.data[0] == '-';
  if (negative) text = (struct slice){text.data + 1, text.length - 1};
  if (slice_to_u64(text, greatest(size, is_signed) + (negative ? 1u : 0u), value) != 0) return false;
  if (negative) *value = 0 - *value;
  return true;
}

bool tunable_fits(uint64_t value, uint32_t size, bool is_signed) {
  const uint64_t most = greatest(size, is_signed);
  return value <= most || (is_signed && ~value <= most);
}

bool tunable_ordered(uint64_t a, uint64_t b, bool is_signed) {
  const uint64_t sign =
      is_signed ? (uint64_t)1 << 63 : 0; /* turned over, signed numbers stand in the order of unsigned ones */
  return (a ^ sign) <= (b ^ sign);
}

bool tunable_allows(const struct bundle_tunable *t, uint64_t value) {
  return tunable_ordered(t->least, value, t->is_signed) && tunable_ordered(value, t->most, t->is_signed);
}

const struct bundle_tunable *tunable_find(const struct bundle *bundle, struct slice name) {
  for (uint32_t i = 0; i < bundle->tunable_count; i++) {
    if (slice_equals(name, bundle->tunables[i].name)) return &bundle->tunables[i];
  }
  return NULL;
}

uint64_t tunable_load(const struct bundle_tunable *t, const void *values) {
  const unsigned unused = 64 - 8 * t->size;
  uint64_t value = 0;
  memcpy(&value, (const char *)values + t->offset, t->size);
  return t->is_signed ? (uint64_t)((int64_t)(value << unused) >> unused) : value;
}

void tunable_store(const struct bundle_tunable *t, void *values, uint64_t value) {
  void *at = (char *)values + t->offset;
  switch (t->size) {
    case 1:
      __atomic_store_n((uint8_t *)at, (uint8_t)value, __ATOMIC_RELAXED);
      break;
    case 2:
      __atomic_store_n((uint16_t *)at, (uint16_t)value, __ATOMIC_RELAXED);
      break;
    case 4:
      __atomic_store_n((uint32_t *)at, (uint32_t)value, __ATOMIC_RELAXED);
      break;
    default:
      __atomic_store_n((uint64_t *)at, value, __ATOMIC_RELAXED);
  }
}

void tunable_add_number(struct text *out, uint64_t value, bool is_signed) {
  if (is_signed)
    text_addf(out, "%lld", (long long)value);
  else
    text_addf(out, "%llu", (unsigned long long)value);
}

void tunable_add_range(struct text *out, const struct bundle_tunable *t) {
  tunable_add_number(out, t->least, t->is_signed);
  text_add(out, "..");
  tunable_add_number(out, t->most, t->is_signed);
}
