/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Splitting of batches for which all outputs have been found beforehand.
 */
#include "elements/run.h"

/* Packets first to end - 1 of the batch, all with this output. */
static void hand_over(struct element *e, const struct batch *batch, uint32_t first, uint32_t end, uint32_t output) {
  struct batch part;
  part.count = end - first;
  for (uint32_t i = first; i < end; i++)
    part.packet[i - first] = batch->packet[i];
  if (output < e->output_count) {
    element_push(e, output, &part);
  } else {
    element_drop_batch(e, output - e->output_count, &part);
  }
}

void run_split(struct element *e, struct batch *batch, const uint32_t *outputs) {
  uint32_t different = 0;
  for (uint32_t i = 1; i < batch->count; i++)
    different |= outputs[i] ^ outputs[0];
  if (different == 0 && batch->count > 0 && outputs[0] < e->output_count) {
    element_push(e, outputs[0], batch);
    return;
  }
  for (uint32_t first = 0, end; first < batch->count; first = end) {
    end = first + 1;
    while (end < batch->count && outputs[end] == outputs[first])
      end++;
    hand_over(e, batch, first, end, outputs[first]);
  }
}

void run_sift(struct element *e, struct batch *batch, uint32_t first, const uint32_t *outputs) {
  struct batch others;
  uint32_t other_outputs[BATCH_MAX], count = batch->count;
  others.count = 0;
  batch->count = first;
  for (uint32_t i = first; i < count; i++) {
    if (outputs[i - first] == 0) {
      batch->packet[batch->count++] = batch->packet[i];
    } else {
      other_outputs[others.count] = outputs[i - first];
      others.packet[others.count++] = batch->packet[i];
    }
  }
  if (others.count == 0) return;
  if (batch->count == first) element_pulled_in_vain = true;
  run_split(e, &others, other_outputs);
}
