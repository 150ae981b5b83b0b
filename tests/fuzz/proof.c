/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fuzz target: any bytes as the proof of a random program, whose number is the first two bytes. Whatever the checker accepts runs, step
 * by step beside what it visited.
 */
#include <stddef.h>
#include <stdint.h>

#include "tests/soundness/campaign.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct choices c;
  static struct candidate candidate;
  static struct tally tally;
  if (size < 2) return 0;
  if (campaign_make((uint64_t)bytes[0] | (uint64_t)bytes[1] << 8, &c, &candidate)) {
    (void)trial_check(&candidate, bytes + 2, size - 2, &c, &tally);
  }
  candidate_free(&candidate);
  return 0;
}
