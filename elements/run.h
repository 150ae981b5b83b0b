/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Splitting a batch over several outputs in arrival order. Packets that follow one another to the same output travel
 * as one batch; a change of output hands the run over first. So whatever the batch size, paths that meet again
 * downstream see the packets in the order in which Click, one packet at a time, would have sent them.
 */
#ifndef IMAGO_ELEMENTS_RUN_H
#define IMAGO_ELEMENTS_RUN_H

#include "click/element.h"

/* Lives on the stack of a push function: 2 KiB. Invariant: the packets in batch are all for output `port`. */
struct run {
  struct element *element;
  unsigned port;
  struct batch batch;
};

static inline void run_start(struct run *run, struct element *e) {
  run->element = e;
  run->port = 0;
  run->batch.count = 0;
}

static inline void run_flush(struct run *run) {
  element_push(run->element, run->port, &run->batch);
  run->batch.count = 0;
}

/* Takes the packet for output `port`, which must exist. At most BATCH_MAX packets between two flushes. */
static inline void run_add(struct run *run, unsigned port, struct packet *p) {
  if (port != run->port) {
    run_flush(run);
    run->port = port;
  }
  run->batch.packet[run->batch.count++] = p;
}

/* The whole batch goes to one output; output_count + r drops it and counts under class->drops[r]. Takes the packets. */
static inline void run_whole(struct element *e, struct batch *batch, uint32_t output) {
  if (__builtin_expect(output < e->output_count, 1)) {
    element_push(e, output, batch);
  } else {
    element_drop_batch(e, output - e->output_count, batch);
  }
}

/* Splits a whole batch: packet i goes to outputs[i], or, where that is output_count + r, is dropped and counted under class->drops[r].
 * The usual batch, all of it to one output, goes on as it is. Takes the packets. */
void run_split(struct element *e, struct batch *batch, const uint32_t *outputs);
/* The same for what a pull brought, in front of a pull output 0: of the packets from `first` on, those with outputs[i - first] 0 stay in the
 * batch. If none does, the pull was in vain. */
void run_sift(struct element *e, struct batch *batch, uint32_t first, const uint32_t *outputs);

#endif
