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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tasks_may_change_the_list), cmocka_unit_test(timers_may_change_the_list),
      cmocka_unit_test(unscheduling_is_harmless),  cmocka_unit_test(timers_run_in_order),
      cmocka_unit_test(work_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
