/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Summary fields of ports, of TCP (RFC 793 and 3168) and of UDP (RFC 768).
 */
#include "click/number.h"
#include "platform/process/summary/field.h"
#include "platform/process/summary/option.h"

enum { SOURCE_PORT, DESTINATION_PORT, SEQUENCE, ACKNOWLEDGEMENT, OFFSET, FLAGS, WINDOW, URGENT, UDP_LENGTH };

/* Where a field is in the header of its protocol. */
static const struct {
  uint16_t protocol;
  uint8_t offset, size;
} places[] = {
    [SOURCE_PORT] = {PROTOCOL_PORTS, 0, 2}, [DESTINATION_PORT] = {PROTOCOL_PORTS, 2, 2},
    [SEQUENCE] = {PROTOCOL_TCP, 4, 4},      [ACKNOWLEDGEMENT] = {PROTOCOL_TCP, 8, 4},
    [OFFSET] = {PROTOCOL_TCP, 12, 1},       [FLAGS] = {PROTOCOL_TCP, 12, 2},
    [WINDOW] = {PROTOCOL_TCP, 14, 2},       [URGENT] = {PROTOCOL_TCP, 18, 2},
    [UDP_LENGTH] = {PROTOCOL_UDP, 4, 2},
};
enum { FLAGS_MASK = 0x1ff };

static bool look(struct summary_view *v, const struct summary_field *field, struct summary_value *value) {
  uint8_t offset = places[field->which].offset, size = places[field->which].size;
  const uint8_t *at = summary_header(v, places[field->which].protocol, (uint32_t)offset + size);
  if (at == NULL) return false;
  at += offset;
  value->number = size == 1 ? at[0] : size == 2 ? load_be16(at) : load_be32(at);
  if (field->which == OFFSET) value->number = (value->number >> 4) * 4;
  if (field->which == FLAGS) value->number &= FLAGS_MASK;
  return true;
}

/* Makes the TCP header at least so long; what it grows by is zero: the end of options. */
static bool lengthen(struct summary_draft *d, uint8_t *tcp, uint32_t length) {
  if (length < TCP_SIZE || length > TCP_SIZE + OPTIONS_MAX) return false;
  uint32_t before = (tcp[12] >> 4) * 4u;
  if (length <= before) return true;
  summary_draft_extend(d, (uint32_t)(tcp - d->p->data) + length);
  tcp[12] = (uint8_t)(length / 4 << 4 | (tcp[12] & 15));
  return true;
}

static bool store(struct summary_draft *d, const struct summary_field *field, const struct summary_value *value) {
  uint8_t offset = places[field->which].offset, size = places[field->which].size;
  uint8_t *tcp = summary_draft_transport(d, places[field->which].protocol, (uint32_t)offset + size);
  uint64_t number = value->number;
  if (tcp == NULL) return false;
  uint8_t *at = tcp + offset;
  switch (field->which) {
    case OFFSET:
      d->tcp_header_fixed = true;
      return lengthen(d, tcp, (uint32_t)align_up(number, 4));
    case FLAGS:
      if (number > FLAGS_MASK) return false;
      number |= load_be16(at) & ~(unsigned)FLAGS_MASK;
      break;
    default:
      break;
  }
  if (size == 2 && number > UINT16_MAX) return false;
  if (size == 2) store_be16(at, (uint16_t)number);
  if (size == 4) store_be32(at, (uint32_t)number);
  return true;
}

/* --- flags --- */

static const char flag_letters[] = "FSRPAUECN";

static void print_flags(const struct summary_view *v, const struct summary_field *field,
                        const struct summary_value *value, struct text *out) {
  for (unsigned i = 0; i < 9; i++) {
    if (value->number >> i & 1) text_add_bytes(out, &flag_letters[i], 1);
  }
  if (value->number == 0) text_add(out, ".");
}

