/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every type of map under random operations against a plain model, and, where the bpf system call is permitted, against Linux's map
 * of the same definition: each operation must give the same number and the same bytes in all of them. What Linux leaves open (which
 * entry an LRU map evicts, which values a bloom filter takes for others) is tested by what must hold anyhow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/map_text.h"
#include "tests/unit/bpf/kernel.h"

enum { STEPS = 6000, KEY_MAX = 24, VALUE_MAX = 64, PROCESSORS_MAX = 64 };

static const struct hash_key seed = {3, 4};

static uint64_t next_random(uint64_t *x) {
  *x ^= *x << 13;
  *x ^= *x >> 7;
  *x ^= *x << 17;
  return *x * 0x2545f4914f6cdd1d;
}

static struct bpf_map *make(struct bpf_map_def def) {
  struct bpf_map *map = NULL;
  const char *why = "";
  if (bpf_map_create(&def, &seed, &map, &why) != 0) fail_msg("%s", why);
  return map;
}

/* --- maps with keys --- */

struct entry {
  bool present;
  uint8_t key[KEY_MAX];
  uint8_t value[VALUE_MAX * PROCESSORS_MAX];
};

struct model {
  struct bpf_map_def def;
  struct entry *entries;
  uint32_t room, count;
};

static struct entry *find(struct model *m, const void *key) {
  for (uint32_t i = 0; i < m->room; i++) {
    if (m->entries[i].present && memcmp(m->entries[i].key, key, m->def.key_size) == 0) return &m->entries[i];
  }
  return NULL;
}

