/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing a proof, for the verifier; the unikernel only reads them.
 */
#include "lib/string.h"
#include "proof/plan.h"
#include "proof/plan_format.h"

struct writer {
  uint8_t *bytes;
  size_t size, length;
};

static void write_byte(struct writer *w, unsigned byte) {
  if (w->length < w->size) w->bytes[w->length] = (uint8_t)byte;
  w->length++;
}

static void write_number(struct writer *w, uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    write_byte(w, (unsigned)(value & 0x7f) | 0x80);
  }
  write_byte(w, (unsigned)value);
}

static void write_signed(struct writer *w, int64_t value) {
  write_number(w, (uint64_t)value << 1 ^ (uint64_t)(value < 0 ? -1 : 0));
}

static void write_cost(struct writer *w, struct proof_cost cost) {
  write_number(w, (uint64_t)cost.insns << 1 | (cost.calls != 0));
  if (cost.calls != 0) write_number(w, cost.calls);
}

/* --- values --- */

/* n's parts that say something beyond those chosen before, in `from`, which they are added to. */
static unsigned take_parts(const struct proof_number *n, struct proof_number *from, unsigned parts) {
  struct proof_number with = *from;
  if (parts & PROOF_PART_UNSIGNED) with.wide.umin = n->wide.umin, with.wide.umax = n->wide.umax;
  if (parts & PROOF_PART_SIGNED) with.wide.smin = n->wide.smin, with.wide.smax = n->wide.smax;
  if (parts & PROOF_PART_BITS) with.value = n->value, with.mask = n->mask;
  if (parts & PROOF_PART_UNSIGNED_32) with.low.umin = n->low.umin, with.low.umax = n->low.umax;
  if (parts & PROOF_PART_SIGNED_32) with.low.smin = n->low.smin, with.low.smax = n->low.smax;
  if (!proof_number_settle(&with) || proof_number_equal(&with, from)) return 0;
  *from = with;
  return parts;
}

static void write_value_number(struct writer *w, const struct proof_number *n) {
  struct proof_number said = proof_number_unknown();
  unsigned parts = 0;
  if (proof_number_is_constant(n)) {
    write_byte(w, PROOF_PART_CONSTANT);
    write_signed(w, (int64_t)proof_number_value(n));
    return;
  }
  /* One that alone says all is enough. */
  for (unsigned part = 1; part < PROOF_PART_CONSTANT && !proof_number_equal(&said, n); part *= 2) {
    struct proof_number alone = proof_number_unknown();
    if (take_parts(n, &alone, part) == 0 || !proof_number_equal(&alone, n)) continue;
    said = alone;
    parts = part;
  }
  for (unsigned part = 1; part < PROOF_PART_CONSTANT && !proof_number_equal(&said, n); part *= 2) {
    parts |= take_parts(n, &said, part);
  }
  write_byte(w, parts);
  if (parts & PROOF_PART_UNSIGNED) {
    write_number(w, n->wide.umin);
    write_number(w, n->wide.umax - n->wide.umin);
  }
  if (parts & PROOF_PART_SIGNED) {
    write_signed(w, n->wide.smin);
    write_number(w, (uint64_t)n->wide.smax - (uint64_t)n->wide.smin);
  }
  if (parts & PROOF_PART_BITS) {
    write_number(w, n->mask);
    write_number(w, n->value);
  }
  if (parts & PROOF_PART_UNSIGNED_32) {
    write_number(w, n->low.umin);
    write_number(w, n->low.umax - n->low.umin);
  }
  if (parts & PROOF_PART_SIGNED_32) {
    write_signed(w, n->low.smin);
    write_number(w, (uint64_t)((int64_t)n->low.smax - n->low.smin));
  }
}

