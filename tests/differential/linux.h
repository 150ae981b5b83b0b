/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Linux kernel as one more engine, through the bpf system call. Apart from the rest, because its headers and ours use the same names.
 */
#ifndef IMAGO_TESTS_DIFFERENTIAL_LINUX_H
#define IMAGO_TESTS_DIFFERENTIAL_LINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINUX_MAPS = 4 };

struct linux_map {
  uint32_t type, key_size, value_size, max_entries;
};

/* Makes the maps. False: the system call is refused, `why` says with which words. */
bool linux_begin(const struct linux_map maps[LINUX_MAPS], const char **why);
/* Puts a program of `count` instructions into an array of programs. False: as linux_begin. */
bool linux_put_program(unsigned map, uint32_t index, const void *insns, uint32_t count, const char **why);
/* Empties the maps but arrays of programs, loads the program (8 bytes an instruction; maps by index) and runs it once over the packet. 1: ran, *r0 and packet
 * are what it left; 0: the verifier refused it, for instance as too complex. */
int linux_run(const void *insns, uint32_t count, uint8_t *packet, uint32_t *length, uint32_t *r0);
/* The verifier's words about the last program it refused. */
const char *linux_refusal(void);
/* Value behind a key after the run; false: there is none. */
bool linux_lookup(unsigned map, const void *key, void *value);
/* Entries of a hash. */
uint32_t linux_count(unsigned map);

#endif