static bool is_array(const struct model *m) {
  return m->def.type == BPF_MAP_TYPE_ARRAY || m->def.type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* The error numbers are those of htab_map_update_elem, array_map_update_elem and trie_update_elem. */
static long model_update(struct model *m, const void *key, const void *value, uint32_t size, uint64_t flags) {
  uint32_t number;
  memcpy(&number, key, sizeof number);
  if (flags > BPF_EXIST) return -BPF_EINVAL;
  if (m->def.type == BPF_MAP_TYPE_LPM_TRIE && number > (m->def.key_size - 4) * 8) return -BPF_EINVAL;
  if (is_array(m) && number >= m->def.max_entries) return -BPF_E2BIG;
  struct entry *entry = find(m, key);
  if (entry != NULL && flags == BPF_NOEXIST) return -BPF_EEXIST;
  if (entry == NULL && flags == BPF_EXIST) return -BPF_ENOENT;
  if (entry == NULL) {
    if (m->count == m->def.max_entries) return m->def.type == BPF_MAP_TYPE_LPM_TRIE ? -BPF_ENOSPC : -BPF_E2BIG;
    for (entry = m->entries; entry->present; entry++)
      continue;
    m->count++;
  }
  entry->present = true;
  memcpy(entry->key, key, m->def.key_size);
  memcpy(entry->value, value, size);
  return 0;
}

static long model_remove(struct model *m, const void *key) {
  uint32_t number;
  memcpy(&number, key, sizeof number);
  if (is_array(m)) return -BPF_EINVAL;
  if (m->def.type == BPF_MAP_TYPE_LPM_TRIE && number > (m->def.key_size - 4) * 8) return -BPF_EINVAL;
  struct entry *entry = find(m, key);
  if (entry == NULL) return -BPF_ENOENT;
  entry->present = false;
  m->count--;
  return 0;
}

static bool covers(const uint8_t *prefix, const uint8_t *key) {
  uint32_t bits, given;
  memcpy(&bits, prefix, 4);
  memcpy(&given, key, 4);
  if (bits > given) return false;
  for (uint32_t i = 0; i < bits; i++) {
    unsigned mask = 0x80u >> (i % 8);
    if ((prefix[4 + i / 8] ^ key[4 + i / 8]) & mask) return false;
  }
  return true;
}

static const struct entry *model_lookup(struct model *m, const void *key) {
  uint32_t longest = 0, bits;
  const struct entry *best = NULL;
  if (m->def.type != BPF_MAP_TYPE_LPM_TRIE) return find(m, key);
  for (uint32_t i = 0; i < m->room; i++) {
    const struct entry *entry = &m->entries[i];
    memcpy(&bits, entry->key, 4);
    if (!entry->present || !covers(entry->key, key) || (best != NULL && bits <= longest)) continue;
    best = entry;
    longest = bits;
  }
  return best;
}

/* Few keys, so that they meet again. Prefixes are canonical: bits behind the prefix are zero, or two keys would be one. */
static void random_key(const struct model *m, uint64_t *x, uint8_t *key) {
  memset(key, 0, KEY_MAX);
  if (m->def.type != BPF_MAP_TYPE_LPM_TRIE) {
    uint32_t number = (uint32_t)(next_random(x) % (m->def.max_entries * 3 / 2 + 2));
    memcpy(key, &number, m->def.key_size < 4 ? m->def.key_size : 4);
    if (m->def.key_size > 4) key[m->def.key_size - 1] = (uint8_t)(number * 7);
    return;
  }
  uint32_t bits = (uint32_t)(next_random(x) % ((m->def.key_size - 4) * 8 + 2));
  memcpy(key, &bits, 4);
  for (uint32_t i = 0; i < bits && i < (m->def.key_size - 4) * 8; i++) {
    /* Long common beginnings, and branches at every depth. */
    bool bit = next_random(x) % 8 == 0;
    if (bit) key[4 + i / 8] |= (uint8_t)(0x80u >> (i % 8));
  }
}

/* Looking up a prefix key of more bits than there are is the caller's mistake; Linux since 6.13 finds nothing. */
static bool is_lookup_key(const struct model *m, const uint8_t *key) {
  uint32_t bits;
  memcpy(&bits, key, 4);
  return m->def.type != BPF_MAP_TYPE_LPM_TRIE || bits <= (m->def.key_size - 4) * 8;
}

static void compare_contents(struct model *m, struct bpf_map *map) {
  uint8_t key[KEY_MAX], next[KEY_MAX];
  uint32_t visited = 0;
  for (long more = map->ops->next_key(map, NULL, key); more == 0; more = map->ops->next_key(map, key, next)) {
    if (visited != 0) memcpy(key, next, sizeof key);
    assert_true(is_array(m) || find(m, key) != NULL);
    visited++;
    assert_true(visited <= m->def.max_entries);
  }
  assert_int_equal(visited, is_array(m) ? m->def.max_entries : m->count);
  assert_int_equal(map->count, is_array(m) ? m->def.max_entries : m->count);
}

static void run_keyed(const struct bpf_map_def *def) {
  struct model m = {*def, NULL, def->max_entries, 0};
  struct bpf_map *map = make(*def);
  const uint32_t size = bpf_map_outside_size(map);
  int kernel = kernel_map_create(def->type, def->key_size, def->value_size, def->max_entries, def->flags);
  uint64_t x = 77777;
  m.entries = calloc(m.room, sizeof *m.entries);
  assert_non_null(m.entries);
  for (uint32_t i = 0; is_array(&m) && i < m.room; i++) {
    m.entries[i].present = true;
    memcpy(m.entries[i].key, &i, sizeof i);
    m.count++;
  }
  for (unsigned step = 0; step < STEPS; step++) {
    uint8_t key[KEY_MAX], value[VALUE_MAX * PROCESSORS_MAX] = {0}, seen[VALUE_MAX * PROCESSORS_MAX] = {0};
    uint8_t linux_seen[VALUE_MAX * PROCESSORS_MAX] = {0};
    long expected;
    random_key(&m, &x, key);
    for (uint32_t i = 0; i < size; i++) {
      /* What pads a processor's value is not compared: leave it zero. */
      uint32_t within = size == def->value_size ? i : i % (uint32_t)((def->value_size + 7) / 8 * 8);
      if (within < def->value_size) value[i] = (uint8_t)next_random(&x);
    }
    switch (next_random(&x) % 8) {
      case 0:
      case 1:
      case 2: {
        uint64_t flags = next_random(&x) % 8 == 0 ? 3 + next_random(&x) % 2 * 0x100000000 : next_random(&x) % 3;
        expected = model_update(&m, key, value, size, flags);
        assert_int_equal(bpf_map_set(map, key, value, flags), expected);
        if (kernel >= 0) assert_int_equal(kernel_map_update(kernel, key, value, flags), expected);
        break;
      }
      case 3:
        /* Seldom enough that the map gets full. */
        if (next_random(&x) % 2) break;
        expected = model_remove(&m, key);
        assert_int_equal(bpf_map_erase(map, key), expected);
        if (kernel >= 0) assert_int_equal(kernel_map_delete(kernel, key), expected);
        break;
      default: {
        if (!is_lookup_key(&m, key)) break;
        const struct entry *entry = model_lookup(&m, key);
        expected = entry != NULL ? 0 : -BPF_ENOENT;
        assert_int_equal(bpf_map_get(map, key, seen), expected);
        if (kernel >= 0) assert_int_equal(kernel_map_lookup(kernel, key, linux_seen), expected);
        if (entry == NULL) break;
        assert_memory_equal(seen, entry->value, size);
        if (kernel >= 0) assert_memory_equal(linux_seen, entry->value, size);
      }
    }
    if (step % 500 == 0) compare_contents(&m, map);
  }
  compare_contents(&m, map);
  kernel_map_close(kernel);
  free(m.entries);
  bpf_map_release(map);
}

/* Array, hash, per-CPU array and hash, with keys and values of many sizes, full and not: as the model, and as Linux. */
static void test_arrays_and_hashes(void **state) {
  const uint32_t processors = kernel_processors();
  static const struct {
    uint32_t type, key, value, entries, flags;
  } rows[] = {
      {BPF_MAP_TYPE_ARRAY, 4, 8, 20, 0},        {BPF_MAP_TYPE_ARRAY, 4, 13, 5, 0},
      {BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 20, 0}, {BPF_MAP_TYPE_PERCPU_ARRAY, 4, 3, 7, 0},
      {BPF_MAP_TYPE_HASH, 4, 8, 20, 0},         {BPF_MAP_TYPE_HASH, 8, 8, 30, 0},
      {BPF_MAP_TYPE_HASH, 16, 4, 33, 0},        {BPF_MAP_TYPE_HASH, 5, 1, 16, 0},
      {BPF_MAP_TYPE_HASH, 13, 64, 9, 0},        {BPF_MAP_TYPE_HASH, 24, 7, 40, BPF_F_NO_PREALLOC},
      {BPF_MAP_TYPE_HASH, 4, 8, 1, 0},          {BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 20, 0},
      {BPF_MAP_TYPE_PERCPU_HASH, 16, 12, 9, 0},
  };
  assert_in_range(processors, 1, PROCESSORS_MAX);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const struct bpf_map_def def = {.type = rows[i].type,
                                    .key_size = rows[i].key,
                                    .value_size = rows[i].value,
                                    .max_entries = rows[i].entries,
                                    .flags = rows[i].flags,
                                    .processors = processors};
    run_keyed(&def);
  }
}

