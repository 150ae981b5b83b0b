/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arguments of helper calls against the prototype, as Linux's verifier judges them (check_func_arg), but at run time.
 */
#include "bpf/helper.h"

struct call {
  struct bpf_machine *m;
  const struct bpf_proto *proto;
  const uint64_t *arguments;
  const struct bpf_map *map; /* the last map argument: it stands before its key and value */
};

static bool judge_map(struct call *c, uint64_t handle) {
  const struct bpf_map *map = bpf_machine_map(c->m, handle);
  c->map = map;
  if (map == NULL || map->def.type >= 64) return false;
  return (c->proto->map_types >> map->def.type & 1) != 0 && (c->proto->map_use & ~bpf_machine_map_rights(map)) == 0;
}

static bool judge(struct call *c, unsigned i) {
  struct bpf_machine *const m = c->m;
  const uint64_t v = c->arguments[i];
  const enum bpf_arg kind = (enum bpf_arg)c->proto->args[i];
  switch (kind) {
    case BPF_ARG_NONE:
    case BPF_ARG_ANY:
    case BPF_ARG_SIZE: /* judged with the memory before it */
    case BPF_ARG_SIZE_OR_ZERO:
    case BPF_ARG_CONST_SIZE:
      return true;
    case BPF_ARG_MAP:
      return judge_map(c, v);
    case BPF_ARG_MAP_KEY:
      return c->map != NULL && bpf_machine_reach(m, v, c->map->def.key_size, BPF_ACCESS_READ) != NULL;
    case BPF_ARG_MAP_VALUE:
      return c->map != NULL && bpf_machine_reach(m, v, c->map->def.value_size, BPF_ACCESS_READ) != NULL;
    case BPF_ARG_MEMORY:
      /* As in Linux, the size is not 0. */
      return c->arguments[i + 1] != 0 && bpf_machine_reach(m, v, c->arguments[i + 1], BPF_ACCESS_READ) != NULL;
    default:
      return false;
  }
}

bool bpf_helper_judge(struct bpf_machine *m, const struct bpf_proto *proto, const uint64_t arguments[5]) {
  struct call call = {m, proto, arguments, NULL};
  for (unsigned i = 0; i < 5 && proto->args[i] != BPF_ARG_NONE; i++) {
    if (!judge(&call, i)) return false;
  }
  return true;
}
