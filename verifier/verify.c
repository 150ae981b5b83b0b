/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Walk, learn, walk again, until the checker accepts. Then what the plan doesn't need is taken out, and what is left is encoded, decoded
 * and checked like anybody's proof. Global functions are checked alone first; where that does not succeed, in their callers' context.
 */
#include "verifier/verify.h"

#include <time.h>

#include "lib/memory.h"
#include "lib/string.h"
#include "verifier/verify_search.h"

enum {
  FIRST_STATES = 64,
  FIRST_SLOTS = 24,
  TRIM_TRIALS = 64,   /* splits that are tried to be left out */
  ALONE_ATTEMPTS = 4, /* searches with functions alone, before all are put in their callers' context */
};

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- one walk --- */

static bool reserve_arena(struct search *s) {
  size_t size = proof_walk_memory(s->input, &s->draft.plan);
  if (size == 0) {
    s->result->end = VERIFY_TOO_LARGE;
    return false;
  }
  if (size <= s->arena_size) return true;
  memory_free(s->arena);
  s->arena = memory_alloc(size);
  s->arena_size = s->arena ? size : 0;
  if (size > s->result->statistics.memory) s->result->statistics.memory = size;
  s->no_memory = s->arena == NULL;
  return s->arena != NULL;
}

static uint64_t most_work(const struct search *s) {
  return VERIFY_MAX_WORK + (uint64_t)s->input->insn_count * VERIFY_MAX_ROUNDS;
}

/* False: it can't be walked. */
static bool walk(struct search *s, const struct proof_hooks *hooks) {
  struct verify_result *result = s->result;
  struct verify_statistics *statistics = &result->statistics;
  uint64_t left = most_work(s) - statistics->work;
  uint64_t once = VERIFY_PASS_WORK + (uint64_t)s->input->insn_count * VERIFY_PASS_ROUNDS;
  uint32_t weight = 1 + s->limits.slots / VERIFY_WEIGHT_SLOTS;
  s->limits.work = (uint32_t)(left < once ? left : once) / weight;
  if (draft_assemble(&s->draft, &s->live, s->costing) != 0) {
    s->no_memory = true;
    return false;
  }
  s->draft.plan.limits = s->limits;
  if (!reserve_arena(s)) return false;
  statistics->passes++;
  (void)proof_walk(s->input, &s->draft.plan, s->arena, hooks, s->facts, &result->verdict);
  statistics->work += (uint64_t)result->verdict.used.work * weight;
  return !s->no_memory;
}

static bool walk_and_learn(struct search *s) {
  const struct proof_hooks hooks = search_hooks(s);
  s->amended = s->cost_amended = s->reads_lost = s->limited = false;
  s->failure.kind = PROOF_OK;
  s->root = PROOF_MAX_ROOTS; /* none yet */
  for (uint32_t i = 0; i < s->draft.point_count; i++) {
    struct point *point = &s->draft.points[i];
    point->arrivals = 0;
    point->returns = false;
  }
  return walk(s, &hooks);
}

static bool add_root(struct search *s, uint32_t pc, uint32_t map) {
  return draft_add_root(&s->draft, &(struct proof_root){.pc = pc, .map = map});
}

/* Takes what the walk brought into the plan. */
static void amend(struct search *s) {
  for (uint32_t i = 0; i < s->result->verdict.root_count; i++)
    s->amended |= add_root(s, s->result->verdict.root[i].pc, s->result->verdict.root[i].map);
  for (uint32_t i = 0; i < s->draft.point_count; i++)
    if (s->draft.points[i].apart)
      point_become(&s->draft.points[i], PROOF_SPLIT);
    else
      search_widen(s, &s->draft.points[i]);
  for (uint32_t i = 0; i < s->draft.point_count; i++)
    if (s->draft.points[i].entry.kind == PROOF_LOOP) s->amended |= measure_choose(s, &s->draft.points[i]);
  for (uint32_t i = 0; i < s->wish_count; i++) {
    (void)search_add(s, s->wishes[i].at, s->wishes[i].kind);
    memory_free(s->wishes[i].at);
  }
  s->wish_count = 0;
  if (s->live.stale) {
    live_compute(&s->live);
    s->amended |= s->reads_lost && s->draft.point_count > 0;
  }
}

/* --- the search --- */

