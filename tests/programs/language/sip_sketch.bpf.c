/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Half-open connections per source, counted in a count-min sketch whose rows each have a SipHash-2-4 (Aumasson, Bernstein 2012) of their own,
 * so that nobody who doesn't know the key can make others' counters grow. The hash is a global function on memory that it is lent; it is long,
 * and called from eight places.
 */
#include "headers.h"

enum { ROWS = 4, COLUMNS = 1024 };

const volatile __u64 key = 0x0706050403020100;
const volatile __u32 limit = 3; /* connections that one source may have half open */

struct row {
  __u32 counts[COLUMNS];
};

struct sip_input {
  __u64 key[2], words[2];
};

MAP(ARRAY, sketch, __u32, struct row, ROWS);

struct sip {
  __u64 v0, v1, v2, v3;
};

static __always_inline __u64 rotate(__u64 value, int by) { return value << by | value >> (64 - by); }

static __always_inline void sip_rounds(struct sip *s, int count) {
#pragma unroll
  for (int i = 0; i < count; i++) {
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
  }
}

static __always_inline void sip_word(struct sip *s, __u64 word) {
  s->v3 ^= word;
  sip_rounds(s, 2);
  s->v0 ^= word;
}

__noinline __u64 siphash(struct sip_input *in) {
  if (!in) return 0;
  struct sip s = {in->key[0] ^ 0x736f6d6570736575, in->key[1] ^ 0x646f72616e646f6d, in->key[0] ^ 0x6c7967656e657261,
                  in->key[1] ^ 0x7465646279746573};
  sip_word(&s, in->words[0]);
  sip_word(&s, in->words[1]);
  sip_word(&s, (__u64)sizeof in->words << 56);
  s.v2 ^= 0xff;
  sip_rounds(&s, 4);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* The source's counter in that row. */
static __always_inline __u32 *counter(__u32 row, const struct flow *flow) {
  struct sip_input in = {{key, row}, {flow->source, flow->destination}};
  struct row *counts = bpf_map_lookup_elem(&sketch, &row);
  return counts ? &counts->counts[siphash(&in) % COLUMNS] : 0;
}

SEC("xdp")
int sip_sketch(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow) || flow.protocol != IPPROTO_TCP) return XDP_PASS;
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp) return XDP_DROP;
  if (tcp->syn && !tcp->ack) {
    __u32 estimate = 0xffffffff;
#pragma unroll
    for (__u32 i = 0; i < ROWS; i++) {
      __u32 *count = counter(i, &flow);
      if (!count) return XDP_ABORTED;
      if (*count < estimate) estimate = *count;
      if (*count < limit) __sync_fetch_and_add(count, 1);
    }
    return estimate < limit ? XDP_PASS : XDP_DROP;
  }
  if (!tcp->ack || tcp->fin) return XDP_PASS;
    /* The handshake's end, or any packet behind it: one less is half open. */
#pragma unroll
  for (__u32 i = 0; i < ROWS; i++) {
    __u32 *count = counter(i, &flow);
    if (!count) return XDP_ABORTED;
    if (*count > 0) __sync_fetch_and_add(count, -1);
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
