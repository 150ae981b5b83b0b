/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fault and panic reports: what happened, where, which element was running, the registers, a backtrace. Goes to the serial port,
 * which needs nothing but the nucleus, and ends the VM with a status of its own. Nothing here allocates or trusts a pointer that
 * it has not compared with the stacks.
 */
#include "kernel/kernel.h"
#include "kernel/platform.h"
#include "lib/bytes.h"
#include "platform/vm/nucleus.h"
#include "platform/vm/vm.h"

extern const char text_start[], text_end[], rodata_start[], rodata_end[], data_start[], data_end[];
extern const char stack_bottom[], stack_top[], fault_stack_bottom[], fault_stack_top[];
extern const char build_id_start[], build_id_end[];

enum { PAGE_FAULT = 14, INVALID_OPCODE = 6, GENERAL_PROTECTION = 13, BACKTRACE_MAX = 32 };
enum { LARGE_PAGE = 2 << 20 };
enum { ERROR_PRESENT = 1, ERROR_WRITE = 2, ERROR_FETCH = 16 };

/* Intel SDM 3A, table 6-1. */
static const char *const vector_names[32] = {"divide error",
                                             "debug exception",
                                             "non-maskable interrupt",
                                             "breakpoint",
                                             "overflow",
                                             "bound range exceeded",
                                             "invalid opcode",
                                             "no floating-point unit",
                                             "double fault",
                                             "coprocessor overrun",
                                             "invalid TSS",
                                             "segment not present",
                                             "stack segment fault",
                                             "general protection fault",
                                             "page fault",
                                             "reserved",
                                             "floating-point error",
                                             "alignment check",
                                             "machine check",
                                             "SIMD floating-point error",
                                             "virtualization exception",
                                             "control protection fault",
                                             "reserved",
                                             "reserved",
                                             "reserved",
                                             "reserved",
                                             "reserved",
                                             "reserved",
                                             "hypervisor injection",
                                             "VMM communication",
                                             "security exception",
                                             "reserved"};

void platform_early_write(const char *text, size_t length) {
  nucleus_gate(NUCLEUS_WRITE, (uint64_t)(uintptr_t)text, length, 0);
}

void serial_printf(const char *format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  size_t length = format_text_list(line, sizeof line, format, arguments);
  va_end(arguments);
  platform_early_write(line, length < sizeof line ? length : sizeof line - 1);
}

static uint64_t place(const char *symbol) { return (uint64_t)(uintptr_t)symbol; }

static bool within(uint64_t address, const char *from, const char *to) {
  return address >= place(from) && address < place(to);
}

/* The sentence a person needs for the usual page faults. */
static const char *explain(const struct fault_frame *frame) {
  uint64_t address = frame->cr2;
  if (frame->vector == INVALID_OPCODE) return "an instruction that ring 3 has not; ud2 is a call only in the gate";
  if (frame->vector == GENERAL_PROTECTION)
    return "a privileged instruction in ring 3, or an address that is not canonical";
  if (frame->vector != PAGE_FAULT) return "";
  if ((frame->error & ERROR_FETCH) != 0) return "executes what is not code";
  if (address < 0x1000) return "null pointer";
  if (address < place(stack_bottom) && address >= place(stack_bottom) - 0x1000) return "stack overflow";
  bool code = within(address, text_start, text_end) || address - CODE_VIRTUAL < LARGE_PAGE;
  if (code && (frame->error & ERROR_WRITE) != 0) return "writes to code";
  if (within(address, rodata_start, rodata_end) && (frame->error & ERROR_WRITE) != 0) return "writes to read-only data";
  if ((frame->error & ERROR_PRESENT) != 0) return "memory that ring 3 may not touch so";
  return "nothing is mapped there";
}

static void print_address(const char *label, uint64_t address) {
  char name[128];
  bool known = kernel_symbol(address, name, sizeof name);
  serial_printf("  %s %016llx%s%s\n", label, (unsigned long long)address, known ? " " : "", known ? name : "");
}

