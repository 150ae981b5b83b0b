/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libFuzzer target: the verifier on damaged objects. It always ends, with a proof that the checker takes or with an explanation.
 */
#include "lib/memory.h"
#include "verifier/explain.h"
#include "verifier/verify_subject.h"

/* Paths are short, so that what unrolls ends soon. */
enum { MAX_SLOTS = 512, MAX_EXECUTED = 500 };

static void judge(const struct linked_program *program, const struct subject *subject, struct verify_result *result) {
  const struct explained explained = {program, &subject->in->input, "fuzz.bpf.o"};
  struct report report = {0};
  struct text text = {0};
  subject_verify(subject, result);
  if (result->end == VERIFY_PROVEN) {
    explain_invariants(&explained, result, &text);
    if (!result->verdict.accepted || text.length == 0) __builtin_trap();
  } else {
    explain_failure(&explained, result, &report);
    if (report.errors != 1) __builtin_trap();
  }
  report_free(&report);
  text_free(&text);
  verify_free(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct link_options options = {.file = "fuzz.bpf.o", .name = "fuzz"};
  static const struct bundle_meta meta = {.name = "fuzz", .version = 1, .audience = "*"};
  static struct verify_result result;
  struct linked_program *program = NULL;
  struct subject subject;
  if (link_object(data, size, &options, &program, NULL) != 0) return 0;
  if (link_insn_count(program) <= MAX_SLOTS) {
    if (subject_make(&subject, program, &meta, MAX_EXECUTED, NULL) == 0) judge(program, &subject, &result);
    subject_free(&subject);
  }
  link_free(program);
  return 0;
}
