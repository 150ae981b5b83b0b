/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Maps from outside: reading, writing, listing.
 */
#include "bpf/map_text.h"

#include "bpf/map_type.h"
#include "bpf/ring.h"
#include "lib/memory.h"

static bool is_queue(const struct bpf_map *map) {
  return map->def.type == BPF_MAP_TYPE_QUEUE || map->def.type == BPF_MAP_TYPE_STACK;
}

/* Types whose entries are values. */
static bool has_values(const struct bpf_map *map) { return map->values != NULL || is_queue(map); }

uint32_t bpf_map_outside_size(const struct bpf_map *map) {
  if (map->processor_stride == 0) return map->def.value_size;
  return (uint32_t)align_up(map->def.value_size, 8) * map->processors;
}

/* --- bytes --- */

/* Not the lock itself: it is 1 just now. */
static void copy_value(const struct bpf_map *map, uint8_t *to, uint8_t *from) {
  const uint32_t lock = map->def.spin_lock, timer = map->def.timer;
  if (lock != 0) bpf_lock((uint32_t *)(void *)(from + lock - 1));
  bpf_load_words(to, from, map->def.value_size);
  if (lock != 0) bpf_unlock((uint32_t *)(void *)(from + lock - 1));
  if (lock != 0) memset(to + lock - 1, 0, BPF_SPIN_LOCK_SIZE);
  if (timer != 0) memset(to + timer - 1, 0, BPF_TIMER_SIZE);
}

long bpf_map_get(struct bpf_map *map, const void *key, void *value) {
  if (map->def.flags & BPF_F_WRONLY) return -BPF_EPERM;
  if (!has_values(map)) return -BPF_EOPNOTSUPP;
  if (is_queue(map)) return map->ops->peek(map, value);
  uint8_t *from = map->ops->look != NULL ? map->ops->look(map, key) : map->ops->lookup(map, key);
  if (from == NULL) return -BPF_ENOENT;
  if (map->processor_stride == 0) {
    copy_value(map, value, from);
    return 0;
  }
  const size_t step = align_up(map->def.value_size, 8);
  memset(value, 0, step * map->processors);
  for (uint32_t p = 0; p < map->processors; p++) {
    bpf_load_words((uint8_t *)value + p * step, from + p * map->processor_stride, map->def.value_size);
  }
  return 0;
}

/* A program's constants: a proof may stand on them. */
static bool is_constant(const struct bpf_map *map) {
  return map->def.type == BPF_MAP_TYPE_ARRAY && (map->def.flags & BPF_F_RDONLY_PROG) &&
         (map->def.flags & BPF_F_MMAPABLE);
}

long bpf_map_set(struct bpf_map *map, const void *key, const void *value, uint64_t flags) {
  if ((map->def.flags & BPF_F_RDONLY) || is_constant(map)) return -BPF_EPERM;
  if (is_queue(map) || map->def.type == BPF_MAP_TYPE_BLOOM_FILTER) return map->ops->push(map, value, flags);
  if (!has_values(map)) return -BPF_EOPNOTSUPP;
  return map->ops->update(map, key, value, flags, BPF_ALL_PROCESSORS);
}

long bpf_map_erase(struct bpf_map *map, const void *key) {
  if ((map->def.flags & BPF_F_RDONLY) || is_constant(map)) return -BPF_EPERM;
  if (is_queue(map)) {
    void *value = memory_alloc(map->def.value_size);
    if (value == NULL) return -BPF_ENOMEM;
    long result = map->ops->pop(map, value);
    memory_free(value);
    return result;
  }
  return has_values(map) ? map->ops->remove(map, key) : -BPF_EOPNOTSUPP;
}

/* --- text --- */

static const struct bpf_map_types no_types = {NULL, BPF_NO_TYPE, BPF_NO_TYPE};

struct lister {
  struct text *out;
  struct bpf_map *map;
  const struct bpf_map_types *types;
  enum bpf_text_style style;
  uint8_t *value;     /* bpf_map_outside_size */
  const char *before; /* what separates this entry from the one before */
};

