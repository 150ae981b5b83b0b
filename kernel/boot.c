/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The boot chart's stamps.
 */
#include "kernel/boot.h"

void boot_chart_add(struct boot_chart *chart, uint64_t at, const char *name) {
  uint32_t slot = __atomic_fetch_add(&chart->count, 1, __ATOMIC_RELAXED);
  if (slot >= BOOT_STAMPS_MAX) return;
  chart->stamp[slot].at = at;
  __atomic_store_n(&chart->stamp[slot].name, name, __ATOMIC_RELEASE);
}

void boot_chart_print(const struct boot_chart *chart, struct text *out) {
  uint32_t count = __atomic_load_n(&chart->count, __ATOMIC_RELAXED);
  for (uint32_t i = 0; i < count && i < BOOT_STAMPS_MAX; i++) {
    const char *name = __atomic_load_n(&chart->stamp[i].name, __ATOMIC_ACQUIRE);
    if (name != NULL) text_addf(out, "%llu %s\n", (unsigned long long)(chart->stamp[i].at / 1000), name);
  }
}
