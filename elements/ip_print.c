/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPPrint: one line an IP packet, in Click's format, which is much like tcpdump's:
 *   label: 1.000000: 10.0.0.1.1024 > 10.0.0.2.80: P 100:103(3,43,43) ack 200 win 4096
 */
#include "click/reconfigure.h"
#include "elements/line.h"
#include "elements/parameter.h"
#include "packet/headers.h"

enum {
  IP_PRINT_LENGTH_DEFAULT = 1500,
  IP_PRINT_LABEL_MAX = 128,
  /* label, annotations, addresses, fields; then at most nine characters for four bytes and three for each 24 */
  IP_PRINT_LINE_MAX = IP_PRINT_LABEL_MAX + 512 + PACKET_BUFFER_SIZE / 4 * 9 + PACKET_BUFFER_SIZE / 24 * 3,
};

struct ip_print {
  struct element element;
  char *label, *contents_word, *payload_word, *outfile, *channel;
  int32_t max_length;
  enum line_contents contents;
  bool payload; /* of contents, print only what is behind the transport header */
  bool id, timestamp, paint, tos, ttl, length, aggregate, ether, swap, active;
};

/* --- names, as Click has them --- */

struct number_name {
  uint16_t number; /* for codes: type * 256 + code */
  const char *name;
};

static const struct number_name protocol_names[] = {{1, "icmp"}, {2, "igmp"}, {4, "ipip"},
                                                    {6, "tcp"},  {17, "udp"}, {0, NULL}};

static const struct number_name type_names[] = {{ICMP_ECHO, "echo"},
                                                {ICMP_ECHO_REPLY, "echo-reply"},
                                                {ICMP_INFORMATION, "inforeq"},
                                                {ICMP_INFORMATION_REPLY, "inforeq-reply"},
                                                {ICMP_MASK, "maskreq"},
                                                {ICMP_MASK_REPLY, "maskreq-reply"},
                                                {ICMP_PARAMETER_PROBLEM, "parameterproblem"},
                                                {ICMP_REDIRECT, "redirect"},
                                                {ICMP_ROUTER_ADVERTISEMENT, "routeradvert"},
                                                {ICMP_ROUTER_SOLICITATION, "routersolicit"},
                                                {ICMP_SOURCE_QUENCH, "sourcequench"},
                                                {ICMP_TIME_EXCEEDED, "timeexceeded"},
                                                {ICMP_TIMESTAMP, "timestamp"},
                                                {ICMP_TIMESTAMP_REPLY, "timestamp-reply"},
                                                {ICMP_UNREACHABLE, "unreachable"},
                                                {0, NULL}};

static const struct number_name code_names[] = {{0x300, "net"},
                                                {0x301, "host"},
                                                {0x302, "protocol"},
                                                {0x303, "port"},
                                                {0x304, "needfrag"},
                                                {0x305, "srcroutefail"},
                                                {0x306, "netunknown"},
                                                {0x307, "hostunknown"},
                                                {0x308, "isolated"},
                                                {0x309, "netprohibited"},
                                                {0x30a, "hostprohibited"},
                                                {0x30b, "tosnet"},
                                                {0x30c, "toshost"},
                                                {0x30d, "filterprohibited"},
                                                {0x30e, "hostprecedence"},
                                                {0x30f, "precedencecutoff"},
                                                {0x500, "net"},
                                                {0x501, "host"},
                                                {0x502, "tosnet"},
                                                {0x503, "toshost"},
                                                {0xb00, "transit"},
                                                {0xb01, "reassembly"},
                                                {0xc00, "erroratptr"},
                                                {0xc01, "missingopt"},
                                                {0xc02, "length"},
                                                {0, NULL}};

static const char *name_of(const struct number_name *names, unsigned number) {
  for (; names->name != NULL; names++) {
    if (names->number == number) return names->name;
  }
  return NULL;
}

static const char *code_name(const uint8_t *icmp) {
  return name_of(code_names, icmp_type(icmp) * 256u + icmp_code(icmp));
}

/* --- protocols; `room` is how much of the transport header and payload is there --- */

