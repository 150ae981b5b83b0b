/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Calls: of helpers, by their prototypes, and of functions: by what was found when they were checked alone, or in their callers' context.
 */
#include "proof/access.h"

/* What a prototype asks of a helper's arguments, one after the other. */
struct call {
  struct proof_scope *scope;
  struct proof_state *state;
  uint32_t id;
  const struct bpf_proto *proto;
  struct proof_value map; /* the map argument */
  struct bpf_map_shape shape;
  struct proof_value field;  /* the value that a lock or timer argument is in */
  struct proof_value record; /* the record argument */
  uint32_t size;             /* the constant size argument */
  /* Stack that the helper writes, once all arguments were judged. */
  unsigned output_count;
  struct {
    struct proof_span span;
    uint64_t least, most;
    uint8_t frame;
  } output[5];
};

enum { OR_NULL = 4 };

static bool wrong(const struct call *c, unsigned i) {
  return proof_refuse(c->scope, c->state, PROOF_BAD_ARGUMENT, i + 1);
}

/* Argument i is memory of `least` to `most` bytes. */
static bool judge_memory(struct call *c, unsigned i, uint64_t least, uint64_t most, unsigned rights) {
  const struct proof_value *p = &c->state->reg[i + 1];
  struct proof_span span;
  if (most == 0) return true;
  if (p->kind == PROOF_SCALAR) return wrong(c, i);
  if (!proof_reach(c->scope, c->state, i + 1, p, 0, most, rights, &span)) return false;
  if (p->kind != PROOF_STACK) return true;
  if ((rights & PROOF_READ) && !proof_stack_written(c->state, p->object, span, most)) {
    return proof_refuse(c->scope, c->state, PROOF_READS_UNWRITTEN, i + 1);
  }
  if (rights & PROOF_WRITE) {
    c->output[c->output_count].span = span;
    c->output[c->output_count].least = least;
    c->output[c->output_count].most = most;
    c->output[c->output_count++].frame = p->object;
  }
  return true;
}

/* As long as the next argument says. */
static bool judge_sized(struct call *c, unsigned i, unsigned rights) {
  const struct proof_value *size = proof_read(c->scope, c->state, i + 2);
  const struct proof_value *p = &c->state->reg[i + 1];
  if (size->kind != PROOF_SCALAR) return wrong(c, i + 1);
  if (size->number.wide.umin == 0 && c->proto->args[i + 1] == BPF_ARG_SIZE && !(rights & OR_NULL))
    return wrong(c, i + 1);
  if (size->number.wide.umax >= PROOF_MAX_OFFSET) return wrong(c, i + 1);
  if ((rights & OR_NULL) && proof_is_constant(p) && p->delta == 0 && size->number.wide.umax == 0) return true;
  return judge_memory(c, i, size->number.wide.umin, size->number.wide.umax, rights & ~(unsigned)OR_NULL);
}

static bool judge_map(struct call *c, unsigned i, const struct proof_value *v) {
  if (v->kind != PROOF_MAP || v->or_null) return wrong(c, i);
  c->map = *v;
  c->shape = proof_map_shape(c->scope, v->object);
  if (c->shape.type >= 64 || !(c->proto->map_types >> c->shape.type & 1)) return wrong(c, i);
  return (c->proto->map_use & ~proof_map_rights(&c->shape)) == 0 || wrong(c, i);
}

/* The address of the lock or timer of a map value. */
static bool judge_field(struct call *c, unsigned i, const struct proof_value *v, bool timer) {
  if (v->kind != PROOF_MAP_VALUE || v->or_null || (v->object & PROOF_INNER)) return wrong(c, i);
  const struct bpf_map_def *def = c->scope->input->maps[v->object].def;
  const uint32_t field = timer ? def->timer : def->spin_lock;
  c->field = *v;
  return (field != 0 && proof_number_is_constant(&v->number) &&
          v->delta + (int64_t)proof_number_value(&v->number) == (int64_t)field - 1) ||
         wrong(c, i);
}

