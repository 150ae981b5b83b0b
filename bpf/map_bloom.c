/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPF_MAP_TYPE_BLOOM_FILTER (Linux: kernel/bpf/bloom_filter.c): a set that knows for sure what is not in it. max_entries and the
 * number of hash functions (def.extra) give the number of bits; nothing is ever taken out.
 */
#include "bpf/map_type.h"
#include "lib/hash.h"

enum { DEFAULT_HASHES = 5, MAX_BITS = 1 << 30 };

static uint32_t hashes_of(const struct bpf_map_def *def) { return def->extra == 0 ? DEFAULT_HASHES : def->extra; }

/* Linux's choice: entries x hashes / ln 2, rounded up to a power of two. */
static uint32_t bits_of(const struct bpf_map_def *def) {
  uint64_t wanted = (uint64_t)def->max_entries * hashes_of(def) * 7 / 5;
  uint32_t bits = 64;
  while (bits < wanted && bits < MAX_BITS) {
    bits *= 2;
  }
  return bits;
}

/* Where the i-th function of a value is: two hashes, stepping from the one by the other (Kirsch, Mitzenmacher 2006). */
struct positions {
  uint64_t first, step;
};

static struct positions hash_value(const struct bpf_map *map, const void *value) {
  uint64_t hash = hash_bytes(&map->hash_key, value, map->def.value_size);
  return (struct positions){hash & 0xffffffff, hash >> 32 | 1};
}

static uint64_t *word_of(const struct bpf_map *map, struct positions at, uint32_t i, uint64_t *bit) {
  uint32_t position = (uint32_t)(at.first + i * at.step) & (bits_of(&map->def) - 1);
  *bit = (uint64_t)1 << (position % 64);
  return (uint64_t *)(void *)map->slots + position / 64;
}

static long bloom_push(struct bpf_map *map, const void *value, uint64_t flags) {
  if (flags != BPF_ANY) return -BPF_EINVAL;
  const struct positions at = hash_value(map, value);
  for (uint32_t i = 0; i < hashes_of(&map->def); i++) {
    uint64_t bit, *word = word_of(map, at, i, &bit);
    __atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
  }
  return 0;
}

static long bloom_peek(struct bpf_map *map, void *value) {
  const struct positions at = hash_value(map, value);
  for (uint32_t i = 0; i < hashes_of(&map->def); i++) {
    uint64_t bit, *word = word_of(map, at, i, &bit);
    if (!(__atomic_load_n(word, __ATOMIC_RELAXED) & bit)) return -BPF_ENOENT;
  }
  return 0;
}

static struct bpf_map_layout bloom_layout(const struct bpf_map_def *def) {
  return (struct bpf_map_layout){.stride = 8, .slot_count = bits_of(def) / 64, .hidden = true};
}

static const char *judge_bloom(const struct bpf_map_def *def) {
  return def->extra > 15 ? "bloom filter with more than 15 hash functions" : NULL;
}

const struct bpf_map_kind bpf_map_bloom = {
    .ops = {bpf_map_no_lookup, bpf_map_no_update, bpf_map_no_remove, bpf_map_no_next_key, bloom_push, bpf_map_no_pop,
            bloom_peek},
    .flags = BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | BPF_ONE_WAY_FLAGS,
    .value_size_min = 1,
    .value_size_max = BPF_MAP_MAX_VALUE,
    .judge = judge_bloom,
    .layout = bloom_layout,
};
