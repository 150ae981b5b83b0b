/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loads, stores and atomics by what the pointer points to.
 */
#include "proof/access.h"

#include "lib/bytes.h"

bool proof_refuse(struct proof_scope *scope, const struct proof_state *state, enum proof_failure_kind kind,
                  unsigned location) {
  scope->failure = (struct proof_failure){
      .kind = kind, .pc = state->pc, .entry = UINT32_MAX, .location = (uint16_t)location, .state = state};
  if (location > BPF_FRAME_REGISTER) return false;
  scope->failure.known = *proof_read(scope, state, location);
  /* Whatever else was wanted of it. */
  const uint8_t known = scope->failure.known.kind;
  if (known == PROOF_UNREADABLE || known == PROOF_STALE) scope->failure.kind = PROOF_READS_UNREADABLE;
  return false;
}

const struct proof_value *proof_read(struct proof_scope *scope, const struct proof_state *state, unsigned reg) {
  if (reg != BPF_FRAME_REGISTER) return &state->reg[reg];
  scope->frame_pointer =
      (struct proof_value){.kind = PROOF_STACK, .object = state->depth, .number = proof_number_constant(0)};
  return &scope->frame_pointer;
}

/* --- maps --- */

struct bpf_map_shape proof_map_shape(const struct proof_scope *scope, unsigned object) {
  const struct bpf_map_def *def = scope->input->maps[object & ~(unsigned)PROOF_INNER].def;
  if (object & PROOF_INNER) return def->inner;
  return (struct bpf_map_shape){def->type, def->key_size, def->value_size, def->max_entries, def->flags};
}

unsigned proof_map_rights(const struct bpf_map_shape *shape) {
  unsigned rights = shape->flags & BPF_F_WRONLY_PROG ? PROOF_WRITE : PROOF_READ | PROOF_WRITE;
  if (shape->flags & BPF_F_RDONLY_PROG || shape->type == BPF_MAP_TYPE_DEVMAP ||
      shape->type == BPF_MAP_TYPE_DEVMAP_HASH || shape->type == BPF_MAP_TYPE_CPUMAP) {
    rights &= ~(unsigned)PROOF_WRITE;
  }
  return rights;
}

struct proof_number proof_map_content(const struct proof_scope *scope, unsigned object, int64_t offset, uint64_t size) {
  const struct proof_input *input = scope->input;
  if (object & PROOF_INNER || input->maps[object].constant == NULL ||
      !(input->maps[object].def->flags & BPF_F_RDONLY_PROG)) {
    return proof_number_any((unsigned)size);
  }
  for (uint32_t i = 0; i < input->tunable_count; i++) {
    const struct proof_tunable *t = &input->tunables[i];
    if (t->map != object || t->offset >= offset + (int64_t)size || t->offset + t->size <= offset) continue;
    if (t->offset != offset || t->size != size) return proof_number_any((unsigned)size);
    struct proof_number n = t->is_signed ? proof_number_between_signed((int64_t)t->low, (int64_t)t->high)
                                         : proof_number_between(t->low, t->high);
    proof_number_extend(&n, (unsigned)size * 8, false);
    return n;
  }
  uint64_t bytes = 0;
  for (uint64_t i = 0; i < size; i++) {
    bytes |= (uint64_t)input->maps[object].constant[(uint64_t)offset + i] << (8 * i);
  }
  return proof_number_constant(bytes);
}

static bool overlap(const struct proof_span *span, uint64_t size, uint32_t field, uint32_t field_size) {
  return field != 0 && span->low < (int64_t)field - 1 + field_size && (int64_t)field - 1 < span->high + (int64_t)size;
}

/* --- bounds --- */

