/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What BPFilter, BPFClassifier and BPFRewriter have in common: an element that runs an extension. bpf_path.c takes packets
 * through the program, bpf_skb.c is the packet as tc programs see it, bpf_timers.c calls back without a packet,
 * bpf_environment.c is what programs see of the system; bpf_swap.c exchanges the program while packets flow and keeps the
 * record of that; bpf_element.c is life, arguments and plain handlers, bpf_element_maps.c the handlers for maps, bpf_consts.c
 * what is chosen of constants. The classes themselves are bpfilter.c, bpf_classifier.c and bpf_rewriter.c.
 */
#ifndef IMAGO_ELEMENTS_BPF_ELEMENT_H
#define IMAGO_ELEMENTS_BPF_ELEMENT_H

#include "click/element.h"
#include "elements/extension.h"

enum {
  BPF_ELEMENT_HISTORY = 16,
  BPF_ELEMENT_FAULT_TEXT = 320,
  BPF_ELEMENT_LINGERING = 4, /* programs that were replaced but live on because timers call them back */
};
/* Reasons for drops: indices into bpf_element_drops. */
enum bpf_drop { BPF_DROPPED, BPF_ABORTED, BPF_FAULT, BPF_DROP_COUNT };
/* What a verdict means here (docs/ebpf.md has the tables). */
enum bpf_role {
  BPF_ROLE_FILTER,   /* pass or drop */
  BPF_ROLE_CLASSIFY, /* the returned number is the output */
  BPF_ROLE_REWRITE,  /* the verdict is Linux's, and the window may move */
};
#define BPF_NO_ANNOTATION UINT32_MAX
/* Where ON_ABORT leads; otherwise it is an output. */
#define BPF_ABORT_DROPS UINT32_MAX

/* One program that was put to work here. */
struct bpf_record {
  uint64_t installed; /* number of the installation; 0: the record is empty */
  char name[BUNDLE_NAME_MAX];
  uint64_t version;
  uint8_t hash[BUNDLE_HASH_SIZE];
  char key[sizeof((struct bundle_key){0}.name)];
  uint64_t when;                  /* monotonic nanoseconds */
  struct extension_counts counts; /* final ones; those of a program that is still there are in its extension */
  char why[BUNDLE_NAME_MAX + 48]; /* it went; empty: it did not */
};

struct bpf_element {
  struct element element;
  char *file;
  char *program; /* function or section; NULL: the bundle's entry */
  char *maps;    /* names of the maps that are shared, separated by blanks; NULL: none */
  char *consts;  /* NAME=VALUE of tunables, separated by blanks; NULL: as the bundle has them */
  char *on_abort;
  char *fib_name;
  const struct element *fib; /* the route lookup element that bpf_fib_lookup asks; NULL: none */
  bool jit;
  uint32_t mark;           /* offsets of the annotations that are fields of a tc program's context */
  uint32_t priority, hash; /* or BPF_NO_ANNOTATION */
  enum bpf_role role;
  const struct nic *nics[NIC_MAX + 1]; /* interface n: NIC n - 1, if the graph has it */
  uint32_t abort_output;
  /* Read once a batch with acquire, replaced with release: whoever sees the pointer sees what it points to. */
  struct extension *running;
  uint64_t next_fault_log; /* monotonic time before which no fault is logged */
  uint64_t faults_unlogged;
  struct timer timer; /* expires when the first timer of a map does */
  bool measured;      /* each run of the program is timed */

  /* Control only, which is one thread. */
  struct extension *retired;    /* replaced, and waiting: for the quiescent point, or lingering; newest first */
  struct extension_counts past; /* of all programs that were freed */
  uint64_t installed;           /* how many so far */
  struct bpf_record history[BPF_ELEMENT_HISTORY]; /* installation n is in entry n % BPF_ELEMENT_HISTORY */
  uint64_t commit_time, total_time;               /* of the last installation */
  char last_fault[BPF_ELEMENT_FAULT_TEXT];        /* of a program that was freed */
};

/* --- class tables (bpf_element.c) --- */

extern const struct argument bpf_element_arguments[];
extern const struct handler bpf_element_handlers[];
extern const char *const bpf_element_drops[];

/* The element as one of these three classes; NULL when it is of another. */
struct bpf_element *bpf_element_of(struct element *e);
/* For class->defaults. */
void bpf_element_defaults(struct element *e, enum bpf_role role);
int bpf_element_configure(struct element *e, const struct args *rest, struct report *report);
int bpf_element_initialize(struct element *e, struct report *report);
void bpf_element_commit(struct element *e);
void bpf_element_cleanup(struct element *e);

/* --- packets (bpf_path.c) --- */

void bpf_element_push(struct element *e, unsigned port, struct batch *batch);
void bpf_element_pull(struct element *e, unsigned port, struct batch *batch, unsigned max);

/* --- timers in maps (bpf_timers.c) --- */

/* Before packets come. */
void bpf_element_init_timers(struct bpf_element *b);
/* The element's timer expires when the first timer of the running program's maps is due. Any worker. */
void bpf_element_arm_timers(struct bpf_element *b);

/* --- programs (bpf_swap.c) --- */

/* Stages the bundle and puts it to work; `again`: also the one that runs, because arguments have changed. On failure the running
 * program goes on and report says why; notes in report are the confirmation. */
int bpf_element_load(struct bpf_element *b, struct slice bytes, bool again, struct report *report) MUST_USE;
/* Frees all programs. No batch is in flight. */
void bpf_element_unload(struct bpf_element *b);
/* Takes over the program that runs in `old`, and the record of all before it. If b has loaded another from its file, that one runs, and
 * the counts go on. */
void bpf_element_take_state(struct element *e, struct element *old, struct report *report);
/* Counts over all programs that ever ran here. */
struct extension_counts bpf_element_totals(const struct bpf_element *b);
/* Whether MAPS names this map. */
bool bpf_element_shares(const struct bpf_element *b, const char *map);

/* --- tunables (bpf_consts.c) --- */

/* Gives the tunables of a program that is about to run here the values of CONST. Reports a name that it doesn't have, with those that
 * it has, and a value outside its range. */
int bpf_consts_apply(const struct bpf_element *b, const struct extension *ext, struct report *report) MUST_USE;

/* --- handlers --- */

/* Cuts the word "json" off the end of a handler's parameter: true when it was there. */
bool bpf_element_wants_json(struct slice *parameter);

typedef int bpf_element_reader(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                               struct report *report);
typedef int bpf_element_writer(void *owner, const struct handler *handler, struct slice value, struct report *report);

bpf_element_writer bpf_element_write_program;
bpf_element_reader bpf_element_read_history, bpf_element_read_swap, bpf_element_read_last_fault;
bpf_element_reader bpf_element_read_maps, bpf_element_map_dump, bpf_element_map_get, bpf_element_map_records;
bpf_element_writer bpf_element_map_set, bpf_element_map_delete;
bpf_element_reader bpf_element_read_consts;
bpf_element_writer bpf_element_write_const;

#endif
