/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small changes: to a program, mostly such as bpf_check lets pass, and to the bytes of a proof.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_MUTATE_H
#define IMAGO_TESTS_SOUNDNESS_MUTATE_H

#include "tests/differential/choices.h"

void mutate_program(struct choices *c, struct bpf_insn *insns, uint32_t count);
/* Gives the new length, at most length + 4, which there is room for. */
size_t mutate_bytes(struct choices *c, uint8_t *bytes, size_t length);

#endif
