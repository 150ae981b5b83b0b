/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The few symbols that libsodium's verification objects want from outside. With them defined here the linker takes five objects
 * (about 80 KB, of which split_object.py and the image's linker leave 20) out of libsodium's archive, and not its random number
 * generator, its allocator and a C library.
 */
#include <stddef.h>

#include "platform/vm/vm.h"

void sodium_memzero(void *memory, size_t length);
int sodium_memcmp(const void *a, const void *b, size_t length);
int sodium_is_zero(const unsigned char *bytes, size_t length);
_Noreturn void sodium_misuse(void);
_Noreturn void abort(void);

void sodium_memzero(void *memory, size_t length) {
  volatile unsigned char *byte = memory;
  for (size_t i = 0; i < length; i++)
    byte[i] = 0;
}

/* In constant time, though only public values are compared here: 0 if equal, else -1 (libsodium's contract). */
int sodium_memcmp(const void *a, const void *b, size_t length) {
  const volatile unsigned char *x = a, *y = b;
  unsigned difference = 0;
  for (size_t i = 0; i < length; i++)
    difference |= x[i] ^ y[i];
  return difference == 0 ? 0 : -1;
}

int sodium_is_zero(const unsigned char *bytes, size_t length) {
  unsigned any = 0;
  for (size_t i = 0; i < length; i++)
    any |= bytes[i];
  return any == 0;
}

_Noreturn void sodium_misuse(void) { vm_panic("libsodium was called with arguments it does not take"); }
_Noreturn void abort(void) { vm_panic("libsodium called abort"); }
