/* SPDX-License-Identifier: BSD-3-Clause
 *
 * eBPF objects for tests: C source compiled by clang at test time.
 */
#ifndef IMAGO_TESTS_VERIFIER_COMPILE_H
#define IMAGO_TESTS_VERIFIER_COMPILE_H

#include "lib/text.h"

/* Compiles the source, with the headers of a usual program in front, for eBPF with -O2 -g (or what `flags` says instead); the object's
 * bytes go to *object, which the caller frees with text_free. Fails the test when clang does. The source is called test.bpf.c. */
void compile(const char *source, const char *flags, struct text *object);

#endif
