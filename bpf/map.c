/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What all map types share: acceptance of definitions (as Linux's *_map_alloc_check), memory, references.
 */
#include "bpf/map.h"

#include "bpf/map_type.h"
#include "bpf/ring.h"
#include "bpf/timer.h"
#include "lib/bytes.h"
#include "lib/error.h"
#include "lib/memory.h"

/* By Linux's number. */
static const struct {
  const char *name;
  const struct bpf_map_kind *kind; /* NULL: not offered */
} types[] = {
    [BPF_MAP_TYPE_HASH] = {"hash", &bpf_map_hash},
    [BPF_MAP_TYPE_ARRAY] = {"array", &bpf_map_array},
    [BPF_MAP_TYPE_PROG_ARRAY] = {"prog_array", &bpf_map_prog_array},
    [BPF_MAP_TYPE_PERF_EVENT_ARRAY] = {"perf_event_array", &bpf_map_perf},
    [BPF_MAP_TYPE_PERCPU_HASH] = {"percpu_hash", &bpf_map_per_cpu_hash},
    [BPF_MAP_TYPE_PERCPU_ARRAY] = {"percpu_array", &bpf_map_per_cpu_array},
    [7] = {"stack_trace", NULL},
    [8] = {"cgroup_array", NULL},
    [BPF_MAP_TYPE_LRU_HASH] = {"lru_hash", &bpf_map_lru_hash},
    [BPF_MAP_TYPE_LRU_PERCPU_HASH] = {"lru_percpu_hash", &bpf_map_lru_per_cpu_hash},
    [BPF_MAP_TYPE_LPM_TRIE] = {"lpm_trie", &bpf_map_trie},
    [BPF_MAP_TYPE_ARRAY_OF_MAPS] = {"array_of_maps", &bpf_map_array_of_objects},
    [BPF_MAP_TYPE_HASH_OF_MAPS] = {"hash_of_maps", &bpf_map_hash_of_maps},
    [BPF_MAP_TYPE_DEVMAP] = {"devmap", &bpf_map_device},
    [15] = {"sockmap", NULL},
    [BPF_MAP_TYPE_CPUMAP] = {"cpumap", &bpf_map_cpu},
    [17] = {"xskmap", NULL},
    [18] = {"sockhash", NULL},
    [19] = {"cgroup_storage", NULL},
    [20] = {"reuseport_sockarray", NULL},
    [21] = {"percpu_cgroup_storage", NULL},
    [BPF_MAP_TYPE_QUEUE] = {"queue", &bpf_map_queue},
    [BPF_MAP_TYPE_STACK] = {"stack", &bpf_map_stack},
    [24] = {"sk_storage", NULL},
    [BPF_MAP_TYPE_DEVMAP_HASH] = {"devmap_hash", &bpf_map_device_hash},
    [26] = {"struct_ops", NULL},
    [BPF_MAP_TYPE_RINGBUF] = {"ringbuf", &bpf_map_ring},
    [28] = {"inode_storage", NULL},
    [29] = {"task_storage", NULL},
    [BPF_MAP_TYPE_BLOOM_FILTER] = {"bloom_filter", &bpf_map_bloom},
    [31] = {"user_ringbuf", NULL},
    [32] = {"cgrp_storage", NULL},
    [33] = {"arena", NULL},
};

const char *bpf_map_type_name(uint32_t type) {
  return type < sizeof types / sizeof types[0] && types[type].name != NULL ? types[type].name : "unknown";
}

static const struct bpf_map_kind *kind_of(uint32_t type) {
  return type < sizeof types / sizeof types[0] ? types[type].kind : NULL;
}

static bool field_fits(uint32_t field, uint32_t size, uint32_t alignment, uint32_t value_size) {
  return field == 0 || ((field - 1) % alignment == 0 && field - 1 < value_size && size <= value_size - (field - 1));
}

/* NULL or a sentence. */
static const char *judge_fields(const struct bpf_map_def *def, const struct bpf_map_kind *kind) {
  if (def->spin_lock == 0 && def->timer == 0) return NULL;
  if (!kind->special_fields) return "values of this map type cannot hold a spin lock or timer; use an array or a hash";
  if (!field_fits(def->spin_lock, BPF_SPIN_LOCK_SIZE, 4, def->value_size) ||
      !field_fits(def->timer, BPF_TIMER_SIZE, 8, def->value_size)) {
    return "spin lock or timer lies outside the map's value or is not aligned";
  }
  if (def->spin_lock != 0 && def->timer != 0 && def->spin_lock < def->timer + BPF_TIMER_SIZE &&
      def->timer < def->spin_lock + BPF_SPIN_LOCK_SIZE) {
    return "spin lock and timer of the map's value overlap";
  }
  return NULL;
}

int bpf_map_judge(const struct bpf_map_def *def, const char **why) {
  const struct bpf_map_kind *kind = kind_of(def->type);
  const uint32_t program_one_way = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG, one_way = BPF_F_RDONLY | BPF_F_WRONLY;
  if (kind == NULL) {
    *why =
        def->type == 17
            ? "xskmap is not offered: there are no AF_XDP sockets; redirect to a Click port through a devmap"
            : "this map type is not offered; use an array, hash, LRU, trie, queue, stack, device, CPU, program or ring "
              "buffer map";
    return -ERROR_UNSUPPORTED;
  }
  if (memchr(def->name, 0, sizeof def->name) == NULL) {
    *why = "map name is too long; use at most 63 bytes";
    return -ERROR_INVALID;
  }
  if (def->key_size < kind->key_size_min || def->value_size < kind->value_size_min ||
      (def->max_entries == 0 && !kind->any_entries)) {
    *why = "key size, value size or max_entries of a map is 0 or too small for its type";
    return -ERROR_INVALID;
  }
  if (def->key_size > kind->key_size_max || def->value_size > kind->value_size_max) {
    /* A type that has just one size, or a limit of ours. */
    bool limit = def->key_size > kind->key_size_max ? kind->key_size_max == BPF_MAP_MAX_KEY
                                                    : kind->value_size_max == BPF_MAP_MAX_VALUE;
    *why = limit ? "key or value of a map is over the limit (512 bytes, 64 KiB)"
                 : "key or value size of a map is not what its type wants";
    return limit ? -ERROR_TOO_BIG : -ERROR_INVALID;
  }
  if (def->max_entries > (def->type == BPF_MAP_TYPE_RINGBUF ? BPF_MAP_MAX_RING : BPF_MAP_MAX_ENTRIES)) {
    *why = "max_entries of a map is over the limit (16777216; ring buffer: 67108864)";
    return -ERROR_TOO_BIG;
  }
  if (def->processors > BPF_MAP_MAX_PROCESSORS) {
    *why = "per-CPU map for more than 64 processors";
    return -ERROR_TOO_BIG;
  }
  if (def->flags & ~kind->flags) {
    *why = "map has a flag that is not offered for its type";
    return -ERROR_UNSUPPORTED;
  }
  if ((def->flags & program_one_way) == program_one_way || (def->flags & one_way) == one_way) {
    *why = "map is both read-only and write-only; drop one of the flags";
    return -ERROR_INVALID;
  }
  const char *finding = judge_fields(def, kind);
  if (finding == NULL && kind->judge != NULL) finding = kind->judge(def);
  if (finding == NULL) return 0;
  *why = finding;
  return -ERROR_INVALID;
}

static uint32_t processors_of(const struct bpf_map_def *def) { return def->processors == 0 ? 1 : def->processors; }

/* Values of one processor, in lines of their own. */
static size_t processor_stride_of(const struct bpf_map_layout *layout) {
  return align_up((uint64_t)layout->value_stride * layout->slot_count, 64);
}

static struct bpf_map_layout layout_of(const struct bpf_map_def *def) {
  struct bpf_map_layout layout = kind_of(def->type)->layout(def);
  return layout;
}

/* Limits keep this far below 2^64: 64 processors, 2^25 slots, less than 2^17 bytes each. */
static size_t memory_of(const struct bpf_map_def *def, const struct bpf_map_layout *layout) {
  return sizeof(struct bpf_map) + (size_t)layout->slot_count * layout->stride +
         (size_t)layout->bucket_count * sizeof(uint32_t) + processor_stride_of(layout) * processors_of(def) +
         layout->ring_count * bpf_ring_memory(layout->ring_size) +
         (def->timer != 0 ? bpf_timers_memory(layout->slot_count) : 0);
}

size_t bpf_map_memory(const struct bpf_map_def *def) {
  const char *why;
  if (bpf_map_judge(def, &why) != 0) return 0;
  struct bpf_map_layout layout = layout_of(def);
  return memory_of(def, &layout);
}

/* Native code names an address below 2 GiB in an instruction, which is shorter and faster than loading it: small arrays go there. */
static uint8_t *alloc_low(struct bpf_map *map, size_t size) {
  enum { LOW_MOST = 1 << 16 }; /* the rest is for packets */
  const uint32_t type = map->def.type;
  bool wanted = type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PROG_ARRAY;
  uint8_t *block = wanted && size <= LOW_MOST ? memory_alloc_low(size, 64) : NULL;
  if (block != NULL) map->low = size;
  return block;
}

static void free_low(struct bpf_map *map, uint8_t *block) {
  if (map->low != 0) {
    memory_free_low(block, map->low);
  } else {
    memory_free(block);
  }
}

static void free_map(struct bpf_map *map) {
  for (uint32_t i = 0; i < map->ring_count; i++) {
    bpf_ring_destroy(&map->rings[i]);
  }
  memory_free(map->rings);
  bpf_timers_destroy(map->timers);
  if (map->processor_stride != 0) free_low(map, map->values);
  memory_free(map->buckets);
  if (map->slots != NULL) free_low(map, map->slots);
  memory_free(map);
}

/* False: out of memory; free_map takes down what there is. */
static bool allocate(struct bpf_map *map, const struct bpf_map_layout *layout) {
  if (layout->stride != 0) {
    const size_t size = (size_t)layout->slot_count * layout->stride;
    map->slots = alloc_low(map, size);
    if (map->slots == NULL) map->slots = memory_alloc(size);
    if (map->slots == NULL) return false;
  }
  if (layout->bucket_count != 0) {
    map->buckets = memory_alloc((size_t)layout->bucket_count * sizeof map->buckets[0]);
    if (map->buckets == NULL) return false;
    map->bucket_mask = layout->bucket_count - 1;
  }
  if (layout->value_stride != 0) {
    size_t stride = processor_stride_of(layout);
    map->values = alloc_low(map, stride * map->processors);
    if (map->values == NULL) map->values = memory_alloc_aligned(stride * map->processors, 64);
    if (map->values == NULL) return false;
    map->processor_stride = stride;
  }
  if (layout->ring_count != 0) {
    map->rings = memory_alloc_aligned(layout->ring_count * sizeof map->rings[0], 64);
    if (map->rings == NULL) return false;
    for (; map->ring_count < layout->ring_count; map->ring_count++) {
      if (!bpf_ring_init(&map->rings[map->ring_count], layout->ring_size)) return false;
    }
  }
  if (map->def.timer != 0) {
    map->timers = bpf_timers_make(map, layout->slot_count);
    if (map->timers == NULL) return false;
  }
  return true;
}

int bpf_map_create(const struct bpf_map_def *def, const struct hash_key *seed, struct bpf_map **map, const char **why) {
  const char *reason = NULL;
  int error = bpf_map_judge(def, &reason);
  if (why != NULL) *why = reason;
  if (error != 0) return error;

  const struct bpf_map_kind *kind = kind_of(def->type);
  const struct bpf_map_layout layout = layout_of(def);
  struct bpf_map *m = memory_alloc(sizeof *m);
  if (m == NULL) goto out_of_memory;
  m->ops = &kind->ops;
  m->def = *def;
  m->references = 1;
  m->memory = memory_of(def, &layout);
  m->stride = layout.stride;
  m->value_offset = layout.value_offset;
  m->slot_count = layout.slot_count;
  m->value_stride = layout.value_stride != 0 ? layout.value_stride : layout.stride;
  m->processors = processors_of(def);
  m->stored_size = bpf_map_is_of_maps(def->type) ? sizeof(void *) : def->value_size;
  if (!allocate(m, &layout)) goto out_of_memory;
  if (m->processor_stride == 0 && !layout.hidden) m->values = m->slots + layout.value_offset;
  m->hash_key = def->flags & BPF_F_ZERO_SEED ? (struct hash_key){0} : *seed;
  if (kind->init != NULL) kind->init(m);
  *map = m;
  return 0;

out_of_memory:
  if (m != NULL) free_map(m);
  if (why != NULL) *why = "no memory for the map; lower its max_entries or give the system more";
  return -ERROR_NO_MEMORY;
}

void bpf_map_hold(struct bpf_map *map) { __atomic_fetch_add(&map->references, 1, __ATOMIC_RELAXED); }

void bpf_map_release(struct bpf_map *map) {
  if (map == NULL || __atomic_sub_fetch(&map->references, 1, __ATOMIC_ACQ_REL) != 0) return;
  const struct bpf_map_kind *kind = kind_of(map->def.type);
  if (kind->clear != NULL) kind->clear(map);
  free_map(map);
}

uint64_t bpf_map_value_at(const struct bpf_map *map, uint64_t address) {
  uint64_t offset = address - (uint64_t)(uintptr_t)map->values;
  const uint64_t extent = (uint64_t)map->slot_count * map->value_stride;
  if (map->values == NULL) return 0;
  if (map->processor_stride != 0) {
    if (offset >= map->processor_stride * map->processors) return 0;
    offset %= map->processor_stride;
  }
  if (offset >= extent) return 0;
  uint64_t in_value = offset % map->value_stride;
  return in_value < map->def.value_size ? address - in_value : 0;
}

bool bpf_map_contains(const struct bpf_map *map, uint64_t address, uint32_t size) {
  uint64_t value = bpf_map_value_at(map, address);
  return value != 0 && size <= map->def.value_size - (address - value);
}

bool bpf_map_same_layout(const struct bpf_map_def *a, const struct bpf_map_def *b) {
  return a->type == b->type && a->key_size == b->key_size && a->value_size == b->value_size &&
         a->max_entries == b->max_entries && a->flags == b->flags && a->spin_lock == b->spin_lock &&
         a->timer == b->timer && a->extra == b->extra && memcmp(&a->inner, &b->inner, sizeof a->inner) == 0;
}

/* --- what a type doesn't have --- */

void *bpf_map_no_lookup(struct bpf_map *map, const void *key) { return NULL; }
long bpf_map_no_update(struct bpf_map *map, const void *key, const void *value, uint64_t flags, uint32_t processor) {
  return -BPF_EINVAL;
}
long bpf_map_no_remove(struct bpf_map *map, const void *key) { return -BPF_EINVAL; }
long bpf_map_no_next_key(struct bpf_map *map, const void *key, void *next) { return -BPF_EINVAL; }
long bpf_map_no_push(struct bpf_map *map, const void *value, uint64_t flags) { return -BPF_EOPNOTSUPP; }
long bpf_map_no_pop(struct bpf_map *map, void *value) { return -BPF_EOPNOTSUPP; }
