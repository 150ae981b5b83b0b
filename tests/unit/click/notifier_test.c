/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of notifiers: what is heard through a graph, and that no wake-up is lost between threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "click/element.h"
#include "click/router.h"

/* --- lost wake-ups --- */

enum { THINGS = 200000, PRODUCERS = 2 };

/* Producers count things up and wake; the consumer counts them down in its task, and sleeps when there are none. */
static struct {
  struct scheduler scheduler;
  struct task task;
  struct notifier notifier;
  struct notifier_signal signal;
  uint64_t made, taken;
  uint64_t unscheduled;
  pthread_mutex_t lock;
  pthread_cond_t woken;
  bool wake;
} stress;

static void wake_consumer(unsigned worker) {
  pthread_mutex_lock(&stress.lock);
  stress.wake = true;
  pthread_cond_signal(&stress.woken);
  pthread_mutex_unlock(&stress.lock);
}

static bool take(struct task *task) {
  uint64_t made = __atomic_load_n(&stress.made, __ATOMIC_ACQUIRE);
  if (made > stress.taken) {
    stress.taken = made;
    return true;
  }
  notifier_sleep(&stress.notifier);
  if (__atomic_load_n(&stress.made, __ATOMIC_ACQUIRE) > stress.taken) notifier_wake(&stress.notifier);
  if (notifier_signal_wait(&stress.signal, task)) stress.unscheduled++;
  return false;
}

static void *produce(void *argument) {
  for (unsigned i = 0; i < THINGS; i++) {
    __atomic_fetch_add(&stress.made, 1, __ATOMIC_RELEASE);
    notifier_wake(&stress.notifier);
    if (i % 64 == 0) sched_yield();
  }
  return NULL;
}

/* A consumer that sleeps whenever its task is unscheduled gets everything that several producers bring: had one wake-up been
 * lost it would sleep for ever, and the test would end by its timeout. */
static void no_wake_up_is_lost(void **state) {
  pthread_t producer[PRODUCERS];
  struct task *listeners[] = {&stress.task};
  struct notifier *heard[] = {&stress.notifier};
  scheduler_init(&stress.scheduler, 0);
  stress.scheduler.wake = wake_consumer;
  pthread_mutex_init(&stress.lock, NULL);
  pthread_cond_init(&stress.woken, NULL);
  task_init(&stress.task, &stress.scheduler, NULL, take);
  stress.notifier.listeners = listeners;
  stress.notifier.listener_count = 1;
  stress.signal = (struct notifier_signal){.notifiers = heard, .count = 1};
  task_schedule(&stress.task);
  for (int i = 0; i < PRODUCERS; i++)
    assert_int_equal(pthread_create(&producer[i], NULL, produce, NULL), 0);
  while (stress.taken < (uint64_t)PRODUCERS * THINGS) {
    scheduler_run(&stress.scheduler, 0);
    if (scheduler_has_tasks(&stress.scheduler) || !scheduler_sleep(&stress.scheduler)) continue;
    pthread_mutex_lock(&stress.lock);
    while (!stress.wake)
      pthread_cond_wait(&stress.woken, &stress.lock);
    stress.wake = false;
    pthread_mutex_unlock(&stress.lock);
    scheduler_awake(&stress.scheduler);
  }
  for (int i = 0; i < PRODUCERS; i++)
    pthread_join(producer[i], NULL);
  assert_int_equal(stress.taken, (uint64_t)PRODUCERS * THINGS);
  assert_true(stress.unscheduled > 0);
}

/* --- the walk --- */

/* A source of packets with a notifier, and one without. */
struct store {
  struct element element;
  struct notifier notifier;
};

static struct notifier *store_notifier(struct element *e, enum notifier_kind kind, unsigned port) {
  return &((struct store *)e)->notifier;
}
static void store_cleanup(struct element *e) { notifier_destroy(&((struct store *)e)->notifier); }
static void store_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {}
static void store_push(struct element *e, unsigned port, struct batch *batch) { batch_kill(batch); }

static const struct element_class store_class = {.name = "NotifierStore",
                                                 .ports = "-/-",
                                                 .processing = "h/l",
                                                 .size = sizeof(struct store),
                                                 .notifier = store_notifier,
                                                 .cleanup = store_cleanup,
                                                 .push = store_push,
                                                 .pull = store_pull};
ELEMENT(NotifierStore, store_class);

