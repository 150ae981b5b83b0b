/* SPDX-License-Identifier: BSD-3-Clause
 *
 * EtherEncap puts an Ethernet header in front, EtherMirror swaps its addresses, HostEtherFilter sorts packets by destination.
 */
#include "click/address.h"
#include "click/router.h"
#include "elements/run.h"
#include "packet/headers.h"

/* --- EtherEncap --- */

/* The header is written whole; a write handler that changes part of it makes all workers stand still meanwhile. */
struct ether_encap {
  struct element element;
  uint16_t type;
  uint8_t source[6], destination[6];
  uint8_t header[16]; /* destination, source, type; two bytes of padding */
};

enum { ENCAP_NO_HEADROOM };
static const char *const encap_drops[] = {"no_headroom", NULL};

static int encap_configure(struct element *e, const struct args *rest, struct report *report) {
  struct ether_encap *c = (struct ether_encap *)e;
  memcpy(c->header, c->destination, 6);
  memcpy(c->header + 6, c->source, 6);
  store_be16(c->header + 12, c->type);
  return 0;
}

static void encap_simple(struct element *e, struct batch *batch) {
  const struct ether_encap *c = (const struct ether_encap *)e;
  uint64_t first = load_le64(c->header);
  uint32_t second = load_le32(c->header + 8);
  uint16_t third = load_le16(c->header + 12);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    if (packet_headroom(p) < ETHER_SIZE) {
      element_drop(e, ENCAP_NO_HEADROOM, p);
      continue;
    }
    p->data -= ETHER_SIZE;
    p->length += ETHER_SIZE;
    p->mac_header = (uint16_t)(p->data - (uint8_t *)p);
    store_le64(p->data, first);
    store_le32(p->data + 8, second);
    store_le16(p->data + 12, third);
    batch->packet[kept++] = p;
  }
  batch->count = kept;
}

static int encap_reconfigure(struct element *e, struct element *next, struct report *report) {
  struct ether_encap *c = (struct ether_encap *)e;
  const struct ether_encap *from = (const struct ether_encap *)next;
  c->type = from->type;
  memcpy(c->source, from->source, sizeof c->source);
  memcpy(c->destination, from->destination, sizeof c->destination);
  return encap_configure(e, NULL, report);
}

static int read_address(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                        struct report *report) {
  address_ether_text(out, (const uint8_t *)owner + handler->offset);
  return 0;
}

static int write_address(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  uint8_t address[6];
  value = slice_trim(value);
  if (address_ether(owner, value, address) < 0) {
    return report_error(report, ERROR_INVALID, "'%.*s' is not an Ethernet address", (int)value.length, value.data);
  }
  memcpy((uint8_t *)owner + handler->offset, address, sizeof address);
  return 0;
}

static int encap_write_address(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  int status = write_address(owner, handler, value, report);
  return status < 0 ? status : encap_configure(owner, NULL, report);
}

static int encap_read_type(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                           struct report *report) {
  text_addf(out, "%u", ((const struct ether_encap *)owner)->type);
  return 0;
}

static int encap_write_type(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  uint64_t type;
  value = slice_trim(value);
  if (slice_to_u64(value, UINT16_MAX, &type) < 0) {
    return report_error(report, ERROR_INVALID, "'%.*s' is not a number from 0 to 65535", (int)value.length, value.data);
  }
  ((struct ether_encap *)owner)->type = (uint16_t)type;
  return encap_configure(owner, NULL, report);
}

static const struct argument encap_arguments[] = {{"ETHERTYPE", ARGUMENT_U16, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL,
                                                   offsetof(struct ether_encap, type), "type field: 0x0800 for IP"},
                                                  {"SRC", ARGUMENT_ETHER, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL,
                                                   offsetof(struct ether_encap, source), "source address"},
                                                  {"DST", ARGUMENT_ETHER, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL,
                                                   offsetof(struct ether_encap, destination), "destination address"},
                                                  {0}};

static const struct handler encap_handlers[] = {{.name = "src",
                                                 .read = read_address,
                                                 .write = encap_write_address,
                                                 .offset = offsetof(struct ether_encap, source),
                                                 .argument = "SRC",
                                                 .help = "source address"},
                                                {.name = "dst",
                                                 .read = read_address,
                                                 .write = encap_write_address,
                                                 .offset = offsetof(struct ether_encap, destination),
                                                 .argument = "DST",
                                                 .help = "destination address"},
                                                {.name = "ethertype",
                                                 .read = encap_read_type,
                                                 .write = encap_write_type,
                                                 .argument = "ETHERTYPE",
                                                 .help = "type field"},
                                                {.name = "etht",
                                                 .read = encap_read_type,
                                                 .write = encap_write_type,
                                                 .argument = "ETHERTYPE",
                                                 .help = "old name of ethertype"},
                                                {0}};

static const struct element_class encap_class = {
    .name = "EtherEncap",
    .purpose = "puts an Ethernet header in front of packets",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct ether_encap),
    .arguments = encap_arguments,
    .handlers = encap_handlers,
    .drops = encap_drops,
    .example = "... -> EtherEncap(0x0800, 1:1:1:1:1:1, 2:2:2:2:2:2) -> Queue -> ToDevice(eth0);",
    .manual = "A packet with less than 14 bytes of headroom is dropped and counted under no_headroom.",
    .configure = encap_configure,
    .reconfigure = encap_reconfigure,
    .simple = encap_simple,
};
ELEMENT(EtherEncap, encap_class);

