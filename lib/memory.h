/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory of set-up and control; nothing on the packet path allocates. kernel/heap.c implements this in the image,
 * lib/memory_hosted.c (malloc) in the process platform, host tools and tests, so that sanitizers see every object.
 * Safe to call from any worker.
 */
#ifndef IMAGO_LIB_MEMORY_H
#define IMAGO_LIB_MEMORY_H

#include <stddef.h>

/* Zeroed memory aligned to 16 bytes, owned by the caller until memory_free; NULL when memory is out or size is 0. */
void *memory_alloc(size_t size) __attribute__((warn_unused_result, malloc));
/* As memory_alloc, aligned to `alignment`, a power of two up to 2 MiB. Freed by memory_free. */
void *memory_alloc_aligned(size_t size, size_t alignment) __attribute__((warn_unused_result, malloc));
/* Grows or shrinks; contents kept up to the smaller size, growth is not zeroed. NULL leaves the old block valid. */
void *memory_resize(void *block, size_t size) __attribute__((warn_unused_result));
/* NULL is allowed. Freed memory is filled with 0xdb, so that use after free shows at once. */
void memory_free(void *block);
/* Copy of length bytes with a NUL behind; NULL when memory is out. */
char *memory_copy_string(const char *s, size_t length) __attribute__((warn_unused_result));

/* Low memory: like memory_alloc_aligned, but every address lies below 2 GiB, because eBPF contexts carry packet
 * addresses in 32 bits (struct xdp_md). For packet arenas; freed only by memory_free_low with the same size. */
void *memory_alloc_low(size_t size, size_t alignment) __attribute__((warn_unused_result));
void memory_free_low(void *block, size_t size);

#endif
