/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a bundle to the proof checker's question.
 */
#include "bundle/proof_input.h"

#include "lib/memory.h"

/* Each program that a map may hold stands once, at whatever indices the bundle puts it. */
static uint32_t list_targets(const struct bundle *bundle, struct proof_target *targets) {
  uint32_t held[BPF_MAX_MAPS] = {0}; /* by map: a bit for each program */
  _Static_assert(BUNDLE_MAX_PROGRAMS <= 32, "a bit for each");
  uint32_t count = 0;
  for (uint32_t i = 0; i < bundle->entry_count; i++) {
    const struct bundle_entry entry = bundle_entry_at(bundle, i);
    if (bundle->maps[entry.map].type != BPF_MAP_TYPE_PROG_ARRAY || (held[entry.map] >> entry.target & 1) != 0) continue;
    held[entry.map] |= 1u << entry.target;
    targets[count++] = (struct proof_target){entry.map, entry.target};
  }
  return count;
}

void bundle_proof_input(const struct bundle *bundle, uint32_t max_insns, struct bundle_proof_input *out) {
  for (uint32_t i = 0; i < bundle->map_count; i++) {
    const bool constant = bundle_map_is_constant(bundle, i);
    out->maps[i] = (struct proof_map){&bundle->maps[i], constant ? (const uint8_t *)bundle->initial[i].data : NULL};
  }
  for (uint32_t i = 0; i < bundle->program_count; i++)
    out->programs[i] = (struct proof_program){bundle->programs[i].start, bundle->programs[i].count};
  for (uint32_t i = 0; i < bundle->tunable_count; i++) {
    const struct bundle_tunable *t = &bundle->tunables[i];
    out->tunables[i] = (struct proof_tunable){t->map, t->offset, t->size, t->is_signed, t->least, t->most};
  }
  out->input = (struct proof_input){.insns = bundle->insns,
                                    .insn_count = bundle->insn_count,
                                    .programs = out->programs,
                                    .program_count = bundle->program_count,
                                    .kind = bundle->meta.kind,
                                    .maps = out->maps,
                                    .map_count = bundle->map_count,
                                    .tunables = out->tunables,
                                    .tunable_count = bundle->tunable_count,
                                    .targets = out->targets,
                                    .target_count = list_targets(bundle, out->targets),
                                    .max_insns = max_insns};
}

int bundle_check_proof(const struct proof_input *input, struct slice proof, struct bpf_fact **facts,
                       struct proof_verdict *verdict) {
  const uint8_t *bytes = (const uint8_t *)proof.data;
  const size_t size = proof_check_memory(input, bytes, proof.length);
  int error = -ERROR_NO_MEMORY;
  *facts = NULL;
  if (size == 0) {
    *verdict = (struct proof_verdict){.failure = {.kind = PROOF_BAD_PROOF}};
    return -ERROR_INVALID;
  }
  void *arena = memory_alloc(size);
  struct bpf_fact *found = memory_alloc(input->insn_count * sizeof *found);
  if (arena != NULL && found != NULL) {
    error = proof_check(input, bytes, proof.length, arena, found, verdict) ? 0 : -ERROR_INVALID;
  }
  if (error == 0) {
    *facts = found;
  } else {
    memory_free(found);
  }
  memory_free(arena);
  return error;
}
