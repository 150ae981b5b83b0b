/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bpf_strncmp, bpf_strtol, bpf_strtoul (Linux: kernel/bpf/helpers.c).
 */
#include "bpf/helper_list.h"
#include "lib/bytes.h"

enum { F_BASE = 0x1f };

/* The constant ends at its NUL, which was judged to be inside its value. */
uint64_t bpf_helper_strncmp(uint64_t string, uint64_t size, uint64_t constant, uint64_t r4, uint64_t r5,
                            struct bpf_machine *m) {
  const uint8_t *a = (const uint8_t *)(uintptr_t)string, *b = (const uint8_t *)(uintptr_t)constant;
  for (uint32_t i = 0; i < (uint32_t)size; i++) {
    if (a[i] != b[i]) return a[i] < b[i] ? (uint64_t)-1 : 1;
    if (b[i] == 0) break;
  }
  return 0;
}

struct number {
  uint64_t magnitude;
  bool negative;
  uint32_t consumed; /* characters */
};

static int digit_of(uint8_t c) {
  if (char_is_digit((char)c)) return c - '0';
  return char_hex_value((char)c);
}

/* 0, -BPF_EINVAL or -BPF_ERANGE. */
static int64_t parse(const uint8_t *text, uint32_t size, uint64_t flags, struct number *number) {
  uint32_t base = flags & F_BASE, at = 0;
  uint64_t value = 0;
  if ((flags & ~(uint64_t)F_BASE) || (base != 0 && base != 8 && base != 10 && base != 16)) return -BPF_EINVAL;
  while (at < size && char_is_space((char)text[at])) {
    at++;
  }
  number->negative = at < size && text[at] == '-';
  at += number->negative;
  const bool hexadecimal =
      at + 1 < size && text[at] == '0' && (text[at + 1] | 0x20) == 'x' && at + 2 < size && digit_of(text[at + 2]) >= 0;
  if (base == 0) base = hexadecimal ? 16 : at < size && text[at] == '0' ? 8 : 10;
  if (base == 16 && hexadecimal) at += 2;
  const uint32_t first = at;
  for (; at < size; at++) {
    int digit = digit_of(text[at]);
    if (digit < 0 || (uint32_t)digit >= base) break;
    if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, (uint32_t)digit, &value)) {
      return -BPF_ERANGE;
    }
  }
  number->magnitude = value;
  number->consumed = at;
  return at == first ? -BPF_EINVAL : 0;
}

/* The program may read the result all the same. */
static uint64_t without_result(uint64_t result, int64_t error) {
  store_le64((void *)(uintptr_t)result, 0);
  return (uint64_t)error;
}

uint64_t bpf_helper_strtol(uint64_t text, uint64_t size, uint64_t flags, uint64_t result, uint64_t r5,
                           struct bpf_machine *m) {
  struct number number;
  int64_t error = parse((const uint8_t *)(uintptr_t)text, (uint32_t)size, flags, &number);
  const uint64_t limit = (uint64_t)INT64_MAX + (error == 0 && number.negative);
  if (error == 0 && number.magnitude > limit) error = -BPF_ERANGE;
  if (error != 0) return without_result(result, error);
  store_le64((void *)(uintptr_t)result, number.negative ? 0 - number.magnitude : number.magnitude);
  return number.consumed;
}

uint64_t bpf_helper_strtoul(uint64_t text, uint64_t size, uint64_t flags, uint64_t result, uint64_t r5,
                            struct bpf_machine *m) {
  struct number number;
  int64_t error = parse((const uint8_t *)(uintptr_t)text, (uint32_t)size, flags, &number);
  if (error == 0 && number.negative) error = -BPF_EINVAL;
  if (error != 0) return without_result(result, error);
  store_le64((void *)(uintptr_t)result, number.magnitude);
  return number.consumed;
}