bool proof_reach(struct proof_scope *scope, const struct proof_state *state, unsigned reg, const struct proof_value *p,
                 int64_t offset, uint64_t size, unsigned rights, struct proof_span *span) {
  const int64_t far = (int64_t)1 << 62;
  const struct bpf_map_def *fields = NULL;
  int64_t low = 0, end = p->room;
  unsigned allowed = PROOF_READ | PROOF_WRITE;
  enum proof_failure_kind refusal = PROOF_OUTSIDE;
  switch (p->kind) {
    case PROOF_PACKET:
    case PROOF_META:
      break;
    case PROOF_RECORD:
      if (!proof_state_holds(state, p->id)) return proof_refuse(scope, state, PROOF_NOT_POINTER, reg);
      break;
    case PROOF_STACK:
      low = -BPF_STACK_SIZE;
      end = 0;
      break;
    case PROOF_MAP_VALUE: {
      const struct bpf_map_shape shape = proof_map_shape(scope, p->object);
      end = shape.value_size;
      allowed = proof_map_rights(&shape);
      if (!(p->object & PROOF_INNER)) fields = scope->input->maps[p->object].def;
      break;
    }
    case PROOF_MEMORY:
      allowed = PROOF_READ;
      break;
    case PROOF_LENT:
      break;
    default:
      return proof_refuse(scope, state, PROOF_NOT_POINTER, reg);
  }
  if (p->or_null) return proof_refuse(scope, state, PROOF_NOT_POINTER, reg);
  offset += p->delta;
  const bool bounded = p->number.wide.smin > -far && p->number.wide.smax < far && size < (uint64_t)PROOF_MAX_OFFSET;
  span->low = bounded ? p->number.wide.smin + offset : -far;
  span->high = bounded ? p->number.wide.smax + offset : far;
  /* Of packets it is known how far V(id) + room reaches; of all else, how far the object does. */
  const int64_t last = p->kind == PROOF_PACKET || p->kind == PROOF_META ? offset : span->high;
  if (bounded && span->low >= low && last + (int64_t)size <= end) {
    refusal = (rights & ~allowed) != 0 ? PROOF_NOT_WRITABLE : PROOF_OK;
    if (fields != NULL && (overlap(span, size, fields->spin_lock, BPF_SPIN_LOCK_SIZE) ||
                           overlap(span, size, fields->timer, BPF_TIMER_SIZE))) {
      refusal = PROOF_HIDDEN_FIELD;
    }
  }
  if (refusal == PROOF_OK) return true;
  proof_refuse(scope, state, refusal, reg);
  scope->failure.offset = span->low;
  scope->failure.last = span->high;
  scope->failure.size = size;
  return false;
}

/* --- stack --- */

/* The bytes of slot i that are in first..end, as a mask. */
static unsigned bytes_in(unsigned i, unsigned first, unsigned end) {
  const unsigned from = first > i * 8 ? first - i * 8 : 0, to = end < i * 8 + 8 ? end - i * 8 : 8;
  return ((1u << to) - 1) & ~((1u << from) - 1);
}

static bool holds_pointer(const struct proof_slot *slot) { return slot->size != 0 && slot->value.kind != PROOF_SCALAR; }

bool proof_stack_written(struct proof_state *state, unsigned frame, struct proof_span span, uint64_t size) {
  const unsigned first = (unsigned)(BPF_STACK_SIZE + span.low),
                 end = (unsigned)(BPF_STACK_SIZE + span.high + (int64_t)size);
  for (unsigned i = first / 8; i * 8 < end; i++) {
    const unsigned bytes = bytes_in(i, first, end);
    const struct proof_slot *slot = proof_state_find(state, proof_location(frame, i));
    if (slot == NULL || (slot->written & bytes) != bytes || holds_pointer(slot)) return false;
  }
  return true;
}

static void clear_value(struct proof_slot *slot) {
  /* Bytes of a pointer are not to be read as numbers. */
  if (holds_pointer(slot)) slot->written = slot->zero = 0;
  slot->size = 0;
  proof_set_unreadable(&slot->value);
}