enum { UNREACHABLE_PROTOCOL = 2, UNREACHABLE_PORT = 3, UNREACHABLE_NEED_FRAGMENT = 4 };

static void add_pair(struct line *line, const uint8_t *ip) {
  line_add_ip(line, ip_source(ip));
  line_addf(line, " > ");
  line_add_ip(line, ip_destination(ip));
  line_addf(line, ": ");
}

static void add_port_pair(struct line *line, const uint8_t *ip, const uint8_t *transport) {
  line_add_ip(line, ip_source(ip));
  line_addf(line, ".%u > ", port_source(transport));
  line_add_ip(line, ip_destination(ip));
  line_addf(line, ".%u: ", port_destination(transport));
}

static void add_tcp(struct line *line, const struct packet *p, const uint8_t *ip, const uint8_t *tcp, int room) {
  if (room < 4 || !ip_is_first_fragment(ip)) {
    add_pair(line, ip);
    line_addf(line, "%s", ip_is_first_fragment(ip) ? "truncated-tcp" : "tcp");
    return;
  }
  add_port_pair(line, ip, tcp);
  if (room < 14) {
    line_addf(line, "truncated-tcp");
    return;
  }
  uint8_t flags = tcp_flags(tcp);
  int length = (int)ip_length(ip) - (int)ip_header_length(ip) - (int)tcp_header_length(tcp);
  length += ((flags & TCP_SYN) != 0) + ((flags & TCP_FIN) != 0);
  line_addf(line, "%s%s%s%s%s", flags & TCP_SYN ? "S" : "", flags & TCP_FIN ? "F" : "", flags & TCP_RST ? "R" : "",
            flags & TCP_PSH ? "P" : "", flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_PSH) ? "" : ".");
  uint32_t sequence = tcp_sequence(tcp);
  line_addf(line, " %u:%u(%d,%u,%u)", sequence, sequence + (uint32_t)length, length, p->length, ip_length(ip));
  if (flags & TCP_ACK) line_addf(line, " ack %u", tcp_acknowledgement(tcp));
  if (room < 16) {
    line_addf(line, "truncated-tcp");
  } else {
    line_addf(line, " win %u", tcp_window(tcp));
  }
}

static void add_udp(struct line *line, const uint8_t *ip, const uint8_t *udp, int room) {
  if (room < 4 || !ip_is_first_fragment(ip)) {
    add_pair(line, ip);
    line_addf(line, "%s", ip_is_first_fragment(ip) ? "truncated-udp" : "udp");
    return;
  }
  add_port_pair(line, ip, udp);
  if (room < UDP_SIZE) {
    line_addf(line, "truncated-udp");
  } else {
    line_addf(line, "udp %u", udp_length(udp));
  }
}

/* False if the message ends too early. */
static bool add_unreachable(struct line *line, const uint8_t *icmp, int room) {
  const uint8_t *quoted = icmp + ICMP_SIZE;
  const char *code = code_name(icmp);
  char number[16];
  format_text(number, sizeof number, "code %u", icmp_code(icmp));
  if (code == NULL) code = number;
  line_addf(line, "icmp ");
  if (room < ICMP_SIZE + IP_SIZE) {
    line_addf(line, "unreachable %s ", code);
    return false;
  }
  line_add_ip(line, ip_destination(quoted));
  line_addf(line, " unreachable %s", code);
  const char *protocol = name_of(protocol_names, ip_protocol(quoted));
  int quoted_room = room - ICMP_SIZE - (int)ip_header_length(quoted);
  switch (icmp_code(icmp)) {
    case UNREACHABLE_PROTOCOL:
    case UNREACHABLE_PORT:
      line_add(line, ' ');
      if (protocol != NULL) {
        line_addf(line, "%s", protocol);
      } else {
        line_addf(line, "%s%u", icmp_code(icmp) == UNREACHABLE_PORT ? "protocol " : "", ip_protocol(quoted));
      }
      if (icmp_code(icmp) == UNREACHABLE_PROTOCOL) return true;
      if (quoted_room < 4) return false;
      line_addf(line, "/%u", port_destination(quoted + ip_header_length(quoted)));
      return true;
    case UNREACHABLE_NEED_FRAGMENT:
      if (icmp_next_mtu(icmp) != 0) line_addf(line, " (mtu %u)", icmp_next_mtu(icmp));
      return true;
    default:
      return true;
  }
}

