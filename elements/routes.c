/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Routes in slots, found by trie or one after the other; see routes.h. Formats are Click's (iproutetable.cc).
 */
#include "elements/routes.h"

#include "click/number.h"
#include "lib/bytes.h"
#include "lib/memory.h"

enum { ROUTES_FIRST = 8 };

/* --- one route --- */

int route_parse(const struct element *context, struct slice text, bool removal, struct route *route) {
  struct slice rest = text, word = slice_next_word(&rest);
  *route = (struct route){.port = -1};
  int status = address_ip_prefix(context, word, true, &route->prefix);
  if (status < 0) return status;
  route->prefix.address &= route->prefix.mask;
  word = slice_next_word(&rest);
  if (slice_equals(word, "-") || address_ip(context, word, &route->gateway) == 0) word = slice_next_word(&rest);
  int64_t port = -1;
  if (word.length > 0 || !removal) status = number_signed(word, INT32_MAX, &port);
  route->port = (int32_t)port;
  return status == 0 && slice_trim(rest).length == 0 ? 0 : -ERROR_INVALID;
}

/* Columns begin at characters 24 and 40, unless what stands before is longer: one tab or two. */
void route_text(struct text *out, const struct route *route, bool tabs) {
  const char *gap = tabs ? "\t" : " ";
  size_t start = out->length;
  address_ip_prefix_text(out, &route->prefix);
  text_add(out, gap);
  if (tabs && out->length < start + 17) text_add(out, gap);
  start = out->length;
  if (route->gateway != 0) {
    address_ip_text(out, route->gateway);
  } else {
    text_add(out, "-");
  }
  text_add(out, gap);
  if (tabs && out->length < start + 9) text_add(out, gap);
  text_addf(out, "%d", route->port);
}

/* How many bits lead the mask, and whether these are all. */
static bool mask_length(uint32_t mask, unsigned *length) {
  uint32_t holes = ~load_be32(&mask);
  *length = holes == 0 ? 32 : (unsigned)__builtin_clz(holes);
  return (holes & (holes + 1)) == 0;
}

/* --- slots --- */

void routes_init(struct routes *routes, bool linear) {
  *routes = (struct routes){.linear = linear, .trie.fallback = ROUTE_NONE};
}

void routes_clear(struct routes *routes) {
  memory_free(routes->slots);
  route_trie_clear(&routes->trie);
  routes_init(routes, routes->linear);
}

static bool take_slot(struct routes *routes, uint32_t *slot) {
  if (routes->vacant != 0) {
    *slot = routes->vacant - 1;
    routes->vacant = routes->slots[*slot].gateway;
    return true;
  }
  if (routes->used == routes->capacity) {
    uint32_t capacity = routes->capacity == 0 ? ROUTES_FIRST : routes->capacity * 2;
    struct route *slots =
        capacity <= ROUTES_MAX ? memory_resize(routes->slots, capacity * sizeof *routes->slots) : NULL;
    if (slots == NULL) return false;
    routes->slots = slots;
    routes->capacity = capacity;
  }
  *slot = routes->used++;
  return true;
}

static void give_slot(struct routes *routes, uint32_t slot) {
  routes->slots[slot] = (struct route){.port = -1, .gateway = routes->vacant};
  routes->vacant = slot + 1;
}

/* The slot of the route for this very prefix. */
static uint32_t exact(const struct routes *routes, const struct ip_prefix *prefix) {
  unsigned length;
  if (!routes->linear) {
    return mask_length(prefix->mask, &length) ? route_trie_exact(&routes->trie, load_be32(&prefix->address), length)
                                              : ROUTE_NONE;
  }
  for (uint32_t i = 0; i < routes->used; i++) {
    const struct route *r = &routes->slots[i];
    if (r->prefix.address == prefix->address && r->prefix.mask == prefix->mask && r->port >= 0) return i;
  }
  return ROUTE_NONE;
}

