/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A packet that is made of what a summary dump tells of it: headers come into being when the first of their fields is stored, with
 * everything that was not told zero, the time to live (100) and the header lengths aside.
 */
#include "lib/checksum.h"
#include "platform/process/summary/field.h"

enum { TTL = 100 };

void summary_draft_extend(struct summary_draft *draft, uint32_t length) {
  struct packet *p = draft->p;
  if (length <= p->length) return;
  uint32_t room = packet_tailroom(p), more = length - p->length;
  if (more > room) more = room;
  memset(packet_buffer_end(p) - room, 0, more);
  p->length += more;
}

bool summary_draft_ip(struct summary_draft *draft) {
  const struct summary_context *context = draft->context;
  if (draft->not_ip) return false;
  if (draft->ip != NULL) return true;
  draft->network = draft->p->length;
  summary_draft_extend(draft, draft->network + IP_SIZE);
  draft->ip = draft->p->data + draft->network;
  draft->p->network_header = (uint16_t)(draft->ip - (uint8_t *)draft->p);
  draft->ip[0] = 0x45;
  draft->ip[8] = TTL;
  draft->ip[9] = context->protocol;
  if (context->have_flow) memcpy(draft->ip + 12, context->flow_address, sizeof context->flow_address);
  return true;
}

uint32_t summary_draft_header_length(const struct summary_draft *draft) { return (draft->ip[0] & 15u) * 4; }

static uint32_t transport_size(uint8_t protocol) {
  switch (protocol) {
    case PROTOCOL_TCP:
      return TCP_SIZE;
    case PROTOCOL_UDP:
    case PROTOCOL_UDPLITE:
      return UDP_SIZE;
    case PROTOCOL_DCCP:
      return 12;
    case PROTOCOL_ICMP:
      return ICMP_SIZE;
    default:
      return 0;
  }
}

/* The transport header of a first fragment, as much of it as the packet is long. */
static void make_transport(struct summary_draft *draft) {
  uint32_t start = draft->network + summary_draft_header_length(draft), before = draft->p->length;
  uint32_t end = start + transport_size(draft->ip[9]);
  if ((load_be16(draft->ip + 6) & OFFSET_MASK) || before >= start + UDP_SIZE || end == start) return;
  if (draft->wanted > 0 && draft->wanted < end) end = draft->wanted > start ? draft->wanted : start;
  summary_draft_extend(draft, end);
  uint8_t *transport = draft->p->data + start;
  if (before > start || end < start + 4) return;
  if (draft->ip[9] == PROTOCOL_TCP && end >= start + 13) transport[12] = 0x50;
  if (!draft->context->have_flow || !summary_has_ports(draft->ip[9])) return;
  store_be16(transport, draft->context->flow_port[0]);
  store_be16(transport + 2, draft->context->flow_port[1]);
}

uint8_t *summary_draft_transport(struct summary_draft *draft, unsigned protocol, uint32_t needed) {
  if (!summary_draft_ip(draft)) return NULL;
  uint8_t is = draft->ip[9];
  if (protocol == PROTOCOL_PORTS ? !summary_has_ports(is) : is != protocol) return NULL;
  make_transport(draft);
  uint32_t start = draft->network + summary_draft_header_length(draft);
  if ((load_be16(draft->ip + 6) & OFFSET_MASK) || draft->p->length < start + needed) return NULL;
  return draft->p->data + start;
}

/* What is not in the packet counts as zeros, which no checksum sees. */
static void set_checksums(struct summary_draft *draft, uint32_t ip_length) {
  uint8_t *ip = draft->ip;
  uint32_t header = summary_draft_header_length(draft), here = draft->p->length - draft->network;
  if (here > ip_length) here = ip_length;
  if (here < header) return;
  store_be16(ip + 10, 0);
  store_le16(ip + 10, checksum_finish(checksum_add(0, ip, header)));
  static const uint8_t places[256] = {[PROTOCOL_TCP] = 16, [PROTOCOL_UDP] = 6, [PROTOCOL_ICMP] = 2};
  uint8_t place = places[ip[9]], pseudo[4] = {0, ip[9]};
  bool fragment = load_be16(ip + 6) & (MORE_FRAGMENTS | OFFSET_MASK);
  if (place == 0 || fragment || here < header + place + 2) return;
  uint64_t sum = 0;
  if (ip[9] != PROTOCOL_ICMP) {
    store_be16(pseudo + 2, (uint16_t)(ip_length - header));
    sum = checksum_add(checksum_add(0, ip + 12, 8), pseudo, sizeof pseudo);
  }
  store_be16(ip + header + place, 0);
  uint16_t checksum = checksum_finish(checksum_add(sum, ip + header, here - header));
  if (checksum == 0 && ip[9] == PROTOCOL_UDP) checksum = UINT16_MAX; /* 0 means none (RFC 768) */
  store_le16(ip + header + place, checksum);
}

static void finish_ip(struct summary_draft *draft) {
  uint8_t *ip = draft->ip;
  uint32_t length = draft->wanted >= draft->network ? draft->wanted - draft->network : draft->wanted;
  if (length == 0) length = draft->p->length - draft->network;
  if (length > UINT16_MAX) length = UINT16_MAX;
  store_be16(ip + 2, (uint16_t)length);
  uint32_t header = summary_draft_header_length(draft);
  uint8_t *udp = summary_draft_transport(draft, PROTOCOL_UDP, 6);
  if (udp != NULL && load_be16(udp + 4) == 0) store_be16(udp + 4, (uint16_t)(length > header ? length - header : 0));
  annotation_set_u32(draft->p, ANNOTATION_DST_IP, load_le32(ip + 16));
  draft->p->transport_header = (uint16_t)(draft->p->network_header + header);
  if (!draft->context->checksum) return;
  summary_draft_extend(draft, draft->network + length);
  set_checksums(draft, length);
}

void summary_draft_finish(struct summary_draft *draft) {
  if (draft->context->have_flow) (void)summary_draft_ip(draft);
  if (draft->ip != NULL && !draft->not_ip) {
    make_transport(draft);
    finish_ip(draft);
  }
  uint32_t length = draft->p->length;
  annotation_set_u32(draft->p, SUMMARY_EXTRA_LENGTH, draft->wanted > length ? draft->wanted - length : 0);
}
