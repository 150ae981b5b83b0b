/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Summary fields of the IP header (RFC 791) and its options. A field is there as soon as its own bytes were captured.
 */
#include "click/number.h"
#include "platform/process/summary/field.h"
#include "platform/process/summary/option.h"

enum { SOURCE, DESTINATION, TOS, DSCP, ECN, TTL, FRAGMENT, FRAGMENT_OFFSET, ID, SUM, PROTOCOL, HEADER_LENGTH, LENGTH };

/* Where a field is in the header. */
static const struct {
  uint8_t offset, size;
} places[] = {
    [SOURCE] = {12, 4}, [DESTINATION] = {16, 4}, [TOS] = {1, 1},      [DSCP] = {1, 1},
    [ECN] = {1, 1},     [TTL] = {8, 1},          [FRAGMENT] = {6, 2}, [FRAGMENT_OFFSET] = {6, 2},
    [ID] = {4, 2},      [SUM] = {10, 2},         [PROTOCOL] = {9, 1}, [HEADER_LENGTH] = {0, 1},
    [LENGTH] = {2, 2},
};

static uint32_t load(const uint8_t *at, unsigned size) {
  return size == 1 ? at[0] : size == 2 ? load_be16(at) : load_be32(at);
}

static char fragment_letter(uint32_t word) {
  if (word & OFFSET_MASK) return 'f';
  if (word & MORE_FRAGMENTS) return 'F';
  return word & DONT_FRAGMENT ? '!' : '.';
}

static bool look(struct summary_view *v, const struct summary_field *field, struct summary_value *value) {
  uint8_t offset = places[field->which].offset, size = places[field->which].size;
  const uint8_t *ip = summary_header(v, PROTOCOL_NONE, (uint32_t)offset + size);
  if (ip == NULL) return false;
  uint32_t number = load(ip + offset, size);
  switch (field->which) {
    case DSCP:
      number >>= 2;
      break;
    case ECN:
      number &= 3;
      break;
    case FRAGMENT:
      number = (uint8_t)fragment_letter(number);
      break;
    case HEADER_LENGTH:
      number = (number & 15) * 4;
      break;
    default:
      break;
  }
  value->number = number;
  return true;
}

/* The whole packet's where there is no IP header. */
static bool look_length(struct summary_view *v, const struct summary_field *field, struct summary_value *value) {
  value->number = (v->ip != NULL ? load_be16(v->ip + 2) : v->length) + (uint64_t)v->extra;
  return true;
}
static bool look_captured(struct summary_view *v, const struct summary_field *field, struct summary_value *value) {
  value->number = v->ip != NULL ? v->network_length : v->length;
  return true;
}

static bool store_header_length(struct summary_draft *d, uint64_t number) {
  uint32_t length = (uint32_t)align_up(number, 4);
  if (length < IP_SIZE || length > IP_SIZE + OPTIONS_MAX) return false;
  d->ip_header_fixed = true;
  if (length <= summary_draft_header_length(d)) return true;
  summary_draft_extend(d, d->network + length);
  d->ip[0] = (uint8_t)(0x40 | length / 4);
  return true;
}

static bool store(struct summary_draft *d, const struct summary_field *field, const struct summary_value *value) {
  if (!summary_draft_ip(d)) return false;
  uint32_t number = (uint32_t)value->number;
  uint8_t *at = d->ip + places[field->which].offset;
  switch (field->which) {
    case DSCP:
      if (number > 63) return false;
      number = (at[0] & 3u) | number << 2;
      break;
    case ECN:
      if (number > 3) return false;
      number |= at[0] & ~3u;
      break;
    case FRAGMENT: /* some later fragment, as in Click: 100 */
      if (strchr(".!Ff", (int)number) == NULL || number == 0) return false;
      number = number == 'F' ? MORE_FRAGMENTS : number == 'f' ? 100 : number == '!' ? DONT_FRAGMENT : 0;
      break;
    case HEADER_LENGTH:
      return store_header_length(d, number);
    case LENGTH:
      d->wanted = number <= UINT32_MAX - d->network ? d->network + number : UINT32_MAX;
      return true;
    default:
      break;
  }
  if (places[field->which].size == 1) at[0] = (uint8_t)number;
  if (places[field->which].size == 2) store_be16(at, (uint16_t)number);
  if (places[field->which].size == 4) store_be32(at, number);
  return true;
}

static void print_address(const struct summary_view *v, const struct summary_field *field,
                          const struct summary_value *value, struct text *out) {
  address_ip_text(out, __builtin_bswap32((uint32_t)value->number));
}
static bool parse_address(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                          struct summary_value *value) {
  uint32_t address = 0;
  bool good = address_ip(NULL, word, &address) == 0;
  value->number = __builtin_bswap32(address);
  return good;
}

static void print_letter(const struct summary_view *v, const struct summary_field *field,
                         const struct summary_value *value, struct text *out) {
  text_addf(out, "%c", (char)value->number);
}
static bool parse_letter(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                         struct summary_value *value) {
  if (word.length == 1) value->number = (uint8_t)word.data[0];
  return word.length == 1;
}

/* In bytes, with a sign for each flag. Version 1.0 of the format counted units of 8 bytes. */
static void print_offset(const struct summary_view *v, const struct summary_field *field,
                         const struct summary_value *value, struct text *out) {
  text_addf(out, "%u%s%s", ((unsigned)value->number & OFFSET_MASK) * 8, value->number & MORE_FRAGMENTS ? "+" : "",
            value->number & DONT_FRAGMENT ? "!" : "");
}
static bool parse_offset(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                         struct summary_value *value) {
  unsigned flags = 0, unit = d->context->minor_version > 0 ? 8 : 1;
  uint64_t offset;
  for (; word.length > 1 && !char_is_word(word.data[word.length - 1]); word.length--) {
    char sign = word.data[word.length - 1];
    if (sign != '+' && sign != '!') return false;
    flags |= sign == '+' ? MORE_FRAGMENTS : DONT_FRAGMENT;
  }
  if (number_unsigned(word, OFFSET_MASK * unit, &offset) != 0 || offset % unit != 0) return false;
  value->number = flags | offset / unit;
  return true;
}

