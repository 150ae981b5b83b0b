/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is known at one point of a program: a value for each register and each 8 bytes of stack that the program used, what it
 * holds, and which loops it is in. Join, inclusion, and learning about all locations that hold the same unknown value.
 *
 * Unknown values have names, ids: two locations with the same id hold the same unknown, shifted by the difference of their
 * deltas. A comparison of one of them teaches about all. An id means nothing outside its state.
 */
#ifndef IMAGO_PROOF_STATE_H
#define IMAGO_PROOF_STATE_H

#include <stddef.h>

#include "proof/number.h"

enum proof_kind {
  PROOF_UNREADABLE, /* never written, or no longer known what: must not be read */
  PROOF_SCALAR,     /* a number, all of it in `number` */
  PROOF_CONTEXT,
  PROOF_PACKET,     /* data + number + delta; readable up to `room` */
  PROOF_PACKET_END, /* data_end itself */
  PROOF_META,       /* data_meta + number + delta; readable up to `room` */
  PROOF_STACK,      /* the end of frame `object` (its r10) + number + delta */
  PROOF_MAP,        /* the handle of map `object` */
  PROOF_MAP_VALUE,  /* a value of map `object` + number + delta */
  PROOF_RECORD,     /* a ring buffer record of `room` bytes that is held + number + delta */
  PROOF_MEMORY,     /* `room` bytes that may only be read (a callback's key) + number + delta */
  PROOF_FUNCTION,   /* the function at slot `room` of the instructions */
  PROOF_STALE, /* the packet, its end or metadata, before the last helper that moved them, or the lower half of one's address: the
                * difference of two is a number */
  PROOF_LENT, /* `room` bytes, anywhere, that the caller of a function that is checked alone lends it + number + delta */
};

enum {
  PROOF_INNER = 0x80,         /* bit of `object`: a map that was looked up in that map of maps, or a value of one */
  PROOF_MAX_OFFSET = 1 << 29, /* |delta| of a pointer stays below, as in Linux */
  PROOF_MAX_PACKET = 0xffff,  /* bytes between data and data_end at most, as Linux's verifier assumes */
  PROOF_NO_ROOM = INT32_MIN,
};

/* For a scalar `number` is the whole value, and with an id the value is V(id) + delta modulo 2^64; a constant has id 0 and itself as
 * delta, so that V(0) is 0. For a packet or metadata pointer `number` is V(id), 0 with id 0; for other pointers it is the variable part
 * of the offset, and id names the very object (not 0 for map values, records, lent memory and handles of inner maps).
 *
 * The end of the packet: id and room say how long it surely isn't: data + V(id) + room > data_end is known. Both 0: nothing is.
 *
 * room, packet: data + V(id) + room <= data_end is known, so that bytes from offset -V to room may be touched. Metadata: the
 * same with data_meta and data. It is a matter of the id, so locations with the same id have the same room.
 *
 * origin, moved: for a scalar or a packet pointer, `origin` not 0: the value is what this location's loop measure was at the head of
 * the active loop number origin - 1, when the loop's body was entered last, plus something in [moved_min, moved_max], as
 * integers (both within 2^62), without wrapping. */
struct proof_value {
  uint8_t kind;
  uint8_t object;
  bool or_null; /* it may be 0 instead: map values, records, lent memory, handles of inner maps */
  uint8_t origin;
  uint32_t id;
  int32_t room;
  uint32_t lost; /* for explanations only: 1 + slot of the join where something was forgotten about it, or 0 */
  int64_t delta;
  int64_t moved_min, moved_max;
  struct proof_number number;
};

/* Locations: registers 0 to 9 (r10 is always the end of the current frame); then, for each frame, PROOF_FRAME_SLOTS: 64 slots of 8
 * bytes from the lowest address up, r6 to r9 of that frame's function while it waits for a call, and what a helper
 * that calls back hands to each call. */
