/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One invocation of a program from outside: the machine is set up, the engine that the program has runs it, and what it left
 * becomes the result.
 */
#include "bpf/lock.h"
#include "bpf/machine.h"
#include "bpf/ring.h"
#include "lib/string.h"

/* All that a run reads before it writes it. The stack is not touched: frames are zeroed as they come into use. One by one, because
 * compilers make a repeated string instruction of a block, which takes longer than a short program (20 ns here). */
static void prepare(struct bpf_machine *m, const struct bpf_environment *environment) {
  uint64_t *const r = m->reg;
  r[0] = r[1] = r[2] = r[3] = r[4] = r[5] = r[6] = r[7] = r[8] = r[9] = 0;
  m->budget = BPF_MAX_EXECUTED;
  m->fault = BPF_FAULT_NONE;
  m->fault_insn = 0;
  m->fault_address = 0;
  m->fault_program = NULL;
  m->native_at = 0;
  m->tail_calls = 0;
  m->processor = 0;
  m->value_length = 0;
  m->depth = 0;
  m->environment = environment;
  m->call = NULL;
  m->program = NULL;
  m->redirect = (struct bpf_redirect){.kind = BPF_REDIRECT_NONE};
  m->spin_lock = 0;
  m->held_count = m->inner_count = 0;
  m->has_context = false;
  m->kind = BPF_PROGRAM_XDP;
}

void bpf_machine_set_frame(struct bpf_machine *m, unsigned depth) {
  m->depth = depth;
  m->stack_length = (uint64_t)(depth + 1) * BPF_STACK_SIZE;
  m->stack = (uint64_t)(uintptr_t)m->stack_memory + sizeof m->stack_memory - m->stack_length;
  m->reg[BPF_FRAME_REGISTER] = m->stack + BPF_STACK_SIZE;
}

void bpf_machine_enter_frame(struct bpf_machine *m, unsigned depth) {
  bpf_machine_set_frame(m, depth);
  memset((void *)(uintptr_t)m->stack, 0, BPF_STACK_SIZE);
}

/* Native code that the interpreter enters, or that goes on behind it, finds another window perhaps. */
static void forget_room(struct bpf_machine *m) {
  m->native_room[0] = m->native_room[1] = m->native_room[2] = m->native_room[3] = 0;
}

uint64_t bpf_machine_go_on(struct bpf_machine *m, const struct bpf_program *program) {
  const struct bpf_program *const caller = m->program;
  uint64_t (*const call)(struct bpf_machine *, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t) = m->call;
  /* Code may be published while others interpret (bpf_jit); no run changes its engine. */
  const struct bpf_code *code = __atomic_load_n(&program->code, __ATOMIC_ACQUIRE);
  m->program = program;
  uint64_t r0;
  if (code != NULL) {
    bpf_machine_set_frame(m, m->depth); /* native code zeroes what it can reach of it */
    forget_room(m);
    r0 = code->run(m);
    if (m->fault != BPF_FAULT_NONE) bpf_machine_fault(m, m->fault, m->native_at, m->fault_address);
  } else {
    bpf_machine_enter_frame(m, m->depth);
    r0 = bpf_interpret(m, 0);
  }
  m->program = caller;
  m->call = call;
  forget_room(m);
  return r0;
}

/* What the program should have given back. */
static void finish(struct bpf_machine *m) {
  if (m->spin_lock != 0) bpf_unlock((uint32_t *)(uintptr_t)m->spin_lock);
  for (unsigned i = 0; i < m->held_count; i++) {
    if (m->held[i].used && m->held[i].map != NULL) bpf_ring_submit((void *)(uintptr_t)m->held[i].address, true);
  }
}

