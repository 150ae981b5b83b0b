/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Instructions as text, in the syntax of llvm-objdump: "r1 = *(u32 *)(r1 + 4)". Map references and helpers go by name.
 */
#ifndef IMAGO_VERIFIER_DISASM_H
#define IMAGO_VERIFIER_DISASM_H

#include "bpf/isa.h"
#include "bpf/map.h"
#include "lib/text.h"

struct disassembly {
  const struct bpf_insn *insns;
  uint32_t insn_count;
  const struct bpf_map_def *maps;
  uint32_t map_count;
};

/* Adds the instruction at slot `index` to out, without '\n'. Returns how many slots it takes: 1, or 2. Bytes that are no
 * instruction give "unknown" and the bytes. */
uint32_t disassemble(const struct disassembly *code, uint32_t index, struct text *out);

#endif
