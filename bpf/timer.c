/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Timers of a map: the state of each, and a binary heap of those that are armed. Everything under one lock, for a few stores.
 */
#include "bpf/timer.h"

#include "bpf/lock.h"
#include "bpf/machine.h"
#include "lib/memory.h"
#include "lib/string.h"

struct timer {
  uint64_t deadline;
  const struct bpf_program *program; /* NULL: no callback yet */
  uint64_t function;
  uint32_t place; /* 1 + index in the heap, 0: not armed */
  bool initialised;
};

#define NOBODY UINT32_MAX

struct bpf_timers {
  uint32_t lock;
  uint32_t armed;   /* in the heap */
  uint32_t running; /* slot whose callback runs, or NOBODY */
  const struct bpf_program *running_program;
  uint32_t *heap; /* slots, the earliest deadline first */
  struct timer timer[];
};

size_t bpf_timers_memory(uint32_t count) {
  return sizeof(struct bpf_timers) + count * (sizeof(struct timer) + sizeof(uint32_t));
}

struct bpf_timers *bpf_timers_make(struct bpf_map *map, uint32_t count) {
  struct bpf_timers *timers = memory_alloc(bpf_timers_memory(count));
  if (timers == NULL) return NULL;
  timers->heap = (uint32_t *)(void *)&timers->timer[count];
  timers->running = NOBODY;
  return timers;
}

void bpf_timers_destroy(struct bpf_timers *timers) { memory_free(timers); }

/* --- the heap --- */

static struct timer *timer_at(struct bpf_timers *t, uint32_t place) { return &t->timer[t->heap[place]]; }

static void put(struct bpf_timers *t, uint32_t place, uint32_t slot) {
  t->heap[place] = slot;
  t->timer[slot].place = place + 1;
}

