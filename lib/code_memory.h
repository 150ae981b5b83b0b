/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory for machine code that is made at run time. Each piece has two addresses: where it is written, never executable, and where it
 * runs, never writable. platform/vm/code_memory.c implements this in the image, lib/code_memory_hosted.c in the process, host tools
 * and tests. Safe to call from any worker.
 */
#ifndef IMAGO_LIB_CODE_MEMORY_H
#define IMAGO_LIB_CODE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code_memory {
  uint8_t *write;
  const uint8_t *run;
  size_t size; /* as asked for */
};

/* Makes the arena, for hosts that take the means to do so away later. False: there is none, and code_memory_take fails. */
bool code_memory_prepare(void);
/* Memory for `size` bytes of code, aligned to 64, filled with breakpoints. False: no room, or size 0. */
bool code_memory_take(size_t size, struct code_memory *memory) __attribute__((warn_unused_result));
/* Nothing may run there any more. */
void code_memory_give(const struct code_memory *memory);
/* Whether a call with a 32-bit distance reaches this address from wherever code_memory_take puts code. */
bool code_memory_near(uint64_t address);

#endif