bool proof_stack_store(struct proof_scope *scope, struct proof_state *state, unsigned frame, struct proof_span span,
                       uint64_t size, const struct proof_value *value) {
  const unsigned first = (unsigned)(BPF_STACK_SIZE + span.low),
                 end = (unsigned)(BPF_STACK_SIZE + span.high + (int64_t)size);
  const bool certain = span.low == span.high, unset = value != NULL && value->kind == PROOF_UNREADABLE;
  for (unsigned i = first / 8; i * 8 < end; i++) {
    const unsigned bytes = bytes_in(i, first, end), location = proof_location(frame, i);
    struct proof_slot *slot =
        certain ? proof_state_make(state, location, scope->limits->slots) : proof_state_find(state, location);
    if (slot == NULL && !certain) continue;
    if (slot == NULL) return proof_refuse(scope, state, PROOF_NO_SLOTS, PROOF_LOCATIONS);
    clear_value(slot);
    slot->zero &= (uint8_t)~bytes;
    slot->written = (uint8_t)(unset ? slot->written & ~bytes : certain ? slot->written | bytes : slot->written);
    if (value == NULL || unset || !certain || first / 8 != (end - 1) / 8) continue;
    slot->at = (uint8_t)(first % 8);
    slot->size = (uint8_t)size;
    slot->value = *value;
    if (value->kind != PROOF_SCALAR) continue;
    const uint64_t ones = value->number.value | value->number.mask;
    for (unsigned b = 0; b < size; b++) {
      if ((ones >> (8 * b) & 0xff) == 0) slot->zero |= (uint8_t)(1u << (slot->at + b));
    }
    if (size < 8 && ones >> (8 * size) != 0) {
      struct proof_number low = value->number;
      proof_number_extend(&low, (unsigned)size * 8, false);
      proof_set_scalar(&slot->value, &low, &scope->next_id);
    }
  }
  return true;
}

/* Of bytes that are not all written, or not all of a pointer, it is unreadable. */
static void load_stack(struct proof_scope *scope, struct proof_state *state, unsigned frame, struct proof_span span,
                       unsigned size, struct proof_value *out) {
  const unsigned first = (unsigned)(BPF_STACK_SIZE + span.low), at = first % 8;
  const struct proof_slot *slot = proof_state_find(state, proof_location(frame, first / 8));
  struct proof_number number = proof_number_any((unsigned)size);
  if (span.low == span.high && at + size <= 8 && slot != NULL) {
    *out = slot->value;
    if (slot->size == size && slot->at == at) return;
    (void)proof_slot_number(slot, at, size, &number);
  }
  if (proof_stack_written(state, frame, span, size)) {
    proof_set_scalar(out, &number, &scope->next_id);
  } else {
    proof_set_unreadable(out);
  }
}

/* --- instructions --- */

static unsigned access_size(struct bpf_insn insn) {
  switch (BPF_SIZE(insn.code)) {
    case BPF_B:
      return 1;
    case BPF_H:
      return 2;
    case BPF_W:
      return 4;
    default:
      return 8;
  }
}

static bool context_field(struct proof_scope *scope, const struct proof_state *state, unsigned reg,
                          const struct proof_value *p, int64_t offset, unsigned size, bool write) {
  if (bpf_context_allows(scope->input->kind, (uint64_t)(p->delta + offset), size, write)) return true;
  proof_refuse(scope, state, PROOF_CONTEXT_FIELD, reg);
  scope->failure.offset = scope->failure.last = p->delta + offset;
  scope->failure.size = size;
  return false;
}

static void load_context(struct proof_scope *scope, struct proof_state *state, unsigned to, int64_t offset,
                         unsigned size) {
  const bool xdp = scope->input->kind == BPF_PROGRAM_XDP;
  struct proof_value v = {.number = proof_number_constant(0)};
  if (offset == (int64_t)(xdp ? offsetof(struct xdp_md, data) : offsetof(struct bpf_skb, data))) {
    v.kind = PROOF_PACKET;
  } else if (offset == (int64_t)(xdp ? offsetof(struct xdp_md, data_meta) : offsetof(struct bpf_skb, data_meta))) {
    v.kind = PROOF_META;
  } else if (offset == (int64_t)(xdp ? offsetof(struct xdp_md, data_end) : offsetof(struct bpf_skb, data_end))) {
    v.kind = PROOF_PACKET_END;
  } else {
    const struct proof_number number = proof_number_any((unsigned)size);
    proof_set_scalar(&v, &number, &scope->next_id);
  }
  state->reg[to] = v;
  /* What is known of another copy is known of this one. */
  if (v.kind == PROOF_PACKET || v.kind == PROOF_META) proof_state_share_room(state, v.kind, 0, 0);
}