static bool find(struct search *s) {
  struct verify_result *result = s->result;
  for (;;) {
    if (!walk_and_learn(s)) return false;
    if (result->verdict.accepted) return true;
    amend(s);
    if (s->no_memory) return false;
    if (result->statistics.passes >= VERIFY_MAX_PASSES || result->statistics.work >= most_work(s)) {
      result->end = VERIFY_EXHAUSTED;
      return false;
    }
    if (s->amended || (s->costing && s->cost_amended)) continue;
    if (s->failure.kind == PROOF_OK && !s->costing) {
      s->costing = true;
    } else if (refine(s)) {
      s->costing = false;
    } else {
      if (!s->no_memory) result->end = VERIFY_REFUSED;
      return false;
    }
  }
}

/* --- what a plan needs not have --- */

/* The last walk along the plan was accepted. */
static bool accepted_without(struct search *s, uint32_t number) {
  struct point saved = s->draft.points[number];
  struct draft *draft = &s->draft;
  memmove(&draft->points[number], &draft->points[number + 1], (--draft->point_count - number) * sizeof(saved));
  if (walk(s, NULL) && s->result->verdict.accepted) {
    memmove(&draft->points[number + 1], &draft->points[number], (draft->point_count++ - number) * sizeof(saved));
    draft->points[number] = saved;
    draft_remove(draft, number);
    return true;
  }
  memmove(&draft->points[number + 1], &draft->points[number], (draft->point_count++ - number) * sizeof(saved));
  draft->points[number] = saved;
  return false;
}

/* Points that nothing leads to; splits may have been made in vain. True: the plan is another one, and was accepted. */
static bool trim(struct search *s) {
  unsigned trials = 0;
  bool changed = false;
  if (s->live.stale) live_compute(&s->live); /* the last walk may have met reads that none before it had */
  for (uint32_t i = s->draft.point_count; i-- > 0;) {
    if (s->draft.points[i].arrivals > 0) continue;
    draft_remove(&s->draft, i);
    changed = true;
  }
  uint64_t budget = s->result->statistics.work * 2;
  for (uint32_t i = s->draft.point_count; i-- > 0 && trials < TRIM_TRIALS && s->result->statistics.work < budget;) {
    const struct point *point = &s->draft.points[i];
    if (point->entry.kind != PROOF_SPLIT || s->is_head[point->entry.key[point->entry.depth]]) continue;
    trials++;
    changed = true;
    (void)accepted_without(s, i);
    if (s->no_memory) return false;
  }
  return changed && walk(s, NULL) && s->result->verdict.accepted;
}

/* --- the proof --- */

static bool encode(struct search *s) {
  struct verify_result *result = s->result;
  struct proof_plan *plan = &s->draft.plan;
  plan->limits = result->verdict.used;
  size_t size = proof_plan_encode(plan, NULL, 0);
  uint8_t *bytes = memory_alloc(size + 1);
  if (!bytes) return false;
  (void)proof_plan_encode(plan, bytes, size);
  text_clear(&result->proof);
  text_add_bytes(&result->proof, bytes, size);
  memory_free(bytes);
  return !result->proof.failed;
}

/* As the unikernel does. */
static bool check(struct search *s) {
  struct verify_result *result = s->result;
  const uint8_t *proof = (const uint8_t *)result->proof.data;
  size_t size = proof_check_memory(s->input, proof, result->proof.length);
  void *arena = size > 0 ? memory_alloc(size) : NULL;
  if (!arena) return false;
  bool accepted = proof_check(s->input, proof, result->proof.length, arena, s->facts, &result->verdict);
  memory_free(arena);
  return accepted;
}

/* --- all --- */

static bool prepare(struct search *s, const struct verify_function *functions) {
  const struct proof_input *input = s->input;
  s->limits = (struct proof_limits){.states = FIRST_STATES, .slots = FIRST_SLOTS};
  s->result->visited = memory_alloc(input->insn_count);
  s->is_head = memory_alloc(input->insn_count);
  s->facts = memory_alloc(input->insn_count * sizeof(*s->facts));
  s->join_first = memory_alloc(input->insn_count * sizeof(*s->join_first));
  if (!s->result->visited || !s->is_head || !s->join_first || !s->facts) return false;
  if (flow_build(&s->flow, input) != 0 || live_init(&s->live, &s->flow) != 0) return false;
  live_compute(&s->live);
  thresholds_coarse(&s->coarse);
  s->live.plan = &s->draft.plan;
  if (!functions_add(s, functions)) return false;
  for (uint32_t i = 0; i < input->insn_count; i++)
    s->join_first[i] = UINT32_MAX;
  for (uint32_t i = 0; i < input->insn_count; i = flow_behind(&s->flow, i))
    if (flow_is_backward(&s->flow, i)) s->is_head[s->flow.next[i][1]] = 1;
  for (uint32_t i = 0; i < input->program_count; i++)
    (void)add_root(s, input->programs[i].start, PROOF_NO_MAP);
  return true;
}

