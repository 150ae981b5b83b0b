/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A table of IPv4 routes, as Click's IPRouteTable has them: ADDR/MASK [GW] OUT. One that is linear looks at every route, in order; the
 * other keeps them in a trie besides (route_trie.h), and takes no masks with holes.
 */
#ifndef IMAGO_ELEMENTS_ROUTES_H
#define IMAGO_ELEMENTS_ROUTES_H

#include "click/address.h"
#include "elements/route_trie.h"
#include "lib/error.h"

enum { ROUTES_MAX = 16777216 };

/* Addresses in network order. */
struct route {
  struct ip_prefix prefix; /* no address bits outside the mask */
  uint32_t gateway;        /* 0: none */
  int32_t port;            /* output; below 0: any, where a route is looked for */
};

struct routes {
  struct route *slots; /* in the order they came; free ones have port -1, and the next free one plus 1 in gateway */
  uint32_t used, capacity;
  uint32_t count;  /* routes in the slots */
  uint32_t vacant; /* first free slot plus 1; 0: none */
  struct route_trie trie;
  bool linear;
};

/* Reads `ADDR/MASK [GATEWAY] OUTPUT`, where GATEWAY may be '-'. `removal`: OUTPUT may be missing, which gives port -1. Names are those of
 * the context's scope. 0 or -ERROR_INVALID. */
int route_parse(const struct element *context, struct slice text, bool removal, struct route *route) MUST_USE;
/* "10.0.0.0/8 - 1"; with tabs, aligned, as the columns of handler `table`. */
void route_text(struct text *out, const struct route *route, bool tabs);

void routes_init(struct routes *routes, bool linear);
/* Frees all memory; empty and usable afterwards. */
void routes_clear(struct routes *routes);
/* Adds a route. Where there is one for the prefix it is copied to *old, and with `replace` takes the new values; otherwise that is
 * -ERROR_EXISTS. old->port is -1 where there was none. -ERROR_UNSUPPORTED: the mask has holes; -ERROR_NO_MEMORY. After an error nothing has
 * changed. */
int routes_add(struct routes *routes, const struct route *route, bool replace, struct route *old) MUST_USE;
/* Removes the route for the prefix, which has to have this gateway and port unless route->port is below 0, and copies it to *old.
 * -ERROR_NOT_FOUND, or -ERROR_NO_MEMORY; then nothing has changed. What undoes the last of several changes in reverse never fails. */
int routes_remove(struct routes *routes, const struct route *route, struct route *old) MUST_USE;
/* The route for this very prefix, or NULL. */
const struct route *routes_exact(const struct routes *routes, const struct ip_prefix *prefix);
/* The route with the longest mask that holds the address (network order), or NULL. Of masks with holes: the first that does, but for
 * later ones with all of its bits. */
const struct route *routes_lookup(const struct routes *routes, uint32_t address);
/* The same for any number of addresses: found[i] is that of addresses[i]. */
void routes_lookup_all(const struct routes *routes, const uint32_t *addresses, const struct route **found,
                       uint32_t count);
/* All routes, a line each, as handler `table` shows them. */
void routes_text(struct text *out, const struct routes *routes);

#endif
