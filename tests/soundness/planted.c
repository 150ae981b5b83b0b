/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Would unsound steps show? soundness-planted COUNT: with each of the bugs that plant.py planted in the checker the program is
 * tried that is known to show it, and, if it doesn't any more, up to COUNT others. Fails if a bug doesn't show, or if something does without one.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "planted.h"
#include "tests/soundness/campaign.h"

unsigned proof_planted;

/* Whether one of these programs shows that something is wrong with this bug. */
static bool shows(unsigned bug, uint64_t first, uint64_t programs, bool quiet) {
  fflush(NULL);
  const pid_t child = fork();
  if (child < 0) exit(2);
  if (child == 0) {
    static struct tally tally;
    proof_planted = bug;
    if (quiet && freopen("/dev/null", "w", stderr) == NULL) _exit(2);
    for (uint64_t number = first; number < first + programs; number++)
      campaign_program(number, &tally);
    _exit(0);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) exit(2);
  if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
    fprintf(stderr, "with bug %u the process ended with status %#x\n", bug, (unsigned)status);
    exit(2);
  }
  return WEXITSTATUS(status) == 1;
}

/* First by the program that is known to show it. */
static bool is_found(unsigned bug, uint64_t programs) {
  const unsigned known = planted_shows[bug - 1];
  if (shows(bug, known, 1, true)) return true;
  fprintf(stderr, "row %u of tests/soundness/plant.py doesn't show in program %u\n", bug, known);
  return shows(bug, 1, programs, false);
}

int main(int count, char **arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: soundness-planted COUNT\n");
    return 2;
  }
  const uint64_t programs = strtoull(arguments[1], NULL, 0);
  unsigned missed = 0;
  for (unsigned bug = 1; bug <= PLANTED_COUNT; bug++) {
    if (shows(0, planted_shows[bug - 1], 1, false)) {
      fprintf(stderr, "something is wrong without a bug\n");
      return 1;
    }
    if (is_found(bug, programs)) continue;
    missed++;
    fprintf(stderr, "row %u of tests/soundness/plant.py shows in none of %llu programs\n", bug,
            (unsigned long long)programs);
  }
  printf("%u of %u planted bugs show\n", PLANTED_COUNT - missed, PLANTED_COUNT);
  return missed == 0 ? 0 : 1;
}
