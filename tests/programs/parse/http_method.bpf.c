/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Classifies plain HTTP requests by method, comparing the start of the payload with a table of words in read-only data, and measures
 * the length of the request's target (RFC 9112, section 3).
 *
 * Linux refuses it: the compiler turns the index into a pointer that moves through the table, whose bound it loses.
 */
#include "headers.h"

enum { METHODS = 6, WORD_MOST = 8, TARGET_MOST = 128 };

struct method {
  char word[WORD_MOST];
  __u32 length, verdict;
};

static const struct method methods[METHODS] = {{"GET ", 4, XDP_PASS},   {"PUT ", 4, XDP_PASS},
                                               {"HEAD ", 5, XDP_PASS},  {"POST ", 5, XDP_PASS},
                                               {"TRACE ", 6, XDP_DROP}, {"CONNECT ", 8, XDP_DROP}};

struct totals {
  __u64 requests, target_bytes;
};

MAP(PERCPU_ARRAY, totals, __u32, struct totals, METHODS);

static __always_inline _Bool starts_with(struct cursor c, const struct method *method) {
  for (__u32 i = 0; i < WORD_MOST; i++) {
    if (i >= method->length) return 1;
    char *letter = TAKE(&c, char);
    if (!letter || *letter != method->word[i]) return 0;
  }
  return 1;
}

SEC("xdp")
int http_method(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_TCP) return XDP_PASS;
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp || tcp->dest != bpf_htons(80) || tcp->doff < 5) return XDP_PASS;
  if (!take_bytes(&c, tcp->doff * 4u - sizeof *tcp)) return XDP_PASS;
  for (__u32 i = 0; i < METHODS; i++) {
    if (!starts_with(c, &methods[i])) continue;
    struct totals *total = bpf_map_lookup_elem(&totals, &i);
    if (!total) return XDP_ABORTED;
    total->requests++;
    if (!take_bytes(&c, methods[i].length % 16)) return XDP_PASS;
    for (__u32 n = 0; n < TARGET_MOST; n++) {
      char *letter = TAKE(&c, char);
      if (!letter || *letter == ' ') break;
      total->target_bytes++;
    }
    return (int)methods[i].verdict;
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
