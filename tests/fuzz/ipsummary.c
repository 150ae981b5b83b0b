/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libFuzzer target: IP summary dumps. A first line without '!' names the fields; then come lines, and after "!binary" records. Each
 * that makes a packet makes one whose headers are where it says, that can be written with all fields in text and in binary, and what
 * was written is read again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "platform/process/summary/summary.h"

static struct packet *new_packet(void) {
  struct packet *p = aligned_alloc(_Alignof(struct packet), PACKET_BUFFER_SIZE);
  if (p == NULL) abort();
  memset(p, 0, PACKET_BUFFER_SIZE);
  p->data = packet_buffer_start(p) + PACKET_HEADROOM;
  return p;
}

/* Every field there is, so that each looks at each packet. */
static const char all[] =
    "timestamp ntimestamp ts_sec ts_usec ts_usec1 first_timestamp first_ntimestamp count link paint direction aggregate "
    "wire_len eth_src eth_dst eth_type ip_src ip_dst ip_tos ip_dscp ip_ecn ip_ttl ip_frag ip_fragoff ip_id ip_sum ip_proto "
    "ip_hl ip_len ip_capture_len ip_opt sport dport tcp_seq tcp_ack tcp_off tcp_flags tcp_opt tcp_ntopt tcp_sack tcp_window "
    "tcp_urp udp_len icmp_type icmp_type_name icmp_code icmp_code_name icmp_flowid icmp_seq icmp_nextmtu payload_len "
    "payload_md5 payload_md5_hex";

static void write_all(const struct packet *p, bool binary, struct text *out) {
  static struct summary_fields text, record;
  struct summary_fields *fields = binary ? &record : &text;
  struct summary_style style = {.binary = binary, .extra_length = true, .careful_truncation = true};
  struct text bad = {0};
  if (fields->count == 0 &&
      summary_fields_parse(all, binary ? SUMMARY_WRITE_BINARY : SUMMARY_WRITE, fields, NULL) != 0) {
    abort();
  }
  summary_write(fields, p, &style, out, &bad);
  text_free(&bad);
}

static void check_packet(const struct packet *p) {
  const uint8_t *start = (const uint8_t *)p, *end = p->data + p->length;
  if (end > start + PACKET_BUFFER_SIZE) abort();
  if (p->network_header != 0 && start + p->network_header + 20 > end) abort();
  struct text text = {0}, record = {0};
  write_all(p, false, &text);
  write_all(p, true, &record);
  if (record.length < 4 || load_be32(record.data) != record.length) abort();
  text_free(&text);
  text_free(&record);
}

/* What is written with the fields that were read can be read once more. */
static void check_round_trip(const struct summary_context *context, const struct packet *p, bool binary) {
  struct summary_style style = {.binary = binary, .extra_length = true};
  struct text written = {0};
  bool malformed;
  summary_write(&context->fields, p, &style, &written, NULL);
  struct packet *again = new_packet();
  struct slice line = {written.data, written.length};
  if (binary) line = (struct slice){line.data + 4, line.length - 4};
  if (summary_read(context, line, binary, again, &malformed) > 0) check_packet(again);
  free(again);
  text_free(&written);
}

static void read_packet(const struct summary_context *context, struct slice line, bool binary) {
  struct packet *p = new_packet();
  bool malformed, unknown = summary_fields_have(&context->fields, "none");
  if (summary_read(context, line, binary, p, &malformed) > 0) {
    check_packet(p);
    if (!unknown) check_round_trip(context, p, false);
    if (!unknown && !summary_fields_have(&context->fields, "payload")) check_round_trip(context, p, true);
  }
  free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice rest = {(const char *)data, size};
  struct summary_context context;
  summary_context_init(&context);
  for (bool first = true; rest.length > 0; first = false) {
    bool record = context.binary && rest.length >= 4 && !(data[size - rest.length] & 0x80);
    size_t length = record ? load_be32(rest.data) : 0;
    if (record && (length < 4 || length > rest.length)) break;
    const char *end = record ? NULL : memchr(rest.data, '\n', rest.length);
    size_t taken = record ? length : end != NULL ? (size_t)(end - rest.data) : rest.length;
    /* A copy of its own size, so that a byte read past it is found. */
    char *copy = malloc(taken > 0 ? taken : 1);
    if (copy == NULL) abort();
    memcpy(copy, rest.data, taken);
    struct slice line = {copy, taken};
    taken += end != NULL;
    rest = (struct slice){rest.data + taken, rest.length - taken};
    if (first && line.length > 0 && copy[0] != '!') {
      struct text mark = {0};
      text_add(&mark, "!data ");
      text_add_slice(&mark, line);
      summary_context_line(&context, (struct slice){mark.data, mark.length}, NULL);
      text_free(&mark);
    } else if (record) {
      read_packet(&context, (struct slice){copy + 4, line.length - 4}, true);
    } else if (line.length > 0 && copy[0] == '!') {
      summary_context_line(&context, line, NULL);
    } else if (slice_trim(line).length > 0) {
      read_packet(&context, line, false);
    }
    free(copy);
  }
  return 0;
}
