/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Link types of frames and capture files: their names in Click's configurations (ENCAP), and where the IP header is behind each.
 */
#ifndef IMAGO_ELEMENTS_LINK_TYPE_H
#define IMAGO_ELEMENTS_LINK_TYPE_H

#include "lib/error.h"
#include "lib/text.h"
#include "packet/packet.h"

enum link_type {
  LINK_TYPE_NULL = 0,
  LINK_TYPE_ETHER = 1,
  LINK_TYPE_PPP = 9,
  LINK_TYPE_FDDI = 10,
  LINK_TYPE_PPP_HDLC = 50,
  LINK_TYPE_ATM_RFC1483 = 100,
  LINK_TYPE_IP = 101,
  LINK_TYPE_CISCO_HDLC = 104,
  LINK_TYPE_IEEE802_11 = 105,
  LINK_TYPE_LINUX_SLL = 113,
  LINK_TYPE_PRISM = 119,
  LINK_TYPE_AIRONET = 120,
  LINK_TYPE_SUNATM = 123,
  LINK_TYPE_IEEE802_11_RADIO = 127,
};

/* The number of a name (or its alias), or of "#147"; -ERROR_NOT_FOUND. */
int link_type_parse(const char *name) MUST_USE;
/* Appends the name; "#147" for those that have none. */
void link_type_text(uint32_t type, struct text *out);
/* Numbers that some systems write for raw IP become LINK_TYPE_IP; others stay. */
uint32_t link_type_canonical(uint32_t type);
/* Whether link_type_mark_ip knows the layout. */
bool link_type_has_ip(uint32_t type);
/* Finds a whole IPv4 or IPv6 header; sets the packet's network and transport header and, for IPv4, its destination annotation.
 * False: it is no IP packet; nothing was changed. */
bool link_type_mark_ip(uint32_t type, struct packet *p) MUST_USE;

#endif
