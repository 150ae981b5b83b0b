/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Counter: counts what passes.
 */
#include "click/element.h"

struct counter {
  struct element element;
  uint64_t count, byte_count;
};

static void counter_simple(struct element *e, struct batch *batch) {
  struct counter *c = (struct counter *)e;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < batch->count; i++)
    bytes += batch->packet[i]->length;
  counter_add(&c->count, batch->count);
  counter_add(&c->byte_count, bytes);
}

static void counter_take_state(struct element *e, struct element *old, struct report *report) {
  struct counter *c = (struct counter *)e, *from = (struct counter *)old;
  c->count = from->count;
  c->byte_count = from->byte_count;
}

static int counter_write_reset(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct counter *c = owner;
  counter_reset(&c->count);
  counter_reset(&c->byte_count);
  return 0;
}

static const struct handler counter_handlers[] = {
    {.name = "count",
     .read = handler_read_u64,
     .offset = offsetof(struct counter, count),
     .help = "packets that have passed"},
    {.name = "byte_count",
     .read = handler_read_u64,
     .offset = offsetof(struct counter, byte_count),
     .help = "bytes that have passed"},
    {.name = "reset", .write = counter_write_reset, .help = "set both counts to 0"},
    {.name = "reset_counts", .write = counter_write_reset, .help = "as reset"},
    {0}};

static const struct element_class counter_class = {
    .name = "Counter",
    .purpose = "counts packets and bytes",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct counter),
    .handlers = counter_handlers,
    .example = "FromDevice(eth0) -> in :: Counter -> Queue -> ToDevice(eth1);",
    .manual = "Passes every packet on unchanged. Counts once a batch, so counting costs next to nothing a packet.",
    .take_state = counter_take_state,
    .simple = counter_simple,
};
ELEMENT(Counter, counter_class);
