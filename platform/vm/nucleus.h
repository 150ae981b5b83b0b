/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The contract between ring 0 (nucleus_entry.S, nucleus_code.c) and ring 3 (everything else): the calls through the gate, the frame
 * of a fault, addresses that both sides and the linker script agree on. Included by assembler, C and the linker script.
 */
#ifndef IMAGO_PLATFORM_VM_NUCLEUS_H
#define IMAGO_PLATFORM_VM_NUCLEUS_H

/* Segment selectors, laid out as Linux's: some hosts (KVM without hardware assistance) rely on user CS 0x33, SS 0x2b. */
#define SELECTOR_KERNEL_CODE32 0x08
#define SELECTOR_KERNEL_CODE 0x10
#define SELECTOR_KERNEL_DATA 0x18
#define SELECTOR_USER_DATA 0x2b
#define SELECTOR_USER_CODE 0x33
#define SELECTOR_TSS 0x38

/* Virtual = physical, except for the local APIC, which stands in the hole of the VGA memory, so that an interrupt acknowledges
 * it with one instruction. The second mapping is read-only for ring 3, which reads the timer's count there. */
#define IMAGE_BASE 0x100000
#define LAPIC_VIRTUAL 0xa0000
#define LAPIC_USER_VIRTUAL 0xa1000
#define LAPIC_PHYSICAL 0xfee00000
/* Machine code made at run time runs here, read-only (image.ld.S); heaps end below. */
#define CODE_VIRTUAL 0x7fe00000
/* 2 MiB device pages, uncached, for ring 3: virtio-mmio and the I/O APIC of microvm. */
#define DEVICE_PAGE_VIRTIO 0xfea00000
#define DEVICE_PAGE_IOAPIC 0xfec00000

/* Interrupt vectors: the timer, then one per I/O APIC pin. Vector VECTOR_FIRST + n sets pending bit n. */
#define VECTOR_FIRST 32
#define VECTOR_TIMER 32
#define VECTOR_IRQ 33
#define VECTOR_COUNT 64 /* of the IDT: exceptions and 32 interrupts; the last one takes the APIC's spurious ones */
#define VECTOR_SPURIOUS 63

/* Values written to QEMU's isa-debug-exit; QEMU's exit status is twice that plus one. */
#define EXIT_PORT 0xf4
#define EXIT_REFUSED 0x11 /* status 35: the configuration was refused */
#define EXIT_PANIC 0x21   /* status 67: panic or fault */
#define EXIT_CPU 0x31     /* status 99: the CPU lacks something that the image needs */
#define EXIT_CLEAN 0      /* not written: a reset, which QEMU with -no-reboot ends with status 0 */

/* Calls. Number in rdi, arguments in rsi, rdx, rcx, result in rax; caller-saved registers are lost, as in any C call. */
#define NUCLEUS_SLEEP 0 /* (timer ticks, or 0 for no deadline) -> pending bits, cleared */
#define NUCLEUS_MAP 1   /* (address, count): maps 2 MiB pages of RAM, read-write, no execute -> 0, or 1 if refused */
#define NUCLEUS_WRITE 2 /* (text, length) to the serial port */
#define NUCLEUS_EXIT 3  /* (EXIT_*) does not return */
#define NUCLEUS_PVCLOCK \
  4 /* (address, 0: system clock, 1: wall clock): KVM's paravirtual clock writes there -> 0, or 1 if refused:
                             * not 64-byte aligned in ring 3's data */
#define NUCLEUS_CALLS 5

#ifndef __ASSEMBLER__
#include <stdint.h>

/* What the nucleus hands to fault_entry, in the order in which nucleus_entry.S pushes it. */
struct fault_frame {
  uint64_t cr2;
  uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
  uint64_t vector, error;
  uint64_t rip, cs, rflags, rsp, ss;
};

/* The one door into ring 0: `ud2` at this address; anywhere else it is a fault. */
uint64_t nucleus_gate(uint64_t call, uint64_t a, uint64_t b, uint64_t c);

/* Where ring 3 begins. start_info: physical address of the PVH start info; tsc: time-stamp counter at the first instruction. */
_Noreturn void vm_start(uint64_t start_info, uint64_t tsc);
/* Where a fault of ring 3 goes on, on its own stack. */
_Noreturn void fault_entry(const struct fault_frame *frame);

/* Counted by the nucleus, in ring 3's memory: figures for reports, nothing in ring 0 reads them. */
struct nucleus_status {
  uint64_t calls[NUCLEUS_CALLS];
  uint64_t faults;
};
extern struct nucleus_status nucleus_status;
#endif

#endif
