/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Mutations.
 */
#include "tests/soundness/mutate.h"

#include <string.h>

static int32_t near(struct choices *c, int32_t value) { return value + (int32_t)choose(c, 9) - 4; }

static void set_registers(struct bpf_insn *insn, unsigned dst, unsigned src) { insn->regs = (uint8_t)(dst | src << 4); }

static void mutate_instruction(struct choices *c, struct bpf_insn *insns, uint32_t count, uint32_t at) {
  struct bpf_insn *insn = &insns[at], kept;
  switch (choose(c, 10)) {
    case 0:
      insn->imm = near(c, insn->imm);
      break;
    case 1:
      insn->imm = (int32_t)choose_number(c);
      break;
    case 2:
    case 3:
      insn->off = (int16_t)near(c, insn->off);
      break;
    case 4:
      set_registers(insn, (unsigned)choose(c, 11), bpf_src(*insn));
      break;
    case 5:
      set_registers(insn, bpf_dst(*insn), (unsigned)choose(c, 11));
      break;
    case 6: /* another operation, size or class */
      insn->code ^= (uint8_t)(1u << choose(c, 8));
      break;
    case 7:
      *insn = (struct bpf_insn){.code = BPF_JMP | BPF_JA};
      break;
    case 8:
      *insn = insns[choose(c, count)];
      break;
    default:
      if (at + 1 == count) break;
      kept = insn[1];
      insn[1] = insn[0];
      insn[0] = kept;
      break;
  }
}

void mutate_program(struct choices *c, struct bpf_insn *insns, uint32_t count) {
  for (uint64_t n = 1 + choose(c, 3); n > 0; n--)
    mutate_instruction(c, insns, count, (uint32_t)choose(c, count));
}

size_t mutate_bytes(struct choices *c, uint8_t *bytes, size_t length) {
  for (uint64_t n = 1 + choose(c, 4); n > 0 && length > 0; n--) {
    const size_t at = choose(c, length), behind = length - at - 1;
    switch (choose(c, 6)) {
      case 0:
        bytes[at] ^= (uint8_t)(1u << choose(c, 8));
        break;
      case 1:
        bytes[at] = (uint8_t)choose(c, 256);
        break;
      case 2:
        bytes[at] = (uint8_t)near(c, bytes[at]);
        break;
      case 3:
        memmove(bytes + at, bytes + at + 1, behind);
        length--;
        break;
      case 4:
        memmove(bytes + at + 1, bytes + at, behind + 1);
        length++;
        break;
      default:
        bytes[at] = bytes[choose(c, length)];
        break;
    }
  }
  return length;
}
