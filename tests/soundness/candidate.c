/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Making candidates. Their programs share one list of maps.
 */
#include "tests/soundness/candidate.h"

#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "tests/soundness/world.h"

bool candidate_make(struct candidate *candidate, const struct candidate_maps *maps, struct choices *c) {
  memset(candidate, 0, sizeof *candidate);
  candidate->kind = maps->kind;
  candidate->map_count = maps->count;
  candidate->entries = maps->entries;
  candidate->entry_count = maps->entry_count;
  candidate->maps = calloc(maps->count + 1, sizeof candidate->maps[0]);
  if (candidate->maps == NULL) abort();
  if (!world_maps(candidate->maps, maps->defs, maps->initial, maps->count, c)) return false;
  for (uint32_t i = 0; i < maps->entry_count; i++) {
    const struct bundle_entry *entry = &maps->entries[i];
    struct bpf_map *map = candidate->maps[entry->map], *old;
    if (!bpf_map_is_of_maps(map->def.type)) continue;
    bpf_map_hold(candidate->maps[entry->target]);
    if (bpf_map_put_map(map, &entry->index, candidate->maps[entry->target], BPF_ANY, &old) != 0) {
      bpf_map_release(candidate->maps[entry->target]);
      return false;
    }
    bpf_map_release(old);
  }
  for (uint32_t i = 0; i < maps->count; i++) {
    const struct bpf_map_def *def = &candidate->maps[i]->def;
    const bool constant = (def->flags & BPF_F_RDONLY_PROG) && def->max_entries == 1;
    candidate->known[i] = (struct proof_map){def, constant ? candidate->maps[i]->values : NULL};
  }
  return true;
}

static void forget_programs(struct candidate *candidate) {
  for (uint32_t i = 0; i < candidate->program_count; i++) {
    memory_free(candidate->program[i].functions);
  }
  candidate->program_count = 0;
}

/* Programs into the maps of programs, and each once into the list that the checker is given. */
static void place_programs(struct candidate *candidate) {
  candidate->input.target_count = 0;
  for (uint32_t i = 0; i < candidate->entry_count; i++) {
    const struct bundle_entry *entry = &candidate->entries[i];
    const struct bpf_program *old;
    if (candidate->maps[entry->map]->def.type != BPF_MAP_TYPE_PROG_ARRAY || entry->target >= candidate->program_count)
      continue;
    if (bpf_map_put_program(candidate->maps[entry->map], entry->index, &candidate->program[entry->target], &old) != 0)
      abort();
    candidate->targets[candidate->input.target_count++] = (struct proof_target){entry->map, entry->target};
  }
}

bool candidate_set(struct candidate *candidate, const struct bpf_insn *insns, const uint32_t *counts,
                   uint32_t program_count) {
  uint32_t all = 0;
  forget_programs(candidate);
  for (uint32_t i = 0; i < program_count; i++) {
    candidate->extent[i] = (struct proof_program){all, counts[i]};
    all += counts[i];
  }
  candidate->insns = realloc(candidate->insns, (all + 1) * sizeof insns[0]);
  if (candidate->insns == NULL) abort();
  memcpy(candidate->insns, insns, all * sizeof insns[0]);
  candidate->program_count = program_count;
  candidate->input = (struct proof_input){.insns = candidate->insns,
                                          .insn_count = all,
                                          .programs = candidate->extent,
                                          .program_count = program_count,
                                          .kind = candidate->kind,
                                          .maps = candidate->known,
                                          .map_count = candidate->map_count,
                                          .targets = candidate->targets,
                                          .max_insns = BPF_MAX_EXECUTED};
  bool good = true;
  for (uint32_t i = 0; i < program_count; i++) {
    candidate->program[i] = (struct bpf_program){.insns = candidate->insns + candidate->extent[i].start,
                                                 .insn_count = counts[i],
                                                 .maps = candidate->maps,
                                                 .map_count = candidate->map_count,
                                                 .kind = candidate->kind};
    good = good && bpf_program_prepare(&candidate->program[i], NULL) == 0;
  }
  place_programs(candidate);
  return good;
}

void candidate_free(struct candidate *candidate) {
  forget_programs(candidate);
  for (uint32_t i = 0; i < candidate->map_count; i++) {
    if (candidate->maps[i] != NULL) bpf_map_release(candidate->maps[i]);
  }
  free(candidate->maps);
  free(candidate->insns);
}
