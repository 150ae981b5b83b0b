/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Accesses that are neither to the packet nor to the stack nor to the map value touched last: the context and the values
 * of the program's maps.
 */
#include "bpf/machine.h"

/* As Linux's xdp_is_valid_access: loads of whole fields, but egress_ifindex, which is for programs on a device map. */
static bool xdp_allows(uint64_t offset, uint64_t size, bool write) {
  return size == 4 && offset % 4 == 0 && offset < offsetof(struct xdp_md, egress_ifindex) && !write;
}

/* As Linux's tc_cls_act_is_valid_access and bpf_skb_is_valid_access. */
static bool skb_allows(uint64_t offset, uint64_t size, bool write) {
  enum {
    NARROW = 1,   /* parts may be loaded, too */
    WRITABLE = 2, /* whole */
    WIDE = 4,     /* 8 bytes at multiples of 8 */
    PARTS = 8,    /* parts may be stored, too */
  };
  static const struct {
    uint8_t begin, end, rights;
  } fields[] = {
#define FIELD(name, rights) \
  {offsetof(struct bpf_skb, name), offsetof(struct bpf_skb, name) + sizeof(((struct bpf_skb *)0)->name), rights}
      FIELD(len, NARROW),
      FIELD(pkt_type, NARROW),
      FIELD(mark, NARROW | WRITABLE),
      FIELD(queue_mapping, NARROW | WRITABLE),
      FIELD(protocol, NARROW),
      FIELD(vlan_present, NARROW),
      FIELD(vlan_tci, NARROW),
      FIELD(vlan_proto, NARROW),
      FIELD(priority, NARROW | WRITABLE),
      FIELD(ingress_ifindex, NARROW),
      FIELD(ifindex, NARROW),
      FIELD(tc_index, NARROW | WRITABLE),
      FIELD(cb, NARROW | WRITABLE | WIDE | PARTS),
      FIELD(hash, NARROW),
      FIELD(tc_classid, NARROW | WRITABLE),
      FIELD(data, 0),
      FIELD(data_end, 0),
      FIELD(napi_id, NARROW),
      FIELD(data_meta, 0),
      FIELD(tstamp, WRITABLE | WIDE),
      FIELD(wire_len, NARROW),
      FIELD(gso_segs, NARROW),
      FIELD(gso_size, NARROW),
#undef FIELD
  };
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    if (offset < fields[i].begin || offset >= fields[i].end) continue;
    const unsigned rights = fields[i].rights;
    if (offset % size != 0 || (write && !(rights & WRITABLE))) return false;
    if (size == 8) return (rights & WIDE) != 0 && offset % 8 == 0;
    if (size == 4) return fields[i].begin != offsetof(struct bpf_skb, tstamp);
    return (rights & (write ? PARTS : NARROW)) != 0;
  }
  return false;
}

bool bpf_context_allows(enum bpf_program_kind kind, uint64_t offset, uint64_t size, bool write) {
  return kind == BPF_PROGRAM_XDP ? xdp_allows(offset, size, write) : skb_allows(offset, size, write);
}

static bool context_allows(const struct bpf_machine *m, uint64_t address, uint64_t size, unsigned access) {
  return bpf_context_allows(m->kind, address - bpf_machine_context(m), size, (access & BPF_ACCESS_WRITE) != 0);
}

unsigned bpf_machine_map_rights(const struct bpf_map *map) {
  const uint32_t type = map->def.type;
  unsigned rights = BPF_ACCESS_READ | BPF_ACCESS_WRITE | BPF_ACCESS_CONTEXT;
  if (map->def.flags & BPF_F_WRONLY_PROG) rights &= ~(unsigned)BPF_ACCESS_READ;
  if (map->def.flags & BPF_F_RDONLY_PROG || type == BPF_MAP_TYPE_DEVMAP || type == BPF_MAP_TYPE_DEVMAP_HASH ||
      type == BPF_MAP_TYPE_CPUMAP) {
    rights &= ~(unsigned)BPF_ACCESS_WRITE;
  }
  return rights;
}

static bool has_fields(const struct bpf_map *map) { return map->def.spin_lock != 0 || map->def.timer != 0; }

void bpf_machine_note_value(struct bpf_machine *m, const struct bpf_map *map, uint64_t address) {
  m->value = address;
  m->value_length = has_fields(map) ? 0 : map->def.value_size;
  m->value_rights = bpf_machine_map_rights(map);
}

static bool overlap(uint64_t offset, uint64_t size, uint32_t field, uint32_t field_size) {
  return field != 0 && offset < field - 1 + field_size && field - 1 < offset + size;
}

