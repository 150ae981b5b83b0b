/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Written and parsed again: what the bundle cannot carry the verifier does not see.
 */
#include "verifier/verify_subject.h"

#include "lib/memory.h"
#include "lib/string.h"
#include "verifier/link_bundle.h"

/* Bundles don't name functions: the verifier is told of them, and what it is told is in the proof. */
static void list_functions(struct subject *subject, const struct linked_code *code, uint32_t start) {
  for (uint32_t i = 0; i < code->function_count && subject->function_count < VERIFY_MAX_FUNCTIONS; i++) {
    const struct linked_function *function = &code->functions[i];
    if (!function->typed) continue;
    struct verify_function *out = &subject->functions[subject->function_count++];
    out->pc = start + function->start;
    memcpy(out->argument, function->argument, sizeof(out->argument));
  }
}

int subject_make(struct subject *subject, const struct linked_program *linked, const struct bundle_meta *meta,
                 uint32_t max_insns, struct report *report) {
  static const uint8_t nobody[BUNDLE_SECRET_KEY_SIZE];
  *subject =
      (struct subject){.bundle = memory_alloc(sizeof(*subject->bundle)), .in = memory_alloc(sizeof(*subject->in))};
  if (!subject->bundle || !subject->in) return report_error(report, ERROR_NO_MEMORY, "%s: out of memory", meta->name);
  int error = link_bundle(linked, meta, (struct slice){NULL, 0}, nobody, &subject->bytes, report);
  if (!error)
    error = bundle_parse((const uint8_t *)subject->bytes.data, subject->bytes.length, subject->bundle, report);
  if (error) return error;
  bundle_proof_input(subject->bundle, max_insns, subject->in);
  for (uint32_t i = 0; i < linked->code_count; i++)
    list_functions(subject, &linked->code[i], subject->in->input.programs[i].start);
  return 0;
}

void subject_verify(const struct subject *subject, struct verify_result *result) {
  verify(&subject->in->input, subject->functions, subject->function_count, result);
}

void subject_free(struct subject *subject) {
  text_free(&subject->bytes);
  memory_free(subject->bundle);
  memory_free(subject->in);
  *subject = (struct subject){.bundle = NULL};
}
