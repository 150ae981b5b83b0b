/* SPDX-License-Identifier: BSD-3-Clause
 *
 * MarkIPHeader says where the IP header is; CheckIPHeader says so after a check by RFC 1812, 5.2.2 (CheckIPHeader2: but for the
 * checksum).
 */
#include "click/address.h"
#include "click/reconfigure.h"
#include "elements/check.h"
#include "lib/memory.h"
#include "packet/headers.h"

/* --- MarkIPHeader --- */

struct mark_ip {
  struct element element;
  uint32_t offset;
};

static void mark_ip_simple(struct element *e, struct batch *batch) {
  uint32_t offset = ((const struct mark_ip *)e)->offset;
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    if (offset >= p->length) continue;
    packet_mark_network(p, p->data + offset, ip_header_length(p->data + offset));
  }
}

static const struct argument mark_ip_arguments[] = {
    {"OFFSET", ARGUMENT_U32, ARGUMENT_POSITIONAL, offsetof(struct mark_ip, offset), "where the IP header begins (0)"},
    {0}};

static const struct element_class mark_ip_class = {
    .name = "MarkIPHeader",
    .purpose = "marks where the IP header is, without a check",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct mark_ip),
    .arguments = mark_ip_arguments,
    .example = "FromDevice(eth0) -> MarkIPHeader(14) -> IPPrint -> Discard;",
    .manual =
        "Elements that look at IP packets find the header there. The transport header is where the header length field "
        "says. A packet that ends before OFFSET stays unmarked.",
    .reconfigure = reconfigure_arguments,
    .simple = mark_ip_simple,
};
ELEMENT(MarkIPHeader, mark_ip_class);

/* --- CheckIPHeader, CheckIPHeader2 --- */

enum ip_reason { TINY_PACKET, BAD_VERSION, BAD_HEADER_LENGTH, BAD_LENGTH, BAD_CHECKSUM, BAD_SOURCE };

static const char *const ip_reasons[] = {
    "tiny_packet", "bad_IP_version", "bad_IP_header_length", "bad_IP_length", "bad_IP_checksum", "bad_source_address",
    NULL};

/* Addresses in network order; few, as a rule none. */
struct address_list {
  uint32_t *addresses;
  uint32_t count;
};

struct check_ip {
  struct check check;
  uint32_t offset;
  bool checksum;
  char *interfaces, *bad_source_text, *good_destination_text;
  struct address_list bad_sources, good_destinations;
};

static bool address_list_has(const struct address_list *list, uint32_t address) {
  for (uint32_t i = 0; i < list->count; i++) {
    if (list->addresses[i] == address) return true;
  }
  return false;
}

static inline uint8_t check_ip_packet(const struct check_ip *c, struct packet *p) {
  uint32_t offset = c->offset;
  if (p->length < offset || p->length - offset < IP_SIZE) return 1 + TINY_PACKET;
  uint32_t room = p->length - offset;
  const uint8_t *ip = p->data + offset;
  unsigned header = IP_SIZE;
  if (ip[0] != 0x45) {
    if (ip_version(ip) != 4) return 1 + BAD_VERSION;
    header = ip_header_length(ip);
    if (header < IP_SIZE) return 1 + BAD_HEADER_LENGTH;
  }
  uint32_t length = ip_length(ip);
  if (length > room || length < header) return 1 + BAD_LENGTH;
  if (c->checksum && !ip_checksum_holds(ip, header)) return 1 + BAD_CHECKSUM;
  uint32_t destination = ip_destination(ip);
  if (c->bad_sources.count > 0 && address_list_has(&c->bad_sources, ip_source(ip)) &&
      !address_list_has(&c->good_destinations, destination)) {
    return 1 + BAD_SOURCE;
  }
  packet_mark_network(p, ip, header);
  p->length = offset + length;
  annotation_set_u32(p, ANNOTATION_DST_IP, destination);
  return 0;
}