static bool on_a_stack(uint64_t frame) {
  return frame % 16 == 0 &&
         (within(frame, stack_bottom, stack_top) || within(frame, fault_stack_bottom, fault_stack_top));
}

/* Follows the chain of frame pointers (the image is compiled with them) as long as it climbs within a stack. Runs of the same
 * return address, as endless recursion makes them, become one line. */
static void print_backtrace(uint64_t rip, uint64_t frame) {
  serial_printf("backtrace:\n");
  char label[8];
  unsigned printed = 0, repeats = 0;
  for (uint64_t last = 0; printed < BACKTRACE_MAX;) {
    if (rip != last || printed == 0) {
      if (repeats > 0) serial_printf("     (%u more of the same)\n", repeats);
      repeats = 0;
      (void)format_text(label, sizeof label, "#%u", printed++);
      print_address(label, rip);
    } else {
      repeats++;
    }
    if (!on_a_stack(frame)) return;
    uint64_t next = load_le64((const void *)(uintptr_t)frame);
    uint64_t return_to = load_le64((const void *)(uintptr_t)(frame + 8));
    if (next <= frame || !within(return_to, text_start, text_end)) return;
    frame = next;
    last = rip;
    rip = return_to;
  }
}

static void print_context(void) {
  char element[256];
  if (kernel_running_element(element, sizeof element)) serial_printf("element: %s\n", element);
  char id[41] = "";
  /* The note's descriptor follows a 12-byte header and the name "GNU\0". */
  for (unsigned i = 0; i < 20 && build_id_start + 16 + i < build_id_end; i++) {
    (void)format_text(id + 2 * (size_t)i, 3, "%02x", (unsigned)(uint8_t)build_id_start[16 + i]);
  }
  serial_printf("build id: %s\n", id);
}

_Noreturn void fault_entry(const struct fault_frame *frame) {
  const char *name = frame->vector < 32 ? vector_names[frame->vector] : "unknown fault";
  const char *why = explain(frame);
  serial_printf("\nimago: panic: %s", name);
  if (frame->vector == PAGE_FAULT) serial_printf(" at %016llx", (unsigned long long)frame->cr2);
  serial_printf("%s%s\n", why[0] != 0 ? ": " : "", why);
  print_context();
  serial_printf("registers: (vector %llu, error %llx)\n", (unsigned long long)frame->vector,
                (unsigned long long)frame->error);
  static const struct {
    const char *name;
    size_t offset;
  } table[] = {
#define R(r) {#r, offsetof(struct fault_frame, r)}
      R(rax), R(rbx), R(rcx), R(rdx), R(rsi), R(rdi), R(rbp), R(rsp), R(r8),
      R(r9),  R(r10), R(r11), R(r12), R(r13), R(r14), R(r15), R(rip), R(rflags),
#undef R
  };
  for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
    uint64_t value = load_le64((const uint8_t *)frame + table[i].offset);
    serial_printf("  %-6s %016llx%s", table[i].name, (unsigned long long)value, i % 3 == 2 ? "\n" : "");
  }
  print_backtrace(frame->rip, frame->rbp);
  nucleus_gate(NUCLEUS_EXIT, EXIT_PANIC, 0, 0);
  __builtin_unreachable();
}

_Noreturn void vm_panic(const char *why) {
  serial_printf("\nimago: panic: %s\n", why);
  print_context();
  print_backtrace((uint64_t)(uintptr_t)__builtin_return_address(0), (uint64_t)(uintptr_t)__builtin_frame_address(0));
  nucleus_gate(NUCLEUS_EXIT, EXIT_PANIC, 0, 0);
  __builtin_unreachable();
}

_Noreturn void platform_panic(const char *why) { vm_panic(why); }

_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void) { vm_panic("stack smashed: a function wrote past its local variables"); }