enum {
  PROOF_REGISTERS = 10,
  PROOF_FIRST_SLOT = 16,
  PROOF_FRAME_MEMORY = BPF_STACK_SIZE / 8,
  PROOF_FRAME_SAVED = PROOF_FRAME_MEMORY, /* r6 */
  PROOF_FRAME_CALLBACK = PROOF_FRAME_SAVED + 4,
  PROOF_FRAME_SLOTS = PROOF_FRAME_CALLBACK + 3,
  PROOF_LOCATIONS = PROOF_FIRST_SLOT + BPF_MAX_FRAMES * PROOF_FRAME_SLOTS,
  PROOF_MAX_HELD = 16,
  PROOF_MAX_ACTIVE = 16,
};
static inline unsigned proof_location(unsigned frame, unsigned slot) {
  return PROOF_FIRST_SLOT + frame * PROOF_FRAME_SLOTS + slot;
}

/* 8 bytes of stack. What stands in no slot was never written. */
struct proof_slot {
  uint16_t location;
  uint8_t written; /* a bit for each byte that was */
  uint8_t zero;    /* and is 0; a subset */
  uint8_t at,
      size; /* bytes at..at + size hold `value` (pointers: 0, 8), size 0: no value is known. They count as written */
  struct proof_value value;
};

struct proof_cost {
  uint32_t insns, calls; /* instructions executed at most, callbacks included; helper calls */
};

struct proof_state {
  struct proof_state *next;          /* the walk's lists */
  bool done;                         /* the walk's: it went on from here */
  struct proof_cost cost;            /* at most, on any path to here */
  uint32_t pc;                       /* slot in struct proof_input's instructions */
  uint32_t site[BPF_MAX_FRAMES - 1]; /* slots of the calls that wait, outermost first: `depth` of them */
  uint16_t root;                     /* what it began with: index in the verdict's roots */
  uint8_t depth;                     /* number of the current frame */
  uint8_t held_count;
  uint8_t active_count;
  bool locked;      /* a spin lock is held: */
  uint8_t lock_map; /* of a value of this map, */
  uint32_t lock_id; /* with this id; 0: the map has one value only */
  uint16_t slot_count;
  uint32_t held[PROOF_MAX_HELD]; /* ids of the records that are held, in the order of their reservation */
  uint16_t
      active[PROOF_MAX_ACTIVE]; /* loops that are being run, outermost first: numbers of their entries in the plan */
  struct proof_value reg[PROOF_REGISTERS];
  struct proof_slot slot[]; /* ascending by location */
};

static inline size_t proof_state_size(unsigned slots) {
  return sizeof(struct proof_state) + slots * sizeof(struct proof_slot);
}

static inline struct proof_value proof_unreadable(void) { return (struct proof_value){.kind = PROOF_UNREADABLE}; }
/* What `v` becomes: nothing that is known; this constant. */
void proof_set_unreadable(struct proof_value *v);
void proof_set_constant(struct proof_value *v, uint64_t value);
/* A scalar of which this is known; takes an id, and moves *next_id on, unless it is a constant. `number` may be v's own. */
void proof_set_scalar(struct proof_value *v, const struct proof_number *number, uint32_t *next_id);
static inline bool proof_is_constant(const struct proof_value *v) {
  return v->kind == PROOF_SCALAR && proof_number_is_constant(&v->number);
}
/* Whether pointers of this kind are compared with an end, so that room matters. */
static inline bool proof_is_window(unsigned kind) { return kind == PROOF_PACKET || kind == PROOF_META; }
/* Whether the difference to others of them is a number. */
static inline bool proof_is_packet(unsigned kind) { return proof_is_window(kind) || kind == PROOF_PACKET_END; }
/* Whether `end` says that data + V(id) + limit is behind it. */
static inline bool proof_is_short(const struct proof_value *end, uint32_t id, int32_t limit) {
  return end->id == id && (id != 0 || end->room != 0) && end->room <= limit;
}
/* Whether objects of this kind begin at multiples of 8. */
static inline bool proof_is_aligned(unsigned kind) { return !proof_is_window(kind) && kind != PROOF_LENT; }
/* Modulo 2^64, as deltas are meant. */
static inline int64_t proof_plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
static inline int64_t proof_minus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
/* What a load of these bytes of the slot gives if no pointer is in them; *number is then known. False: some were not written. */
bool proof_slot_number(const struct proof_slot *slot, unsigned at, unsigned size, struct proof_number *number);

