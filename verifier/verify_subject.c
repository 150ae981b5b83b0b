/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Written and parsed again: what the bundle cannot carry the verifier does not see.
 */
#include "verifier/verify_subject.h"

#include "lib/memory.h"
#include "verifier/link_bundle.h"

int subject_make(struct subject *subject, const struct linked_program *linked, const struct bundle_meta *meta,
                 uint32_t max_insns, struct report *report) {
  static const uint8_t nobody[BUNDLE_SECRET_KEY_SIZE];
  *subject =
      (struct subject){.bundle = memory_alloc(sizeof(*subject->bundle)), .in = memory_alloc(sizeof(*subject->in))};
  if (!subject->bundle || !subject->in) return report_error(report, ERROR_NO_MEMORY, "%s: out of memory", meta->name);
  int error = link_bundle(linked, meta, (struct slice){NULL, 0}, nobody, &subject->bytes, report);
  if (!error)
    error = bundle_parse((const uint8_t *)subject->bytes.data, subject->bytes.length, subject->bundle, report);
  if (!error) bundle_proof_input(subject->bundle, max_insns, subject->in);
  return error;
}

void subject_free(struct subject *subject) {
  text_free(&subject->bytes);
  memory_free(subject->bundle);
  memory_free(subject->in);
  *subject = (struct subject){.bundle = NULL};
}
