/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers: what a program calls by Linux's numbers. Their prototypes are in bpf/proto.h. Private to bpf/.
 */
#ifndef IMAGO_BPF_HELPER_H
#define IMAGO_BPF_HELPER_H

#include "bpf/machine.h"
#include "bpf/proto.h"

/* r1 to r5 have been judged against the prototype, or a proof stands for that. The result is r0. A helper may set m->fault. It
 * doesn't trust the contents of memory that programs write to. The order of arguments is such that native code, which keeps r1
 * to r5 in the registers of the C calling convention, has nothing to move. */
typedef uint64_t bpf_helper_function(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                     struct bpf_machine *m);

/* NULL: not offered. That of bpf_tail_call is what happens when there is no program to go on in: it gives -BPF_EINVAL. */
bpf_helper_function *bpf_helper_code(uint32_t id);

/* Whether arguments r1 to r5 are what the prototype wants. If not, the call is BPF_FAULT_HELPER. */
bool bpf_helper_judge(struct bpf_machine *m, const struct bpf_proto *proto, const uint64_t arguments[5])
    __attribute__((warn_unused_result));

#endif
