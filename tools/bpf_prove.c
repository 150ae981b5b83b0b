/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a linked program to native code without checks: verified, its proof checked, compiled with the facts that the proof shows, all
 * as a running function does it.
 */
#include "bpf/jit.h"
#include "lib/memory.h"
#include "tools/bpf_instance.h"
#include "tools/file.h"
#include "verifier/explain.h"
#include "verifier/verify_subject.h"

/* One fact for each instruction of the bundle, the caller's; NULL after reporting. */
static struct bpf_fact *find_facts(const struct linked_program *linked, const struct subject *subject,
                                   const char *object, struct report *report) {
  const struct proof_input *input = &subject->in->input;
  struct verify_result *result = memory_alloc(sizeof(*result));
  struct proof_verdict *verdict = memory_alloc(sizeof(*verdict));
  struct bpf_fact *facts = NULL;
  int error = -ERROR_NO_MEMORY;
  if (result && verdict) {
    subject_verify(subject, result);
    if (result->end == VERIFY_PROVEN) {
      const struct slice proof = {text_string(&result->proof), result->proof.length};
      error = bundle_check_proof(input, proof, &facts, verdict);
    } else {
      explain_failure(&(struct explained){linked, input, path_base(object)}, result, report);
    }
    verify_free(result);
  }
  if (error != 0 && report->errors == 0) (void)report_error(report, ERROR_NO_MEMORY, "%s: no memory", object);
  memory_free(verdict);
  memory_free(result);
  return facts;
}

int bpf_prove(const struct linked_program *linked, const char *object, struct bpf_proven *proven,
              struct report *report) {
  const struct bundle_meta meta = {.name = "program", .version = 1, .audience = "*"};
  struct subject subject;
  *proven = (struct bpf_proven){.facts = NULL};
  int error = subject_make(&subject, linked, &meta, BPF_MAX_EXECUTED, report);
  if (!error) {
    proven->facts = find_facts(linked, &subject, object, report);
    if (!proven->facts) error = -ERROR_INVALID;
  }
  for (uint32_t i = 0; !error && i < linked->code_count; i++)
    proven->of[i] = proven->facts + subject.bundle->programs[i].start;
  subject_free(&subject);
  return error;
}

int bpf_instance_prove(struct bpf_instance *instance, const struct linked_program *linked, const char *object,
                       struct report *report) {
  struct bpf_proven proven;
  int error = bpf_prove(linked, object, &proven, report);
  for (uint32_t i = 0; !error && i < instance->program_count; i++)
    error = bpf_jit(&instance->programs[i], proven.of[i], NULL, report);
  memory_free(proven.facts);
  return error;
}
