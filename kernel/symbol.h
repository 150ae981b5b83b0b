/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names for addresses in fault reports, from the symbol file of the boot archive: lines "%016x NAME\n" in ascending order
 * of address. Allocates nothing, because it runs in panics.
 */
#ifndef IMAGO_KERNEL_SYMBOL_H
#define IMAGO_KERNEL_SYMBOL_H

#include <stdbool.h>

#include "lib/string.h"

/* "NAME+0x12" for the last symbol at or below address; false when there is none, or the file is damaged there. */
bool symbol_find(struct slice file, unsigned long address, char *buffer, size_t size);

#endif
