/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The program the firewall starts with: lets everything through, and counts it.
 */
#include "counters.h"

SEC("xdp")
int pass(struct xdp_md *ctx) { return count(XDP_PASS); }

char _license[] SEC("license") = "BSD";
