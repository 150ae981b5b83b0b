/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The walk. From each recorded state its region is run: forward, always on with the smallest point that waits, so that paths which
 * meet are joined before they go on, until every path has ended or arrived at an entry of the plan.
 */
#include "proof/check.h"

#include "bpf/program.h"
#include "lib/bytes.h"
#include "lib/string.h"
#include "proof/step.h"
#include "proof/walk.h"

/* --- arena --- */

static size_t words_of(const struct proof_input *input) { return input->insn_count / 64 + 1; }

/* Places `count` objects of `size` bytes behind what is in the arena; with base NULL only counts. */
static void *place(uint8_t *base, size_t *used, size_t count, size_t size) {
  void *at = base != NULL ? base + *used : NULL;
  *used += align_up(count * size, 8);
  return at;
}

static size_t lay_out(struct walk *w, const struct proof_input *input, const struct proof_plan *plan, uint8_t *base) {
  size_t used = 0;
  w->meets = place(base, &used, words_of(input), sizeof w->meets[0]);
  w->is_point = place(base, &used, words_of(input), sizeof w->is_point[0]);
  w->points = place(base, &used, plan->entry_count, sizeof w->points[0]);
  w->tails = place(base, &used, (size_t)input->program_count * input->map_count, sizeof w->tails[0]);
  w->bounds = place(base, &used, 3 * (size_t)input->program_count, sizeof w->bounds[0]);
  w->functions = place(base, &used, plan->root_count, sizeof w->functions[0]);
  if (base != NULL) memset(base, 0, used);
  w->states = place(base, &used, plan->limits.states, proof_state_size(plan->limits.slots));
  return used;
}

size_t proof_walk_memory(const struct proof_input *input, const struct proof_plan *plan) {
  const struct proof_limits *limits = &plan->limits;
  struct walk w;
  if (limits->work > PROOF_MAX_WORK || limits->states > PROOF_MAX_STATES || limits->slots > PROOF_MAX_SLOTS ||
      plan->entry_count > PROOF_MAX_ENTRIES) {
    return 0;
  }
  const size_t size = lay_out(&w, input, plan, NULL);
  return size <= PROOF_MAX_ARENA ? size : 0;
}

/* --- failures --- */

void walk_fail(struct walk *w) {
  struct proof_failure *failure = &w->scope.failure;
  if (w->verdict->failure.kind == PROOF_OK) {
    w->verdict->failure = *failure;
    w->verdict->failure.state = NULL;
  }
  if (w->hooks == NULL || w->hooks->failed == NULL || !w->hooks->failed(w->hooks->context, failure)) w->stopped = true;
}

void walk_fail_at(struct walk *w, const struct proof_state *state, enum proof_failure_kind kind, uint32_t entry) {
  w->scope.failure = (struct proof_failure){
      .kind = kind, .pc = state->pc, .entry = entry, .location = PROOF_LOCATIONS, .state = state};
  walk_fail(w);
}

void walk_stop(struct walk *w, const struct proof_state *state, enum proof_failure_kind kind) {
  walk_fail_at(w, state, kind, UINT32_MAX);
  w->stopped = true;
}

bool walk_spend(struct walk *w, const struct proof_state *state) {
  if (w->verdict->used.work++ < w->plan->limits.work) return true;
  walk_stop(w, state, PROOF_NO_WORK);
  return false;
}

/* --- states --- */

struct proof_state *walk_copy(struct walk *w, const struct proof_state *state) {
  struct proof_state *copy = w->free;
  if (copy != NULL) {
    w->free = copy->next;
  } else if (w->verdict->used.states < w->plan->limits.states) {
    copy =
        (struct proof_state *)(void *)(w->states + w->verdict->used.states * proof_state_size(w->plan->limits.slots));
    w->verdict->used.states++;
  } else {
    walk_stop(w, state, PROOF_NO_STATES);
    return NULL;
  }
  proof_state_copy(copy, state);
  return copy;
}

void walk_release(struct walk *w, struct proof_state *state) {
  state->next = w->free;
  w->free = state;
}

/* --- arrivals, and paths that wait --- */

/* A path goes on at state->pc: at a point it arrives, elsewhere it waits there, joined with what waits already. `backward`: it
 * jumped there from behind. */
