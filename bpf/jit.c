/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From program to code memory: analysis, translation block by block, layout, and the call of a function of the program by helpers.
 */
#include "bpf/jit.h"

#include "bpf/jit_emit.h"
#include "lib/code_memory.h"
#include "lib/memory.h"

struct native {
  struct bpf_code code;
  struct code_memory memory;
  uint64_t (*enter)(struct bpf_machine *m, const uint8_t *function); /* NULL: nothing to call back */
  uint32_t functions[]; /* where the code of program->functions[i] begins */
};

struct bpf_jit_cpu bpf_jit_this_cpu(void) {
  uint32_t a = 1, b, c = 0, d;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  struct bpf_jit_cpu cpu = {.movbe = (c >> 22 & 1) != 0};
  a = 0;
  c = 0;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  if (a < 7) return cpu;
  a = 7;
  c = 0;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  cpu.bmi1 = (b >> 3 & 1) != 0;
  cpu.bmi2 = (b >> 8 & 1) != 0;
  return cpu;
}

const char *bpf_jit_rule_name(enum bpf_jit_rule rule) {
  static const char *const names[BPF_JIT_RULES] = {
      [BPF_JIT_ROTATE] = "rotation",
      [BPF_JIT_ROTATE_KEPT] = "rotation of a register that is kept",
      [BPF_JIT_TEST] = "test of bits",
      [BPF_JIT_LEA] = "copy and sum by lea",
      [BPF_JIT_SCALED] = "copy, product and sum in one",
      [BPF_JIT_MASKED] = "copy and mask by movzx",
      [BPF_JIT_RECIPROCAL] = "division by multiplication",
      [BPF_JIT_EXTEND] = "extension by shifts",
      [BPF_JIT_ANDN] = "and-not",
      [BPF_JIT_IN_PLACE] = "field changed in place",
      [BPF_JIT_COMPARE_MEMORY] = "comparison in memory",
      [BPF_JIT_OPERAND] = "operand in memory",
      [BPF_JIT_SWAPPED_LOAD] = "load in network byte order",
      [BPF_JIT_NARROW_LOAD] = "load of what a mask leaves",
      [BPF_JIT_CMOV] = "conditional move",
      [BPF_JIT_FOLDED_SUM] = "address that is a copy and a sum",
      [BPF_JIT_FOLDED_MOVE] = "address that is moved",
      [BPF_JIT_FOLDED_VALUE] = "address of a value looked up",
      [BPF_JIT_FOLDED_GLOBAL] = "address of a global variable",
      [BPF_JIT_KEY_CONSTANT] = "array lookup of a constant",
      [BPF_JIT_KEY_ALWAYS_NULL] = "array lookup of a constant out of bounds",
      [BPF_JIT_KEY_REGISTER] = "array lookup of what a register holds",
      [BPF_JIT_KEY_EXTENDED] = "the same, zero-extended",
      [BPF_JIT_KEY_MEMORY] = "array lookup of what is in memory",
      [BPF_JIT_KEY_BOUNDED] = "array lookup of a number that is within bounds",
      [BPF_JIT_HASH_DIRECT] = "hash lookup by a direct call",
      [BPF_JIT_NULL_FUSED] = "bound and null check in one",
      [BPF_JIT_BRANCH_TURNED] = "branch over a jump turned round",
      [BPF_JIT_LOOP_TURNED] = "end of a loop turned round, its budget spent at once",
      [BPF_JIT_PASSAGE] = "jump that nobody passes left out",
      [BPF_JIT_LOOP_HEAD] = "head of a loop copied to its end",
      [BPF_JIT_TAIL_IN_LINE] = "tail call in line",
      [BPF_JIT_TAIL_CONSTANT] = "tail call in line with a constant index",
      [BPF_JIT_TAIL_CALLED] = "tail call by way of C",
      [BPF_JIT_GROUP] = "one check for several accesses",
      [BPF_JIT_RANGE] = "access within a range, without a check",
  };
  return names[rule];
}

/* --- calling back --- */

uint64_t jit_find_function(struct bpf_machine *m, uint64_t address, uint32_t at) {
  const struct bpf_program *program = m->program;
  uint32_t slot;
  m->native_at = at;
  if (!bpf_program_function(program, address, &slot)) {
    m->fault = BPF_FAULT_FUNCTION;
    return 0;
  }
  const struct native *native = (const struct native *)program->code;
  uint32_t i = 0;
  while (program->functions[i] != slot)
    i++;
  return (uint64_t)(uintptr_t)(native->memory.run + native->functions[i]);
}

