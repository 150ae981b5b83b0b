/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fields of the headers that elements look at: Ethernet (IEEE 802.3), ARP (RFC 826), IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293),
 * UDP (RFC 768), ICMP (RFC 792). A header is a pointer to its first byte, of any alignment; values are in host order but for
 * addresses, which stay as they lie in the packet. Nothing here checks lengths: the caller does, against the *_SIZE below.
 */
#ifndef IMAGO_PACKET_HEADERS_H
#define IMAGO_PACKET_HEADERS_H

#include "lib/checksum.h"
#include "packet/packet.h"

enum {
  ETHER_SIZE = 14,
  ARP_SIZE = 8,        /* the fixed part */
  ARP_ETHER_SIZE = 28, /* for Ethernet and IPv4 */
  IP_SIZE = 20,
  IP6_SIZE = 40,
  TCP_SIZE = 20,
  UDP_SIZE = 8,
  ICMP_SIZE = 8,
};

/* --- Ethernet --- */

enum { ETHER_TYPE_IP = 0x0800, ETHER_TYPE_ARP = 0x0806, ETHER_TYPE_TRAILER = 0x1000, ETHER_TYPE_IP6 = 0x86dd };

static inline const uint8_t *ether_destination(const uint8_t *ether) { return ether; }
static inline const uint8_t *ether_source(const uint8_t *ether) { return ether + 6; }
static inline uint16_t ether_type(const uint8_t *ether) { return load_be16(ether + 12); }

/* --- ARP --- */

enum { ARP_HARDWARE_ETHER = 1 };
enum arp_operation {
  ARP_REQUEST = 1,
  ARP_REPLY = 2,
  ARP_REVERSE_REQUEST = 3,
  ARP_REVERSE_REPLY = 4,
  ARP_INVERSE_REQUEST = 8,
  ARP_INVERSE_REPLY = 9
};

static inline uint16_t arp_hardware(const uint8_t *arp) { return load_be16(arp); }
static inline uint16_t arp_protocol(const uint8_t *arp) { return load_be16(arp + 2); }
static inline uint8_t arp_hardware_length(const uint8_t *arp) { return arp[4]; }
static inline uint8_t arp_protocol_length(const uint8_t *arp) { return arp[5]; }
static inline uint16_t arp_operation(const uint8_t *arp) { return load_be16(arp + 6); }
/* The four addresses of ARP for Ethernet and IPv4. */
static inline const uint8_t *arp_sender_ether(const uint8_t *arp) { return arp + 8; }
static inline uint32_t arp_sender_ip(const uint8_t *arp) { return load_le32(arp + 14); }
static inline const uint8_t *arp_target_ether(const uint8_t *arp) { return arp + 18; }
static inline uint32_t arp_target_ip(const uint8_t *arp) { return load_le32(arp + 24); }

/* --- IPv4 --- */

enum { IP_PROTOCOL_ICMP = 1, IP_PROTOCOL_TCP = 6, IP_PROTOCOL_UDP = 17 };
enum { IP_MORE_FRAGMENTS = 0x2000, IP_OFFSET_MASK = 0x1fff };

static inline unsigned ip_version(const uint8_t *ip) { return ip[0] >> 4; }
static inline unsigned ip_header_length(const uint8_t *ip) { return (ip[0] & 15u) * 4; }
static inline uint8_t ip_tos(const uint8_t *ip) { return ip[1]; }
static inline uint16_t ip_length(const uint8_t *ip) { return load_be16(ip + 2); }
static inline uint16_t ip_id(const uint8_t *ip) { return load_be16(ip + 4); }
/* Flags and offset together. */
static inline uint16_t ip_fragment(const uint8_t *ip) { return load_be16(ip + 6); }
static inline uint8_t ip_ttl(const uint8_t *ip) { return ip[8]; }
static inline uint8_t ip_protocol(const uint8_t *ip) { return ip[9]; }
static inline uint32_t ip_source(const uint8_t *ip) { return load_le32(ip + 12); }
static inline uint32_t ip_destination(const uint8_t *ip) { return load_le32(ip + 16); }
static inline bool ip_is_first_fragment(const uint8_t *ip) { return (ip_fragment(ip) & IP_OFFSET_MASK) == 0; }
static inline bool ip_is_fragment(const uint8_t *ip) {
  return (ip_fragment(ip) & (IP_MORE_FRAGMENTS | IP_OFFSET_MASK)) != 0;
}

