/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An extension: one eBPF program that was taken from a signed bundle and is ready to run. Staging does everything that
 * takes time or can fail, so that putting an extension to work is one pointer store. Who may run it (signature,
 * audience, version floor) and whether it can run (instructions, maps) are decided here; when, and what its verdict
 * means, by the element.
 */
#ifndef IMAGO_ELEMENTS_EXTENSION_H
#define IMAGO_ELEMENTS_EXTENSION_H

#include "bpf/facts.h"
#include "bpf/program.h"
#include "click/services.h"

/* What a program did with packets. Added to once per batch. */
struct extension_counts {
  uint64_t packets;
  uint64_t passed;
  uint64_t dropped; /* verdict XDP_DROP */
  uint64_t aborted; /* verdict XDP_ABORTED, or one that the element does not offer */
  uint64_t faults;  /* stopped by the engine */
  uint64_t transmitted;
  uint64_t redirected;  /* a broadcast counts once */
  uint64_t callbacks;   /* of timers that ran */
  uint64_t executed;    /* instructions; native code counts at the ends of loops and at calls only */
  uint64_t measured;    /* packets whose run was timed, */
  uint64_t nanoseconds; /* and how long these took together */
};
/* All are alike: as an array they are read and added up. */
enum { EXTENSION_COUNTS = sizeof(struct extension_counts) / sizeof(uint64_t) };

/* How long the parts of its making took, in nanoseconds. */
struct extension_times {
  uint64_t verify;  /* copy, signature */
  uint64_t check;   /* parsing, audience, floor, instructions */
  uint64_t proof;   /* the proof checked */
  uint64_t maps;    /* maps made or taken over */
  uint64_t compile; /* native code, made while packets meet the interpreter; 0 until then */
};

/* The last fault. Workers that find `busy` set leave theirs out rather than wait. */
struct extension_fault {
  bool busy;
  enum bpf_fault_kind kind; /* BPF_FAULT_NONE: none yet */
  uint32_t insn;            /* counted through all programs of the bundle */
  uint64_t address;
};

struct extension {
  struct bpf_program programs[BUNDLE_MAX_PROGRAMS]; /* as in the bundle */
  uint32_t program_count;
  uint32_t entry;        /* the program that packets go through */
  struct bpf_map **maps; /* owned references, as many as the bundle has; each program has its own too */
  uint32_t map_count;
  struct bundle *bundle; /* owned; views into bytes */
  uint8_t *bytes;        /* owned: what the signature was verified over */
  char key[sizeof((struct bundle_key){0}.name)];
  struct bpf_fact *facts; /* owned: what the proof shows, one per instruction of the bundle. NULL: there is no proof */
  uint32_t bound; /* instructions that the entry executes for one packet at most, tail calls included; with a proof */
  struct extension_times times;
  struct extension_fault fault;
  const struct services *services;
  struct postponed compiling;                                  /* programs from `compiled` on */
  uint32_t compiled;                                           /* programs whose translation was tried */
  struct extension_counts counts __attribute__((aligned(64))); /* written by workers; the rest stays as it is */

  /* Of the element that installed it. */
  struct deferred deferred;
  struct extension *next;
  bool lingers; /* it was replaced and no batch uses it, but timers do */
  void *owner;
  uint64_t installed; /* number of the installation in that element, from 1 */
};

struct extension_request {
  struct slice bytes;  /* the bundle, of any alignment; copied */
  const char *element; /* name of the element that is to run it, for the audience and for messages */
  const struct services *services;
  const struct extension *previous; /* what runs there now: its maps are taken over. NULL: nothing */
  /* Whether another element runs the program with this content hash. */
  bool (*runs_elsewhere)(void *context, const uint8_t hash[BUNDLE_HASH_SIZE]);
  /* The extension of another element that has a map of this name, with which it is to be shared; NULL: none. */
  const struct extension *(*shares_with)(void *context, const char *map);
  void *context;
  const char *program; /* function or section of the program to enter; NULL: the bundle's first */
  bool interpret;      /* rather than native code */
  bool again;          /* the very bundle that runs there now may be staged */
  bool fixed_window;   /* refuse programs that call what moves the packet's ends */
};

/* Makes an extension, owned by the caller, or returns a negative code with the reason in report; then nothing has
 * changed.
 *
 * The version must be above the floor of its name. Equal to the floor is allowed only to the very bundle that another
 * element runs, so that one program can serve several elements.
 *
 * Maps keep their state: a map that shares_with finds, or else one of the previous program, with the same name and layout is
 * taken over; the same name with another layout is refused. Global variables (maps with an initial value) and program arrays start anew.
 *
 * On success the floor's entry is reserved, so that version_floor_raise cannot fail. */
int extension_stage(const struct extension_request *request, struct extension **extension,
                    struct report *report) MUST_USE;
/* Part of it (extension_proof.c): has the bundle's proof checked, which gives facts and bound. -ERROR_UNSUPPORTED when there is none and
 * there must be one, -ERROR_INVALID or -ERROR_TOO_BIG when it does not hold. */
int extension_prove(struct extension *extension, bool allow_unproven, struct report *report) MUST_USE;
/* Whether a timer in a map of `maps_of` has its callback in a program of `ext`, or such a callback runs just now. */
bool extension_has_timers(const struct extension *ext, const struct extension *maps_of);
/* Its programs are not called back any more, by whatever map they share with others; who else sets timers goes on. */
void extension_cancel_timers(struct extension *ext);
/* No batch and no callback may be using it. NULL is allowed. */
void extension_free(struct extension *extension);

/* The map of that name, or NULL. */
struct bpf_map *extension_map(const struct extension *extension, struct slice name);
/* Whether the map holds state that other programs can use: neither global variables nor programs. */
bool extension_map_keeps(const struct extension *extension, const struct bpf_map *map);

/* Remembers the fault of a run. Any worker. */
void extension_note_fault(struct extension *extension, const struct bpf_result *result);
/* The last fault: "block_dns 2: instruction 17 (block_dns.bpf.c:41): memory access outside packet, stack, context and
 * map values, or a store to what is read-only, address 0x1f". Empty when there was none. Returns the length that the
 * whole text has. */
size_t extension_fault_text(struct extension *extension, char *buffer, size_t size);

#endif