/* Older dumps have X for E, Y or W for C, or a number. */
static bool parse_flags(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                        struct summary_value *value) {
  if (slice_equals(word, ".")) return true;
  if (char_is_digit(word.data[0])) return number_unsigned(word, FLAGS_MASK, &value->number) == 0;
  for (size_t i = 0; i < word.length; i++) {
    char c = word.data[i] == 'X' ? 'E' : word.data[i] == 'Y' || word.data[i] == 'W' ? 'C' : word.data[i];
    const char *at = c != '\0' ? strchr(flag_letters, c) : NULL;
    if (at == NULL) return false;
    value->number |= 1u << (at - flag_letters);
  }
  return true;
}

/* --- TCP options: `which` says the kinds --- */

enum { TIMESTAMP_ALONE = 0x0101080a }; /* two NOPs and a timestamp: what most headers have */

static bool look_options(struct summary_view *v, const struct summary_field *field, struct summary_value *value) {
  const uint8_t *tcp = summary_header(v, PROTOCOL_TCP, 13);
  if (tcp == NULL) return false;
  uint32_t header = (tcp[12] >> 4) * 4u;
  bool alone = header == 32 && v->transport_length >= 24 && load_be32(tcp + TCP_SIZE) == TIMESTAMP_ALONE;
  if (header <= TCP_SIZE || (alone && !(field->which & TCP_TIMESTAMP))) return true;
  if (summary_header(v, PROTOCOL_TCP, header) == NULL) return false;
  value->bytes = tcp + TCP_SIZE;
  value->length = header - TCP_SIZE;
  if (field->which == TCP_ALL) return true;
  value->length = tcp_options_select(value->bytes, value->length, field->which & ~(unsigned)TCP_PADDING, value->room);
  value->bytes = value->room;
  return true;
}
static void print_options(const struct summary_view *v, const struct summary_field *field,
                          const struct summary_value *value, struct text *out) {
  tcp_options_print(value->bytes, value->length, field->which, out);
}
static bool parse_options(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                          struct summary_value *value) {
  return tcp_options_parse(word, field->which, value);
}
static bool store_options(struct summary_draft *d, const struct summary_field *field,
                          const struct summary_value *value) {
  uint8_t *tcp = summary_draft_transport(d, PROTOCOL_TCP, 13);
  if (tcp == NULL) return false;
  d->tcp_header_fixed = true;
  if (value->length == 0) return true;
  uint32_t length = (uint32_t)align_up(TCP_SIZE + value->length, 4);
  if (!lengthen(d, tcp, length)) return false;
  memset(tcp + TCP_SIZE, 0, (tcp[12] >> 4) * 4u - TCP_SIZE);
  memcpy(tcp + TCP_SIZE, value->bytes, value->length);
  return true;
}

#define NUMBERED(name, size, which) \
  { name, FORM_NUMBER, size, ORDER_TRANSPORT, true, which, look, NULL, NULL, store }
#define OPTIONS(name, order, kinds) \
  { name, FORM_VARIABLE, 0, order, true, kinds, look_options, print_options, parse_options, store_options }
static const struct summary_field transport_fields[] = {
    NUMBERED("sport", 2, SOURCE_PORT),
    NUMBERED("dport", 2, DESTINATION_PORT),
    NUMBERED("tcp_seq", 4, SEQUENCE),
    NUMBERED("tcp_ack", 4, ACKNOWLEDGEMENT),
    {"tcp_off", FORM_NUMBER, 1, ORDER_TRANSPORT_FIRST, true, OFFSET, look, NULL, NULL, store},
    {"tcp_flags", FORM_NUMBER, 1, ORDER_TRANSPORT, true, FLAGS, look, print_flags, parse_flags, store},
    NUMBERED("tcp_window", 2, WINDOW),
    NUMBERED("tcp_urp", 2, URGENT),
    OPTIONS("tcp_opt", ORDER_TRANSPORT_LAST, TCP_ALL),
    OPTIONS("tcp_ntopt", ORDER_TRANSPORT_LATER2, TCP_ALL & ~TCP_TIMESTAMP),
    OPTIONS("tcp_sack", ORDER_TRANSPORT_LATER, TCP_SACK),
    NUMBERED("udp_len", 4, UDP_LENGTH),
};
const struct summary_group summary_transport_fields = SUMMARY_GROUP(transport_fields);