static bool is_json(const struct lister *l) { return l->style == BPF_STYLE_JSON; }

static void add_value(const struct lister *l, const uint8_t *value) {
  bpf_types_format(l->out, l->types->types, l->types->value, value, l->map->def.value_size, l->style);
}

static void add_values(const struct lister *l) {
  if (l->map->processor_stride == 0) {
    add_value(l, l->value);
    return;
  }
  for (uint32_t p = 0; p < l->map->processors; p++) {
    if (p != 0) text_add(l->out, is_json(l) ? ", " : " ");
    add_value(l, l->value + p * align_up(l->map->def.value_size, 8));
  }
}

/* The name of the inner map, or "program"; NULL when the entry is none of both. */
static const char *object_name(struct bpf_map *map, const void *key) {
  if (map->def.type == BPF_MAP_TYPE_PROG_ARRAY) return bpf_map_program(map, load_le32(key)) != NULL ? "program" : NULL;
  const struct bpf_map *inner = bpf_map_inner(map, key);
  return inner != NULL ? inner->def.name : NULL;
}

static long add_entry(const struct lister *l, const void *key) {
  const bool object = bpf_map_is_of_maps(l->map->def.type) || l->map->def.type == BPF_MAP_TYPE_PROG_ARRAY;
  const bool per_cpu = l->map->processor_stride != 0;
  const char *name = object ? object_name(l->map, key) : NULL;
  long result = object ? (name != NULL ? 0 : -BPF_ENOENT) : bpf_map_get(l->map, key, l->value);
  if (result != 0) return result;
  text_add(l->out, l->before);
  if (is_json(l)) text_add(l->out, "{\"key\": ");
  bpf_types_format(l->out, l->types->types, l->types->key, key, l->map->def.key_size, l->style);
  if (is_json(l)) {
    text_add(l->out, per_cpu ? ", \"values\": [" : ", \"value\": ");
  } else {
    text_add(l->out, ": ");
  }
  if (object) {
    text_addf(l->out, is_json(l) ? "\"%s\"" : "%s", name);
  } else {
    add_values(l);
  }
  if (is_json(l)) text_add(l->out, per_cpu ? "]}" : "}");
  return 0;
}

static long lister_init(struct lister *l, struct text *out, struct bpf_map *map, const struct bpf_map_types *types,
                        enum bpf_text_style style) {
  *l = (struct lister){out, map, types != NULL ? types : &no_types, style, NULL, ""};
  l->value = memory_alloc(bpf_map_outside_size(map) + 8);
  return l->value != NULL ? 0 : -BPF_ENOMEM;
}

long bpf_map_format(struct text *out, struct bpf_map *map, const struct bpf_map_types *types, const void *key,
                    enum bpf_text_style style) {
  struct lister l;
  long result = lister_init(&l, out, map, types, style);
  if (result == 0) result = add_entry(&l, key);
  memory_free(l.value);
  return result;
}

/* Rings, bloom filters, queues: what can be said without taking anything. */
static void add_summary(const struct lister *l) {
  const struct bpf_map *map = l->map;
  uint64_t pending = 0;
  for (uint32_t i = 0; i < map->ring_count; i++) {
    pending += bpf_ring_pending(&map->rings[i]);
  }
  if (map->ring_count != 0) {
    text_addf(l->out, is_json(l) ? "{\"pending\": %llu, \"lost\": %llu}" : "pending %llu bytes, lost %llu records\n",
              (unsigned long long)pending, (unsigned long long)bpf_map_lost_records(map));
  } else {
    text_addf(l->out, is_json(l) ? "{\"entries\": %u}" : "entries %u\n",
              __atomic_load_n(&map->count, __ATOMIC_RELAXED));
  }
}

