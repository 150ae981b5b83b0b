/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Summary fields of annotations (times, counts, paint) and of the link-layer header.
 */
#include "click/number.h"
#include "platform/process/summary/field.h"

enum { SECONDS, MICROSECONDS, ALL_MICROSECONDS, TIME, FIRST_TIME, COUNT, LINK, AGGREGATE, WIRE_LENGTH };

/* --- annotations --- */

static bool look(struct summary_view *v, const struct summary_field *field, struct summary_value *value) {
  const struct packet *p = v->p;
  const uint64_t numbers[] = {
      [SECONDS] = p->timestamp / 1000000000,
      [MICROSECONDS] = p->timestamp % 1000000000 / 1000,
      [ALL_MICROSECONDS] = p->timestamp / 1000,
      [TIME] = p->timestamp,
      [FIRST_TIME] = load_le64(p->annotation + SUMMARY_FIRST_TIMESTAMP),
      [COUNT] = (uint64_t)annotation_u32(p, SUMMARY_EXTRA_PACKETS) + 1,
      [LINK] = annotation_u8(p, ANNOTATION_PAINT),
      [AGGREGATE] = annotation_u32(p, ANNOTATION_AGGREGATE),
      [WIRE_LENGTH] = (uint64_t)p->length + v->extra_capture,
  };
  value->number = numbers[field->which];
  return true;
}

static bool store(struct summary_draft *d, const struct summary_field *field, const struct summary_value *value) {
  struct packet *p = d->p;
  uint64_t number = value->number;
  switch (field->which) {
    case SECONDS:
      p->timestamp = p->timestamp % 1000000000 + number * 1000000000;
      return true;
    case MICROSECONDS:
      if (number >= 1000000) return false;
      p->timestamp = p->timestamp / 1000000000 * 1000000000 + number * 1000;
      return true;
    case ALL_MICROSECONDS:
      if (number > UINT64_MAX / 1000) return false;
      p->timestamp = number * 1000;
      return true;
    case TIME:
      p->timestamp = number;
      return true;
    case FIRST_TIME:
      store_le64(p->annotation + SUMMARY_FIRST_TIMESTAMP, number);
      return true;
    case COUNT:
      annotation_set_u32(p, SUMMARY_EXTRA_PACKETS, number > 0 ? (uint32_t)number - 1 : 0);
      return true;
    case LINK:
      annotation_set_u8(p, ANNOTATION_PAINT, (uint8_t)number);
      return true;
    case AGGREGATE:
      annotation_set_u32(p, ANNOTATION_AGGREGATE, (uint32_t)number);
      return true;
    default:
      d->wanted = (uint32_t)number;
      return true;
  }
}

static void print_time(const struct summary_view *v, const struct summary_field *field,
                       const struct summary_value *value, struct text *out) {
  unsigned part = (unsigned)(value->number % 1000000000);
  text_addf(out, "%llu.", (unsigned long long)(value->number / 1000000000));
  if (field->form == FORM_NANO) text_addf(out, "%09u", part);
  if (field->form == FORM_MICRO) text_addf(out, "%06u", part / 1000);
}

static bool parse_time(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                       struct summary_value *value) {
  bool decimal = word.length > 0 && char_is_digit(word.data[0]) && char_is_digit(word.data[word.length - 1]);
  return decimal && number_time(word, &value->number) == 0 && value->number / 1000000000 <= UINT32_MAX;
}

static void print_direction(const struct summary_view *v, const struct summary_field *field,
                            const struct summary_value *value, struct text *out) {
  if (value->number < 2) text_add(out, value->number == 0 ? ">" : "<");
  if (value->number >= 2) text_addf(out, "%llu", (unsigned long long)value->number);
}

/* L and R, of left and right, are of older dumps. */
static bool parse_direction(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                            struct summary_value *value) {
  char letter = word.length == 1 ? word.data[0] : '\0';
  value->number = letter == '<' || letter == 'R' || letter == 'X';
  return value->number == 1 || letter == '>' || letter == 'L' || number_unsigned(word, UINT8_MAX, &value->number) == 0;
}

#define TIMED(name, form, which) \
  { name, form, 8, ORDER_ANNOTATION, false, which, look, print_time, parse_time, store }
#define NUMBERED(name, size, which) \
  { name, FORM_NUMBER, size, ORDER_ANNOTATION, false, which, look, NULL, NULL, store }
