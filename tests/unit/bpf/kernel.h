/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linux's own maps and programs, through the bpf system call, to compare ours with. A translation unit of its own, because the names of
 * <linux/bpf.h> are those of bpf/isa.h. Where the system call is refused there is no comparison.
 */
#ifndef IMAGO_TESTS_BPF_KERNEL_H
#define IMAGO_TESTS_BPF_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

/* A file descriptor, or -1: refused (the reason is printed once). */
int kernel_map_create(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries, uint32_t flags);
/* Each 0 or a negative errno. Values of per-CPU maps are kernel_processors() times the size, each rounded up to 8. */
long kernel_map_update(int map, const void *key, const void *value, uint64_t flags);
long kernel_map_lookup(int map, const void *key, void *value);
long kernel_map_delete(int map, const void *key);
long kernel_map_pop(int map, void *value);
/* From now on only programs may write to it. 0 or a negative errno. */
long kernel_map_freeze(int map);
void kernel_map_close(int map);
/* Loads an XDP or tc program. Its instructions are 8 bytes each and refer to maps by index in `maps`, which are file descriptors. A file
 * descriptor, or a negative errno with the verifier's words in *log, until the next call. */
int kernel_program_load(bool tc, const void *insns, uint32_t count, const int *maps, const char **log);
void kernel_program_close(int program);
/* Runs it once on the packet (BPF_PROG_TEST_RUN). `out` has room for *out_length bytes and gets the packet as it was left. 0 or a
 * negative errno. */
long kernel_program_run(int program, const void *packet, uint32_t length, void *out, uint32_t *out_length,
                        uint32_t *r0);
/* Processors that per-CPU maps have values for. */
uint32_t kernel_processors(void);

#endif
