/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Constants as Linux's own header has them. A translation unit of its own, because the names are those of bpf/isa.h.
 */
#ifndef IMAGO_TESTS_BPF_LINUX_NUMBERS_H
#define IMAGO_TESTS_BPF_LINUX_NUMBERS_H

#include <stddef.h>

struct linux_number {
  const char *name;
  long value;
};

extern const struct linux_number linux_numbers[];
extern const size_t linux_number_count;

/* By id, without "bpf_". */
extern const char *const linux_helper_names[];
extern const size_t linux_helper_count;

/* Registers that Linux's bit-fields see in this second byte of an instruction. */
unsigned linux_destination(unsigned char registers);
unsigned linux_source(unsigned char registers);

#endif