static void send(struct walk *w, struct proof_state *state, bool backward) {
  const uint32_t e = walk_entry_of(w, state);
  if (e != UINT32_MAX &&
      (!backward || w->plan->entries[e].kind == PROOF_LOOP || w->plan->entries[e].kind == PROOF_SPLIT)) {
    walk_arrive(w, e, state, NULL);
    return;
  }
  if (backward) {
    walk_fail_at(w, state, PROOF_NO_POINT, e);
    walk_release(w, state);
    return;
  }
  struct proof_state **at = &w->pending;
  int order = 1;
  while (*at != NULL && (order = proof_state_order(state, *at)) > 0) {
    at = &(*at)->next;
  }
  if (*at == NULL || order < 0) {
    state->next = *at;
    *at = state;
    return;
  }
  if (!walk_spend(w, state)) return;
  if (w->hooks != NULL && w->hooks->joins != NULL) w->hooks->joins(w->hooks->context, *at, state);
  const enum proof_mismatch mismatch = proof_state_join(*at, state, &w->scope.next_id);
  if (mismatch != PROOF_MATCH) {
    w->scope.failure = (struct proof_failure){.kind = PROOF_NO_JOIN,
                                              .pc = state->pc,
                                              .entry = UINT32_MAX,
                                              .location = PROOF_LOCATIONS,
                                              .mismatch = (uint8_t)mismatch,
                                              .state = state};
    walk_fail(w);
  }
  walk_release(w, state);
}

/* --- one instruction of a path --- */

/* A function that a helper calls is about to be called: for the first time, or again. */
static void call_back(struct walk *w, const struct proof_state *at_call, const struct proof_trips *trips) {
  struct proof_state *state = walk_copy(w, at_call);
  if (state == NULL) return;
  state->cost.insns += trips->empty;
  if (!proof_enter_callback(&w->scope, state)) {
    walk_fail(w);
  } else {
    const uint32_t e = walk_entry_of(w, state);
    if (e != UINT32_MAX) {
      walk_arrive(w, e, state, trips);
      return;
    }
    walk_fail_at(w, state, PROOF_NO_POINT, UINT32_MAX);
  }
  walk_release(w, state);
}

/* A function that is checked alone exits. */
static void give_result(struct proof_function *function, const struct proof_value *r0) {
  struct proof_value *result = &function->result;
  if (function->exits++ == 0) {
    *result = *r0;
  } else if (result->kind == PROOF_SCALAR && r0->kind == PROOF_SCALAR) {
    result->number = proof_number_join(&result->number, &r0->number);
  } else {
    proof_set_unreadable(result);
  }
}

/* The current function exits. */
static void leave(struct walk *w, struct proof_state *state, bool tail_call) {
  static const struct proof_trips again = {0, 0, 0};
  if (state->depth == 0) {
    if (!proof_end(&w->scope, state, !tail_call && w->function == NULL)) {
      walk_fail(w);
    } else {
      cost_raise(&w->end, state->cost);
      if (w->function != NULL) give_result(w->function, &state->reg[0]);
    }
    walk_release(w, state);
    return;
  }
  const bool callback = proof_in_callback(&w->scope, state);
  if (!proof_leave(&w->scope, state)) {
    walk_fail(w);
    walk_release(w, state);
    return;
  }
  if (callback) {
    call_back(w, state, &again);
    proof_finish_callbacks(&w->scope, state);
  }
  send(w, state, false);
}

/* A tail call was made: where the map has programs, the function may exit as one of them does. */
static void tail_call(struct walk *w, const struct proof_state *state) {
  const struct proof_input *input = w->scope.input;
  struct tail *tail = &w->tails[w->program * input->map_count + w->scope.tail_map];
  bool any = false;
  for (uint32_t i = 0; i < input->target_count; i++) {
    any = any || input->targets[i].map == w->scope.tail_map;
  }
  if (!any) return;
  if (w->function != NULL) { /* its bound would depend on its callers */
    walk_fail_at(w, state, PROOF_NO_HELPER, UINT32_MAX);
    return;
  }
  tail->made = true;
  cost_raise(&tail->cost, state->cost);
  if (state->depth > tail->depth) tail->depth = state->depth;
  struct proof_state *gone = walk_copy(w, state);
  if (gone == NULL) return;
  if (gone->depth > 0) proof_return_from_tail(&w->scope, gone);
  leave(w, gone, true);
}

