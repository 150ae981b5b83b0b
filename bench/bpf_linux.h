/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A program in the Linux kernel, run by BPF_PROG_TEST_RUN. Apart from the rest of bench/bpf, because libbpf has the same names as we.
 */
#ifndef IMAGO_BENCH_BPF_LINUX_H
#define IMAGO_BENCH_BPF_LINUX_H

#include <stdbool.h>
#include <stdint.h>

struct linux_program;

/* NULL: `why` (of `size` bytes) says what the kernel does not allow. */
struct linux_program *linux_program_load(const char *object, const char *name, char *why, unsigned size);
void linux_program_free(struct linux_program *program);
/* Puts an entry into a map. */
bool linux_program_put(const struct linux_program *program, const char *map, const void *key, const void *value);
/* Runs it so often on the packet; what it returned last is *verdict. */
bool linux_program_run(const struct linux_program *program, const void *packet, uint32_t length, uint32_t runs,
                       uint32_t *verdict);
/* Bytes of machine code; 0 if Linux does not tell, or interprets. */
uint32_t linux_program_code(const struct linux_program *program);

#endif
