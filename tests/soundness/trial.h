/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One program on trial: is it accepted, and if so, does it do only what was proven? Whatever is found wrong ends the process with a
 * message and the program.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_TRIAL_H
#define IMAGO_TESTS_SOUNDNESS_TRIAL_H

#include "lib/text.h"
#include "proof/check.h"
#include "tests/differential/generate.h"

/* The program's instructions and maps are the caller's; its other fields are filled in. One program, without tail calls that succeed. */
struct subject {
  struct bpf_program program;
  struct proof_program extent;
  struct proof_map maps[BPF_MAX_MAPS];
  struct proof_input input;
};

/* Makes maps of these definitions with random values. Entry 0 of map i begins with initial[i] (may be NULL; as may be the slices' data),
 * and is known to the checker if programs may only read it. False: one of them cannot be made. */
bool subject_make(struct subject *s, const struct bpf_map_def *defs, const struct slice *initial, uint32_t map_count,
                  enum bpf_program_kind kind, struct choices *c);
void subject_free(struct subject *s);
/* Gives it these instructions. False: bpf_check or bpf_program_prepare refuses them. */
bool subject_set(struct subject *s, const struct bpf_insn *insns, uint32_t count);

/* What a walk found on its way. */
struct walked {
  bool accepted;
  bool has_loop;       /* a backward jump or callback was among the instructions visited */
  bool has_variable;   /* a packet access at an offset that only the run knows */
  uint32_t inclusions; /* arrivals at recorded states */
};

struct tally {
  uint64_t programs, exhausted, accepted, with_loop, with_variable; /* put to the verifier; it gave up; ... */
  uint64_t mutants, mutants_with_inclusion,
      mutants_accepted; /* programs walked along the proof of what they were made of */
  uint64_t proofs, proofs_decoded, proofs_with_inclusion, proofs_accepted; /* mutated ones */
  uint64_t runs, steps;
};

/* Verifies it. If it is accepted, checks the proof anew, runs it, and gives the proof (text_free, in any case). */
struct walked trial_verify(struct subject *s, struct choices *c, struct tally *tally, struct text *proof);
/* Checks a proof that may be wrong for this program. If it is accepted, runs the program. */
struct walked trial_check(struct subject *s, const uint8_t *proof, size_t length, struct choices *c,
                          struct tally *tally);

/* For messages: what is being tried. */
void trial_name(const char *what, uint64_t number);

#endif
