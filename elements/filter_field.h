/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Header fields of a packet as numbers: what both the decision tree and the tests that it leaves over read.
 */
#ifndef IMAGO_ELEMENTS_FILTER_FIELD_H
#define IMAGO_ELEMENTS_FILTER_FIELD_H

#include "elements/filter_language.h"
#include "elements/filter_words.h"
#include "packet/packet.h"

/* The value of a field that is not there: the packet is too short, a later fragment, or of another protocol. */
#define FILTER_ABSENT ((uint64_t)1 << 32)

/* (big-endian word at `word` >> shift) & mask; the bytes down to bit `shift` must be there. */
struct filter_field {
  uint16_t protocol; /* of a transport field: that the packet must be of; of an IP field: FILTER_NO_PROTOCOL */
  uint8_t header, shift;
  uint16_t word;
  uint32_t mask;
};

/* The headers of one packet. */
struct filter_view {
  const uint8_t *ip;        /* NULL: the packet has no network header */
  const uint8_t *transport; /* NULL: not a first fragment, or no IP header that says where it ends */
  const uint8_t *end;
  uint32_t protocol; /* FILTER_NO_PROTOCOL: the packet is too short to have one */
};

static inline void filter_view_open(struct filter_view *view, const uint8_t *ip, const uint8_t *end) {
  *view = (struct filter_view){.end = end, .protocol = FILTER_NO_PROTOCOL};
  if (!ip || ip >= end) return;
  view->ip = ip;
  size_t length = (size_t)(end - ip);
  if (length < 10) return;
  view->protocol = ip[9];
  unsigned header = (ip[0] & 15u) * 4;
  if (header < 20 || header > length || (load_be16(ip + 6) & 0x1fff) != 0) return;
  view->transport = ip + header;
}

static inline bool filter_protocol_holds(const struct filter_view *view, uint16_t protocol) {
  if (protocol < 256) return view->protocol == protocol;
  if (protocol == FILTER_TCP_UDP) return view->protocol == 6 || view->protocol == 17;
  return true;
}

/* For a field whose word reaches behind the end of the packet. */
uint64_t filter_field_tail(const uint8_t *word, const struct filter_field *field, const uint8_t *end);

static inline uint64_t filter_field_value(const struct filter_view *view, const struct filter_field *field) {
  const uint8_t *base = field->header == FILTER_IP ? view->ip : view->transport;
  if (!base || (size_t)(view->end - base) < field->word + 4u - field->shift / 8u ||
      !filter_protocol_holds(view, field->protocol)) {
    return FILTER_ABSENT;
  }
  const uint8_t *word = base + field->word;
  if (__builtin_expect((size_t)(view->end - base) < field->word + 4u, 0)) {
    return filter_field_tail(word, field, view->end);
  }
  return (load_be32(word) >> field->shift) & field->mask;
}

#endif