static uint64_t call_back(struct bpf_machine *m, uint64_t function, uint64_t r1, uint64_t r2, uint64_t r3,
                          uint64_t r4) {
  const struct native *native = (const struct native *)m->program->code;
  uint32_t at = m->native_at;
  uint64_t target = jit_find_function(m, function, at);
  if (target == 0) return 0;
  if (m->depth == BPF_MAX_FRAMES - 1) {
    m->fault = BPF_FAULT_FRAMES;
    return 0;
  }
  uint64_t saved[BPF_REGISTERS];
  memcpy(saved, m->reg, sizeof saved);
  memset(m->reg, 0, sizeof m->reg);
  m->reg[1] = r1;
  m->reg[2] = r2;
  m->reg[3] = r3;
  m->reg[4] = r4;
  uint64_t result = native->enter(m, (const uint8_t *)(uintptr_t)target);
  if (m->fault != BPF_FAULT_NONE) bpf_machine_fault(m, m->fault, m->native_at, m->fault_address);
  memcpy(m->reg, saved, sizeof saved);
  m->native_at = at;
  return m->fault == BPF_FAULT_NONE ? result : 0;
}

typedef uint64_t entry(struct bpf_machine *m);
static entry *entry_at(const struct native *native, uint32_t place) {
  return (entry *)(uintptr_t)(native->memory.run + place);
}

/* Of a program that checks addresses or calls back. Others are entered directly. The window may have moved since native code ran last,
 * and the maps may be another program's. */
static uint64_t run(struct bpf_machine *m) {
  m->call = call_back;
  jit_note_packet(m);
  memset(m->native_value_room, 0, sizeof m->native_value_room);
  const struct native *native = (const struct native *)m->program->code;
  return entry_at(native, 0)(m);
}

static void release(struct bpf_code *code) {
  struct native *native = (struct native *)code;
  if (native->memory.size > 0) code_memory_give(&native->memory);
  memory_free(native);
}

struct bpf_native bpf_jit_code(const struct bpf_program *program) {
  const struct native *native = (const struct native *)program->code;
  return (struct bpf_native){native->memory.run, (uint32_t)native->memory.size};
}

/* --- translation --- */

static uint32_t emit(struct jit *j, uint32_t at) {
  struct bpf_insn insn = j->p.insns[at];
  if (j->p.flags[at] & SLOT_SKIPPED) return jit_behind(&j->p, at) - at;
  uint32_t slots = jit_emit_selected(j, at);
  if (slots != 0) return slots;
  switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
      jit_emit_immediate(j, at);
      return 2;
    case BPF_LDX:
    case BPF_ST:
    case BPF_STX:
      return jit_emit_memory(j, at);
    case BPF_JMP:
    case BPF_JMP32:
      if (BPF_OP(insn.code) == BPF_CALL) return jit_emit_call(j, at);
      if (!jit_is_exit(insn)) return jit_emit_jump(j, at);
      jit_emit_exit(j, at);
      return 1;
    default:
      return jit_emit_alu(j, at);
  }
}

/* Gives the slot of the last instruction. */
static uint32_t emit_slots(struct jit *j, uint32_t index) {
  const struct jit_block *block = &j->p.blocks[index];
  uint32_t last = block->first;
  if (!j->p.proven) j->s = j->know.entry[index];
  if (j->copying) {
    j->charged = block->end; /* see emit_back */
  } else if (block->first == 0 || j->uncharged != block->first) {
    j->charged = block->first;
  }
  j->block_end = block->end;
  memset(j->group_end, 0, sizeof j->group_end);
  for (uint32_t at = block->first; at < block->end && jit_code_reserve(&j->c);) {
    if (!j->copying) jit_label_set(&j->c, at);
    j->low = j->p.low[at];
    if (j->options.executed != NULL) {
      jit_op(&j->c, 0xc6, 0, jit_absolute((int32_t)(uintptr_t)&j->options.executed[at])); /* mov byte [...], 1 */
      jit_byte(&j->c, 1);
    }
    uint32_t slots = emit(j, at), end = at + slots;
    if (j->options.rules != NULL) j->options.rules[at] |= j->rules;
    j->rules = 0;
    while (at < end && at < block->end) {
      last = at;
      if (!j->p.proven) jit_know_step(&j->know, &j->s, at);
      at = jit_behind(&j->p, at);
    }
  }
  return last;
}

void jit_emit_copy(struct jit *j, uint32_t index) {
  memset(j->fold, 0, sizeof j->fold); /* of slots that come once more */
  j->copying = true;
  emit_slots(j, index);
  j->copying = false;
}

static void emit_block(struct jit *j, uint32_t index) {
  const struct jit_block *block = &j->p.blocks[index];
  uint32_t last;
  if (!j->know.entry[index].reached || (index != 0 && j->merged == index)) return;
  if (!j->falls && jit_is_passage(j, block->first)) return;
  jit_plan_lookup(j, block);
  if (j->p.flags[block->first] & SLOT_LOOP) jit_align(&j->c, 31);
  last = emit_slots(j, index);
  if (!jit_is_jump(j->p.insns[last]) && !jit_is_exit(j->p.insns[last])) jit_charge(j, last);
  j->falls = block->next != NO_BLOCK || jit_target(j->p.insns[last], last) == last + 1;
}