static void rise(struct bpf_timers *t, uint32_t place) {
  const uint32_t slot = t->heap[place];
  while (place > 0 && t->timer[slot].deadline < timer_at(t, (place - 1) / 2)->deadline) {
    put(t, place, t->heap[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  put(t, place, slot);
}

static void sink(struct bpf_timers *t, uint32_t place) {
  const uint32_t slot = t->heap[place];
  for (;;) {
    uint32_t child = 2 * place + 1;
    if (child >= t->armed) break;
    if (child + 1 < t->armed && timer_at(t, child + 1)->deadline < timer_at(t, child)->deadline) child++;
    if (timer_at(t, child)->deadline >= t->timer[slot].deadline) break;
    put(t, place, t->heap[child]);
    place = child;
  }
  put(t, place, slot);
}

/* False: it was not armed. */
static bool disarm(struct bpf_timers *t, uint32_t slot) {
  struct timer *timer = &t->timer[slot];
  if (timer->place == 0) return false;
  const uint32_t place = timer->place - 1, last = t->heap[--t->armed];
  timer->place = 0;
  if (last != slot) {
    put(t, place, last);
    rise(t, place);
    sink(t, t->timer[last].place - 1);
  }
  return true;
}

static void arm(struct bpf_timers *t, uint32_t slot, uint64_t deadline) {
  disarm(t, slot);
  t->timer[slot].deadline = deadline;
  t->heap[t->armed] = slot;
  rise(t, t->armed++);
}

/* --- what helpers do --- */

long bpf_timer_init(struct bpf_map *map, uint32_t slot, uint64_t flags) {
  /* CLOCK_REALTIME, CLOCK_MONOTONIC and CLOCK_BOOTTIME: there is one clock here. */
  if (flags != 0 && flags != 1 && flags != 7) return -BPF_EINVAL;
  struct bpf_timers *t = map->timers;
  bpf_lock(&t->lock);
  long result = t->timer[slot].initialised ? -BPF_EBUSY : 0;
  t->timer[slot].initialised = true;
  bpf_unlock(&t->lock);
  return result;
}

long bpf_timer_set_callback(struct bpf_map *map, uint32_t slot, const struct bpf_program *program, uint64_t function) {
  struct bpf_timers *t = map->timers;
  struct timer *timer = &t->timer[slot];
  bpf_lock(&t->lock);
  long result = timer->initialised ? 0 : -BPF_EINVAL;
  if (result == 0) {
    timer->program = program;
    timer->function = function;
  }
  bpf_unlock(&t->lock);
  return result;
}

long bpf_timer_start(struct bpf_map *map, uint32_t slot, uint64_t now, uint64_t nanoseconds, uint64_t flags,
                     uint64_t *deadline) {
  struct bpf_timers *t = map->timers;
  *deadline = BPF_TIMERS_IDLE;
  if (flags & ~(uint64_t)(BPF_F_TIMER_ABS | BPF_F_TIMER_CPU_PIN)) return -BPF_EINVAL;
  bpf_lock(&t->lock);
  long result = t->timer[slot].initialised && t->timer[slot].program != NULL ? 0 : -BPF_EINVAL;
  if (result == 0) {
    uint64_t base = flags & BPF_F_TIMER_ABS ? 0 : now;
    /* One before BPF_TIMERS_IDLE is centuries away. */
    arm(t, slot, nanoseconds < BPF_TIMERS_IDLE - base ? base + nanoseconds : BPF_TIMERS_IDLE - 1);
    if (t->heap[0] == slot) *deadline = t->timer[slot].deadline;
  }
  bpf_unlock(&t->lock);
  return result;
}

long bpf_timer_stop(struct bpf_map *map, uint32_t slot) {
  struct bpf_timers *t = map->timers;
  long result = -BPF_EINVAL;
  bpf_lock(&t->lock);
  if (t->timer[slot].initialised) result = t->running == slot ? -BPF_EDEADLK : disarm(t, slot);
  bpf_unlock(&t->lock);
  return result;
}

void bpf_timers_cancel(struct bpf_map *map, uint32_t slot) {
  struct bpf_timers *t = map->timers;
  if (t == NULL) return;
  bpf_lock(&t->lock);
  disarm(t, slot);
  t->timer[slot].initialised = false;
  t->timer[slot].program = NULL;
  bpf_unlock(&t->lock);
}

bool bpf_timers_use(struct bpf_map *map, const struct bpf_program *program) {
  struct bpf_timers *t = map->timers;
  if (t == NULL) return false;
  bpf_lock(&t->lock);
  bool use = t->running_program == program;
  for (uint32_t slot = 0; slot < map->slot_count && !use; slot++)
    use = t->timer[slot].program == program;
  bpf_unlock(&t->lock);
  return use;
}

void bpf_timers_forget(struct bpf_map *map, const struct bpf_program *program) {
  struct bpf_timers *t = map->timers;
  if (t == NULL) return;
  bpf_lock(&t->lock);
  for (uint32_t slot = 0; slot < map->slot_count; slot++) {
    if (t->timer[slot].program != program) continue;
    disarm(t, slot);
    t->timer[slot].program = NULL;
  }
  bpf_unlock(&t->lock);
}

/* --- what the host does --- */

bool bpf_timers_first(struct bpf_map *map, struct bpf_timer_due *due) {
  struct bpf_timers *t = map->timers;
  if (t == NULL) return false;
  bpf_lock(&t->lock);
  const bool armed = t->armed != 0;
  if (armed) {
    const struct timer *timer = timer_at(t, 0);
    *due = (struct bpf_timer_due){timer->deadline, timer->function, timer->program, t->heap[0]};
  }
  bpf_unlock(&t->lock);
  return armed;
}

uint64_t bpf_timers_deadline(struct bpf_map *map) {
  struct bpf_timer_due due;
  return bpf_timers_first(map, &due) ? due.deadline : BPF_TIMERS_IDLE;
}

/* Takes the first timer if it expired by `now`, and marks it as running. */
static bool take_expired(struct bpf_timers *t, uint64_t now, uint32_t *slot, struct timer *expired) {
  bpf_lock(&t->lock);
  bool due = t->armed != 0 && timer_at(t, 0)->deadline <= now;
  if (due) {
    *slot = t->heap[0];
    *expired = t->timer[*slot];
    disarm(t, *slot);
    t->running = *slot;
    t->running_program = expired->program;
  }
  bpf_unlock(&t->lock);
  return due;
}

unsigned bpf_timers_run(struct bpf_map *map, const struct bpf_environment *environment, uint64_t now,
                        uint32_t processor, unsigned limit, struct bpf_result *fault) {
  struct bpf_timers *t = map->timers;
  *fault = (struct bpf_result){0};
  if (t == NULL) return 0;
  unsigned count = 0;
  uint32_t slot;
  struct timer expired;
  while (count < limit && take_expired(t, now, &slot, &expired)) {
    uint8_t key[BPF_MAP_MAX_KEY];
    /* An entry that has just gone took its timer along. */
    if (map->ops->key_at(map, slot, key)) {
      struct bpf_result result;
      bpf_run_callback(expired.program, environment, processor, expired.function, map, slot, key, &result);
      if (result.fault != BPF_FAULT_NONE) *fault = result;
    }
    bpf_lock(&t->lock);
    t->running = NOBODY;
    t->running_program = NULL;
    bpf_unlock(&t->lock);
    count++;
  }
  return count;
}
