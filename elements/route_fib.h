/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bpf_fib_lookup against the table of a route lookup element: what Linux does with its main table (net/core/filter.c,
 * bpf_ipv4_fib_lookup), as far as such a table says it.
 */
#ifndef IMAGO_ELEMENTS_ROUTE_FIB_H
#define IMAGO_ELEMENTS_ROUTE_FIB_H

#include "bpf/environment.h"
#include "elements/routes.h"

/* What bpf_environment.fib_lookup is to return, for `routes`; environment->mtu is asked (NULL: every MTU is 1500). Output n of the table
 * is interface n; output 0, where tables lead what is for this host, gives BPF_FIB_NOT_FORWARDED. Differences from Linux, all because there
 * is less to know:
 * - Nobody's link address is known: without BPF_FIB_LOOKUP_SKIP_NEIGH a route gives BPF_FIB_NO_NEIGHBOUR, with all of the result but addresses,
 *   VLAN fields and MTU; the program passes the packet on, to what knows (ARPQuerier).
 * - Own addresses are not known: BPF_FIB_LOOKUP_SRC gives BPF_FIB_NO_SOURCE.
 * - There are no routes for IPv6: BPF_FIB_NOT_FORWARDED; and no kinds of routes but to a gateway or a network.
 * - The metric is 0; tos, ports and mark choose nothing. Tables are 254, which is this one, as is 0; others are empty.
 * Where the MTU of the interface that a route leads to is not known, it is neither checked nor told. */
int64_t route_fib_lookup(const struct routes *routes, const struct bpf_environment *environment,
                         struct bpf_fib_lookup *parameters, uint32_t flags);

#endif
