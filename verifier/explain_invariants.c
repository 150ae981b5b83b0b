/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What holds before each source line: the checker is run along the proof once more, and the states that come to the line's first
 * instruction are joined. Only what is still used is shown.
 */
#include "lib/memory.h"
#include "verifier/explain.h"
#include "verifier/explain_value.h"
#include "verifier/verify_state.h"

struct holds {
  const struct proof_input *input;
  struct live *live;
  const uint8_t *wanted;      /* per slot: a line begins here */
  struct proof_state **known; /* per slot: the join of what came by; NULL: nothing */
  uint8_t *apart;             /* per slot: calls from several places that don't join */
};

static void visit(void *context, const struct proof_state *state) {
  struct holds *h = context;
  live_watch(h->live, h->input, state);
  if (!h->wanted[state->pc]) return;
  struct proof_state **known = &h->known[state->pc];
  if (!*known)
    *known = state_copy(state);
  else if (proof_state_order(*known, state) != 0 || !state_extend(*known, state, NULL))
    h->apart[state->pc] = 1;
}

static void add_facts(const struct holds *h, const struct proof_state *state, struct text *out) {
  for (unsigned i = 0; i < PROOF_REGISTERS; i++) {
    if (state->reg[i].kind == PROOF_UNREADABLE || !live_at(h->live, state, i)) continue;
    text_addf(out, "           r%u: ", i);
    explain_value(&state->reg[i], h->input, state->depth, out);
    text_add(out, "\n");
  }
  for (unsigned i = 0; i < state->slot_count; i++) {
    const struct proof_slot *slot = &state->slot[i];
    if (slot->size == 0 || !live_at(h->live, state, slot->location)) continue;
    text_add(out, "           ");
    explain_location(slot->location, state->depth, out);
    text_add(out, ": ");
    explain_value(&slot->value, h->input, state->depth, out);
    text_add(out, "\n");
  }
}

static void add_program(const struct explained *subject, const struct holds *h, uint32_t program, struct text *out) {
  const struct linked_code *code = &subject->linked->code[program];
  uint32_t start = subject->input->programs[program].start;
  text_addf(out, "%s%s (SEC(\"%s\"))\n", program > 0 ? "\n" : "", code->function, code->section);
  for (uint32_t i = 0; i < code->lines.count; i++) {
    const struct source_line *line = &code->lines.lines[i];
    const struct proof_state *state = h->known[start + line->at.insn];
    text_addf(out, "%s:%u: %s%s\n", line->at.file, line->at.line, line->text, state ? "" : "    (never reached)");
    if (state) add_facts(h, state, out);
    if (h->apart[start + line->at.insn]) text_add(out, "           (of the first call; others differ)\n");
  }
}

/* Runs the proof, which was checked before. */
static bool run(struct holds *h, const struct verify_result *result) {
  const struct proof_hooks hooks = {.context = h, .visit = visit};
  const uint8_t *proof = (const uint8_t *)result->proof.data;
  struct proof_verdict *verdict = memory_alloc(sizeof(*verdict));
  struct bpf_fact *facts = memory_alloc(h->input->insn_count * sizeof(*facts));
  void *memory = memory_alloc(proof_plan_memory(proof, result->proof.length) + 8), *arena = NULL;
  struct proof_plan plan;
  bool done = verdict && facts && memory && proof_plan_decode(proof, result->proof.length, memory, &plan);
  if (done) arena = memory_alloc(proof_walk_memory(h->input, &plan));
  h->live->plan = &plan;
  done = arena && proof_walk(h->input, &plan, arena, &hooks, facts, verdict);
  h->live->plan = NULL;
  memory_free(facts);
  memory_free(arena);
  memory_free(memory);
  memory_free(verdict);
  return done;
}

void explain_invariants(const struct explained *subject, const struct verify_result *result, struct text *out) {
  const struct proof_input *input = subject->input;
  struct flow flow = {.count = 0};
  struct live live = {.flow = NULL};
  uint8_t *wanted = memory_alloc(input->insn_count), *apart = memory_alloc(input->insn_count);
  struct proof_state **known = memory_alloc(input->insn_count * sizeof(struct proof_state *));
  struct holds h = {input, &live, wanted, known, apart};
  if (wanted && apart && known && flow_build(&flow, input) == 0 && live_init(&live, &flow) == 0) {
    for (uint32_t program = 0; program < input->program_count; program++) {
      const struct line_table *lines = &subject->linked->code[program].lines;
      for (uint32_t i = 0; i < lines->count; i++)
        wanted[input->programs[program].start + lines->lines[i].at.insn] = 1;
    }
    if (run(&h, result)) {
      live_compute(&live);
      for (uint32_t program = 0; program < input->program_count; program++)
        add_program(subject, &h, program, out);
    }
  }
  for (uint32_t i = 0; known && i < input->insn_count; i++)
    memory_free(known[i]);
  memory_free(known);
  memory_free(wanted);
  memory_free(apart);
  live_free(&live);
  flow_free(&flow);
}
