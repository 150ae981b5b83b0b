/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Addresses and ports as text: literals, and the names that AddressInfo and PortInfo elements define. A name holds in the
 * compound element where it is defined and in those inside it; lookup goes from the scope of `context` outwards, as in Click.
 *
 * Every reader takes the whole of `text`, literal or name, and returns 0 or -ERROR_INVALID without a report: the caller knows what
 * it wanted. `context` may be NULL: then there are only literals, and the ports everybody knows.
 */
#ifndef IMAGO_CLICK_ADDRESS_H
#define IMAGO_CLICK_ADDRESS_H

#include <stdint.h>

#include "lib/report.h"
#include "lib/string.h"
#include "lib/text.h"

struct element;

/* In network order: the bytes in memory are those of the packet. */
struct ip_prefix {
  uint32_t address; /* as written: bits outside the mask are kept, as in Click */
  uint32_t mask;
};
struct ip6_address {
  uint8_t bytes[16];
};
struct ip6_prefix {
  struct ip6_address address;
  uint32_t length; /* 0 to 128 */
};

/* 10.0.0.1, NAME, NAME:ip */
int address_ip(const struct element *context, struct slice text, uint32_t *address) MUST_USE;
/* 10.0.0.0/8, 10/8, 10.0.0.0/255.0.0.0, NAME, NAME:ipnet, NAME/8. `bare`: an address alone is a /32. */
int address_ip_prefix(const struct element *context, struct slice text, bool bare, struct ip_prefix *prefix) MUST_USE;
/* fe80::1, ::ffff:10.0.0.1, NAME, NAME:ip6 */
int address_ip6(const struct element *context, struct slice text, struct ip6_address *address) MUST_USE;
/* 2001:db8::/32, NAME, NAME:ip6net. `bare`: an address alone is a /128. */
int address_ip6_prefix(const struct element *context, struct slice text, bool bare, struct ip6_prefix *prefix) MUST_USE;
/* 00:11:22:33:44:55, 00-11-22-33-44-55, NAME, NAME:eth; also the name of a NIC */
int address_ether(const struct element *context, struct slice text, uint8_t address[6]) MUST_USE;

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };
/* Port in host order: 0 to 65535, or a name for `protocol` (PROTOCOL_TCP or PROTOCOL_UDP): PortInfo's, else the well known. */
int address_port(const struct element *context, struct slice text, unsigned protocol, uint16_t *port) MUST_USE;
/* Name of a well-known port, or NULL. */
const char *address_port_name(unsigned protocol, uint16_t port);

/* As text: "10.0.0.1", "10.0.0.0/8" (or /mask when it has holes), "fe80::1" (RFC 5952), "00-11-22-33-44-55" as Click prints. */
void address_ip_text(struct text *out, uint32_t address);
void address_ip_prefix_text(struct text *out, const struct ip_prefix *prefix);
void address_ip6_text(struct text *out, const struct ip6_address *address);
void address_ether_text(struct text *out, const uint8_t address[6]);

/* --- definitions, for AddressInfo and PortInfo --- */

struct address_book;
/* One argument of AddressInfo ("NAME ADDRESS...") or PortInfo ("NAME PORT[/PROTO] [ALIAS...]"), defined in the scope of `context`
 * for its router. Reports with Click's texts. */
int address_define(struct element *context, const char *argument, struct report *report) MUST_USE;
int address_define_port(struct element *context, const char *argument, struct report *report) MUST_USE;
void address_book_free(struct address_book *book);

#endif
