/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Summary fields of the payload: what is behind the headers of TCP and UDP, or else behind IP's, or else the whole packet.
 */
#include <md5.h>

#include "click/words.h"
#include "platform/process/summary/field.h"

enum { DIGEST_SIZE = 16 };

/* How much the transport header takes, judging by its first 13 bytes where they are there. */
static uint32_t transport_size(const uint8_t *ip, const uint8_t *transport, uint32_t captured) {
  if (load_be16(ip + 6) & OFFSET_MASK) return 0;
  uint32_t tcp = captured >= 13 ? (transport[12] >> 4) * 4u : TCP_SIZE;
  if (ip[9] == PROTOCOL_TCP) return tcp >= TCP_SIZE ? tcp : TCP_SIZE;
  return ip[9] == PROTOCOL_UDP || ip[9] == PROTOCOL_UDPLITE ? UDP_SIZE : 0;
}

/* The payload's place in the packet, and its length as IP has it. */
static void find(const struct summary_view *v, uint32_t *offset, uint32_t *length) {
  *offset = 0;
  *length = v->length;
  if (v->ip == NULL) return;
  uint32_t header = (v->ip[0] & 15u) * 4, whole = load_be16(v->ip + 2);
  uint32_t captured = v->network_length > header ? v->network_length - header : 0;
  if (v->network_length >= 10) header += transport_size(v->ip, v->ip + header, captured);
  *offset = v->network + header;
  *length = whole > header ? whole - header : 0;
}

static bool look_length(struct summary_view *v, const struct summary_field *field, struct summary_value *value) {
  uint32_t offset, length;
  find(v, &offset, &length);
  value->number = (uint64_t)length + v->extra;
  return true;
}

/* As much of it as was captured. False: nothing was, though there is some. */
static bool look(struct summary_view *v, const struct summary_field *field, struct summary_value *value) {
  uint32_t offset, length;
  find(v, &offset, &length);
  if (length > 0 && offset >= v->length) return false;
  value->bytes = length > 0 ? v->p->data + offset : (const uint8_t *)"";
  value->length = length < v->length - offset ? length : v->length - offset;
  if (length == 0) value->length = 0;
  return true;
}

static bool look_digest(struct summary_view *v, const struct summary_field *field, struct summary_value *value) {
  if (!look(v, field, value)) return false;
  MD5_CTX md5;
  MD5Init(&md5);
  MD5Update(&md5, value->bytes, value->length);
  MD5Final(value->room, &md5);
  value->bytes = value->room;
  value->length = DIGEST_SIZE;
  return true;
}

/* As Click quotes it. */
static void print(const struct summary_view *v, const struct summary_field *field, const struct summary_value *value,
                  struct text *out) {
  text_add(out, "\"");
  for (uint32_t i = 0; i < value->length; i++) {
    uint8_t c = value->bytes[i];
    if (c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '$') {
      text_add_bytes(out, &c, 1);
    } else if (c == '\t' || c == '\r' || c == '\n') {
      text_add(out, c == '\t' ? "\\t" : c == '\r' ? "\\r" : "\\n");
    } else if (c == '"' || c == '\\' || c == '$') {
      text_addf(out, "\\%c", c);
    } else {
      text_addf(out, "\\%u%u%u", c >> 6, c >> 3 & 7, c & 7);
    }
  }
  text_add(out, "\"");
}

static void print_digest_hex(const struct summary_view *v, const struct summary_field *field,
                             const struct summary_value *value, struct text *out) {
  for (uint32_t i = 0; i < value->length; i++)
    text_addf(out, "%02x", value->bytes[i]);
}

/* Six bits a letter, the lowest of the first byte first. */
static void print_digest(const struct summary_view *v, const struct summary_field *field,
                         const struct summary_value *value, struct text *out) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@";
  for (uint32_t bit = 0; bit < DIGEST_SIZE * 8; bit += 6) {
    uint32_t at = bit / 8, window = value->bytes[at];
    if (at + 1 < DIGEST_SIZE) window |= (uint32_t)value->bytes[at + 1] << 8;
    text_add_bytes(out, &letters[window >> bit % 8 & 63], 1);
  }
}

/* --- reading --- */

