/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A candidate on trial: is it accepted, and if so, does it do only what was proven? Whatever is found wrong ends the process with a
 * message and the program.
 */
#ifndef IMAGO_TESTS_SOUNDNESS_TRIAL_H
#define IMAGO_TESTS_SOUNDNESS_TRIAL_H

#include "lib/text.h"
#include "tests/soundness/candidate.h"

/* What a walk found on its way. */
struct walked {
  bool accepted;
  bool has_loop;       /* a backward jump was among the instructions visited */
  bool has_variable;   /* a packet access at an offset that only the run knows */
  bool has_callback;   /* a function that a helper calls */
  bool has_tail_call;  /* that may succeed */
  bool has_timer;      /* a function that a timer calls */
  bool has_alone;      /* one that is checked alone */
  uint32_t inclusions; /* arrivals at recorded states */
};

struct tally {
  uint64_t programs, exhausted, accepted; /* put to the verifier; it gave up; ... */
  uint64_t with_loop, with_variable, with_callback, with_tail_call, with_timer, with_alone;
  uint64_t mutants, mutants_with_inclusion,
      mutants_accepted; /* programs walked along the proof of what they were made of */
  uint64_t proofs, proofs_decoded, proofs_with_inclusion, proofs_accepted; /* mutated ones */
  uint64_t runs, watched, whole, steps;                        /* step by step beside the states; to their end so */
  uint64_t through_callback, through_tail_call, through_timer; /* runs step by step through such */
};

/* Verifies it. If it is accepted, checks the proof anew, runs it, and gives the proof (text_free, in any case). */
struct walked trial_verify(struct candidate *candidate, struct choices *c, struct tally *tally, struct text *proof);
/* Checks a proof that may be wrong for this program. If it is accepted, runs the program. */
struct walked trial_check(struct candidate *candidate, const uint8_t *proof, size_t length, struct choices *c,
                          struct tally *tally);

/* For messages: what is being tried. */
void trial_name(const char *what, uint64_t number);

#endif
