/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linux's verifier on instructions, through the bpf system call. A translation unit of its own, because <linux/bpf.h> has the names of
 * bpf/isa.h.
 */
#ifndef IMAGO_TESTS_PROOF_UNSAFE_LINUX_H
#define IMAGO_TESTS_PROOF_UNSAFE_LINUX_H

#include <stdint.h>

/* A map as struct bpf_map_def has it. */
struct unsafe_linux_map {
  uint32_t type, key_size, value_size, entries, flags;
  int locked; /* its values start with a struct bpf_spin_lock */
};

/* Makes the maps. 0, or a negative errno: the system call is not permitted. */
int unsafe_linux_open(const struct unsafe_linux_map *maps, uint32_t count);
/* 0: accepted. Otherwise a negative errno, and the last line of the log in `why`. Instructions refer to maps by their index. */
int unsafe_linux_load(const void *insns, uint32_t count, char *why, uint32_t size);

#endif
