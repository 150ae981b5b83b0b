/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of platform/vm share among themselves: boot information, clock, interrupts, virtio devices, counters. All of it
 * runs in ring 3, on worker 0.
 */
#ifndef IMAGO_PLATFORM_VM_VM_H
#define IMAGO_PLATFORM_VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/list.h"
#include "lib/string.h"
#include "lib/text.h"
#include "packet/nic.h"

static inline uint64_t read_tsc(void) {
  uint32_t low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t)high << 32 | low;
}

/* --- start.c: what the loader said --- */

enum { VM_MAX_VIRTIO = 24 };

/* One `virtio_mmio.device=SIZE@ADDRESS:IRQ` of the command line. */
struct virtio_slot {
  uint64_t address;
  uint32_t irq;
};

struct vm_boot {
  struct slice command_line;
  struct slice archive;
  uint64_t ram_total;   /* bytes */
  uint64_t heap_next;   /* RAM that was not handed out yet: from here ... */
  uint64_t heap_mapped; /* ... it is mapped up to here, a multiple of 2 MiB ... */
  uint64_t heap_end;    /* ... and there is some up to here, a multiple of 2 MiB */
  struct virtio_slot slots[VM_MAX_VIRTIO];
  unsigned slot_count;
};
extern struct vm_boot vm_boot;

/* Reads the PVH start info (Xen, docs/misc/pvh.pandoc); panics with a sentence when it makes no sense. */
void boot_read(uint64_t start_info);

/* --- slots.c --- */

/* Parses every virtio_mmio.device= of the command line into slots (Linux, admin-guide/kernel-parameters). Returns their number;
 * malformed ones, those that name a slot again, and those beyond `max` are left out and counted in *bad. Their order is kept, because it is that of the devices: QEMU fills slots from
 * the highest address down and lists them so, Firecracker goes up. */
unsigned boot_parse_slots(struct slice command_line, struct virtio_slot *slots, unsigned max, unsigned *bad);

/* --- clock.c --- */

/* tsc: at the first instruction. */
void clock_init(uint64_t tsc);
uint64_t clock_now(void);  /* nanoseconds since the first instruction */
uint64_t clock_wall(void); /* nanoseconds since the epoch, 0 when the host tells none */
/* Ticks of the APIC timer for that many nanoseconds, at least 1. Settles the calibration: the timer is about to be used. */
uint64_t clock_timer_ticks(uint64_t nanoseconds);
const char *clock_source(void);
uint64_t clock_tsc_khz(void);
bool clock_on_kvm(void);

/* --- interrupt.c: the I/O APIC, and sleeping --- */

/* Routes I/O APIC pin `irq` (0 to 23) to its vector, edge-triggered. Two register pairs; done when the device first wants it. */
void interrupt_route(unsigned irq);
/* Sleeps until an interrupt or the deadline. Returns the pending lines: bit n is IRQ n. */
uint32_t interrupt_sleep(uint64_t deadline);

/* --- devices --- */

/* Device registers touched so far, reads and writes: what counts on hosts where each traps for 100 us. */
extern uint64_t vm_register_accesses;

/* Counts frames and brings up every virtio-net device, in order of slot. */
void virtio_net_start(void);
unsigned virtio_net_count(void);
struct nic *virtio_net_nic(unsigned index);
/* To be called for each pending line after a sleep. */
void virtio_net_interrupt(unsigned irq);

/* The first virtio-console device, if there is one; its ports imago.control and imago.log become channels. */
void virtio_console_start(void);
void virtio_console_interrupt(unsigned irq);
/* Asks for interrupts; true if there is input already. */
bool virtio_console_arm(void);
void virtio_console_disarm(void);

/* --- fault.c --- */

/* "imago: panic: WHY", registers where there are any, element, backtrace; then the end with status EXIT_PANIC. */
_Noreturn void vm_panic(const char *why);
/* Writes formatted text to the serial port. */
void serial_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