/* --- EtherMirror --- */

/* Loads and stores overlap, so that the twelve bytes take two loads and three stores: bytes 6 to 13 go to the front, and the type
 * field's two bytes, which come along to 6 and 7, are written over by what was in front. */
static void mirror_simple(struct element *e, struct batch *batch) {
  for (uint32_t i = 0; i < batch->count; i++) {
    const struct packet *p = batch->packet[i];
    if (p->length < ETHER_SIZE) continue;
    uint8_t *ether = p->data;
    uint64_t destination = load_le64(ether), source = load_le64(ether + 6);
    store_le64(ether, source);
    store_le32(ether + 6, (uint32_t)destination);
    store_le16(ether + 10, (uint16_t)(destination >> 32));
  }
}

static const struct element_class mirror_class = {
    .name = "EtherMirror",
    .purpose = "swaps source and destination Ethernet addresses",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct element),
    .example = "FromDevice(eth0) -> EtherMirror -> Queue -> ToDevice(eth0);",
    .manual = "A packet that is shorter than an Ethernet header stays as it is.",
    .simple = mirror_simple,
};
ELEMENT(EtherMirror, mirror_class);

/* --- HostEtherFilter --- */

struct host_filter {
  struct element element;
  uint8_t address[6];
  bool drop_own, drop_other;
  uint32_t offset;
};

static const char *const filter_drops[] = {"too_short", "own", "other_host", NULL};
enum filter_fate { FILTER_TOO_SHORT, FILTER_OWN, FILTER_OTHER, FILTER_PASS };

/* 48 bits of an address. */
static inline uint64_t address_bits(const uint8_t *address) {
  return load_le32(address) | (uint64_t)load_le16(address + 4) << 32;
}

static enum filter_fate filter_packet(const struct host_filter *f, uint64_t own, struct packet *p) {
  if (p->length < f->offset || p->length - f->offset < ETHER_SIZE) return FILTER_TOO_SHORT;
  const uint8_t *ether = p->data + f->offset;
  if (f->drop_own && address_bits(ether_source(ether)) == own) return FILTER_OWN;
  uint64_t destination = address_bits(ether_destination(ether));
  if (destination == own) {
    p->type = PACKET_HOST;
  } else if (destination == 0xffffffffffff) {
    p->type = PACKET_BROADCAST;
  } else if (destination & 1) {
    p->type = PACKET_MULTICAST;
  } else {
    p->type = PACKET_OTHERHOST;
    if (f->drop_other) return FILTER_OTHER;
  }
  return FILTER_PASS;
}

/* Where each packet goes, for run_split. */
static void filter_outputs(struct element *e, struct packet *const *packets, uint32_t count, uint32_t *outputs) {
  const struct host_filter *f = (const struct host_filter *)e;
  uint64_t own = address_bits(f->address);
  for (uint32_t i = 0; i < count; i++) {
    enum filter_fate fate = filter_packet(f, own, packets[i]);
    uint32_t rejected = e->output_count > 1 ? 1 : e->output_count + (uint32_t)fate;
    outputs[i] = fate == FILTER_PASS ? 0 : rejected;
  }
}

static void filter_push(struct element *e, unsigned port, struct batch *batch) {
  uint32_t outputs[BATCH_MAX];
  filter_outputs(e, batch->packet, batch->count, outputs);
  run_split(e, batch, outputs);
}

static void filter_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  uint32_t outputs[BATCH_MAX], first = batch->count;
  element_pull(e, 0, batch, max);
  filter_outputs(e, batch->packet + first, batch->count - first, outputs);
  run_sift(e, batch, first, outputs);
}

static void filter_defaults(struct element *e) { ((struct host_filter *)e)->drop_other = true; }

static const struct argument filter_arguments[] = {
    {"ETHER", ARGUMENT_ETHER, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct host_filter, address),
     "this host's address"},
    {"DROP_OWN", ARGUMENT_BOOL, ARGUMENT_POSITIONAL, offsetof(struct host_filter, drop_own),
     "reject packets that come from this address (false)"},
    {"DROP_OTHER", ARGUMENT_BOOL, ARGUMENT_POSITIONAL, offsetof(struct host_filter, drop_other),
     "reject packets for other hosts (true)"},
    {"OFFSET", ARGUMENT_U32, 0, offsetof(struct host_filter, offset), "where the Ethernet header begins (0)"},
    {0}};

static const struct handler filter_handlers[] = {{.name = "ether",
                                                  .read = read_address,
                                                  .write = write_address,
                                                  .offset = offsetof(struct host_filter, address),
                                                  .help = "this host's address"},
                                                 {0}};

static const struct element_class filter_class = {
    .name = "HostEtherFilter",
    .purpose = "sorts out Ethernet packets that are for other hosts",
    .ports = "1/1-2",
    .processing = "a/ah",
    .size = sizeof(struct host_filter),
    .arguments = filter_arguments,
    .handlers = filter_handlers,
    .drops = filter_drops,
    .example = "FromDevice(eth0) -> HostEtherFilter(eth0) -> ...",
    .manual =
        "Sets the packet type: host, broadcast, multicast or otherhost. What is rejected goes to output 1, or is dropped if that is "
        "not connected; so are packets that are shorter than an Ethernet header.",
    .defaults = filter_defaults,
    .push = filter_push,
    .pull = filter_pull,
};
ELEMENT(HostEtherFilter, filter_class);