/* A NUL-terminated constant, which no tunable is part of. */
static bool judge_string(struct call *c, unsigned i, const struct proof_value *v) {
  struct proof_span span;
  if (v->kind != PROOF_MAP_VALUE) return wrong(c, i);
  if (!proof_reach(c->scope, c->state, i + 1, v, 0, 1, PROOF_READ, &span)) return false;
  if (span.low != span.high) return wrong(c, i);
  for (int64_t at = span.low; at < (int64_t)proof_map_shape(c->scope, v->object).value_size; at++) {
    const struct proof_number byte = proof_map_content(c->scope, v->object, at, 1);
    if (!proof_number_is_constant(&byte)) break;
    if (proof_number_value(&byte) == 0) return true;
  }
  return wrong(c, i);
}

static bool judge(struct call *c, unsigned i) {
  /* Those that the format has no use for need not be there. Traces may show addresses. */
  if (c->id == BPF_HELPER_TRACE_PRINTK && i >= 2) return true;
  const struct proof_value *v = proof_read(c->scope, c->state, i + 1);
  if (v->kind == PROOF_UNREADABLE) return wrong(c, i);
  const bool at_start = v->delta == 0 && proof_number_is_constant(&v->number) && proof_number_value(&v->number) == 0;
  const bool null = proof_is_constant(v) && v->delta == 0;
  bool good = true;
  switch ((enum bpf_arg)c->proto->args[i]) {
    case BPF_ARG_NONE:
    case BPF_ARG_SIZE: /* judged with the memory before it */
    case BPF_ARG_SIZE_OR_ZERO:
      return true;
    case BPF_ARG_ANY:
      return v->kind == PROOF_SCALAR || proof_refuse(c->scope, c->state, PROOF_LEAKS, i + 1);
    case BPF_ARG_CONTEXT:
      good = v->kind == PROOF_CONTEXT && v->delta == 0;
      break;
    case BPF_ARG_MAP:
      return judge_map(c, i, v);
    case BPF_ARG_MAP_KEY:
      return judge_memory(c, i, c->shape.key_size, c->shape.key_size, PROOF_READ);
    case BPF_ARG_MAP_VALUE:
      return judge_memory(c, i, c->shape.value_size, c->shape.value_size, PROOF_READ);
    case BPF_ARG_MAP_VALUE_OUT:
      /* A bloom filter is asked about a value. */
      return judge_memory(c, i, c->shape.value_size, c->shape.value_size,
                          c->shape.type == BPF_MAP_TYPE_BLOOM_FILTER ? PROOF_READ : PROOF_WRITE);
    case BPF_ARG_MEMORY:
      return judge_sized(c, i, PROOF_READ);
    case BPF_ARG_MEMORY_OR_NULL:
      return judge_sized(c, i, PROOF_READ | OR_NULL);
    case BPF_ARG_MEMORY_OUT:
      return judge_sized(c, i, PROOF_WRITE);
    case BPF_ARG_MEMORY_OUT_OR_NULL:
      return judge_sized(c, i, PROOF_WRITE | OR_NULL);
    case BPF_ARG_MEMORY_INOUT:
      return judge_sized(c, i, PROOF_READ | PROOF_WRITE);
    case BPF_ARG_FIXED:
      return judge_memory(c, i, c->proto->fixed_size, c->proto->fixed_size, PROOF_READ | PROOF_WRITE);
    case BPF_ARG_FIXED_OUT: {
      const struct proof_number offset = proof_number_add(&v->number, v->delta);
      good = proof_is_aligned(v->kind) && ((offset.value | offset.mask) & (c->proto->fixed_size - 1u)) == 0;
      if (!good) return proof_refuse(c->scope, c->state, PROOF_MISALIGNED, i + 1);
      return judge_memory(c, i, c->proto->fixed_size, c->proto->fixed_size, PROOF_WRITE);
    }
    case BPF_ARG_CONST_SIZE:
      good = proof_is_constant(v) && v->delta > 0 && v->delta < PROOF_MAX_OFFSET;
      c->size = (uint32_t)v->delta;
      break;
    case BPF_ARG_STRING:
      return judge_string(c, i, v);
    case BPF_ARG_FUNCTION:
      good = v->kind == PROOF_FUNCTION;
      break;
    case BPF_ARG_STACK_OR_NULL:
      good = null || (v->kind == PROOF_STACK && proof_number_is_constant(&v->number) && v->delta <= 0 &&
                      v->delta >= -BPF_STACK_SIZE);
      break;
    case BPF_ARG_SPIN_LOCK:
      return judge_field(c, i, v, false);
    case BPF_ARG_TIMER:
      return judge_field(c, i, v, true);
    case BPF_ARG_RECORD:
      good = v->kind == PROOF_RECORD && !v->or_null && at_start && proof_state_holds(c->state, v->id);
      c->record = *v;
      break;
  }
  return good || wrong(c, i);
}

