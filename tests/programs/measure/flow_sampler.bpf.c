/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Takes one packet in N as a sample into a ring buffer: its length, its flow, its first bytes. Programs that see few packets of a kind
 * still see every N-th of all.
 */
#include "headers.h"

enum { SNAP = 64, RING_SIZE = 65536 };

const volatile __u32 one_in = 3;

struct sample {
  __u64 number; /* of the packet */
  __be32 source, destination;
  __be16 source_port, destination_port;
  __u8 protocol, zero;
  __u16 length, captured;
  __u8 bytes[SNAP];
  __u8 pad[6];
};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, RING_SIZE);
} samples SEC(".maps");

__u64 seen = 0, lost = 0;

SEC("xdp")
int flow_sampler(struct xdp_md *ctx) {
  __u64 number = __sync_fetch_and_add(&seen, 1);
  if (number % one_in != 0) return XDP_PASS;
  struct cursor c = cursor_of(ctx);
  struct sample *sample = bpf_ringbuf_reserve(&samples, sizeof *sample, 0);
  if (!sample) {
    __sync_fetch_and_add(&lost, 1);
    return XDP_PASS;
  }
  __builtin_memset(sample, 0, sizeof *sample);
  sample->number = number;
  sample->length = (__u16)(c.end - c.at);
  for (__u32 i = 0; i < SNAP; i++) {
    __u8 *byte = c.at + i;
    if ((void *)(byte + 1) > c.end) break;
    sample->bytes[i] = *byte;
    sample->captured = (__u16)(i + 1);
  }
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth || eth->h_proto != bpf_htons(ETH_P_IP)) {
    bpf_ringbuf_submit(sample, 0);
    return XDP_PASS;
  }
  struct iphdr *ip = take_ipv4(&c);
  if (!ip) { /* not worth a look */
    bpf_ringbuf_discard(sample, 0);
    return XDP_PASS;
  }
  sample->source = ip->saddr;
  sample->destination = ip->daddr;
  sample->protocol = ip->protocol;
  struct udphdr *ports = ip->protocol == IPPROTO_UDP || ip->protocol == IPPROTO_TCP ? TAKE(&c, struct udphdr) : 0;
  if (ports) {
    sample->source_port = ports->source;
    sample->destination_port = ports->dest;
  }
  bpf_ringbuf_submit(sample, 0);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
