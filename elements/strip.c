/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Elements that move the start of packets: Strip, Unstrip, StripToNetworkHeader, Align. Bytes that are stripped stay in the buffer, so
 * that Unstrip gets them back.
 */
#include "click/element.h"
#include "click/reconfigure.h"
#include "packet/headers.h"

struct strip {
  struct element element;
  uint32_t bytes;
};

static const struct argument strip_arguments[] = {
    {"LENGTH", ARGUMENT_U32, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct strip, bytes), "how many bytes"},
    {0}};

/* --- Strip --- */

/* Branchless: a packet that is too short becomes empty. */
static inline void strip_front(struct packet *p, uint32_t bytes) {
  if (bytes > p->length) bytes = p->length;
  p->data += bytes;
  p->length -= bytes;
}

static void strip_simple(struct element *e, struct batch *batch) {
  uint32_t bytes = ((const struct strip *)e)->bytes;
  for (uint32_t i = 0; i < batch->count; i++)
    strip_front(batch->packet[i], bytes);
}

static const struct element_class strip_class = {
    .name = "Strip",
    .purpose = "deletes bytes from the front of packets",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct strip),
    .arguments = strip_arguments,
    .example = "FromDevice(eth0) -> Strip(14) -> CheckIPHeader -> Discard;",
    .manual = "A packet that is shorter than LENGTH becomes empty.",
    .reconfigure = reconfigure_arguments,
    .simple = strip_simple,
};
ELEMENT(Strip, strip_class);

/* --- Unstrip --- */

enum { UNSTRIP_NO_HEADROOM };
static const char *const unstrip_drops[] = {"no_headroom", NULL};

static void unstrip_simple(struct element *e, struct batch *batch) {
  uint32_t bytes = ((const struct strip *)e)->bytes, kept = 0;
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    if (bytes > packet_headroom(p)) {
      element_drop(e, UNSTRIP_NO_HEADROOM, p);
      continue;
    }
    p->data -= bytes;
    p->length += bytes;
    batch->packet[kept++] = p;
  }
  batch->count = kept;
}

static const struct element_class unstrip_class = {
    .name = "Unstrip",
    .purpose = "puts bytes back to the front of packets",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct strip),
    .arguments = strip_arguments,
    .drops = unstrip_drops,
    .example = "... -> Strip(14) -> CheckIPHeader -> Unstrip(14) -> ...",
    .manual =
        "Undoes Strip: the bytes are those that were there before, or undefined if none were. A packet without so much "
        "headroom (usually 256 bytes) is dropped and counted under no_headroom.",
    .reconfigure = reconfigure_arguments,
    .simple = unstrip_simple,
};
ELEMENT(Unstrip, unstrip_class);

/* --- StripToNetworkHeader --- */

static void strip_to_network_simple(struct element *e, struct batch *batch) {
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    const uint8_t *network = packet_network(p);
    if (network == NULL || packet_room(p, network) < 0) continue;
    if (network >= p->data) {
      strip_front(p, (uint32_t)(network - p->data));
    } else {
      uint32_t bytes = (uint32_t)(p->data - network);
      p->data -= bytes;
      p->length += bytes;
    }
  }
}

static const struct element_class strip_to_network_class = {
    .name = "StripToNetworkHeader",
    .purpose = "makes packets begin at their network header",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct element),
    .example = "FromDevice(eth0) -> MarkIPHeader(14) -> StripToNetworkHeader -> Discard;",
    .manual = "Where the header was stripped already it comes back. A packet without a network header stays as it is.",
    .simple = strip_to_network_simple,
};
ELEMENT(StripToNetworkHeader, strip_to_network_class);

/* --- Align --- */

struct align {
  struct element element;
  uint32_t modulus, offset;
};

enum { ALIGN_NO_ROOM };
static const char *const align_drops[] = {"no_room", NULL};

static int align_configure(struct element *e, const struct args *rest, struct report *report) {
  const struct align *a = (const struct align *)e;
  if (a->modulus != 2 && a->modulus != 4 && a->modulus != 8) {
    return report_error(report, ERROR_INVALID, "MODULUS must be 2, 4, or 8");
  }
  if (a->offset >= a->modulus) return report_error(report, ERROR_INVALID, "OFFSET must be smaller than MODULUS");
  return 0;
}

/* Headers move with the data. */
static void move_headers(struct packet *p, int by) {
  if (p->mac_header != 0) p->mac_header = (uint16_t)(p->mac_header + by);
  if (p->network_header != 0) p->network_header = (uint16_t)(p->network_header + by);
  if (p->transport_header != 0) p->transport_header = (uint16_t)(p->transport_header + by);
}

/* The bytes in front, which Unstrip may want, go along as far as there is room for them. */
static bool align_packet(const struct align *a, struct packet *p) {
  uint32_t forward = (a->offset - (uint32_t)(uintptr_t)p->data) & (a->modulus - 1);
  if (forward == 0) return true;
  uint32_t back = a->modulus - forward;
  if (back <= packet_headroom(p)) {
    uint8_t *from = packet_buffer_start(p) + back;
    memmove(from - back, from, (size_t)(p->data + p->length - from));
    p->data -= back;
    move_headers(p, -(int)back);
    return true;
  }
  if (forward > packet_tailroom(p)) return false;
  uint8_t *from = packet_buffer_start(p);
  memmove(from + forward, from, (size_t)(p->data + p->length - from));
  p->data += forward;
  move_headers(p, (int)forward);
  return true;
}

static void align_simple(struct element *e, struct batch *batch) {
  const struct align *a = (const struct align *)e;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    if (align_packet(a, p)) {
      batch->packet[kept++] = p;
    } else {
      element_drop(e, ALIGN_NO_ROOM, p);
    }
  }
  batch->count = kept;
}

static const struct argument align_arguments[] = {
    {"MODULUS", ARGUMENT_U32, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct align, modulus), "2, 4 or 8"},
    {"OFFSET", ARGUMENT_U32, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct align, offset),
     "less than MODULUS"},
    {0}};

static const struct element_class align_class = {
    .name = "Align",
    .purpose = "moves packets so that their data begin OFFSET bytes behind a multiple of MODULUS",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct align),
    .arguments = align_arguments,
    .drops = align_drops,
    .example = "... -> Align(4, 0) -> ...",
    .manual =
        "No element here needs aligned packets: it is for configurations that have it. A packet that fills its buffer to the "
        "last byte and cannot move is dropped and counted under no_room.",
    .configure = align_configure,
    .simple = align_simple,
};
ELEMENT(Align, align_class);