/* The longest prefix wins; full, with equal, shorter, longer and forking prefixes, of 1 to 20 bytes: as brute force, and as Linux. */
static void test_trie(void **state) {
  static const uint32_t key_sizes[] = {5, 7, 8, 12, 16, 20, 24};
  static const uint32_t entries[] = {1, 2, 17, 60};
  for (size_t k = 0; k < sizeof key_sizes / sizeof key_sizes[0]; k++) {
    for (size_t e = 0; e < sizeof entries / sizeof entries[0]; e++) {
      const struct bpf_map_def def = {.type = BPF_MAP_TYPE_LPM_TRIE,
                                      .key_size = key_sizes[k],
                                      .value_size = 8,
                                      .max_entries = entries[e],
                                      .flags = BPF_F_NO_PREALLOC};
      run_keyed(&def);
    }
  }
}

/* --- maps without keys --- */

/* First in first out, or last in first out; BPF_EXIST makes room, an empty map gives zeros: as a plain list, and as Linux. */
static void test_queues(void **state) {
  static const uint32_t types[] = {BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK};
  static const uint32_t entries[] = {1, 2, 7, 32};
  for (unsigned n = 0; n < 8; n++) {
    const struct bpf_map_def def = {.type = types[n % 2], .value_size = 8, .max_entries = entries[n / 2]};
    struct bpf_map *map = make(def);
    int kernel = kernel_map_create(def.type, 0, 8, def.max_entries, 0);
    uint64_t list[STEPS], x = 99;
    uint32_t first = 0, end = 0; /* list[first..end), the oldest first */
    for (unsigned step = 0; step < STEPS; step++) {
      uint64_t value = next_random(&x), seen = 1, linux_seen = 1, flags = next_random(&x) % 4;
      const unsigned operation = (unsigned)(next_random(&x) % 4);
      if (operation < 2) {
        long expected = 0;
        if (flags == BPF_NOEXIST || flags > BPF_EXIST) {
          expected = -BPF_EINVAL;
        } else if (end - first == def.max_entries && flags != BPF_EXIST) {
          expected = -BPF_E2BIG;
        } else {
          first += end - first == def.max_entries;
          list[end++] = value;
        }
        assert_int_equal(map->ops->push(map, &value, flags), expected);
        if (kernel >= 0) assert_int_equal(kernel_map_update(kernel, NULL, &value, flags), expected);
        continue;
      }
      const bool pop = operation == 2, empty = first == end;
      const long expected = empty ? -BPF_ENOENT : 0;
      const uint64_t wanted = empty ? 0 : list[def.type == BPF_MAP_TYPE_QUEUE ? first : end - 1];
      if (pop && !empty) {
        first += def.type == BPF_MAP_TYPE_QUEUE;
        end -= def.type == BPF_MAP_TYPE_STACK;
      }
      assert_int_equal(pop ? map->ops->pop(map, &seen) : map->ops->peek(map, &seen), expected);
      assert_int_equal(seen, wanted);
      if (kernel < 0) continue;
      assert_int_equal(pop ? kernel_map_pop(kernel, &linux_seen) : kernel_map_lookup(kernel, NULL, &linux_seen),
                       expected);
      if (!empty) assert_int_equal(linux_seen, wanted);
    }
    kernel_map_close(kernel);
    bpf_map_release(map);
  }
}

