/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of bpf_fib_lookup against route lookup elements. Results and fields are those of Linux: include/uapi/linux/bpf.h (struct
 * bpf_fib_lookup, BPF_FIB_LKUP_RET_*) and net/core/filter.c (bpf_ipv4_fib_lookup, bpf_fib_set_fwd_params).
 */
#include <string.h>

#include "bpf/map.h"
#include "elements/route_fib.h"
#include "elements/route_table.h"
#include "lib/bytes.h"
#include "tests/unit/elements/harness.h"

enum { DIRECT = 1, OUTPUT = 2, SKIP_NEIGHBOUR = 4, TABLE = 8, SOURCE = 16, MARK = 32 };

/* Interfaces 1 to 3 are there, the second with a small MTU. */
static int64_t mtu(void *context, uint32_t interface) {
  static const int64_t mtus[] = {[1] = 1500, [2] = 1280, [3] = 9000};
  return interface >= 1 && interface <= 3 ? mtus[interface] : -BPF_ENODEV;
}
static const struct bpf_environment with_mtu = {.mtu = mtu}, without_mtu = {0};

static uint32_t ip(const char *text) {
  uint32_t address;
  assert_int_equal(address_ip(NULL, slice_of(text), &address), 0);
  return address;
}

struct fib_row {
  uint32_t interface, flags;
  const char *destination;
  uint16_t length;
  uint32_t table;
  int64_t result;
  uint32_t leaves;     /* ifindex afterwards */
  const char *towards; /* destination afterwards */
  uint16_t tot_len;    /* afterwards */
};

/* On success vlan fields are 0 and tot_len is the MTU; a failure leaves behind what Linux had found out before it. Link addresses stay as
 * they were. */
static void results_and_fields(void **state) {
  static const struct fib_row rows[] = {
      {0, 0, "10.1.1.1", 0, 7, -BPF_ENODEV, 0, "10.1.1.1", 0},
      {4, SKIP_NEIGHBOUR, "10.1.1.1", 0, 7, -BPF_ENODEV, 4, "10.1.1.1", 0},
      {1, SKIP_NEIGHBOUR, "11.0.0.1", 100, 7, BPF_FIB_NOT_FORWARDED, 1, "11.0.0.1", 100},
      {1, SKIP_NEIGHBOUR, "10.1.1.1", 100, 7, BPF_FIB_SUCCESS, 2, "192.0.2.1", 1280},
      {3, SKIP_NEIGHBOUR, "10.2.1.1", 0, 7, BPF_FIB_SUCCESS, 1, "10.2.1.1", 1500},
      {1, SKIP_NEIGHBOUR | MARK | DIRECT, "10.1.1.1", 1280, 7, BPF_FIB_SUCCESS, 2, "192.0.2.1", 1280},
      {1, SKIP_NEIGHBOUR, "10.1.1.1", 1281, 7, BPF_FIB_FRAGMENTATION_NEEDED, 1, "10.1.1.1", 1280},
      {1, 0, "10.1.1.1", 100, 7, BPF_FIB_NO_NEIGHBOUR, 2, "192.0.2.1", 100},
      {1, 0, "10.1.1.1", 1281, 7, BPF_FIB_FRAGMENTATION_NEEDED, 1, "10.1.1.1", 1280},
      {1, SKIP_NEIGHBOUR | SOURCE, "10.1.1.1", 100, 7, BPF_FIB_NO_SOURCE, 2, "10.1.1.1", 100},
      {1, SKIP_NEIGHBOUR | DIRECT | TABLE, "10.2.1.1", 0, 254, BPF_FIB_SUCCESS, 1, "10.2.1.1", 1500},
      {1, SKIP_NEIGHBOUR | DIRECT | TABLE, "10.2.1.1", 0, 0, BPF_FIB_SUCCESS, 1, "10.2.1.1", 1500},
      {1, SKIP_NEIGHBOUR | DIRECT | TABLE, "10.2.1.1", 0, 255, BPF_FIB_NOT_FORWARDED, 1, "10.2.1.1", 0},
      {1, SKIP_NEIGHBOUR | TABLE, "10.2.1.1", 0, 255, BPF_FIB_SUCCESS, 1, "10.2.1.1", 1500},
      /* Only routes that leave by interface 2, or 1: the longest of those. */
      {2, SKIP_NEIGHBOUR | OUTPUT, "10.1.1.1", 0, 7, BPF_FIB_SUCCESS, 2, "192.0.2.1", 1280},
      {1, SKIP_NEIGHBOUR | OUTPUT, "10.1.1.1", 0, 7, BPF_FIB_SUCCESS, 1, "10.1.1.1", 1500},
      {2, SKIP_NEIGHBOUR | OUTPUT, "10.2.1.1", 0, 7, BPF_FIB_NOT_FORWARDED, 2, "10.2.1.1", 0},
      /* To this host. */
      {1, SKIP_NEIGHBOUR, "13.0.0.1", 100, 7, BPF_FIB_NOT_FORWARDED, 1, "13.0.0.1", 100},
      /* Nobody knows the MTU of interface 4. */
      {1, SKIP_NEIGHBOUR, "12.0.0.1", 65535, 7, BPF_FIB_SUCCESS, 4, "12.0.0.1", 65535},
  };
  static const char *const classes[] = {"LinearIPLookup", "RadixIPLookup"};
  for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
    const struct fib_row *row = &rows[i / 2];
    char config[256];
    format_text(
        config, sizeof config,
        "Idle -> e :: %s(10/8 1, 10.1/16 192.0.2.1 2, 12/8 4, 13/8 0) -> d :: Discard; e [1] -> d; e [2] -> d; e [3] -> d; "
        "e [4] -> d",
        classes[i % 2]);
    harness_start(config);
    const struct routes *routes = route_table_find(router_find(harness.router, "d"), "e");
    struct bpf_fib_lookup lookup = {.family = 2,
                                    .tot_len = row->length,
                                    .ifindex = row->interface,
                                    .tos = 16,
                                    .source = {ip("172.16.0.1")},
                                    .destination = {ip(row->destination)},
                                    .smac = "smacs",
                                    .dmac = "dmacs"};
    store_le32(&lookup.vlan_proto, row->table);
    if (route_fib_lookup(routes, &with_mtu, &lookup, row->flags) != row->result) fail_msg("result of row %zu", i / 2);
    assert_int_equal(lookup.ifindex, row->leaves);
    assert_int_equal(lookup.destination[0], ip(row->towards));
    assert_int_equal(lookup.tot_len, row->tot_len);
    assert_int_equal(lookup.source[0], ip("172.16.0.1"));
    bool asked = (row->flags & DIRECT) != 0 && (row->flags & TABLE) != 0;
    assert_int_equal(load_le32(&lookup.vlan_proto), row->result == BPF_FIB_SUCCESS || asked ? 0 : row->table);
    bool found =
        row->result == BPF_FIB_SUCCESS || row->result == BPF_FIB_NO_NEIGHBOUR || row->result == BPF_FIB_NO_SOURCE;
    assert_int_equal(lookup.tos, found ? 0 : 16); /* the metric */
    assert_memory_equal(lookup.smac, "smacs", 6);
    assert_memory_equal(lookup.dmac, "dmacs", 6);
    harness_stop();
  }
}

