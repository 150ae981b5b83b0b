/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A batch on its way through a program, and what the program sees of the system meanwhile. Private to the elements that run programs:
 * bpf_path.c takes packets, bpf_timers.c runs callbacks without one.
 */
#ifndef IMAGO_ELEMENTS_BPF_PASSAGE_H
#define IMAGO_ELEMENTS_BPF_PASSAGE_H

#include "elements/bpf_element.h"
#include "elements/run.h"

struct passage {
  struct bpf_element *owner;
  struct extension *extension;
  const struct bpf_program *program;
  struct bpf_environment environment; /* its context is this passage */
  struct packet *packet;              /* in front of the program now; NULL: a timer's callback runs */
  uint32_t processor;
  bool measured;              /* each run is timed */
  struct run *run;            /* takes packets in between; NULL in a pull, and without a packet */
  struct bpf_redirect target; /* of the packet whose fate is a broadcast */
  struct extension_counts counts;
  uint64_t killed[BPF_DROP_COUNT];
};

/* Takes the program that runs now: every packet until the end meets the same one. */
void passage_begin(struct passage *way, struct bpf_element *b, struct run *run);
/* --- tc programs (bpf_skb.c) --- */

/* The packet as they see it, without its outermost VLAN tag, which is in *skb. */
void passage_describe(const struct bpf_element *b, struct packet *p, struct bpf_skb *skb);
/* Whether the tag of *skb finds room in front of a frame of `length` bytes at `data` in p's buffer. */
bool passage_tag_fits(const struct packet *p, const struct bpf_skb *skb, uint64_t data, uint64_t length);
/* Puts it there, where it fits, or where it came from. */
void passage_put_tag(struct packet *p, const struct bpf_skb *skb);
/* The same, and what else the program has written. */
void passage_write_back(const struct bpf_element *b, struct packet *p, const struct bpf_skb *skb);

/* --- (bpf_environment.c) --- */

/* Remembers the fault of a run, and logs it unless one was just logged. */
void passage_note_fault(struct passage *way, const struct bpf_result *result);

static inline uint32_t passage_outputs(const struct passage *way) { return way->owner->element.output_count; }

/* Copies made on the way add to the batch. */
static inline void passage_send(struct passage *way, uint32_t output, struct packet *p) {
  if (way->run->batch.count == BATCH_MAX) run_flush(way->run);
  run_add(way->run, output, p);
}

#endif
