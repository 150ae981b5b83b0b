/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The I/O APIC, and sleeping until something comes (Intel 82093AA datasheet). Lines are edge-triggered: a device's line falls when
 * its interrupt status is acknowledged, which is done after each wake-up and at no other time.
 */
#include "kernel/platform.h"
#include "platform/vm/nucleus.h"
#include "platform/vm/vm.h"

enum { IOAPIC_SELECT = 0x00, IOAPIC_WINDOW = 0x10, IOAPIC_REDIRECTION = 0x10 };

uint64_t vm_register_accesses;

static void ioapic_write(uint32_t index, uint32_t value) {
  volatile uint32_t *base = (volatile uint32_t *)(uintptr_t)DEVICE_PAGE_IOAPIC;
  base[IOAPIC_SELECT / 4] = index;
  base[IOAPIC_WINDOW / 4] = value;
  vm_register_accesses += 2;
}

void interrupt_route(unsigned irq) {
  ioapic_write(IOAPIC_REDIRECTION + 2 * irq + 1, 0);            /* to the local APIC with id 0 */
  ioapic_write(IOAPIC_REDIRECTION + 2 * irq, VECTOR_IRQ + irq); /* fixed, active high, edge, not masked */
}

uint32_t interrupt_sleep(uint64_t deadline) {
  uint64_t ticks = 0;
  if (deadline != UINT64_MAX) {
    uint64_t now = clock_now();
    if (deadline <= now) return 0;
    ticks = clock_timer_ticks(deadline - now);
  } else {
    (void)clock_timer_ticks(0);
  }
  return (uint32_t)(nucleus_gate(NUCLEUS_SLEEP, ticks, 0, 0) >> (VECTOR_IRQ - VECTOR_FIRST));
}
