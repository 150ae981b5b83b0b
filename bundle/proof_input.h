/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the proof checker is asked about a bundle: its programs, maps, constants and tunables, in the checker's words.
 */
#ifndef IMAGO_BUNDLE_PROOF_INPUT_H
#define IMAGO_BUNDLE_PROOF_INPUT_H

#include "bundle/bundle.h"
#include "proof/check.h"

/* Points into itself and into the bundle: it must not move, and lives no longer than the bundle. */
struct bundle_proof_input {
  struct proof_input input;
  struct proof_map maps[BPF_MAX_MAPS];
  struct proof_program programs[BUNDLE_MAX_PROGRAMS];
  struct proof_tunable tunables[BUNDLE_MAX_TUNABLES];
  struct proof_target targets[BPF_MAX_MAPS * BUNDLE_MAX_PROGRAMS];
};

/* About 20 KiB: allocate it. max_insns: see struct proof_input. */
void bundle_proof_input(const struct bundle *bundle, uint32_t max_insns, struct bundle_proof_input *out);

/* proof_check in memory of its own. *facts: one for each instruction, the caller's to free; NULL unless the proof holds. 0,
 * -ERROR_INVALID: verdict->failure says why, -ERROR_NO_MEMORY. */
int bundle_check_proof(const struct proof_input *input, struct slice proof, struct bpf_fact **facts,
                       struct proof_verdict *verdict) MUST_USE;

#endif
