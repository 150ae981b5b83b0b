/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ARPPrint: one line an ARP packet, in Click's format, which is tcpdump's:
 *   label: 1.000000: arp who-has 10.0.0.2 tell 10.0.0.1
 */
#include "click/reconfigure.h"
#include "elements/line.h"
#include "elements/parameter.h"
#include "packet/headers.h"

enum { ARP_PRINT_LABEL_MAX = 128, ARP_PRINT_LINE_MAX = ARP_PRINT_LABEL_MAX + 256 };

struct arp_print {
  struct element element;
  char *label, *outfile;
  bool timestamp, ether, active;
};

/* One operation: what it says is `text` with %i and %I replaced by the sender's and target's IP addresses, %e and %E by their Ethernet
 * addresses. */
static const struct {
  uint16_t operation;
  const char *text;
} operations[] = {{ARP_REPLY, "arp reply %i is-at %e"},
                  {ARP_REVERSE_REQUEST, "rarp who-is %E tell %e"},
                  {ARP_REVERSE_REPLY, "rarp reply %E at %I"},
                  {ARP_INVERSE_REQUEST, "invarp who-is %E tell %e"},
                  {ARP_INVERSE_REPLY, "invarp reply %E at %I"}};

static void add_field(struct line *line, const uint8_t *arp, char field) {
  switch (field) {
    case 'i':
      line_add_ip(line, arp_sender_ip(arp));
      break;
    case 'I':
      line_add_ip(line, arp_target_ip(arp));
      break;
    case 'e':
      line_add_ether(line, arp_sender_ether(arp));
      break;
    default:
      line_add_ether(line, arp_target_ether(arp));
  }
}

static void add_fields(struct line *line, const uint8_t *arp, const char *text) {
  for (; *text != 0; text++) {
    if (*text == '%') {
      add_field(line, arp, *++text);
    } else {
      line_add(line, *text);
    }
  }
}

static void add_operation(struct line *line, const uint8_t *arp) {
  static const uint8_t unknown[6];
  uint16_t operation = arp_operation(arp);
  if (operation == ARP_REQUEST) {
    bool known = memcmp(arp_target_ether(arp), unknown, sizeof unknown) != 0;
    add_fields(line, arp, known ? "arp who-has %I (%E) tell %i" : "arp who-has %I tell %i");
    return;
  }
  for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
    if (operations[i].operation != operation) continue;
    add_fields(line, arp, operations[i].text);
    return;
  }
  line_addf(line, "arp-#%u", operation);
}

static void add_arp(struct line *line, const uint8_t *arp, int room) {
  if (room < ARP_SIZE) {
    line_addf(line, "truncated-arp (%d)", room);
    return;
  }
  uint16_t protocol = arp_protocol(arp), hardware = arp_hardware(arp);
  if ((protocol != ETHER_TYPE_IP && protocol != ETHER_TYPE_TRAILER) || arp_protocol_length(arp) != 4 ||
      arp_hardware_length(arp) != 6) {
    line_addf(line, "arp-#%u for proto #%u (%u) hardware #%u (%u)", arp_operation(arp), protocol,
              arp_protocol_length(arp), hardware, arp_hardware_length(arp));
    return;
  }
  if (room < ARP_ETHER_SIZE) {
    line_addf(line, "truncated-arp (%d)", room);
    return;
  }
  if (protocol == ETHER_TYPE_TRAILER) line_addf(line, "trailer-");
  add_operation(line, arp);
  if (hardware != ARP_HARDWARE_ETHER) line_addf(line, "hardware #%u", hardware);
}

/* Where nobody has marked the header, it is behind an Ethernet header that says so. NULL: nowhere. */
static const uint8_t *arp_of(struct packet *p) {
  const uint8_t *marked = packet_network(p);
  if (marked != NULL) return marked;
  return p->length >= ETHER_SIZE && ether_type(p->data) == ETHER_TYPE_ARP ? p->data + ETHER_SIZE : NULL;
}

static void add_ether(struct line *line, const struct packet *p, const uint8_t *arp) {
  const uint8_t *ether = p->mac_header == 0 ? p->data : (const uint8_t *)p + p->mac_header;
  if (ether + ETHER_SIZE > arp || packet_room(p, ether) < ETHER_SIZE) return;
  line_add_ether(line, ether_source(ether));
  line_addf(line, " > ");
  line_add_ether(line, ether_destination(ether));
  line_addf(line, ": ");
}

static void arp_print_simple(struct element *e, struct batch *batch) {
  const struct arp_print *element = (const struct arp_print *)e;
  if (!__atomic_load_n(&element->active, __ATOMIC_RELAXED)) return;
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    const uint8_t *arp = arp_of(p);
    if (arp == NULL) continue;
    char buffer[ARP_PRINT_LINE_MAX];
    struct line line = {buffer, sizeof buffer, 0};
    if (element->label != NULL && element->label[0] != 0) line_addf(&line, "%s: ", element->label);
    if (element->timestamp) {
      line_add_time(&line, p->timestamp);
      line_addf(&line, ": ");
    }
    if (element->ether) add_ether(&line, p, arp);
    add_arp(&line, arp, packet_room(p, arp));
    line_log(&line, e);
  }
}

static void arp_print_defaults(struct element *e) {
  struct arp_print *p = (struct arp_print *)e;
  p->timestamp = p->active = true;
}

static int arp_print_configure(struct element *e, const struct args *rest, struct report *report) {
  const struct arp_print *p = (const struct arp_print *)e;
  if (p->label != NULL && strlen(p->label) > ARP_PRINT_LABEL_MAX) {
    return report_error(report, ERROR_TOO_BIG, "LABEL: at most %d characters", ARP_PRINT_LABEL_MAX);
  }
  if (p->outfile == NULL) return 0;
  return report_error(report, ERROR_UNSUPPORTED,
                      "OUTFILE: lines go to the log only; to write a file, use ToDump or keep the log");
}

static const struct argument arp_print_arguments[] = {
    {"LABEL", ARGUMENT_STRING, ARGUMENT_POSITIONAL, offsetof(struct arp_print, label), "text in front of the line"},
    {"TIMESTAMP", ARGUMENT_BOOL, 0, offsetof(struct arp_print, timestamp), "print the timestamp annotation (true)"},
    {"ETHER", ARGUMENT_BOOL, 0, offsetof(struct arp_print, ether), "print the Ethernet addresses (false)"},
    {"ACTIVE", ARGUMENT_BOOL, 0, offsetof(struct arp_print, active), "print at all (true)"},
    {"OUTFILE", ARGUMENT_STRING, 0, offsetof(struct arp_print, outfile), "refused: lines go to the log"},
    {0}};

static const struct handler arp_print_handlers[] = {{.name = "active",
                                                     .read = handler_read_bool,
                                                     .write = parameter_write_bool,
                                                     .offset = offsetof(struct arp_print, active),
                                                     .help = "whether it prints"},
                                                    {0}};

static const struct element_class arp_print_class = {
    .name = "ARPPrint",
    .purpose = "logs ARP packets in a readable form",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct arp_print),
    .arguments = arp_print_arguments,
    .handlers = arp_print_handlers,
    .example = "FromDevice(eth0) -> ARPPrint(in) -> Discard;",
    .manual =
        "The ARP header is where the network header is marked, else behind an Ethernet header of type ARP; it says nothing about "
        "other packets.",
    .defaults = arp_print_defaults,
    .configure = arp_print_configure,
    .reconfigure = reconfigure_arguments,
    .simple = arp_print_simple,
};
ELEMENT(ARPPrint, arp_print_class);
