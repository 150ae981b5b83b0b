/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP options as text (RFC 793: maximum segment size; RFC 7323: window scale, timestamps; RFC 2018: selective acknowledgements):
 * "mss1400;wscale10;sackok;sack95-98;ts669063908:38382731".
 */
#include "platform/process/summary/option.h"

enum { MSS = 2, WSCALE = 3, SACK_PERMITTED = 4, SACK = 5, TIMESTAMP = 8 };

static unsigned kind_of(uint8_t option) {
  switch (option) {
    case OPTION_END:
    case OPTION_NOP:
      return TCP_PADDING;
    case SACK_PERMITTED:
    case SACK:
      return TCP_SACK;
    case TIMESTAMP:
      return TCP_TIMESTAMP;
    default:
      return TCP_OTHERS;
  }
}

/* Whether the length is what the option calls for. */
static bool length_fits(uint8_t option, uint32_t length) {
  static const uint8_t lengths[] = {[MSS] = 4, [WSCALE] = 3, [SACK_PERMITTED] = 2, [TIMESTAMP] = 10};
  if (option == SACK) return length % 8 == 2;
  return option >= sizeof lengths || lengths[option] == 0 || lengths[option] == length;
}

static void print_option(const uint8_t *option, uint32_t length, struct text *out) {
  switch (option[0]) {
    case MSS:
      text_addf(out, "mss%u", load_be16(option + 2));
      return;
    case WSCALE:
      text_addf(out, "wscale%u", option[2]);
      return;
    case SACK_PERMITTED:
      text_add(out, "sackok");
      return;
    case SACK:
      for (uint32_t i = 2; i < length; i += 8)
        text_addf(out, "%ssack%u-%u", i > 2 ? ";" : "", load_be32(option + i), load_be32(option + i + 4));
      return;
    case TIMESTAMP:
      text_addf(out, "ts%u:%u", load_be32(option + 2), load_be32(option + 6));
      return;
    default:
      option_print_unknown(option, length, out);
  }
}

void tcp_options_print(const uint8_t *options, uint32_t length, unsigned kinds, struct text *out) {
  struct text text = {0};
  bool damaged = false;
  for (uint32_t at = 0, size; at < length && options[at] != OPTION_END && !damaged; at += size) {
    size = options[at] == OPTION_NOP ? 1 : option_length(options + at, length - at, 2);
    damaged = size == 0 || (options[at] != OPTION_NOP && !length_fits(options[at], size));
    bool empty = options[at] == SACK && size == 2;
    if (damaged || empty || options[at] == OPTION_NOP || !(kinds & kind_of(options[at]))) continue;
    if (text.length > 0) text_add(&text, ";");
    print_option(options + at, size, &text);
  }
  text_add(out, damaged ? "?" : text.length > 0 ? text_string(&text) : ".");
  text_free(&text);
}

uint32_t tcp_options_select(const uint8_t *options, uint32_t length, unsigned kinds, uint8_t *to) {
  uint32_t selected = 0;
  for (uint32_t at = 0, size; at < length && options[at] != OPTION_END; at += size) {
    size = options[at] == OPTION_NOP ? 1 : option_length(options + at, length - at, 2);
    if (size == 0) break;
    if (!(kinds & kind_of(options[at]))) continue;
    memcpy(to + selected, options + at, size);
    selected += size;
  }
  return selected;
}

/* One block, and those that follow it without another option between them. */
static bool take_sack(struct option_text *o) {
  uint32_t start = o->length, left, right;
  struct option_text before;
  option_add(o, SACK);
  option_add(o, 0);
  do {
    if (!option_take_number(o, UINT32_MAX, &left)) return false;
    if (!option_take(o, "-") && !option_take(o, ":")) return false;
    if (!option_take_number(o, UINT32_MAX, &right)) return false;
    option_add_u32(o, left);
    option_add_u32(o, right);
    before = *o;
  } while ((option_take(o, ";") || option_take(o, ",")) && option_take(o, "sack") && o->rest.length > 0 &&
           char_is_digit(o->rest.data[0]));
  *o = before;
  if (!o->overflow) o->bytes[start + 1] = (uint8_t)(o->length - start);
  return true;
}

static bool take_numbered(struct option_text *o, unsigned kind) {
  uint32_t number;
  if (!option_take_number(o, kind == MSS ? UINT16_MAX : UINT8_MAX, &number)) return false;
  option_add(o, kind);
  option_add(o, kind == MSS ? 4 : 3);
  if (kind == MSS) option_add(o, number >> 8);
  option_add(o, number & 255);
  return true;
}

/* Alone it is aligned, as all stacks send it (RFC 7323, appendix A). */
static bool take_timestamp(struct option_text *o) {
  uint32_t value, echo;
  if (!option_take_number(o, UINT32_MAX, &value) || !option_take(o, ":")) return false;
  if (!option_take_number(o, UINT32_MAX, &echo)) return false;
  for (unsigned i = 0; o->length < 2 && i < 2; i++)
    option_add(o, OPTION_NOP);
  option_add(o, TIMESTAMP);
  option_add(o, 10);
  option_add_u32(o, value);
  option_add_u32(o, echo);
  return true;
}

static bool take_option(struct option_text *o, unsigned kinds) {
  if ((kinds & TCP_OTHERS) && option_take(o, "mss")) return take_numbered(o, MSS);
  if ((kinds & TCP_OTHERS) && option_take(o, "wscale")) return take_numbered(o, WSCALE);
  if ((kinds & TCP_SACK) && option_take(o, "sackok")) {
    option_add(o, SACK_PERMITTED);
    option_add(o, 2);
    return true;
  }
  if ((kinds & TCP_SACK) && option_take(o, "sack")) return take_sack(o);
  if ((kinds & TCP_TIMESTAMP) && option_take(o, "ts")) return take_timestamp(o);
  if ((kinds & TCP_PADDING) && (option_take(o, "nop") || option_take(o, "eol"))) {
    option_add(o, o->rest.data[-1] == 'p' ? OPTION_NOP : OPTION_END);
    return true;
  }
  return (kinds & TCP_OTHERS) && option_take_unknown(o);
}

bool tcp_options_parse(struct slice text, unsigned kinds, struct summary_value *value) {
  return option_take_all(text, take_option, kinds, value);
}