static void write_change(struct writer *w, const struct proof_change *change) {
  const struct proof_value *v = &change->value;
  const unsigned has = proof_parts_of[v->kind];
  const bool room = (has & PROOF_HAS_ROOM) && v->room != PROOF_NO_ROOM;
  write_byte(w, v->kind | (v->or_null ? PROOF_TAG_NULL : 0u) | (change->linked ? PROOF_TAG_LINKED : 0u) |
                    (v->origin != 0 ? PROOF_TAG_MEASURE : 0u) | (room ? PROOF_TAG_ROOM : 0u));
  if (change->location >= PROOF_FIRST_SLOT) {
    const unsigned bytes = ((1u << change->size) - 1) << change->at;
    unsigned code = 0;
    while (1u << code >> 1 < change->size) {
      code++;
    }
    write_byte(w, change->at | code << 3 | (change->written != bytes ? PROOF_PLACE_MASK : 0u));
    if (change->written != bytes) write_byte(w, change->written);
  }
  if (change->linked) write_number(w, change->link);
  if (has & PROOF_HAS_OBJECT) write_byte(w, v->object);
  if ((has & PROOF_HAS_DELTA) && (v->kind != PROOF_SCALAR || change->linked)) write_signed(w, v->delta);
  if (room) write_signed(w, v->room);
  if (v->origin != 0) {
    write_number(w, v->origin);
    write_signed(w, v->moved_min);
    write_number(w, (uint64_t)v->moved_max - (uint64_t)v->moved_min);
  }
  if (has & PROOF_HAS_NUMBER) write_value_number(w, &v->number);
}

/* --- lists --- */

static void write_location(struct writer *w, unsigned location, unsigned *next) {
  write_number(w, location - *next);
  *next = location + 1;
}

static void write_records(struct writer *w, const struct proof_plan *plan, const struct proof_entry *entry) {
  write_number(w, entry->record_count);
  for (uint32_t r = entry->first_record; r < entry->first_record + entry->record_count; r++) {
    const struct proof_record *record = &plan->records[r];
    unsigned next = 0;
    write_number(w, record->change_count);
    for (uint32_t c = record->first_change; c < record->first_change + record->change_count; c++) {
      write_location(w, plan->changes[c].location, &next);
      write_change(w, &plan->changes[c]);
    }
  }
}

static void write_entry(struct writer *w, const struct proof_plan *plan, const struct proof_entry *entry,
                        const struct proof_entry *before) {
  unsigned common = 0, next = 0;
  while (before != NULL && common <= before->depth && common < entry->depth &&
         before->key[common] == entry->key[common]) {
    common++;
  }
  write_byte(w, entry->kind | (unsigned)entry->depth << 2 | common << 5);
  for (unsigned i = common; i <= entry->depth; i++) {
    const bool behind = i == common && before != NULL && i <= before->depth;
    write_number(w, behind ? entry->key[i] - before->key[i] - 1 : entry->key[i]);
  }
  write_cost(w, entry->slack);
  if (entry->kind == PROOF_LOOP || entry->kind == PROOF_CALLBACK) write_cost(w, entry->body);
  if (entry->kind == PROOF_LOOP) {
    write_number(w, entry->before);
    write_number(w, entry->end - entry->key[entry->depth]);
    write_number(w, entry->measure);
    write_signed(w, entry->step);
  }
  if (entry->kind != PROOF_SPLIT) {
    write_records(w, plan, entry);
    return;
  }
  write_number(w, entry->forget_count);
  for (uint32_t i = entry->first_forget; i < entry->first_forget + entry->forget_count; i++) {
    write_location(w, plan->changes[i].location, &next);
  }
}

size_t proof_plan_encode(const struct proof_plan *plan, uint8_t *proof, size_t size) {
  struct writer w = {proof, size, 0};
  uint32_t records = 0, changes = 0;
  for (uint32_t e = 0; e < plan->entry_count; e++) {
    const struct proof_entry *entry = &plan->entries[e];
    if (entry->kind == PROOF_SPLIT) {
      changes += entry->forget_count;
      continue;
    }
    records += entry->record_count;
    for (uint32_t r = entry->first_record; r < entry->first_record + entry->record_count; r++) {
      changes += plan->records[r].change_count;
    }
  }
  write_byte(&w, PROOF_VERSION);
  const uint32_t numbers[] = {plan->limits.work,
                              plan->limits.states,
                              plan->limits.slots,
                              plan->root_count,
                              plan->entry_count,
                              records,
                              changes};
  for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    write_number(&w, numbers[i]);
  }
  for (uint32_t i = 0; i < plan->root_count; i++) {
    const struct proof_root *root = &plan->roots[i];
    write_number(&w, root->pc);
    write_number(&w, (uint32_t)(root->map + 1));
    for (unsigned a = 0; a < PROOF_ARGUMENTS && root->map == PROOF_ALONE; a++) {
      const struct proof_argument *argument = &root->argument[a];
      write_number(&w, argument->kind | (argument->or_null ? PROOF_TAG_NULL : 0u) | argument->size << PROOF_TAG_SIZE);
    }
    write_number(&w, root->entry_count);
    for (uint32_t e = root->first_entry; e < root->first_entry + root->entry_count; e++) {
      write_entry(&w, plan, &plan->entries[e], e > root->first_entry ? &plan->entries[e - 1] : NULL);
    }
  }
  return w.length;
}

