/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of route tables against a model: a plain array of prefixes, searched for the longest by comparing bit after bit, which shares
 * nothing with either kind of table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "elements/routes.h"
#include "lib/bytes.h"

enum { MODEL_MAX = 600 };

static uint64_t next_random(uint64_t *x) {
  *x ^= *x << 13;
  *x ^= *x >> 7;
  *x ^= *x << 17;
  return *x;
}

/* --- the model: host order --- */

struct model {
  uint32_t count;
  struct {
    uint32_t address;
    unsigned length;
    int32_t port;
  } prefix[MODEL_MAX];
};

static bool same_bits(uint32_t a, uint32_t b, unsigned length) {
  for (unsigned bit = 0; bit < length; bit++)
    if ((a >> (31 - bit) & 1) != (b >> (31 - bit) & 1)) return false;
  return true;
}

static uint32_t model_exact(const struct model *m, uint32_t address, unsigned length) {
  for (uint32_t i = 0; i < m->count; i++)
    if (m->prefix[i].length == length && same_bits(m->prefix[i].address, address, length)) return i;
  return MODEL_MAX;
}

static int32_t model_lookup(const struct model *m, uint32_t address) {
  int32_t port = -1;
  unsigned longest = 0;
  for (uint32_t i = 0; i < m->count; i++) {
    if (m->prefix[i].length < longest || !same_bits(m->prefix[i].address, address, m->prefix[i].length)) continue;
    longest = m->prefix[i].length;
    port = m->prefix[i].port;
  }
  return port;
}

/* --- the same for tables --- */

static struct route route_of(uint32_t address, unsigned length, int32_t port) {
  struct route route = {.port = port, .gateway = (uint32_t)port * 0x01010101};
  uint32_t mask = 0;
  for (unsigned bit = 0; bit < length; bit++)
    mask |= 1U << (31 - bit);
  store_be32(&route.prefix.mask, mask);
  store_be32(&route.prefix.address, address & mask);
  return route;
}

static int32_t table_lookup(const struct routes *routes, uint32_t address) {
  uint32_t network;
  store_be32(&network, address);
  const struct route *route = routes_lookup(routes, network);
  if (route == NULL) return -1;
  assert_int_equal(route->gateway, (uint32_t)route->port * 0x01010101);
  return route->port;
}

/* Both kinds agree with the model at this address and at those next to it. */
static void compare(const struct routes tables[2], const struct model *m, uint32_t address) {
  for (uint32_t at = address - 1; at != address + 2; at++) {
    int32_t expected = model_lookup(m, at);
    assert_int_equal(table_lookup(&tables[0], at), expected);
    assert_int_equal(table_lookup(&tables[1], at), expected);
  }
}

/* Addresses crowd: few bits vary, so that prefixes nest and meet. */
static uint32_t random_address(uint64_t *x, unsigned shape) {
  static const uint32_t spread[] = {UINT32_MAX, 0xff000000, 0x0a0f00ff, 0x0000000f, 0xf0f0f0f0, 0x80000001};
  return 0x0a000000 ^ ((uint32_t)next_random(x) & spread[shape % (sizeof spread / sizeof *spread)]);
}

/* So do lookups of many addresses at once, whatever their number. */
static void compare_together(const struct routes tables[2], const struct model *m, uint64_t *x, unsigned shape) {
  enum { MOST = 3 * ROUTE_ABREAST };
  uint32_t host[MOST], addresses[MOST], count = (uint32_t)(next_random(x) % (MOST + 1));
  const struct route *found[MOST];
  for (uint32_t i = 0; i < count; i++) {
    host[i] = random_address(x, shape);
    store_be32(&addresses[i], host[i]);
  }
  for (unsigned t = 0; t < 2; t++) {
    routes_lookup_all(&tables[t], addresses, found, count);
    for (uint32_t i = 0; i < count; i++)
      assert_int_equal(found[i] != NULL ? found[i]->port : -1, model_lookup(m, host[i]));
  }
}

