/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Maps that several workers use at once: what a reader finds is right at every moment, whatever writers do meanwhile. Also meant to
 * be run under ThreadSanitizer.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/map_text.h"
#include "bpf/ring.h"

enum { WORKERS = 4, ROUNDS = 20000 };

static const struct hash_key seed = {5, 6};

static struct bpf_map *make(struct bpf_map_def def) {
  struct bpf_map *map = NULL;
  assert_int_equal(bpf_map_create(&def, &seed, &map, NULL), 0);
  return map;
}

struct worker {
  struct bpf_map *map;
  uint64_t id, random, done;
  uint64_t discarded; /* records */
  bool failed;
};

static uint64_t next_random(struct worker *w) {
  w->random = w->random * 6364136223846793005u + 1442695040888963407u;
  return w->random >> 33;
}

/* Runs the workers, each with a number of its own, and `meanwhile` (which may be NULL) until they are done. */
static void run(struct bpf_map *map, void *(*work)(void *worker), void (*meanwhile)(struct bpf_map *map, void *context),
                void *context, struct worker workers[WORKERS]) {
  pthread_t threads[WORKERS];
  for (unsigned i = 0; i < WORKERS; i++) {
    workers[i] = (struct worker){map, i, i + 1, 0, 0, false};
    assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  for (unsigned running = WORKERS; running > 0 && meanwhile != NULL;) {
    meanwhile(map, context);
    running = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
      running += __atomic_load_n(&workers[i].done, __ATOMIC_ACQUIRE) == 0;
    }
  }
  for (unsigned i = 0; i < WORKERS; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_false(workers[i].failed);
  }
}

static void *finish(struct worker *w) {
  __atomic_store_n(&w->done, 1, __ATOMIC_RELEASE);
  return NULL;
}

static uint64_t load(const uint64_t *value) { return __atomic_load_n(value, __ATOMIC_RELAXED); }

/* Keys of 16 bytes whose halves are the same: a key that is put together of two is never found. A worker's own key is always found,
 * with the value it stored last. */
static void *use_hash(void *argument) {
  struct worker *w = argument;
  uint64_t own[2] = {1000 + w->id, 1000 + w->id}, count = 0;
  for (unsigned i = 0; i < ROUNDS; i++) {
    const uint64_t number = next_random(w) % 32, shared[2] = {number, number};
    const uint64_t torn[2] = {number, number == 0 ? 1 : number - 1};
    if (next_random(w) % 2) {
      w->map->ops->update(w->map, shared, &number, BPF_ANY, 0);
    } else {
      w->map->ops->remove(w->map, shared);
    }
    const uint64_t *value = w->map->ops->lookup(w->map, torn);
    if (value != NULL) w->failed = true;
    value = w->map->ops->lookup(w->map, own);
    if ((value != NULL) != (count != 0) || (value != NULL && load(value) != count)) w->failed = true;
    count++;
    if (w->map->ops->update(w->map, own, &count, BPF_ANY, 0) != 0) w->failed = true;
  }
  return finish(w);
}

/* Iteration meets every key that stays, and no key that never was. */
static void iterate(struct bpf_map *map, void *context) {
  uint64_t key[2], next[2];
  long more = map->ops->next_key(map, NULL, key);
  for (unsigned steps = 0; more == 0 && steps < 1000; steps++) {
    assert_int_equal(key[0], key[1]);
    assert_true(key[0] < 32 || (key[0] >= 1000 && key[0] < 1000 + WORKERS));
    more = map->ops->next_key(map, key, next);
    if (more == 0) memcpy(key, next, sizeof key);
  }
}

static void test_hash(void **state) {
  struct worker workers[WORKERS];
  struct bpf_map *map = make(
      (struct bpf_map_def){.type = BPF_MAP_TYPE_HASH, .key_size = 16, .value_size = 8, .max_entries = 32 + WORKERS});
  map->bucket_mask = 1; /* long chains, so that workers meet in them */
  run(map, use_hash, iterate, NULL, workers);
  bpf_map_release(map);
}

