/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Runs a generated program in every engine there is and compares what they leave: verdict, fault, registers, packet, maps.
 */
#ifndef IMAGO_TESTS_DIFFERENTIAL_COMPARE_H
#define IMAGO_TESTS_DIFFERENTIAL_COMPARE_H

#include "bpf/jit.h"
#include "tests/differential/generate.h"

/* From here on one in `every` safe programs runs in the Linux kernel too. False, and a sentence on standard error: that is not permitted
 * here. */
bool compare_with_linux(uint64_t every);
/* How many programs executed code that the JIT made by the rule. */
uint64_t compare_rule_count(enum bpf_jit_rule rule);
/* How many of them Linux took, and how many it refused, most as too complex. */
void compare_linux_counts(uint64_t *ran, uint64_t *refused);

/* Generates a program from the choices, and a packet, and runs it in the interpreter and as native code: checked, and, if it is safe,
 * with facts. Ends the process with a message and the program when two disagree. `number` is for the message. */
void compare_engines(struct choices *c, bool safe, uint64_t number);

#endif