/* What was pushed is always found; of what was not, few are (Linux's sizes give less than 1 in 20 with 5 functions). */
static void test_bloom(void **state) {
  for (uint32_t hashes = 0; hashes <= 15; hashes++) {
    struct bpf_map *map = make((struct bpf_map_def){
        .type = BPF_MAP_TYPE_BLOOM_FILTER, .value_size = 12, .max_entries = 1000, .extra = hashes});
    uint64_t value[2] = {0, 0};
    unsigned wrong = 0;
    assert_int_equal(map->ops->push(map, value, BPF_EXIST), -BPF_EINVAL);
    assert_int_equal(map->ops->push(map, value, BPF_NOEXIST), -BPF_EINVAL);
    for (value[0] = 0; value[0] < 1000; value[0]++) {
      assert_int_equal(map->ops->push(map, value, BPF_ANY), 0);
    }
    for (value[0] = 0; value[0] < 1000; value[0]++) {
      assert_int_equal(map->ops->peek(map, value), 0);
    }
    for (value[0] = 1000; value[0] < 11000; value[0]++) {
      long result = map->ops->peek(map, value);
      assert_true(result == 0 || result == -BPF_ENOENT);
      wrong += result == 0;
    }
    /* One function alone: half of the bits at most are set. */
    assert_true(wrong < (hashes == 1 ? 6000 : hashes == 2 ? 3500 : 2000));
    if (hashes == 0 || hashes == 5) assert_true(wrong < 500);
    assert_int_equal(map->ops->pop(map, value), -BPF_EOPNOTSUPP);
    bpf_map_release(map);
  }
}