/* Copies what is used. */
void proof_state_copy(struct proof_state *to, const struct proof_state *from);

/* The slot, or NULL. */
struct proof_slot *proof_state_find(struct proof_state *state, unsigned location);
/* The slot, made if it is not there: nothing written. NULL: the state has `limit` slots already. */
struct proof_slot *proof_state_make(struct proof_state *state, unsigned location, unsigned limit);
/* Drops all slots of frames above `frame`, and of `frame` those from `slot` on. */
void proof_state_drop(struct proof_state *state, unsigned frame, unsigned slot);
/* The value at a location, if one is known there: NULL for slots without one. */
const struct proof_value *proof_state_value(const struct proof_state *state, unsigned location);
/* Nothing is known there any more; of a slot, no byte is written. */
void proof_state_forget(struct proof_state *state, unsigned location);

/* Lexicographic order of call sites and pc: negative, 0, positive. */
int proof_state_order(const struct proof_state *a, const struct proof_state *b);

/* Teaches all locations with the id of `learned` what it says: its number and, between pointers of its kind, its room. False:
 * nothing meets all of it, so there is no such state. */
bool proof_state_learn(struct proof_state *state, const struct proof_value *learned);
/* All pointers of the kind with this id (0 is an id here, too) get the most room that is known of one of them, or `room`. */
void proof_state_share_room(struct proof_state *state, unsigned kind, uint32_t id, int32_t room);
/* Packet pointers with this id that are `limit` or more further than it are behind the end. False: one is known not to be. */
bool proof_state_learn_short(struct proof_state *state, uint32_t id, int32_t limit);
/* All locations with this id: the pointer is, or is not, 0. A record that is 0 is not held. */
void proof_state_learn_null(struct proof_state *state, uint32_t id, bool null);
/* Whether this is the id of a record that is held. */
bool proof_state_holds(const struct proof_state *state, uint32_t id);
/* Is in the `active` outermost loops only. */
void proof_state_leave_loops(struct proof_state *state, unsigned active);
/* Pointers of these kinds (bits 1 << kind), and with this id unless it is 0, become unreadable. */
void proof_state_lose(struct proof_state *state, unsigned kinds, uint32_t id);
/* The packet may be elsewhere: its pointers become stale, and those that are unreadable. */
void proof_state_move_packet(struct proof_state *state);

/* Why two states at the same point don't go together. */
enum proof_mismatch {
  PROOF_MATCH,
  PROOF_MISMATCH_VALUE,  /* at a location */
  PROOF_MISMATCH_HELD,   /* they hold different records */
  PROOF_MISMATCH_LOCK,   /* or locks */
  PROOF_MISMATCH_ACTIVE, /* or are in different loops */
};

/* Whether each situation that `arrival` describes is one that `recorded` describes. Same point. If not, *location is where (with
 * PROOF_MISMATCH_VALUE). Costs are not looked at. */
enum proof_mismatch proof_state_within(const struct proof_state *arrival, const struct proof_state *recorded,
                                       unsigned *location);
/* `state` becomes the checker's own join of both, at the same point: it describes each situation that one of them
 * describes, at the larger cost. *next_id is the first id that is free. On a mismatch `state` is as it was. */
enum proof_mismatch proof_state_join(struct proof_state *state, const struct proof_state *other, uint32_t *next_id);

#endif
