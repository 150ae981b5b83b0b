/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The boot chart: what happened when, from the first instruction to the first packet.
 */
#ifndef IMAGO_KERNEL_BOOT_H
#define IMAGO_KERNEL_BOOT_H

#include <stdint.h>

#include "lib/text.h"

enum { BOOT_STAMPS_MAX = 32 };

/* Stamps beyond BOOT_STAMPS_MAX are left out. From any worker. */
struct boot_chart {
  uint32_t count;
  struct {
    uint64_t at;      /* nanoseconds since the first instruction */
    const char *name; /* lives for ever; NULL while being written */
  } stamp[BOOT_STAMPS_MAX];
};

void boot_chart_add(struct boot_chart *chart, uint64_t at, const char *name);
/* Lines "MICROSECONDS NAME". */
void boot_chart_print(const struct boot_chart *chart, struct text *out);

#endif
