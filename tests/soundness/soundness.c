/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Are the verifier and the checker sound? soundness COUNT FIRST [OBJECT...]: random programs by number, and changed ones of the
 * compiled objects; whatever is accepted runs. The last lines say what was tried; too little of something fails, so that nothing
 * passes for lack of trying.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/soundness/campaign.h"

enum { SHARES_FROM = 500 }; /* programs: fewer are not judged by their shares */

/* At least `least` percent. */
static bool share(const char *what, uint64_t part, uint64_t whole, unsigned least) {
  const uint64_t percent = whole == 0 ? 0 : part * 100 / whole;
  printf("%s: %llu of %llu, %llu %% (at least %u %%)\n", what, (unsigned long long)part, (unsigned long long)whole,
         (unsigned long long)percent, least);
  return percent >= least;
}

int main(int count, char **arguments) {
  static struct tally tally;
  if (count < 3) {
    fprintf(stderr, "usage: soundness COUNT FIRST [OBJECT...]\n");
    return 2;
  }
  const uint64_t programs = strtoull(arguments[1], NULL, 0), first = strtoull(arguments[2], NULL, 0);
  for (uint64_t i = 0; i < programs; i++)
    campaign_program(first + i, &tally);
  for (int i = 3; i < count; i++)
    campaign_object(arguments[i], first, 1 + programs / 1000, &tally);
  bool enough = true;
  enough &= share("programs accepted", tally.accepted, tally.programs, 20);
  enough &= share("of these with loops", tally.with_loop, tally.accepted, 15);
  enough &= share("of these with variable packet access", tally.with_variable, tally.accepted, 10);
  enough &= share("of these with functions that helpers call", tally.with_callback, tally.accepted, 10);
  enough &= share("of these with tail calls", tally.with_tail_call, tally.accepted, 10);
  enough &= share("of these with functions that timers call", tally.with_timer, tally.accepted, 10);
  enough &= share("of these with functions checked alone", tally.with_alone, tally.accepted, 2);
  enough &= share("runs that went step by step", tally.watched, tally.runs, 95);
  enough &= share("of these to their end", tally.whole, tally.watched, 90);
  enough &= share("runs through functions that helpers called", tally.through_callback, tally.runs, 5);
  enough &= share("runs through tail calls", tally.through_tail_call, tally.runs, 2);
  enough &= share("runs through functions that timers called", tally.through_timer, tally.runs, 2);
  enough &= share("changed programs that reached an inclusion test", tally.mutants_with_inclusion, tally.mutants, 20);
  enough &= share("changed programs accepted by the proof", tally.mutants_accepted, tally.mutants, 1);
  enough &= share("changed proofs that reached an inclusion test", tally.proofs_with_inclusion, tally.proofs, 5);
  enough &= share("changed proofs accepted", tally.proofs_accepted, tally.proofs, 1);
  printf("%llu programs, %llu not decided, %llu runs, %llu steps beside the checker: all sound\n",
         (unsigned long long)tally.programs, (unsigned long long)tally.exhausted, (unsigned long long)tally.runs,
         (unsigned long long)tally.steps);
  if (enough || programs < SHARES_FROM) return 0;
  fprintf(stderr, "a share is below its least\n");
  return 1;
}