static bool check_ip_judge(struct check *check, struct packet *const *packets, uint32_t count, uint8_t *verdicts) {
  const struct check_ip *c = (const struct check_ip *)check;
  uint8_t any = 0;
  for (uint32_t i = 0; i < count; i++)
    any |= verdicts[i] = check_ip_packet(c, packets[i]);
  return any != 0;
}

static const struct check_kind check_ip_kind = {"IP", ip_reasons, check_ip_judge};

static void check_ip2_defaults(struct element *e) { ((struct check *)e)->kind = &check_ip_kind; }

static void check_ip_defaults(struct element *e) {
  check_ip2_defaults(e);
  ((struct check_ip *)e)->checksum = true;
}

static int address_list_add(struct address_list *list, uint32_t address, struct report *report) {
  uint32_t *grown = memory_alloc((list->count + 1) * sizeof *grown);
  if (grown == NULL) return report_error(report, ERROR_NO_MEMORY, "no memory for a list of addresses");
  if (list->count > 0) memcpy(grown, list->addresses, list->count * sizeof *grown);
  grown[list->count] = address;
  memory_free(list->addresses);
  list->addresses = grown;
  list->count++;
  return 0;
}

/* Those that no host may send from (RFC 1812, 5.3.7). */
static int add_never_sources(struct address_list *list, struct report *report) {
  int status = address_list_add(list, 0, report);
  return status < 0 ? status : address_list_add(list, UINT32_MAX, report);
}

static int parse_addresses(const struct element *e, const char *argument, const char *text, struct address_list *list,
                           struct report *report) {
  struct slice rest = slice_of(text == NULL ? "" : text);
  for (struct slice word = slice_next_word(&rest); word.length > 0; word = slice_next_word(&rest)) {
    uint32_t address;
    if (address_ip(e, word, &address) < 0) {
      return report_error(report, ERROR_INVALID, "%s: '%.*s' is not an IP address; separate several by blanks",
                          argument, (int)word.length, word.data);
    }
    int status = address_list_add(list, address, report);
    if (status < 0) return status;
  }
  return 0;
}

static int parse_interfaces(struct check_ip *c, struct report *report) {
  if (c->interfaces == NULL) return 0;
  struct slice rest = slice_of(c->interfaces);
  for (struct slice word = slice_next_word(&rest); word.length > 0; word = slice_next_word(&rest)) {
    struct ip_prefix prefix;
    if (address_ip_prefix(&c->check.element, word, true, &prefix) < 0) {
      return report_error(report, ERROR_INVALID, "INTERFACES: '%.*s' is not an address with prefix, as 10.0.0.1/24",
                          (int)word.length, word.data);
    }
    int status = address_list_add(&c->bad_sources, (prefix.address & prefix.mask) | ~prefix.mask, report);
    if (status == 0) status = address_list_add(&c->good_destinations, prefix.address, report);
    if (status < 0) return status;
  }
  return add_never_sources(&c->bad_sources, report);
}

/* By position: OFFSET alone, or as in old files BADSRC and OFFSET. */
static int parse_positions(struct check_ip *c, const struct args *rest, struct report *report) {
  const struct argument offset = {"OFFSET", ARGUMENT_U32, 0, offsetof(struct check_ip, offset), "", 0};
  struct element *e = &c->check.element;
  if (rest->count == 0) return 0;
  if (rest->count > 2) return report_error(report, ERROR_INVALID, "too many arguments");
  struct report silent = {0};
  uint32_t address;
  bool is_address = rest->values[0][0] == 0 || address_ip(e, slice_of(rest->values[0]), &address) == 0;
  bool is_offset = rest->count == 1 && !is_address && args_parse_value(e, &offset, rest->values[0], c, &silent) == 0;
  report_free(&silent);
  if (is_offset) return 0;
  int status = parse_addresses(e, "BADSRC", rest->values[0], &c->bad_sources, report);
  if (status == 0) status = add_never_sources(&c->bad_sources, report);
  if (status < 0 || rest->count == 1) return status;
  return args_parse_value(e, &offset, rest->values[1], c, report);
}