static bool add_icmp_message(struct line *line, const struct ip_print *element, const uint8_t *icmp, int room) {
  if (room < 2) return false;
  uint8_t type = icmp_type(icmp);
  if (type == ICMP_ECHO || type == ICMP_ECHO_REPLY) {
    line_addf(line, "icmp %s ", name_of(type_names, type));
    if (room < ICMP_SIZE) return false;
    uint16_t id = icmp_identifier(icmp), sequence = icmp_sequence(icmp);
    if (!element->swap) {
      id = __builtin_bswap16(id);
      sequence = __builtin_bswap16(sequence);
    }
    line_addf(line, "(%u, %u)", id, sequence);
    return true;
  }
  if (type == ICMP_UNREACHABLE) return add_unreachable(line, icmp, room);
  const char *name = name_of(type_names, type), *code = code_name(icmp);
  line_addf(line, "icmp ");
  if (name != NULL) {
    line_addf(line, "%s", name);
  } else {
    line_addf(line, "type %u", type);
  }
  if (code != NULL) {
    line_addf(line, " %s", code);
  } else if (icmp_code(icmp) != 0) {
    line_addf(line, " code %u", icmp_code(icmp));
  }
  return true;
}

static void add_icmp(struct line *line, const struct ip_print *element, const uint8_t *ip, const uint8_t *icmp,
                     int room) {
  add_pair(line, ip);
  if (!ip_is_first_fragment(ip)) {
    line_addf(line, "icmp");
  } else if (!add_icmp_message(line, element, icmp, room)) {
    line_addf(line, "truncated-icmp");
  }
}

/* --- contents --- */

static const uint8_t *contents_start(const struct ip_print *element, const struct packet *p, const uint8_t *ip,
                                     const uint8_t *transport) {
  if (!element->payload) return p->data;
  if (!ip_is_first_fragment(ip)) return transport;
  if (ip_protocol(ip) == IP_PROTOCOL_UDP) return transport + UDP_SIZE;
  if (ip_protocol(ip) != IP_PROTOCOL_TCP) return transport;
  return packet_room(p, transport) < TCP_SIZE ? p->data + p->length : transport + tcp_header_length(transport);
}

static void add_contents(struct line *line, const struct ip_print *element, const struct packet *p,
                         const uint8_t *data) {
  int bytes = packet_room(p, data);
  if (element->max_length >= 0 && bytes > element->max_length) bytes = element->max_length;
  int per_line = element->contents == LINE_HEX ? 24 : 48, per_word = element->contents == LINE_HEX ? 4 : 8;
  for (int i = 0; i < bytes; i++) {
    if (i % per_line == 0) {
      line_addf(line, "\n  ");
    } else if (i % per_word == 0) {
      line_add(line, ' ');
    }
    if (element->contents == LINE_HEX) {
      line_add_hex(line, data[i]);
    } else {
      line_add(line, data[i] < 32 || data[i] > 126 ? '.' : (char)data[i]);
    }
  }
}

/* --- the line --- */

static void add_annotations(struct line *line, const struct ip_print *element, struct packet *p, const uint8_t *ip) {
  if (element->label != NULL && element->label[0] != 0) line_addf(line, "%s: ", element->label);
  if (element->timestamp) {
    line_add_time(line, p->timestamp);
    line_addf(line, ": ");
  }
  if (element->aggregate) line_addf(line, "#%u", annotation_u32(p, ANNOTATION_AGGREGATE));
  if (element->paint) line_addf(line, "%s%u", element->aggregate ? "." : "paint ", annotation_u8(p, ANNOTATION_PAINT));
  if (element->aggregate || element->paint) line_addf(line, ": ");
  const uint8_t *ether = (const uint8_t *)p + p->mac_header;
  if (!element->ether || p->mac_header == 0 || ether + ETHER_SIZE > ip || packet_room(p, ether) < ETHER_SIZE) return;
  line_add_ether(line, ether_source(ether));
  line_addf(line, " > ");
  line_add_ether(line, ether_destination(ether));
  line_addf(line, ": ");
}

