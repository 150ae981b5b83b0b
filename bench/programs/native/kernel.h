/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the kernels of bench/bpf are written against, as plain C. Arrays are C's, looked up in line. Other maps are the engine's own,
 * called as C calls a library: what is compared with is code, not another table. bench/bpf.c finds by their names kernels, NAME_put for
 * filling the array NAME, and NAME_function and NAME_map, which it sets.
 */
#ifndef IMAGO_BENCH_KERNEL_H
#define IMAGO_BENCH_KERNEL_H

#include <stddef.h>

#include <linux/bpf.h>

#define KERNEL(name) int name(struct xdp_md *ctx)

#define MAP(name, kind, entries, key_type, value_type) MAP_##kind(name, entries, key_type, value_type)
#define LOOKUP(name, key) name##_lookup(key)

#define MAP_ARRAY(name, entries, key_type, value_type)           \
  static value_type name##_values[entries];                      \
  static inline value_type *name##_lookup(const key_type *key) { \
    return *key < (entries) ? &name##_values[*key] : NULL;       \
  }                                                              \
  void name##_put(const key_type *key, const value_type *value) { name##_values[*key] = *value; }

struct bpf_map;
#define MAP_CALLED(name, key_type, value_type)                     \
  void *(*name##_function)(struct bpf_map * map, const void *key); \
  struct bpf_map *name##_map;                                      \
  static inline value_type *name##_lookup(const key_type *key) { return name##_function(name##_map, key); }
#define MAP_HASH(name, entries, key_type, value_type) MAP_CALLED(name, key_type, value_type)
#define MAP_LPM_TRIE(name, entries, key_type, value_type) MAP_CALLED(name, key_type, value_type)

/* Not constant: programs may be exchanged while others run. */
#define CHAIN(name, entries, ...) int (*name[entries])(struct xdp_md *) = {__VA_ARGS__}
#define LINK(function) function
#define TAIL_CALL(ctx, name, index) \
  if ((name)[index]) return (name)[index](ctx)

#endif