static const struct element_class mute_class = {.name = "MuteStore",
                                                .ports = "-/-",
                                                .processing = "h/l",
                                                .size = sizeof(struct element),
                                                .push = store_push,
                                                .pull = store_pull};
ELEMENT(MuteStore, mute_class);

static const struct element_class merge_class = {
    .name = "PullMerge", .ports = "-/1", .processing = "l/l", .size = sizeof(struct element), .pull = store_pull};
ELEMENT(PullMerge, merge_class);

static const struct element_class split_class = {
    .name = "PushSplit", .ports = "1/-", .processing = "h/h", .size = sizeof(struct element), .push = store_push};
ELEMENT(PushSplit, split_class);

struct listener {
  struct element element;
  struct task task;
  struct notifier_signal signal;
};

static bool listener_run(struct task *task) { return false; }

static int listener_initialize(struct element *e, struct report *report) {
  struct listener *l = (struct listener *)e;
  task_init(&l->task, e->router->scheduler, e, listener_run);
  if (e->input_count > 0) return notifier_listen_upstream(e, 0, &l->task, &l->signal);
  return notifier_listen_downstream(e, 0, &l->task, &l->signal);
}

static void listener_cleanup(struct element *e) {
  struct listener *l = (struct listener *)e;
  notifier_signal_destroy(&l->signal, &l->task);
}

static const struct element_class listener_class = {.name = "Listener",
                                                    .ports = "0-1/0-1",
                                                    .processing = "l/h",
                                                    .size = sizeof(struct listener),
                                                    .initialize = listener_initialize,
                                                    .cleanup = listener_cleanup};
ELEMENT(Listener, listener_class);

static uint64_t standing_still(void) { return 0; }

/* A listener hears every notifier that its packets can come from, or go to, each once, and knows when some path has none. */
static void listens_through_the_graph(void **state) {
  static const struct {
    const char *graph;
    unsigned heard;
    bool always;
  } cases[] = {
      {"NotifierStore -> l :: Listener", 1, false},
      {"MuteStore -> l :: Listener", 0, true},
      {"NotifierStore -> Null -> Counter -> l :: Listener", 1, false},
      {"m :: PullMerge -> l :: Listener; NotifierStore -> m; NotifierStore -> Null -> [1] m", 2, false},
      {"m :: PullMerge -> l :: Listener; NotifierStore -> m; MuteStore -> [1] m", 1, true},
      {"m :: PullMerge -> l :: Listener; s :: NotifierStore -> m; s [1] -> [1] m", 1, false},
      {"Idle -> l :: Listener", 1, false},
      {"l :: Listener -> NotifierStore", 1, false},
      {"l :: Listener -> Null -> s :: PushSplit; s -> NotifierStore; s [1] -> Discard", 1, true},
      {"l :: Listener -> s :: PushSplit; s -> NotifierStore; s [1] -> t :: NotifierStore", 2, false},
  };
  static const struct services services = {.now = standing_still};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct scheduler scheduler;
    struct router *router;
    struct report report = {0};
    scheduler_init(&scheduler, 0);
    if (router_create("t", slice_of(cases[i].graph), &services, &scheduler, &router, &report) != 0)
      fail_msg("%s: %s", cases[i].graph, text_string(&report.text));
    struct listener *l = (struct listener *)router_find(router, "l");
    assert_int_equal(l->signal.count, cases[i].heard);
    assert_int_equal(l->signal.always, cases[i].always);
    assert_int_equal(notifier_signal_active(&l->signal), cases[i].always);
    for (uint32_t n = 0; n < l->signal.count; n++) {
      assert_int_equal(l->signal.notifiers[n]->listener_count, 1);
      /* Each of them schedules the task; what does so again while active costs nothing. */
      assert_false(task_scheduled(&l->task));
      notifier_wake(l->signal.notifiers[n]);
      assert_true(task_scheduled(&l->task));
      assert_true(notifier_signal_active(&l->signal));
      assert_false(notifier_signal_wait(&l->signal, &l->task));
      notifier_sleep(l->signal.notifiers[n]);
      assert_int_equal(notifier_signal_wait(&l->signal, &l->task), !cases[i].always);
      task_unschedule(&l->task);
    }
    router_destroy(router);
    report_free(&report);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(listens_through_the_graph),
      cmocka_unit_test(no_wake_up_is_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
