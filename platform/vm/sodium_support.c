/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The few symbols that libsodium's verification objects want from outside. With them defined here the linker takes five objects
 * (about 80 KB) out of libsodium's archive, and not its random number generator, its allocator and a C library.
 */
#include <stddef.h>

#include "platform/vm/vm.h"

void sodium_memzero(void *memory, size_t length);
_Noreturn void abort(void);

void sodium_memzero(void *memory, size_t length) {
  volatile unsigned char *byte = memory;
  for (size_t i = 0; i < length; i++) byte[i] = 0;
}

_Noreturn void abort(void) { vm_panic("libsodium called abort"); }