/* Both ways of a conditional jump. Gives the state that goes on behind it, or NULL. */
static struct proof_state *branch(struct walk *w, struct proof_state *state) {
  const uint32_t pc = state->pc;
  struct bpf_fact *fact = &w->scope.facts[pc];
  struct proof_state *taken = walk_copy(w, state);
  if (taken == NULL) return NULL;
  if (proof_branch(&w->scope, taken, true)) {
    fact->known &= (uint16_t)~BPF_FACT_NEVER;
    send(w, taken, taken->pc <= pc);
  } else {
    walk_release(w, taken);
  }
  if (!proof_branch(&w->scope, state, false)) {
    walk_release(w, state);
    return NULL;
  }
  fact->known &= (uint16_t)~BPF_FACT_ALWAYS;
  return state;
}

static void note_timer(struct walk *w, const struct proof_state *state) {
  struct proof_verdict *verdict = w->verdict;
  for (uint32_t i = 0; i < verdict->root_count; i++) {
    if (verdict->root[i].pc == w->scope.timer_pc && verdict->root[i].map == w->scope.timer_map) return;
  }
  if (verdict->root_count == PROOF_MAX_ROOTS) {
    walk_stop(w, state, PROOF_NO_STATES);
    return;
  }
  w->root_program[verdict->root_count] = (uint8_t)w->program;
  verdict->root[verdict->root_count].pc = w->scope.timer_pc;
  verdict->root[verdict->root_count++].map = w->scope.timer_map;
}

/* Runs one path until it has ended, or must wait. */
static void run_path(struct walk *w, struct proof_state *state) {
  while (state != NULL && !w->stopped) {
    const uint32_t pc = state->pc, depth = state->depth;
    bool follows = true; /* goes on behind the instruction */
    if (!walk_spend(w, state)) return;
    if (w->hooks != NULL && w->hooks->visit != NULL) w->hooks->visit(w->hooks->context, state);
    const enum proof_outcome outcome = proof_step(&w->scope, state);
    if (state->slot_count > w->verdict->used.slots) w->verdict->used.slots = state->slot_count;
    if (state->cost.insns > w->scope.input->max_insns) {
      w->scope.failure = (struct proof_failure){.kind = PROOF_TOO_LONG,
                                                .pc = pc,
                                                .entry = UINT32_MAX,
                                                .location = PROOF_LOCATIONS,
                                                .size = state->cost.insns,
                                                .state = state};
      walk_fail(w);
      walk_release(w, state);
      return;
    }
    switch (outcome) {
      case PROOF_REFUSED:
        walk_fail(w);
        walk_release(w, state);
        return;
      case PROOF_EXIT:
        leave(w, state, false);
        return;
      case PROOF_BRANCH:
        state = branch(w, state);
        if (state == NULL) return;
        break;
      case PROOF_CALLS_BACK: {
        const struct proof_trips trips = proof_count_trips(&w->scope, state);
        if (trips.most > 0) call_back(w, state, &trips);
        if (trips.least > 0) {
          walk_release(w, state);
          return;
        }
        state->cost.insns += trips.empty;
        proof_finish_callbacks(&w->scope, state);
        break;
      }
      case PROOF_TAIL_CALL:
        tail_call(w, state);
        break;
      case PROOF_NEXT:
        follows = state->pc > pc && state->depth == depth;
        if (w->scope.timer_map != PROOF_NO_MAP) note_timer(w, state);
        break;
    }
    if (w->stopped) return;
    /* On without more ado, unless others wait for this point, or it is one of the plan. */
    if (!bit(w->meets, state->pc)) continue;
    if (!bit(w->is_point, state->pc) && follows && (w->pending == NULL || proof_state_order(state, w->pending) < 0)) {
      continue;
    }
    send(w, state, state->depth == depth && state->pc <= pc);
    return;
  }
}

/* All that can be reached from this state without passing a point. */
static void run_region(struct walk *w, struct proof_state *state) {
  w->pending = NULL;
  run_path(w, state);
  while (w->pending != NULL && !w->stopped) {
    state = w->pending;
    w->pending = state->next;
    run_path(w, state);
  }
}

