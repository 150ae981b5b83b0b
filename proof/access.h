/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory as programs and helpers reach it: is an access inside its object, what does it read, what is known after it wrote.
 * Private to proof/.
 */
#ifndef IMAGO_PROOF_ACCESS_H
#define IMAGO_PROOF_ACCESS_H

#include "proof/step.h"

enum { PROOF_READ = 1, PROOF_WRITE = 2 };
enum { PROOF_ALL_FACTS = 0x1ff };

/* Offsets from the start of the object (of a frame: from its end) where an access may begin. */
struct proof_span {
  int64_t low, high;
};

/* Notes the refusal of the instruction at state->pc; false. `location` is a register, or PROOF_LOCATIONS. Of an unreadable register
 * it is PROOF_READS_UNREADABLE. */
bool proof_refuse(struct proof_scope *scope, const struct proof_state *state, enum proof_failure_kind kind,
                  unsigned location);
/* What a register holds, r10 included. It may be unreadable, which may be copied only. */
const struct proof_value *proof_read(struct proof_scope *scope, const struct proof_state *state, unsigned reg);

/* Type and sizes of map `object` of a value. */
struct bpf_map_shape proof_map_shape(const struct proof_scope *scope, unsigned object);
/* What programs may do with values of such a map: PROOF_READ, PROOF_WRITE. */
unsigned proof_map_rights(const struct bpf_map_shape *shape);
/* What a load of these bytes of the value of a constant map gives, or what is known of any number of that many bytes. */
struct proof_number proof_map_content(const struct proof_scope *scope, unsigned object, int64_t offset, uint64_t size);

/* Whether size bytes (at least 1) at the pointer in `reg`, plus offset, are inside one object and may be accessed so. Not what of them
 * is written. The context is no such object. */
bool proof_reach(struct proof_scope *scope, const struct proof_state *state, unsigned reg, const struct proof_value *p,
                 int64_t offset, uint64_t size, unsigned rights, struct proof_span *span);
/* Whether all bytes of the stack that may be read there are written, and are numbers. */
bool proof_stack_written(struct proof_state *state, unsigned frame, struct proof_span span, uint64_t size);
/* Stores `value`, or, with NULL, something unknown, to the stack. At most 8 bytes with a value. False: refused. */
bool proof_stack_store(struct proof_scope *scope, struct proof_state *state, unsigned frame, struct proof_span span,
                       uint64_t size, const struct proof_value *value);

/* Instructions of the classes LDX, ST and STX, but for state->pc and costs. False: refused. */
bool proof_load(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn);
bool proof_store(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn);
bool proof_atomic(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn);

/* Calls, in call.c; and what a function begins with: what a timer hands over, or a program, or a caller at most. */
void proof_take_arguments(struct proof_scope *scope, struct proof_state *state, const struct proof_argument *arguments);
void proof_timer_arguments(struct proof_scope *scope, struct proof_state *state, uint32_t map);
enum proof_outcome proof_call(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn);

#endif
