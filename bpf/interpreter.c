/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The interpreter: RFC 9669 with the conformance groups base32, base64, atomic32, atomic64, divmul32 and divmul64. It checks
 * everything, and is safe on any instruction bytes, whether or not bpf_check has seen them.
 *
 * Each operation ends by going straight to the next (computed goto), through one of two tables by opcode. That of a prepared program
 * with budget to spare leads to the operations. The other leads to `careful`, which looks first: at the budget, and at the
 * instruction if the program was not prepared. What is left of the budget is kept as the address where a straight line would use it
 * up; so only jumps and calls have to keep it, and where they come so near that some line of the program is too long, they change the
 * table. It is exact all the same.
 *
 * Measured on an AMD EPYC virtual machine, gcc 12, in turns with a switch in a loop that counted each instruction: 1.5 to 1.7 ns an
 * instruction of hash, headers, rule list and checksum (2.5 to 3.0).
 */
#include "bpf/arithmetic.h"
#include "bpf/atomic.h"
#include "bpf/interpreter_call.h"
#include "bpf/proto.h"
#include "lib/bytes.h"

enum {
  SLOT = sizeof(struct bpf_insn),
  OPCODES = 256,
  READ = BPF_ACCESS_READ | BPF_ACCESS_CONTEXT,
  WRITE = BPF_ACCESS_WRITE | BPF_ACCESS_CONTEXT,
  BOTH = BPF_ACCESS_READ | BPF_ACCESS_WRITE
};

/* What the operations keep in registers of the machine they run on. */
struct cursor {
  struct bpf_machine *m;
  struct bpf_insn insn;         /* this instruction */
  const struct bpf_insn *next;  /* the slot behind it */
  uint64_t near;                /* from this address on a straight line might use up the budget */
  const void *const *operation; /* by opcode */
  const void *const *careful;   /* what `operation` becomes when it is near */
};

/* How far a straight line of the program may go, in bytes. Of one that was not prepared no line is short enough. */
static inline int64_t longest_line(const struct bpf_program *program) {
  return program->well_formed ? (int64_t)program->insn_count * SLOT : INT64_MAX / 2;
}

/* Bytes that a straight line may go from `next` on until it is near. */
static inline int64_t until_near(const struct cursor *c) { return (int64_t)(c->near - (uint64_t)(uintptr_t)c->next); }

/* Instructions of the budget that are left behind this one. Negative: not even this one. */
static inline int64_t left(const struct cursor *c) { return (until_near(c) + longest_line(c->m->program)) / SLOT; }

/* Where to go after this operation. */
static inline const void *advance(struct cursor *c) {
  c->insn = *c->next++;
  return c->operation[c->insn.code];
}

/* Goes on at this slot of the machine's program, with its budget. */
static inline void place(struct cursor *c, uint32_t slot) {
  const struct bpf_program *program = c->m->program;
  c->next = program->insns + slot;
  c->near = (uint64_t)(uintptr_t)c->next + (uint64_t)(c->m->budget * SLOT - longest_line(program));
  if (until_near(c) < 0) c->operation = c->careful;
}

static inline void jump(struct cursor *c, int64_t slots) {
  c->next += slots;
  c->near += (uint64_t)(slots * SLOT);
  if (until_near(c) < 0) c->operation = c->careful;
}

static inline void jump_if(struct cursor *c, bool holds) {
  if (holds) jump(c, c->insn.off);
}

static inline uint32_t slot_behind(const struct cursor *c) { return (uint32_t)(c->next - c->m->program->insns); }

static inline uint64_t *destination(const struct cursor *c) { return &c->m->reg[bpf_dst(c->insn)]; }
static inline uint64_t *source(const struct cursor *c) { return &c->m->reg[bpf_src(c->insn)]; }

/* Where arithmetic puts its result; at 32 bits the upper half becomes zero. */
static inline void put(const struct cursor *c, uint64_t value) { *destination(c) = value; }
static inline void put32(const struct cursor *c, uint64_t value) { *destination(c) = (uint32_t)value; }

/* What a store writes. */
static inline uint64_t stored(const struct cursor *c) {
  return BPF_CLASS(c->insn.code) == BPF_STX ? *source(c) : (uint64_t)(int64_t)c->insn.imm;
}

