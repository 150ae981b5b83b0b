/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Calls, as the interpreter makes them. Private to it.
 */
#ifndef IMAGO_BPF_INTERPRETER_CALL_H
#define IMAGO_BPF_INTERPRETER_CALL_H

#include "bpf/machine.h"

/* A local call or callx: keeps what the caller wants back, and enters the frame of the function. False: too deep. */
bool bpf_interpret_push_frame(struct bpf_machine *m, uint32_t return_to);
/* The exit of a function that was entered so. The slot of m->program, its caller again, to go on in. */
uint32_t bpf_interpret_pop_frame(struct bpf_machine *m);
/* Calls the helper with r1 to r5. False, and m->fault: there is none, an argument is not what it must be, or something went wrong
 * in it. */
bool bpf_interpret_helper(struct bpf_machine *m, uint32_t id);
/* Whether r1 to r3 are what bpf_tail_call wants. */
bool bpf_interpret_judges_tail_call(struct bpf_machine *m);

#endif
