/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The holder announces itself, then looks at every worker's state; a worker announces its state, then looks for a holder. Both are
 * sequentially consistent, so at least one sees the other.
 */
#include "kernel/pause.h"

#include <stddef.h>

#include "kernel/platform.h"

static uint32_t state_of(const struct pause *pause, unsigned index) {
  return __atomic_load_n(&pause->worker[index].state, __ATOMIC_SEQ_CST);
}

static void set_state(struct pause *pause, unsigned index, enum worker_state state) {
  __atomic_store_n(&pause->worker[index].state, state, __ATOMIC_SEQ_CST);
}

static uint32_t holder_of(const struct pause *pause) { return __atomic_load_n(&pause->holder, __ATOMIC_SEQ_CST); }

static bool try_hold(struct pause *pause, unsigned self) {
  uint32_t none = 0;
  return __atomic_compare_exchange_n(&pause->holder, &none, self + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

void pause_init(struct pause *pause, unsigned workers) { *pause = (struct pause){.workers = workers}; }

/* Until nobody else runs. */
static void wait_for_others(const struct pause *pause, unsigned self) {
  for (unsigned i = 0; i < pause->workers; i++) {
    while (i != self && state_of(pause, i) == WORKER_RUNS)
      platform_relax();
  }
}

void pause_begin(struct pause *pause, unsigned self) {
  if (holder_of(pause) == self + 1) {
    pause->depth++;
    return;
  }
  uint32_t before = state_of(pause, self);
  set_state(pause, self, WORKER_WAITS);
  while (!try_hold(pause, self))
    platform_relax();
  set_state(pause, self, (enum worker_state)before);
  wait_for_others(pause, self);
  pause->depth = 1;
}

void pause_end(struct pause *pause, unsigned self) {
  if (--pause->depth > 0) return;
  __atomic_store_n(&pause->holder, 0, __ATOMIC_SEQ_CST);
}

bool pause_between_rounds(struct pause *pause, unsigned self) {
  if (!try_hold(pause, self)) return false;
  wait_for_others(pause, self);
  pause->depth = 1;
  for (unsigned i = 0; i < pause->workers; i++) {
    if (i == self || state_of(pause, i) == WORKER_STILL) continue;
    pause_end(pause, self);
    return false;
  }
  return true;
}

void pause_leave(struct pause *pause, unsigned self) { set_state(pause, self, WORKER_STILL); }

void pause_enter(struct pause *pause, unsigned self) {
  for (;;) {
    set_state(pause, self, WORKER_RUNS);
    if (holder_of(pause) == 0) return;
    set_state(pause, self, WORKER_STILL);
    while (holder_of(pause) != 0)
      platform_relax();
  }
}

void pause_point(struct pause *pause, unsigned self) {
  if (__atomic_load_n(&pause->holder, __ATOMIC_RELAXED) != 0) pause_enter(pause, self);
}