/* --- entries --- */

/* Goes on from a recorded state: at the head of a loop, into its body. */
static void run_recorded(struct walk *w, uint32_t e, struct proof_state *recorded) {
  const struct proof_entry *entry = &w->plan->entries[e];
  recorded->done = true;
  w->points[e].next = recorded->next;
  cost_raise(&w->points[e].dearest, recorded->cost);
  struct proof_state *state = walk_copy(w, recorded);
  if (state == NULL) return;
  if (entry->kind == PROOF_LOOP || entry->kind == PROOF_CALLBACK) {
    if (state->active_count == PROOF_MAX_ACTIVE) {
      walk_fail_at(w, state, PROOF_TOO_NESTED, e);
      walk_release(w, state);
      return;
    }
    state->active[state->active_count++] = (uint16_t)e;
  }
  if (entry->kind == PROOF_LOOP) {
    struct proof_slot *slot = entry->measure < PROOF_REGISTERS ? NULL : proof_state_find(state, entry->measure);
    struct proof_value *v = slot != NULL ? &slot->value : &state->reg[entry->measure];
    v->origin = state->active_count;
    v->moved_min = v->moved_max = 0;
  }
  run_region(w, state);
}

static void run_root(struct walk *w, uint32_t root) {
  struct proof_verdict *verdict = w->verdict;
  w->stopped = w->hooks != NULL && w->hooks->begins != NULL && !w->hooks->begins(w->hooks->context, root);
  if (w->stopped) return;
  const struct proof_plan *plan = w->plan;
  const uint32_t pc = verdict->root[root].pc, map = verdict->root[root].map;
  w->root = NULL;
  for (uint32_t i = 0; i < plan->root_count; i++) {
    if (plan->roots[i].pc == pc && plan->roots[i].map == map) w->root = &plan->roots[i];
  }
  w->program = w->root_program[root];
  w->scope.program = &w->scope.input->programs[w->program];
  w->scope.frames = map == PROOF_NO_MAP ? BPF_MAX_FRAMES : BPF_MAX_FRAMES - 1; /* bpf_run_callback has one of its own */
  w->end = (struct proof_cost){0, 0};
  w->function = NULL;
  w->scope.deepest = 0;
  w->scope.moves = false;
  w->lowest = UINT32_MAX;
  w->pending = NULL;
  /* An empty state to copy. */
  struct proof_state empty_state = {.pc = pc};
  struct proof_state *state = walk_copy(w, &empty_state);
  if (state == NULL) return;
  if (map == PROOF_ALONE) {
    w->function = &w->functions[w->scope.function_count];
    *w->function = (struct proof_function){.pc = pc, .arguments = w->root->argument};
  }
  proof_begin(&w->scope, state, pc, map, map == PROOF_ALONE ? w->root->argument : NULL);
  state->root = (uint16_t)root;
  send(w, state, false);
  while (w->pending != NULL && !w->stopped) {
    state = w->pending;
    w->pending = state->next;
    run_path(w, state);
  }
  const uint32_t end = w->root == NULL ? 0 : w->root->first_entry + w->root->entry_count;
  for (uint32_t e = w->lowest; e < end && !w->stopped; e = w->lowest) {
    struct proof_state *next = w->points[e].next;
    w->lowest = e + (next == NULL);
    if (next != NULL) run_recorded(w, e, next);
  }
  verdict->root[root].cost = w->end;
  if (map == PROOF_NO_MAP) w->bounds[root] = (struct bound){w->end, w->scope.deepest};
  if (w->function != NULL) {
    w->function->cost = w->end;
    w->function->deepest = w->scope.deepest;
    w->function->moves = w->scope.moves;
    w->scope.function_count++;
  }
}

