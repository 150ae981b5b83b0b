/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reads past the end of packets shorter than 100 bytes: no check against data_end. What a careless author signs.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int faulty(struct xdp_md *ctx) {
  volatile unsigned char *data = (void *)(long)ctx->data;
  return data[99] == 0xff ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "BSD";
