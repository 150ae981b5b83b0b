/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Link types of capture files. Layouts: IEEE 802.3, 802.1Q, RFC 1188 (FDDI), RFC 1483, RFC 1661/1662 (PPP), and tcpdump.org's list
 * of LINKTYPE values.
 */
#include "platform/process/link_type.h"

enum { ETHERTYPE_IP = 0x0800, ETHERTYPE_IP6 = 0x86dd, ETHERTYPE_VLAN = 0x8100, NO_IP = -1 };
enum { PPP_IP = 0x0021, PPP_IP6 = 0x0057 };

/* The first name of each number is the one that is printed. */
static const struct {
  const char *name;
  enum link_type type;
} names[] = {
    {"IP", LINK_TYPE_IP},
    {"ETHER", LINK_TYPE_ETHER},
    {"FDDI", LINK_TYPE_FDDI},
    {"ATM", LINK_TYPE_ATM_RFC1483},
    {"RFC1483", LINK_TYPE_ATM_RFC1483},
    {"ATM-RFC1483", LINK_TYPE_ATM_RFC1483},
    {"802.11", LINK_TYPE_IEEE802_11},
    {"802.11_RADIO", LINK_TYPE_IEEE802_11_RADIO},
    {"AIRONET", LINK_TYPE_AIRONET},
    {"HDLC", LINK_TYPE_CISCO_HDLC},
    {"PPP_HDLC", LINK_TYPE_PPP_HDLC},
    {"PPP", LINK_TYPE_PPP},
    {"SUNATM", LINK_TYPE_SUNATM},
    {"PRISM", LINK_TYPE_PRISM},
    {"SLL", LINK_TYPE_LINUX_SLL},
    {"NULL", LINK_TYPE_NULL},
};

int link_type_parse(const char *name) {
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(names[i].name, name) == 0) return (int)names[i].type;
  }
  return -ERROR_NOT_FOUND;
}

const char *link_type_name(uint32_t type) {
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (names[i].type == type) return names[i].name;
  }
  return "??";
}

uint32_t link_type_canonical(uint32_t type) {
  bool raw = type == 12 || type == 14 || type == 228 || type == 229; /* DLT_RAW twice, LINKTYPE_IPV4, LINKTYPE_IPV6 */
  return raw ? LINK_TYPE_IP : type;
}

static bool is_ip(uint16_t ethertype) { return ethertype == ETHERTYPE_IP || ethertype == ETHERTYPE_IP6; }

/* A header whose last two bytes before `size` are an Ethertype. */
static int behind_ethertype(const struct packet *p, uint32_t size) {
  return p->length >= size && is_ip(load_be16(p->data + size - 2)) ? (int)size : NO_IP;
}

static int behind_ether(const struct packet *p) {
  bool tagged = p->length >= 18 && load_be16(p->data + 12) == ETHERTYPE_VLAN;
  return behind_ethertype(p, tagged ? 18 : 14);
}

static const uint8_t snap[6] = {0xaa, 0xaa, 3, 0, 0, 0};

static int behind_snap(const struct packet *p, uint32_t before) {
  if (p->length < before + 8 || memcmp(p->data + before, snap, sizeof snap) != 0) return NO_IP;
  return behind_ethertype(p, before + 8);
}

static int behind_fddi(const struct packet *p) {
  return p->length > 0 && (p->data[0] & 0xf0) == 0x50 ? behind_snap(p, 13) : NO_IP;
}

static int behind_ppp(const struct packet *p, bool framed) {
  if (!framed && p->length >= 2 && load_be16(p->data) != 0xff03) {
    return load_be16(p->data) == PPP_IP || load_be16(p->data) == PPP_IP6 ? 2 : NO_IP;
  }
  if (p->length < 4 || (load_be16(p->data) != 0xff03)) return NO_IP;
  return load_be16(p->data + 2) == PPP_IP || load_be16(p->data + 2) == PPP_IP6 ? 4 : NO_IP;
}

/* Where the IP header would be, or NO_IP. */
static int ip_offset(uint32_t type, const struct packet *p) {
  switch (type) {
    case LINK_TYPE_IP:
      return 0;
    case LINK_TYPE_ETHER:
      return behind_ether(p);
    case LINK_TYPE_FDDI:
      return behind_fddi(p);
    case LINK_TYPE_ATM_RFC1483:
      return behind_snap(p, 0);
    case LINK_TYPE_SUNATM:
      return behind_snap(p, 4);
    case LINK_TYPE_PPP:
      return behind_ppp(p, false);
    case LINK_TYPE_PPP_HDLC:
      return behind_ppp(p, true);
    case LINK_TYPE_CISCO_HDLC:
      return behind_ethertype(p, 4);
    case LINK_TYPE_LINUX_SLL:
      return behind_ethertype(p, 16);
    case LINK_TYPE_NULL:
      return p->length >= 4 ? 4 : NO_IP; /* an address family that each system numbers by itself */
    default:
      return NO_IP;
  }
}

bool link_type_has_ip(uint32_t type) {
  return type != LINK_TYPE_IEEE802_11 && type != LINK_TYPE_IEEE802_11_RADIO && type != LINK_TYPE_PRISM &&
         type != LINK_TYPE_AIRONET && strcmp(link_type_name(type), "??") != 0;
}

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
