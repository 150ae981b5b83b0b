/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Timers in maps (struct bpf_timer): one timer of the element's scheduler stands for all of them. Callbacks run on the element's worker,
 * between batches, in the order of their deadlines.
 */
#include "bpf/timer.h"

#include "click/router.h"
#include "elements/bpf_passage.h"

enum { CALLBACKS_AT_ONCE = 64 }; /* of a map; those behind wait for the next round, so that packets get their turn */

static uint64_t first_deadline(const struct extension *ext) {
  uint64_t first = BPF_TIMERS_IDLE;
  for (uint32_t i = 0; i < ext->map_count; i++) {
    const uint64_t deadline = bpf_timers_deadline(ext->maps[i]);
    if (deadline < first) first = deadline;
  }
  return first;
}

void bpf_element_arm_timers(struct bpf_element *b) {
  const struct extension *ext = __atomic_load_n(&b->running, __ATOMIC_ACQUIRE);
  uint64_t first;
  /* Others may do the same at this moment with what they saw: whoever comes last looks once more. */
  do {
    first = first_deadline(ext);
    if (first == BPF_TIMERS_IDLE) {
      timer_unschedule(&b->timer);
    } else {
      timer_schedule(&b->timer, first);
    }
  } while (first_deadline(ext) < first);
}

static void expire(struct timer *timer) {
  struct bpf_element *b = CONTAINER_OF(timer, struct bpf_element, timer);
  struct passage way;
  passage_begin(&way, b, NULL);
  const uint64_t now = b->element.services->now();
  for (uint32_t i = 0; i < way.extension->map_count; i++) {
    struct bpf_result fault;
    way.counts.callbacks +=
        bpf_timers_run(way.extension->maps[i], &way.environment, now, way.processor, CALLBACKS_AT_ONCE, &fault);
    if (fault.fault == BPF_FAULT_NONE) continue;
    way.counts.faults++;
    passage_note_fault(&way, &fault);
  }
  counter_add(&way.extension->counts.callbacks, way.counts.callbacks);
  counter_add(&way.extension->counts.faults, way.counts.faults);
  bpf_element_arm_timers(b);
}

void bpf_element_init_timers(struct bpf_element *b) {
  timer_init(&b->timer, b->element.router->scheduler, &b->element, expire);
}