/* Every value that a lookup gives is one that was stored, and there is room for every new key. */
static void *use_lru(void *argument) {
  struct worker *w = argument;
  for (unsigned i = 0; i < ROUNDS; i++) {
    const uint32_t key = (uint32_t)(next_random(w) % 500);
    const uint64_t value = key * 3 + 7;
    if (w->map->ops->update(w->map, &key, &value, BPF_ANY, 0) != 0) w->failed = true;
    const uint32_t other = (uint32_t)(next_random(w) % 500);
    const uint64_t *found = w->map->ops->lookup(w->map, &other);
    if (found != NULL && (load(found) % 3 != 1 || load(found) > 499 * 3 + 7)) w->failed = true;
  }
  return finish(w);
}

static void test_lru(void **state) {
  struct worker workers[WORKERS];
  struct bpf_map *map =
      make((struct bpf_map_def){.type = BPF_MAP_TYPE_LRU_HASH, .key_size = 4, .value_size = 8, .max_entries = 50});
  run(map, use_lru, NULL, NULL, workers);
  assert_int_equal(map->count, 50);
  bpf_map_release(map);
}

/* 10.0.0.0/8 stays; longer prefixes come and go. Whoever looks an address of it up finds the one or one of the others. */
static void *use_trie(void *argument) {
  struct worker *w = argument;
  for (unsigned i = 0; i < ROUNDS; i++) {
    const uint32_t bits = 9 + (uint32_t)(next_random(w) % 24);
    uint8_t key[8] = {(uint8_t)bits, 0, 0, 0, 10, 0, 0, 0}, address[8] = {32, 0, 0, 0, 10, 0, 0, 0};
    const uint64_t value = bits;
    address[7] = (uint8_t)next_random(w);
    if (w->id == 0) {
      w->map->ops->update(w->map, key, &value, BPF_ANY, 0);
    } else if (w->id == 1) {
      w->map->ops->remove(w->map, key);
    }
    const uint64_t *found = w->map->ops->lookup(w->map, address);
    if (found == NULL || load(found) < 8 || load(found) > 32) w->failed = true;
  }
  return finish(w);
}

static void test_trie(void **state) {
  struct worker workers[WORKERS];
  struct bpf_map *map = make((struct bpf_map_def){
      .type = BPF_MAP_TYPE_LPM_TRIE, .key_size = 8, .value_size = 8, .max_entries = 40, .flags = BPF_F_NO_PREALLOC});
  const uint8_t net[8] = {8, 0, 0, 0, 10, 0, 0, 0};
  const uint64_t value = 8;
  assert_int_equal(map->ops->update(map, net, &value, BPF_ANY, 0), 0);
  run(map, use_trie, NULL, NULL, workers);
  bpf_map_release(map);
}

/* Each worker's records, through its own two pieces, arrive whole and in order; those that found no room are counted. */
static void *use_ring(void *argument) {
  struct worker *w = argument;
  for (uint64_t i = 0; i < ROUNDS; i++) {
    uint64_t *record = bpf_ring_reserve(w->map->rings, 24);
    if (record == NULL) continue;
    record[0] = w->id;
    record[1] = i;
    record[2] = w->id ^ i;
    bpf_ring_submit(record, i % 16 == 15);
    w->discarded += i % 16 == 15;
  }
  return finish(w);
}

struct received {
  uint64_t next[WORKERS], count;
};

static void receive(struct bpf_map *map, void *context) {
  struct received *r = context;
  uint64_t record[3];
  while (bpf_map_read_record(map, 0, record, sizeof record) == sizeof record) {
    assert_true(record[0] < WORKERS);
    assert_true(record[1] >= r->next[record[0]]);
    assert_true(record[1] % 16 != 15);
    assert_int_equal(record[2], record[0] ^ record[1]);
    r->next[record[0]] = record[1] + 1;
    r->count++;
  }
}

static void test_ring(void **state) {
  struct worker workers[WORKERS];
  struct received received = {0};
  struct bpf_map *map = make((struct bpf_map_def){.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096});
  run(map, use_ring, receive, &received, workers);
  receive(map, &received);
  uint64_t seen = received.count + bpf_map_lost_records(map);
  for (unsigned i = 0; i < WORKERS; i++) {
    seen += workers[i].discarded;
  }
  assert_int_equal(seen, (uint64_t)WORKERS * ROUNDS);
  assert_int_equal(bpf_ring_pending(map->rings), 0);
  bpf_map_release(map);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hash),
      cmocka_unit_test(test_lru),
      cmocka_unit_test(test_trie),
      cmocka_unit_test(test_ring),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
