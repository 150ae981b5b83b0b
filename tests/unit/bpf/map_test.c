/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Maps: which definitions are accepted, agreement with a plain model under random operations, iteration, and several threads
 * at once.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/map.h"
#include "lib/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct hash_key seed = {5, 6};

static struct bpf_map *make(uint32_t type, uint32_t key, uint32_t value, uint32_t entries) {
  const struct bpf_map_def def = {
      .name = "m", .type = type, .key_size = key, .value_size = value, .max_entries = entries};
  struct bpf_map *map = NULL;
  assert_int_equal(bpf_map_create(&def, &seed, &map, NULL), 0);
  assert_int_equal(map->memory, bpf_map_memory(&def));
  return map;
}

static uint64_t next_random(uint64_t *x) {
  *x ^= *x << 13;
  *x ^= *x >> 7;
  *x ^= *x << 17;
  return *x;
}

/* Definitions are judged as Linux does (the *_map_alloc_check of each type), with the limits of map.h; a refusal says why and leaves
 * *map alone. */
static void test_definitions(void **state) {
  enum { A = BPF_MAP_TYPE_ARRAY, H = BPF_MAP_TYPE_HASH, PA = BPF_MAP_TYPE_PERCPU_ARRAY, PH = BPF_MAP_TYPE_PERCPU_HASH };
  enum { LRU = BPF_MAP_TYPE_LRU_HASH, LPM = BPF_MAP_TYPE_LPM_TRIE, Q = BPF_MAP_TYPE_QUEUE, S = BPF_MAP_TYPE_STACK };
  enum { RING = BPF_MAP_TYPE_RINGBUF, BLOOM = BPF_MAP_TYPE_BLOOM_FILTER, PERF = BPF_MAP_TYPE_PERF_EVENT_ARRAY };
  enum { DEV = BPF_MAP_TYPE_DEVMAP, DEVH = BPF_MAP_TYPE_DEVMAP_HASH, CPU = BPF_MAP_TYPE_CPUMAP };
  enum { PROG = BPF_MAP_TYPE_PROG_ARRAY, AOM = BPF_MAP_TYPE_ARRAY_OF_MAPS, HOM = BPF_MAP_TYPE_HASH_OF_MAPS };
  static const struct {
    uint32_t type, key, value, entries, flags;
    int error;
  } rows[] = {
      {A, 4, 1, 1, 0, 0},
      {A, 4, 65536, 1, 0, 0},
      {A, 4, 8, 1, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG, 0}, /* as libbpf makes .rodata */
      {H, 1, 1, 1, 0, 0},
      {H, 512, 65536, 1, BPF_F_NO_PREALLOC, 0},
      {H, 4, 8, 1, BPF_F_WRONLY_PROG, 0},
      {PA, 4, 8, 3, 0, 0},
      {PH, 4, 8, 3, BPF_F_NO_PREALLOC, 0},
      {LRU, 4, 8, 3, BPF_F_NO_COMMON_LRU, 0},
      {BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 3, 0, 0},
      {LPM, 8, 8, 3, BPF_F_NO_PREALLOC, 0},
      {LPM, 260, 8, 3, BPF_F_NO_PREALLOC, 0},
      {Q, 0, 4, 3, 0, 0},
      {S, 0, 4, 3, 0, 0},
      {RING, 0, 0, 4096, 0, 0},
      {BLOOM, 0, 4, 3, 0, 0},
      {PERF, 4, 4, 0, 0, 0},
      {PERF, 4, 4, 8, 0, 0},
      {DEV, 4, 4, 8, 0, 0},
      {DEV, 4, 8, 8, 0, 0},
      {DEVH, 4, 4, 8, 0, 0},
      {CPU, 4, 4, 8, 0, 0},
      {PROG, 4, 4, 8, 0, 0},
      {0, 4, 8, 1, 0, -ERROR_UNSUPPORTED},
      {7, 4, 8, 1, 0, -ERROR_UNSUPPORTED},
      {17, 4, 4, 1, 0, -ERROR_UNSUPPORTED}, /* xskmap */
      {24, 4, 8, 0, 1, -ERROR_UNSUPPORTED}, /* sk_storage */
      {34, 4, 8, 1, 0, -ERROR_UNSUPPORTED},
      {0xffffffff, 4, 8, 1, 0, -ERROR_UNSUPPORTED},
      {A, 8, 8, 1, 0, -ERROR_INVALID},
      {A, 0, 8, 1, 0, -ERROR_INVALID},
      {A, 4, 0, 1, 0, -ERROR_INVALID},
      {A, 4, 8, 0, 0, -ERROR_INVALID},
      {H, 0, 8, 1, 0, -ERROR_INVALID},
      {H, 4, 0, 1, 0, -ERROR_INVALID},
      {H, 4, 8, 0, 0, -ERROR_INVALID},
      {H, 513, 8, 1, 0, -ERROR_TOO_BIG},
      {H, 4, 65537, 1, 0, -ERROR_TOO_BIG},
      {H, 4, 8, 16777217, 0, -ERROR_TOO_BIG},
      {A, 4, 0xffffffff, 0xffffffff, 0, -ERROR_TOO_BIG},
      {A, 4, 8, 1, BPF_F_NO_PREALLOC, -ERROR_UNSUPPORTED},
      {H, 4, 8, 1, 2, -ERROR_UNSUPPORTED},
      {H, 4, 8, 1, 0x80000000, -ERROR_UNSUPPORTED},
      {H, 4, 8, 1, BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG, -ERROR_INVALID},
      {H, 4, 8, 1, BPF_F_RDONLY | BPF_F_WRONLY, -ERROR_INVALID},
      {PA, 4, 32769, 1, 0, -ERROR_INVALID},
      {PH, 4, 32769, 1, 0, -ERROR_INVALID},
      {LRU, 4, 8, 3, BPF_F_NO_PREALLOC, -ERROR_INVALID},
      {LPM, 8, 8, 3, 0, -ERROR_INVALID},
      {LPM, 4, 8, 3, BPF_F_NO_PREALLOC, -ERROR_INVALID},
      {LPM, 261, 8, 3, BPF_F_NO_PREALLOC, -ERROR_INVALID},
      {Q, 4, 4, 3, 0, -ERROR_INVALID},
      {Q, 0, 0, 3, 0, -ERROR_INVALID},
      {S, 0, 4, 0, 0, -ERROR_INVALID},
      {RING, 0, 0, 2048, 0, -ERROR_INVALID},
      {RING, 0, 0, 5000, 0, -ERROR_INVALID},
      {RING, 4, 0, 4096, 0, -ERROR_INVALID},
      {RING, 0, 4, 4096, 0, -ERROR_INVALID},
      {RING, 0, 0, 1u << 27, 0, -ERROR_TOO_BIG},
      {BLOOM, 4, 4, 3, 0, -ERROR_INVALID},
      {DEV, 4, 5, 8, 0, -ERROR_INVALID},
      {DEVH, 4, 12, 8, 0, -ERROR_INVALID},
      {CPU, 8, 4, 8, 0, -ERROR_INVALID},
      {PROG, 4, 8, 8, 0, -ERROR_INVALID},
      {AOM, 4, 4, 8, 0, -ERROR_INVALID}, /* without an inner map */
      {HOM, 4, 4, 8, 0, -ERROR_INVALID},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    const struct bpf_map_def def = {"m", rows[i].type, rows[i].key, rows[i].value, rows[i].entries, rows[i].flags};
    struct bpf_map *map = NULL;
    const char *why = "left over";
    int error = bpf_map_create(&def, &seed, &map, &why);
    if (error != rows[i].error) fail_msg("row %zu: %d, expected %d", i, error, rows[i].error);
    assert_true((bpf_map_memory(&def) != 0) == (rows[i].error == 0));
    assert_true((map != NULL) == (rows[i].error == 0));
    assert_true((why == NULL) == (rows[i].error == 0));
    bpf_map_release(map);
  }
  struct bpf_map_def def = {"m", H, 4, 8, 1, 0};
  memset(def.name, 'n', sizeof def.name);
  struct bpf_map *map = NULL;
  assert_int_equal(bpf_map_create(&def, &seed, &map, NULL), -ERROR_INVALID);
  /* What the row form has no room for. */
  static const struct {
    struct bpf_map_def def;
    int error;
  } more[] = {
      {{.type = H, .key_size = 4, .value_size = 24, .max_entries = 1, .spin_lock = 1, .timer = 9}, 0},
      {{.type = H, .key_size = 4, .value_size = 24, .max_entries = 1, .spin_lock = 21}, 0},
      {{.type = H, .key_size = 4, .value_size = 24, .max_entries = 1, .spin_lock = 22}, -ERROR_INVALID},
      {{.type = H, .key_size = 4, .value_size = 24, .max_entries = 1, .spin_lock = 25}, -ERROR_INVALID},
      {{.type = H, .key_size = 4, .value_size = 24, .max_entries = 1, .timer = 17}, -ERROR_INVALID},
      {{.type = H, .key_size = 4, .value_size = 24, .max_entries = 1, .timer = 5}, -ERROR_INVALID},
      {{.type = H, .key_size = 4, .value_size = 24, .max_entries = 1, .spin_lock = 5, .timer = 1}, -ERROR_INVALID},
      {{.type = PH, .key_size = 4, .value_size = 24, .max_entries = 1, .spin_lock = 1}, -ERROR_INVALID},
      {{.type = PA, .key_size = 4, .value_size = 24, .max_entries = 1, .processors = 64}, 0},
      {{.type = PA, .key_size = 4, .value_size = 24, .max_entries = 1, .processors = 65}, -ERROR_TOO_BIG},
      {{.type = BLOOM, .value_size = 4, .max_entries = 3, .extra = 15}, 0},
      {{.type = BLOOM, .value_size = 4, .max_entries = 3, .extra = 16}, -ERROR_INVALID},
      {{.type = AOM, .key_size = 4, .value_size = 4, .max_entries = 3, .inner = {.type = H}}, 0},
      {{.type = HOM, .key_size = 9, .value_size = 4, .max_entries = 3, .inner = {.type = A}}, 0},
      {{.type = AOM, .key_size = 4, .value_size = 4, .max_entries = 3, .inner = {.type = AOM}}, -ERROR_INVALID},
      {{.type = HOM, .key_size = 4, .value_size = 4, .max_entries = 3, .inner = {.type = PROG}}, -ERROR_INVALID},
  };
  for (size_t i = 0; i < COUNT(more); i++) {
    map = NULL;
    int error = bpf_map_create(&more[i].def, &seed, &map, NULL);
    if (error != more[i].error) fail_msg("row %zu: %d, expected %d", i, error, more[i].error);
    bpf_map_release(map);
  }
}