static void emit_function(struct jit *j, uint32_t index) {
  const struct jit_function *f = &j->p.functions[index];
  j->function = index;
  j->falls = true;
  if (!jit_code_reserve(&j->c)) return;
  jit_emit_function_entry(j);
  for (uint32_t i = j->p.block_of[f->first]; i < j->p.block_count && j->p.blocks[i].function == index; i++) {
    emit_block(j, i);
  }
  if (jit_code_reserve(&j->c)) jit_emit_function_end(j);
}

static bool translate(struct jit *j) {
  uint32_t labels = j->p.count + j->p.function_count;
  /* Most programs do with so much; else it grows. */
  if (!jit_code_init(&j->c, labels, j->p.count * 5 + JIT_ENTRY_ROOM, j->p.block_count * 2)) return false;
  j->c.length = JIT_ENTRY_ROOM;
  uint32_t *const common[] = {&j->exit_label,     &j->fault_label, &j->reach_label,    &j->group_label,
                              &j->function_label, &j->enter_label, &j->fault_at_label, &j->interpreted_label,
                              &j->start_label,    &j->go_on_label};
  for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
    *common[i] = jit_label_new(&j->c);
  }
  j->counts = j->p.loops || j->p.calls_local || j->p.tail_calls;
  /* Where everything is proven nobody asks where the frame is, but for a tail call that leaves callers behind. */
  j->keeps_frames = j->p.facts == NULL || j->p.callbacks || j->know.escapes || (j->p.tail_calls && j->p.calls_local);
  j->uses_machine = j->uses_stubs = j->p.callbacks;
  for (uint32_t i = 0; i < j->p.function_count; i++) {
    emit_function(j, i);
  }
  /* Enough for the entry, which zeroes a frame at most. */
  if (!jit_code_reserve(&j->c)) return false;
  jit_emit_ends(j);
  if (jit_code_reserve(&j->c)) jit_emit_stubs(j);
  return !j->c.failed;
}

/* --- code memory --- */

static bool all_near(const struct jit_code *c) {
  for (uint32_t i = 0; i < c->fixup_count; i++) {
    if (c->fixups[i].kind == FIXUP_ADDRESS && !code_memory_near(c->fixups[i].target)) return false;
  }
  return true;
}

static int place(struct jit *j, struct native *native, struct report *report) {
  const struct bpf_program *program = j->p.program;
  uint32_t length = jit_layout(&j->c, all_near(&j->c));
  if (!code_memory_take(length, &native->memory)) {
    return report_error(report, ERROR_NO_MEMORY, "no code memory for %u bytes", length);
  }
  jit_link(&j->c, native->memory.write, (uint64_t)(uintptr_t)native->memory.run);
  for (uint32_t at = 0; at < j->p.count && j->options.places != NULL; at++) {
    j->options.places[at] = j->c.labels[at].at == LABEL_UNSET ? UINT32_MAX : jit_label_place(&j->c, at);
  }
  for (uint32_t i = 0; i < program->function_count; i++) {
    uint32_t function = j->p.blocks[j->p.block_of[program->functions[i]]].function;
    native->functions[i] = jit_label_place(&j->c, jit_entry_label(j, function));
  }
  if (!j->p.callbacks) {
    if (!jit_looks_at_memory(j)) native->code.run = entry_at(native, 0);
    native->code.go_on =
        entry_at(native, jit_label_place(&j->c, jit_looks_at_memory(j) ? j->go_on_label : j->start_label));
  } else {
    native->enter = (uint64_t(*)(struct bpf_machine *, const uint8_t *))(
        uintptr_t)(native->memory.run + jit_label_place(&j->c, j->enter_label));
  }
  return 0;
}

static struct native *make_native(const struct bpf_program *program) {
  struct native *native = memory_alloc(sizeof *native + program->function_count * sizeof native->functions[0]);
  if (native == NULL) return NULL;
  native->code = (struct bpf_code){.run = run, .go_on = run, .call = call_back, .release = release};
  return native;
}

int bpf_jit(struct bpf_program *program, const struct bpf_fact *facts, const struct bpf_jit_options *options,
            struct report *report) {
  struct jit j = {0};
  struct native *native = NULL;
  if (options != NULL) {
    j.options = *options;
  } else {
    j.options.cpu = bpf_jit_this_cpu();
  }
  int error = jit_analyse(&j.p, program, facts, report);
  if (error == 0) error = jit_know_all(&j.know, &j.p, j.options.memory, report);
  if (error != 0) goto out;
  native = make_native(program);
  if (native == NULL || !translate(&j)) {
    error = report_error(report, ERROR_NO_MEMORY, "no memory to translate %u instructions", program->insn_count);
    goto out;
  }
  error = place(&j, native, report);
  if (error == 0) {
    /* Workers may be interpreting the program meanwhile. */
    __atomic_store_n(&program->code, &native->code, __ATOMIC_RELEASE);
    native = NULL;
  }
out:
  if (native != NULL) release(&native->code);
  memory_free(j.stubs);
  jit_code_free(&j.c);
  jit_know_free(&j.know);
  jit_analyse_free(&j.p);
  return error;
}
