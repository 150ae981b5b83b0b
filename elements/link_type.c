/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Link types of capture files. Layouts: IEEE 802.2, 802.3, 802.1Q, 802.11, RFC 1188 (FDDI), RFC 1483 and 2684 (ATM), RFC 1661 and 1662
 * (PPP), and tcpdump.org's list of LINKTYPE values.
 */
#include "elements/link_type.h"

#include "click/number.h"

enum { ETHERTYPE_IP = 0x0800, ETHERTYPE_IP6 = 0x86dd, ETHERTYPE_VLAN = 0x8100, NO_IP = -1 };
enum { PPP_IP = 0x21, PPP_IP6 = 0x57, PPP_ADDRESS_CONTROL = 0xff03 };

/* The first name of each number is the one that is printed. */
static const struct {
  const char *name;
  enum link_type type;
} names[] = {
    {"NULL", LINK_TYPE_NULL},
    {"IP", LINK_TYPE_IP},
    {"ETHER", LINK_TYPE_ETHER},
    {"FDDI", LINK_TYPE_FDDI},
    {"ATM", LINK_TYPE_ATM_RFC1483},
    {"RFC1483", LINK_TYPE_ATM_RFC1483},
    {"ATM_RFC1483", LINK_TYPE_ATM_RFC1483},
    {"802_11", LINK_TYPE_IEEE802_11},
    {"802.11", LINK_TYPE_IEEE802_11},
    {"802_11_RADIO", LINK_TYPE_IEEE802_11_RADIO},
    {"802.11_RADIO", LINK_TYPE_IEEE802_11_RADIO},
    {"SLL", LINK_TYPE_LINUX_SLL},
    {"AIRONET", LINK_TYPE_AIRONET},
    {"HDLC", LINK_TYPE_CISCO_HDLC},
    {"PPP_HDLC", LINK_TYPE_PPP_HDLC},
    {"PPP", LINK_TYPE_PPP},
    {"SUNATM", LINK_TYPE_SUNATM},
    {"PRISM", LINK_TYPE_PRISM},
};

static const char *name_of(uint32_t type) {
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (names[i].type == type) return names[i].name;
  }
  return NULL;
}

int link_type_parse(const char *name) {
  uint64_t number;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(names[i].name, name) == 0) return (int)names[i].type;
  }
  bool numbered = name[0] == '#' && number_unsigned(slice_of(name + 1), INT32_MAX - 1, &number) == 0;
  return numbered ? (int)number : -ERROR_NOT_FOUND;
}

void link_type_text(uint32_t type, struct text *out) {
  const char *name = name_of(type);
  if (name != NULL) text_add(out, name);
  if (name == NULL) text_addf(out, "#%u", type);
}

uint32_t link_type_canonical(uint32_t type) {
  bool raw = type == 12 || type == 14 || type == 228 || type == 229; /* DLT_RAW twice, LINKTYPE_IPV4, LINKTYPE_IPV6 */
  return raw ? LINK_TYPE_IP : type;
}

static bool is_ip(uint16_t ethertype) { return ethertype == ETHERTYPE_IP || ethertype == ETHERTYPE_IP6; }

/* The functions below say where the IP header is of what begins at `at`, or NO_IP. */

/* A header whose last two bytes before `end` are an Ethertype. */
static int behind_ethertype(const struct packet *p, uint32_t end) {
  return p->length >= end && is_ip(load_be16(p->data + end - 2)) ? (int)end : NO_IP;
}

/* An Ethertype, perhaps of a VLAN tag before the one that matters. */
static int behind_tag(const struct packet *p, uint32_t at) {
  bool tagged = p->length >= at + 6 && load_be16(p->data + at) == ETHERTYPE_VLAN;
  return behind_ethertype(p, at + (tagged ? 6 : 2));
}

/* LLC (IEEE 802.2), as in RFC 1483 and 2684. Bridged FDDI frames carry LLC again: `depth` times at most. */
static int behind_llc(const struct packet *p, uint32_t at, unsigned depth) {
  const uint8_t *llc = p->data + at;
  if (p->length >= at + 4 && llc[0] == 0x06 && llc[1] == 0x06) return (int)at + 4;
  if (p->length < at + 8 || llc[0] != 0xaa || llc[1] != 0xaa) return NO_IP;
  uint32_t organisation = load_be32(llc + 2) & 0xffffff;
  uint16_t carried = load_be16(llc + 6);
  if (organisation == 0x000000 || organisation == 0x0000f8) return behind_tag(p, at + 6); /* Ethernet's, or Cisco's */
  if (organisation != 0x0080c2) return NO_IP;
  if (carried == 1 || carried == 7) return behind_tag(p, at + 8 + 12); /* bridged Ethernet, with or without checksum */
  bool fddi = (carried == 4 || carried == 10) && p->length > at + 9 && (p->data[at + 9] & 0xf0) == 0x50;
  return fddi && depth > 0 ? behind_llc(p, at + 9 + 13, depth - 1) : NO_IP;
}

