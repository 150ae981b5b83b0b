/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IP options as text (RFC 791, 3.1): routes "rr{10.0.0.1,20.0.0.2}+5", "ssrr{1.0.0.1^1.0.0.3}", "lsrr{...}", timestamps
 * "ts{1,!45}+2++3", "ts.ip{1.0.0.1=1}+5", "ts.preip{1.0.0.1=1^1.0.0.2}". The caret is the pointer, +5 room for five more entries, ++3 the
 * overflow counter.
 */
#include "platform/process/summary/option.h"

enum { RECORD_ROUTE = 7, TIMESTAMP = 68, LOOSE_ROUTE = 131, STRICT_ROUTE = 137 };
enum { TIMES_ONLY = 0, TIMES_WITH_ADDRESSES = 1, TIMES_OF_ADDRESSES = 3 }; /* flags of TIMESTAMP */
#define NONSTANDARD_TIME 0x80000000u

static void print_address(const uint8_t *a, struct text *out) { text_addf(out, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]); }

/* A route: addresses up to the pointer, and, where they are to be visited, behind it. */
static void print_route(const uint8_t *option, uint32_t length, struct text *out) {
  bool recorded = option[0] == RECORD_ROUTE;
  uint32_t at = 3, pointer = option[2] - 1u;
  text_add(out, recorded ? "rr{" : option[0] == STRICT_ROUTE ? "ssrr{" : "lsrr{");
  for (; at + 4 <= length && !(recorded && at == pointer); at += 4) {
    text_add(out, at == pointer ? "^" : at > 3 ? "," : "");
    print_address(option + at, out);
  }
  if (!recorded && at == length && at == pointer) text_add(out, "^");
  text_add(out, "}");
  if (at < length && at == pointer) text_addf(out, "+%u", (length - at) / 4);
}

static void print_time(const uint8_t *at, struct text *out) {
  uint32_t time = load_be32(at);
  text_addf(out, "%s%u", time & NONSTANDARD_TIME ? "!" : "", time & ~NONSTANDARD_TIME);
}

static void print_timestamp(const uint8_t *option, uint32_t length, struct text *out) {
  uint32_t at = 4, pointer = option[2] - 1u, flag = option[3] & 15, size = flag == TIMES_ONLY ? 4 : 8;
  text_add(out, "ts");
  if (flag == TIMES_WITH_ADDRESSES) text_add(out, ".ip");
  if (flag == TIMES_OF_ADDRESSES) text_add(out, ".preip");
  if (size == 8 && flag != TIMES_WITH_ADDRESSES && flag != TIMES_OF_ADDRESSES) text_addf(out, ".%u", flag);
  text_add(out, "{");
  for (; at + size <= length && (flag == TIMES_OF_ADDRESSES || at != pointer); at += size) {
    text_add(out, at == pointer ? "^" : at > 4 ? "," : "");
    if (size == 8) print_address(option + at, out);
    if (flag == TIMES_OF_ADDRESSES && at >= pointer) continue; /* its time is still to come */
    if (size == 8) text_add(out, "=");
    print_time(option + at + size - 4, out);
  }
  if (at == length && at == pointer) text_add(out, "^");
  text_add(out, "}");
  if (at + size <= length && at == pointer) text_addf(out, "+%u", (length - at) / size);
  if (option[3] >> 4 != 0) text_addf(out, "++%u", option[3] >> 4);
}

/* False: damaged. */
static bool print_option(const uint8_t *option, uint32_t left, uint32_t *length, struct text *out) {
  bool route = option[0] == RECORD_ROUTE || option[0] == LOOSE_ROUTE || option[0] == STRICT_ROUTE;
  *length = option_length(option, left, route ? 3 : option[0] == TIMESTAMP ? 4 : 2);
  if (*length == 0 || (route && option[2] < 4) || (option[0] == TIMESTAMP && option[2] < 5)) return false;
  if (route) {
    print_route(option, *length, out);
  } else if (option[0] == TIMESTAMP) {
    print_timestamp(option, *length, out);
  } else {
    option_print_unknown(option, *length, out);
  }
  return true;
}

void ip_options_print(const uint8_t *options, uint32_t length, struct text *out) {
  struct text text = {0};
  bool damaged = false;
  for (uint32_t at = 0, size = 1; at < length && options[at] != OPTION_END && !damaged; at += size) {
    size = 1;
    if (options[at] == OPTION_NOP) continue;
    if (text.length > 0) text_add(&text, ";");
    damaged = !print_option(options + at, length - at, &size, &text);
  }
  text_add(out, damaged ? "?" : text.length > 0 ? text_string(&text) : ".");
  text_free(&text);
}

/* --- reading --- */

