/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Accesses that are neither to the packet nor to the stack nor to the map value touched last: the context and the values
 * of the program's maps.
 */
#include "bpf/machine.h"

#include "lib/string.h"

/* As Linux's xdp_is_valid_access: whole aligned fields, and egress_ifindex only for programs on a device map, which are
 * not offered. */
static bool context_allows(const struct bpf_machine *m, uint64_t address, uint64_t size, unsigned access) {
  uint64_t offset = address - bpf_machine_context(m);
  return size == 4 && offset % 4 == 0 && offset < offsetof(struct xdp_md, egress_ifindex) &&
         !(access & BPF_ACCESS_WRITE);
}

unsigned bpf_machine_map_rights(const struct bpf_map *map) {
  unsigned rights = BPF_ACCESS_READ | BPF_ACCESS_WRITE | BPF_ACCESS_CONTEXT;
  if (map->def.flags & BPF_F_RDONLY_PROG) rights &= ~(unsigned)BPF_ACCESS_WRITE;
  if (map->def.flags & BPF_F_WRONLY_PROG) rights &= ~(unsigned)BPF_ACCESS_READ;
  return rights;
}

void bpf_machine_note_value(struct bpf_machine *m, const struct bpf_map *map, uint64_t address) {
  m->value = address;
  m->value_length = map->def.value_size;
  m->value_rights = bpf_machine_map_rights(map);
}

void *bpf_machine_search(struct bpf_machine *m, uint64_t address, uint64_t size, unsigned access) {
  if ((access & BPF_ACCESS_CONTEXT) && m->has_context && context_allows(m, address, size, access)) {
    return (void *)(uintptr_t)address;
  }
  uint64_t offset = address - m->data_meta;
  if (offset < m->data - m->data_meta && size <= m->data - m->data_meta - offset) return (void *)(uintptr_t)address;
  for (uint32_t i = 0; i < m->program->map_count; i++) {
    const struct bpf_map *map = m->program->maps[i];
    uint64_t value = bpf_map_value_at(map, address);
    if (value == 0) continue;
    if (size > map->def.value_size - (address - value)) return NULL;
    if (access & ~bpf_machine_map_rights(map)) return NULL;
    bpf_machine_note_value(m, map, value);
    return (void *)(uintptr_t)address;
  }
  return NULL;
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

const struct bpf_program *bpf_machine_tail_target(struct bpf_machine *m, struct bpf_map *map, uint32_t index) {
  if (m->tail_calls == BPF_MAX_TAIL_CALLS || index >= map->def.max_entries) return NULL;
  const struct bpf_program *target =
      __atomic_load_n((const struct bpf_program **)(void *)map->values + index, __ATOMIC_ACQUIRE);
  if (target != NULL) m->tail_calls++;
  return target;
}