/* An LRU map takes every new key, holds no more than it may, never gives a wrong value, and keeps what is used all the time. */
static void test_lru(void **state) {
  static const uint32_t types[] = {BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH};
  for (unsigned t = 0; t < 2; t++) {
    struct bpf_map *map = make(
        (struct bpf_map_def){.type = types[t], .key_size = 4, .value_size = 8, .max_entries = 64, .processors = 2});
    uint64_t x = 5;
    for (uint32_t step = 0; step < 20000; step++) {
      uint32_t key = 100 + (uint32_t)(next_random(&x) % 1000), hot = step % 8, found = 0;
      uint64_t value[2] = {key, key};
      for (uint32_t i = 0; i < 8; i++) {
        const uint64_t *seen = map->ops->lookup(map, &i);
        if (step >= 8) assert_non_null(seen);
        if (seen != NULL) assert_int_equal(*seen, i);
      }
      assert_int_equal(map->ops->update(map, &key, value, BPF_ANY, BPF_ALL_PROCESSORS), 0);
      if (step < 8) {
        value[0] = value[1] = hot;
        assert_int_equal(map->ops->update(map, &hot, value, BPF_NOEXIST, BPF_ALL_PROCESSORS), 0);
      }
      assert_int_equal(bpf_map_get(map, &key, value), 0); /* no use of it */
      assert_int_equal(value[0], key);
      if (step % 1000 != 0) continue;
      for (key = 0; key < 1100; key++) {
        long result = bpf_map_get(map, &key, value);
        found += result == 0;
        if (result == 0) assert_int_equal(value[0], key);
      }
      assert_int_equal(found, map->count);
      assert_true(found <= 64);
    }
    assert_int_equal(map->count, 64);
    const uint32_t gone = 50000;
    const uint64_t value[2] = {0};
    assert_int_equal(map->ops->update(map, &gone, value, BPF_EXIST, 0), -BPF_ENOENT);
    bpf_map_release(map);
  }
}

/* A million entries: all there, and the memory is as stated: 16 bytes of slot, key and value in 8s, 4 bytes a bucket. */
static void test_a_million(void **state) {
  const struct bpf_map_def def = {.type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 8, .max_entries = 1000000};
  struct bpf_map *map = make(def);
  assert_in_range(map->memory, 1000001 * 32 + 1048576 * 4, 1000001 * 32 + 1048576 * 4 + 4096);
  assert_int_equal(map->memory, bpf_map_memory(&def));
  for (uint64_t key = 0; key < 1000000; key++) {
    assert_int_equal(map->ops->update(map, &key, &key, BPF_NOEXIST, 0), 0);
  }
  for (uint64_t key = 0; key < 1000000; key++) {
    const uint64_t *value = map->ops->lookup(map, &key);
    if (value == NULL || *value != key) fail_msg("key %llu", (unsigned long long)key);
  }
  const uint64_t more = 1000000;
  assert_null(map->ops->lookup(map, &more));
  assert_int_equal(map->ops->update(map, &more, &more, BPF_ANY, 0), -BPF_E2BIG);
  bpf_map_release(map);
}

/* Where redirects take their targets from: dev_map_update_elem, dev_map_delete_elem, __dev_map_hash_update_elem and
 * cpu_map_update_elem of Linux. */
