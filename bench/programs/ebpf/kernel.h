/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the kernels of bench/bpf are written against, as eBPF. native/kernel.h is the same for plain C. Maps are named, not pointed to,
 * so that plain C finds them at compile time as the linker does here.
 */
#ifndef IMAGO_BENCH_KERNEL_H
#define IMAGO_BENCH_KERNEL_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define KERNEL(name) SEC("xdp") int name(struct xdp_md *ctx)

enum { FLAGS_ARRAY = 0, FLAGS_HASH = 0, FLAGS_LPM_TRIE = BPF_F_NO_PREALLOC /* Linux wants it */ };

#define MAP(name, kind, entries, key_type, value_type) \
  struct {                                             \
    __uint(type, BPF_MAP_TYPE_##kind);                 \
    __uint(map_flags, FLAGS_##kind);                   \
    __uint(max_entries, entries);                      \
    __type(key, key_type);                             \
    __type(value, value_type);                         \
  } name SEC(".maps")
#define LOOKUP(name, key) bpf_map_lookup_elem(&(name), key)

/* Programs that tail call each other, by index. */
#define CHAIN(name, entries, ...)          \
  struct {                                 \
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
    __uint(max_entries, entries);          \
    __uint(key_size, sizeof(__u32));       \
    __array(values, int(void *));          \
  } name SEC(".maps") = {.values = {__VA_ARGS__}}
#define LINK(function) (void *)&function
#define TAIL_CALL(ctx, name, index) bpf_tail_call(ctx, &(name), index)

char _license[] SEC("license") = "Dual BSD/GPL";

#endif
