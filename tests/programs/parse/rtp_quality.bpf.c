/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Measures the quality of RTP streams (RFC 3550): packets lost by gaps of the sequence number, which wraps at 16 bits, and interarrival
 * jitter as its appendix A.8 computes it, in integers.
 */
#include "headers.h"

struct rtp {
  __u8 flags, payload;
  __be16 sequence;
  __be32 timestamp, source;
};

struct stream {
  __u32 transit, jitter; /* in 1/16 of timestamp units */
  __u16 sequence, zero;
  __u32 received, lost, late;
};

const volatile __u32 clock_khz = 8;
const volatile __u16 port_low = 16384, port_high = 32767;

MAP(LRU_HASH, streams, __be32, struct stream, 1024);

SEC("xdp")
int rtp_quality(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct udphdr *udp = open_udp(&c);
  if (!udp || bpf_ntohs(udp->dest) < port_low || bpf_ntohs(udp->dest) > port_high) return XDP_PASS;
  struct rtp *rtp = TAKE(&c, struct rtp);
  if (!rtp || rtp->flags >> 6 != 2) return XDP_PASS;
  __u32 arrival = (__u32)(bpf_ktime_get_ns() / 1000000 * clock_khz);
  __u32 transit = arrival - bpf_ntohl(rtp->timestamp);
  __be32 source = rtp->source;
  struct stream *stream = bpf_map_lookup_elem(&streams, &source);
  if (!stream) {
    struct stream fresh = {.transit = transit, .sequence = bpf_ntohs(rtp->sequence), .received = 1};
    bpf_map_update_elem(&streams, &source, &fresh, BPF_NOEXIST);
    return XDP_PASS;
  }
  __s16 step = (__s16)(bpf_ntohs(rtp->sequence) - stream->sequence);
  if (step <= 0) {
    stream->late++;
    return XDP_PASS;
  }
  stream->lost += (__u32)(step - 1);
  stream->received++;
  stream->sequence = bpf_ntohs(rtp->sequence);
  __s32 change = (__s32)(transit - stream->transit);
  stream->transit = transit;
  stream->jitter += (__u32)(change < 0 ? -change : change) - ((stream->jitter + 8) >> 4);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
