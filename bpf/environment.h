/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What helpers need of the system around the engine, as operations that the host of the engine fills (elements/, tools,
 * tests). Operations after `context` may be NULL: the helpers that want them then answer as stated there.
 */
#ifndef IMAGO_BPF_ENVIRONMENT_H
#define IMAGO_BPF_ENVIRONMENT_H

#include <stddef.h>
#include <stdint.h>

struct bpf_machine;
struct bpf_map;

/* Parameters and result of bpf_fib_lookup, in Linux's layout; addresses, ports and VLAN fields in network byte order. */
struct bpf_fib_lookup {
  uint8_t family; /* 2: IPv4, 10: IPv6 */
  uint8_t l4_protocol;
  uint16_t sport, dport;
  uint16_t tot_len;              /* in: length from the IP header on, 0: no check; out: MTU */
  uint32_t ifindex;              /* in: where the packet came in; out: where it is to leave */
  uint32_t tos;                  /* in: tos (first byte) or flow label; out: metric */
  uint32_t source[4];            /* IPv4: the first word */
  uint32_t destination[4];       /* in: destination; out: the gateway if there is one */
  uint16_t vlan_proto, vlan_tci; /* out */
  uint8_t smac[6], dmac[6];      /* out */
};

_Static_assert(sizeof(struct bpf_fib_lookup) == 64, "Linux's layout");

/* Linux's results of bpf_fib_lookup. */
enum bpf_fib_result {
  BPF_FIB_SUCCESS,
  BPF_FIB_BLACKHOLE,
  BPF_FIB_UNREACHABLE,
  BPF_FIB_PROHIBIT,
  BPF_FIB_NOT_FORWARDED, /* to this host, or no route */
  BPF_FIB_FORWARDING_DISABLED,
  BPF_FIB_UNSUPPORTED_ENCAPSULATION,
  BPF_FIB_NO_NEIGHBOUR,
  BPF_FIB_FRAGMENTATION_NEEDED,
  BPF_FIB_NO_SOURCE,
};

/* Called by the worker that runs the program, in the middle of a packet: none may block or allocate. */
struct bpf_environment {
  uint64_t (*ktime_ns)(void *context); /* monotonic nanoseconds */
  uint32_t (*random_u32)(void *context);
  void (*trace)(void *context, const char *text, size_t length); /* bpf_trace_printk; without '\n' added */
  void *context;

  uint64_t (*wall_ns)(void *context); /* since the epoch. NULL: bpf_ktime_get_tai_ns is ktime_ns */
  /* enum bpf_fib_result, or a negative BPF_E number. NULL: -BPF_EINVAL */
  int64_t (*fib_lookup)(void *context, struct bpf_fib_lookup *parameters, uint32_t flags);
  /* MTU of that interface (0: the one the packet came in by) in bytes behind the link-layer header, or -BPF_ENODEV.
   * NULL: 1500 */
  int64_t (*mtu)(void *context, uint32_t ifindex);
  /* bpf_clone_redirect: sends a copy of the packet as it is now. 0 or a negative BPF_E number. NULL: -BPF_EINVAL */
  int64_t (*clone_redirect)(void *context, const struct bpf_machine *m, uint32_t ifindex, uint64_t flags);
  /* There is something new to read in this ring buffer or perf event array. NULL: readers look by themselves */
  void (*wake_readers)(void *context, struct bpf_map *map);
  /* A timer of this map now is the next to expire, at `deadline` by ktime_ns; bpf_timers_run is due then. NULL: somebody
   * looks at bpf_timers_deadline regularly */
  void (*wake_timers)(void *context, struct bpf_map *map, uint64_t deadline);
};

#endif
