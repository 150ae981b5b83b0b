/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Facts for programs that are safe by construction, as the kernels of bench/bpf are: every access, divisor, argument, array key and
 * loop is good, and an array lookup finds something. A proof would state the same. Never for programs of others.
 */
#ifndef IMAGO_BENCH_BPF_FACTS_H
#define IMAGO_BENCH_BPF_FACTS_H

#include "bpf/facts.h"
#include "bpf/program.h"

/* One per slot, freed by the caller; NULL: out of memory. */
struct bpf_fact *bpf_facts_assume(const struct bpf_program *program);

#endif
