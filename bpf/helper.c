/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helper calls: arguments are checked against the prototype table (proto.c) before the helper sees them.
 */
#include "bpf/machine.h"
#include "bpf/proto.h"
#include "lib/string.h"

/* What the prototype's pointer arguments turned out to be. The key is a copy: if it lies in a map value, another worker may
 * change it between hashing and storing. */
struct arguments {
  struct bpf_map *map;
  const void *value, *memory;
  uint8_t key[BPF_MAP_MAX_KEY];
};

/* In prototypes the map stands before its key and value. */
static bool check_argument(struct bpf_machine *m, enum bpf_arg kind, unsigned at, struct arguments *a) {
  uint64_t v = m->reg[at];
  const void *key;
  switch (kind) {
    case BPF_ARG_NONE:
    case BPF_ARG_ANY:
    case BPF_ARG_SIZE:
      return true;
    case BPF_ARG_MAP:
      a->map = bpf_machine_map(m, v);
      return a->map != NULL;
    case BPF_ARG_MAP_KEY:
      if (a->map == NULL) return false;
      key = bpf_machine_reach(m, v, a->map->def.key_size, BPF_ACCESS_READ);
      if (key != NULL) memcpy(a->key, key, a->map->def.key_size);
      return key != NULL;
    case BPF_ARG_MAP_VALUE:
      if (a->map == NULL) return false;
      a->value = bpf_machine_reach(m, v, a->map->def.value_size, BPF_ACCESS_READ);
      return a->value != NULL;
    case BPF_ARG_MEMORY:
      /* Prototypes put the size next to it. As in Linux, it is not 0. */
      if (m->reg[at + 1] == 0) return false;
      a->memory = bpf_machine_reach(m, v, m->reg[at + 1], BPF_ACCESS_READ);
      return a->memory != NULL;
  }
  return false;
}

/* A program may look a value up unless it may only write the map, and change the map unless it may only read it. */
static bool map_allows(const struct bpf_map *map, uint32_t helper) {
  unsigned needed = helper == BPF_HELPER_MAP_LOOKUP_ELEM ? BPF_ACCESS_READ : BPF_ACCESS_WRITE;
  return (needed & ~bpf_machine_map_rights(map)) == 0;
}

static uint64_t lookup(struct bpf_machine *m, struct bpf_map *map, const void *key) {
  void *value = map->ops->lookup(map, key);
  if (value == NULL) return 0;
  /* The program is about to touch it. */
  m->value = (uint64_t)(uintptr_t)value;
  m->value_length = map->def.value_size;
  m->value_rights = bpf_machine_map_rights(map);
  return m->value;
}

bool bpf_machine_helper(struct bpf_machine *m, uint32_t id) {
  const struct bpf_proto *proto = bpf_proto_find(id);
  if (proto == NULL) return false;
  struct arguments a;
  a.map = NULL;
  uint64_t *r = m->reg;
  for (unsigned i = 0; i < 5; i++) {
    if (!check_argument(m, (enum bpf_arg)proto->args[i], i + 1, &a)) return false;
  }
  if (a.map != NULL && !map_allows(a.map, id)) return false;

  switch ((enum bpf_helper)id) {
    case BPF_HELPER_MAP_LOOKUP_ELEM:
      r[0] = lookup(m, a.map, a.key);
      break;
    case BPF_HELPER_MAP_UPDATE_ELEM:
      r[0] = (uint64_t)a.map->ops->update(a.map, a.key, a.value, r[4]);
      break;
    case BPF_HELPER_MAP_DELETE_ELEM:
      r[0] = (uint64_t)a.map->ops->remove(a.map, a.key);
      break;
    case BPF_HELPER_KTIME_GET_NS:
      r[0] = m->environment->ktime_ns(m->environment->context);
      break;
    case BPF_HELPER_TRACE_PRINTK:
      r[0] = (uint64_t)bpf_machine_trace(m, a.memory, r[2], &r[3]);
      break;
    case BPF_HELPER_GET_PRANDOM_U32:
      r[0] = m->environment->random_u32(m->environment->context);
      break;
  }
  for (unsigned i = 1; i <= 5; i++) {
    r[i] = 0;
  }
  return true;
}