/* The address that a load, store or atomic goes to. */
static inline uint64_t loaded_from(const struct cursor *c) { return *source(c) + (uint64_t)c->insn.off; }
static inline uint64_t stored_to(const struct cursor *c) { return *destination(c) + (uint64_t)c->insn.off; }

/* Section 5.4. `at` is the first slot. False: there is no such value. */
static bool load_immediate(const struct bpf_program *program, const struct bpf_insn *at, uint64_t *value) {
  const struct bpf_insn low = at[0], high = at[1];
  uint32_t index = (uint32_t)low.imm;
  switch (bpf_src(low)) {
    case BPF_PSEUDO_IMM:
      *value = (uint64_t)(uint32_t)high.imm << 32 | (uint32_t)low.imm;
      return true;
    case BPF_PSEUDO_MAP:
      *value = (uint64_t)(uintptr_t)&program->maps[index];
      return true;
    case BPF_PSEUDO_MAP_VALUE: {
      /* As in Linux: the map is an array of one entry, the way compilers keep global variables. */
      const struct bpf_map *map = program->maps[index];
      uint32_t offset = (uint32_t)high.imm;
      if (map->def.type != BPF_MAP_TYPE_ARRAY || map->def.max_entries != 1 || offset >= map->def.value_size)
        return false;
      *value = (uint64_t)(uintptr_t)map->values + offset;
      return true;
    }
    default: /* BPF_PSEUDO_FUNC */
      *value = (uint64_t)(uintptr_t)(at + 1 + low.imm);
      return true;
  }
}