/* --- what helpers leave --- */

static void forget_arguments(struct proof_state *state) {
  for (unsigned i = 1; i <= 5; i++) {
    proof_set_unreadable(&state->reg[i]);
  }
}

static void number_result(struct proof_scope *scope, struct proof_state *state) {
  const struct proof_number any = proof_number_unknown();
  proof_set_scalar(&state->reg[0], &any, &scope->next_id);
}

/* Notes which map it is, and whether the key of an array is one that it has: then the value is there. */
static bool note_map(struct call *c) {
  struct bpf_fact *fact = &c->scope->facts[c->state->pc];
  const struct proof_value *key = &c->state->reg[2];
  const bool own = c->map.kind == PROOF_MAP && !(c->map.object & PROOF_INNER);
  bool within = false;
  if (own && c->id == BPF_HELPER_MAP_LOOKUP_ELEM && key->kind == PROOF_STACK &&
      proof_number_is_constant(&key->number) &&
      (c->shape.type == BPF_MAP_TYPE_ARRAY || c->shape.type == BPF_MAP_TYPE_PERCPU_ARRAY)) {
    const unsigned at = (unsigned)(BPF_STACK_SIZE + key->delta + (int64_t)proof_number_value(&key->number));
    const struct proof_slot *slot = proof_state_find(c->state, proof_location(key->object, at / 8));
    struct proof_number number;
    within = slot != NULL && at % 8 <= 4 && proof_slot_number(slot, at % 8, 4, &number) &&
             number.wide.umax < c->shape.max_entries;
  }
  if (!within) fact->known &= (uint16_t)~BPF_FACT_KEY;
  if (!own) fact->known &= (uint16_t)~BPF_FACT_MAP;
  if (own && !c->scope->revisits) fact->map = c->map.object;
  if (own && fact->map != c->map.object) fact->known &= (uint16_t) ~(BPF_FACT_MAP | BPF_FACT_KEY);
  return within;
}

static bool give_result(struct call *c, bool found) {
  struct proof_state *state = c->state;
  struct proof_value v = {.or_null = !found, .object = c->map.object, .number = proof_number_constant(0)};
  switch ((enum bpf_return)c->proto->result) {
    case BPF_RETURN_NUMBER:
      number_result(c->scope, state);
      return true;
    case BPF_RETURN_VOID:
      proof_set_unreadable(&state->reg[0]);
      return true;
    case BPF_RETURN_VALUE_OR_NULL:
      v.kind = PROOF_MAP_VALUE;
      if (bpf_map_is_of_maps(c->shape.type)) {
        v.kind = PROOF_MAP;
        v.object |= PROOF_INNER;
      }
      break;
    case BPF_RETURN_RECORD_OR_NULL:
      if (state->held_count == PROOF_MAX_HELD) return proof_refuse(c->scope, state, PROOF_HOLDS, PROOF_LOCATIONS);
      v.kind = PROOF_RECORD;
      v.object = 0;
      v.room = (int32_t)c->size;
      state->held[state->held_count++] = c->scope->next_id;
      break;
  }
  v.id = c->scope->next_id++;
  state->reg[0] = v;
  return true;
}

