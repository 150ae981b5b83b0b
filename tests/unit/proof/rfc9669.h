/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What RFC 9669 says of single instructions, on values: the definition that the abstract ones are held against. Written from the
 * RFC's text and apart from the interpreter, so that a common mistake is unlikely.
 */
#ifndef IMAGO_TESTS_PROOF_RFC9669_H
#define IMAGO_TESTS_PROOF_RFC9669_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/isa.h"

/* Section 4.1 and 4.2: the destination register after the instruction; `operand` is the source register or extended immediate. */
uint64_t rfc_alu(struct bpf_insn insn, uint64_t dst, uint64_t operand);
/* Section 4.3: whether the conditional jump is taken. */
bool rfc_jumps(uint8_t code, uint64_t dst, uint64_t operand);
/* The lower bits with the rest zero or the sign, as loads leave them (section 5). */
uint64_t rfc_extend(uint64_t value, unsigned bits, bool is_signed);

#endif
