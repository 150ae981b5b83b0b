/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The proof of an extension: whether there must be one, and whether it holds. What it shows makes the facts by which native code goes
 * without checks.
 */
#include "bundle/proof_input.h"
#include "elements/extension.h"
#include "lib/memory.h"

/* What is wrong, with the instruction's source line if it is known. `imago verify` explains at length; this says which of both is at
 * fault, program or proof. */
static int refuse(const struct extension *ext, const struct proof_failure *failure, struct report *report) {
  const struct bundle *bundle = ext->bundle;
  const char *name = bundle->meta.name;
  const unsigned long long version = bundle->meta.version;
  char line[BUNDLE_NAME_MAX + 64] = "";
  switch (failure->kind) {
    case PROOF_BAD_PROOF:
      return report_error(report, ERROR_INVALID,
                          "%s version %llu: its proof is malformed; make the bundle again with `imago verify`", name,
                          version);
    case PROOF_NO_WORK:
    case PROOF_NO_STATES:
    case PROOF_NO_SLOTS:
      return report_error(report, ERROR_INVALID,
                          "%s version %llu: checking its proof takes more than the proof states; make the bundle again "
                          "with `imago verify`",
                          name, version);
    case PROOF_TOO_LONG:
      return report_error(report, ERROR_TOO_BIG,
                          "%s version %llu: may execute %llu instructions for one packet; the limit is %u", name,
                          version, (unsigned long long)failure->size, (unsigned)BPF_MAX_EXECUTED);
    default:
      break;
  }
  if (!bundle_source_line(bundle, failure->pc, line, sizeof line)) format_text(line, sizeof line, "no source line");
  return report_error(report, ERROR_INVALID,
                      "%s version %llu: its proof does not show that instruction %u (%s) is safe; `imago verify` says "
                      "why, or makes a proof that does",
                      name, version, failure->pc, line);
}

static int check(struct extension *ext, const struct bundle_proof_input *in, struct report *report) {
  const struct slice proof = ext->bundle->proof;
  struct proof_verdict *verdict = memory_alloc(sizeof *verdict);
  int status = verdict == NULL ? -ERROR_NO_MEMORY : bundle_check_proof(&in->input, proof, &ext->facts, verdict);
  if (status == 0) {
    ext->bound = verdict->root[ext->entry].cost.insns;
  } else if (status == -ERROR_INVALID) {
    status = refuse(ext, &verdict->failure, report);
  } else {
    status = report_error(report, ERROR_NO_MEMORY, "no memory for checking a proof: %zu bytes",
                          proof_check_memory(&in->input, (const uint8_t *)proof.data, proof.length));
  }
  memory_free(verdict);
  return status;
}

int extension_prove(struct extension *ext, bool allow_unproven, struct report *report) {
  const struct bundle *bundle = ext->bundle;
  if (bundle->proof.length == 0) {
    if (allow_unproven) return 0;
    return report_error(report, ERROR_UNSUPPORTED,
                        "%s version %llu carries no proof that it is safe; make the bundle with `imago verify`, or "
                        "build the function with --allow-unproven",
                        bundle->meta.name, (unsigned long long)bundle->meta.version);
  }
  struct bundle_proof_input *in = memory_alloc(sizeof *in);
  if (in == NULL) return report_error(report, ERROR_NO_MEMORY, "no memory for checking a proof");
  bundle_proof_input(bundle, BPF_MAX_EXECUTED, in);
  int status = check(ext, in, report);
  memory_free(in);
  return status;
}
