/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linux's own maps, through the bpf system call, to compare ours with. A translation unit of its own, because the names of
 * <linux/bpf.h> are those of bpf/isa.h. Where the system call is refused there is no comparison.
 */
#ifndef IMAGO_TESTS_BPF_KERNEL_H
#define IMAGO_TESTS_BPF_KERNEL_H

#include <stdint.h>

/* A file descriptor, or -1: refused (the reason is printed once). */
int kernel_map_create(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries, uint32_t flags);
/* Each 0 or a negative errno. Values of per-CPU maps are kernel_processors() times the size, each rounded up to 8. */
long kernel_map_update(int map, const void *key, const void *value, uint64_t flags);
long kernel_map_lookup(int map, const void *key, void *value);
long kernel_map_delete(int map, const void *key);
long kernel_map_pop(int map, void *value);
void kernel_map_close(int map);
/* Processors that per-CPU maps have values for. */
uint32_t kernel_processors(void);

#endif
