/* SPDX-License-Identifier: BSD-3-Clause
 *
 * LinearIPLookup and RadixIPLookup send packets where the route for their destination leads: the first looks at one route after the
 * other, the second goes down a trie.
 */
#include "elements/route_table.h"

static void linear_defaults(struct element *e) { routes_init(&((struct route_table *)e)->routes, true); }

static const struct element_class linear_class = {
    .name = "LinearIPLookup",
    .purpose = "sends packets by a simple IP routing table",
    .ports = "1/-",
    .processing = "h/h",
    .size = sizeof(struct route_table),
    .handlers = route_table_handlers,
    .drops = route_table_drops,
    .takes_rest = true,
    .example =
        "... -> rt :: LinearIPLookup(18.26.4.24/32 0, 18.26.4.255/32 0, 18.26.4.0/32 0, 18.26.4/24 1, 0/0 18.26.4.1 1); "
        "rt [0] -> Discard; rt [1] -> Queue -> ToDevice(eth0);",
    .manual =
        "Each argument is a route, ADDR/MASK [GW] OUT. The packet's destination annotation (which CheckIPHeader sets) is looked up; of the routes whose ADDR/MASK holds it the one with the longest mask is taken. If that has "
        "a gateway GW the annotation becomes GW. The packet goes to output OUT; without a route it is dropped and counted under "
        "no_route, and the log tells of the first five.\n"
        "Every route is looked at, for each packet and each change: for more than a few dozen routes take RadixIPLookup. Masks may "
        "have holes.",
    .defaults = linear_defaults,
    .configure = route_table_configure,
    .cleanup = route_table_cleanup,
    .take_state = route_table_take_state,
    .reconfigure = route_table_reconfigure,
    .fib_lookup = route_table_fib_lookup,
    .push = route_table_push,
};
ELEMENT(LinearIPLookup, linear_class);

static void radix_defaults(struct element *e) { routes_init(&((struct route_table *)e)->routes, false); }

static const struct element_class radix_class = {
    .name = "RadixIPLookup",
    .purpose = "sends packets by an IP routing table kept as a trie",
    .ports = "1/-",
    .processing = "h/h",
    .size = sizeof(struct route_table),
    .handlers = route_table_handlers,
    .drops = route_table_drops,
    .takes_rest = true,
    .example = "... -> rt :: RadixIPLookup(10.0.0.0/8 0, 0/0 192.0.2.1 1); "
               "rt [0] -> Queue -> ToDevice(eth0); rt [1] -> Queue -> ToDevice(eth1);",
    .manual =
        "Arguments and handlers are those of LinearIPLookup. A lookup takes at most eight steps, however many routes there are. Masks "
        "have no holes.",
    .defaults = radix_defaults,
    .configure = route_table_configure,
    .cleanup = route_table_cleanup,
    .take_state = route_table_take_state,
    .reconfigure = route_table_reconfigure,
    .fib_lookup = route_table_fib_lookup,
    .push = route_table_push,
};
ELEMENT(RadixIPLookup, radix_class);
