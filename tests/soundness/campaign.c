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

enum { MUTANTS = 3, PROOF_MUTANTS = 12, PROGRAM_MAX = 16384, OBJECT_MAX = 1 << 22 };

/* Proofs with small changes: of those without anything to be within there is little to be had. */
static void try_proofs(struct subject *s, const struct text *proof, bool has_inclusions, struct choices *c,
                       struct tally *tally) {
  uint8_t *bytes = malloc(proof->length + 16);
  if (bytes == NULL) abort();
  for (unsigned i = 0; i < (has_inclusions ? PROOF_MUTANTS : 1); i++) {
    memcpy(bytes, proof->data, proof->length);
    const size_t length = mutate_bytes(c, bytes, proof->length);
    if (length == proof->length && memcmp(bytes, proof->data, length) == 0) continue;
    const struct walked w = trial_check(s, bytes, length, c, tally);
    tally->proofs++;
    tally->proofs_with_inclusion += w.inclusions > 0;
    tally->proofs_accepted += w.accepted;
  }
  free(bytes);
}

/* Programs with small changes: with the proof of the original, and with their own if they have one. */
static void try_programs(struct subject *s, const struct text *proof, struct choices *c, struct tally *tally) {
  static struct bpf_insn original[PROGRAM_MAX], changed[PROGRAM_MAX];
  const uint32_t count = s->program.insn_count;
  if (count > PROGRAM_MAX) return;
  memcpy(original, s->program.insns, count * sizeof original[0]);
  for (unsigned i = 0; i < MUTANTS; i++) {
    memcpy(changed, original, count * sizeof changed[0]);
    mutate_program(c, changed, count);
    if (!subject_set(s, changed, count)) continue;
    const struct walked w = trial_check(s, (const uint8_t *)proof->data, proof->length, c, tally);
    tally->mutants++;
    tally->mutants_with_inclusion += w.inclusions > 0;
    tally->mutants_accepted += w.accepted;
    struct text own;
    (void)trial_verify(s, c, tally, &own);
    text_free(&own);
  }
}

static void try_subject(struct subject *s, bool with_mutants, struct choices *c, struct tally *tally) {
  struct text proof;
  const struct walked w = trial_verify(s, c, tally, &proof);
  if (w.accepted && with_mutants) {
    try_proofs(s, &proof, w.inclusions > 0, c, tally);
    try_programs(s, &proof, c, tally);
  }
  text_free(&proof);
}

bool campaign_make(uint64_t number, struct choices *c, struct subject *s) {
  static struct plausible generated;
  struct bpf_map_def defs[PLAUSIBLE_MAPS];
  for (unsigned i = 0; i < PLAUSIBLE_MAPS; i++)
    defs[i] = *plausible_map_def((enum plausible_map)i);
  *c = (struct choices){.seed = number * 0x9e3779b97f4a7c15 | 1};
  for (unsigned i = 0; i < 4; i++)
    (void)choose(c, 2); /* small seeds begin with zeros */
  trial_name("program", number);
  if (!subject_make(s, defs, NULL, PLAUSIBLE_MAPS, BPF_PROGRAM_XDP, c)) abort();
  plausible_generate(c, number % 2 == 0 ? 0 : 30, &generated);
  return subject_set(s, generated.insns, generated.count);
}

void campaign_program(uint64_t number, struct tally *tally) {
  struct choices c;
  struct subject s;
  if (campaign_make(number, &c, &s)) try_subject(&s, number % 4 == 0, &c, tally);
  subject_free(&s);
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

void campaign_object(const char *name, uint64_t first, uint64_t rounds, struct tally *tally) {
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
  for (uint64_t round = first; round < first + rounds; round++) {
    struct choices c = {.seed = round * 0x9e3779b97f4a7c15 | 1};
    struct subject s;
    trial_name(name, round);
    if (!subject_make(&s, linked->maps, linked->initial, linked->map_count, linked->code[0].kind, &c)) continue;
    if (subject_set(&s, linked->code[0].insns, linked->code[0].insn_count)) try_subject(&s, true, &c, tally);
    subject_free(&s);
  }
  link_free(linked);
  free(bytes);
}
