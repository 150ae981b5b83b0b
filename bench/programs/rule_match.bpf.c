/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A list of 1000 rules over addresses and ports, one after the other; only the last one matches.
 */
#include "kernel.h"
#include "rules.h"

/* Offsets in an Ethernet frame with IPv4 without options. */
enum { AT_SRC = 26, AT_DST = 30, AT_PORT = 36, BYTES = 38 };

MAP(rule_list, ARRAY, 1, __u32, struct rules);

KERNEL(rule_match) {
  const __u8 *data = (const __u8 *)(long)ctx->data, *end = (const __u8 *)(long)ctx->data_end;
  if (data + BYTES > end) return XDP_ABORTED;
  __u32 key = 0, src = *(const __u32 *)(data + AT_SRC), dst = *(const __u32 *)(data + AT_DST);
  __u16 port = (__u16)(data[AT_PORT] << 8 | data[AT_PORT + 1]);
  const struct rules *rules = LOOKUP(rule_list, &key);
  if (!rules) return XDP_ABORTED;
  for (unsigned i = 0; i < RULES; i++) {
    const struct rule *rule = &rules->rule[i];
    if ((src & rule->src_mask) == rule->src && (dst & rule->dst_mask) == rule->dst && port >= rule->port_low &&
        port <= rule->port_high) {
      return (int)i;
    }
  }
  return XDP_ABORTED;
}