static void add_all(struct lister *l, uint32_t limit) {
  uint8_t key[BPF_MAP_MAX_KEY] __attribute__((aligned(8))) = {0},
                               next[BPF_MAP_MAX_KEY] __attribute__((aligned(8))) = {0};
  bool more = l->map->ops->next_key(l->map, NULL, key) == 0;
  if (is_json(l)) text_add(l->out, "[");
  for (uint32_t step = 0; more && step < limit; step++) {
    if (add_entry(l, key) == 0) {
      if (is_json(l)) {
        l->before = ",\n ";
      } else {
        text_add(l->out, "\n");
      }
    }
    more = l->map->ops->next_key(l->map, key, next) == 0;
    memcpy(key, next, l->map->def.key_size);
  }
  if (is_json(l)) text_add(l->out, "]");
}

void bpf_map_dump(struct text *out, struct bpf_map *map, const struct bpf_map_types *types, uint32_t limit,
                  enum bpf_text_style style) {
  struct lister l;
  if (lister_init(&l, out, map, types, style) != 0) {
    out->failed = true;
    return;
  }
  if (map->def.key_size == 0 || map->ring_count != 0) {
    add_summary(&l);
  } else {
    add_all(&l, limit);
  }
  memory_free(l.value);
}

int bpf_map_parse_key(struct slice text, const struct bpf_map *map, const struct bpf_map_types *types, void *key,
                      struct report *report) {
  if (types == NULL) types = &no_types;
  return bpf_types_parse(text, types->types, types->key, key, map->def.key_size, report);
}

/* Cuts off the first element of a list, up to a ',' outside of brackets and strings. */
static struct slice take_element(struct slice *list) {
  unsigned depth = 0;
  bool quoted = false;
  size_t i = 0;
  for (; i < list->length; i++) {
    const char c = list->data[i];
    if (c == '\\' && quoted) {
      i++;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '[' || c == '{')) {
      depth++;
    } else if (!quoted && depth > 0 && (c == ']' || c == '}')) {
      depth--;
    } else if (!quoted && depth == 0 && c == ',') {
      break;
    }
  }
  if (i > list->length) i = list->length;
  struct slice element = {list->data, i};
  const size_t skip = i < list->length ? i + 1 : i;
  list->data += skip;
  list->length -= skip;
  return element;
}

int bpf_map_parse_value(struct slice text, const struct bpf_map *map, const struct bpf_map_types *types, void *value,
                        struct report *report) {
  if (types == NULL) types = &no_types;
  const uint32_t size = map->def.value_size;
  const bool is_array = types->types != NULL && types->value < types->types->type_count &&
                        types->types->types[types->value].kind == BPF_TYPE_ARRAY;
  struct slice list = slice_trim(text);
  if (map->processor_stride == 0) return bpf_types_parse(text, types->types, types->value, value, size, report);
  const size_t step = align_up(size, 8);
  memset(value, 0, step * map->processors);
  /* One value for all; of a type that is an array itself, a list of them stands in brackets twice. */
  const bool listed = list.length > 1 && list.data[0] == '[' && list.data[list.length - 1] == ']' &&
                      (!is_array || slice_trim((struct slice){list.data + 1, list.length - 1}).data[0] == '[');
  if (listed) list = (struct slice){list.data + 1, list.length - 2};
  for (uint32_t p = 0; p < map->processors; p++) {
    struct slice element = listed ? take_element(&list) : list;
    int status = bpf_types_parse(element, types->types, types->value, (uint8_t *)value + p * step, size, report);
    if (status != 0) return status;
  }
  if (listed && slice_trim(list).length != 0) {
    return report_error(report, ERROR_INVALID, "more values than the %u processors", map->processors);
  }
  return 0;
}

/* --- records --- */

int64_t bpf_map_read_record(struct bpf_map *map, uint32_t ring, void *to, size_t room) {
  return ring < map->ring_count ? bpf_ring_read(&map->rings[ring], to, room) : -1;
}

uint64_t bpf_map_lost_records(const struct bpf_map *map) {
  uint64_t lost = 0;
  for (uint32_t i = 0; i < map->ring_count; i++) {
    lost += __atomic_load_n(&map->rings[i].lost, __ATOMIC_RELAXED);
  }
  return lost;
}