/* Grows a header of `before` bytes at `at` by `more` zeros, and moves what is behind it. */
static void grow(struct summary_draft *d, uint32_t at, uint32_t before, uint32_t more) {
  struct packet *p = d->p;
  uint32_t behind = at + before, moved = p->length > behind ? p->length - behind : 0;
  summary_draft_extend(d, behind + moved + more);
  memmove(p->data + behind + more, p->data + behind, moved);
  memset(p->data + behind, 0, more);
}

static uint32_t options_of(uint32_t missing) { return missing > OPTIONS_MAX ? OPTIONS_MAX : missing & ~3u; }

/* The payload's place in the draft. With `length` known as well as the length of the whole, what is between must be options that were not
 * told: TCP's, then IP's, as far as they can be so long. */
static uint32_t place(struct summary_draft *d, uint32_t length) {
  if (d->ip == NULL) {
    if (d->wanted == 0) d->wanted = length;
    return 0;
  }
  uint32_t header = summary_draft_header_length(d);
  uint32_t start = d->network + header, captured = d->p->length > start ? d->p->length - start : 0;
  uint32_t transport = transport_size(d->ip, d->ip + header, captured), offset = start + transport;
  if (d->wanted == 0) d->wanted = offset + length;
  uint32_t missing = d->wanted > (uint64_t)offset + length ? d->wanted - offset - length : 0;
  uint8_t *tcp = d->tcp_header_fixed ? NULL : summary_draft_transport(d, PROTOCOL_TCP, TCP_SIZE);
  if (tcp != NULL && transport == TCP_SIZE && missing >= 4) {
    grow(d, start, TCP_SIZE, options_of(missing));
    tcp[12] = (uint8_t)((TCP_SIZE + options_of(missing)) / 4 << 4 | (tcp[12] & 15));
    offset += options_of(missing);
    missing -= options_of(missing);
  }
  if (!d->ip_header_fixed && header == IP_SIZE && missing >= 4) {
    grow(d, d->network, IP_SIZE, options_of(missing));
    d->ip[0] = (uint8_t)(0x40 | (IP_SIZE + options_of(missing)) / 4);
    offset += options_of(missing);
  }
  return offset;
}

static void make_headers(struct summary_draft *d) {
  if (summary_draft_ip(d)) (void)summary_draft_transport(d, d->ip[9], 0);
}

static bool store_length(struct summary_draft *d, const struct summary_field *field,
                         const struct summary_value *value) {
  if (value->number > UINT32_MAX - 256) return false;
  make_headers(d);
  (void)place(d, (uint32_t)value->number);
  return true;
}

static bool parse(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                  struct summary_value *value) {
  value->bytes = (const uint8_t *)word.data;
  value->length = (uint32_t)word.length;
  return true;
}

/* The value is the word as it stands, in quotes: what it says may be long, and is wanted here only. */
static bool store(struct summary_draft *d, const struct summary_field *field, const struct summary_value *value) {
  struct text plain = {0};
  words_unquote((struct slice){(const char *)value->bytes, value->length}, &plain);
  bool good = !plain.failed;
  if (good) make_headers(d);
  if (good && plain.length > 0) {
    uint32_t offset = place(d, (uint32_t)plain.length);
    summary_draft_extend(d, offset + (uint32_t)plain.length);
    uint32_t room = d->p->length - offset;
    memcpy(d->p->data + offset, plain.data, plain.length < room ? plain.length : room);
  }
  text_free(&plain);
  return good;
}

static const struct summary_field payload_fields[] = {
    {"payload", FORM_TEXT, 0, ORDER_PAYLOAD, true, 0, look, print, parse, store},
    {"payload_len", FORM_NUMBER, 4, ORDER_PAYLOAD_LENGTH, true, 0, look_length, NULL, NULL, store_length},
    {"payload_md5", FORM_BYTES, DIGEST_SIZE, ORDER_PAYLOAD_LENGTH, true, 0, look_digest, print_digest, NULL, NULL},
    {"payload_md5_hex", FORM_BYTES, DIGEST_SIZE, ORDER_PAYLOAD_LENGTH, true, 0, look_digest, print_digest_hex, NULL,
     NULL},
};
const struct summary_group summary_payload_fields = SUMMARY_GROUP(payload_fields);
