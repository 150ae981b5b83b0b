/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Threads against threads: pausing all workers but one, quiescence, and packets that go home from another worker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "kernel/pause.h"
#include "kernel/quiesce.h"
#include "packet/packet.h"

enum { WORKERS = 4, PAUSES = 2000, OBJECTS = 5000, PACKETS = 256, ROUNDS = 20000 };

static struct {
  struct pause pause;
  struct quiesce quiesce;
  bool stop;
  uint64_t plain;  /* without atomics: only who runs alone may touch it */
  uint64_t paused; /* times worker 1 ran alone: atomic, and only ever counted by it */
  uint64_t rounds[WORKERS];
  struct object *published;
} world;

static bool stopped(void) { return __atomic_load_n(&world.stop, __ATOMIC_RELAXED); }

/* --- pause --- */

/* Worker 1 pauses the others from the middle of its rounds, as a handler called by an element does; the others only run and sleep. */
static void *work(void *argument) {
  unsigned self = (unsigned)(uintptr_t)argument;
  pause_enter(&world.pause, self);
  for (uint64_t round = 0; !stopped(); round++) {
    pause_point(&world.pause, self);
    __atomic_fetch_add(&world.rounds[self], 1, __ATOMIC_RELAXED);
    if (self == 1 && round % 16 == 0) {
      pause_begin(&world.pause, self);
      world.plain++;
      pause_end(&world.pause, self);
      __atomic_fetch_add(&world.paused, 1, __ATOMIC_RELAXED);
    }
    if (round % 32 != 0) continue;
    pause_leave(&world.pause, self); /* asleep */
    sched_yield();
    pause_enter(&world.pause, self);
  }
  pause_leave(&world.pause, self);
  return NULL;
}

/* While one worker holds the others paused none of them moves; pauses nest; between rounds nobody is in the middle of one; and of what
 * two workers did alone nothing is lost. It goes on until both have paused the others often, however late their threads started. */
static void nobody_moves_while_paused(void **state) {
  pthread_t thread[WORKERS];
  uint64_t before[WORKERS], between = 0, pauses = 0;
  pause_init(&world.pause, WORKERS);
  world.stop = false;
  for (uintptr_t i = 1; i < WORKERS; i++)
    assert_int_equal(pthread_create(&thread[i], NULL, work, (void *)i), 0);
  pause_enter(&world.pause, 0);
  for (; pauses < PAUSES || between == 0 || __atomic_load_n(&world.paused, __ATOMIC_RELAXED) < PAUSES / 16; pauses++) {
    bool strict = pauses % 2 == 0 && pause_between_rounds(&world.pause, 0);
    if (!strict) pause_begin(&world.pause, 0);
    between += strict;
    pause_begin(&world.pause, 0);
    world.plain++;
    for (unsigned w = 1; w < WORKERS; w++)
      before[w] = __atomic_load_n(&world.rounds[w], __ATOMIC_RELAXED);
    pause_end(&world.pause, 0);
    sched_yield();
    for (unsigned w = 1; w < WORKERS; w++)
      assert_int_equal(__atomic_load_n(&world.rounds[w], __ATOMIC_RELAXED), before[w]);
    pause_end(&world.pause, 0);
    pause_point(&world.pause, 0);
  }
  pause_leave(&world.pause, 0);
  __atomic_store_n(&world.stop, true, __ATOMIC_RELAXED);
  for (unsigned i = 1; i < WORKERS; i++)
    pthread_join(thread[i], NULL);
  assert_int_equal(world.plain, pauses + world.paused);
}

/* --- quiescence --- */

struct object {
  struct deferred deferred;
  uint64_t value; /* freed memory doesn't hold it */
};

enum { ALIVE = 0x600d };

static void bury(struct deferred *node) {
  struct object *object = (struct object *)node;
  object->value = 0;
  free(object);
}

static void *look(void *argument) {
  unsigned self = (unsigned)(uintptr_t)argument;
  quiesce_pass(&world.quiesce, self);
  for (unsigned round = 0; !stopped(); round++) {
    for (unsigned i = 0; i < 8; i++) {
      const struct object *object = __atomic_load_n(&world.published, __ATOMIC_SEQ_CST);
      if (object->value != ALIVE) abort();
    }
    quiesce_pass(&world.quiesce, self);
    if (round % 64 != 0) continue;
    quiesce_sleep(&world.quiesce, self);
    sched_yield();
    quiesce_pass(&world.quiesce, self);
  }
  quiesce_sleep(&world.quiesce, self);
  return NULL;
}