static void finish(struct search *s) {
  for (uint32_t i = 0; i < s->wish_count; i++)
    memory_free(s->wishes[i].at);
  memory_free(s->wishes);
  memory_free(s->joins);
  memory_free(s->join_first);
  memory_free(s->is_head);
  memory_free(s->facts);
  memory_free(s->arena);
  memory_free(s->failure_at);
  memory_free(s->fault_at);
  live_free(&s->live);
  flow_free(&s->flow);
  draft_free(&s->draft);
}

static void count_points(struct search *s) {
  for (uint32_t i = 0; i < s->draft.point_count; i++) {
    if (s->draft.points[i].entry.kind == PROOF_SPLIT)
      s->result->statistics.splits++;
    else
      s->result->statistics.loops++;
  }
}

/* One search, from nothing, with those functions alone that result->functions says. Gives the index of the one to blame if there is no
 * proof; function_count: none of them. */
static uint32_t attempt(const struct proof_input *input, const struct verify_function *functions,
                        struct verify_result *result) {
  struct search s = {.input = input, .result = result};
  uint32_t culprit = result->function_count;
  if (prepare(&s, functions)) {
    bool found = find(&s), written = found && encode(&s) && (!trim(&s) || encode(&s));
    count_points(&s);
    if (written && check(&s)) {
      result->end = VERIFY_PROVEN;
    } else if (written) { /* would be an error of ours */
      result->end = VERIFY_REFUSED;
      result->verdict.failure = (struct proof_failure){.kind = PROOF_BAD_PROOF, .location = PROOF_LOCATIONS};
    } else if (!found && s.fault.kind != PROOF_OK) {
      result->verdict.failure = s.fault;
      result->state = s.fault_at;
      s.fault_at = NULL;
    }
    if (result->end != VERIFY_PROVEN) culprit = functions_culprit(&s);
  }
  finish(&s);
  return culprit;
}

/* All that an attempt found; what it took is kept in `spent`. */
static void forget(struct verify_result *result, struct verify_statistics *spent) {
  spent->passes += result->statistics.passes;
  spent->work += result->statistics.work;
  if (result->statistics.memory > spent->memory) spent->memory = result->statistics.memory;
  text_free(&result->proof);
  memory_free(result->state);
  memory_free(result->visited);
  result->state = NULL;
  result->visited = NULL;
  result->statistics = (struct verify_statistics){.passes = 0};
  result->end = VERIFY_NO_MEMORY;
}

void verify(const struct proof_input *input, const struct verify_function *functions, uint32_t count,
            struct verify_result *result) {
  uint64_t start = now();
  struct verify_statistics spent = {.passes = 0};
  *result = (struct verify_result){.end = VERIFY_NO_MEMORY};
  result->function_count = count < VERIFY_MAX_FUNCTIONS ? count : VERIFY_MAX_FUNCTIONS;
  uint32_t alone = result->function_count;
  for (uint32_t i = 0; i < result->function_count; i++)
    result->functions[i] = (struct verify_judged){.pc = functions[i].pc, .alone = true};
  for (unsigned left = ALONE_ATTEMPTS;; left--) {
    uint32_t culprit = attempt(input, functions, result);
    if (result->end == VERIFY_PROVEN || alone == 0) break;
    /* Next time those are checked where they are called. */
    for (uint32_t i = 0; i < result->function_count; i++) {
      struct verify_judged *f = &result->functions[i];
      if (!f->alone || (i != culprit && culprit < result->function_count && left > 1)) continue;
      f->alone = false;
      f->why = result->verdict.failure;
      alone--;
    }
    forget(result, &spent);
  }
  result->statistics.passes += spent.passes;
  result->statistics.work += spent.work;
  if (spent.memory > result->statistics.memory) result->statistics.memory = spent.memory;
  result->statistics.nanoseconds = now() - start;
}

void verify_free(struct verify_result *result) {
  text_free(&result->proof);
  memory_free(result->state);
  memory_free(result->visited);
  *result = (struct verify_result){.visited = NULL};
}
