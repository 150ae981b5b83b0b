/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Watches DHCP (RFC 2131, options of RFC 2132): replies may only come in through trusted ports, and an acknowledged lease becomes an
 * entry of the table that binds a hardware address to its IPv4 address until the lease ends.
 *
 * Linux refuses it: each trip of the loop forks its states by the kind of option, and it walks over a million instructions.
 */
#include "headers.h"

enum { SERVER_PORT = 67, CLIENT_PORT = 68, OPTIONS_MOST = 32, COOKIE = 0x63825363, BOOT_REPLY = 2, ACKNOWLEDGED = 5 };
enum { OPTION_PAD = 0, OPTION_LEASE = 51, OPTION_TYPE = 53, OPTION_END = 255 };

struct dhcp {
  __u8 operation, hardware, hardware_length, hops;
  __be32 id;
  __be16 seconds, flags;
  __be32 client, yours, server, relay;
  __u8 address[16], name[64], file[128];
  __be32 cookie;
} __attribute__((packed));

struct hardware {
  __u8 bytes[8];
};

struct lease {
  __be32 address;
  __u32 zero;
  __u64 until;
};

const volatile __u32 trusted_port = 1;

MAP(HASH, leases, struct hardware, struct lease, 4096);

SEC("xdp")
int dhcp_snooping(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct udphdr *udp = open_udp(&c);
  if (!udp || udp->source != bpf_htons(SERVER_PORT) || udp->dest != bpf_htons(CLIENT_PORT)) return XDP_PASS;
  struct dhcp *dhcp = TAKE(&c, struct dhcp);
  if (!dhcp || dhcp->operation != BOOT_REPLY || dhcp->cookie != bpf_htonl(COOKIE)) return XDP_DROP;
  if (ctx->ingress_ifindex != trusted_port) return XDP_DROP;
  __u32 seconds = 0, type = 0;
  for (int i = 0; i < OPTIONS_MOST; i++) {
    __u8 *code = TAKE(&c, __u8);
    if (!code || *code == OPTION_END) break;
    if (*code == OPTION_PAD) continue;
    __u8 *length = TAKE(&c, __u8);
    if (!length) return XDP_DROP;
    __u8 *data = take_bytes(&c, *length);
    if (!data) return XDP_DROP;
    if (*code == OPTION_TYPE && *length == 1 && (void *)(data + 1) <= c.end) type = *data;
    if (*code == OPTION_LEASE && *length == 4 && (void *)(data + 4) <= c.end) seconds = bpf_ntohl(*(__be32 *)data);
  }
  if (type != ACKNOWLEDGED || seconds == 0) return XDP_PASS;
  struct hardware hardware = {0};
  __builtin_memcpy(hardware.bytes, dhcp->address, ETH_ALEN);
  struct lease lease = {dhcp->yours, 0, bpf_ktime_get_ns() + seconds * 1000000000ull};
  bpf_map_update_elem(&leases, &hardware, &lease, BPF_ANY);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