static bool lock(struct call *c, bool take) {
  struct proof_state *state = c->state;
  /* An array of one value has one lock, whatever the address was called. */
  const bool single = proof_map_shape(c->scope, c->field.object).type == BPF_MAP_TYPE_ARRAY &&
                      proof_map_shape(c->scope, c->field.object).max_entries == 1;
  const uint32_t id = single ? 0 : c->field.id;
  if (!take && (!state->locked || state->lock_map != c->field.object || state->lock_id != id)) {
    return proof_refuse(c->scope, state, PROOF_NOT_LOCKED, 1);
  }
  state->locked = take;
  state->lock_map = take ? c->field.object : 0;
  state->lock_id = take ? id : 0;
  return true;
}

static bool special_effects(struct call *c) {
  struct proof_state *state = c->state;
  switch (c->id) {
    case BPF_HELPER_SPIN_LOCK:
    case BPF_HELPER_SPIN_UNLOCK:
      return lock(c, c->id == BPF_HELPER_SPIN_LOCK);
    case BPF_HELPER_TIMER_INIT:
      return c->map.object == c->field.object || wrong(c, 1);
    case BPF_HELPER_TIMER_SET_CALLBACK:
      c->scope->timer_pc = (uint32_t)state->reg[2].room;
      c->scope->timer_map = c->field.object;
      return true;
    case BPF_HELPER_RINGBUF_SUBMIT:
    case BPF_HELPER_RINGBUF_DISCARD:
      proof_state_lose(state, 1u << PROOF_RECORD, c->record.id);
      return true;
    case BPF_HELPER_TAIL_CALL:
      if (c->map.object & PROOF_INNER) return wrong(c, 1);
      c->scope->tail_map = c->map.object;
      return state->held_count == 0 || proof_refuse(c->scope, state, PROOF_HOLDS, PROOF_LOCATIONS);
    default:
      return true;
  }
}

/* Keeps a value in a slot of the frame that is no memory. */
static bool keep(struct proof_scope *scope, struct proof_state *state, unsigned slot, const struct proof_value *value) {
  if (value->kind == PROOF_UNREADABLE) return true;
  struct proof_slot *to = proof_state_make(state, proof_location(state->depth, slot), scope->limits->slots);
  if (to == NULL) return proof_refuse(scope, state, PROOF_NO_SLOTS, PROOF_LOCATIONS);
  to->written = 0xff;
  to->size = 8;
  to->value = *value;
  return true;
}

/* What each call needs, while the helper calls back: the argument that is handed on, the index or map, the function. */
static bool keep_callback(struct call *c) {
  const struct proof_value *r = c->state->reg;
  const struct proof_trips trips = proof_count_trips(c->scope, c->state);
  const struct proof_number index = proof_number_between(0, trips.most == 0 ? 0 : trips.most - 1);
  struct proof_value number;
  proof_set_scalar(&number, &index, &c->scope->next_id);
  return keep(c->scope, c->state, PROOF_FRAME_CALLBACK, &r[3]) &&
         keep(c->scope, c->state, PROOF_FRAME_CALLBACK + 1, c->id == BPF_HELPER_LOOP ? &number : &r[1]) &&
         keep(c->scope, c->state, PROOF_FRAME_CALLBACK + 2, &r[2]);
}

static bool write_outputs(struct call *c) {
  bool good = true;
  for (unsigned i = 0; good && i < c->output_count; i++) {
    /* What may be written, then what is. */
    const struct proof_span at = c->output[i].span, wide = {at.low, at.high + 1};
    const uint8_t frame = c->output[i].frame;
    good = proof_stack_store(c->scope, c->state, frame, wide, c->output[i].most - 1, NULL);
    if (good && c->output[i].least > 0) {
      good = proof_stack_store(c->scope, c->state, frame, at, c->output[i].least, NULL);
    }
  }
  return good;
}

static void move_packet(struct proof_scope *scope, struct proof_state *state) {
  scope->moves = true;
  proof_state_move_packet(state);
}

