/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The contexts that programs see, as Linux lays them out (include/uapi/linux/bpf.h), and the kinds of program that have them.
 */
#ifndef IMAGO_BPF_CONTEXT_H
#define IMAGO_BPF_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Which context a program has, and which helpers. */
enum bpf_program_kind { BPF_PROGRAM_XDP, BPF_PROGRAM_TC };

/* Linux's verdicts of SEC("xdp") and SEC("tc"). */
enum xdp_action { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT };
enum tc_action {
  TC_ACT_UNSPEC = -1,
  TC_ACT_OK = 0,
  TC_ACT_SHOT = 2,
  TC_ACT_STOLEN = 4,
  TC_ACT_REDIRECT = 7,
  TC_ACT_TRAP = 8
};

/* The context of SEC("xdp"). Addresses are real, below 2 GiB. */
struct xdp_md {
  uint32_t data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};

/* The context of SEC("tc"): Linux's struct __sk_buff. Fields of sockets and of segmentation are there for the layout only. */
struct bpf_skb {
  uint32_t len;
  uint32_t pkt_type; /* 0: to this host, 1: broadcast, 2: multicast, 3: to another host, 4: going out */
  uint32_t mark;
  uint32_t queue_mapping;
  uint32_t protocol; /* Ethernet type, in network byte order */
  uint32_t vlan_present;
  uint32_t vlan_tci;   /* host byte order */
  uint32_t vlan_proto; /* network byte order */
  uint32_t priority;
  uint32_t ingress_ifindex;
  uint32_t ifindex;
  uint32_t tc_index;
  uint32_t cb[5];
  uint32_t hash;
  uint32_t tc_classid;
  uint32_t data;
  uint32_t data_end;
  uint32_t napi_id;
  uint32_t socket[13]; /* family, addresses and ports */
  uint32_t data_meta;
  uint64_t flow_keys;
  uint64_t tstamp; /* nanoseconds */
  uint32_t wire_len;
  uint32_t gso_segs;
  uint64_t sk;
  uint32_t gso_size;
  uint8_t tstamp_type;
  uint8_t zero[3];
  uint64_t hwtstamp;
};

_Static_assert(sizeof(struct bpf_skb) == 192 && __builtin_offsetof(struct bpf_skb, data_meta) == 140, "Linux's layout");

/* Whether a program may load, or store, `size` (1, 2, 4, 8) bytes at this offset of its context. */
bool bpf_context_allows(enum bpf_program_kind kind, uint64_t offset, uint64_t size, bool write);

#endif
