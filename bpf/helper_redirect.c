/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where a packet shall go: bpf_redirect, bpf_redirect_map, bpf_clone_redirect (Linux: net/core/filter.c, include/linux/filter.h).
 * They note the target in the machine; whoever ran the program sends the packet if the verdict says so.
 */
#include "bpf/helper_list.h"
#include "lib/bytes.h"

enum { F_INGRESS = 1, F_ACTION = 3, F_BROADCAST = 8, F_EXCLUDE_INGRESS = 16 };

uint64_t bpf_helper_redirect(uint64_t ifindex, uint64_t flags, uint64_t r3, uint64_t r4, uint64_t r5,
                             struct bpf_machine *m) {
  const bool xdp = m->kind == BPF_PROGRAM_XDP;
  if (flags & ~(uint64_t)(xdp ? 0 : F_INGRESS)) return xdp ? XDP_ABORTED : TC_ACT_SHOT;
  m->redirect = (struct bpf_redirect){
      .kind = BPF_REDIRECT_PORT, .target = (uint32_t)ifindex, .ingress = (flags & F_INGRESS) != 0};
  return xdp ? XDP_REDIRECT : (uint64_t)TC_ACT_REDIRECT;
}

/* An entry that is not there gives the verdict in the low bits of flags. */
uint64_t bpf_helper_redirect_map(uint64_t handle, uint64_t key, uint64_t flags, uint64_t r4, uint64_t r5,
                                 struct bpf_machine *m) {
  struct bpf_map *map = bpf_machine_known_map(handle);
  const bool processor = map->def.type == BPF_MAP_TYPE_CPUMAP;
  const uint64_t allowed = processor ? F_ACTION : F_ACTION | F_BROADCAST | F_EXCLUDE_INGRESS;
  if (flags & ~allowed) return XDP_ABORTED;
  struct bpf_redirect redirect = {.map = map};
  if (flags & F_BROADCAST) {
    redirect.kind = BPF_REDIRECT_ALL;
    redirect.exclude_ingress = (flags & F_EXCLUDE_INGRESS) != 0;
  } else {
    const uint32_t index = (uint32_t)key;
    const uint32_t *entry = map->ops->lookup(map, &index);
    if (entry == NULL) {
      m->redirect = (struct bpf_redirect){.kind = BPF_REDIRECT_NONE};
      return flags & F_ACTION;
    }
    redirect.kind = processor ? BPF_REDIRECT_PROCESSOR : BPF_REDIRECT_PORT;
    redirect.target = processor ? index : __atomic_load_n(entry, __ATOMIC_RELAXED);
  }
  m->redirect = redirect;
  return XDP_REDIRECT;
}

uint64_t bpf_helper_clone_redirect(uint64_t context, uint64_t ifindex, uint64_t flags, uint64_t r4, uint64_t r5,
                                   struct bpf_machine *m) {
  const struct bpf_environment *environment = m->environment;
  if ((flags & ~(uint64_t)F_INGRESS) || environment->clone_redirect == NULL) return (uint64_t)-BPF_EINVAL;
  return (uint64_t)environment->clone_redirect(environment->context, m, (uint32_t)ifindex, flags);
}
