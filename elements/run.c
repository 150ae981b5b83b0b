/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Splitting of batches for which all outputs have been found beforehand.
 */
#include "elements/run.h"

void run_split(struct element *e, struct batch *batch, const uint32_t *outputs) {
  uint32_t different = 0;
  for (uint32_t i = 0; i < batch->count; i++)
    different |= outputs[i] ^ outputs[0];
  if (different == 0) {
    if (batch->count > 0) run_whole(e, batch, outputs[0]);
    return;
  }
  struct batch part;
  for (uint32_t first = 0, end; first < batch->count; first = end) {
    uint32_t output = outputs[first];
    /* The first packet by itself: where outputs change with each packet, a loop's set-up costs more than what it copies. */
    part.packet[0] = batch->packet[first];
    for (end = first + 1; end < batch->count && outputs[end] == output; end++)
      part.packet[end - first] = batch->packet[end];
    part.count = end - first;
    run_whole(e, &part, output);
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