static void conclude(struct bpf_machine *m, const struct bpf_program *program, uint64_t r0, struct bpf_result *result) {
  finish(m);
  result->r0 = m->fault == BPF_FAULT_NONE ? r0 : 0;
  result->fault = m->fault;
  result->fault_insn = m->fault_insn;
  result->fault_address = m->fault_address;
  result->executed = (uint32_t)(BPF_MAX_EXECUTED - (m->budget > 0 ? m->budget : 0));
  result->fault_program = m->fault_program;
  result->data_meta = m->data_meta;
  result->data = m->data;
  result->data_end = m->data + m->data_length;
  result->redirect = m->redirect;
  if (m->has_context && program->kind == BPF_PROGRAM_TC) result->skb = m->context.skb;
}

static void run(struct bpf_machine *m, const struct bpf_program *program, struct bpf_result *result) {
  conclude(m, program, bpf_machine_go_on(m, program), result);
}

static void set_context(struct bpf_machine *m, enum bpf_program_kind kind, const struct bpf_input *input) {
  const uint32_t data = (uint32_t)m->data, data_end = (uint32_t)(m->data + m->data_length);
  m->has_context = true;
  m->kind = kind;
  if (kind == BPF_PROGRAM_XDP) {
    m->context.xdp =
        (struct xdp_md){data, data_end, (uint32_t)m->data_meta, input->ingress_ifindex, input->rx_queue_index, 0};
    return;
  }
  if (input->skb != NULL) {
    m->context.skb = *input->skb;
  } else {
    m->context.skb = (struct bpf_skb){0};
  }
  m->context.skb.len = (uint32_t)m->data_length;
  m->context.skb.data = data;
  m->context.skb.data_end = data_end;
  m->context.skb.data_meta = (uint32_t)m->data_meta;
  m->context.skb.ingress_ifindex = input->ingress_ifindex;
}

void bpf_run(const struct bpf_program *program, const struct bpf_environment *environment,
             const struct bpf_input *input, struct bpf_result *result) {
  struct bpf_machine m;
  prepare(&m, environment);
  m.data = input->data;
  m.data_length = input->data_end > input->data ? input->data_end - input->data : 0;
  m.data_meta = input->data_meta != 0 && input->data_meta < input->data ? input->data_meta : input->data;
  m.buffer_start = input->buffer_start != 0 ? input->buffer_start : m.data_meta;
  m.buffer_end = input->buffer_end != 0 ? input->buffer_end : m.data + m.data_length;
  m.processor = input->processor;
  set_context(&m, program->kind, input);
  m.reg[1] = bpf_machine_context(&m);
  run(&m, program, result);
}

void bpf_run_memory(const struct bpf_program *program, const struct bpf_environment *environment, void *memory,
                    uint32_t length, struct bpf_result *result) {
  struct bpf_machine m;
  prepare(&m, environment);
  m.data = m.data_meta = m.buffer_start = (uint64_t)(uintptr_t)memory;
  m.data_length = length;
  m.buffer_end = m.data + length;
  m.reg[1] = m.data;
  m.reg[2] = length;
  run(&m, program, result);
}

void bpf_run_callback(const struct bpf_program *program, const struct bpf_environment *environment, uint32_t processor,
                      uint64_t function, struct bpf_map *map, uint32_t slot, const void *key,
                      struct bpf_result *result) {
  struct bpf_machine m;
  prepare(&m, environment);
  m.program = program;
  m.processor = processor;
  m.data = m.data_length = m.data_meta = m.buffer_start = m.buffer_end = 0; /* there is no packet */
  bpf_machine_set_frame(&m, 0);
  m.stack_length = 0; /* there is no frame above the callback's */
  bpf_machine_hold(&m, key, map->def.key_size, NULL);
  /* Nobody goes through the entry of native code, which does this otherwise. */
  forget_room(&m);
  memset(m.native_value_room, 0, sizeof m.native_value_room);
  uint64_t value = (uint64_t)(uintptr_t)(map->values + (size_t)slot * map->value_stride);
  const struct bpf_code *code = __atomic_load_n(&program->code, __ATOMIC_ACQUIRE);
  m.call = code != NULL && code->call != NULL ? code->call : bpf_interpret_call;
  uint64_t r0 = m.call(&m, function, bpf_machine_handle_of(&m, map), (uint64_t)(uintptr_t)key, value, 0);
  conclude(&m, program, r0, result);
}