/* A map lives until its last reference goes. */
static void test_references(void **state) {
  struct bpf_map *map = make(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
  bpf_map_hold(map);
  bpf_map_release(map);
  const uint32_t key = 0;
  memset(map->ops->lookup(map, &key), 1, 8);
  bpf_map_release(map);
}

/* State may carry over only between maps of equal shape; the name does not count. */
static void test_same_layout(void **state) {
  const struct bpf_map_def a = {"a", BPF_MAP_TYPE_HASH, 4, 8, 16, 0};
  struct bpf_map_def b = a;
  strcpy(b.name, "b");
  assert_true(bpf_map_same_layout(&a, &b));
  uint32_t *fields[] = {&b.type,      &b.key_size, &b.value_size, &b.max_entries, &b.flags,
                        &b.spin_lock, &b.timer,    &b.extra,      &b.inner.type};
  for (size_t i = 0; i < COUNT(fields); i++) {
    ++*fields[i];
    assert_false(bpf_map_same_layout(&a, &b));
    --*fields[i];
  }
}

/* bpf_map_contains: inside one value, and with sizes and addresses that wrap not at all. */
static void test_contains(void **state) {
  struct bpf_map *map = make(BPF_MAP_TYPE_ARRAY, 4, 12, 3);
  uint64_t base = (uint64_t)(uintptr_t)map->slots;
  assert_true(bpf_map_contains(map, base, 12));
  assert_true(bpf_map_contains(map, base + 11, 1));
  assert_true(bpf_map_contains(map, base + 32, 12));
  assert_false(bpf_map_contains(map, base, 13));
  assert_false(bpf_map_contains(map, base + 11, 2));
  assert_false(bpf_map_contains(map, base + 12, 1));
  assert_false(bpf_map_contains(map, base + 48, 1));
  assert_false(bpf_map_contains(map, base - 1, 1));
  assert_false(bpf_map_contains(map, base, 0xffffffff));
  assert_false(bpf_map_contains(map, 0, 1));
  assert_false(bpf_map_contains(map, 0xffffffffffffffff, 2));
  bpf_map_release(map);
}

/* Random operations on a hash map with keys of any size do what they do to a plain table, and iteration visits each key once. */
static void test_hash_against_model(void **state) {
  enum { KEYS = 64, ENTRIES = 40, STEPS = 20000 };
  static const uint32_t key_sizes[] = {1, 2, 3, 4, 7, 8, 13, 16, 512};
  uint64_t x = 1234567;
  for (size_t k = 0; k < COUNT(key_sizes); k++) {
    struct bpf_map *map = make(BPF_MAP_TYPE_HASH, key_sizes[k], 8, ENTRIES);
    uint64_t model[KEYS];
    bool present[KEYS] = {false};
    uint32_t count = 0;
    for (unsigned step = 0; step < STEPS; step++) {
      unsigned id = (unsigned)(next_random(&x) % KEYS);
      uint8_t key[512];
      memset(key, 0x33, sizeof key);
      key[key_sizes[k] - 1] = (uint8_t)id;
      uint64_t value = next_random(&x), flags = next_random(&x) % 4;
      long result, expected;
      switch (next_random(&x) % 4) {
        case 0:
        case 1:
          result = map->ops->update(map, key, &value, flags, 0);
          if (flags == 3) {
            expected = -BPF_EINVAL;
          } else if (present[id] && flags == BPF_NOEXIST) {
            expected = -BPF_EEXIST;
          } else if (!present[id] && flags == BPF_EXIST) {
            expected = -BPF_ENOENT;
          } else if (!present[id] && count == ENTRIES) {
            expected = -BPF_E2BIG;
          } else {
            expected = 0;
            count += !present[id];
            present[id] = true;
            model[id] = value;
          }
          assert_int_equal(result, expected);
          break;
        case 2:
          /* Seldom enough that the map gets full. */
          if (next_random(&x) % 2) break;
          result = map->ops->remove(map, key);
          assert_int_equal(result, present[id] ? 0 : -BPF_ENOENT);
          count -= present[id];
          present[id] = false;
          break;
        default: {
          const uint64_t *found = map->ops->lookup(map, key);
          assert_true((found != NULL) == present[id]);
          if (found != NULL) assert_int_equal(*found, model[id]);
        }
      }
      assert_int_equal(map->count, count);
      if (step % 500 != 0) continue;
      bool seen[KEYS] = {false};
      uint32_t visited = 0;
      uint8_t at[512];
      for (long more = map->ops->next_key(map, NULL, at); more == 0; more = map->ops->next_key(map, at, at)) {
        unsigned visited_id = at[key_sizes[k] - 1];
        assert_true(visited_id < KEYS && present[visited_id] && !seen[visited_id]);
        seen[visited_id] = true;
        visited++;
      }
      assert_int_equal(visited, count);
    }
    bpf_map_release(map);
  }
}

/* A map takes max_entries entries, gives each slot back, and takes them again. */
static void test_fill_and_empty(void **state) {
  struct bpf_map *map = make(BPF_MAP_TYPE_HASH, 4, 4, 1000);
  for (unsigned round = 0; round < 3; round++) {
    for (uint32_t i = 0; i < 1000; i++) {
      assert_int_equal(map->ops->update(map, &i, &i, BPF_NOEXIST, 0), 0);
    }
    uint32_t more = 1000;
    assert_int_equal(map->ops->update(map, &more, &more, BPF_ANY, 0), -BPF_E2BIG);
    for (uint32_t i = 0; i < 1000; i++) {
      assert_int_equal(*(uint32_t *)map->ops->lookup(map, &i), i);
      assert_int_equal(map->ops->remove(map, &i), 0);
    }
    assert_int_equal(map->ops->next_key(map, NULL, &more), -BPF_ENOENT);
  }
  bpf_map_release(map);
}

/* The value of a deleted entry stays readable memory of the map. */
static void test_deleted_value_stays(void **state) {
  struct bpf_map *map = make(BPF_MAP_TYPE_HASH, 4, 8, 2);
  const uint32_t key = 9;
  const uint64_t one = 1;
  assert_int_equal(map->ops->update(map, &key, &one, BPF_ANY, 0), 0);
  uint64_t *value = map->ops->lookup(map, &key);
  assert_int_equal(map->ops->remove(map, &key), 0);
  assert_true(bpf_map_contains(map, (uint64_t)(uintptr_t)value, 8));
  assert_int_equal(*value, 1);
  bpf_map_release(map);
}

/* Array keys iterate from 0 to the end; an unknown key starts over. */
static void test_array_iteration(void **state) {
  struct bpf_map *map = make(BPF_MAP_TYPE_ARRAY, 4, 8, 3);
  uint32_t key = 77;
  assert_int_equal(map->ops->next_key(map, NULL, &key), 0);
  assert_int_equal(key, 0);
  assert_int_equal(map->ops->next_key(map, &key, &key), 0);
  assert_int_equal(map->ops->next_key(map, &key, &key), 0);
  assert_int_equal(key, 2);
  assert_int_equal(map->ops->next_key(map, &key, &key), -BPF_ENOENT);
  key = 3;
  assert_int_equal(map->ops->next_key(map, &key, &key), 0);
  assert_int_equal(key, 0);
  bpf_map_release(map);
}

/* Different seeds put the same keys in different buckets: nobody outside can aim at one chain. BPF_F_ZERO_SEED makes them the
 * same. */
static void test_seed_matters(void **state) {
  const struct hash_key seeds[] = {{1, 1}, {1, 2}};
  static const uint32_t flags[] = {0, BPF_F_ZERO_SEED};
  for (unsigned f = 0; f < 2; f++) {
    const struct bpf_map_def def = {"m", BPF_MAP_TYPE_HASH, 4, 8, 4096, flags[f]};
    struct bpf_map *maps[2];
    for (unsigned s = 0; s < 2; s++) {
      assert_int_equal(bpf_map_create(&def, &seeds[s], &maps[s], NULL), 0);
      const uint64_t value = 0;
      for (uint32_t key = 0; key < 8; key++) {
        assert_int_equal(maps[s]->ops->update(maps[s], &key, &value, BPF_ANY, 0), 0);
      }
    }
    int difference = memcmp(maps[0]->buckets, maps[1]->buckets, 4096 * sizeof maps[0]->buckets[0]);
    assert_true((difference == 0) == (flags[f] != 0));
    bpf_map_release(maps[0]);
    bpf_map_release(maps[1]);
  }
}

enum { WORKERS = 4, SHARED_KEYS = 32, ROUNDS = 20000 };

struct worker {
  struct bpf_map *map;
  unsigned id;
  bool failed;
};

/* Updates, removes and looks up keys that other workers move about too, and one key of its own that nobody else touches. */
static void *work(void *argument) {
  struct worker *w = argument;
  uint64_t x = 99 + w->id, own = 0;
  const uint32_t mine = 1000 + w->id;
  for (unsigned i = 0; i < ROUNDS && !w->failed; i++) {
    uint32_t key = (uint32_t)(next_random(&x) % SHARED_KEYS);
    uint64_t value = key;
    if (x & 0x100) {
      w->map->ops->update(w->map, &key, &value, BPF_ANY, 0);
    } else {
      w->map->ops->remove(w->map, &key);
    }
    uint64_t *found = w->map->ops->lookup(w->map, &mine);
    if ((found != NULL) != (own != 0)) w->failed = true;
    if (found != NULL && __atomic_load_n(found, __ATOMIC_RELAXED) != own) w->failed = true;
    own++;
    if (w->map->ops->update(w->map, &mine, &own, BPF_ANY, 0) != 0) w->failed = true;
  }
  return NULL;
}

/* While other workers change the same chains, a worker always finds its own entry with the value it stored last. */
static void test_workers(void **state) {
  /* Few buckets, so that chains are shared. */
  struct bpf_map *map = make(BPF_MAP_TYPE_HASH, 4, 8, SHARED_KEYS + WORKERS);
  map->bucket_mask = 3;
  struct worker workers[WORKERS];
  pthread_t threads[WORKERS];
  for (unsigned i = 0; i < WORKERS; i++) {
    workers[i] = (struct worker){map, i, false};
    assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  for (unsigned i = 0; i < WORKERS; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_false(workers[i].failed);
  }
  uint32_t key, keys = 0;
  for (long more = map->ops->next_key(map, NULL, &key); more == 0; more = map->ops->next_key(map, &key, &key)) {
    keys++;
  }
  assert_int_equal(keys, map->count);
  bpf_map_release(map);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_definitions),         cmocka_unit_test(test_contains),
      cmocka_unit_test(test_hash_against_model),  cmocka_unit_test(test_fill_and_empty),
      cmocka_unit_test(test_deleted_value_stays), cmocka_unit_test(test_array_iteration),
      cmocka_unit_test(test_seed_matters),        cmocka_unit_test(test_same_layout),
      cmocka_unit_test(test_references),          cmocka_unit_test(test_workers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
