/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Batches through a check. The usual batch is all good and goes on as it is; only one with a bad packet is taken apart.
 */
#include "elements/check.h"

#include "elements/run.h"

/* Click's text of a reason: the counter's name with blanks. */
static void add_reason(struct text *out, const char *name) {
  for (; *name != 0; name++)
    text_add_bytes(out, *name == '_' ? " " : name, 1);
}

static void tell(struct check *c, unsigned reason) {
  if (!c->verbose && __atomic_exchange_n(&c->told, 1, __ATOMIC_RELAXED) != 0) return;
  struct text line = {0};
  text_addf(&line, "%s: %s header check failed: ", c->element.name, c->kind->header);
  add_reason(&line, c->kind->reasons[reason]);
  if (!line.failed) c->element.services->log(LOG_WARNING, line.data, line.length);
  text_free(&line);
}

/* Counts of one batch, so that shared counters are touched once. */
struct tally {
  uint32_t failed[CHECK_REASONS_MAX];
};

static void count(struct check *c, const struct tally *tally) {
  struct element *e = &c->element;
  for (unsigned i = 0; i < CHECK_REASONS_MAX; i++) {
    if (tally->failed[i] == 0) continue;
    counter_add(&c->failed[i], tally->failed[i]);
    if (e->output_count < 2) counter_add(&e->drops[i], tally->failed[i]);
  }
}

/* Notes a bad packet. True if it is for output 1, false if it is gone. */
static bool reject(struct check *c, struct packet *p, unsigned reason, struct tally *tally) {
  tell(c, reason);
  tally->failed[reason]++;
  if (c->element.output_count > 1) return true;
  packet_kill(p);
  return false;
}

static __attribute__((noinline)) void push_apart(struct check *c, struct batch *batch, const uint8_t *verdicts) {
  struct tally tally = {0};
  struct run run;
  run_start(&run, &c->element);
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    if (verdicts[i] == 0) {
      run_add(&run, 0, p);
    } else if (reject(c, p, verdicts[i] - 1u, &tally)) {
      run_add(&run, 1, p);
    }
  }
  count(c, &tally);
  run_flush(&run);
}

void check_push(struct element *e, unsigned port, struct batch *batch) {
  struct check *c = (struct check *)e;
  uint8_t verdicts[BATCH_MAX];
  if (!c->kind->judge(c, batch->packet, batch->count, verdicts)) {
    element_push(e, 0, batch);
  } else {
    push_apart(c, batch, verdicts);
  }
}

/* Leaves in `batch` the good ones of those from `first` on. */
static __attribute__((noinline)) void pull_apart(struct check *c, struct batch *batch, uint32_t first,
                                                 const uint8_t *verdicts) {
  struct tally tally = {0};
  struct batch bad;
  bad.count = 0;
  uint32_t kept = first;
  for (uint32_t i = first; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    if (verdicts[i - first] == 0) {
      batch->packet[kept++] = p;
    } else if (reject(c, p, verdicts[i - first] - 1u, &tally)) {
      bad.packet[bad.count++] = p;
    }
  }
  batch->count = kept;
  count(c, &tally);
  if (bad.count > 0) element_push(&c->element, 1, &bad);
}

void check_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct check *c = (struct check *)e;
  uint8_t verdicts[BATCH_MAX];
  uint32_t first = batch->count;
  element_pull(e, 0, batch, max);
  if (batch->count == first || !c->kind->judge(c, batch->packet + first, batch->count - first, verdicts)) return;
  pull_apart(c, batch, first, verdicts);
  if (batch->count == first) element_pulled_in_vain = true;
}

void check_take_state(struct element *e, struct element *old, struct report *report) {
  struct check *c = (struct check *)e;
  const struct check *from = (const struct check *)old;
  memcpy(c->failed, from->failed, sizeof c->failed);
  c->told = from->told;
}

/* --- handlers --- */

static int read_drops(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  const struct check *c = owner;
  unsigned long long sum = 0;
  for (unsigned i = 0; i < CHECK_REASONS_MAX; i++)
    sum += counter_read(&c->failed[i]);
  text_addf(out, "%llu", sum);
  return 0;
}

static int read_details(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                        struct report *report) {
  const struct check *c = owner;
  for (unsigned i = 0; c->kind->reasons[i] != NULL; i++) {
    text_addf(out, "%llu\t", (unsigned long long)counter_read(&c->failed[i]));
    add_reason(out, c->kind->reasons[i]);
    text_add(out, "\n");
  }
  return 0;
}

const struct handler check_handlers[] = {
    {.name = "drops", .read = read_drops, .help = "bad packets, dropped or sent to output 1"}, {0}};

static const struct handler details = {
    .name = "drop_details", .read = read_details, .help = "bad packets by reason; there with DETAILS true"};

const struct handler *check_handler_find(struct element *e, struct slice name) {
  return ((const struct check *)e)->details && slice_equals(name, details.name) ? &details : NULL;
}

const struct handler *check_handler_at(struct element *e, uint32_t index) {
  return ((const struct check *)e)->details && index == 0 ? &details : NULL;
}
