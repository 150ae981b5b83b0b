/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linux's verifier, asked through the bpf system call what it thinks of an object: ours is compared with it. A translation unit of its
 * own, because libbpf and <linux/bpf.h> have the same names as bpf/.
 */
#ifndef IMAGO_TESTS_LINUX_VERIFIER_H
#define IMAGO_TESTS_LINUX_VERIFIER_H

#include <stdbool.h>
#include <stdint.h>

enum linux_answer { LINUX_ACCEPTS, LINUX_REFUSES, LINUX_SILENT /* the system call is not permitted */ };

struct linux_verdict {
  enum linux_answer answer;
  double microseconds;              /* that its verifier took for all programs of the object, as it says itself */
  uint32_t instructions, processed; /* of all programs; how many it walked over */
  char why[256];                    /* it was refused: the last line of the log that says so */
};

/* Loads all programs of the object with the maps that they need, and drops them again. */
void linux_verify(const char *object, struct linux_verdict *verdict);

#endif