static const struct summary_field annotation_fields[] = {
    TIMED("timestamp", FORM_MICRO, TIME),
    TIMED("ntimestamp", FORM_NANO, TIME),
    TIMED("first_timestamp", FORM_MICRO, FIRST_TIME),
    TIMED("first_ntimestamp", FORM_NANO, FIRST_TIME),
    NUMBERED("ts_sec", 4, SECONDS),
    NUMBERED("ts_usec", 4, MICROSECONDS),
    NUMBERED("ts_usec1", 8, ALL_MICROSECONDS),
    NUMBERED("count", 4, COUNT),
    {"link", FORM_NUMBER, 1, ORDER_ANNOTATION, false, LINK, look, NULL, parse_direction, store},
    {"paint", FORM_NUMBER, 1, ORDER_ANNOTATION, false, LINK, look, NULL, parse_direction, store},
    {"direction", FORM_NUMBER, 1, ORDER_ANNOTATION, false, LINK, look, print_direction, parse_direction, store},
    NUMBERED("aggregate", 4, AGGREGATE),
    NUMBERED("wire_len", 4, WIRE_LENGTH),
};
const struct summary_group summary_annotation_fields = SUMMARY_GROUP(annotation_fields);

/* --- Ethernet --- */

enum { ETHER_DESTINATION = 0, ETHER_SOURCE = 6, ETHER_TYPE = 12, TYPE_IP = 0x0800, TYPE_IP6 = 0x86dd };

/* The header is 14 bytes that end where IP begins, or the packet. Where nobody marked it, it is what stands before that. */
static bool look_ether(struct summary_view *v, const struct summary_field *field, struct summary_value *value) {
  const struct packet *p = v->p;
  const uint8_t *start = (const uint8_t *)p, *end = p->data + p->length;
  const uint8_t *network = p->network_header != 0 ? start + p->network_header : end;
  const uint8_t *mac = p->mac_header != 0 ? start + p->mac_header : network >= p->data ? p->data : NULL;
  if (mac == NULL || mac < p->data || network > end || network - mac != ETHER_SIZE) {
    return summary_missing(v, PROTOCOL_ETHERNET, 0);
  }
  value->bytes = mac + field->which;
  value->length = field->size;
  value->number = load_be16(mac + ETHER_TYPE);
  return true;
}

static bool store_ether(struct summary_draft *d, const struct summary_field *field, const struct summary_value *value) {
  struct packet *p = d->p;
  if (p->mac_header == 0) {
    summary_draft_extend(d, ETHER_SIZE);
    p->mac_header = (uint16_t)(p->data - (uint8_t *)p);
    store_be16(p->data + ETHER_TYPE, TYPE_IP);
  }
  if (field->which != ETHER_TYPE) {
    memcpy(p->data + field->which, value->bytes, field->size);
    return true;
  }
  store_be16(p->data + ETHER_TYPE, (uint16_t)value->number);
  d->not_ip = value->number != TYPE_IP && value->number != TYPE_IP6;
  return true;
}

static void print_address(const struct summary_view *v, const struct summary_field *field,
                          const struct summary_value *value, struct text *out) {
  address_ether_text(out, value->bytes);
}
static bool parse_address(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                          struct summary_value *value) {
  value->bytes = value->room;
  return address_ether(NULL, word, value->room) == 0;
}
static void print_type(const struct summary_view *v, const struct summary_field *field,
                       const struct summary_value *value, struct text *out) {
  text_addf(out, "%04X", (unsigned)value->number);
}
static bool parse_type(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                       struct summary_value *value) {
  if (word.length > 2 && word.data[0] == '0' && (word.data[1] | 0x20) == 'x') {
    word = (struct slice){word.data + 2, word.length - 2};
  }
  for (size_t i = 0; i < word.length; i++) {
    int digit = char_hex_value(word.data[i]);
    if (digit < 0 || value->number > UINT16_MAX) return false;
    value->number = value->number << 4 | (unsigned)digit;
  }
  return word.length > 0 && value->number <= UINT16_MAX;
}

static const struct summary_field link_fields[] = {
    {"eth_src", FORM_BYTES, 6, ORDER_LINK, false, ETHER_SOURCE, look_ether, print_address, parse_address, store_ether},
    {"eth_dst", FORM_BYTES, 6, ORDER_LINK, false, ETHER_DESTINATION, look_ether, print_address, parse_address,
     store_ether},
    {"eth_type", FORM_NUMBER, 2, ORDER_LINK, false, ETHER_TYPE, look_ether, print_type, parse_type, store_ether},
};
const struct summary_group summary_link_fields = SUMMARY_GROUP(link_fields);