uint64_t bpf_interpret(struct bpf_machine *m, uint32_t entry) {
#define EITHER(opcode, label) [(opcode) | BPF_K] = &&label##_k, [(opcode) | BPF_X] = &&label##_x
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
  static const void *const operations[OPCODES] = {
      [0 ... OPCODES - 1] = &&bad_instruction, /* what is not below: unknown, or legacy packet access */
      EITHER(BPF_ALU64 | BPF_ADD, add),
      EITHER(BPF_ALU64 | BPF_SUB, subtract),
      EITHER(BPF_ALU64 | BPF_MUL, multiply),
      EITHER(BPF_ALU64 | BPF_DIV, divide),
      EITHER(BPF_ALU64 | BPF_MOD, modulo),
      EITHER(BPF_ALU64 | BPF_OR, bit_or),
      EITHER(BPF_ALU64 | BPF_AND, bit_and),
      EITHER(BPF_ALU64 | BPF_XOR, bit_xor),
      EITHER(BPF_ALU64 | BPF_LSH, shift_left),
      EITHER(BPF_ALU64 | BPF_RSH, shift_right),
      EITHER(BPF_ALU64 | BPF_ARSH, shift_right_signed),
      [BPF_ALU64 | BPF_NEG] = &&negate,
      EITHER(BPF_ALU64 | BPF_MOV, move),
      [BPF_ALU64 | BPF_END] = &&swap,
      EITHER(BPF_ALU | BPF_ADD, add32),
      EITHER(BPF_ALU | BPF_SUB, subtract32),
      EITHER(BPF_ALU | BPF_MUL, multiply32),
      EITHER(BPF_ALU | BPF_DIV, divide32),
      EITHER(BPF_ALU | BPF_MOD, modulo32),
      EITHER(BPF_ALU | BPF_OR, bit_or32),
      EITHER(BPF_ALU | BPF_AND, bit_and32),
      EITHER(BPF_ALU | BPF_XOR, bit_xor32),
      EITHER(BPF_ALU | BPF_LSH, shift_left32),
      EITHER(BPF_ALU | BPF_RSH, shift_right32),
      EITHER(BPF_ALU | BPF_ARSH, shift_right_signed32),
      [BPF_ALU | BPF_NEG] = &&negate32,
      EITHER(BPF_ALU | BPF_MOV, move32),
      [BPF_ALU | BPF_END | BPF_K] = &&truncate, /* to little-endian */
      [BPF_ALU | BPF_END | BPF_X] = &&swap,     /* to big-endian */
      [BPF_JMP | BPF_JA] = &&jump_always,
      [BPF_JMP32 | BPF_JA] = &&jump_far,
      EITHER(BPF_JMP | BPF_JEQ, jump_equal),
      EITHER(BPF_JMP | BPF_JNE, jump_not_equal),
      EITHER(BPF_JMP | BPF_JSET, jump_set),
      EITHER(BPF_JMP | BPF_JGT, jump_greater),
      EITHER(BPF_JMP | BPF_JGE, jump_greater_equal),
      EITHER(BPF_JMP | BPF_JLT, jump_less),
      EITHER(BPF_JMP | BPF_JLE, jump_less_equal),
      EITHER(BPF_JMP | BPF_JSGT, jump_signed_greater),
      EITHER(BPF_JMP | BPF_JSGE, jump_signed_greater_equal),
      EITHER(BPF_JMP | BPF_JSLT, jump_signed_less),
      EITHER(BPF_JMP | BPF_JSLE, jump_signed_less_equal),
      EITHER(BPF_JMP32 | BPF_JEQ, jump_equal32),
      EITHER(BPF_JMP32 | BPF_JNE, jump_not_equal32),
      EITHER(BPF_JMP32 | BPF_JSET, jump_set32),
      EITHER(BPF_JMP32 | BPF_JGT, jump_greater32),
      EITHER(BPF_JMP32 | BPF_JGE, jump_greater_equal32),
      EITHER(BPF_JMP32 | BPF_JLT, jump_less32),
      EITHER(BPF_JMP32 | BPF_JLE, jump_less_equal32),
      EITHER(BPF_JMP32 | BPF_JSGT, jump_signed_greater32),
      EITHER(BPF_JMP32 | BPF_JSGE, jump_signed_greater_equal32),
      EITHER(BPF_JMP32 | BPF_JSLT, jump_signed_less32),
      EITHER(BPF_JMP32 | BPF_JSLE, jump_signed_less_equal32),
      [BPF_JMP | BPF_CALL] = &&call,
      [BPF_JMP | BPF_CALL | BPF_X] = &&call_register,
      [BPF_JMP | BPF_EXIT] = &&leave,
      [BPF_LD | BPF_IMM | BPF_DW] = &&load_wide,
      [BPF_LDX | BPF_MEM | BPF_B] = &&load8,
      [BPF_LDX | BPF_MEM | BPF_H] = &&load16,
      [BPF_LDX | BPF_MEM | BPF_W] = &&load32,
      [BPF_LDX | BPF_MEM | BPF_DW] = &&load64,
      [BPF_LDX | BPF_MEMSX | BPF_B] = &&load_signed8,
      [BPF_LDX | BPF_MEMSX | BPF_H] = &&load_signed16,
      [BPF_LDX | BPF_MEMSX | BPF_W] = &&load_signed32,
      [BPF_STX | BPF_MEM | BPF_B] = &&store8,
      [BPF_STX | BPF_MEM | BPF_H] = &&store16,
      [BPF_STX | BPF_MEM | BPF_W] = &&store32,
      [BPF_STX | BPF_MEM | BPF_DW] = &&store64,
      [BPF_ST | BPF_MEM | BPF_B] = &&store8,
      [BPF_ST | BPF_MEM | BPF_H] = &&store16,
      [BPF_ST | BPF_MEM | BPF_W] = &&store32,
      [BPF_ST | BPF_MEM | BPF_DW] = &&store64,
      [BPF_STX | BPF_ATOMIC | BPF_W] = &&atomic32,
      [BPF_STX | BPF_ATOMIC | BPF_DW] = &&atomic64,
  };
#pragma GCC diagnostic pop
#undef EITHER
  static const void *const look_first[OPCODES] = {[0 ... OPCODES - 1] = &&careful};
  const unsigned base = m->depth;
  struct cursor c = {.m = m, .operation = operations, .careful = look_first};
  enum bpf_fault_kind fault;
  uint64_t address = 0; /* of the fault */
  void *p;

  m->call = bpf_interpret_call;
  if (entry >= m->program->insn_count) {
    bpf_machine_fault(m, BPF_FAULT_JUMP, entry, 0);
    return 0;
  }
  place(&c, entry);
  goto *advance(&c);

/* Arithmetic and conditional jumps: `action` with operands a and b, of which the second is an immediate or a register. As two
 * operations they take 0.2 ns less each than one that looks which of them it is. */
#define OPERATION(label, action)                                            \
  label##_k : {                                                             \
    const uint64_t a = *destination(&c), b = (uint64_t)(int64_t)c.insn.imm; \
    action;                                                                 \
    goto *advance(&c);                                                      \
  }                                                                         \
  label##_x : {                                                             \
    const uint64_t a = *destination(&c), b = *source(&c);                   \
    action;                                                                 \
    goto *advance(&c);                                                      \
  }

