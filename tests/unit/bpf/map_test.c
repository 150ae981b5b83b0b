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

/* Definitions are judged as Linux does, with the limits of map.h; a refusal says why and leaves *map alone. */
static void test_definitions(void **state) {
  enum { A = BPF_MAP_TYPE_ARRAY, H = BPF_MAP_TYPE_HASH };
  static const struct {
    uint32_t type, key, value, entries, flags;
    int error;
  } rows[] = {
      {A, 4, 1, 1, 0, 0},
      {A, 4, 65536, 1, 0, 0},
      {H, 1, 1, 1, 0, 0},
      {H, 512, 65536, 1, BPF_F_NO_PREALLOC, 0},
      {A, 4, 8, 1, BPF_F_RDONLY_PROG, 0},
      {H, 4, 8, 1, BPF_F_WRONLY_PROG, 0},
      {0, 4, 8, 1, 0, -ERROR_UNSUPPORTED},
      {6, 4, 8, 1, 0, -ERROR_UNSUPPORTED},
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
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    const struct bpf_map_def def = {"m", rows[i].type, rows[i].key, rows[i].value, rows[i].entries, rows[i].flags};
    struct bpf_map *map = NULL;
    const char *why = "left over";
    assert_int_equal(bpf_map_create(&def, &seed, &map, &why), rows[i].error);
    assert_true((bpf_map_memory(&def) != 0) == (rows[i].error == 0));
    assert_true((map != NULL) == (rows[i].error == 0));
    assert_true((why == NULL) == (rows[i].error == 0));
    bpf_map_release(map);
  }
  struct bpf_map_def def = {"m", H, 4, 8, 1, 0};
  memset(def.name, 'n', sizeof def.name);
  struct bpf_map *map = NULL;
  assert_int_equal(bpf_map_create(&def, &seed, &map, NULL), -ERROR_INVALID);
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
  uint32_t *fields[] = {&b.type, &b.key_size, &b.value_size, &b.max_entries, &b.flags};
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
          result = map->ops->update(map, key, &value, flags);
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
      assert_int_equal(map->ops->update(map, &i, &i, BPF_NOEXIST), 0);
    }
    uint32_t more = 1000;
    assert_int_equal(map->ops->update(map, &more, &more, BPF_ANY), -BPF_E2BIG);
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
  assert_int_equal(map->ops->update(map, &key, &one, BPF_ANY), 0);
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

/* Different seeds put the same keys in different places: nobody outside can aim at one chain. */
static void test_seed_matters(void **state) {
  const struct bpf_map_def def = {"m", BPF_MAP_TYPE_HASH, 4, 8, 4096, 0};
  const struct hash_key seeds[] = {{1, 1}, {1, 2}};
  uint32_t first[2][8];
  for (unsigned s = 0; s < 2; s++) {
    struct bpf_map *map = NULL;
    assert_int_equal(bpf_map_create(&def, &seeds[s], &map, NULL), 0);
    const uint64_t value = 0;
    for (uint32_t key = 0; key < 8; key++) {
      assert_int_equal(map->ops->update(map, &key, &value, BPF_ANY), 0);
    }
    memset(first[s], 0, sizeof first[s]);
    assert_int_equal(map->ops->next_key(map, NULL, &first[s][0]), 0);
    for (unsigned i = 1; i < 8; i++) {
      assert_int_equal(map->ops->next_key(map, &first[s][i - 1], &first[s][i]), 0);
    }
    bpf_map_release(map);
  }
  assert_memory_not_equal(first[0], first[1], sizeof first[0]);
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
      w->map->ops->update(w->map, &key, &value, BPF_ANY);
    } else {
      w->map->ops->remove(w->map, &key);
    }
    uint64_t *found = w->map->ops->lookup(w->map, &mine);
    if ((found != NULL) != (own != 0)) w->failed = true;
    if (found != NULL && __atomic_load_n(found, __ATOMIC_RELAXED) != own) w->failed = true;
    own++;
    if (w->map->ops->update(w->map, &mine, &own, BPF_ANY) != 0) w->failed = true;
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
