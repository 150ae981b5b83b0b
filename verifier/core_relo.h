/* SPDX-License-Identifier: BSD-3-Clause
 *
 * CO-RE relocations, resolved against the object's own BTF: here the target has exactly the types that the program was compiled
 * with, so field offsets stand as compiled, and everything that the program asks about exists.
 */
#ifndef IMAGO_VERIFIER_CORE_RELO_H
#define IMAGO_VERIFIER_CORE_RELO_H

#include "verifier/layout.h"
#include "verifier/type_info.h"

/* Applies all records about instructions that have a place in `insns`. -ERROR_UNSUPPORTED for type ids, which mean nothing
 * outside a kernel. btf may be NULL. */
int core_relocate(const struct layout *layout, const struct btf *btf, struct bpf_insn *insns, uint32_t count,
                  struct report *report) MUST_USE;

#endif
