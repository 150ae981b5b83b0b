/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What FromDump and FromIPSummaryDump share: packets that are read from a file one by one, as fast as they are wanted or in the time of
 * their capture (TIMING), pushed by a task or pulled; a sample of them (SAMPLE); and what happens at the end.
 */
#ifndef IMAGO_PLATFORM_PROCESS_ELEMENTS_REPLAY_H
#define IMAGO_PLATFORM_PROCESS_ELEMENTS_REPLAY_H

#include <stdio.h>

#include "click/router.h"
#include "elements/parameter.h"

enum replay_outcome {
  REPLAY_PACKET,    /* replay.held is the next one */
  REPLAY_SKIPPED,   /* nothing this time, though there may be more */
  REPLAY_NO_BUFFER, /* packets have to come back first */
  REPLAY_WAITING,   /* for the time of the next packet */
  REPLAY_END,
};

struct replay;
struct replay_source {
  /* Reads the next packet into held, which is NULL: PACKET, SKIPPED, NO_BUFFER or END. */
  enum replay_outcome (*read)(struct replay *replay);
  /* Called once each time the end is met, with the task asleep: whoever goes on from there wakes it (replay_wake). */
  void (*end)(struct replay *replay);
  /* Output for a packet; NULL: 0. One that is for an output which does not exist is dropped for the reason `drop`. */
  unsigned (*output)(struct replay *replay, struct packet *p);
  unsigned drop;
};

/* Invariant: a packet in `held` has been read and sampled, and not yet been sent. */
struct replay {
  struct element element; /* first */
  const struct replay_source *source;
  FILE *const *file; /* where the source keeps its file */
  char *filename;
  bool timing, stop, active;
  uint64_t sample;
  bool timing_known;
  uint64_t timing_offset; /* monotonic time less time of capture */
  struct packet *held;
  uint64_t count;
  struct task task;
  struct timer timer;
  struct notifier ready;       /* of a pull output */
  struct notifier_signal room; /* downstream of a push output */
};

/* For the functions of the same name in struct element_class. */
void replay_defaults(struct replay *replay);
void replay_configure(struct replay *replay, struct report *report);
int replay_initialize(struct replay *replay) MUST_USE; /* with source and file set */
void replay_cleanup(struct replay *replay);
void replay_take_state(struct replay *replay, struct replay *old);
struct notifier *replay_notifier(struct element *e, enum notifier_kind kind, unsigned port);
void replay_pull(struct element *e, unsigned port, struct batch *batch, unsigned max);

/* Goes on reading, when active. */
void replay_wake(struct replay *replay);
/* STOP: no more packets, and the driver is asked to stop. */
void replay_stop(struct replay *replay);
/* Whether SAMPLE takes this packet. */
bool replay_sampled(const struct replay *replay);

/* Logs each line of a report, with the element's name, and frees it. */
void replay_log(const struct replay *replay, struct report *report);

/* Handlers. */
int replay_read_sampling(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report);
int replay_read_filename(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report);
int replay_read_filesize(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report);
int replay_write_active(void *owner, const struct handler *handler, struct slice value, struct report *report);
int replay_write_stop(void *owner, const struct handler *handler, struct slice value, struct report *report);

/* Their rows in a handler table. */
#define REPLAY_HANDLERS                                                                                  \
  {.name = "sampling_prob", .read = replay_read_sampling, .help = "SAMPLE, as it is used"},              \
      {.name = "active",                                                                                 \
       .read = handler_read_bool,                                                                        \
       .write = replay_write_active,                                                                     \
       .offset = offsetof(struct replay, active),                                                        \
       .help = "whether packets come"},                                                                  \
      {.name = "filename", .read = replay_read_filename, .help = "the file"},                            \
      {.name = "filesize", .read = replay_read_filesize, .help = "its length in bytes; - when unknown"}, \
      {.name = "stop", .write = replay_write_stop, .help = "no more packets; stop the driver"},          \
      {.name = "count",                                                                                  \
       .read = handler_read_u64,                                                                         \
       .offset = offsetof(struct replay, count),                                                         \
       .help = "packets that came"},                                                                     \
      TASK_HANDLERS(struct replay, task)

#endif