static void test_redirect_maps(void **state) {
  enum { DEV = BPF_MAP_TYPE_DEVMAP, HASH = BPF_MAP_TYPE_DEVMAP_HASH, CPU = BPF_MAP_TYPE_CPUMAP };
  enum { UPDATE, REMOVE, LOOKUP };
  static const struct {
    uint32_t type;
    int operation;
    uint32_t key, value[2];
    uint64_t flags;
    long expected; /* of a lookup: the target, 0: none */
  } steps[] = {
      {DEV, LOOKUP, 1, {0}, 0, 0},
      {DEV, UPDATE, 1, {7}, BPF_ANY, 0},
      {DEV, LOOKUP, 1, {0}, 0, 7},
      {DEV, UPDATE, 1, {8}, BPF_EXIST, 0},
      {DEV, UPDATE, 1, {8}, BPF_NOEXIST, -BPF_EEXIST},
      {DEV, UPDATE, 2, {8}, BPF_NOEXIST, -BPF_EEXIST}, /* every index exists */
      {DEV, UPDATE, 1, {8}, 3, -BPF_EINVAL},
      {DEV, UPDATE, 4, {8}, BPF_ANY, -BPF_E2BIG},
      {DEV, UPDATE, 2, {8, 1}, BPF_ANY, -BPF_EINVAL}, /* a program on the entry */
      {DEV, UPDATE, 1, {0}, BPF_ANY, 0},              /* interface 0 takes it out */
      {DEV, LOOKUP, 1, {0}, 0, 0},
      {DEV, REMOVE, 1, {0}, 0, 0},
      {DEV, REMOVE, 4, {0}, 0, -BPF_EINVAL},
      {DEV, LOOKUP, 4, {0}, 0, 0},
      {HASH, UPDATE, 1000, {7}, BPF_NOEXIST, 0},
      {HASH, UPDATE, 1000, {7}, BPF_NOEXIST, -BPF_EEXIST},
      {HASH, UPDATE, 2000, {9}, BPF_EXIST, 0}, /* not looked at */
      {HASH, UPDATE, 3000, {0}, BPF_ANY, -BPF_EINVAL},
      {HASH, UPDATE, 3000, {1, 5}, BPF_ANY, -BPF_EINVAL},
      {HASH, LOOKUP, 1000, {0}, 0, 7},
      {HASH, LOOKUP, 3000, {0}, 0, 0},
      {HASH, REMOVE, 1000, {0}, 0, 0},
      {HASH, REMOVE, 1000, {0}, 0, -BPF_ENOENT},
      {CPU, UPDATE, 1, {192}, BPF_ANY, 0},
      {CPU, LOOKUP, 1, {0}, 0, 192},
      {CPU, UPDATE, 1, {16385}, BPF_ANY, -BPF_EOVERFLOW},
      {CPU, UPDATE, 3, {16}, BPF_ANY, -BPF_ENODEV}, /* there are two */
      {CPU, UPDATE, 4, {16}, BPF_ANY, -BPF_E2BIG},
      {CPU, UPDATE, 1, {16}, BPF_NOEXIST, -BPF_EEXIST},
      {CPU, REMOVE, 1, {0}, 0, 0},
      {CPU, LOOKUP, 1, {0}, 0, 0},
  };
  struct bpf_map *map = NULL;
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    if (map == NULL || map->def.type != steps[i].type) {
      bpf_map_release(map);
      map = make((struct bpf_map_def){
          .type = steps[i].type, .key_size = 4, .value_size = 8, .max_entries = 4, .processors = 2});
    }
    long result;
    if (steps[i].operation == UPDATE) {
      result = map->ops->update(map, &steps[i].key, steps[i].value, steps[i].flags, 0);
    } else if (steps[i].operation == REMOVE) {
      result = map->ops->remove(map, &steps[i].key);
    } else {
      const uint32_t *target = map->ops->lookup(map, &steps[i].key);
      result = target != NULL ? (long)*target : 0;
    }
    if (result != steps[i].expected) fail_msg("step %zu: %ld, expected %ld", i, result, steps[i].expected);
  }
  bpf_map_release(map);
}

