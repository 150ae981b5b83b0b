/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What instructions of the interpreter do that call: frames of functions, helpers, and callbacks from helpers.
 */
#include "bpf/interpreter_call.h"

#include "bpf/helper.h"
#include "lib/string.h"

bool bpf_interpret_judges_tail_call(struct bpf_machine *m) {
  const struct bpf_proto *proto = bpf_proto_find(BPF_HELPER_TAIL_CALL);
  return proto != NULL && bpf_helper_judge(m, proto, &m->reg[1]);
}

bool bpf_interpret_push_frame(struct bpf_machine *m, uint32_t return_to) {
  if (m->depth == BPF_MAX_FRAMES - 1) return false;
  struct bpf_frame *frame = &m->frame[m->depth];
  frame->program = m->program;
  frame->return_to = return_to;
  memcpy(frame->saved, &m->reg[BPF_FIRST_SAVED_REGISTER], sizeof frame->saved);
  bpf_machine_enter_frame(m, m->depth + 1);
  return true;
}

uint32_t bpf_interpret_pop_frame(struct bpf_machine *m) {
  bpf_machine_set_frame(m, m->depth - 1);
  const struct bpf_frame *frame = &m->frame[m->depth];
  memcpy(&m->reg[BPF_FIRST_SAVED_REGISTER], frame->saved, sizeof frame->saved);
  memset(&m->reg[1], 0, 5 * sizeof m->reg[0]);
  m->program = frame->program;
  return frame->return_to;
}

bool bpf_interpret_helper(struct bpf_machine *m, uint32_t id) {
  const struct bpf_proto *proto = bpf_proto_find(id);
  uint64_t *r = m->reg;
  if (proto == NULL || !bpf_helper_judge(m, proto, &r[1])) {
    m->fault = BPF_FAULT_HELPER;
    return false;
  }
  r[0] = bpf_helper_code(id)(r[1], r[2], r[3], r[4], r[5], m);
  memset(&r[1], 0, 5 * sizeof r[0]);
  return m->fault == BPF_FAULT_NONE;
}

/* Registers of the caller are kept aside: the helper that calls back is in the middle of one of its instructions. */
uint64_t bpf_interpret_call(struct bpf_machine *m, uint64_t function, uint64_t r1, uint64_t r2, uint64_t r3,
                            uint64_t r4) {
  uint32_t entry;
  if (!bpf_program_function(m->program, function, &entry)) {
    m->fault = BPF_FAULT_FUNCTION;
    return 0;
  }
  if (m->depth == BPF_MAX_FRAMES - 1) {
    m->fault = BPF_FAULT_FRAMES;
    return 0;
  }
  const struct bpf_program *caller = m->program;
  uint64_t saved[BPF_REGISTERS];
  memcpy(saved, m->reg, sizeof saved);
  memset(m->reg, 0, sizeof m->reg);
  m->reg[1] = r1;
  m->reg[2] = r2;
  m->reg[3] = r3;
  m->reg[4] = r4;
  bpf_machine_enter_frame(m, m->depth + 1);
  uint64_t result = bpf_interpret(m, entry);
  if (m->fault != BPF_FAULT_NONE) return 0;
  bpf_machine_set_frame(m, m->depth - 1);
  memcpy(m->reg, saved, sizeof saved);
  m->program = caller;
  return result;
}
