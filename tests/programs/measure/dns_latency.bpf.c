/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Matches DNS answers with their questions and keeps, for each server, how long it takes and which response codes it gives.
 */
#include "headers.h"

enum { DNS_PORT = 53, CODES = 16, BUCKETS = 24 };

struct dns_header {
  __be16 id, flags, counts[4];
};

struct asked {
  __be32 client, server;
  __be16 port, id;
};

struct server {
  __u64 codes[CODES], latency[BUCKETS];
};

MAP(LRU_HASH, open_questions, struct asked, __u64, 8192);
MAP(HASH, servers, __be32, struct server, 256);

SEC("xdp")
int dns_latency(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow) || flow.protocol != IPPROTO_UDP || !TAKE(&c, struct udphdr)) return XDP_PASS;
  struct dns_header *dns = TAKE(&c, struct dns_header);
  if (!dns) return XDP_PASS;
  __u16 flags = bpf_ntohs(dns->flags);
  __u64 now = bpf_ktime_get_ns();
  if (flow.destination_port == bpf_htons(DNS_PORT) && !(flags & 0x8000)) {
    struct asked key = {flow.source, flow.destination, flow.source_port, dns->id};
    bpf_map_update_elem(&open_questions, &key, &now, BPF_ANY);
    return XDP_PASS;
  }
  if (flow.source_port != bpf_htons(DNS_PORT) || !(flags & 0x8000)) return XDP_PASS;
  struct asked key = {flow.destination, flow.source, flow.destination_port, dns->id};
  __u64 *then = bpf_map_lookup_elem(&open_questions, &key);
  struct server *server = bpf_map_lookup_elem(&servers, &flow.source);
  if (!then || !server) return XDP_PASS;
  __u64 micros = (now - *then) / 1000;
  __u32 bucket = 0;
  for (; bucket < BUCKETS - 1; bucket++)
    if (micros < 1ull << bucket) break;
  server->latency[bucket]++;
  server->codes[flags % CODES]++;
  bpf_map_delete_elem(&open_questions, &key);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
