/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Monotonic time from the TSC. Its frequency comes from the host (KVM's paravirtual clock, or CPUID); where the host says nothing,
 * it is calibrated against the APIC timer over the course of the boot: until then the timer itself is the clock, so that nothing
 * ever waits. QEMU's and KVM's APIC timers count nanoseconds (APIC_BUS_CYCLE_NS of both is 1).
 */
#include <cpuid.h>

#include "kernel/platform.h"
#include "platform/vm/nucleus.h"
#include "platform/vm/vm.h"

/* Linux, Documentation/virt/kvm/x86/msr.rst. */
struct pvclock_time {
  uint32_t version, pad0;
  uint64_t tsc_timestamp, system_time;
  uint32_t tsc_to_system_mul;
  int8_t tsc_shift;
  uint8_t flags, pad[2];
};
struct pvclock_wall {
  uint32_t version, sec, nsec;
};

static const uint64_t settle_after = 20 * 1000 * 1000; /* 20 ms of boot give the ratio to 1 in 10,000 */

static struct {
  uint64_t first_tsc;         /* at the first instruction */
  uint64_t base_tsc, base_ns; /* a point of the line */
  uint64_t scale;             /* nanoseconds per tick, 32.32 fixed point; 0: not known yet */
  uint64_t start_ns;          /* estimated time from the first instruction to base_tsc */
  uint64_t wall_base;         /* wall clock at time 0 */
  uint32_t start_count;       /* of the APIC timer at base_tsc */
  bool kvm;
  const char *source;
} clock;

static volatile struct pvclock_time pvclock __attribute__((aligned(64)));
static volatile struct pvclock_wall pvwall __attribute__((aligned(64)));

static uint32_t timer_count(void) { return *(volatile uint32_t *)(LAPIC_USER_VIRTUAL + 0x390ul); }

/* TSC and timer at one moment. The host may take the CPU away between the two reads: of a few tries the tightest counts. */
static uint64_t sample(uint32_t *count) {
  uint64_t best = UINT64_MAX, at = 0;
  *count = 0;
  for (int tries = 0; tries < 5; tries++) {
    uint64_t before = read_tsc();
    uint32_t now = timer_count();
    uint64_t gap = read_tsc() - before;
    if (gap >= best) continue;
    best = gap;
    at = before + gap / 2;
    *count = now;
  }
  return at;
}

static uint64_t scale_ticks(uint64_t ticks) { return (uint64_t)((unsigned __int128)ticks * clock.scale >> 32); }

static uint64_t scale_from_khz(uint64_t khz) { return ((uint64_t)1000000 << 32) / khz; }

/* KVM says how many nanoseconds a tick has. */
static uint64_t scale_from_pvclock(void) {
  nucleus_gate(NUCLEUS_PVCLOCK, (uint64_t)(uintptr_t)&pvclock, 0, 0);
  if (pvclock.version == 0 || (pvclock.version & 1) != 0 || pvclock.tsc_to_system_mul == 0) return 0;
  if (pvclock.tsc_shift < -31 || pvclock.tsc_shift > 31) return 0;
  uint64_t scale = pvclock.tsc_to_system_mul;
  return pvclock.tsc_shift >= 0 ? scale << pvclock.tsc_shift : scale >> -pvclock.tsc_shift;
}

static uint64_t scale_from_cpuid(void) {
  uint32_t a, b, c, d;
  __cpuid(0, a, b, c, d);
  if (a < 0x15) return 0;
  __cpuid(0x15, a, b, c, d); /* Intel SDM 2A: TSC = crystal (ecx, Hz) * ebx / eax */
  if (a == 0 || b == 0 || c == 0) return 0;
  uint64_t khz = (uint64_t)c * b / a / 1000;
  return khz == 0 ? 0 : scale_from_khz(khz);
}

void clock_init(uint64_t tsc) {
  uint32_t a, b, c, d;
  clock.first_tsc = tsc;
  __cpuid(1, a, b, c, d);
  if ((c >> 31 & 1) != 0) {
    uint32_t limit;
    __cpuid(0x40000000, limit, b, c, d);
    clock.kvm = b == 0x4b4d564b && c == 0x564b4d56 && d == 0x4d; /* "KVMKVMKVM" */
    if (clock.kvm && limit >= 0x40000001) {
      __cpuid(0x40000001, a, b, c, d);
      if ((a >> 3 & 1) != 0) clock.scale = scale_from_pvclock(); /* KVM_FEATURE_CLOCKSOURCE2 */
      if (clock.scale != 0) clock.source = "paravirtual clock";
    }
  }
  if (clock.scale == 0 && (clock.scale = scale_from_cpuid()) != 0) clock.source = "CPUID";
  if (clock.scale != 0) {
    clock.base_tsc = tsc;
    return;
  }
  /* The timer was started a few instructions ago. How long those took is not known yet: take what the timer has counted. */
  clock.source = "APIC timer";
  clock.base_tsc = sample(&clock.start_count);
  clock.start_ns = UINT32_MAX - clock.start_count;
}

/* Time by the timer becomes time by the TSC, without a step. The timer stops at 0 after 4.3 s: elapsed is below 2^32. Should the
 * host have held the VM up for so long in its first milliseconds, the clock runs slow; it never goes back. */
static void settle(void) {
  uint32_t count;
  uint64_t tsc = sample(&count), elapsed = clock.start_count - count, ticks = tsc - clock.base_tsc;
  clock.scale = ticks == 0 || elapsed == 0 ? scale_from_khz(1000000) : (elapsed << 32) / ticks;
  clock.base_ns = clock.start_ns + elapsed;
  clock.base_tsc = tsc;
}

uint64_t clock_now(void) {
  if (clock.scale == 0) {
    uint64_t elapsed = clock.start_count - timer_count();
    if (elapsed < settle_after) return clock.start_ns + elapsed;
    settle();
  }
  return clock.base_ns + scale_ticks(read_tsc() - clock.base_tsc);
}

uint64_t clock_wall(void) {
  if (!clock.kvm || clock.source == NULL) return 0;
  if (clock.wall_base == 0) {
    nucleus_gate(NUCLEUS_PVCLOCK, (uint64_t)(uintptr_t)&pvwall, 1, 0);
    if (pvwall.version == 0 || (pvwall.version & 1) != 0 || pvclock.version == 0) return 0;
    /* pvwall is the wall clock when the host's system time was 0; ours began at first_tsc. The host updates pvclock whenever it
     * likes, with an odd version meanwhile. */
    uint64_t host_now;
    uint32_t version;
    do {
      version = pvclock.version;
      host_now = pvclock.system_time + scale_ticks(read_tsc() - pvclock.tsc_timestamp);
    } while ((version & 1) != 0 || version != pvclock.version);
    clock.wall_base = (uint64_t)pvwall.sec * 1000000000 + pvwall.nsec + host_now - clock_now();
  }
  return clock.wall_base + clock_now();
}

uint64_t clock_timer_ticks(uint64_t nanoseconds) {
  if (clock.scale == 0) settle();
  return nanoseconds == 0 ? 1 : nanoseconds;
}

const char *clock_source(void) { return clock.source; }
uint64_t clock_tsc_khz(void) { return clock.scale == 0 ? 0 : ((uint64_t)1000000 << 32) / clock.scale; }
bool clock_on_kvm(void) { return clock.kvm; }

uint64_t platform_now(void) { return clock_now(); }
uint64_t platform_wall(void) { return clock_wall(); }
