/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From struct bpf_fib_lookup to a route and back; see route_fib.h. The order of the steps, which decides what a failed lookup leaves
 * behind, is Linux's.
 */
#include "elements/route_fib.h"

#include "bpf/map.h"
#include "lib/bytes.h"

/* Linux: include/uapi/linux/bpf.h, rtnetlink.h. */
enum { FIB_DIRECT = 1, FIB_OUTPUT = 2, FIB_SKIP_NEIGHBOUR = 4, FIB_TABLE = 8, FIB_SOURCE = 16 };
enum { FAMILY_IPV4 = 2, TABLE_MAIN = 254, DEFAULT_MTU = 1500 };

_Static_assert(offsetof(struct bpf_fib_lookup, vlan_tci) == offsetof(struct bpf_fib_lookup, vlan_proto) + 2,
               "the number of a table stands in place of both");

static uint32_t interface_of(const struct route *route) { return (uint32_t)route->port; }

static int64_t mtu_of(const struct bpf_environment *environment, uint32_t interface) {
  return environment->mtu != NULL ? environment->mtu(environment->context, interface) : DEFAULT_MTU;
}

/* The route with the longest mask, without holes, that holds the address and leads to this interface. */
static const struct route *lookup_towards(const struct routes *routes, uint32_t address, uint32_t interface) {
  for (unsigned length = 33; length-- > 0;) {
    struct ip_prefix prefix;
    store_be32(&prefix.mask, length == 0 ? 0 : UINT32_MAX << (32 - length));
    prefix.address = address & prefix.mask;
    const struct route *route = routes_exact(routes, &prefix);
    if (route != NULL && interface_of(route) == interface) return route;
  }
  return NULL;
}

/* Whether the table that is asked for is this one. */
static bool is_this_table(struct bpf_fib_lookup *parameters, uint32_t flags) {
  if ((flags & (FIB_DIRECT | FIB_TABLE)) != (FIB_DIRECT | FIB_TABLE)) return true;
  uint32_t table = load_le32(&parameters->vlan_proto);
  parameters->vlan_proto = parameters->vlan_tci = 0;
  return table == 0 || table == TABLE_MAIN;
}

int64_t route_fib_lookup(const struct routes *routes, const struct bpf_environment *environment,
                         struct bpf_fib_lookup *parameters, uint32_t flags) {
  if (parameters->ifindex == 0) return -BPF_ENODEV;
  int64_t mtu = mtu_of(environment, parameters->ifindex);
  if (mtu < 0) return mtu;
  if (!is_this_table(parameters, flags) || parameters->family != FAMILY_IPV4) return BPF_FIB_NOT_FORWARDED;
  uint32_t destination = parameters->destination[0];
  const struct route *route = (flags & FIB_OUTPUT) != 0 ? lookup_towards(routes, destination, parameters->ifindex)
                                                        : routes_lookup(routes, destination);
  if (route == NULL || interface_of(route) == 0) return BPF_FIB_NOT_FORWARDED;
  mtu = mtu_of(environment, interface_of(route));
  if (mtu > 0 && parameters->tot_len > mtu) {
    parameters->tot_len = (uint16_t)mtu;
    return BPF_FIB_FRAGMENTATION_NEEDED;
  }
  parameters->tos = 0;
  parameters->ifindex = interface_of(route);
  if ((flags & FIB_SOURCE) != 0) return BPF_FIB_NO_SOURCE;
  if (route->gateway != 0) parameters->destination[0] = route->gateway;
  if ((flags & FIB_SKIP_NEIGHBOUR) == 0) return BPF_FIB_NO_NEIGHBOUR;
  parameters->vlan_proto = parameters->vlan_tci = 0;
  if (mtu > 0) parameters->tot_len = (uint16_t)mtu;
  return BPF_FIB_SUCCESS;
}