/* There are no routes for IPv6, and where no MTUs are told they are 1500. */
static void ip6_and_default_mtu(void **state) {
  harness_start("Idle -> e :: RadixIPLookup(0/0 1) -> Discard; e [1] -> Discard");
  const struct routes *routes = route_table_find(router_find(harness.router, "e"), "e");
  struct bpf_fib_lookup lookup = {.family = 10, .ifindex = 1};
  assert_int_equal(route_fib_lookup(routes, &without_mtu, &lookup, SKIP_NEIGHBOUR), BPF_FIB_NOT_FORWARDED);
  lookup.family = 2;
  assert_int_equal(route_fib_lookup(routes, &without_mtu, &lookup, SKIP_NEIGHBOUR), BPF_FIB_SUCCESS);
  assert_int_equal(lookup.tot_len, 1500);
  harness_stop();
}

/* Tables are found from the scope of the element that asks outwards; what is no route lookup element has none. A table that is found stays
 * the same while it changes. */
static void finding(void **state) {
  harness_start("t :: { input -> e :: RadixIPLookup(0/0 0) -> d :: Discard }; Idle -> t;"
                "Idle -> e :: LinearIPLookup(10/8 0) -> d :: Discard; Idle -> u :: LinearIPLookup -> Discard");
  const struct element *inside = router_find(harness.router, "t/d"), *outside = router_find(harness.router, "d");
  const struct routes *routes = route_table_find(inside, "e");
  assert_ptr_equal(routes, &((const struct route_table *)router_find(harness.router, "t/e"))->routes);
  assert_ptr_equal(route_table_find(outside, "e"),
                   &((const struct route_table *)router_find(harness.router, "e"))->routes);
  assert_non_null(route_table_find(inside, "u"));
  assert_null(route_table_find(inside, "d"));
  assert_null(route_table_find(inside, "nobody"));
  harness_expect_write("t/e.flush", "", 0);
  harness_expect_write("t/e.config", "11/8 1.2.3.4 0", 0);
  const struct route *route = routes_lookup(routes, ip("11.1.1.1"));
  assert_non_null(route);
  assert_int_equal(route->gateway, ip("1.2.3.4"));
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(results_and_fields), cmocka_unit_test(ip6_and_default_mtu),
                                     cmocka_unit_test(finding)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
