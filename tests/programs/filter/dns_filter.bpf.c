/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Drops DNS questions for blocked names and everything below them (RFC 1035, section 4.1): the name and each of its suffixes is looked
 * up, in lower case, by its hash (FNV-1a, 64 bits).
 *
 * Linux refuses it: compiled for versions 1 and 2, where it takes the sum of label lengths, a 32-bit number kept in 64 bits by shifts, for
 * negative at times.
 */
#include "headers.h"

enum { NAME_MAX = 64, LABELS_MAX = 8, DNS_HEADER = 12, DNS_PORT = 53 };

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __u64);   /* hash of the name */
  __type(value, __u64); /* questions dropped */
} blocked SEC(".maps");

struct name {
  __u8 bytes[NAME_MAX]; /* as in the packet: length, label, length, label ... 0 */
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct name);
} scratch SEC(".maps");

static __always_inline __u8 lower(__u8 c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; }

/* Hash of the name that starts at `from`: lengths, letters and the 0 at the end. A global function, which verifiers judge once. */
__noinline __u64 hash_from(const struct name *name, __u32 from) {
  __u64 hash = 0xcbf29ce484222325;
  if (!name) return 0;
  for (__u32 i = 0; i < NAME_MAX; i++) {
    if (i < from) continue;
    hash = (hash ^ name->bytes[i]) * 0x100000001b3;
    if (name->bytes[i] == 0) break;
  }
  return hash;
}

SEC("xdp")
int dns_filter(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct ethhdr *eth = TAKE(&c, struct ethhdr);
  if (!eth || eth->h_proto != bpf_htons(ETH_P_IP)) return XDP_PASS;
  struct iphdr *ip = take_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(IP_OFFSET_MASK))) return XDP_PASS;
  struct udphdr *udp = TAKE(&c, struct udphdr);
  if (!udp || udp->dest != bpf_htons(DNS_PORT) || !take_bytes(&c, DNS_HEADER)) return XDP_PASS;

  __u32 zero = 0;
  struct name *name = bpf_map_lookup_elem(&scratch, &zero);
  if (!name) return XDP_ABORTED;
  __u32 ended = 0;
  for (__u32 i = 0; i < NAME_MAX; i++) {
    __u8 *byte = c.at + i;
    if ((void *)(byte + 1) > c.end) break;
    name->bytes[i] = lower(*byte); /* lengths are below 'A' */
    ended = i;
  }
  name->bytes[NAME_MAX - 1] = 0;

  __u32 at = 0;
  for (__u32 label = 0; label < LABELS_MAX; label++) {
    if (at >= ended || at >= NAME_MAX) break;
    __u8 length = name->bytes[at];
    if (length == 0 || length > 63) break;
    __u64 hash = hash_from(name, at);
    __u64 *drops = bpf_map_lookup_elem(&blocked, &hash);
    if (drops) {
      __sync_fetch_and_add(drops, 1);
      return XDP_DROP;
    }
    at += length + 1u;
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
