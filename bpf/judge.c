/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arguments of helper calls against the prototype, as Linux's verifier judges them (check_func_arg), but at run time.
 */
#include "bpf/helper.h"
#include "lib/string.h"

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

static bool judge_memory(struct call *c, unsigned i, unsigned access, bool or_null) {
  const uint64_t size = c->arguments[i + 1];
  if (size != 0) return bpf_machine_reach(c->m, c->arguments[i], size, access) != NULL;
  /* Nothing is touched then. */
  return or_null || c->proto->args[i + 1] == BPF_ARG_SIZE_OR_ZERO;
}

/* Whether v is where a field of the value (def.spin_lock or def.timer, 1 + offset) is. */
static bool judge_field(const struct call *c, uint64_t v, bool timer) {
  uint64_t value;
  const struct bpf_map *map = bpf_machine_value(c->m, v, &value);
  if (map == NULL) return false;
  const uint32_t field = timer ? map->def.timer : map->def.spin_lock;
  return field != 0 && v - value == field - 1;
}

static bool judge_string(const struct call *c, uint64_t v) {
  uint64_t value;
  const struct bpf_map *map = bpf_machine_value(c->m, v, &value);
  if (map == NULL || !(map->def.flags & BPF_F_RDONLY_PROG)) return false;
  return memchr((const void *)(uintptr_t)v, 0, map->def.value_size - (v - value)) != NULL;
}

static bool judge_record(const struct call *c, uint64_t v) {
  for (unsigned i = 0; i < c->m->held_count; i++) {
    const struct bpf_held *held = &c->m->held[i];
    if (held->used && held->address == v) return held->map != NULL;
  }
  return false;
}

static bool judge(struct call *c, unsigned i) {
  struct bpf_machine *const m = c->m;
  const uint64_t v = c->arguments[i];
  const enum bpf_arg kind = (enum bpf_arg)c->proto->args[i];
  const unsigned both = BPF_ACCESS_READ | BPF_ACCESS_WRITE;
  uint32_t slot;
  switch (kind) {
    case BPF_ARG_NONE:
    case BPF_ARG_ANY:
    case BPF_ARG_SIZE: /* judged with the memory before it */
    case BPF_ARG_SIZE_OR_ZERO:
    case BPF_ARG_CONST_SIZE:
      return true;
    case BPF_ARG_CONTEXT:
      return m->has_context && v == bpf_machine_context(m);
    case BPF_ARG_MAP:
      return judge_map(c, v);
    case BPF_ARG_MAP_KEY:
      return c->map != NULL && bpf_machine_reach(m, v, c->map->def.key_size, BPF_ACCESS_READ) != NULL;
    case BPF_ARG_MAP_VALUE:
      return c->map != NULL && bpf_machine_reach(m, v, c->map->def.value_size, BPF_ACCESS_READ) != NULL;
    case BPF_ARG_MAP_VALUE_OUT:
      /* A bloom filter is asked about a value. */
      if (c->map == NULL) return false;
      return bpf_machine_reach(m, v, c->map->def.value_size,
                               c->map->def.type == BPF_MAP_TYPE_BLOOM_FILTER ? BPF_ACCESS_READ : BPF_ACCESS_WRITE) !=
             NULL;
    case BPF_ARG_MEMORY:
      return judge_memory(c, i, BPF_ACCESS_READ, false);
    case BPF_ARG_MEMORY_OR_NULL:
      return judge_memory(c, i, BPF_ACCESS_READ, true);
    case BPF_ARG_MEMORY_OUT:
      return judge_memory(c, i, BPF_ACCESS_WRITE, false);
    case BPF_ARG_MEMORY_OUT_OR_NULL:
      return judge_memory(c, i, BPF_ACCESS_WRITE, true);
    case BPF_ARG_MEMORY_INOUT:
      return judge_memory(c, i, both, false);
    case BPF_ARG_FIXED:
      return bpf_machine_reach(m, v, c->proto->fixed_size, both) != NULL;
    case BPF_ARG_FIXED_OUT:
      return v % c->proto->fixed_size == 0 && bpf_machine_reach(m, v, c->proto->fixed_size, BPF_ACCESS_WRITE) != NULL;
    case BPF_ARG_STRING:
      return judge_string(c, v);
    case BPF_ARG_FUNCTION:
      return bpf_program_function(m->program, v, &slot);
    case BPF_ARG_STACK_OR_NULL:
      return v == 0 || v - m->stack <= m->stack_length;
    case BPF_ARG_SPIN_LOCK:
      return judge_field(c, v, false);
    case BPF_ARG_TIMER:
      return judge_field(c, v, true);
    case BPF_ARG_RECORD:
      return judge_record(c, v);
  }
  return false;
}

bool bpf_helper_judge(struct bpf_machine *m, const struct bpf_proto *proto, const uint64_t arguments[5]) {
  struct call call = {m, proto, arguments, NULL};
  if (m->spin_lock != 0 && !(proto->effects & BPF_EFFECT_LOCKED)) return false;
  if (m->has_context && !(proto->programs & (m->kind == BPF_PROGRAM_XDP ? BPF_FOR_XDP : BPF_FOR_TC))) return false;
  for (unsigned i = 0; i < 5 && proto->args[i] != BPF_ARG_NONE; i++) {
    if (!judge(&call, i)) return false;
  }
  return true;
}
