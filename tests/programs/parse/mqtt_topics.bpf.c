/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Counts MQTT messages (version 3.1.1) by the first level of their topic. The length in front is a number of one to four bytes, seven
 * bits each; the topic is a string with its length before it.
 */
#include "headers.h"

enum { MQTT_PORT = 1883, PUBLISH = 3, LENGTH_BYTES = 4, TOPIC_MOST = 32 };

struct topic {
  char name[TOPIC_MOST];
};

MAP(LRU_HASH, messages, struct topic, __u64, 1024);

SEC("xdp")
int mqtt_topics(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_TCP) return XDP_PASS;
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp || tcp->dest != bpf_htons(MQTT_PORT) || tcp->doff < 5) return XDP_PASS;
  if (!take_bytes(&c, tcp->doff * 4u - sizeof *tcp)) return XDP_PASS;
  __u8 *kind = TAKE(&c, __u8);
  if (!kind || *kind >> 4 != PUBLISH) return XDP_PASS;
  __u32 remaining = 0;
  for (int i = 0; i < LENGTH_BYTES; i++) {
    __u8 *digit = TAKE(&c, __u8);
    if (!digit) return XDP_PASS;
    remaining |= (*digit & 0x7fu) << (7 * i);
    if (!(*digit & 0x80)) break;
  }
  __be16 *length = TAKE(&c, __be16);
  if (!length || bpf_ntohs(*length) + 2u > remaining) return XDP_DROP;
  struct topic topic = {0};
  for (__u32 i = 0; i < TOPIC_MOST - 1 && i < bpf_ntohs(*length); i++) {
    char *letter = TAKE(&c, char);
    if (!letter || *letter == '/') break;
    topic.name[i] = *letter;
  }
  __u64 one = 1, *count = bpf_map_lookup_elem(&messages, &topic);
  if (count)
    __sync_fetch_and_add(count, 1);
  else
    bpf_map_update_elem(&messages, &topic, &one, BPF_NOEXIST);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
