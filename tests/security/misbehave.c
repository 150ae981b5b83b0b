/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An element that does what no element may, for the negative security tests: Misbehave(HOW). It is in no ordinary image: the
 * tests link it in with `imago build --link`. Each behaviour must end in a report and the panic status, never in silence.
 */
#include "click/element.h"
#include "click/router.h"
#include "lib/code_memory.h"
#include "platform/vm/nucleus.h"

struct misbehave {
  struct element element;
  char *how;
  struct task task;
};

static volatile uint8_t data_bytes[16] = {0xc3}; /* a `ret`, which must not run */
static const int constant = 1;

__attribute__((noinline)) static uint64_t overflow(uint64_t depth) {
  volatile uint8_t room[1024];
  room[0] = (uint8_t)depth;
  return depth == UINT64_MAX ? 0 : overflow(depth + 1) + room[0];
}

static void *address(uint64_t value) {
  __asm__("" : "+r"(value)); /* the compiler must not know it */
  return (void *)(uintptr_t)value;
}

__attribute__((noinline)) static void smash(size_t length) {
  char small[16];
  volatile char *out = address((uint64_t)(uintptr_t)small);
  for (size_t i = 0; i < length; i++)
    out[i] = 'x';
}

static void call(uint64_t target) { __asm__ volatile("call *%0" : : "r"(target) : "memory"); }

static void write_text(void) { *(volatile uint8_t *)address((uint64_t)(uintptr_t)write_text) = 0x90; }
static void write_rodata(void) { *(volatile int *)address((uint64_t)(uintptr_t)&constant) = 2; }
static void execute_data(void) { call((uint64_t)(uintptr_t)data_bytes); }
static void execute_stack(void) {
  volatile uint8_t code[1] = {0xc3};
  call((uint64_t)(uintptr_t)code);
}
/* Code memory has two addresses: here each is used for what the other is for. */
static struct code_memory take_code(void) {
  struct code_memory memory = {0};
  if (!code_memory_take(16, &memory)) return memory;
  memset(memory.write, 0xc3, 16);
  call((uint64_t)(uintptr_t)memory.run); /* that it runs is no misbehaviour */
  return memory;
}
static void write_code_memory(void) {
  struct code_memory memory = take_code();
  *(volatile uint8_t *)address((uint64_t)(uintptr_t)memory.run) = 0x90;
}
static void execute_code_memory(void) { call((uint64_t)(uintptr_t)take_code().write); }
static void execute_freed_code(void) {
  struct code_memory memory = take_code();
  code_memory_give(&memory);
  call((uint64_t)(uintptr_t)memory.run);
}
static void page_zero(void) { (void)*(volatile int *)address(8); }
static void call_page_zero(void) { call(0); }
static void stack_overflow(void) { (void)overflow(0); }
static void stack_smash(void) { smash(200); }
static void privileged(void) { __asm__ volatile("cli"); }
static void halt(void) { __asm__ volatile("hlt"); }
static void write_port(void) { __asm__ volatile("outb %b0, %w1" : : "a"(0), "d"(EXIT_PORT)); }
static void write_msr(void) { __asm__ volatile("wrmsr" : : "c"(0xc0000080), "a"(0), "d"(0)); }
static void write_cr3(void) { __asm__ volatile("movq %0, %%cr3" : : "r"(0ul)); }
static void ud2(void) { __asm__ volatile("ud2" : : "D"((uint64_t)NUCLEUS_EXIT), "S"(0ul)); }
static void ud2_behind_gate(void) { call((uint64_t)(uintptr_t)nucleus_gate + 1); }
static void read_nucleus(void) { (void)*(volatile uint64_t *)address(IMAGE_BASE); }
static void write_page_table(void) { *(volatile uint64_t *)address(IMAGE_BASE + 0x1000) = 0; }
static void jump_to_nucleus(void) { call(IMAGE_BASE + 0x200); }
static void divide_by_zero(void) {
  int zero = 0;
  __asm__ volatile("xorl %%edx, %%edx; idivl %0" : : "r"(zero) : "eax", "edx");
}
static void remap_image(void) {
  /* The nucleus refuses: nothing happens here, and the answer is what counts. */
  if (nucleus_gate(NUCLEUS_MAP, 0, 1, 0) != 0 && nucleus_gate(NUCLEUS_MAP, 0xfee00000, 1, 0) != 0 &&
      nucleus_gate(NUCLEUS_MAP, 0x7fe00000, 2, 0) != 0 && nucleus_gate(999, 0, 0, 0) == UINT64_MAX) {
    __asm__ volatile("ud2"); /* refused, all of them: the test looks for this report */
  }
}