static void add_packet(struct line *line, const struct ip_print *element, struct packet *p, const uint8_t *ip) {
  const uint8_t *transport = packet_transport(p);
  int payload = (int)ip_length(ip) - (int)ip_header_length(ip);
  int room = packet_room(p, transport) < payload ? packet_room(p, transport) : payload;
  if (element->id) line_addf(line, "id %u ", ip_id(ip));
  if (element->ttl) line_addf(line, "ttl %u ", ip_ttl(ip));
  if (element->tos) line_addf(line, "tos %u ", ip_tos(ip));
  if (element->length) line_addf(line, "length %u ", ip_length(ip));
  switch (ip_protocol(ip)) {
    case IP_PROTOCOL_TCP:
      add_tcp(line, p, ip, transport, room);
      break;
    case IP_PROTOCOL_UDP:
      add_udp(line, ip, transport, room);
      break;
    case IP_PROTOCOL_ICMP:
      add_icmp(line, element, ip, transport, room);
      break;
    default:
      add_pair(line, ip);
      line_addf(line, "ip-proto-%u", ip_protocol(ip));
  }
  if (ip_is_fragment(ip)) {
    line_addf(line, " (frag %u:%d@%u%s)", ip_id(ip), payload, (ip_fragment(ip) & IP_OFFSET_MASK) * 8u,
              ip_fragment(ip) & IP_MORE_FRAGMENTS ? "+" : "");
  }
  if (element->contents != LINE_NONE) add_contents(line, element, p, contents_start(element, p, ip, transport));
}

static void ip_print_simple(struct element *e, struct batch *batch) {
  const struct ip_print *element = (const struct ip_print *)e;
  if (!__atomic_load_n(&element->active, __ATOMIC_RELAXED)) return;
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    const uint8_t *ip = packet_network(p);
    if (ip == NULL) continue;
    char buffer[IP_PRINT_LINE_MAX];
    struct line line = {buffer, sizeof buffer, 0};
    add_annotations(&line, element, p, ip);
    if (packet_room(p, ip) < IP_SIZE) {
      line_addf(&line, "truncated-ip");
    } else {
      add_packet(&line, element, p, ip);
    }
    line_send(&line, e, element->channel);
  }
}

/* --- configuration --- */

static void ip_print_defaults(struct element *e) {
  struct ip_print *p = (struct ip_print *)e;
  p->max_length = IP_PRINT_LENGTH_DEFAULT;
  p->timestamp = p->swap = p->active = true;
}

static int ip_print_configure(struct element *e, const struct args *rest, struct report *report) {
  struct ip_print *p = (struct ip_print *)e;
  enum line_contents payload = LINE_NONE;
  if (p->label != NULL && strlen(p->label) > IP_PRINT_LABEL_MAX) {
    return report_error(report, ERROR_TOO_BIG, "LABEL: at most %d characters", IP_PRINT_LABEL_MAX);
  }
  if (p->outfile != NULL) {
    return report_error(report, ERROR_UNSUPPORTED,
                        "OUTFILE: lines go to the log only; to write a file, use ToIPSummaryDump or keep the log");
  }
  if (p->contents_word != NULL && !line_contents_parse(p->contents_word, &p->contents)) {
    return report_error(report, ERROR_INVALID, "CONTENTS: expected NONE, HEX or ASCII, not '%s'", p->contents_word);
  }
  if (p->payload_word != NULL && !line_contents_parse(p->payload_word, &payload)) {
    return report_error(report, ERROR_INVALID, "PAYLOAD: expected NONE, HEX or ASCII, not '%s'", p->payload_word);
  }
  if (payload == LINE_NONE) return 0;
  if (p->contents != LINE_NONE) {
    return report_error(report, ERROR_INVALID, "specify at most one of PAYLOAD and CONTENTS");
  }
  p->contents = payload;
  p->payload = true;
  return 0;
}