static enum proof_outcome call_helper(struct proof_scope *scope, struct proof_state *state, uint32_t id) {
  const struct bpf_proto *proto = bpf_proto_find(id);
  struct call c = {.scope = scope, .state = state, .id = id, .proto = proto};
  const unsigned kind = scope->input->kind == BPF_PROGRAM_XDP ? BPF_FOR_XDP : BPF_FOR_TC;
  enum proof_failure_kind refusal = PROOF_OK;
  if (!(proto->programs & kind)) refusal = PROOF_NO_HELPER;
  if (state->locked && !(proto->effects & BPF_EFFECT_LOCKED)) refusal = PROOF_WHILE_LOCKED;
  bool good = refusal == PROOF_OK || proof_refuse(scope, state, refusal, PROOF_LOCATIONS);
  for (unsigned i = 0; good && i < 5 && proto->args[i] != BPF_ARG_NONE; i++) {
    good = judge(&c, i);
  }
  const bool found = good && note_map(&c);
  good = good && special_effects(&c);
  if (good && (proto->effects & BPF_EFFECT_CALLBACK)) good = keep_callback(&c);
  good = good && write_outputs(&c);
  if (!good || !give_result(&c, found)) {
    scope->failure.helper = id;
    return PROOF_REFUSED;
  }
  state->cost.calls++;
  if (proto->effects & BPF_EFFECT_CALLBACK) return PROOF_CALLS_BACK;
  if (proto->effects & BPF_EFFECT_PACKET) move_packet(scope, state);
  forget_arguments(state);
  state->pc++;
  return id == BPF_HELPER_TAIL_CALL ? PROOF_TAIL_CALL : PROOF_NEXT;
}

/* --- functions --- */

static bool enter(struct proof_scope *scope, struct proof_state *state, uint32_t function) {
  if (state->depth + 1u >= scope->frames) return proof_refuse(scope, state, PROOF_TOO_DEEP, PROOF_LOCATIONS);
  if (state->locked) return proof_refuse(scope, state, PROOF_WHILE_LOCKED, PROOF_LOCATIONS);
  for (unsigned i = 0; i < 4; i++) {
    if (!keep(scope, state, PROOF_FRAME_SAVED + i, &state->reg[6 + i])) return false;
    proof_set_unreadable(&state->reg[6 + i]);
  }
  proof_set_unreadable(&state->reg[0]);
  state->site[state->depth++] = state->pc;
  if (state->depth > scope->deepest) scope->deepest = state->depth;
  state->pc = function;
  return true;
}

bool proof_in_callback(const struct proof_scope *scope, const struct proof_state *state) {
  if (state->depth == 0) return false;
  const struct bpf_insn call = scope->input->insns[state->site[state->depth - 1]];
  return call.code == (BPF_JMP | BPF_CALL) && bpf_src(call) == BPF_PSEUDO_HELPER;
}

bool proof_end(struct proof_scope *scope, const struct proof_state *state, bool gives_number) {
  if (gives_number && state->reg[0].kind != PROOF_SCALAR) return proof_refuse(scope, state, PROOF_RESULT, 0);
  if (state->held_count == 0 && !state->locked) return true;
  return proof_refuse(scope, state, PROOF_HOLDS, PROOF_LOCATIONS);
}

bool proof_leave(struct proof_scope *scope, struct proof_state *state) {
  const bool callback = proof_in_callback(scope, state);
  const unsigned frame = state->depth;
  if (callback ? state->reg[0].kind != PROOF_SCALAR
               : state->reg[0].kind == PROOF_STACK && state->reg[0].object == frame) {
    return proof_refuse(scope, state, PROOF_RESULT, 0);
  }
  forget_arguments(state);
  /* The key that it was shown is no more. */
  if (callback) proof_state_lose(state, 1u << PROOF_MEMORY, 0);
  for (unsigned i = 0; i < 4; i++) {
    const struct proof_value *saved = proof_state_value(state, proof_location(frame - 1, PROOF_FRAME_SAVED + i));
    state->reg[6 + i] = saved != NULL ? *saved : proof_unreadable();
  }
  /* The callee's frame and what was kept of the caller's registers; not what a helper keeps for the next call. */
  proof_state_drop(state, frame, 0);
  for (unsigned i = 0; i < 4; i++) {
    proof_state_forget(state, proof_location(frame - 1, PROOF_FRAME_SAVED + i));
  }
  if (!callback) proof_state_drop(state, frame - 1, PROOF_FRAME_SAVED);
  state->depth--;
  state->pc = state->site[state->depth] + !callback;
  return true;
}