enum { BRIDGES = 2 };

static int behind_fddi(const struct packet *p) {
  return p->length > 0 && (p->data[0] & 0xf0) == 0x50 ? behind_llc(p, 13, BRIDGES) : NO_IP;
}

/* A PPP protocol field of one byte (compressed) or two. */
static int behind_ppp(const struct packet *p) {
  uint32_t at = p->length >= 2 && load_be16(p->data) == PPP_ADDRESS_CONTROL ? 2 : 0;
  if (p->length < at + 2) return NO_IP;
  uint8_t first = p->data[at], second = p->data[at + 1];
  if (first == PPP_IP || first == PPP_IP6) return (int)at + 1;
  return first == 0 && (second == PPP_IP || second == PPP_IP6) ? (int)at + 2 : NO_IP;
}

/* HDLC frames of PPP, or of Cisco, as the address says. */
static int behind_ppp_hdlc(const struct packet *p) {
  if (p->length < 4) return NO_IP;
  uint16_t protocol = load_be16(p->data + 2);
  if (p->data[0] == 0xff) return protocol == PPP_IP || protocol == PPP_IP6 ? 4 : NO_IP;
  return p->data[0] == 0x0f || p->data[0] == 0x8f ? behind_ethertype(p, 4) : NO_IP;
}

/* IEEE 802.11: data frames, with the fourth address where they go from one access point to another. */
static int behind_wifi(const struct packet *p, uint32_t at) {
  if (p->length < at + 24 || (p->data[at] & 0x0c) != 0x08) return NO_IP;
  return behind_llc(p, at + ((p->data[at + 1] & 3) == 3 ? 30 : 24), BRIDGES);
}

/* Radiotap's header tells its length, in little-endian order. */
static int behind_radiotap(const struct packet *p) {
  uint16_t length = p->length >= 4 ? load_le16(p->data + 2) : 0;
  return length >= 8 ? behind_wifi(p, length) : NO_IP;
}

/* An address family in the byte order of the machine that captured: IPv4 is 2 everywhere, IPv6 is not the same anywhere. */
static int behind_family(const struct packet *p) {
  if (p->length < 4) return NO_IP;
  uint32_t family = load_le32(p->data) <= 0xffff ? load_le32(p->data) : load_be32(p->data);
  return family == 2 || family == 10 || family == 24 || family == 28 || family == 30 ? 4 : NO_IP;
}

static int ip_offset(uint32_t type, const struct packet *p) {
  switch (type) {
    case LINK_TYPE_IP:
      return 0;
    case LINK_TYPE_ETHER:
      return behind_tag(p, 12);
    case LINK_TYPE_FDDI:
      return behind_fddi(p);
    case LINK_TYPE_ATM_RFC1483:
      return behind_llc(p, 0, BRIDGES);
    case LINK_TYPE_SUNATM:
      return behind_llc(p, 4, BRIDGES);
    case LINK_TYPE_PPP:
      return behind_ppp(p);
    case LINK_TYPE_PPP_HDLC:
      return behind_ppp_hdlc(p);
    case LINK_TYPE_CISCO_HDLC:
      return behind_ethertype(p, 4);
    case LINK_TYPE_LINUX_SLL:
      return behind_ethertype(p, 16);
    case LINK_TYPE_IEEE802_11:
      return behind_wifi(p, 0);
    case LINK_TYPE_IEEE802_11_RADIO:
      return behind_radiotap(p);
    case LINK_TYPE_PRISM:
      return behind_wifi(p, 144);
    case LINK_TYPE_NULL:
      return behind_family(p);
    default:
      return NO_IP;
  }
}

bool link_type_has_ip(uint32_t type) { return type != LINK_TYPE_AIRONET && name_of(type) != NULL; }

bool link_type_mark_ip(uint32_t type, struct packet *p) {
  int offset = ip_offset(type, p);
  if (offset == NO_IP || p->length <= (uint32_t)offset) return false;
  const uint8_t *ip = p->data + offset;
  uint32_t left = p->length - (uint32_t)offset;
  uint32_t header = ip[0] >> 4 == 4 ? (uint32_t)(ip[0] & 15) * 4 : 40;
  if (ip[0] >> 4 == 4 ? header < 20 : ip[0] >> 4 != 6) return false;
  if (left < header) return false;
  p->network_header = (uint16_t)(ip - (const uint8_t *)p);
  p->transport_header = (uint16_t)(p->network_header + header);
  if (ip[0] >> 4 == 4) annotation_set_u32(p, ANNOTATION_DST_IP, load_le32(ip + 16));
  return true;
}
