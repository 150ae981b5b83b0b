/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is tried.
 */
#include "tests/soundness/campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/soundness/mutate.h"
#include "tests/soundness/plausible.h"
#include "verifier/link.h"

enum { MUTANTS = 3, PROOF_MUTANTS = 12, INSNS_MAX = 16384, OBJECT_MAX = 1 << 22 };

/* Proofs with small changes: of those without anything to be within there is little to be had. */
static void try_proofs(struct candidate *candidate, const struct text *proof, bool has_inclusions, struct choices *c,
                       struct tally *tally) {
  uint8_t *bytes = malloc(proof->length + 16);
  if (bytes == NULL) abort();
  for (unsigned i = 0; i < (has_inclusions ? PROOF_MUTANTS : 1); i++) {
    memcpy(bytes, proof->data, proof->length);
    const size_t length = mutate_bytes(c, bytes, proof->length);
    if (length == proof->length && memcmp(bytes, proof->data, length) == 0) continue;
    const struct walked w = trial_check(candidate, bytes, length, c, tally);
    tally->proofs++;
    tally->proofs_with_inclusion += w.inclusions > 0;
    tally->proofs_accepted += w.accepted;
  }
  free(bytes);
}

/* Programs with small changes: with the proof of the original, and with their own if they have one. */
static void try_programs(struct candidate *candidate, const struct text *proof, struct choices *c,
                         struct tally *tally) {
  static struct bpf_insn original[INSNS_MAX], changed[INSNS_MAX];
  const uint32_t all = candidate->input.insn_count, count = candidate->program_count;
  uint32_t counts[CANDIDATE_PROGRAMS];
  if (all > INSNS_MAX) return;
  memcpy(original, candidate->insns, all * sizeof original[0]);
  for (uint32_t i = 0; i < count; i++)
    counts[i] = candidate->extent[i].count;
  for (unsigned i = 0; i < MUTANTS; i++) {
    memcpy(changed, original, all * sizeof changed[0]);
    mutate_program(c, changed, all);
    if (!candidate_set(candidate, changed, counts, count)) continue;
    const struct walked w = trial_check(candidate, (const uint8_t *)proof->data, proof->length, c, tally);
    tally->mutants++;
    tally->mutants_with_inclusion += w.inclusions > 0;
    tally->mutants_accepted += w.accepted;
    struct text own;
    (void)trial_verify(candidate, c, tally, &own);
    text_free(&own);
  }
}

static void try_candidate(struct candidate *candidate, bool with_mutants, struct choices *c, struct tally *tally) {
  struct text proof;
  const struct walked w = trial_verify(candidate, c, tally, &proof);
  if (w.accepted && with_mutants) {
    try_proofs(candidate, &proof, w.inclusions > 0, c, tally);
    try_programs(candidate, &proof, c, tally);
  }
  text_free(&proof);
}

bool campaign_make(uint64_t number, struct choices *c, struct candidate *candidate) {
  static struct plausible generated;
  *c = (struct choices){.seed = number * 0x9e3779b97f4a7c15 | 1};
  for (unsigned i = 0; i < 4; i++)
    (void)choose(c, 2); /* small seeds begin with zeros */
  trial_name("program", number);
  if (!candidate_make(candidate, &plausible_maps, c)) abort();
  const bool deep = number % 64 == 61;
  plausible_generate(c, number % 2 == 0 || deep ? 0 : 30, deep, &generated);
  /* Of some programs functions are verified alone that otherwise are in their callers' context. */
  candidate->function_count = number % 4 == 1 ? generated.function_count : 0;
  memcpy(candidate->functions, generated.functions, sizeof candidate->functions);
  return candidate_set(candidate, generated.insns, generated.counts, generated.program_count);
}

void campaign_program(uint64_t number, struct tally *tally) {
  static struct candidate candidate;
  struct choices c;
  if (campaign_make(number, &c, &candidate)) try_candidate(&candidate, number % 4 == 0 || number % 16 == 5, &c, tally);
  candidate_free(&candidate);
}

static char *read_file(const char *name, size_t *length) {
  FILE *file = fopen(name, "rb");
  if (file == NULL) return NULL;
  char *bytes = malloc(OBJECT_MAX);
  if (bytes == NULL) abort();
  *length = fread(bytes, 1, OBJECT_MAX, file);
  fclose(file);
  return bytes;
}

static void take_functions(struct candidate *candidate, const struct linked_code *code, uint32_t start) {
  for (uint32_t i = 0; i < code->function_count && candidate->function_count < VERIFY_MAX_FUNCTIONS; i++) {
    if (!code->functions[i].typed) continue;
    struct verify_function *out = &candidate->functions[candidate->function_count++];
    out->pc = start + code->functions[i].start;
    memcpy(out->argument, code->functions[i].argument, sizeof out->argument);
  }
}

void campaign_object(const char *name, uint64_t first, uint64_t rounds, struct tally *tally) {
  static struct candidate candidate;
  size_t length;
  char *bytes = read_file(name, &length);
  struct linked_program *linked;
  struct report report = {0};
  char program[64];
  const char *base = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
  snprintf(program, sizeof program, "%.*s", (int)strcspn(base, "."), base);
  const struct link_options options = {.file = name, .name = "trial", .program = program};
  if (bytes == NULL || link_object((const uint8_t *)bytes, length, &options, &linked, &report) != 0) {
    fprintf(stderr, "%s: %s\n", name, bytes == NULL ? "cannot be read" : text_string(&report.text));
    exit(1);
  }
  const struct candidate_maps maps = {linked->maps,    linked->initial,     linked->map_count,
                                      linked->entries, linked->entry_count, linked->code[0].kind};
  uint32_t counts[CANDIDATE_PROGRAMS], at = 0;
  struct bpf_insn *insns = malloc(link_insn_count(linked) * sizeof *insns);
  if (insns == NULL) abort();
  for (uint32_t i = 0; i < linked->code_count; i++) {
    counts[i] = linked->code[i].insn_count;
    memcpy(&insns[at], linked->code[i].insns, counts[i] * sizeof *insns);
    at += counts[i];
  }
  for (uint64_t round = first; round < first + rounds; round++) {
    struct choices c = {.seed = round * 0x9e3779b97f4a7c15 | 1};
    trial_name(name, round);
    if (candidate_make(&candidate, &maps, &c) && candidate_set(&candidate, insns, counts, linked->code_count)) {
      for (uint32_t i = 0; i < linked->code_count; i++)
        take_functions(&candidate, &linked->code[i], candidate.extent[i].start);
      try_candidate(&candidate, true, &c, tally);
    }
    candidate_free(&candidate);
  }
  free(insns);
  link_free(linked);
  free(bytes);
}
