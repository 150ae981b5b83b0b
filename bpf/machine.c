/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Accesses that are neither to the packet nor to the stack nor to the map value touched last: the context and the values
 * of the program's maps.
 */
#include "bpf/machine.h"

/* As Linux's xdp_is_valid_access: whole aligned fields, and egress_ifindex only for programs on a device map, which are
 * not offered. */
static bool context_allows(const struct bpf_machine *m, uint64_t address, uint64_t size) {
  uint64_t offset = address - (uint64_t)(uintptr_t)&m->context;
  return size == 4 && offset % 4 == 0 && offset < offsetof(struct xdp_md, egress_ifindex);
}

unsigned bpf_machine_map_rights(const struct bpf_map *map) {
  unsigned rights = BPF_ACCESS_READ | BPF_ACCESS_WRITE | BPF_ACCESS_CONTEXT;
  if (map->def.flags & BPF_F_RDONLY_PROG) rights &= ~(unsigned)BPF_ACCESS_WRITE;
  if (map->def.flags & BPF_F_WRONLY_PROG) rights &= ~(unsigned)BPF_ACCESS_READ;
  return rights;
}

void *bpf_machine_search(struct bpf_machine *m, uint64_t address, uint64_t size, unsigned access) {
  if ((access & BPF_ACCESS_CONTEXT) && m->has_context && context_allows(m, address, size)) {
    return (void *)(uintptr_t)address;
  }
  for (uint32_t i = 0; i < m->program->map_count; i++) {
    const struct bpf_map *map = m->program->maps[i];
    uint64_t value = bpf_map_value_at(map, address);
    if (value == 0) continue;
    if (size > map->def.value_size - (address - value)) return NULL;
    if (access & ~bpf_machine_map_rights(map)) return NULL;
    m->value = value;
    m->value_length = map->def.value_size;
    m->value_rights = bpf_machine_map_rights(map);
    return (void *)(uintptr_t)address;
  }
  return NULL;
}

uint64_t bpf_machine_map_handle(const struct bpf_machine *m, uint32_t index) {
  return (uint64_t)(uintptr_t)&m->program->maps[index];
}

struct bpf_map *bpf_machine_map(const struct bpf_machine *m, uint64_t handle) {
  uint64_t offset = handle - (uint64_t)(uintptr_t)m->program->maps;
  uint64_t index = offset / sizeof m->program->maps[0];
  if (offset % sizeof m->program->maps[0] != 0 || index >= m->program->map_count) return NULL;
  return m->program->maps[index];
}