careful:
  fault = BPF_FAULT_BUDGET;
  if (left(&c) < 0) goto out;
  if (!m->program->well_formed) {
    fault = bpf_check_slot(m->program, slot_behind(&c) - 1);
    if (fault != BPF_FAULT_NONE) goto out;
  }
  goto *operations[c.insn.code];

  /* Section 4.1, 64 bits. */
  OPERATION(add, put(&c, a + b))
  OPERATION(subtract, put(&c, a - b))
  OPERATION(multiply, put(&c, a * b))
  OPERATION(bit_or, put(&c, a | b))
  OPERATION(bit_and, put(&c, a & b))
  OPERATION(bit_xor, put(&c, a ^ b))
  OPERATION(divide, put(&c, c.insn.off ? bpf_signed_divide((int64_t)a, (int64_t)b) : bpf_divide(a, b)))
  OPERATION(modulo, put(&c, c.insn.off ? bpf_signed_modulo((int64_t)a, (int64_t)b) : bpf_modulo(a, b)))
  OPERATION(shift_left, put(&c, a << (b & 63)))
  OPERATION(shift_right, put(&c, a >> (b & 63)))
  OPERATION(shift_right_signed, put(&c, (uint64_t)((int64_t)a >> (b & 63))))
negate:
  put(&c, 0u - *destination(&c));
  goto *advance(&c);
move_k:
  put(&c, (uint64_t)(int64_t)c.insn.imm);
  goto *advance(&c);
move_x:
  put(&c, bpf_sign_extend(*source(&c), c.insn.off));
  goto *advance(&c);

  /* The same, 32 bits. */
  OPERATION(add32, put32(&c, a + b))
  OPERATION(subtract32, put32(&c, a - b))
  OPERATION(multiply32, put32(&c, a * b))
  OPERATION(bit_or32, put32(&c, a | b))
  OPERATION(bit_and32, put32(&c, a & b))
  OPERATION(bit_xor32, put32(&c, a ^ b))
  OPERATION(divide32,
            put32(&c, c.insn.off ? bpf_signed_divide((int32_t)a, (int32_t)b) : bpf_divide((uint32_t)a, (uint32_t)b)))
  OPERATION(modulo32,
            put32(&c, c.insn.off ? bpf_signed_modulo((int32_t)a, (int32_t)b) : bpf_modulo((uint32_t)a, (uint32_t)b)))
  OPERATION(shift_left32, put32(&c, a << (b & 31)))
  OPERATION(shift_right32, put32(&c, (uint32_t)a >> (b & 31)))
  OPERATION(shift_right_signed32, put32(&c, (uint32_t)((int32_t)a >> (b & 31))))
negate32:
  put32(&c, 0u - *destination(&c));
  goto *advance(&c);
move32_k:
  put32(&c, (uint32_t)c.insn.imm);
  goto *advance(&c);
move32_x:
  put32(&c, bpf_sign_extend(*source(&c), c.insn.off));
  goto *advance(&c);

  /* Section 4.2. */
truncate:
  put(&c, bpf_truncate(*destination(&c), c.insn.imm));
  goto *advance(&c);
swap:
  put(&c, bpf_swap_bytes(*destination(&c), c.insn.imm));
  goto *advance(&c);

  /* Section 4.3. */
jump_always:
  jump(&c, c.insn.off);
  goto *advance(&c);
