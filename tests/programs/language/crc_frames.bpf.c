/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checks a CRC-32 (ISO 3309) that a sensor protocol puts behind its payload, by a table of sixteen entries in read-only data: two lookups
 * for each byte of a payload of variable length.
 *
 * Linux refuses it: compiled with -O1 it walks over a million instructions.
 */
#include "headers.h"

enum { SENSOR_PORT = 7777, PAYLOAD_MOST = 256 };

static const __u32 table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

struct sensor {
  __be32 id;
  __be16 length, zero;
};

MAP(HASH, errors, __be32, __u64, 256);

SEC("xdp")
int crc_frames(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct udphdr *udp = open_udp(&c);
  if (!udp || udp->dest != bpf_htons(SENSOR_PORT)) return XDP_PASS;
  struct sensor *sensor = TAKE(&c, struct sensor);
  if (!sensor) return XDP_DROP;
  __u32 length = bpf_ntohs(sensor->length), crc = 0xffffffff;
  if (length > PAYLOAD_MOST) return XDP_DROP;
  for (__u32 i = 0; i < PAYLOAD_MOST && i < length; i++) {
    barrier_var(i); /* or the compiler counts in pointers */
    __u8 *byte = TAKE(&c, __u8);
    if (!byte) return XDP_DROP;
    crc ^= *byte;
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  __le32 *check = TAKE(&c, __le32);
  if (check && *check == ~crc) return XDP_PASS;
  __be32 id = sensor->id;
  __u64 *count = bpf_map_lookup_elem(&errors, &id);
  if (count) __sync_fetch_and_add(count, 1);
  return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
