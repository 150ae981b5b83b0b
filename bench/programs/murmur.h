/* SPDX-License-Identifier: BSD-3-Clause
 *
 * MurmurHash3 (32 bits, x86 variant; Appleby, public domain), by words.
 */
#ifndef IMAGO_BENCH_MURMUR_H
#define IMAGO_BENCH_MURMUR_H

static inline __u32 rotate_left(__u32 x, unsigned by) { return x << by | x >> (32 - by); }

static inline __u32 murmur_word(__u32 hash, __u32 word) {
  hash ^= rotate_left(word * 0xcc9e2d51, 15) * 0x1b873593;
  return rotate_left(hash, 13) * 5 + 0xe6546b64;
}

static inline __u32 murmur_end(__u32 hash, __u32 bytes) {
  hash ^= bytes;
  hash = (hash ^ hash >> 16) * 0x85ebca6b;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35;
  return hash ^ hash >> 16;
}

#endif
