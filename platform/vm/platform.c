/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The rest of kernel/platform.h for the VM: sleeping, randomness, facts, the end.
 */
#include "kernel/platform.h"

#include <cpuid.h>

#include "kernel/kernel.h"
#include "lib/hash.h"
#include "platform/vm/nucleus.h"
#include "platform/vm/vm.h"

static bool cpu_has_rdrand(void) {
  uint32_t a, b, c, d;
  __cpuid(1, a, b, c, d);
  return (c >> 30 & 1) != 0;
}

static bool rdrand(uint64_t *value) {
  for (int tries = 0; tries < 10; tries++) { /* Intel SDM 1, 7.3.17.1 */
    unsigned char ok;
    __asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(ok));
    if (ok != 0) return true;
  }
  return false;
}

/* RDRAND where the CPU has it; the TSC is stirred in, and is all there is where it does not (CAVEATS.md). */
void platform_random(void *bytes, size_t length) {
  static uint64_t counter;
  static int has_rdrand = -1;
  if (has_rdrand < 0) has_rdrand = cpu_has_rdrand();
  for (size_t done = 0; done < length;) {
    uint64_t raw = 0;
    if (has_rdrand != 0 && !rdrand(&raw)) raw = 0;
    struct hash_key key = {raw, read_tsc()};
    counter++;
    uint64_t value = hash_bytes(&key, &counter, sizeof counter);
    size_t n = length - done < 8 ? length - done : 8;
    memcpy((uint8_t *)bytes + done, &value, n);
    done += n;
  }
}

/* Every device of the machine is a NIC or a channel. */
bool platform_poll(void) { return false; }

int platform_nic_open(const char *name, const char *method, struct nic **nic, struct report *report) {
  for (unsigned i = 0; i < platform_nic_count(); i++) {
    *nic = platform_nic(i);
    if (strcmp((*nic)->name, name) == 0) return 0;
  }
  return report_error(report, ERROR_NOT_FOUND,
                      "no network interface '%s'; interfaces are eth0, eth1, ... in the order given", name);
}

/* One worker, which can only be woken by itself: by what it does between its last look and its sleep. */
static bool woken;

void platform_sleep(uint64_t deadline) {
  if (woken) {
    woken = false;
    return;
  }
  if (virtio_console_arm()) {
    virtio_console_disarm();
    return;
  }
  uint32_t lines = interrupt_sleep(deadline);
  virtio_console_disarm();
  for (unsigned irq = 0; lines != 0; irq++, lines >>= 1) {
    if ((lines & 1) == 0) continue;
    virtio_net_interrupt(irq);
    virtio_console_interrupt(irq);
  }
}

void platform_wake(unsigned worker) { woken = true; }
void platform_relax(void) { __builtin_ia32_pause(); }
int platform_worker_start(unsigned worker, void (*run)(unsigned worker)) { return -ERROR_UNSUPPORTED; }
void platform_worker_join(void) {}

void platform_late_start(void) {
  virtio_console_start();
  kernel_boot_stamp("control port ready");
}

const struct host *platform_host(void) { return NULL; }
const char *platform_name(void) { return "vm"; }
unsigned platform_worker_count(void) { return 1; }

void platform_boot_chart(struct text *out) { (void)out; /* start.c stamps into the kernel's chart */ }

static void add_cpu_name(struct text *out) {
  uint32_t name[13] = {0};
  uint32_t a, b, c, d;
  __cpuid(0x80000000, a, b, c, d);
  for (unsigned i = 0; a >= 0x80000004 && i < 3; i++) {
    __cpuid(0x80000002 + i, name[4 * i], name[4 * i + 1], name[4 * i + 2], name[4 * i + 3]);
  }
  struct slice text = slice_trim(slice_of((const char *)name));
  text_addf(out, "cpu %.*s\n", (int)text.length, text.data);
}

void platform_facts(struct text *out) {
  add_cpu_name(out);
  text_addf(out, "hypervisor %s\n", clock_on_kvm() ? "KVM" : "other (TCG has no name of its own)");
  text_addf(out, "clock %s\n", clock_source());
  text_addf(out, "tsc_khz %llu\n", (unsigned long long)clock_tsc_khz());
  text_addf(out, "ram_bytes %llu\n", (unsigned long long)vm_boot.ram_total);
  static const char *const names[NUCLEUS_CALLS] = {"sleep", "map", "write", "exit", "pvclock"};
  uint64_t total = 0;
  for (unsigned i = 0; i < NUCLEUS_CALLS; i++) {
    text_addf(out, "nucleus_calls.%s %llu\n", names[i], (unsigned long long)nucleus_status.calls[i]);
    total += nucleus_status.calls[i];
  }
  text_addf(out, "nucleus_calls %llu\n", (unsigned long long)total);
  text_addf(out, "register_accesses %llu\n", (unsigned long long)vm_register_accesses);
}

void platform_security(struct text *out) {
  uint32_t a, b, c, d;
  __cpuid_count(7, 0, a, b, c, d);
  text_add(out, "core ring 3; ring 0 holds the nucleus only\n");
  text_add(out, "pages W^X, page 0 not mapped, stacks guarded\n");
  text_add(out, "extensions native code, every memory access checked that is not known to be safe; code pages W^X\n");
  text_addf(out, "protection_keys %s\n",
            (c >> 3 & 1) != 0 ? "offered by the CPU, not used yet" : "not offered by this CPU");
  text_addf(out, "random %s\n",
            cpu_has_rdrand() ? "RDRAND" : "TSC only: hash keys are guessable by whoever knows the boot time");
}

_Noreturn void platform_shutdown(int status) {
  nucleus_gate(NUCLEUS_EXIT, status == 0 ? EXIT_CLEAN : EXIT_REFUSED, 0, 0);
  __builtin_unreachable();
}
