/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A packet's headers as far as they can be believed (RFC 791): what fields are written from, and what is said of bad packets.
 */
#include "platform/process/summary/field.h"

/* Only the first complaint about a packet is kept. */
static void complain(struct summary_view *view, const char *what, uint32_t number, bool numbered) {
  if (view->bad == NULL || view->bad->length > 0) return;
  text_add(view->bad, what);
  if (numbered) text_addf(view->bad, " %u", number);
}

/* What is behind the IP header of a first fragment. */
static void view_transport(struct summary_view *view) {
  const uint8_t *ip = view->ip;
  uint32_t header = (ip[0] & 15u) * 4;
  if (view->network_length < 10 || view->network_length <= header || (load_be16(ip + 6) & OFFSET_MASK)) return;
  view->transport = ip + header;
  view->transport_length = view->network_length - header;
  if (ip[9] != PROTOCOL_TCP || view->transport_length <= 12 || view->transport[12] >> 4 >= TCP_SIZE / 4) return;
  complain(view, "TCP header length", view->transport[12] >> 4, true);
  view->transport = NULL;
}

void summary_view_ip(struct summary_view *view, const struct summary_style *style) {
  const struct packet *p = view->p;
  const uint8_t *ip = (const uint8_t *)p + p->network_header;
  if (p->network_header == 0 || ip < p->data || ip > p->data + p->length) return;
  view->network = (uint32_t)(ip - p->data);
  view->network_length = p->length - view->network;
  if (view->network_length < 4) {
    complain(view, "truncated IP header", 0, false);
    return;
  }
  uint32_t header = (ip[0] & 15u) * 4, length = load_be16(ip + 2);
  if (ip[0] >> 4 != 4) {
    complain(view, "IP version", ip[0] >> 4, true);
  } else if (header < IP_SIZE) {
    complain(view, "IP header length", header / 4, true);
  } else if (length < header) {
    complain(view, "IP length", length, true);
  } else {
    view->ip = ip;
  }
  if (view->ip == NULL) return;
  uint64_t whole = (uint64_t)view->network_length + view->extra;
  if (whole < length && style->careful_truncation) {
    complain(view, "truncated IP missing", (uint32_t)(length - whole), true);
  }
  if (view->network_length > length) {
    view->length -= view->network_length - length;
    view->network_length = length;
  }
  /* IP's length counts, but it cannot say more than this. */
  view->extra = length == UINT16_MAX && whole > length ? (uint32_t)(whole - length) : 0;
  view_transport(view);
}

bool summary_has_ports(uint8_t protocol) {
  return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_DCCP ||
         protocol == PROTOCOL_UDPLITE;
}

static bool is_of(const struct summary_view *view, unsigned protocol) {
  if (protocol == PROTOCOL_PORTS) return summary_has_ports(view->ip[9]);
  return view->ip[9] == protocol;
}

const uint8_t *summary_header(struct summary_view *view, unsigned protocol, uint32_t needed) {
  bool there = false;
  if (protocol == PROTOCOL_NONE) {
    there = view->ip != NULL && view->network_length >= needed;
  } else {
    there = view->transport != NULL && is_of(view, protocol) && view->transport_length >= needed;
  }
  if (!there) (void)summary_missing(view, protocol, needed);
  if (!there) return NULL;
  return protocol == PROTOCOL_NONE ? view->ip : view->transport;
}

bool summary_missing(struct summary_view *view, unsigned protocol, uint32_t needed) {
  const char *name = protocol == PROTOCOL_TCP    ? "TCP"
                     : protocol == PROTOCOL_UDP  ? "UDP"
                     : protocol == PROTOCOL_ICMP ? "ICMP"
                                                 : "TCP/UDP";
  char line[64];
  if (protocol == PROTOCOL_ETHERNET) {
    complain(view, "Ethernet header", 0, false);
  } else if (view->ip == NULL) {
    complain(view, "no IP header", 0, false);
  } else if (protocol == PROTOCOL_NONE) {
    complain(view, "truncated IP header capture", 0, false);
  } else if (view->network_length < 10 || is_of(view, protocol)) {
    bool later = view->network_length >= 8 && (load_be16(view->ip + 6) & OFFSET_MASK);
    bool captured = (uint64_t)view->transport_length + view->extra_capture >= needed;
    format_text(line, sizeof line, "%s %s header%s", later ? "fragmented" : "truncated", name,
                captured && !later ? " capture" : "");
    complain(view, line, 0, false);
  }
  return false;
}
