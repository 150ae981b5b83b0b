/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is tried: the programs of a bundle with their maps, as the checker is asked about them and as the interpreter runs them.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_CANDIDATE_H
#define IMAGO_TESTS_SOUNDNESS_CANDIDATE_H

#include "bpf/program.h"
#include "bundle/bundle.h"
#include "proof/check.h"
#include "tests/differential/choices.h"
#include "verifier/verify.h"

enum { CANDIDATE_PROGRAMS = 32 };

/* The maps of a candidate, and what stands in maps of programs and of maps. */
struct candidate_maps {
  const struct bpf_map_def *defs;
  const struct slice *initial; /* how entry 0 of each begins; may be NULL, as may be the slices' data */
  uint32_t count;
  const struct bundle_entry *entries;
  uint32_t entry_count;
  enum bpf_program_kind kind;
};

struct candidate {
  struct bpf_program program[CANDIDATE_PROGRAMS];
  struct proof_program extent[CANDIDATE_PROGRAMS];
  uint32_t program_count;
  struct bpf_insn *insns; /* of all programs */
  struct bpf_map **maps;
  uint32_t map_count;
  struct proof_map known[BPF_MAX_MAPS];
  const struct bundle_entry *entries; /* the caller's */
  uint32_t entry_count;
  struct proof_target targets[BUNDLE_MAX_ENTRIES];
  enum bpf_program_kind kind;
  struct proof_input input;
  struct verify_function functions[VERIFY_MAX_FUNCTIONS]; /* that are to be verified alone */
  uint32_t function_count;
};

/* Makes the maps, with random values; what a map that programs may only read holds is known to the checker. False: one of them cannot
 * be made. To be freed in any case. */
bool candidate_make(struct candidate *candidate, const struct candidate_maps *maps, struct choices *c);
void candidate_free(struct candidate *candidate);
/* Gives it these programs: counts[] instructions each, one behind the other. False: bpf_check or bpf_program_prepare refuses one. */
bool candidate_set(struct candidate *candidate, const struct bpf_insn *insns, const uint32_t *counts,
                   uint32_t program_count);

#endif