static int check_ip_configure(struct element *e, const struct args *rest, struct report *report) {
  struct check_ip *c = (struct check_ip *)e;
  int status = parse_interfaces(c, report);
  if (status == 0) status = parse_addresses(e, "BADSRC", c->bad_source_text, &c->bad_sources, report);
  if (status == 0) status = parse_addresses(e, "GOODDST", c->good_destination_text, &c->good_destinations, report);
  return status < 0 ? status : parse_positions(c, rest, report);
}

static void check_ip_cleanup(struct element *e) {
  struct check_ip *c = (struct check_ip *)e;
  memory_free(c->bad_sources.addresses);
  memory_free(c->good_destinations.addresses);
}

static const struct argument check_ip_arguments[] = {
    {"OFFSET", ARGUMENT_U32, 0, offsetof(struct check_ip, offset),
     "where the IP header begins; may stand alone without its name (0)"},
    {"INTERFACES", ARGUMENT_STRING, 0, offsetof(struct check_ip, interfaces),
     "this router's addresses with prefixes: gives BADSRC their broadcast addresses, 0.0.0.0 and 255.255.255.255, and "
     "GOODDST the addresses"},
    {"BADSRC", ARGUMENT_STRING, 0, offsetof(struct check_ip, bad_source_text), "source addresses that are bad"},
    {"GOODDST", ARGUMENT_STRING, 0, offsetof(struct check_ip, good_destination_text),
     "destinations for which BADSRC does not hold"},
    {"CHECKSUM", ARGUMENT_BOOL, 0, offsetof(struct check_ip, checksum),
     "check the checksum (true; CheckIPHeader2: false)"},
    CHECK_ARGUMENTS};

static const struct element_class check_ip_class = {
    .name = "CheckIPHeader",
    .purpose = "checks the IP header of packets, and marks it",
    .ports = "1/1-2",
    .processing = "a/ah",
    .size = sizeof(struct check_ip),
    .arguments = check_ip_arguments,
    .handlers = check_handlers,
    .drops = ip_reasons,
    .example = "FromDevice(eth0) -> Strip(14) -> CheckIPHeader(INTERFACES 18.26.4.9/24) -> Discard;",
    .manual =
        "Good packets have a version, lengths and a checksum that are right and a source that is not in BADSRC. They are cut to the "
        "length that the header says, their headers are marked, their destination annotation is set, and they leave at output "
        "0. The others go to output 1, or are dropped if that is not connected.\n\n"
        "By position: OFFSET alone, or BADSRC and OFFSET, as old files have it.",
    .defaults = check_ip_defaults,
    .configure = check_ip_configure,
    .takes_rest = true,
    .cleanup = check_ip_cleanup,
    .take_state = check_take_state,
    .handler_find = check_handler_find,
    .handler_at = check_handler_at,
    .push = check_push,
    .pull = check_pull,
};
ELEMENT(CheckIPHeader, check_ip_class);

static const struct element_class check_ip2_class = {
    .name = "CheckIPHeader2",
    .purpose = "checks the IP header of packets but for the checksum, and marks it",
    .ports = "1/1-2",
    .processing = "a/ah",
    .size = sizeof(struct check_ip),
    .arguments = check_ip_arguments,
    .handlers = check_handlers,
    .drops = ip_reasons,
    .example = "FromDevice(eth0) -> Strip(14) -> CheckIPHeader2 -> Discard;",
    .manual = "As CheckIPHeader, with CHECKSUM false unless it is given.",
    .defaults = check_ip2_defaults,
    .configure = check_ip_configure,
    .takes_rest = true,
    .cleanup = check_ip_cleanup,
    .take_state = check_take_state,
    .handler_find = check_handler_find,
    .handler_at = check_handler_at,
    .push = check_push,
    .pull = check_pull,
};
ELEMENT(CheckIPHeader2, check_ip2_class);