static void redirect_clock(void) {
  /* As above. Page tables, the image's text, low memory, and data that are not aligned. */
  uint64_t data = (uint64_t)(uintptr_t)data_bytes | 1;
  if (nucleus_gate(NUCLEUS_PVCLOCK, IMAGE_BASE + 0x1000, 0, 0) == 1 &&
      nucleus_gate(NUCLEUS_PVCLOCK, 0x1000, 1, 0) == 1 &&
      nucleus_gate(NUCLEUS_PVCLOCK, (uint64_t)(uintptr_t)nucleus_gate, 0, 0) == 1 &&
      nucleus_gate(NUCLEUS_PVCLOCK, data, 0, 0) == 1 && nucleus_gate(NUCLEUS_PVCLOCK, UINT64_MAX - 63, 1, 0) == 1) {
    __asm__ volatile("ud2");
  }
}
/* Ring 0 is C, which relies on a clear direction flag; ring 3 keeps its own. */
static void direction_flag(void) {
  __asm__ volatile("std");
  (void)nucleus_gate(NUCLEUS_MAP, 0, 1, 0);
  uint64_t flags;
  __asm__ volatile("pushfq; popq %0; cld" : "=r"(flags));
  if ((flags & 0x400) != 0) __asm__ volatile("ud2");
}

static const struct {
  const char *name;
  void (*act)(void);
} behaviours[] = {
    {"write_text", write_text},
    {"write_rodata", write_rodata},
    {"execute_data", execute_data},
    {"execute_stack", execute_stack},
    {"write_code_memory", write_code_memory},
    {"execute_code_memory", execute_code_memory},
    {"execute_freed_code", execute_freed_code},
    {"page_zero", page_zero},
    {"call_page_zero", call_page_zero},
    {"stack_overflow", stack_overflow},
    {"stack_smash", stack_smash},
    {"privileged", privileged},
    {"halt", halt},
    {"write_port", write_port},
    {"write_msr", write_msr},
    {"write_cr3", write_cr3},
    {"ud2", ud2},
    {"ud2_behind_gate", ud2_behind_gate},
    {"read_nucleus", read_nucleus},
    {"write_page_table", write_page_table},
    {"jump_to_nucleus", jump_to_nucleus},
    {"divide_by_zero", divide_by_zero},
    {"remap_image", remap_image},
    {"redirect_clock", redirect_clock},
    {"direction_flag", direction_flag},
};

static bool misbehave_run(struct task *task) {
  struct misbehave *m = (struct misbehave *)task->element;
  for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++) {
    if (strcmp(m->how, behaviours[i].name) == 0) behaviours[i].act();
  }
  return false;
}

static int misbehave_configure(struct element *e, const struct args *rest, struct report *report) {
  struct misbehave *m = (struct misbehave *)e;
  for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++) {
    if (strcmp(m->how, behaviours[i].name) == 0) return 0;
  }
  return report_error(report, ERROR_INVALID, "HOW: no such behaviour: '%s'", m->how);
}

static int misbehave_initialize(struct element *e, struct report *report) {
  struct misbehave *m = (struct misbehave *)e;
  task_init(&m->task, e->router->scheduler, e, misbehave_run);
  task_schedule(&m->task);
  return 0;
}

static const struct argument arguments[] = {
    {"HOW", ARGUMENT_WORD, ARGUMENT_POSITIONAL | ARGUMENT_MANDATORY, offsetof(struct misbehave, how), "what to do"},
    {NULL, ARGUMENT_WORD, 0, 0, NULL},
};

static const struct element_class misbehave_class = {
    .name = "Misbehave",
    .purpose = "does what no element may, for tests",
    .ports = "0/0",
    .processing = "a/a",
    .size = sizeof(struct misbehave),
    .arguments = arguments,
    .configure = misbehave_configure,
    .initialize = misbehave_initialize,
};
ELEMENT(Misbehave, misbehave_class);