/* Notes the functions that are to be checked alone. False: one is none. */
static bool list_functions(struct walk *w) {
  const struct proof_input *input = w->scope.input;
  struct proof_verdict *verdict = w->verdict;
  for (uint32_t i = 0; i < w->plan->root_count; i++) {
    const uint32_t pc = w->plan->roots[i].pc;
    uint32_t program = 0;
    if (w->plan->roots[i].map != PROOF_ALONE) continue;
    /* The second slot of an immediate has opcode 0, and no instruction has. */
    if (pc >= input->insn_count || input->insns[pc].code == 0 || verdict->root_count == PROOF_MAX_ROOTS) return false;
    while (pc - input->programs[program].start >= input->programs[program].count) {
      if (++program == input->program_count) return false;
    }
    w->root_program[verdict->root_count] = (uint8_t)program;
    verdict->root[verdict->root_count].pc = pc;
    verdict->root[verdict->root_count++].map = PROOF_ALONE;
  }
  return true;
}

/* --- the whole --- */

/* Only facts that mean something for the instruction stay. */
static void finish_facts(const struct proof_input *input, struct bpf_fact *facts) {
  for (uint32_t at = 0; at < input->insn_count; at++) {
    const struct bpf_insn insn = input->insns[at];
    const unsigned op = BPF_OP(insn.code);
    unsigned kept = BPF_FACT_FRAME;
    switch (BPF_CLASS(insn.code)) {
      case BPF_LDX:
      case BPF_ST:
      case BPF_STX:
        kept |= BPF_FACT_ACCESS;
        break;
      case BPF_ALU:
      case BPF_ALU64:
        if (op == BPF_DIV || op == BPF_MOD) kept |= BPF_FACT_DIVISOR;
        break;
      case BPF_JMP:
      case BPF_JMP32:
        kept |= BPF_FACT_BOUNDED;
        if (op == BPF_CALL) {
          kept |= BPF_FACT_ARGUMENTS | BPF_FACT_KEY | BPF_FACT_MAP;
        } else if ((facts[at].known & (BPF_FACT_NEVER | BPF_FACT_ALWAYS)) != (BPF_FACT_NEVER | BPF_FACT_ALWAYS)) {
          kept |= BPF_FACT_NEVER | BPF_FACT_ALWAYS;
        }
        break;
      default:
        break;
    }
    facts[at].known &= (uint16_t)kept;
  }
}

bool proof_walk(const struct proof_input *input, const struct proof_plan *plan, void *arena,
                const struct proof_hooks *hooks, struct bpf_fact *facts, struct proof_verdict *verdict) {
  const struct proof_state nowhere = {0};
  struct walk w = {.scope = {.input = input, .limits = &plan->limits, .facts = facts, .next_id = 1},
                   .plan = plan,
                   .hooks = hooks,
                   .verdict = verdict};
  *verdict = (struct proof_verdict){0};
  memset(facts, 0, input->insn_count * sizeof facts[0]);
  if (input->program_count > PROOF_MAX_ROOTS) {
    walk_stop(&w, &nowhere, PROOF_BAD_PROGRAM);
    return false;
  }
  for (uint32_t p = 0; p < input->program_count; p++) {
    const struct proof_program *program = &input->programs[p];
    verdict->root[p].pc = program->start;
    verdict->root[p].map = PROOF_NO_MAP;
    w.root_program[p] = (uint8_t)p;
    if (program->start > input->insn_count || program->count > input->insn_count - program->start ||
        bpf_check(input->insns + program->start, program->count, input->map_count, NULL) != 0) {
      walk_stop(&w, &nowhere, PROOF_BAD_PROGRAM);
      return false;
    }
  }
  verdict->root_count = input->program_count;
  lay_out(&w, input, plan, arena);
  w.scope.meets = w.meets;
  w.scope.functions = w.functions;
  walk_mark_meets(&w);
  if (!list_functions(&w)) walk_stop(&w, &nowhere, PROOF_BAD_PROOF);
  /* Functions first: by what is found of them calls go. */
  const uint32_t functions_end = verdict->root_count;
  for (uint32_t root = input->program_count; root < functions_end && !w.stopped; root++) {
    run_root(&w, root);
  }
  for (uint32_t root = 0; root < verdict->root_count && !w.stopped; root++) {
    if (verdict->root[root].map != PROOF_ALONE) run_root(&w, root);
  }
  if (!w.stopped) walk_add_tail_calls(&w);
  verdict->accepted = verdict->failure.kind == PROOF_OK && !w.stopped;
  if (verdict->accepted) {
    finish_facts(input, facts);
  } else {
    memset(facts, 0, input->insn_count * sizeof facts[0]);
  }
  return verdict->accepted;
}