static struct object *new_object(void) {
  struct object *object = calloc(1, sizeof *object);
  object->value = ALIVE;
  return object;
}

/* An object that was replaced is freed only when no worker can see it any more: a worker that did would abort. */
static void objects_outlive_their_readers(void **state) {
  pthread_t thread[WORKERS];
  quiesce_init(&world.quiesce, WORKERS);
  world.stop = false;
  world.published = new_object();
  for (uintptr_t i = 1; i < WORKERS; i++)
    assert_int_equal(pthread_create(&thread[i], NULL, look, (void *)i), 0);
  for (unsigned i = 0; i < OBJECTS; i++) {
    struct object *old = __atomic_exchange_n(&world.published, new_object(), __ATOMIC_SEQ_CST);
    quiesce_defer(&world.quiesce, &old->deferred, bury);
    quiesce_pass(&world.quiesce, 0);
    (void)quiesce_reclaim(&world.quiesce);
  }
  __atomic_store_n(&world.stop, true, __ATOMIC_RELAXED);
  for (unsigned i = 1; i < WORKERS; i++)
    pthread_join(thread[i], NULL);
  quiesce_sleep(&world.quiesce, 0);
  while (quiesce_reclaim(&world.quiesce)) {
  }
  free(world.published);
}

/* --- pools --- */

/* A slot that hands batches from one thread to the other. */
static struct {
  struct packet_pool pool, other;
  struct batch *full;
} ferry;

static void *consume(void *argument) {
  packet_pool_own = &ferry.other;
  for (unsigned i = 0; i < ROUNDS; i++) {
    struct batch *batch;
    while ((batch = __atomic_load_n(&ferry.full, __ATOMIC_ACQUIRE)) == NULL)
      sched_yield();
    /* What this thread makes comes from its own pool, whichever is named. */
    struct packet *copy = packet_clone(batch->packet[0]);
    if (copy == NULL || copy->pool != &ferry.other) abort();
    if (i % 2 == 0) {
      packet_kill(batch->packet[--batch->count]);
      packet_kill(copy);
    } else {
      batch->packet[batch->count++] = copy; /* from two pools */
    }
    batch_kill(batch);
    __atomic_store_n(&ferry.full, NULL, __ATOMIC_RELEASE);
  }
  packet_pool_own = NULL;
  return NULL;
}

/* Packets that another worker kills come home, each once, while the owner goes on making packets. */
static void packets_come_home(void **state) {
  pthread_t thread;
  struct batch batch;
  assert_int_equal(packet_pool_init(&ferry.pool, PACKETS), 0);
  assert_int_equal(packet_pool_init(&ferry.other, PACKETS), 0);
  packet_pool_own = &ferry.pool;
  assert_int_equal(pthread_create(&thread, NULL, consume, NULL), 0);
  for (unsigned i = 0; i < ROUNDS; i++) {
    batch.count = 0;
    packet_pool_collect(&ferry.pool);
    for (unsigned k = 0; k < 1 + i % 64; k++) {
      batch.packet[batch.count++] = packet_new(&ferry.other); /* comes from ferry.pool, this thread's */
      assert_non_null(batch.packet[k]);
      assert_ptr_equal(batch.packet[k]->pool, &ferry.pool);
    }
    __atomic_store_n(&ferry.full, &batch, __ATOMIC_RELEASE);
    while (__atomic_load_n(&ferry.full, __ATOMIC_ACQUIRE) != NULL)
      sched_yield();
  }
  pthread_join(thread, NULL);
  packet_pool_collect(&ferry.pool);
  assert_int_equal(ferry.pool.free_count, PACKETS);
  assert_int_equal(ferry.other.free_count, PACKETS);
  packet_pool_own = NULL;
  packet_pool_destroy(&ferry.pool);
  packet_pool_destroy(&ferry.other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nobody_moves_while_paused),
      cmocka_unit_test(objects_outlive_their_readers),
      cmocka_unit_test(packets_come_home),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