int routes_add(struct routes *routes, const struct route *route, bool replace, struct route *old) {
  unsigned length;
  if (!mask_length(route->prefix.mask, &length) && !routes->linear) return -ERROR_UNSUPPORTED;
  uint32_t slot = exact(routes, &route->prefix);
  *old = (struct route){.port = -1};
  if (slot != ROUTE_NONE) {
    *old = routes->slots[slot];
    if (!replace) return -ERROR_EXISTS;
    routes->slots[slot] = *route;
    return 0;
  }
  if (!take_slot(routes, &slot)) return -ERROR_NO_MEMORY;
  if (!routes->linear && !route_trie_add(&routes->trie, load_be32(&route->prefix.address), length, slot)) {
    give_slot(routes, slot);
    return -ERROR_NO_MEMORY;
  }
  routes->slots[slot] = *route;
  routes->count++;
  return 0;
}

int routes_remove(struct routes *routes, const struct route *route, struct route *old) {
  unsigned length;
  uint32_t slot = exact(routes, &route->prefix);
  if (slot == ROUTE_NONE) return -ERROR_NOT_FOUND;
  *old = routes->slots[slot];
  if (route->port >= 0 && (route->gateway != old->gateway || route->port != old->port)) return -ERROR_NOT_FOUND;
  (void)mask_length(route->prefix.mask, &length);
  if (!routes->linear && !route_trie_remove(&routes->trie, load_be32(&route->prefix.address), length))
    return -ERROR_NO_MEMORY;
  give_slot(routes, slot);
  routes->count--;
  return 0;
}

const struct route *routes_exact(const struct routes *routes, const struct ip_prefix *prefix) {
  uint32_t slot = exact(routes, prefix);
  return slot != ROUTE_NONE ? &routes->slots[slot] : NULL;
}

static const struct route *lookup_linear(const struct routes *routes, uint32_t address) {
  const struct route *found = NULL;
  for (const struct route *r = routes->slots, *end = r + routes->used; r < end; r++) {
    if ((address & r->prefix.mask) != r->prefix.address || r->port < 0) continue;
    if (found == NULL || (r->prefix.mask & found->prefix.mask) == found->prefix.mask) found = r;
  }
  return found;
}

const struct route *routes_lookup(const struct routes *routes, uint32_t address) {
  if (routes->linear) return routes->used > 0 ? lookup_linear(routes, address) : NULL;
  uint32_t slot = route_trie_lookup(&routes->trie, load_be32(&address));
  return slot != ROUTE_NONE ? &routes->slots[slot] : NULL;
}

static void lookup_abreast(const struct routes *routes, const uint32_t *addresses, const struct route **found,
                           uint32_t count) {
  uint32_t host[ROUTE_ABREAST], slots[ROUTE_ABREAST];
  for (uint32_t i = 0; i < count; i++)
    host[i] = load_be32(&addresses[i]);
  route_trie_lookup_abreast(&routes->trie, host, slots, count);
  for (uint32_t i = 0; i < count; i++) {
    found[i] = slots[i] != ROUTE_NONE ? &routes->slots[slots[i]] : NULL;
    __builtin_prefetch(found[i]);
  }
}

void routes_lookup_all(const struct routes *routes, const uint32_t *addresses, const struct route **found,
                       uint32_t count) {
  if (routes->linear) {
    for (uint32_t i = 0; i < count; i++)
      found[i] = routes_lookup(routes, addresses[i]);
    return;
  }
  for (uint32_t first = 0; first < count; first += ROUTE_ABREAST) {
    uint32_t part = count - first < ROUTE_ABREAST ? count - first : ROUTE_ABREAST;
    lookup_abreast(routes, addresses + first, found + first, part);
  }
}

void routes_text(struct text *out, const struct routes *routes) {
  for (uint32_t i = 0; i < routes->used; i++) {
    if (routes->slots[i].port < 0) continue;
    route_text(out, &routes->slots[i], true);
    text_add(out, "\n");
  }
}