static bool take_address(struct option_text *o) {
  for (unsigned i = 0; i < 4; i++) {
    uint32_t byte;
    if ((i > 0 && !option_take(o, ".")) || !option_take_number(o, UINT8_MAX, &byte)) return false;
    option_add(o, byte);
  }
  return true;
}

/* "+5": room for so many entries. */
static bool take_room(struct option_text *o, uint32_t size) {
  uint32_t count;
  if (slice_starts_with(o->rest, "++") || !option_take(o, "+")) return true;
  if (!option_take_number(o, OPTIONS_MAX / 4, &count)) return false;
  for (uint32_t i = 0; i < count * size; i++)
    option_add(o, 0);
  return true;
}

/* Fills in length and pointer of the option that begins at `start`. */
static bool finish(struct option_text *o, uint32_t start, uint32_t pointer) {
  if (o->overflow) return false;
  o->bytes[start + 1] = (uint8_t)(o->length - start);
  o->bytes[start + 2] = (uint8_t)(pointer + 1);
  return true;
}

static bool at_entry(const struct option_text *o) {
  return o->rest.length > 0 && (char_is_digit(o->rest.data[0]) || o->rest.data[0] == '!');
}

static bool take_route(struct option_text *o, uint8_t kind) {
  uint32_t start = o->length, pointer = 0;
  option_add(o, kind);
  option_add(o, 0);
  option_add(o, 0);
  for (;;) {
    if (pointer == 0 && option_take(o, "^")) pointer = o->length - start;
    if (!at_entry(o)) break;
    if (!take_address(o)) return false;
    (void)option_take(o, ",");
  }
  if (!option_take(o, "}")) return false;
  if (pointer == 0) pointer = o->length - start;
  return take_room(o, 4) && finish(o, start, pointer);
}

/* One entry; behind the pointer an address has no time yet, or "=?". */
static bool take_entry(struct option_text *o, uint32_t flag, bool visited) {
  uint32_t time, top = 0;
  if (flag != TIMES_ONLY && !take_address(o)) return false;
  if (flag == TIMES_OF_ADDRESSES && !visited && (option_take(o, "=?") || !slice_starts_with(o->rest, "="))) {
    option_add_u32(o, 0);
    return true;
  }
  if (flag != TIMES_ONLY && !option_take(o, "=")) return false;
  if (option_take(o, "!")) top = NONSTANDARD_TIME;
  if (!option_take_number(o, UINT32_MAX, &time)) return false;
  option_add_u32(o, time | top);
  return true;
}

static bool take_flag(struct option_text *o, uint32_t *flag) {
  *flag = TIMES_ONLY;
  if (option_take(o, "{")) return true;
  *flag = TIMES_WITH_ADDRESSES;
  if (option_take(o, ".ip{")) return true;
  *flag = TIMES_OF_ADDRESSES;
  if (option_take(o, ".preip{")) return true;
  return option_take(o, ".") && option_take_number(o, 15, flag) && option_take(o, "{");
}

static bool take_timestamp(struct option_text *o) {
  uint32_t start = o->length, pointer = 0, flag, overflow = 0;
  if (!take_flag(o, &flag)) return false;
  option_add(o, TIMESTAMP);
  for (unsigned i = 0; i < 3; i++)
    option_add(o, 0);
  for (;;) {
    if (pointer == 0 && option_take(o, "^")) pointer = o->length - start;
    if (!at_entry(o)) break;
    if (!take_entry(o, flag, pointer == 0)) return false;
    (void)option_take(o, ",");
  }
  if (!option_take(o, "}")) return false;
  if (pointer == 0) pointer = o->length - start;
  if (!take_room(o, flag == TIMES_ONLY ? 4 : 8)) return false;
  if (option_take(o, "++") && !option_take_number(o, 15, &overflow)) return false;
  if (!finish(o, start, pointer)) return false;
  o->bytes[start + 3] = (uint8_t)(overflow << 4 | flag);
  return true;
}

static bool take_option(struct option_text *o, unsigned kinds) {
  if (option_take(o, "rr{")) return take_route(o, RECORD_ROUTE);
  if (option_take(o, "ssrr{")) return take_route(o, STRICT_ROUTE);
  if (option_take(o, "lsrr{")) return take_route(o, LOOSE_ROUTE);
  if (option_take(o, "ts")) return take_timestamp(o);
  if (option_take(o, "nop")) {
    option_add(o, OPTION_NOP);
    return true;
  }
  if (option_take(o, "eol")) {
    option_add(o, OPTION_END);
    return true;
  }
  return option_take_unknown(o);
}

bool ip_options_parse(struct slice text, struct summary_value *value) {
  return option_take_all(text, take_option, 0, value);
}
