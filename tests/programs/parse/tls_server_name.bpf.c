/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Finds the server name of a TLS ClientHello (RFC 8446, section 4.1.2; RFC 6066, section 3) in its first segment and drops connections to names
 * on a list. Fields of variable length follow each other: session id, cipher suites, compression methods, extensions.
 *
 * Linux refuses it: compiled with -O1 it walks over a million instructions.
 */
#include "headers.h"

enum {
  TLS_PORT = 443,
  HANDSHAKE = 22,
  CLIENT_HELLO = 1,
  EXTENSIONS_MOST = 20,
  SERVER_NAME = 0,
  NAME_MOST = 48,
  FIELD_MOST = 2048
};

struct tls_start {
  __u8 content;
  __be16 record_version, record_length;
  __u8 handshake, length[3];
  __be16 version;
  __u8 random[32];
} __attribute__((packed));

struct extension {
  __be16 kind, length;
};

struct server_name {
  __be16 list_length;
  __u8 kind;
  __be16 length;
} __attribute__((packed));

MAP(HASH, blocked, __u64, __u64, 4096); /* by hash of the name: connections dropped */

static __always_inline _Bool skip_bytes(struct cursor *c) {
  __u8 *length = TAKE(c, __u8);
  return length && take_bytes(c, *length);
}

static __always_inline _Bool skip_words(struct cursor *c) {
  __be16 *length = TAKE(c, __be16);
  return length && bpf_ntohs(*length) <= FIELD_MOST && take_bytes(c, bpf_ntohs(*length));
}

static __always_inline __u64 hash_name(struct cursor *c) {
  struct server_name *name = TAKE(c, struct server_name);
  if (!name || name->kind != 0) return 0;
  __u64 hash = 0xcbf29ce484222325;
  for (__u32 i = 0; i < NAME_MOST && i < bpf_ntohs(name->length); i++) {
    __u8 *letter = TAKE(c, __u8);
    if (!letter) return 0;
    hash = (hash ^ *letter) * 0x100000001b3;
  }
  return hash;
}

SEC("xdp")
int tls_server_name(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip || ip->protocol != IPPROTO_TCP || (ip->frag_off & bpf_htons(IP_OFFSET_MASK))) return XDP_PASS;
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp || tcp->dest != bpf_htons(TLS_PORT) || tcp->doff < 5) return XDP_PASS;
  if (!take_bytes(&c, tcp->doff * 4u - sizeof *tcp)) return XDP_PASS;
  struct tls_start *tls = TAKE(&c, struct tls_start);
  if (!tls || tls->content != HANDSHAKE || tls->handshake != CLIENT_HELLO) return XDP_PASS;
  if (!skip_bytes(&c) || !skip_words(&c) || !skip_bytes(&c) || !TAKE(&c, __be16)) return XDP_PASS;
  for (int i = 0; i < EXTENSIONS_MOST; i++) {
    struct extension *extension = TAKE(&c, struct extension);
    if (!extension) return XDP_PASS;
    if (extension->kind == bpf_htons(SERVER_NAME)) {
      __u64 hash = hash_name(&c), *count = bpf_map_lookup_elem(&blocked, &hash);
      if (!count) return XDP_PASS;
      __sync_fetch_and_add(count, 1);
      return XDP_DROP;
    }
    __u32 length = bpf_ntohs(extension->length);
    if (length > FIELD_MOST || !take_bytes(&c, length)) return XDP_PASS;
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