/* First and last address of every prefix, and what lies beside it. */
static void compare_edges(const struct routes tables[2], const struct model *m) {
  for (uint32_t i = 0; i < m->count; i++) {
    uint32_t tail = m->prefix[i].length == 0 ? UINT32_MAX : (uint32_t)(((uint64_t)1 << (32 - m->prefix[i].length)) - 1);
    compare(tables, m, m->prefix[i].address & ~tail);
    compare(tables, m, m->prefix[i].address | tail);
  }
}

/* One random change of all three; what fails in one fails in the others, in the same way. */
static void change(struct routes tables[2], struct model *m, uint64_t *x, unsigned shape) {
  uint32_t address = random_address(x, shape);
  unsigned length = (unsigned)(next_random(x) % 33);
  int32_t port = (int32_t)(next_random(x) % 200);
  uint64_t what = next_random(x) % 8;
  if (what < 3 && m->count > 0) { /* one that is there, most of the time */
    uint32_t i = (uint32_t)(next_random(x) % m->count);
    address = m->prefix[i].address;
    length = m->prefix[i].length;
    if (what == 0) port = m->prefix[i].port;
  }
  uint32_t i = model_exact(m, address, length);
  struct route route = route_of(address, length, port), old[2];
  for (unsigned t = 0; t < 2; t++) {
    if (what < 3) {
      if (what == 1) route.port = -1;
      bool there = i < MODEL_MAX && (what == 1 || m->prefix[i].port == port);
      assert_int_equal(routes_remove(&tables[t], &route, &old[t]), there ? 0 : -ERROR_NOT_FOUND);
      if (there) assert_int_equal(old[t].port, m->prefix[i].port);
    } else {
      bool replace = what == 3;
      if (i == MODEL_MAX && m->count == MODEL_MAX) return;
      assert_int_equal(routes_add(&tables[t], &route, replace, &old[t]), i < MODEL_MAX && !replace ? -ERROR_EXISTS : 0);
      assert_int_equal(old[t].port, i < MODEL_MAX ? m->prefix[i].port : -1);
    }
  }
  if (what < 3) {
    if (i < MODEL_MAX && (what == 1 || m->prefix[i].port == port)) m->prefix[i] = m->prefix[--m->count];
  } else if (i == MODEL_MAX) {
    m->prefix[m->count].address = address;
    m->prefix[m->count].length = length;
    m->prefix[m->count++].port = port;
  } else if (what == 3) {
    m->prefix[i].port = port;
  }
  for (unsigned t = 0; t < 2; t++)
    assert_int_equal(tables[t].count, m->count);
  compare(tables, m, address);
}

/* Whatever is added, replaced and removed, both kinds of table find what the model finds. */
static void tables_agree_with_the_model(void **state) {
  static struct model m;
  for (unsigned shape = 0; shape < 12; shape++) {
    uint64_t x = 0x9e3779b97f4a7c15 + shape;
    struct routes tables[2];
    routes_init(&tables[0], true);
    routes_init(&tables[1], false);
    m.count = 0;
    compare(tables, &m, 0);
    compare_together(tables, &m, &x, shape);
    for (unsigned step = 0; step < 1200; step++) {
      change(tables, &m, &x, shape);
      compare(tables, &m, random_address(&x, shape));
      if (step % 16 == 15) compare_together(tables, &m, &x, shape);
      if (step % 400 == 399) compare_edges(tables, &m);
    }
    /* Emptied one by one, in any order. */
    while (m.count > 0) {
      uint32_t i = (uint32_t)(next_random(&x) % m.count);
      struct route route = route_of(m.prefix[i].address, m.prefix[i].length, -1), old;
      assert_int_equal(routes_remove(&tables[0], &route, &old), 0);
      assert_int_equal(routes_remove(&tables[1], &route, &old), 0);
      uint32_t address = m.prefix[i].address;
      m.prefix[i] = m.prefix[--m.count];
      compare(tables, &m, address);
    }
    routes_clear(&tables[0]);
    routes_clear(&tables[1]);
  }
}

