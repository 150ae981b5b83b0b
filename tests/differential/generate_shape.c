/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shapes that the JIT looks for.
 */
#include "tests/differential/generate_parts.h"

void generate_shape(struct generator *g) {
  unsigned a = number_register(g), b = number_register(g), class = one_in(g, 2) ? BPF_ALU : BPF_ALU64;
  unsigned bits = class == BPF_ALU ? 32 : 64, count = (unsigned)choose(g->c, bits - 1) + 1;
  unsigned c = number_register(g);
  switch (choose(g->c, 18)) {
    case 16: /* product, and sum */
      if (one_in(g, 2)) ADD_INSN(class | BPF_MOV | BPF_X, b, a, 0, 0);
      ADD_INSN(class | BPF_MUL | BPF_K, b, 0, 0, one_in(g, 2) ? 1u + (2u << choose(g->c, 3)) : choose_number(g->c));
      ADD_INSN(class | BPF_ADD | BPF_K, b, 0, 0, choose_number(g->c));
      break;
    case 17: /* low bytes of another register; a sum of another width than the copy */
      ADD_INSN(class | BPF_MOV | BPF_X, b, a, 0, 0);
      ADD_INSN(class | BPF_AND | BPF_K, b, 0, 0, one_in(g, 2) ? 0xff : 0xffff);
      ADD_INSN((bits == 32 ? BPF_ALU64 : BPF_ALU) | BPF_MOV | BPF_X, a, b, 0, 0);
      ADD_INSN(class | BPF_ADD | BPF_X, a, c, 0, 0);
      break;
    case 14: /* a bit, or a few, asked for */
      ADD_INSN(class | BPF_MOV | BPF_X, b, a, 0, 0);
      if (one_in(g, 2)) {
        ADD_INSN(class | BPF_RSH | BPF_K, b, 0, 0, count);
        ADD_INSN(class | BPF_AND | BPF_K, b, 0, 0, 1);
      } else {
        ADD_INSN(class | BPF_AND | BPF_K, b, 0, 0, choose(g->c, 256));
      }
      ADD_INSN(BPF_JMP | (one_in(g, 2) ? BPF_JEQ : BPF_JNE) | BPF_K, b, 0, 1, 0);
      ADD_INSN(class | BPF_ADD | BPF_K, a, 0, 0, choose_number(g->c));
      add_number(g, b);
      break;
    case 15: /* jumps to a jump */
      ADD_INSN(BPF_JMP | BPF_JSGE | BPF_X, b, a, 2, 0);
      ADD_INSN(class | BPF_ADD | BPF_X, a, b, 0, 0);
      ADD_INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0);
      ADD_INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0);
      ADD_INSN(class | BPF_XOR | BPF_K, a, 0, 0, choose_number(g->c));
      break;
    case 10: /* a global variable */
      add_wide(g, 5, BPF_PSEUDO_MAP_VALUE, GENERATE_REGISTERS, 8 * choose(g->c, 9));
      generate_access(g, 5, 0, BPF_DW);
      add_number(g, 5);
      break;
    case 11: /* the low bytes of a field */
      fact(g, BPF_FACT_ACCESS);
      ADD_INSN(BPF_LDX | BPF_MEM | random_size(g), a, 10, -32, 0);
      ADD_INSN(class | BPF_AND | BPF_K, a, 0, 0, one_in(g, 2) ? 0xff : 0xffff);
      break;
    case 12: /* an address that moves */
      ADD_INSN(BPF_ALU64 | BPF_MOV | BPF_X, 5, 10, 0, 0);
      ADD_INSN(BPF_ALU64 | BPF_XOR | BPF_X, b == 5 ? 4 : b, a == 5 ? 4 : a, 0, 0);
      ADD_INSN(BPF_ALU64 | BPF_ADD | BPF_K, 5, 0, 0, -40);
      generate_access(g, 5, 0, BPF_DW);
      generate_access(g, 5, 8, BPF_W);
      add_number(g, 5);
      break;
    case 13: /* a branch over a jump */
      ADD_INSN((one_in(g, 2) ? BPF_JMP : BPF_JMP32) | (one_in(g, 2) ? BPF_JGE : BPF_JEQ) | BPF_X, b, a, 1, 0);
      ADD_INSN(BPF_JMP | BPF_JA, 0, 0, 2, 0);
      ADD_INSN(class | BPF_ADD | BPF_X, a, b, 0, 0);
      ADD_INSN(class | BPF_XOR | BPF_K, a, 0, 0, choose_number(g->c));
      break;
    case 0: /* rotate */
      ADD_INSN(class | BPF_MOV | BPF_X, b, a, 0, 0);
      ADD_INSN(class | BPF_LSH | BPF_K, b, 0, 0, count);
      ADD_INSN(class | BPF_RSH | BPF_K, a, 0, 0, bits - count);
      ADD_INSN(class | BPF_OR | BPF_X, a, b, 0, 0);
      if (one_in(g, 2)) add_number(g, b);
      break;
    case 1: /* zero-extension of old compilers, and sign-extension */
      ADD_INSN(BPF_ALU64 | BPF_LSH | BPF_K, a, 0, 0, 32);
      ADD_INSN(BPF_ALU64 | (one_in(g, 2) ? BPF_RSH : BPF_ARSH) | BPF_K, a, 0, 0, 32);
      break;
    case 2: /* sum of two, or of one and a constant */
      ADD_INSN(class | BPF_MOV | BPF_X, b, a, 0, 0);
      if (one_in(g, 2)) {
        ADD_INSN(class | BPF_ADD | BPF_X, b, number_register(g), 0, 0);
      } else {
        ADD_INSN(class | (one_in(g, 2) ? BPF_ADD : BPF_SUB) | BPF_K, b, 0, 0, choose_number(g->c));
      }
      break;
    case 3: /* a field changed in place */
      fact(g, BPF_FACT_ACCESS);
      ADD_INSN(BPF_LDX | BPF_MEM | BPF_DW, a, 10, -16, 0);
      ADD_INSN(BPF_ALU64 | (one_in(g, 2) ? BPF_ADD : BPF_XOR) | BPF_K, a, 0, 0, choose_number(g->c));
      fact(g, BPF_FACT_ACCESS);
      ADD_INSN(BPF_STX | BPF_MEM | BPF_DW, 10, a, -16, 0);
      if (one_in(g, 2)) add_number(g, a);
      break;
    case 4: /* a field in network byte order */
      fact(g, BPF_FACT_ACCESS);
      ADD_INSN(BPF_LDX | BPF_MEM | (bits == 32 ? BPF_W : BPF_H), a, 10, -8, 0);
      ADD_INSN(BPF_ALU | BPF_END | BPF_X, a, 0, 0, bits == 32 ? 32 : 16);
      break;
    case 5: /* one of two values */
      add_number(g, a);
      ADD_INSN((one_in(g, 2) ? BPF_JMP : BPF_JMP32) | (one_in(g, 2) ? BPF_JGT : BPF_JSLT) | BPF_X, b,
               number_register(g), 1, 0);
      if (one_in(g, 2)) {
        ADD_INSN(class | BPF_MOV | BPF_X, a, number_register(g), 0, 0);
      } else {
        ADD_INSN(class | BPF_MOV | BPF_K, a, 0, 0, choose_number(g->c));
      }
      break;
    case 6: /* a single bit */
      ADD_INSN(BPF_JMP | BPF_JSET | BPF_K, a, 0, 1, 1u << choose(g->c, 32));
      ADD_INSN(class | BPF_XOR | BPF_X, b, a, 0, 0);
      break;
    case 7: /* and-not, mask */
      ADD_INSN(class | BPF_XOR | BPF_K, a, 0, 0, -1);
      ADD_INSN(class | BPF_AND | BPF_X, a, b, 0, 0);
      break;
    case 8: /* rotate, what is rotated kept */
      ADD_INSN(class | BPF_MOV | BPF_X, b, a, 0, 0);
      ADD_INSN(class | BPF_RSH | BPF_K, b, 0, 0, count);
      ADD_INSN(class | BPF_MOV | BPF_X, c, a, 0, 0);
      ADD_INSN(class | BPF_LSH | BPF_K, c, 0, 0, bits - count);
      ADD_INSN(class | BPF_OR | BPF_X, c, b, 0, 0);
      if (one_in(g, 2)) add_number(g, b);
      break;
    default: /* a value from memory used once */
      fact(g, BPF_FACT_ACCESS);
      ADD_INSN(BPF_LDX | BPF_MEM | (bits == 32 ? BPF_W : BPF_DW), a, 10, -24, 0);
      ADD_INSN(class | (one_in(g, 2) ? BPF_ADD : BPF_SUB) | BPF_X, b, a, 0, 0);
      if (one_in(g, 2)) add_number(g, a);
      break;
  }
}
