/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the options of IP and TCP have in common: one byte, or a kind, a length and data (RFC 791, RFC 793).
 */
#include "platform/process/summary/option.h"

#include "click/number.h"

uint32_t option_length(const uint8_t *option, uint32_t left, uint32_t least) {
  return left >= 2 && option[1] >= least && option[1] <= left ? option[1] : 0;
}

void option_print_unknown(const uint8_t *option, uint32_t length, struct text *out) {
  text_addf(out, "%u", option[0]);
  for (uint32_t i = 2; i < length; i++)
    text_addf(out, "%c%u", i == 2 ? '=' : ':', option[i]);
}

void option_add(struct option_text *o, uint32_t byte) {
  o->overflow |= o->length == OPTIONS_MAX;
  if (!o->overflow) o->bytes[o->length++] = (uint8_t)byte;
}

void option_add_u32(struct option_text *o, uint32_t word) {
  for (int shift = 24; shift >= 0; shift -= 8)
    option_add(o, word >> shift);
}

bool option_take(struct option_text *o, const char *text) {
  size_t length = strlen(text);
  if (!slice_starts_with(o->rest, text)) return false;
  o->rest = (struct slice){o->rest.data + length, o->rest.length - length};
  return true;
}

bool option_take_number(struct option_text *o, uint32_t max, uint32_t *number) {
  struct slice word = {o->rest.data, 0};
  uint64_t value;
  while (word.length < o->rest.length && char_is_word(o->rest.data[word.length]))
    word.length++;
  if (word.length == 0 || !char_is_digit(word.data[0]) || number_unsigned(word, max, &value) != 0) return false;
  *number = (uint32_t)value;
  o->rest = (struct slice){word.data + word.length, o->rest.length - word.length};
  return true;
}

bool option_take_unknown(struct option_text *o) {
  uint32_t start = o->length, number;
  if (!option_take_number(o, UINT8_MAX, &number)) return false;
  option_add(o, number);
  if (number <= OPTION_NOP) return true; /* these two have no length */
  option_add(o, 0);
  if (option_take(o, "=")) {
    do {
      if (!option_take_number(o, UINT8_MAX, &number)) return false;
      option_add(o, number);
    } while (option_take(o, ":"));
  }
  if (!o->overflow) o->bytes[start + 1] = (uint8_t)(o->length - start);
  return true;
}

bool option_take_all(struct slice text, bool (*take)(struct option_text *o, unsigned kinds), unsigned kinds,
                     struct summary_value *value) {
  struct option_text o = {.rest = text, .bytes = value->room};
  value->bytes = value->room;
  value->length = 0;
  if (text.length == 0 || slice_equals(text, ".")) return true;
  do {
    if (!take(&o, kinds) || o.overflow) return false;
  } while (option_take(&o, ";") || option_take(&o, ","));
  value->length = o.length;
  return o.rest.length == 0;
}