static int ip_print_reconfigure(struct element *e, struct element *next, struct report *report) {
  struct ip_print *p = (struct ip_print *)e;
  const struct ip_print *from = (const struct ip_print *)next;
  p->contents = from->contents;
  p->payload = from->payload;
  return reconfigure_arguments(e, next, report);
}

static const struct argument ip_print_arguments[] = {
    {"LABEL", ARGUMENT_STRING, ARGUMENT_POSITIONAL, offsetof(struct ip_print, label), "text in front of the line"},
    {"CONTENTS", ARGUMENT_WORD, 0, offsetof(struct ip_print, contents_word),
     "print the packet: NONE, HEX or ASCII (NONE)"},
    {"PAYLOAD", ARGUMENT_WORD, 0, offsetof(struct ip_print, payload_word),
     "print what is behind the transport header: NONE, HEX or ASCII (NONE)"},
    {"MAXLENGTH", ARGUMENT_I32, 0, offsetof(struct ip_print, max_length),
     "most bytes of contents; below 0: all (1500)"},
    {"NBYTES", ARGUMENT_I32, ARGUMENT_DEPRECATED, offsetof(struct ip_print, max_length), "old name of MAXLENGTH"},
    {"ID", ARGUMENT_BOOL, 0, offsetof(struct ip_print, id), "print the IP ID (false)"},
    {"TTL", ARGUMENT_BOOL, 0, offsetof(struct ip_print, ttl), "print the time to live (false)"},
    {"TOS", ARGUMENT_BOOL, 0, offsetof(struct ip_print, tos), "print the type of service (false)"},
    {"LENGTH", ARGUMENT_BOOL, 0, offsetof(struct ip_print, length), "print the IP length (false)"},
    {"TIMESTAMP", ARGUMENT_BOOL, 0, offsetof(struct ip_print, timestamp), "print the timestamp annotation (true)"},
    {"AGGREGATE", ARGUMENT_BOOL, 0, offsetof(struct ip_print, aggregate), "print the aggregate annotation (false)"},
    {"PAINT", ARGUMENT_BOOL, 0, offsetof(struct ip_print, paint), "print the paint annotation (false)"},
    {"ETHER", ARGUMENT_BOOL, 0, offsetof(struct ip_print, ether),
     "print Ethernet addresses, if the header is marked (false)"},
    {"SWAP", ARGUMENT_BOOL, 0, offsetof(struct ip_print, swap),
     "print ICMP identifier and sequence as numbers in network byte order; false: with their bytes swapped (true)"},
    {"ACTIVE", ARGUMENT_BOOL, 0, offsetof(struct ip_print, active), "print at all (true)"},
    {"OUTFILE", ARGUMENT_STRING, 0, offsetof(struct ip_print, outfile), "refused: lines go to the log"},
    {"CHANNEL", ARGUMENT_WORD, 0, offsetof(struct ip_print, channel), "the chatter channel that lines go to (the log)"},
    {0}};

static const struct handler ip_print_handlers[] = {{.name = "active",
                                                    .read = handler_read_bool,
                                                    .write = parameter_write_bool,
                                                    .offset = offsetof(struct ip_print, active),
                                                    .help = "whether it prints"},
                                                   {0}};

static const struct element_class ip_print_class = {
    .name = "IPPrint",
    .purpose = "logs IP packets in a readable form",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct ip_print),
    .arguments = ip_print_arguments,
    .handlers = ip_print_handlers,
    .example = "FromDevice(eth0) -> MarkIPHeader(14) -> IPPrint(in, TTL true) -> Discard;",
    .manual =
        "Wants packets whose IP header is marked, as CheckIPHeader or MarkIPHeader do; it says nothing about others. For TCP the "
        "three numbers in parentheses are lengths: of the segment, of the packet, and of the packet as its IP header says.",
    .defaults = ip_print_defaults,
    .configure = ip_print_configure,
    .reconfigure = ip_print_reconfigure,
    .simple = ip_print_simple,
};
ELEMENT(IPPrint, ip_print_class);