void proof_return_from_tail(struct proof_scope *scope, struct proof_state *state) {
  move_packet(scope, state);
  number_result(scope, state);
}

/* --- functions that are checked alone --- */

void proof_take_arguments(struct proof_scope *scope, struct proof_state *state,
                          const struct proof_argument *arguments) {
  const struct proof_number any = proof_number_unknown();
  for (unsigned i = 0; i < PROOF_ARGUMENTS; i++) {
    const struct proof_argument *a = &arguments[i];
    struct proof_value *v = &state->reg[1 + i];
    if (a->kind == PROOF_SCALAR) proof_set_scalar(v, &any, &scope->next_id);
    if (a->kind == PROOF_CONTEXT) *v = (struct proof_value){.kind = a->kind, .number = proof_number_constant(0)};
    if (a->kind != PROOF_LENT) continue;
    *v = (struct proof_value){.kind = a->kind,
                              .or_null = a->or_null,
                              .id = scope->next_id++,
                              .room = (int32_t)a->size,
                              .number = proof_number_constant(0)};
  }
}

/* Argument i is one that the function may be handed. */
static bool judge_argument(struct call *c, unsigned i, const struct proof_function *f) {
  const struct proof_argument *wanted = &f->arguments[i];
  struct proof_value *v = &c->state->reg[i + 1];
  if (wanted->kind == PROOF_UNREADABLE) return true;
  if (wanted->kind != PROOF_LENT) {
    return (wanted->kind == v->kind && (v->kind == PROOF_SCALAR || (v->kind == PROOF_CONTEXT && v->delta == 0))) ||
           wrong(c, i);
  }
  if (wanted->or_null && proof_is_constant(v) && v->delta == 0) return true;
  if (wanted->or_null) v->or_null = false; /* what is there, if it is */
  /* A function that moves the packet would go on using what it was lent of it. */
  if (wanted->size == 0 || (f->moves && proof_is_window(v->kind))) return wrong(c, i);
  return judge_memory(c, i, wanted->size, wanted->size, PROOF_READ | PROOF_WRITE);
}

static enum proof_outcome call_alone(struct proof_scope *scope, struct proof_state *state,
                                     const struct proof_function *f) {
  struct call c = {.scope = scope, .state = state};
  const unsigned deepest = state->depth + 1 + f->deepest;
  enum proof_failure_kind refusal = state->locked ? PROOF_WHILE_LOCKED : PROOF_OK;
  if (deepest >= scope->frames) refusal = PROOF_TOO_DEEP;
  bool good = refusal == PROOF_OK || proof_refuse(scope, state, refusal, PROOF_LOCATIONS);
  for (unsigned i = 0; good && i < PROOF_ARGUMENTS; i++) {
    good = judge_argument(&c, i, f);
  }
  if (!good || !write_outputs(&c)) return PROOF_REFUSED;
  if (deepest > scope->deepest) scope->deepest = deepest;
  if (f->moves) move_packet(scope, state);
  state->cost.insns += f->cost.insns;
  state->cost.calls += f->cost.calls;
  forget_arguments(state);
  proof_set_unreadable(&state->reg[0]);
  if (f->result.kind == PROOF_SCALAR) proof_set_scalar(&state->reg[0], &f->result.number, &scope->next_id);
  state->pc++;
  return PROOF_NEXT;
}

/* --- functions that helpers call --- */

