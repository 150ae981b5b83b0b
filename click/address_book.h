/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The names of one router's addresses and ports, each in the scope where it was defined. click/address.h is what others use.
 */
#ifndef IMAGO_CLICK_ADDRESS_BOOK_H
#define IMAGO_CLICK_ADDRESS_BOOK_H

#include "click/address.h"
#include "click/names.h"

/* One name may have a value of each kind at once. */
enum address_kind {
  ADDRESS_IP,
  ADDRESS_IP_PREFIX,
  ADDRESS_IP6,
  ADDRESS_IP6_PREFIX,
  ADDRESS_ETHER,
  ADDRESS_TCP_PORT,
  ADDRESS_UDP_PORT,
  ADDRESS_KINDS
};

struct address_entry {
  char *name; /* with its scope: "compound/gateway" */
  union {
    uint32_t ip;
    struct ip_prefix ip_prefix;
    struct ip6_address ip6;
    struct ip6_prefix ip6_prefix;
    uint8_t ether[6];
    uint16_t port;
  } value;
};

struct address_book {
  struct name_table names[ADDRESS_KINDS]; /* to an index into entries; point to entries[].name */
  struct address_entry *entries;
  uint32_t count, capacity;
};

/* The value that `name` (":ip", ":eth" ... behind it say which kind is meant) has as `kind` in the scope of context. NULL: none. */
const struct address_entry *address_book_find(const struct element *context, enum address_kind kind, struct slice name);

#endif