jump_far:
  jump(&c, c.insn.imm);
  goto *advance(&c);
  OPERATION(jump_equal, jump_if(&c, a == b))
  OPERATION(jump_not_equal, jump_if(&c, a != b))
  OPERATION(jump_set, jump_if(&c, (a & b) != 0))
  OPERATION(jump_greater, jump_if(&c, a > b))
  OPERATION(jump_greater_equal, jump_if(&c, a >= b))
  OPERATION(jump_less, jump_if(&c, a < b))
  OPERATION(jump_less_equal, jump_if(&c, a <= b))
  OPERATION(jump_signed_greater, jump_if(&c, (int64_t)a > (int64_t)b))
  OPERATION(jump_signed_greater_equal, jump_if(&c, (int64_t)a >= (int64_t)b))
  OPERATION(jump_signed_less, jump_if(&c, (int64_t)a < (int64_t)b))
  OPERATION(jump_signed_less_equal, jump_if(&c, (int64_t)a <= (int64_t)b))
  OPERATION(jump_equal32, jump_if(&c, (uint32_t)a == (uint32_t)b))
  OPERATION(jump_not_equal32, jump_if(&c, (uint32_t)a != (uint32_t)b))
  OPERATION(jump_set32, jump_if(&c, ((uint32_t)a & (uint32_t)b) != 0))
  OPERATION(jump_greater32, jump_if(&c, (uint32_t)a > (uint32_t)b))
  OPERATION(jump_greater_equal32, jump_if(&c, (uint32_t)a >= (uint32_t)b))
  OPERATION(jump_less32, jump_if(&c, (uint32_t)a < (uint32_t)b))
  OPERATION(jump_less_equal32, jump_if(&c, (uint32_t)a <= (uint32_t)b))
  OPERATION(jump_signed_greater32, jump_if(&c, (int32_t)a > (int32_t)b))
  OPERATION(jump_signed_greater_equal32, jump_if(&c, (int32_t)a >= (int32_t)b))
  OPERATION(jump_signed_less32, jump_if(&c, (int32_t)a < (int32_t)b))
  OPERATION(jump_signed_less_equal32, jump_if(&c, (int32_t)a <= (int32_t)b))
#undef OPERATION

call:
  m->budget = left(&c);
  if (bpf_src(c.insn) == BPF_PSEUDO_CALL) {
    fault = BPF_FAULT_FRAMES;
    if (!bpf_interpret_push_frame(m, slot_behind(&c))) goto out;
    jump(&c, c.insn.imm);
    goto *advance(&c);
  }
  if (c.insn.imm == BPF_HELPER_TAIL_CALL) goto tail_call;
  if (!bpf_interpret_helper(m, (uint32_t)c.insn.imm)) {
    fault = m->fault;
    goto out_of_helper;
  }
  place(&c, slot_behind(&c)); /* what it called back used up some of the budget */
  goto *advance(&c);
call_register : {
  uint32_t function;
  fault = BPF_FAULT_FUNCTION;
  if (!bpf_program_function(m->program, *destination(&c), &function)) goto out;
  fault = BPF_FAULT_FRAMES;
  if (!bpf_interpret_push_frame(m, slot_behind(&c))) goto out;
  jump(&c, (int64_t)function - slot_behind(&c));
  goto *advance(&c);
}
leave:
  m->budget = left(&c);
leave_with_budget:
  if (m->depth == base) return m->reg[0];
  place(&c, bpf_interpret_pop_frame(m));
  goto *advance(&c);
tail_call : {
  fault = BPF_FAULT_HELPER;
  if (!bpf_interpret_judges_tail_call(m)) goto out;
  const struct bpf_program *target = bpf_machine_tail_target(m, bpf_machine_map(m, m->reg[2]), (uint32_t)m->reg[3]);
  memset(&m->reg[2], 0, 4 * sizeof m->reg[0]);
  if (target == NULL) {
    m->reg[0] = (uint64_t)-BPF_EINVAL;
    m->reg[1] = 0;
    goto *advance(&c);
  }
  m->reg[0] = 0;
  if (__atomic_load_n(&target->code, __ATOMIC_RELAXED) != NULL) {
    m->reg[0] = bpf_machine_go_on(m, target);
    if (m->fault != BPF_FAULT_NONE) return 0;
    goto leave_with_budget;
  }
  bpf_machine_enter_frame(m, m->depth);
  m->program = target;
  place(&c, 0);
  goto *advance(&c);
}

  /* Section 5. */
