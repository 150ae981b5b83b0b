/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of tasks and timers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "click/scheduler.h"

enum { COUNT = 3 };

/* Tasks and timers that note their letters and then do to others what a test asks. */
static struct {
  struct scheduler scheduler;
  struct task tasks[COUNT];
  struct timer timers[COUNT];
  char trace[64];
  unsigned length;
  int unschedule, schedule; /* index of the task or timer, -1: none */
  uint64_t again;           /* deadline of the timer that is scheduled */
} world;

static void note(char c) {
  assert_true(world.length + 1 < sizeof world.trace);
  world.trace[world.length++] = c;
  world.trace[world.length] = '\0';
}

static bool run(struct task *task) {
  note((char)('a' + (task - world.tasks)));
  if (world.unschedule >= 0) task_unschedule(&world.tasks[world.unschedule]);
  if (world.schedule >= 0) task_schedule(&world.tasks[world.schedule]);
  return task == &world.tasks[0];
}

static void expire(struct timer *timer) {
  note((char)('A' + (timer - world.timers)));
  if (world.unschedule >= 0) timer_unschedule(&world.timers[world.unschedule]);
  if (world.schedule >= 0) timer_schedule(&world.timers[world.schedule], world.again);
}

static void reset(void) {
  scheduler_init(&world.scheduler, 0);
  world.length = 0;
  world.trace[0] = '\0';
  world.unschedule = world.schedule = -1;
  for (int i = 0; i < COUNT; i++) {
    task_init(&world.tasks[i], &world.scheduler, NULL, run);
    timer_init(&world.timers[i], &world.scheduler, NULL, expire);
  }
}