bool proof_load(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn) {
  const unsigned size = access_size(insn), to = bpf_dst(insn), from = bpf_src(insn);
  const bool with_sign = BPF_MODE(insn.code) == BPF_MEMSX;
  const struct proof_value *p = proof_read(scope, state, from);
  struct proof_span span;
  struct proof_value v;
  if (p->kind == PROOF_CONTEXT && !with_sign) {
    if (!context_field(scope, state, from, p, insn.off, size, false)) return false;
    load_context(scope, state, to, p->delta + insn.off, size);
    return true;
  }
  if (!proof_reach(scope, state, from, p, insn.off, size, PROOF_READ, &span)) return false;
  if (p->kind == PROOF_STACK) {
    load_stack(scope, state, p->object, span, size, &v);
  } else {
    const bool known = p->kind == PROOF_MAP_VALUE && span.low == span.high;
    const struct proof_number number =
        known ? proof_map_content(scope, p->object, span.low, size) : proof_number_any((unsigned)size);
    proof_set_scalar(&v, &number, &scope->next_id);
  }
  if (with_sign && v.kind == PROOF_SCALAR) {
    proof_number_extend(&v.number, size * 8, true);
    proof_set_scalar(&v, &v.number, &scope->next_id);
  }
  state->reg[to] = v;
  return true;
}

bool proof_store(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn) {
  const unsigned size = access_size(insn), to = bpf_dst(insn), from = bpf_src(insn);
  struct proof_value immediate;
  proof_set_constant(&immediate, (uint64_t)(int64_t)insn.imm);
  const struct proof_value *v = BPF_CLASS(insn.code) == BPF_ST ? &immediate : proof_read(scope, state, from);
  const struct proof_value value = *v; /* r10 may be both */
  const struct proof_value *p = proof_read(scope, state, to);
  struct proof_span span;
  if (value.kind != PROOF_SCALAR && p->kind != PROOF_STACK) return proof_refuse(scope, state, PROOF_LEAKS, from);
  if (p->kind == PROOF_CONTEXT) return context_field(scope, state, to, p, insn.off, size, true);
  if (!proof_reach(scope, state, to, p, insn.off, size, PROOF_WRITE, &span)) return false;
  if (p->kind != PROOF_STACK) return true;
  if (value.kind != PROOF_SCALAR && value.kind != PROOF_UNREADABLE) {
    if (size != 8 || span.low != span.high || span.low % 8 != 0) {
      return proof_refuse(scope, state, PROOF_MISALIGNED, from);
    }
    /* It would outlive what it points to. */
    if (value.kind == PROOF_STACK && value.object > p->object) return proof_refuse(scope, state, PROOF_LEAKS, from);
  }
  return proof_stack_store(scope, state, p->object, span, size, &value);
}

bool proof_atomic(struct proof_scope *scope, struct proof_state *state, struct bpf_insn insn) {
  const unsigned size = access_size(insn), to = bpf_dst(insn), from = bpf_src(insn);
  const struct proof_value *v = proof_read(scope, state, from);
  struct proof_span span;
  if (v->kind != PROOF_SCALAR) return proof_refuse(scope, state, PROOF_LEAKS, from);
  if (insn.imm == BPF_CMPXCHG && state->reg[0].kind != PROOF_SCALAR) return proof_refuse(scope, state, PROOF_LEAKS, 0);
  const struct proof_value *p = proof_read(scope, state, to);
  if (!proof_reach(scope, state, to, p, insn.off, size, PROOF_READ | PROOF_WRITE, &span)) return false;
  struct proof_number offset = proof_number_add(&p->number, p->delta + insn.off);
  if (!proof_is_aligned(p->kind) || ((offset.value | offset.mask) & (size - 1)) != 0) {
    return proof_refuse(scope, state, PROOF_MISALIGNED, to);
  }
  if (p->kind == PROOF_STACK) {
    if (!proof_stack_written(state, p->object, span, size)) {
      return proof_refuse(scope, state, PROOF_READS_UNWRITTEN, to);
    }
    if (!proof_stack_store(scope, state, p->object, span, size, NULL)) return false;
  }
  if (!(insn.imm & BPF_FETCH)) return true;
  const struct proof_number number = proof_number_any((unsigned)size);
  proof_set_scalar(&state->reg[insn.imm == BPF_CMPXCHG ? 0 : from], &number, &scope->next_id);
  return true;
}