/* --- difference --- */

struct difference {
  const struct proof_state *base, *wanted;
  struct proof_change *changes;
  uint32_t count, capacity;
};

/* The same in all but its name. */
static bool alike(const struct proof_value *base, const struct proof_value *wanted) {
  struct proof_value a = *base, b = *wanted;
  a.lost = b.lost = 0;
  a.id = b.id;
  return memcmp(&a, &b, sizeof a) == 0;
}

/* Whether another location has the id, or a record or lock that is held. */
static bool is_shared(const struct proof_state *state, const struct proof_value *v) {
  unsigned count = v->id == state->lock_id || proof_state_holds(state, v->id);
  for (unsigned r = 0; r < PROOF_REGISTERS; r++) {
    count += state->reg[r].id == v->id;
  }
  for (unsigned i = 0; i < state->slot_count; i++) {
    count += state->slot[i].size != 0 && state->slot[i].value.id == v->id;
  }
  return count > 1;
}

/* Whether the location needs no change. A name that nothing else has is any name. */
static bool stays(const struct difference *d, const struct proof_value *base, const struct proof_value *wanted) {
  if (!alike(base, wanted)) return false;
  return base->id == wanted->id ||
         (base->id != 0 && wanted->id != 0 && !is_shared(d->base, base) && !is_shared(d->wanted, wanted));
}

/* The first location below that holds the same id in `wanted`, or else the first above that stays; PROOF_LOCATIONS: none. */
static unsigned find_link(const struct difference *d, unsigned location, uint32_t id) {
  for (unsigned at = 0; at < PROOF_LOCATIONS; at = at == PROOF_REGISTERS - 1 ? PROOF_FIRST_SLOT : at + 1) {
    const struct proof_value *v = proof_state_value(d->wanted, at), *old = proof_state_value(d->base, at);
    if (at == location || v == NULL || v->id != id || v->kind == PROOF_UNREADABLE) continue;
    if (at < location || (old != NULL && old->id == id && alike(old, v))) return at;
  }
  return PROOF_LOCATIONS;
}

static void add_change(struct difference *d, struct proof_change change) {
  const unsigned link = change.value.id == 0 ? PROOF_LOCATIONS : find_link(d, change.location, change.value.id);
  change.linked = link < PROOF_LOCATIONS;
  change.link = (uint16_t)(change.linked ? link : 0);
  if (change.value.kind == PROOF_SCALAR && !change.linked) change.value.delta = 0;
  if (d->count < d->capacity) d->changes[d->count] = change;
  d->count++;
}

static void slot_difference(struct difference *d, const struct proof_slot *base, const struct proof_slot *wanted) {
  const bool is_there = wanted != NULL && wanted->written != 0;
  if (!is_there) {
    if (base != NULL && base->written != 0) add_change(d, (struct proof_change){.location = base->location});
    return;
  }
  if (base != NULL && base->written == wanted->written && base->zero == wanted->zero && base->size == wanted->size &&
      (wanted->size == 0 || (base->at == wanted->at && stays(d, &base->value, &wanted->value)))) {
    return;
  }
  struct proof_change change = {.location = wanted->location, .written = wanted->written};
  if (wanted->size != 0) {
    change.at = wanted->at;
    change.size = wanted->size;
    change.value = wanted->value;
  }
  add_change(d, change);
}

uint32_t proof_plan_difference(const struct proof_state *base, const struct proof_state *wanted,
                               struct proof_change *changes, uint32_t capacity) {
  struct difference d = {base, wanted, changes, 0, capacity};
  unsigned i = 0, j = 0;
  for (unsigned r = 0; r < PROOF_REGISTERS; r++) {
    if (stays(&d, &base->reg[r], &wanted->reg[r])) continue;
    add_change(&d, (struct proof_change){.location = (uint16_t)r, .value = wanted->reg[r]});
  }
  while (i < base->slot_count || j < wanted->slot_count) {
    const unsigned left = i < base->slot_count ? base->slot[i].location : PROOF_LOCATIONS;
    const unsigned right = j < wanted->slot_count ? wanted->slot[j].location : PROOF_LOCATIONS;
    slot_difference(&d, left <= right ? &base->slot[i] : NULL, right <= left ? &wanted->slot[j] : NULL);
    i += left <= right;
    j += right <= left;
  }
  return d.count;
}
