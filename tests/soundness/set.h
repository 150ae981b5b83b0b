/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a running program has set, followed instruction by instruction. A value that was never set may be copied, but nothing may depend
 * on it: native code leaves it as it is, and it may be what another program left there.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_SET_H
#define IMAGO_TESTS_SOUNDNESS_SET_H

#include "bpf/proto.h"
#include "tests/soundness/running.h"

/* A function begins in a new frame with these registers. */
void set_enter(struct running *r, unsigned registers);
/* A function calls another: what it keeps is kept aside; and has it back. */
void set_call(struct running *r);
void set_return(struct running *r);

enum set_verdict { SET_GOOD, SET_USES_UNSET, SET_FALSE_FRAME };

/* The instruction is about to be executed. It must not use what is not set; SET_FALSE_FRAME: of a frame of which that was a fact. Notes
 * what it sets, but for calls of functions and exits. */
enum set_verdict set_step(struct running *r, struct bpf_insn insn);
/* How many bytes a helper with these arguments reads at argument i; 0: none. */
uint64_t set_reads(const struct running *r, const struct bpf_proto *proto, unsigned i);
/* Whether all these bytes of the stack are set. */
bool set_has(const struct running *r, uint64_t address, uint64_t size);

#endif
