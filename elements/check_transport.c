/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CheckTCPHeader, CheckUDPHeader, CheckICMPHeader: lengths and checksums behind an IP header that CheckIPHeader has marked.
 */
#include "elements/check.h"
#include "packet/headers.h"

enum transport_reason { NOT_THAT_PROTOCOL, BAD_LENGTH, BAD_CHECKSUM };

/* The IP header if it is marked, all there and of that protocol, or NULL. */
static const uint8_t *network_of(struct packet *p, uint8_t protocol) {
  const uint8_t *ip = packet_network(p);
  if (ip == NULL || ip < p->data || packet_room(p, ip) < IP_SIZE || ip_protocol(ip) != protocol) return NULL;
  return ip;
}

/* --- CheckTCPHeader --- */

static uint8_t check_tcp_packet(struct packet *p) {
  const uint8_t *ip = network_of(p, IP_PROTOCOL_TCP), *tcp = packet_transport(p);
  if (ip == NULL) return 1 + NOT_THAT_PROTOCOL;
  int length = (int)ip_length(ip) - (int)(tcp - ip);
  if (length < TCP_SIZE || length > packet_room(p, tcp)) return 1 + BAD_LENGTH;
  unsigned header = tcp_header_length(tcp);
  if (header < TCP_SIZE || header > (unsigned)length) return 1 + BAD_LENGTH;
  uint64_t sum = checksum_add(ip_pseudo_sum(ip, (uint16_t)length), tcp, (size_t)length);
  return checksum_finish(sum) == 0 ? 0 : 1 + BAD_CHECKSUM;
}

static bool check_tcp_judge(struct check *check, struct packet *const *packets, uint32_t count, uint8_t *verdicts) {
  uint8_t any = 0;
  for (uint32_t i = 0; i < count; i++)
    any |= verdicts[i] = check_tcp_packet(packets[i]);
  return any != 0;
}

static const char *const tcp_reasons[] = {"not_TCP", "bad_packet_length", "bad_TCP_checksum", NULL};
static const struct check_kind check_tcp_kind = {"TCP", tcp_reasons, check_tcp_judge};
static void check_tcp_defaults(struct element *e) { ((struct check *)e)->kind = &check_tcp_kind; }

static const struct argument check_arguments[] = {CHECK_ARGUMENTS};

static const struct element_class check_tcp_class = {
    .name = "CheckTCPHeader",
    .purpose = "checks the TCP header of packets",
    .ports = "1/1-2",
    .processing = "a/ah",
    .size = sizeof(struct check),
    .arguments = check_arguments,
    .handlers = check_handlers,
    .drops = tcp_reasons,
    .example = "... -> CheckIPHeader -> CheckTCPHeader(DETAILS true) -> ...",
    .manual =
        "Good packets, with header marked, protocol TCP, lengths and checksum that are right, leave at output 0. The others go to "
        "output 1, or are dropped if that is not connected.",
    .defaults = check_tcp_defaults,
    .take_state = check_take_state,
    .handler_find = check_handler_find,
    .handler_at = check_handler_at,
    .push = check_push,
    .pull = check_pull,
};
ELEMENT(CheckTCPHeader, check_tcp_class);

/* --- CheckUDPHeader --- */

static uint8_t check_udp_packet(struct packet *p) {
  const uint8_t *ip = network_of(p, IP_PROTOCOL_UDP), *udp = packet_transport(p);
  if (ip == NULL) return 1 + NOT_THAT_PROTOCOL;
  int room = packet_room(p, udp);
  if (room < UDP_SIZE) return 1 + BAD_LENGTH;
  uint16_t length = udp_length(udp);
  if (length < UDP_SIZE || length > room) return 1 + BAD_LENGTH;
  if (udp_checksum(udp) == 0) return 0;
  return checksum_finish(checksum_add(ip_pseudo_sum(ip, length), udp, length)) == 0 ? 0 : 1 + BAD_CHECKSUM;
}

static bool check_udp_judge(struct check *check, struct packet *const *packets, uint32_t count, uint8_t *verdicts) {
  uint8_t any = 0;
  for (uint32_t i = 0; i < count; i++)
    any |= verdicts[i] = check_udp_packet(packets[i]);
  return any != 0;
}

static const char *const udp_reasons[] = {"not_UDP", "bad_packet_length", "bad_UDP_checksum", NULL};
static const struct check_kind check_udp_kind = {"UDP", udp_reasons, check_udp_judge};
static void check_udp_defaults(struct element *e) { ((struct check *)e)->kind = &check_udp_kind; }

