/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPFilter: the element that runs an extension. bpfilter.c is the packet path and the element's class, bpfilter_swap.c
 * exchanges the program while packets flow and keeps the record of that.
 */
#ifndef IMAGO_ELEMENTS_BPFILTER_H
#define IMAGO_ELEMENTS_BPFILTER_H

#include "click/element.h"
#include "elements/extension.h"

enum { BPFILTER_HISTORY = 16, BPFILTER_FAULT_TEXT = 320 };
enum bpfilter_drop { BPFILTER_DROPPED, BPFILTER_ABORTED, BPFILTER_FAULT, BPFILTER_DROP_COUNT };

/* One program that was put to work here. */
struct bpfilter_record {
  uint64_t installed; /* number of the installation; 0: the record is empty */
  char name[BUNDLE_NAME_MAX];
  uint64_t version;
  uint8_t hash[BUNDLE_HASH_SIZE];
  char key[sizeof((struct bundle_key){0}.name)];
  uint64_t when;                  /* monotonic nanoseconds */
  struct extension_counts counts; /* final ones; those of a program that is still there are in its extension */
  char why[BUNDLE_NAME_MAX + 48]; /* it went; empty: it did not */
};

struct bpfilter {
  struct element element;
  char *file;
  char *on_abort;
  bool abort_passes;
  struct bpf_environment environment;
  /* Read once a batch with acquire, replaced with release: whoever sees the pointer sees what it points to. */
  struct extension *running;
  uint64_t next_fault_log; /* monotonic time before which no fault is logged */
  uint64_t faults_unlogged;

  /* Control only, which is one thread. */
  struct extension *retired;                        /* replaced, and waiting for the quiescent point */
  struct extension_counts past;                     /* of all programs that were freed */
  uint64_t installed;                               /* how many so far */
  struct bpfilter_record history[BPFILTER_HISTORY]; /* installation n is in entry n % BPFILTER_HISTORY */
  struct extension_times times;                     /* of the last installation */
  uint64_t commit_time, total_time;
  char last_fault[BPFILTER_FAULT_TEXT]; /* of a program that was freed */
};

/* Stages the bundle and puts it to work. On failure the running program goes on and report says why; notes in report
 * are the confirmation. */
int bpfilter_load(struct bpfilter *f, struct slice bytes, struct report *report) MUST_USE;
/* Frees all programs. No batch is in flight. */
void bpfilter_unload(struct bpfilter *f);
/* Takes over the program that runs in `old`, and the record of all before it. If f has loaded another from its file, that one runs, and
 * the counts go on. */
void bpfilter_take_state(struct element *e, struct element *old, struct report *report);
/* Counts over all programs that ever ran here. */
struct extension_counts bpfilter_totals(const struct bpfilter *f);

/* Handlers of bpfilter_swap.c: see the table in bpfilter.c. */
int bpfilter_write_program(void *owner, const struct handler *handler, struct slice value, struct report *report);
int bpfilter_read_history(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                          struct report *report);
int bpfilter_read_swap(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report);
int bpfilter_read_last_fault(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                             struct report *report);

#endif