bool summary_parse_protocol(struct slice word, uint64_t *protocol) {
  static const struct {
    const char *letter;
    uint8_t protocol;
  } letters[] = {{"T", PROTOCOL_TCP}, {"U", PROTOCOL_UDP}, {"I", PROTOCOL_ICMP}};
  for (unsigned i = 0; i < 3; i++) {
    if (!slice_equals(word, letters[i].letter)) continue;
    *protocol = letters[i].protocol;
    return true;
  }
  return number_unsigned(word, UINT8_MAX, protocol) == 0;
}
static void print_protocol(const struct summary_view *v, const struct summary_field *field,
                           const struct summary_value *value, struct text *out) {
  const char *letter = value->number == PROTOCOL_TCP    ? "T"
                       : value->number == PROTOCOL_UDP  ? "U"
                       : value->number == PROTOCOL_ICMP ? "I"
                                                        : NULL;
  if (letter != NULL) text_add(out, letter);
  if (letter == NULL) text_addf(out, "%u", (unsigned)value->number);
}
static bool parse_protocol(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                           struct summary_value *value) {
  return summary_parse_protocol(word, &value->number);
}

/* Click's names; RFC 3168 calls them Not-ECT, ECT(1), ECT(0) and CE. */
static const char *const ecn_names[4][2] = {{"no", "-"}, {"ect1", "ECT(1)"}, {"ect2", "ECT(0)"}, {"ce", "CE"}};

static void print_ecn(const struct summary_view *v, const struct summary_field *field,
                      const struct summary_value *value, struct text *out) {
  text_add(out, ecn_names[value->number][0]);
}
static bool parse_ecn(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                      struct summary_value *value) {
  for (unsigned i = 0; i < 4; i++) {
    if (!slice_equals(word, ecn_names[i][0]) && !slice_equals(word, ecn_names[i][1])) continue;
    value->number = i;
    return true;
  }
  return number_unsigned(word, 3, &value->number) == 0;
}

/* --- options --- */

static bool look_options(struct summary_view *v, const struct summary_field *field, struct summary_value *value) {
  const uint8_t *ip = summary_header(v, PROTOCOL_NONE, 1);
  if (ip == NULL) return false;
  uint32_t header = (ip[0] & 15u) * 4;
  if (header > IP_SIZE && summary_header(v, PROTOCOL_NONE, header) == NULL) return false;
  value->bytes = ip + IP_SIZE;
  value->length = header - IP_SIZE;
  return true;
}
static void print_options(const struct summary_view *v, const struct summary_field *field,
                          const struct summary_value *value, struct text *out) {
  ip_options_print(value->bytes, value->length, out);
}
static bool parse_options(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                          struct summary_value *value) {
  return ip_options_parse(word, value);
}
static bool store_options(struct summary_draft *d, const struct summary_field *field,
                          const struct summary_value *value) {
  if (!summary_draft_ip(d)) return false;
  d->ip_header_fixed = true;
  if (value->length == 0) return true;
  if (!store_header_length(d, IP_SIZE + value->length)) return false;
  memset(d->ip + IP_SIZE, 0, summary_draft_header_length(d) - IP_SIZE);
  memcpy(d->ip + IP_SIZE, value->bytes, value->length);
  return true;
}

#define IP(name, size, order, which, print, parse) \
  { name, FORM_NUMBER, size, order, true, which, look, print, parse, store }
static const struct summary_field ip_fields[] = {
    IP("ip_src", 4, ORDER_NET, SOURCE, print_address, parse_address),
    IP("ip_dst", 4, ORDER_NET, DESTINATION, print_address, parse_address),
    IP("ip_tos", 1, ORDER_NET, TOS, NULL, NULL),
    IP("ip_dscp", 1, ORDER_NET, DSCP, NULL, NULL),
    IP("ip_ecn", 1, ORDER_NET, ECN, print_ecn, parse_ecn),
    IP("ip_ttl", 1, ORDER_NET, TTL, NULL, NULL),
    IP("ip_frag", 1, ORDER_NET_FRAGMENT, FRAGMENT, print_letter, parse_letter),
    IP("ip_fragoff", 2, ORDER_NET_FIRST, FRAGMENT_OFFSET, print_offset, parse_offset),
    IP("ip_id", 2, ORDER_NET, ID, NULL, NULL),
    IP("ip_sum", 2, ORDER_NET_LENGTH, SUM, NULL, NULL),
    IP("ip_proto", 1, ORDER_NET, PROTOCOL, print_protocol, parse_protocol),
    IP("ip_hl", 1, ORDER_NET_FIRST, HEADER_LENGTH, NULL, NULL),
    {"ip_len", FORM_NUMBER, 4, ORDER_NET_LENGTH, true, LENGTH, look_length, NULL, NULL, store},
    {"ip_capture_len", FORM_NUMBER, 4, ORDER_PAYLOAD_LENGTH, true, 0, look_captured, NULL, NULL, NULL},
    {"ip_opt", FORM_VARIABLE, 0, ORDER_NET, true, 0, look_options, print_options, parse_options, store_options},
};
const struct summary_group summary_ip_fields = SUMMARY_GROUP(ip_fields);