load_wide:
  if (!load_immediate(m->program, c.next - 1, destination(&c))) goto bad_instruction;
  c.next++;
  c.near += SLOT; /* two slots, one instruction */
  goto *advance(&c);
load8:
  p = bpf_machine_reach(m, loaded_from(&c), 1, READ);
  if (p == NULL) goto bad_load;
  put(&c, *(uint8_t *)p);
  goto *advance(&c);
load16:
  p = bpf_machine_reach(m, loaded_from(&c), 2, READ);
  if (p == NULL) goto bad_load;
  put(&c, load_le16(p));
  goto *advance(&c);
load32:
  p = bpf_machine_reach(m, loaded_from(&c), 4, READ);
  if (p == NULL) goto bad_load;
  put(&c, load_le32(p));
  goto *advance(&c);
load64:
  p = bpf_machine_reach(m, loaded_from(&c), 8, READ);
  if (p == NULL) goto bad_load;
  put(&c, load_le64(p));
  goto *advance(&c);
load_signed8:
  p = bpf_machine_reach(m, loaded_from(&c), 1, BPF_ACCESS_READ);
  if (p == NULL) goto bad_load;
  put(&c, bpf_sign_extend(*(uint8_t *)p, 8));
  goto *advance(&c);
load_signed16:
  p = bpf_machine_reach(m, loaded_from(&c), 2, BPF_ACCESS_READ);
  if (p == NULL) goto bad_load;
  put(&c, bpf_sign_extend(load_le16(p), 16));
  goto *advance(&c);
load_signed32:
  p = bpf_machine_reach(m, loaded_from(&c), 4, BPF_ACCESS_READ);
  if (p == NULL) goto bad_load;
  put(&c, bpf_sign_extend(load_le32(p), 32));
  goto *advance(&c);
store8:
  p = bpf_machine_reach(m, stored_to(&c), 1, WRITE);
  if (p == NULL) goto bad_store;
  *(uint8_t *)p = (uint8_t)stored(&c);
  goto *advance(&c);
store16:
  p = bpf_machine_reach(m, stored_to(&c), 2, WRITE);
  if (p == NULL) goto bad_store;
  store_le16(p, (uint16_t)stored(&c));
  goto *advance(&c);
store32:
  p = bpf_machine_reach(m, stored_to(&c), 4, WRITE);
  if (p == NULL) goto bad_store;
  store_le32(p, (uint32_t)stored(&c));
  goto *advance(&c);
store64:
  p = bpf_machine_reach(m, stored_to(&c), 8, WRITE);
  if (p == NULL) goto bad_store;
  store_le64(p, stored(&c));
  goto *advance(&c);
atomic32:
  p = bpf_machine_reach(m, stored_to(&c), 4, BOTH);
  if (p == NULL) goto bad_store;
  if ((uintptr_t)p % 4 != 0) goto bad_alignment;
  bpf_atomic32(p, c.insn.imm, source(&c), &m->reg[0]);
  goto *advance(&c);
atomic64:
  p = bpf_machine_reach(m, stored_to(&c), 8, BOTH);
  if (p == NULL) goto bad_store;
  if ((uintptr_t)p % 8 != 0) goto bad_alignment;
  bpf_atomic64(p, c.insn.imm, source(&c), &m->reg[0]);
  goto *advance(&c);

bad_load:
  fault = BPF_FAULT_MEMORY;
  address = loaded_from(&c);
  goto out;
bad_store:
  fault = BPF_FAULT_MEMORY;
  address = stored_to(&c);
  goto out;
bad_alignment:
  fault = BPF_FAULT_ALIGNMENT;
  address = stored_to(&c);
  goto out;
bad_instruction:
  fault = BPF_FAULT_INSTRUCTION;
out:
  m->budget = left(&c);
out_of_helper:
  bpf_machine_fault(m, fault, slot_behind(&c) - 1, address);
  return 0;
}
