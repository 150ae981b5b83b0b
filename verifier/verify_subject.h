/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A linked program as the unikernel will see it: the verifier judges the very bytes of the bundle, so that it cannot have judged
 * something else than what is deployed.
 */
#ifndef IMAGO_VERIFIER_VERIFY_SUBJECT_H
#define IMAGO_VERIFIER_VERIFY_SUBJECT_H

#include "bundle/proof_input.h"
#include "verifier/link.h"
#include "verifier/verify.h"

struct subject {
  struct text bytes; /* a bundle signed by nobody's key */
  struct bundle *bundle;
  struct bundle_proof_input *in;                          /* in->input is the verifier's and the checker's question */
  struct verify_function functions[VERIFY_MAX_FUNCTIONS]; /* what the verifier is told besides */
  uint32_t function_count;
};

/* `linked` is only read meanwhile. max_insns: see struct proof_input. Errors as bundle_write. Free with subject_free, after failure too. */
int subject_make(struct subject *subject, const struct linked_program *linked, const struct bundle_meta *meta,
                 uint32_t max_insns, struct report *report) MUST_USE;
/* verify, with what is known of its functions. */
void subject_verify(const struct subject *subject, struct verify_result *result);
void subject_free(struct subject *subject);

#endif
