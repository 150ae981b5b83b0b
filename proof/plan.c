/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading a proof (docs/proof.md). Numbers are LEB128, signed ones folded (0, -1, 1, -2, ...). Lists ascend by construction:
 * what is written is the distance from the one before.
 */
#include "proof/plan.h"

#include "lib/bytes.h"
#include "proof/plan_format.h"

struct reader {
  const uint8_t *at, *end;
  bool bad; /* ended early, or something is not as it must be */
};

static unsigned read_byte(struct reader *r) {
  if (r->at == r->end) {
    r->bad = true;
    return 0;
  }
  return *r->at++;
}

static uint64_t read_number(struct reader *r) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const unsigned byte = read_byte(r);
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return value;
  }
  r->bad = true;
  return 0;
}

static int64_t read_signed(struct reader *r) {
  const uint64_t folded = read_number(r);
  return (int64_t)(folded >> 1 ^ (0 - (folded & 1)));
}

/* At most `limit`. */
static uint32_t read_below(struct reader *r, uint64_t limit) {
  const uint64_t value = read_number(r);
  if (value <= limit) return (uint32_t)value;
  r->bad = true;
  return 0;
}

static struct proof_cost read_cost(struct reader *r) {
  const uint64_t insns = read_below(r, 2 * (uint64_t)UINT32_MAX + 1);
  const uint32_t both = (uint32_t)(insns & 1);
  return (struct proof_cost){(uint32_t)(insns >> 1), both ? read_below(r, UINT32_MAX) : 0};
}

/* --- header --- */

static size_t read_header(struct reader *r, struct proof_plan *plan) {
  const size_t length = (size_t)(r->end - r->at);
  *plan = (struct proof_plan){0};
  r->bad = read_byte(r) != PROOF_VERSION || length > PROOF_MAX_LENGTH;
  if (r->bad) return 0;
  plan->limits.work = read_below(r, PROOF_MAX_WORK);
  plan->limits.states = read_below(r, PROOF_MAX_STATES);
  plan->limits.slots = read_below(r, PROOF_MAX_SLOTS);
  /* Each takes bytes: a short proof can't ask for much memory. */
  plan->root_count = read_below(r, length < PROOF_MAX_ROOTS ? length : PROOF_MAX_ROOTS);
  plan->entry_count = read_below(r, length < PROOF_MAX_ENTRIES ? length : PROOF_MAX_ENTRIES);
  plan->record_count = read_below(r, length);
  plan->change_count = read_below(r, length);
  return plan->root_count * sizeof plan->roots[0] + plan->entry_count * sizeof plan->entries[0] +
         plan->record_count * sizeof plan->records[0] + plan->change_count * sizeof plan->changes[0];
}

size_t proof_plan_memory(const uint8_t *proof, size_t length) {
  struct reader r = {proof, proof + length, false};
  struct proof_plan plan;
  const size_t size = read_header(&r, &plan);
  return r.bad ? 0 : size + 8; /* not 0 for an empty plan */
}

/* --- values --- */

/* A range in one reading, if it is there: the smallest, and how far behind it the largest is. */
static void read_range(struct reader *r, bool there, bool with_sign, struct proof_range *range) {
  const struct proof_range all = *range;
  if (!there) return;
  if (with_sign) {
    range->smin = read_signed(r);
    range->smax = proof_plus(range->smin, (int64_t)read_number(r));
    r->bad = r->bad || range->smin < all.smin || range->smax < range->smin || range->smax > all.smax;
  } else {
    range->umin = read_number(r);
    range->umax = range->umin + read_number(r);
    r->bad = r->bad || range->umax < range->umin || range->umax > all.umax;
  }
}

static struct proof_number read_value_number(struct reader *r) {
  struct proof_number n = proof_number_unknown();
  const unsigned parts = read_byte(r);
  if (parts & PROOF_PART_CONSTANT) return proof_number_constant((uint64_t)read_signed(r));
  read_range(r, parts & PROOF_PART_UNSIGNED, false, &n.wide);
  read_range(r, parts & PROOF_PART_SIGNED, true, &n.wide);
  if (parts & PROOF_PART_BITS) {
    n.mask = read_number(r);
    n.value = read_number(r);
    r->bad = r->bad || (n.mask & n.value) != 0;
  }
  read_range(r, parts & PROOF_PART_UNSIGNED_32, false, &n.low);
  read_range(r, parts & PROOF_PART_SIGNED_32, true, &n.low);
  if (!r->bad && parts < PROOF_PART_END && proof_number_settle(&n)) return n;
  r->bad = true;
  return proof_number_unknown();
}

