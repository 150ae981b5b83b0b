/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is asked of the analysis: whether an access or a call's arguments are good whatever happens.
 */
#include "bpf/jit_know.h"
#include "lib/bytes.h"

int64_t jit_know_highest(const struct jit_state *s, unsigned reg) {
  return s->reg[reg].kind == KNOW_NUMBER ? jit_highest(s->reg[reg]) : INT64_MAX;
}

static bool context_allows(const struct jit_know *k, int64_t offset, uint32_t size, unsigned access) {
  /* Whole fields of struct xdp_md; of struct __sk_buff those that hold the window, which every program loads. */
  if (size != 4 || offset < 0 || offset % 4 != 0 || (access & BPF_ACCESS_WRITE)) return false;
  if (k->p->program->kind == BPF_PROGRAM_XDP) return offset < (int64_t)offsetof(struct xdp_md, egress_ifindex);
  return offset == (int64_t)offsetof(struct bpf_skb, data) || offset == (int64_t)offsetof(struct bpf_skb, data_end);
}

static bool value_allows(const struct jit_know *k, struct jit_value v, int64_t offset, int64_t end, unsigned access) {
  const struct bpf_map *map = k->p->program->maps[v.map];
  if (map->def.spin_lock != 0 || map->def.timer != 0) return false; /* bytes inside that are not the program's */
  return offset >= 0 && end <= map->def.value_size && (access & ~bpf_machine_map_rights(map)) == 0;
}

bool jit_know_access(const struct jit_know *k, const struct jit_state *s, unsigned reg, int32_t distance, uint32_t size,
                     unsigned access) {
  struct jit_value v = s->reg[reg];
  const int64_t offset = (int64_t)v.offset + distance, end = offset + v.span + size;
  switch ((enum jit_kind)v.kind) {
    case KNOW_CONTEXT:
      return (access & BPF_ACCESS_CONTEXT) && context_allows(k, offset, size, access);
    case KNOW_STACK:
      return offset >= -BPF_STACK_SIZE && end <= 0;
    case KNOW_PACKET:
      return offset >= 0 && end <= s->packet;
    case KNOW_VALUE:
      return value_allows(k, v, offset, end, access);
    default:
      return false;
  }
}

bool jit_know_arguments(const struct jit_know *k, const struct jit_state *s, const struct bpf_proto *proto) {
  const struct bpf_map *map = NULL;
  for (unsigned i = 0; i < 5; i++) {
    struct jit_value v = s->reg[i + 1];
    switch ((enum bpf_arg)proto->args[i]) {
      case BPF_ARG_NONE:
        return true;
      case BPF_ARG_ANY:
        break;
      case BPF_ARG_CONTEXT:
        if (v.kind != KNOW_CONTEXT || v.offset != 0) return false;
        break;
      case BPF_ARG_MAP:
        if (v.kind != KNOW_MAP) return false;
        map = k->p->program->maps[v.map];
        if (!(proto->map_types >> map->def.type & 1) || (proto->map_use & ~bpf_machine_map_rights(map))) return false;
        break;
      case BPF_ARG_MAP_KEY:
        if (map == NULL || !jit_know_access(k, s, i + 1, 0, map->def.key_size, BPF_ACCESS_READ)) return false;
        break;
      case BPF_ARG_MAP_VALUE:
        if (map == NULL || !jit_know_access(k, s, i + 1, 0, map->def.value_size, BPF_ACCESS_READ)) return false;
        break;
      default:
        return false;
    }
  }
  return true;
}