/* Inner maps must be of the declared shape (bpf_map_meta_equal of Linux: arrays of one capacity, unless BPF_F_INNER_MAP); what was
 * there before comes back to the caller, and what is left goes with the outer map. */
static void test_maps_of_maps(void **state) {
  static const uint32_t types[] = {BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS};
  static const struct {
    struct bpf_map_shape declared, given;
    bool fits;
  } rows[] = {
      {{BPF_MAP_TYPE_HASH, 4, 8, 16, 0}, {BPF_MAP_TYPE_HASH, 4, 8, 99, 0}, true},
      {{BPF_MAP_TYPE_HASH, 4, 8, 16, 0}, {BPF_MAP_TYPE_HASH, 8, 8, 16, 0}, false},
      {{BPF_MAP_TYPE_HASH, 4, 8, 16, 0}, {BPF_MAP_TYPE_HASH, 4, 16, 16, 0}, false},
      {{BPF_MAP_TYPE_HASH, 4, 8, 16, 0}, {BPF_MAP_TYPE_LRU_HASH, 4, 8, 16, 0}, false},
      {{BPF_MAP_TYPE_HASH, 4, 8, 16, 0}, {BPF_MAP_TYPE_HASH, 4, 8, 16, BPF_F_NO_PREALLOC}, false},
      {{BPF_MAP_TYPE_ARRAY, 4, 8, 16, 0}, {BPF_MAP_TYPE_ARRAY, 4, 8, 16, 0}, true},
      {{BPF_MAP_TYPE_ARRAY, 4, 8, 16, 0}, {BPF_MAP_TYPE_ARRAY, 4, 8, 17, 0}, false},
      {{BPF_MAP_TYPE_ARRAY, 4, 8, 16, BPF_F_INNER_MAP}, {BPF_MAP_TYPE_ARRAY, 4, 8, 17, BPF_F_INNER_MAP}, true},
  };
  const uint32_t key = 2, beyond = 4;
  for (unsigned t = 0; t < 2; t++) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
      struct bpf_map *outer = make((struct bpf_map_def){
          .type = types[t], .key_size = 4, .value_size = 4, .max_entries = 4, .inner = rows[i].declared});
      const struct bpf_map_shape s = rows[i].given;
      struct bpf_map *inner = make((struct bpf_map_def){.type = s.type,
                                                        .key_size = s.key_size,
                                                        .value_size = s.value_size,
                                                        .max_entries = s.max_entries,
                                                        .flags = s.flags});
      struct bpf_map *old = inner;
      assert_null(bpf_map_inner(outer, &key));
      long result = bpf_map_put_map(outer, &key, inner, BPF_ANY, &old);
      assert_int_equal(result, rows[i].fits ? 0 : -BPF_EINVAL);
      assert_null(old);
      if (!rows[i].fits) {
        bpf_map_release(inner);
      } else {
        assert_ptr_equal(bpf_map_inner(outer, &key), inner);
        assert_int_equal(bpf_map_put_map(outer, &key, NULL, BPF_ANY, &old), 0);
        assert_ptr_equal(old, inner);
        assert_null(bpf_map_inner(outer, &key));
        assert_int_equal(bpf_map_put_map(outer, &key, NULL, BPF_ANY, &old), -BPF_ENOENT);
        if (t == 0) assert_int_equal(bpf_map_put_map(outer, &beyond, inner, BPF_ANY, &old), -BPF_E2BIG);
        assert_int_equal(bpf_map_put_map(outer, &key, inner, BPF_ANY, &old), 0);
      }
      bpf_map_release(outer);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_arrays_and_hashes),
      cmocka_unit_test(test_trie),
      cmocka_unit_test(test_queues),
      cmocka_unit_test(test_bloom),
      cmocka_unit_test(test_lru),
      cmocka_unit_test(test_a_million),
      cmocka_unit_test(test_redirect_maps),
      cmocka_unit_test(test_maps_of_maps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