static struct proof_value read_value(struct reader *r, unsigned tag) {
  struct proof_value v = {.kind = (uint8_t)(tag & PROOF_TAG_KIND), .or_null = (tag & PROOF_TAG_NULL) != 0};
  const unsigned has = v.kind <= PROOF_LENT ? proof_parts_of[v.kind] : 0;
  r->bad = r->bad || v.kind > PROOF_LENT || (v.or_null && !(has & PROOF_HAS_NULL));
  v.number = proof_number_constant(0);
  if (has & PROOF_HAS_OBJECT) v.object = (uint8_t)read_byte(r);
  if ((has & PROOF_HAS_DELTA) && (v.kind != PROOF_SCALAR || (tag & PROOF_TAG_LINKED))) v.delta = read_signed(r);
  if (has & PROOF_HAS_ROOM) {
    const int64_t room = tag & PROOF_TAG_ROOM ? read_signed(r) : PROOF_NO_ROOM;
    r->bad = r->bad || room < INT32_MIN || room > INT32_MAX;
    v.room = (int32_t)room;
  }
  if (tag & PROOF_TAG_MEASURE) {
    v.origin = (uint8_t)read_below(r, PROOF_MAX_ACTIVE);
    v.moved_min = read_signed(r);
    v.moved_max = (int64_t)((uint64_t)v.moved_min + read_number(r));
  }
  if (has & PROOF_HAS_NUMBER) v.number = read_value_number(r);
  return v;
}

static bool is_register(unsigned location) { return location < PROOF_REGISTERS; }

static void read_change(struct reader *r, unsigned location, struct proof_change *change) {
  *change = (struct proof_change){.location = (uint16_t)location};
  const unsigned tag = read_byte(r);
  change->linked = (tag & PROOF_TAG_LINKED) != 0;
  if (!is_register(location)) {
    const unsigned place = read_byte(r);
    change->at = place & 7;
    const unsigned code = place >> 3 & 7;
    r->bad = r->bad || code > 4;
    change->size = (uint8_t)(code > 4 ? 0 : 1u << code >> 1); /* 0, 1, 2, 4, 8 */
    const unsigned bytes = ((1u << change->size) - 1) << change->at;
    change->written = (uint8_t)(place & PROOF_PLACE_MASK ? read_byte(r) : bytes);
    const bool pointer = (tag & PROOF_TAG_KIND) != PROOF_SCALAR;
    const bool fits = change->at + change->size <= 8 && (bytes & ~(unsigned)change->written) == 0;
    /* Pointers are whole; and a size goes with a value. */
    if (!fits || (change->size == 0) != ((tag & PROOF_TAG_KIND) == PROOF_UNREADABLE) ||
        (change->size != 0 && pointer && change->size != 8)) {
      r->bad = true;
    }
  }
  if (change->linked) change->link = (uint16_t)read_below(r, PROOF_LOCATIONS - 1);
  change->value = read_value(r, tag);
}

/* --- lists --- */

/* The next in an ascending list of locations. */
static unsigned read_location(struct reader *r, unsigned *next) {
  const unsigned location = *next + read_below(r, PROOF_LOCATIONS - 1);
  if (location >= PROOF_LOCATIONS || (location >= PROOF_REGISTERS && location < PROOF_FIRST_SLOT)) {
    r->bad = true;
    return 0;
  }
  *next = location + 1;
  return location;
}

static void read_records(struct reader *r, struct proof_plan *plan, struct proof_entry *entry, uint32_t *records,
                         uint32_t *changes) {
  entry->first_record = *records;
  entry->record_count = read_below(r, plan->record_count - *records);
  for (uint32_t i = 0; i < entry->record_count && !r->bad; i++) {
    struct proof_record *record = &plan->records[(*records)++];
    unsigned next = 0;
    record->first_change = *changes;
    record->change_count = read_below(r, plan->change_count - *changes);
    for (uint32_t c = 0; c < record->change_count && !r->bad; c++) {
      const unsigned location = read_location(r, &next);
      read_change(r, location, &plan->changes[(*changes)++]);
    }
  }
}

static void read_forgotten(struct reader *r, struct proof_plan *plan, struct proof_entry *entry, uint32_t *changes) {
  unsigned next = 0;
  entry->first_forget = *changes;
  entry->forget_count = read_below(r, plan->change_count - *changes);
  for (uint32_t i = 0; i < entry->forget_count && !r->bad; i++) {
    plan->changes[(*changes)++] = (struct proof_change){.location = (uint16_t)read_location(r, &next)};
  }
}

