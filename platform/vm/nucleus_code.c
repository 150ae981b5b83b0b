/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ring 0, the C half: the calls behind the gate, and what becomes of a fault. Compiled for general registers only. Nothing here
 * loops over more than it must: on KVM without hardware assistance each instruction is emulated (design, section 1).
 */
#include "platform/vm/nucleus.h"

#define SERIAL_DATA 0x3f8
#define PAGE_LARGE_RAM 0x8000000000000087ull /* present, writable, user, 2 MiB, no execute */
#define LARGE_PAGE 0x200000ull
#define RAM_LIMIT ((uint64_t)CODE_VIRTUAL)
#define MSR_KVM_WALL_CLOCK_NEW 0x4b564d00u
#define MSR_KVM_SYSTEM_TIME_NEW 0x4b564d01u

/* Laid out by image.ld.S. */
extern uint64_t page_ram[];                 /* two page directories, 0 to 2 GiB */
extern const char image_large_end[];        /* end of the image, rounded up to 2 MiB: RAM may be mapped from here */
extern const char data_start[], data_end[]; /* ring 3's own data */

uint32_t nucleus_pending;     /* bit n: vector VECTOR_FIRST + n came */
static uint32_t fault_active; /* a fault was handed over: its report is the last thing ring 3 does */
/* These two lie in ring 3's data: information for reports, on which nothing here depends. */
__attribute__((section(".shared"))) struct nucleus_status nucleus_status;
static __attribute__((section(".shared"))) struct fault_frame fault_copy;

static volatile uint32_t *lapic(unsigned offset) { return (volatile uint32_t *)(LAPIC_VIRTUAL + (uintptr_t)offset); }

static void out8(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

static void write_msr(uint32_t msr, uint64_t value) {
  __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static void write_serial(const char *text, uint64_t length) {
  for (uint64_t i = 0; i < length; i++) {
    if (text[i] == '\n') out8(SERIAL_DATA, '\r');
    out8(SERIAL_DATA, (uint8_t)text[i]);
  }
}

_Noreturn static void leave(uint64_t code) {
  if (code == EXIT_CLEAN) {
    /* A reset by triple fault: the one way that every microvm offers, and QEMU's status 0 with -no-reboot. */
    static const struct __attribute__((packed)) {
      uint16_t limit;
      uint64_t base;
    } none = {0, 0};
    __asm__ volatile("lidt %0; ud2" : : "m"(none));
  }
  out8(EXIT_PORT, (uint8_t)code);
  for (;;)
    __asm__ volatile("cli; hlt");
}

/* Arms the timer, if there is a deadline, and halts until something is pending. Interrupts are off here, so nothing is missed
 * between the test and the halt: sti takes effect after hlt has begun (Intel SDM 2B, STI). */
static uint64_t sleep(uint64_t ticks) {
  if (nucleus_pending == 0) {
    if (ticks != 0) {
      *lapic(0x320) = VECTOR_TIMER; /* one-shot, not masked */
      *lapic(0x380) = ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
    }
    __asm__ volatile("sti; hlt; cli" : : : "memory");
    if (ticks != 0) *lapic(0x320) = 0x10000 | VECTOR_TIMER;
  }
  uint32_t pending = *(volatile uint32_t *)&nucleus_pending;
  nucleus_pending = 0;
  return pending;
}

/* RAM between the image and CODE_VIRTUAL only: nothing that is mapped already can change, and nothing becomes executable. */
static uint64_t map(uint64_t address, uint64_t count) {
  if (address % LARGE_PAGE != 0 || address < (uint64_t)(uintptr_t)image_large_end || address >= RAM_LIMIT ||
      count > (RAM_LIMIT - address) / LARGE_PAGE) {
    return 1;
  }
  uint64_t *entry = &page_ram[address / LARGE_PAGE];
  for (uint64_t value = address | PAGE_LARGE_RAM; count > 0; count--, value += LARGE_PAGE)
    *entry++ = value;
  return 0;
}

/* KVM writes to the address by itself, past the page tables: only ring 3's own data will do. Both structures fit into 64 bytes. */
static uint64_t pvclock(uint64_t address, uint64_t which) {
  if (address % 64 != 0 || address < (uint64_t)(uintptr_t)data_start || address >= (uint64_t)(uintptr_t)data_end)
    return 1;
  write_msr(which == 0 ? MSR_KVM_SYSTEM_TIME_NEW : MSR_KVM_WALL_CLOCK_NEW, which == 0 ? address | 1 : address);
  return 0;
}

uint64_t nucleus_call(uint64_t call, uint64_t a, uint64_t b, uint64_t c);
uint64_t nucleus_call(uint64_t call, uint64_t a, uint64_t b, uint64_t c) {
  (void)c;
  if (call < NUCLEUS_CALLS) nucleus_status.calls[call]++;
  switch (call) {
    case NUCLEUS_SLEEP:
      return sleep(a);
    case NUCLEUS_MAP:
      return map(a, b);
    case NUCLEUS_WRITE:
      write_serial((const char *)a, b);
      return 0;
    case NUCLEUS_EXIT:
      leave(a);
    case NUCLEUS_PVCLOCK:
      return pvclock(a, b);
    default:
      return UINT64_MAX;
  }
}

static void write_text(const char *text) {
  uint64_t length = 0;
  while (text[length] != 0)
    length++;
  write_serial(text, length);
}

static void write_hex(const char *name, uint64_t value) {
  char digits[17];
  for (int i = 15; i >= 0; i--, value >>= 4)
    digits[i] = "0123456789abcdef"[value & 15];
  write_text(name);
  write_serial(digits, 16);
}

/* Ring 3's first fault is ring 3's to report. A fault of ring 0, a double fault, or a fault while a report is being written has
 * only this left. */
const struct fault_frame *nucleus_fault(const struct fault_frame *frame);
const struct fault_frame *nucleus_fault(const struct fault_frame *frame) {
  nucleus_status.faults++;
  if ((frame->cs & 3) == 3 && frame->vector != 8 && fault_active == 0) {
    fault_active = 1;
    fault_copy = *frame;
    return &fault_copy;
  }
  write_text((frame->cs & 3) == 3 ? "\nimago: panic: fault while reporting a fault"
                                  : "\nimago: panic: fault in the nucleus");
  write_hex("\n  vector ", frame->vector);
  write_hex(" error ", frame->error);
  write_hex("\n  rip    ", frame->rip);
  write_hex(" rsp   ", frame->rsp);
  write_hex("\n  cr2    ", frame->cr2);
  write_hex(" rbp   ", frame->rbp);
  write_text("\n");
  leave(EXIT_PANIC);
}