struct proof_trips proof_count_trips(const struct proof_scope *scope, struct proof_state *state) {
  enum { LOOPS_MAX = 1 << 23 }; /* bpf_loop refuses more */
  const struct proof_value *r = state->reg;
  struct proof_trips trips = {0, 0, 0};
  if (scope->input->insns[state->pc].imm == BPF_HELPER_LOOP) {
    const bool runs = r[1].number.low.umax <= LOOPS_MAX && proof_is_constant(&r[4]) && r[4].delta == 0;
    trips.most = r[1].number.low.umax <= LOOPS_MAX ? (uint32_t)r[1].number.low.umax : LOOPS_MAX;
    trips.least = runs ? (uint32_t)r[1].number.low.umin : 0;
  } else if (r[1].object & PROOF_INNER) {
    trips.most = trips.empty = BPF_MAP_MAX_ENTRIES + 1; /* inner hash maps may have any number */
  } else {
    trips.most = trips.empty = scope->input->maps[r[1].object].def->max_entries + 1;
  }
  return trips;
}

bool proof_enter_callback(struct proof_scope *scope, struct proof_state *state) {
  const struct proof_value *kept[3];
  for (unsigned i = 0; i < 3; i++) {
    kept[i] = proof_state_value(state, proof_location(state->depth, PROOF_FRAME_CALLBACK + i));
    if (kept[i] == NULL) return proof_refuse(scope, state, PROOF_BAD_ARGUMENT, i);
  }
  const struct proof_value argument = *kept[0], first = *kept[1];
  const uint32_t function = (uint32_t)kept[2]->room;
  if (!enter(scope, state, function)) return false;
  forget_arguments(state);
  if (first.kind == PROOF_MAP) {
    state->reg[1] = first;
    state->reg[2] = (struct proof_value){.kind = PROOF_MEMORY,
                                         .id = scope->next_id++,
                                         .room = (int32_t)proof_map_shape(scope, first.object).key_size,
                                         .number = proof_number_constant(0)};
    state->reg[3] = (struct proof_value){
        .kind = PROOF_MAP_VALUE, .object = first.object, .id = scope->next_id++, .number = proof_number_constant(0)};
    state->reg[4] = argument;
  } else {
    proof_set_scalar(&state->reg[1], &first.number, &scope->next_id);
    state->reg[2] = argument;
  }
  return true;
}

void proof_finish_callbacks(struct proof_scope *scope, struct proof_state *state) {
  proof_state_drop(state, state->depth, PROOF_FRAME_SAVED);
  number_result(scope, state);
  forget_arguments(state);
  state->pc++;
}

void proof_timer_arguments(struct proof_scope *scope, struct proof_state *state, uint32_t map) {
  state->reg[1] = (struct proof_value){.kind = PROOF_MAP, .object = (uint8_t)map, .number = proof_number_constant(0)};
  state->reg[2] = (struct proof_value){.kind = PROOF_MEMORY,
                                       .id = scope->next_id++,
                                       .room = (int32_t)scope->input->maps[map].def->key_size,
                                       .number = proof_number_constant(0)};
  state->reg[3] = (struct proof_value){
      .kind = PROOF_MAP_VALUE, .object = (uint8_t)map, .id = scope->next_id++, .number = proof_number_constant(0)};
}

enum proof_outcome proof_call(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn) {
  uint32_t function = state->pc + 1 + (uint32_t)insn.imm;
  if (insn.code == (BPF_JMP | BPF_CALL | BPF_X)) {
    const struct proof_value *v = proof_read(scope, state, bpf_dst(insn));
    if (v->kind != PROOF_FUNCTION) {
      proof_refuse(scope, state, PROOF_NOT_FUNCTION, bpf_dst(insn));
      return PROOF_REFUSED;
    }
    function = (uint32_t)v->room;
  } else if (bpf_src(insn) == BPF_PSEUDO_HELPER) {
    return call_helper(scope, state, (uint32_t)insn.imm);
  }
  for (uint32_t i = 0; i < scope->function_count; i++) {
    if (scope->functions[i].pc == function) return call_alone(scope, state, &scope->functions[i]);
  }
  return enter(scope, state, function) ? PROOF_NEXT : PROOF_REFUSED;
}