/* `before`: the one before in the same root, or NULL. */
static void read_entry(struct reader *r, struct proof_entry *entry, const struct proof_entry *before) {
  *entry = (struct proof_entry){0};
  const unsigned head = read_byte(r), common = head >> 5;
  entry->kind = head & 3;
  entry->depth = head >> 2 & 7;
  if (common > entry->depth || (before == NULL ? common != 0 : common > before->depth + 1u)) {
    r->bad = true;
    return;
  }
  for (unsigned i = 0; i <= entry->depth; i++) {
    const uint32_t shared = before != NULL && i <= before->depth ? before->key[i] : 0;
    if (i < common) {
      entry->key[i] = shared;
    } else if (i == common && before != NULL && i <= before->depth) {
      entry->key[i] = shared + 1 + read_below(r, UINT32_MAX - 1 - shared);
    } else {
      entry->key[i] = read_below(r, UINT32_MAX - 1);
    }
  }
  entry->slack = read_cost(r);
  if (entry->kind == PROOF_LOOP || entry->kind == PROOF_CALLBACK) entry->body = read_cost(r);
  if (entry->kind != PROOF_LOOP) return;
  entry->before = read_below(r, entry->key[entry->depth]);
  entry->end = entry->key[entry->depth] + read_below(r, UINT32_MAX - entry->key[entry->depth]);
  unsigned next = 0;
  entry->measure = (uint16_t)read_location(r, &next);
  const int64_t step = read_signed(r);
  entry->step = (int32_t)step;
  r->bad = r->bad || step == 0 || step < INT32_MIN || step > INT32_MAX;
}

bool proof_plan_decode(const uint8_t *proof, size_t length, void *memory, struct proof_plan *plan) {
  struct reader r = {proof, proof + length, false};
  if (proof_plan_memory(proof, length) == 0) return false;
  read_header(&r, plan);
  plan->roots = memory;
  plan->entries = (struct proof_entry *)(void *)(plan->roots + plan->root_count);
  plan->records = (struct proof_record *)(void *)(plan->entries + plan->entry_count);
  plan->changes = (struct proof_change *)align_up((uintptr_t)(plan->records + plan->record_count), 8);
  uint32_t entries = 0, records = 0, changes = 0;
  for (uint32_t i = 0; i < plan->root_count && !r.bad; i++) {
    struct proof_root *root = &plan->roots[i];
    root->pc = read_below(&r, UINT32_MAX);
    root->map = read_below(&r, PROOF_ALONE + 1) - 1;
    for (unsigned a = 0; a < PROOF_ARGUMENTS; a++) {
      const uint32_t number = root->map == PROOF_ALONE ? read_below(&r, UINT32_MAX) : 0;
      root->argument[a] =
          (struct proof_argument){number & PROOF_TAG_KIND, (number & PROOF_TAG_NULL) != 0, number >> PROOF_TAG_SIZE};
    }
    root->first_entry = entries;
    root->entry_count = read_below(&r, plan->entry_count - entries);
    for (uint32_t e = 0; e < root->entry_count && !r.bad; e++) {
      struct proof_entry *entry = &plan->entries[entries++];
      read_entry(&r, entry, e > 0 ? entry - 1 : NULL);
      if (entry->kind == PROOF_SPLIT) {
        read_forgotten(&r, plan, entry, &changes);
      } else {
        read_records(&r, plan, entry, &records, &changes);
      }
    }
  }
  return !r.bad && r.at == r.end && entries == plan->entry_count && records == plan->record_count &&
         changes == plan->change_count;
}

size_t proof_check_memory(const struct proof_input *input, const uint8_t *proof, size_t length) {
  struct reader r = {proof, proof + length, false};
  struct proof_plan plan;
  const size_t plan_memory = proof_plan_memory(proof, length);
  if (plan_memory == 0) return 0;
  read_header(&r, &plan);
  const size_t walk_memory = proof_walk_memory(input, &plan);
  return walk_memory == 0 || walk_memory + plan_memory > PROOF_MAX_ARENA ? 0 : align_up(plan_memory, 8) + walk_memory;
}

bool proof_check(const struct proof_input *input, const uint8_t *proof, size_t length, void *arena,
                 struct bpf_fact *facts, struct proof_verdict *verdict) {
  struct proof_plan plan;
  if (proof_check_memory(input, proof, length) != 0 && proof_plan_decode(proof, length, arena, &plan)) {
    uint8_t *behind = (uint8_t *)arena + align_up(proof_plan_memory(proof, length), 8);
    return proof_walk(input, &plan, behind, NULL, facts, verdict);
  }
  *verdict =
      (struct proof_verdict){.failure = {.kind = PROOF_BAD_PROOF, .entry = UINT32_MAX, .location = PROOF_LOCATIONS}};
  for (uint32_t i = 0; i < input->insn_count; i++) {
    facts[i] = (struct bpf_fact){0};
  }
  return false;
}