/* A task that is running may unschedule or schedule any task, itself included; each still runs at most once a round. */
static void tasks_may_change_the_list(void **state) {
  static const struct {
    int unschedule, schedule;
    const char *trace; /* of two rounds */
  } cases[] = {
      {-1, -1, "abcabc"}, {0, -1, "abcbc"}, {1, -1, "acac"}, {2, -1, "abab"},
      {-1, 1, "abcabc"},  {0, 0, "abcabc"}, {1, 0, "acac"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    reset();
    for (int j = 0; j < COUNT; j++)
      task_schedule(&world.tasks[j]);
    task_schedule(&world.tasks[0]); /* no effect */
    world.unschedule = cases[i].unschedule;
    world.schedule = cases[i].schedule;
    scheduler_run(&world.scheduler, 0);
    scheduler_run(&world.scheduler, 0);
    assert_string_equal(world.trace, cases[i].trace);
  }
}

/* A round says whether any task did work, and counts runs and work. */
static void work_is_reported(void **state) {
  reset();
  assert_false(scheduler_run(&world.scheduler, 0));
  task_schedule(&world.tasks[1]);
  assert_false(scheduler_run(&world.scheduler, 0));
  task_schedule(&world.tasks[0]);
  assert_true(scheduler_run(&world.scheduler, 0));
  assert_int_equal(world.tasks[1].runs, 2);
  assert_int_equal(world.tasks[1].work, 0);
  assert_int_equal(world.tasks[0].work, 1);
}

/* Tasks and timers that were never initialised or are not scheduled may be unscheduled. */
static void unscheduling_is_harmless(void **state) {
  struct task task = {0};
  struct timer timer = {0};
  task_unschedule(&task);
  timer_unschedule(&timer);
  reset();
  task_unschedule(&world.tasks[0]);
  timer_unschedule(&world.timers[0]);
  timer_schedule(&world.timers[0], 1);
  timer_unschedule(&world.timers[0]);
  timer_unschedule(&world.timers[0]);
  assert_true(scheduler_next_deadline(&world.scheduler) == UINT64_MAX);
}

/* Timers run in order of their deadlines, equal ones in order of scheduling, none early; a deadline of UINT64_MAX is never. */
static void timers_run_in_order(void **state) {
  reset();
  timer_schedule(&world.timers[0], 30);
  timer_schedule(&world.timers[1], 10);
  timer_schedule(&world.timers[2], 30);
  assert_true(scheduler_next_deadline(&world.scheduler) == 10);
  assert_false(scheduler_run(&world.scheduler, 9));
  assert_true(scheduler_run(&world.scheduler, 10));
  assert_string_equal(world.trace, "B");
  assert_true(scheduler_run(&world.scheduler, 99));
  assert_string_equal(world.trace, "BAC");
  timer_schedule(&world.timers[1], 40);
  timer_schedule(&world.timers[1], 20);
  assert_true(scheduler_next_deadline(&world.scheduler) == 20);
}

/* A timer that schedules itself for a time that has passed runs once a round, not for ever; others may be moved or stopped. */
static void timers_may_change_the_list(void **state) {
  static const struct {
    int unschedule, schedule;
    uint64_t again;
    const char *trace; /* of two rounds at 5 */
  } cases[] = {
      {-1, 0, 0, "ABCA"}, {1, -1, 0, "AC"}, {-1, 2, 50, "AB"}, {0, 0, 5, "ABCA"}, {2, 0, 9, "AB"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    reset();
    for (int j = 0; j < COUNT; j++)
      timer_schedule(&world.timers[j], (uint64_t)j);
    world.unschedule = cases[i].unschedule;
    world.schedule = cases[i].schedule;
    world.again = cases[i].again;
    scheduler_run(&world.scheduler, 5);
    scheduler_run(&world.scheduler, 5);
    assert_string_equal(world.trace, cases[i].trace);
  }
}

/* --- properties --- */

static uint64_t seed = 88172645463325252u;

/* xorshift64 (Marsaglia 2003): the same numbers in every run. */
static uint64_t any_number(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  return seed ^= seed << 17;
}

enum { SHARES = 20, SHARE_TASKS = 6, TIMERS = 200, OPERATIONS = 20000 };

static bool count_only(struct task *task) { return true; }

/* Tasks run in proportion to their tickets, each within as many runs of its exact share as there are tasks, whatever the tickets are. */
static void shares_follow_tickets(void **state) {
  for (unsigned share = 0; share < SHARES; share++) {
    struct scheduler scheduler;
    struct task tasks[SHARE_TASKS];
    uint64_t sum = 0, runs = 0;
    scheduler_init(&scheduler, 0);
    for (unsigned i = 0; i < SHARE_TASKS; i++) {
      task_init(&tasks[i], &scheduler, NULL, count_only);
      /* Powers of two: their strides are exact. */
      task_set_tickets(&tasks[i], 1u << any_number() % 16);
      sum += tasks[i].tickets;
      task_schedule(&tasks[i]);
    }
    while (runs < 200000) {
      scheduler_run(&scheduler, 0);
      runs = 0;
      for (unsigned i = 0; i < SHARE_TASKS; i++)
        runs += tasks[i].runs;
    }
    for (unsigned i = 0; i < SHARE_TASKS; i++) {
      double exact = (double)runs * tasks[i].tickets / (double)sum, off = (double)tasks[i].runs - exact;
      if (off > SHARE_TASKS || off < -SHARE_TASKS)
        fail_msg("%u of %llu: %f, not %f", tasks[i].tickets, (unsigned long long)sum, off, exact);
    }
  }
}

/* Whoever pauses gets no credit for it: when it comes back, it gets its share, and does not hold the others up. */
static void pausing_earns_nothing(void **state) {
  struct scheduler scheduler;
  struct task tasks[2];
  scheduler_init(&scheduler, 0);
  for (unsigned i = 0; i < 2; i++) {
    task_init(&tasks[i], &scheduler, NULL, count_only);
    task_schedule(&tasks[i]);
  }
  for (unsigned i = 0; i < 10; i++)
    scheduler_run(&scheduler, 0);
  task_unschedule(&tasks[1]);
  for (unsigned i = 0; i < 1000; i++)
    scheduler_run(&scheduler, 0);
  task_schedule(&tasks[1]);
  for (unsigned i = 0; i < 10; i++)
    scheduler_run(&scheduler, 0);
  assert_int_equal(tasks[0].runs, 1020);
  assert_int_equal(tasks[1].runs, 20);
}

/* Tickets outside 1 to 32,768 are brought inside. */
static void tickets_have_limits(void **state) {
  static const struct {
    uint32_t wanted, got;
  } cases[] = {{0, 1}, {1, 1}, {32768, 32768}, {32769, 32768}, {UINT32_MAX, 32768}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct task task;
    struct scheduler scheduler;
    scheduler_init(&scheduler, 0);
    task_init(&task, &scheduler, NULL, count_only);
    task_set_tickets(&task, cases[i].wanted);
    assert_int_equal(task.tickets, cases[i].got);
    assert_true(task.stride > 0);
  }
}

/* Against a list that is searched for the earliest: deadlines in `model`, 0 for those that are not scheduled. */
static struct {
  struct scheduler scheduler;
  struct timer timers[TIMERS];
  uint64_t model[TIMERS], last;
  unsigned expired;
} timing;

static void note_expiry(struct timer *timer) {
  size_t i = (size_t)(timer - timing.timers);
  assert_true(timing.model[i] != 0 && timing.model[i] == timer->deadline);
  assert_true(timer->deadline >= timing.last);
  timing.last = timer->deadline;
  timing.model[i] = 0;
  timing.expired++;
}

static uint64_t earliest(void) {
  uint64_t first = UINT64_MAX;
  for (unsigned i = 0; i < TIMERS; i++) {
    if (timing.model[i] != 0 && timing.model[i] < first) first = timing.model[i];
  }
  return first;
}

/* However timers are scheduled, moved and taken out, the earliest is known, and they expire in order, all that are due and no others. */
static void timers_expire_in_order(void **state) {
  uint64_t now = 1;
  scheduler_init(&timing.scheduler, 0);
  for (unsigned i = 0; i < TIMERS; i++)
    timer_init(&timing.timers[i], &timing.scheduler, NULL, note_expiry);
  for (unsigned n = 0; n < OPERATIONS; n++) {
    unsigned i = (unsigned)(any_number() % TIMERS);
    switch (any_number() % 4) {
      case 0:
      case 1:
        timing.model[i] = now + 1 + any_number() % 1000;
        timer_schedule(&timing.timers[i], timing.model[i]);
        break;
      case 2:
        timing.model[i] = 0;
        timer_unschedule(&timing.timers[i]);
        break;
      default:
        now += any_number() % 50;
        timing.last = 0;
        scheduler_run(&timing.scheduler, now);
        assert_true(earliest() > now);
        break;
    }
    assert_true(scheduler_next_deadline(&timing.scheduler) == earliest());
    assert_int_equal(timer_scheduled(&timing.timers[i]), timing.model[i] != 0);
  }
  assert_true(timing.expired > OPERATIONS / 20);
}

static unsigned wakes;
static void count_wake(unsigned worker) { wakes++; }

/* Whatever is scheduled while the owner sleeps wakes it, once; a timer behind the first one does not. */
static void schedules_wake_the_sleeper(void **state) {
  reset();
  world.scheduler.wake = count_wake;
  wakes = 0;
  assert_true(scheduler_sleep(&world.scheduler));
  task_schedule(&world.tasks[0]);
  task_schedule(&world.tasks[1]);
  assert_int_equal(wakes, 1);
  assert_false(scheduler_sleep(&world.scheduler)); /* there is a task to look at */
  scheduler_run(&world.scheduler, 0);
  assert_true(scheduler_sleep(&world.scheduler));
  timer_schedule(&world.timers[0], 100);
  assert_int_equal(wakes, 2);
  assert_true(scheduler_sleep(&world.scheduler));
  timer_schedule(&world.timers[1], 200);
  assert_int_equal(wakes, 2);
  timer_schedule(&world.timers[2], 50);
  assert_int_equal(wakes, 3);
  scheduler_awake(&world.scheduler);
  task_schedule(&world.tasks[2]);
  assert_int_equal(wakes, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tasks_may_change_the_list), cmocka_unit_test(timers_may_change_the_list),
      cmocka_unit_test(unscheduling_is_harmless),  cmocka_unit_test(timers_run_in_order),
      cmocka_unit_test(work_is_reported),          cmocka_unit_test(shares_follow_tickets),
      cmocka_unit_test(pausing_earns_nothing),     cmocka_unit_test(tickets_have_limits),
      cmocka_unit_test(timers_expire_in_order),    cmocka_unit_test(schedules_wake_the_sleeper),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
