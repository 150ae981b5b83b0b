/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The helpers that Linux lets only programs with type information call: callbacks, spin locks, timers. Each program leaves what its calls
 * gave in `results`; tests/system/test_typed_helpers.py compares that with Linux.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS_CPUTIME = 2, CLOCK_BOOTTIME = 7 };
enum {
  TIMER_ABS = 1 /* BPF_F_TIMER_ABS, which Debian's headers do not have */,
  RESULTS = 16,
  CALLBACKS_MOST = 1 << 23
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, RESULTS);
  __type(key, __u32);
  __type(value, __u64);
} results SEC(".maps");

static void save(__u32 number, __u64 result) { bpf_map_update_elem(&results, &number, &result, BPF_ANY); }

/* --- bpf_loop --- */

struct walk {
  __u64 sum;
  __u32 stop_at;
};

static long add_number(__u32 number, struct walk *walk) {
  walk->sum += number + 1;
  return number == walk->stop_at;
}

/* Global functions, so that Linux verifies each once and not at every call. */
__attribute__((noinline)) int loop(__u32 at, __u32 count, __u32 stop_at, __u64 flags) {
  struct walk walk = {0, stop_at};
  save(at, bpf_loop(count, add_number, &walk, flags));
  save(at + 1, walk.sum);
  return 0;
}

SEC("xdp")
int loops(struct xdp_md *ctx) {
  loop(0, 10, -1, 0);
  loop(2, 0, -1, 0);
  loop(4, 10, 3, 0);
  loop(6, 10, 9, 0);
  loop(8, 10, -1, 1);
  return XDP_PASS;
}

SEC("xdp")
int many_loops(struct xdp_md *ctx) {
  loop(0, CALLBACKS_MOST + 1, 0, 0);
  loop(2, CALLBACKS_MOST, 0, 0);
  return XDP_PASS;
}

/* --- bpf_for_each_map_elem --- */

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8);
  __type(key, __u32);
  __type(value, __u64);
} hash SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, __u64);
} recent SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, __u64);
} array SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, __u64);
} per_processor SEC(".maps");

static long add_entry(void *map, __u32 *key, __u64 *value, struct walk *walk) {
  walk->sum += *key * 100 + *value;
  *value += 1;
  return walk->stop_at-- == 0;
}

static long remove_entry(void *map, __u32 *key, __u64 *value, struct walk *walk) {
  walk->sum += bpf_map_delete_elem(map, key) == 0;
  return 0;
}

#define EACH(map, function)                                                              \
  __attribute__((noinline)) int map##_##function(__u32 at, __u32 stop_at, __u64 flags) { \
    struct walk walk = {0, stop_at};                                                     \
    save(at, bpf_for_each_map_elem(&map, function, &walk, flags));                       \
    save(at + 1, walk.sum);                                                              \
    return 0;                                                                            \
  }
EACH(hash, add_entry)
EACH(hash, remove_entry)
EACH(array, add_entry)
EACH(per_processor, add_entry)
EACH(recent, add_entry)

__attribute__((noinline)) int put(__u32 key) {
  __u64 value = 10 * key;
  bpf_map_update_elem(&hash, &key, &value, BPF_ANY);
  bpf_map_update_elem(&recent, &key, &value, BPF_ANY);
  bpf_map_update_elem(&array, &key, &value, BPF_ANY);
  bpf_map_update_elem(&per_processor, &key, &value, BPF_ANY);
  return 0;
}

SEC("xdp")
int entries(struct xdp_md *ctx) {
  put(1);
  put(2);
  put(3);
  hash_add_entry(0, -1, 0);
  hash_add_entry(2, -1, 0); /* each value is one more */
  array_add_entry(4, 1, 0); /* stops behind the second */
  array_add_entry(6, -1, 1);
  per_processor_add_entry(8, -1, 0);
  recent_add_entry(10, -1, 0);
  hash_remove_entry(12, 0, 0);
  hash_add_entry(14, -1, 0);
  return XDP_PASS;
}

/* --- bpf_spin_lock, bpf_spin_unlock --- */

struct guarded {
  __u32 before;
  struct bpf_spin_lock lock;
  __u64 count;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, struct guarded);
} guarded SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, struct guarded);
} guarded_hash SEC(".maps");

static void count(__u32 at, struct guarded *value) {
  bpf_spin_lock(&value->lock);
  __u64 now = value->count += ++value->before;
  bpf_spin_unlock(&value->lock);
  save(at, now);
}

SEC("xdp")
int locks(struct xdp_md *ctx) {
  __u32 key = 1;
  struct guarded fresh = {.before = 5, .count = 7};
  bpf_map_update_elem(&guarded_hash, &key, &fresh, BPF_ANY);
  struct guarded *value = bpf_map_lookup_elem(&guarded, &key), *hashed = bpf_map_lookup_elem(&guarded_hash, &key);
  if (!value || !hashed) return XDP_ABORTED;
  count(0, value);
  count(1, value);
  count(2, hashed);
  save(3, bpf_map_update_elem(&guarded_hash, &key, &fresh, BPF_F_LOCK)); /* takes the lock itself */
  count(4, hashed);
  return XDP_PASS;
}

/* --- bpf_timer_init, bpf_timer_set_callback, bpf_timer_start, bpf_timer_cancel --- */

struct timed {
  __u64 fired;
  struct bpf_timer timer;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, struct timed);
} timed SEC(".maps");

static int fire(void *map, __u32 *key, struct timed *value) {
  value->fired++;
  return 0;
}

SEC("xdp")
int timers(struct xdp_md *ctx) {
  const __u64 century = 100ULL * 365 * 24 * 3600 * 1000000000;
  __u32 first = 0, second = 1;
  struct timed *value = bpf_map_lookup_elem(&timed, &first), *other = bpf_map_lookup_elem(&timed, &second);
  if (!value || !other) return XDP_ABORTED;
  save(0, bpf_timer_set_callback(&value->timer, fire));
  save(1, bpf_timer_start(&value->timer, century, 0));
  save(2, bpf_timer_cancel(&value->timer));
  save(3, bpf_timer_init(&value->timer, &timed, CLOCK_PROCESS_CPUTIME));
  save(4, bpf_timer_init(&value->timer, &timed, 16));
  save(5, bpf_timer_init(&value->timer, &timed, CLOCK_BOOTTIME));
  save(6, bpf_timer_init(&value->timer, &timed, CLOCK_BOOTTIME));
  save(7, bpf_timer_start(&value->timer, century, 0));
  save(8, bpf_timer_set_callback(&value->timer, fire));
  save(9, bpf_timer_start(&value->timer, century, 1ULL << 40));
  save(10, bpf_timer_start(&value->timer, century, 0));
  save(11, bpf_timer_start(&value->timer, century, TIMER_ABS));
  save(12, bpf_timer_cancel(&value->timer));
  save(13, bpf_timer_cancel(&value->timer));
  save(14, bpf_timer_init(&other->timer, &timed, CLOCK_REALTIME));
  save(15, bpf_timer_cancel(&other->timer));
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
