/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Counts distinct sources with HyperLogLog (Flajolet et al. 2007): 1024 registers in global data, each with the longest run of zeros that
 * a hash of its share began with. The estimate is made by who reads them.
 */
#include "headers.h"

enum { REGISTER_BITS = 10, REGISTERS = 1 << REGISTER_BITS };

__u8 registers[REGISTERS] = {0};

static __always_inline __u32 leading_zeros(__u32 value) {
  __u32 zeros = 0;
  if (value == 0) return 32;
  for (__u32 half = 16; half > 0; half /= 2) {
    if (value >> (32 - half)) continue;
    value <<= half;
    zeros += half;
  }
  return zeros;
}

SEC("xdp")
int hyperloglog(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct iphdr *ip = open_ipv4(&c);
  if (!ip) return XDP_PASS;
  __u32 hash = mix(ip->saddr), index = hash % REGISTERS;
  __u32 rank = leading_zeros(hash & ~(__u32)(REGISTERS - 1)) + 1;
  if (rank > 32 - REGISTER_BITS + 1) rank = 32 - REGISTER_BITS + 1;
  if (registers[index] < rank) registers[index] = (__u8)rank;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