/* True if the header, of `length` bytes (20 to 60), sums up. Three loads for the usual 20. */
static inline bool ip_checksum_holds(const uint8_t *ip, unsigned length) {
  uint64_t second = load_le64(ip + 8), third = load_le32(ip + 16), sum = load_le64(ip) + second;
  sum += sum < second; /* a carry out of 64 bits is worth 1, as one out of 16 bits is */
  sum += third;
  sum += sum < third;
  if (length > IP_SIZE) sum = checksum_add((sum >> 32) + (uint32_t)sum, ip + IP_SIZE, length - IP_SIZE);
  return checksum_finish(sum) == 0;
}

/* The sum of the pseudo-header that TCP and UDP checksums begin with (RFC 9293, 3.1). */
static inline uint64_t ip_pseudo_sum(const uint8_t *ip, uint16_t length) {
  return (uint64_t)load_le32(ip + 12) + load_le32(ip + 16) + ((uint32_t)ip_protocol(ip) << 8) +
         __builtin_bswap16(length);
}

/* --- IPv6 --- */

static inline uint16_t ip6_payload_length(const uint8_t *ip6) { return load_be16(ip6 + 4); }
static inline uint8_t ip6_next_header(const uint8_t *ip6) { return ip6[6]; }
static inline uint8_t ip6_hop_limit(const uint8_t *ip6) { return ip6[7]; }
static inline const uint8_t *ip6_source(const uint8_t *ip6) { return ip6 + 8; }
static inline const uint8_t *ip6_destination(const uint8_t *ip6) { return ip6 + 24; }

/* --- TCP and UDP --- */

enum tcp_flags { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

/* Ports stand in the same place in both. */
static inline uint16_t port_source(const uint8_t *transport) { return load_be16(transport); }
static inline uint16_t port_destination(const uint8_t *transport) { return load_be16(transport + 2); }
static inline uint32_t tcp_sequence(const uint8_t *tcp) { return load_be32(tcp + 4); }
static inline uint32_t tcp_acknowledgement(const uint8_t *tcp) { return load_be32(tcp + 8); }
static inline unsigned tcp_header_length(const uint8_t *tcp) { return (tcp[12] >> 4) * 4u; }
static inline uint8_t tcp_flags(const uint8_t *tcp) { return tcp[13]; }
static inline uint16_t tcp_window(const uint8_t *tcp) { return load_be16(tcp + 14); }
static inline uint16_t udp_length(const uint8_t *udp) { return load_be16(udp + 4); }
/* 0: the sender made none. */
static inline uint16_t udp_checksum(const uint8_t *udp) { return load_be16(udp + 6); }

/* --- ICMP --- */

enum icmp_type {
  ICMP_ECHO_REPLY = 0,
  ICMP_UNREACHABLE = 3,
  ICMP_SOURCE_QUENCH = 4,
  ICMP_REDIRECT = 5,
  ICMP_ECHO = 8,
  ICMP_ROUTER_ADVERTISEMENT = 9,
  ICMP_ROUTER_SOLICITATION = 10,
  ICMP_TIME_EXCEEDED = 11,
  ICMP_PARAMETER_PROBLEM = 12,
  ICMP_TIMESTAMP = 13,
  ICMP_TIMESTAMP_REPLY = 14,
  ICMP_INFORMATION = 15,
  ICMP_INFORMATION_REPLY = 16,
  ICMP_MASK = 17,
  ICMP_MASK_REPLY = 18
};

static inline uint8_t icmp_type(const uint8_t *icmp) { return icmp[0]; }
static inline uint8_t icmp_code(const uint8_t *icmp) { return icmp[1]; }
static inline uint16_t icmp_identifier(const uint8_t *icmp) { return load_be16(icmp + 4); }
static inline uint16_t icmp_sequence(const uint8_t *icmp) { return load_be16(icmp + 6); }
/* Of "fragmentation needed" (RFC 1191). */
static inline uint16_t icmp_next_mtu(const uint8_t *icmp) { return load_be16(icmp + 6); }

/* --- the headers of a packet --- */

/* NULL when nobody has marked it. It may lie outside of the data, as elements move the start and end: see *_room. */
static inline uint8_t *packet_network(struct packet *p) {
  return p->network_header == 0 ? NULL : (uint8_t *)p + p->network_header;
}
static inline uint8_t *packet_transport(struct packet *p) {
  return p->transport_header == 0 ? NULL : (uint8_t *)p + p->transport_header;
}
/* Bytes from `header`, a place in the buffer, to the end of the data; negative when the end comes before. */
static inline int packet_room(const struct packet *p, const uint8_t *header) {
  return (int)(p->data + p->length - header);
}
/* `network` lies in the buffer or just behind it; `length`: of the network header, at most 60. */
static inline void packet_mark_network(struct packet *p, const uint8_t *network, unsigned length) {
  uint32_t offset = (uint32_t)(network - (const uint8_t *)p);
  p->network_header = (uint16_t)offset;
  p->transport_header = (uint16_t)(offset + length);
}

#endif