/* Inside one value, and not the lock or timer in it. `value` is where the value begins. */
static bool value_allows(const struct bpf_map *map, uint64_t value, uint64_t address, uint64_t size, unsigned access) {
  const uint64_t offset = address - value;
  if (size > map->def.value_size - offset) return false;
  if (access & ~bpf_machine_map_rights(map)) return false;
  return !overlap(offset, size, map->def.spin_lock, BPF_SPIN_LOCK_SIZE) &&
         !overlap(offset, size, map->def.timer, BPF_TIMER_SIZE);
}

/* The map of those in `maps` that has a value at the address. */
static struct bpf_map *map_with(struct bpf_map *const *maps, uint32_t count, uint64_t address, uint64_t *value) {
  for (uint32_t i = 0; i < count; i++) {
    *value = bpf_map_value_at(maps[i], address);
    if (*value != 0) return maps[i];
  }
  return NULL;
}

struct bpf_map *bpf_machine_value(const struct bpf_machine *m, uint64_t address, uint64_t *value) {
  struct bpf_map *map = map_with(m->program->maps, m->program->map_count, address, value);
  return map != NULL ? map : map_with(m->inner, m->inner_count, address, value);
}

void *bpf_machine_search(struct bpf_machine *m, uint64_t address, uint64_t size, unsigned access) {
  if ((access & BPF_ACCESS_CONTEXT) && m->has_context && context_allows(m, address, size, access)) {
    return (void *)(uintptr_t)address;
  }
  uint64_t offset = address - m->data_meta;
  if (offset < m->data - m->data_meta && size <= m->data - m->data_meta - offset) return (void *)(uintptr_t)address;
  for (unsigned i = 0; i < m->held_count; i++) {
    const struct bpf_held *held = &m->held[i];
    offset = address - held->address;
    if (!held->used || offset >= held->length || size > held->length - offset) continue;
    return held->map != NULL || !(access & BPF_ACCESS_WRITE) ? (void *)(uintptr_t)address : NULL;
  }
  uint64_t value;
  const struct bpf_map *map = bpf_machine_value(m, address, &value);
  if (map == NULL || !value_allows(map, value, address, size, access)) return NULL;
  bpf_machine_note_value(m, map, value);
  return (void *)(uintptr_t)address;
}

uint64_t bpf_machine_map_handle(const struct bpf_machine *m, uint32_t index) {
  return (uint64_t)(uintptr_t)&m->program->maps[index];
}

/* The map in the cell at `handle`, if that is one of these cells. */
static struct bpf_map *map_in(struct bpf_map *const *cells, uint32_t count, uint64_t handle) {
  uint64_t offset = handle - (uint64_t)(uintptr_t)cells;
  uint64_t index = offset / sizeof cells[0];
  return offset % sizeof cells[0] == 0 && index < count ? cells[index] : NULL;
}

struct bpf_map *bpf_machine_map(const struct bpf_machine *m, uint64_t handle) {
  struct bpf_map *map = map_in(m->program->maps, m->program->map_count, handle);
  return map != NULL ? map : map_in(m->inner, m->inner_count, handle);
}

uint64_t bpf_machine_handle_of(struct bpf_machine *m, struct bpf_map *map) {
  for (uint32_t i = 0; i < m->program->map_count; i++) {
    if (m->program->maps[i] == map) return bpf_machine_map_handle(m, i);
  }
  for (uint32_t i = 0; i < m->inner_count; i++) {
    if (m->inner[i] == map) return (uint64_t)(uintptr_t)&m->inner[i];
  }
  if (m->inner_count == BPF_MAX_INNER) return 0;
  m->inner[m->inner_count] = map;
  return (uint64_t)(uintptr_t)&m->inner[m->inner_count++];
}

bool bpf_machine_hold(struct bpf_machine *m, const void *address, uint64_t length, struct bpf_map *map) {
  unsigned i = 0;
  while (i < m->held_count && m->held[i].used) {
    i++;
  }
  if (i == BPF_MAX_HELD) return false;
  m->held[i] = (struct bpf_held){(uint64_t)(uintptr_t)address, length, map, true};
  if (i == m->held_count) m->held_count++;
  return true;
}

bool bpf_machine_take_back(struct bpf_machine *m, uint64_t address, struct bpf_map **map) {
  for (unsigned i = 0; i < m->held_count; i++) {
    if (!m->held[i].used || m->held[i].address != address) continue;
    *map = m->held[i].map;
    m->held[i].used = false;
    return true;
  }
  return false;
}

const struct bpf_program *bpf_machine_tail_target(struct bpf_machine *m, struct bpf_map *map, uint32_t index) {
  if (m->tail_calls == BPF_MAX_TAIL_CALLS) return NULL;
  const struct bpf_program *target = bpf_map_program(map, index);
  /* A program for another kind of context would read what is not there. */
  if (target == NULL || target->insn_count == 0 || target->kind != m->program->kind) return NULL;
  m->tail_calls++;
  m->value_length = 0; /* its maps may be others */
  return target;
}
