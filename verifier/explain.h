/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Why a program was not proven, for the person who wrote it in C: the source line and instruction, the fact that was needed, the best
 * that is known, where it was lost, one way there, and what to write instead. And what was proven, beside the source.
 */
#ifndef IMAGO_VERIFIER_EXPLAIN_H
#define IMAGO_VERIFIER_EXPLAIN_H

#include "verifier/link.h"
#include "verifier/verify.h"

/* The program that was judged. `input` is about the same code. */
struct explained {
  const struct linked_program *linked;
  const struct proof_input *input;
  const char *file; /* the object's name, where there are no source lines */
};

/* Adds one error to the report: a line of what and where, then indented lines. Of a result without proof. */
void explain_failure(const struct explained *subject, const struct verify_result *result, struct report *report);

/* Adds a note for each global function that was not verified alone although its type can be told: why. Of a result with proof. */
void explain_functions(const struct explained *subject, const struct verify_result *result, struct report *report);

/* Adds the source lines of all programs with what holds before each, joined over all paths. Of a result with proof. */
void explain_invariants(const struct explained *subject, const struct verify_result *result, struct text *out);

/* "fw.bpf.c:41" of a slot of the input; "fw.bpf.o: instruction 7" when there is no line. */
void explain_place(const struct explained *subject, uint32_t slot, struct text *out);
/* The line that made the slot; NULL when unknown. */
const struct source_line *explain_line(const struct explained *subject, uint32_t slot);
/* The instruction, as the disassembler has it. */
void explain_instruction(const struct explained *subject, uint32_t slot, struct text *out);

/* Adds one way from the start to the state, through slots that were visited: a line for each jump where it forks, at most `most` of them.
 * (explain_path.c) */
void explain_path(const struct explained *subject, const struct proof_state *to, const uint8_t *visited, unsigned most,
                  struct text *out);

#endif