/* Changes that are undone in reverse leave the table as it was, slot for slot, and need no new memory to do so (routes.h). */
static void undoing_needs_no_memory(void **state) {
  uint64_t x = 77;
  struct routes routes;
  routes_init(&routes, false);
  struct route old;
  for (unsigned i = 0; i < 3000; i++) {
    struct route route = route_of(random_address(&x, i), (unsigned)(next_random(&x) % 33), (int32_t)(i % 100));
    (void)!routes_add(&routes, &route, true, &old);
  }
  for (unsigned round = 0; round < 20; round++) {
    struct text before = {0}, after = {0};
    struct {
      struct route route;
      bool added;
    } done[200];
    unsigned count = 0;
    routes_text(&before, &routes);
    for (unsigned i = 0; i < 200; i++) {
      struct route route = route_of(random_address(&x, round), (unsigned)(next_random(&x) % 33), 1);
      uint32_t slot = (uint32_t)(next_random(&x) % routes.used);
      bool remove = i % 2 == 0 && routes.slots[slot].port >= 0;
      if (remove) route = routes.slots[slot];
      int status = remove ? routes_remove(&routes, &route, &old) : routes_add(&routes, &route, false, &old);
      if (status != 0) continue;
      done[count].route = route;
      done[count++].added = !remove;
    }
    const struct routes forth = routes;
    while (count > 0) {
      count--;
      assert_int_equal(done[count].added ? routes_remove(&routes, &done[count].route, &old)
                                         : routes_add(&routes, &done[count].route, false, &old),
                       0);
    }
    assert_int_equal(routes.used, forth.used);
    assert_int_equal(routes.trie.nodes.used, forth.trie.nodes.used);
    assert_int_equal(routes.trie.values.used, forth.trie.values.used);
    routes_text(&after, &routes);
    assert_string_equal(text_string(&after), text_string(&before));
    text_free(&before);
    text_free(&after);
  }
  routes_clear(&routes);
}

/* A table of many routes is what it should be, and memory that was given back is used again: coming and going does not make it grow. */
static void many_routes(void **state) {
  enum { ROUTES = 65536 };
  struct routes routes;
  routes_init(&routes, false);
  uint32_t nodes = 0, values = 0;
  for (unsigned round = 0; round < 3; round++) {
    struct route old;
    for (uint32_t i = 0; i < ROUTES; i++) {
      /* All /24 of 10/8, each half full: odd multiplication takes every number once. */
      uint32_t net = i * 40503 & (ROUTES - 1);
      struct route route = route_of(0x0a000000 | net << 8, 24 + net % 2, (int32_t)(net % 200));
      assert_int_equal(routes_add(&routes, &route, false, &old), 0);
    }
    assert_int_equal(routes.count, ROUTES);
    for (uint32_t net = 0; net < ROUTES; net++) {
      assert_int_equal(table_lookup(&routes, 0x0a000000 | net << 8), net % 200);
      assert_int_equal(table_lookup(&routes, 0x0a0000ff | net << 8), net % 2 ? -1 : (int32_t)(net % 200));
    }
    if (round == 1) {
      nodes = routes.trie.nodes.used;
      values = routes.trie.values.used;
    }
    for (uint32_t net = 0; net < ROUTES; net++) {
      struct route route = route_of(0x0a000000 | net << 8, 24 + net % 2, -1);
      assert_int_equal(routes_remove(&routes, &route, &old), 0);
    }
    assert_int_equal(routes.count, 0);
    assert_int_equal(table_lookup(&routes, 0x0a000000), -1);
  }
  assert_int_equal(routes.trie.nodes.used, nodes);
  assert_int_equal(routes.trie.values.used, values);
  routes_clear(&routes);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(tables_agree_with_the_model),
                                     cmocka_unit_test(undoing_needs_no_memory), cmocka_unit_test(many_routes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
