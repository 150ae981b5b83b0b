/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers on maps: lookup, update, delete, push, pop, peek, and what bpf_tail_call gives when there is nowhere to go on.
 */
#include "bpf/helper_list.h"
#include "lib/string.h"

uint64_t bpf_helper_map_lookup_elem(uint64_t handle, uint64_t key, uint64_t r3, uint64_t r4, uint64_t r5,
                                    struct bpf_machine *m) {
  struct bpf_map *map = bpf_machine_known_map(handle);
  if (bpf_map_is_of_maps(map->def.type)) {
    struct bpf_map *inner = bpf_map_inner(map, (const void *)(uintptr_t)key);
    return inner != NULL ? bpf_machine_handle_of(m, inner) : 0;
  }
  void *value = map->ops->lookup(map, (const void *)(uintptr_t)key);
  if (value == NULL) return 0;
  uint64_t address = (uint64_t)(uintptr_t)value + m->processor * map->processor_stride;
  bpf_machine_note_value(m, map, address);
  return address;
}

uint64_t bpf_helper_map_lookup_percpu_elem(uint64_t handle, uint64_t key, uint64_t processor, uint64_t r4, uint64_t r5,
                                           struct bpf_machine *m) {
  struct bpf_map *map = bpf_machine_known_map(handle);
  if ((uint32_t)processor >= map->processors) return 0;
  void *value = map->ops->lookup(map, (const void *)(uintptr_t)key);
  if (value == NULL) return 0;
  uint64_t address = (uint64_t)(uintptr_t)value + (uint32_t)processor * map->processor_stride;
  bpf_machine_note_value(m, map, address);
  return address;
}

uint64_t bpf_helper_map_update_elem(uint64_t handle, uint64_t key, uint64_t value, uint64_t flags, uint64_t r5,
                                    struct bpf_machine *m) {
  struct bpf_map *map = bpf_machine_known_map(handle);
  /* If it lies in a map value, another worker may change it between hashing and storing. */
  uint8_t copy[BPF_MAP_MAX_KEY];
  memcpy(copy, (const void *)(uintptr_t)key, map->def.key_size);
  return (uint64_t)map->ops->update(map, copy, (const void *)(uintptr_t)value, flags, m->processor);
}

uint64_t bpf_helper_map_delete_elem(uint64_t handle, uint64_t key, uint64_t r3, uint64_t r4, uint64_t r5,
                                    struct bpf_machine *m) {
  struct bpf_map *map = bpf_machine_known_map(handle);
  uint8_t copy[BPF_MAP_MAX_KEY];
  memcpy(copy, (const void *)(uintptr_t)key, map->def.key_size);
  return (uint64_t)map->ops->remove(map, copy);
}

uint64_t bpf_helper_map_push_elem(uint64_t handle, uint64_t value, uint64_t flags, uint64_t r4, uint64_t r5,
                                  struct bpf_machine *m) {
  struct bpf_map *map = bpf_machine_known_map(handle);
  return (uint64_t)map->ops->push(map, (const void *)(uintptr_t)value, flags);
}

uint64_t bpf_helper_map_pop_elem(uint64_t handle, uint64_t value, uint64_t r3, uint64_t r4, uint64_t r5,
                                 struct bpf_machine *m) {
  struct bpf_map *map = bpf_machine_known_map(handle);
  return (uint64_t)map->ops->pop(map, (void *)(uintptr_t)value);
}

uint64_t bpf_helper_map_peek_elem(uint64_t handle, uint64_t value, uint64_t r3, uint64_t r4, uint64_t r5,
                                  struct bpf_machine *m) {
  struct bpf_map *map = bpf_machine_known_map(handle);
  return (uint64_t)map->ops->peek(map, (void *)(uintptr_t)value);
}

uint64_t bpf_helper_tail_call(uint64_t context, uint64_t handle, uint64_t index, uint64_t r4, uint64_t r5,
                              struct bpf_machine *m) {
  return (uint64_t)-BPF_EINVAL;
}