static const struct element_class check_udp_class = {
    .name = "CheckUDPHeader",
    .purpose = "checks the UDP header of packets",
    .ports = "1/1-2",
    .processing = "a/ah",
    .size = sizeof(struct check),
    .arguments = check_arguments,
    .handlers = check_handlers,
    .drops = udp_reasons,
    .example = "... -> CheckIPHeader -> CheckUDPHeader -> ...",
    .manual =
        "Good packets, with header marked, protocol UDP, a length that is right and a checksum that is right or 0, leave at output "
        "0. The others go to output 1, or are dropped if that is not connected.",
    .defaults = check_udp_defaults,
    .take_state = check_take_state,
    .handler_find = check_handler_find,
    .handler_at = check_handler_at,
    .push = check_push,
    .pull = check_pull,
};
ELEMENT(CheckUDPHeader, check_udp_class);

/* --- CheckICMPHeader --- */

/* Least and most bytes of a message by type (RFC 792); 0: any. Errors quote an IP header and eight bytes. */
static const struct {
  uint8_t type, least, most;
} icmp_lengths[] = {{ICMP_UNREACHABLE, ICMP_SIZE + 28, 0},
                    {ICMP_SOURCE_QUENCH, ICMP_SIZE + 28, 0},
                    {ICMP_REDIRECT, ICMP_SIZE + 28, 0},
                    {ICMP_TIME_EXCEEDED, ICMP_SIZE + 28, 0},
                    {ICMP_PARAMETER_PROBLEM, ICMP_SIZE + 28, 0},
                    {ICMP_TIMESTAMP, 20, 20},
                    {ICMP_TIMESTAMP_REPLY, 20, 20},
                    {ICMP_INFORMATION, ICMP_SIZE, ICMP_SIZE},
                    {ICMP_INFORMATION_REPLY, ICMP_SIZE, ICMP_SIZE}};

static bool icmp_length_fits(uint8_t type, int length) {
  for (size_t i = 0; i < sizeof icmp_lengths / sizeof icmp_lengths[0]; i++) {
    if (icmp_lengths[i].type != type) continue;
    return length >= icmp_lengths[i].least && (icmp_lengths[i].most == 0 || length <= icmp_lengths[i].most);
  }
  return true;
}

static uint8_t check_icmp_packet(struct packet *p) {
  const uint8_t *icmp = packet_transport(p);
  if (network_of(p, IP_PROTOCOL_ICMP) == NULL) return 1 + NOT_THAT_PROTOCOL;
  int length = packet_room(p, icmp);
  if (length < ICMP_SIZE || !icmp_length_fits(icmp_type(icmp), length)) return 1 + BAD_LENGTH;
  return checksum_finish(checksum_add(0, icmp, (size_t)length)) == 0 ? 0 : 1 + BAD_CHECKSUM;
}

static bool check_icmp_judge(struct check *check, struct packet *const *packets, uint32_t count, uint8_t *verdicts) {
  uint8_t any = 0;
  for (uint32_t i = 0; i < count; i++)
    any |= verdicts[i] = check_icmp_packet(packets[i]);
  return any != 0;
}

static const char *const icmp_reasons[] = {"not_ICMP", "bad_packet_length", "bad_ICMP_checksum", NULL};
static const struct check_kind check_icmp_kind = {"ICMP", icmp_reasons, check_icmp_judge};
static void check_icmp_defaults(struct element *e) { ((struct check *)e)->kind = &check_icmp_kind; }

static const struct element_class check_icmp_class = {
    .name = "CheckICMPHeader",
    .purpose = "checks the ICMP header of packets",
    .ports = "1/1-2",
    .processing = "a/ah",
    .size = sizeof(struct check),
    .arguments = check_arguments,
    .handlers = check_handlers,
    .drops = icmp_reasons,
    .example = "... -> CheckIPHeader -> CheckICMPHeader -> ...",
    .manual =
        "Good packets, with header marked, protocol ICMP, a length that is right for the type and a checksum that is right, leave at "
        "output 0. The others go to output 1, or are dropped if that is not connected.",
    .defaults = check_icmp_defaults,
    .take_state = check_take_state,
    .handler_find = check_handler_find,
    .handler_at = check_handler_at,
    .push = check_push,
    .pull = check_pull,
};
ELEMENT(CheckICMPHeader, check_icmp_class);
