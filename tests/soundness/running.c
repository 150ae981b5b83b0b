/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How runs begin and end, as bpf/run.c has it.
 */
#include "tests/soundness/running.h"

#include <string.h>

#include "bpf/ring.h"
#include "tests/soundness/set.h"

static void clear(struct running *r, const struct bpf_program *program, const struct bpf_environment *environment) {
  memset(r, 0, sizeof *r);
  r->m.program = program;
  r->m.environment = environment;
  r->m.kind = program->kind;
  r->active_count = 1;
}

void running_begin(struct running *r, const struct bpf_program *program, const struct bpf_environment *environment,
                   const struct bpf_input *input) {
  struct bpf_machine *m = &r->m;
  clear(r, program, environment);
  m->data = input->data;
  m->data_length = input->data_end - input->data;
  m->data_meta = input->data_meta != 0 ? input->data_meta : input->data;
  m->buffer_start = input->buffer_start;
  m->buffer_end = input->buffer_end;
  m->has_context = true;
  uint32_t data = (uint32_t)input->data, end = (uint32_t)input->data_end, meta = (uint32_t)m->data_meta;
  if (m->kind == BPF_PROGRAM_XDP) {
    m->context.xdp = (struct xdp_md){data, end, meta, input->ingress_ifindex, input->rx_queue_index, 0};
  } else {
    m->context.skb = (struct bpf_skb){.len = end - data, .data = data, .data_end = end, .data_meta = meta};
  }
  bpf_machine_enter_frame(m, 0);
  m->reg[1] = bpf_machine_context(m);
  set_enter(r, 1u << 1);
}

bool running_begin_timer(struct running *r, const struct bpf_program *program,
                         const struct bpf_environment *environment, uint32_t root, uint32_t number, uint32_t map,
                         uint32_t slot, uint8_t *key) {
  struct bpf_map *of = program->maps[map];
  struct bpf_machine *m = &r->m;
  if (!of->ops->key_at(of, slot, key)) return false;
  clear(r, program, environment);
  bpf_machine_enter_frame(m, 0);
  bpf_machine_hold(m, key, of->def.key_size, NULL);
  m->reg[1] = bpf_machine_map_handle(m, map);
  m->reg[2] = (uint64_t)(uintptr_t)key;
  m->reg[3] = (uint64_t)(uintptr_t)(of->values + (size_t)slot * of->value_stride);
  bpf_machine_enter_frame(m, 1);
  r->active[0] = (struct activation){.root = root, .program = number, .base = 1};
  set_enter(r, 1u << 1 | 1u << 2 | 1u << 3);
  return true;
}

unsigned running_records(const struct bpf_machine *m) {
  unsigned count = 0;
  for (unsigned i = 0; i < m->held_count; i++)
    count += m->held[i].used && m->held[i].map != NULL;
  return count;
}

bool running_holds(const struct running *r) { return running_records(&r->m) > 0 || r->m.spin_lock != 0; }

void running_end(struct running *r) {
  struct bpf_machine *m = &r->m;
  if (m->spin_lock != 0) *(uint32_t *)(uintptr_t)m->spin_lock = 0;
  for (unsigned i = 0; i < m->held_count; i++) {
    if (m->held[i].used && m->held[i].map != NULL) bpf_ring_submit((void *)(uintptr_t)m->held[i].address, true);
  }
}
