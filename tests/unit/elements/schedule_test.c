/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of ScheduleInfo and StaticThreadSched: what tickets and threads the tasks of a graph get.
 */
#include <string.h>

#include "tests/unit/elements/harness.h"

static uint32_t tickets_of(const char *name) {
  struct element *e = router_find(harness.router, name);
  assert_non_null(e);
  uint32_t tickets = harness.router->placement[e->index].tickets;
  return tickets != 0 ? tickets : TICKETS_DEFAULT;
}

/* Parameters are relative to 1,024 tickets; a compound's scales what is in it, and the outermost word on an element counts. The cases
 * with c/i are those of the manual page of Click's ScheduleInfo. */
static void schedule_info_scales(void **state) {
/* Click's flat form of a compound element that holds i and ScheduleInfo(i 0.5). */
#define COMPOUND "c/i :: Idle; c/s :: ScheduleInfo(i 0.5); "
#define NESTED "d/c/i :: Idle; d/c/s :: ScheduleInfo(i 0.5); d/s :: ScheduleInfo(c 3); "
  static const struct {
    const char *config, *element;
    uint32_t tickets;
  } cases[] = {
      {"a :: Idle; ScheduleInfo(a 2)", "a", 2048},
      {"a :: Idle; b :: Idle; ScheduleInfo(a 2, b 0.5)", "b", 512},
      {"a :: Idle; b :: Idle; ScheduleInfo(a 2)", "b", 1024},
      {"a :: Idle; ScheduleInfo(a 2); ScheduleInfo(a 3)", "a", 3072},
      {"a :: Idle; ScheduleInfo(a 0)", "a", 1},
      {"a :: Idle; ScheduleInfo()", "a", 1024},
      {COMPOUND, "c/i", 512},
      {COMPOUND "ScheduleInfo(c 4)", "c/i", 2048},
      {COMPOUND "ScheduleInfo(c 4, c/i 10.5)", "c/i", 10752},
      {"ScheduleInfo(c 4); " COMPOUND, "c/i", 2048},
      {NESTED "ScheduleInfo(d 2)", "d/c/i", 3072},
      {NESTED "ScheduleInfo(d/c 2)", "d/c/i", 1024},
      {COMPOUND "cc/i :: Idle; ScheduleInfo(c 4)", "cc/i", 1024},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    harness_start(cases[i].config);
    if (tickets_of(cases[i].element) != cases[i].tickets)
      fail_msg("%s gives %u", cases[i].config, tickets_of(cases[i].element));
    harness_stop();
  }
}

static bool count_runs(struct task *task) { return false; }

/* The task gets what ScheduleInfo says, wherever in the file that stands. */
static void tasks_get_their_tickets(void **state) {
  harness_start("Idle -> u :: Unqueue -> Discard; ScheduleInfo(u 4)");
  struct task task;
  task_init(&task, harness.router->scheduler, router_find(harness.router, "u"), count_runs);
  assert_int_equal(task.tickets, 4096);
  harness_stop();
}

/* Threads are counted from 0; -1 is any. */
static void threads_are_assigned(void **state) {
  struct scheduler schedulers[3];
  harness_open();
  harness.services.workers = 3;
  for (unsigned i = 0; i < 3; i++)
    scheduler_init(&schedulers[i], i);
  struct report report = {0};
  static const char config[] =
      "a :: Idle; b :: Idle; c :: Idle; d :: Idle; x/y :: Idle; "
      "StaticThreadSched(a 2, b 1, c -1, b 2); StaticThreadSched(x/y 1, d 3);"
      /* A compound's name means all that is in it (Click's test/threads/StaticThreadSched-02). */
      "StaticThreadSched(s 1); s, t :: { a :: Idle; b :: Idle; StaticThreadSched(b 2) }; sx :: Idle";
  assert_int_equal(router_create("t", slice_of(config), &harness.services, schedulers, &harness.router, &report), 0);
  assert_non_null(strstr(text_string(&report.text), "thread preference 3 out of range"));
  static const struct {
    const char *name;
    unsigned worker;
  } rows[] = {{"a", 2},   {"b", 2},   {"c", 0},   {"d", 0},   {"x/y", 1},
              {"s/a", 1}, {"s/b", 2}, {"t/a", 0}, {"t/b", 2}, {"sx", 0}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct element *e = router_find(harness.router, rows[i].name);
    struct task task;
    struct timer timer;
    assert_int_equal(router_scheduler(harness.router, e)->worker, rows[i].worker);
    task_init(&task, harness.router->scheduler, e, count_runs);
    timer_init(&timer, harness.router->scheduler, e, NULL);
    assert_ptr_equal(task.scheduler, &schedulers[rows[i].worker]);
    assert_ptr_equal(timer.scheduler, &schedulers[rows[i].worker]);
  }
  report_free(&report);
  harness_stop();
}

/* Click's task handlers: tickets and home_thread can be written; a task that moves goes on where it is now, and only there. */
static void tasks_move(void **state) {
  struct scheduler schedulers[2];
  harness_open();
  harness.services.workers = 2;
  for (unsigned i = 0; i < 2; i++)
    scheduler_init(&schedulers[i], i);
  struct report report = {0};
  static const char config[] = "i :: Inject -> q :: SimpleQueue -> u :: Unqueue -> o :: Capture; "
                               "r :: RatedSource(ACTIVE false) -> Queue -> Discard";
  assert_int_equal(router_create("t", slice_of(config), &harness.services, schedulers, &harness.router, &report), 0);
  assert_string_equal(harness_read("u.home_thread"), "0");
  assert_string_equal(harness_read("u.tickets"), "1024");
  harness_expect_write("u.tickets", "2048", 0);
  assert_string_equal(harness_read("u.tickets"), "2048");
  harness_expect_write("u.tickets", "0", -ERROR_INVALID);
  harness_expect_write("u.home_thread", "2", -ERROR_INVALID);
  assert_non_null(strstr(harness_message(), "home_thread: bad thread; the last one is 1"));
  harness_expect_write("u.home_thread", "x", -ERROR_INVALID);
  /* Before its first run, while it stands in a list, and back. */
  static const unsigned homes[] = {1, 0, 1, 1, 0};
  for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++) {
    harness_expect_write("u.home_thread", homes[i] ? "1" : "0", 0);
    assert_string_equal(harness_read("u.home_thread"), homes[i] ? "1" : "0");
    harness_inject("i", "a", 1);
    scheduler_run(&schedulers[1 - homes[i]], 0);
    assert_string_equal(harness_captured("o"), "");
    scheduler_run(&schedulers[homes[i]], 0);
    assert_string_equal(harness_captured("o"), "a ");
  }
  /* One that is not scheduled stays so. */
  harness_expect_write("u.scheduled", "false", 0);
  harness_expect_write("u.home_thread", "1", 0);
  harness_inject("i", "b", 1);
  scheduler_run(&schedulers[1], 0);
  assert_string_equal(harness_captured("o"), "");
  harness_expect_write("u.scheduled", "true", 0);
  scheduler_run(&schedulers[1], 0);
  assert_string_equal(harness_captured("o"), "b ");
  report_free(&report);
  harness_stop();
}

/* A push Discard has no task. */
static void without_task(void **state) {
  harness_start("Idle -> d :: Discard");
  harness_expect_write("d.home_thread", "0", -ERROR_STATE);
  harness_stop();
  /* Tasks of devices stay with the worker that their NIC wakes. */
  harness_start("f :: FromDevice(eth0) -> Discard");
  assert_string_equal(harness_read("f.home_thread"), "0");
  harness_expect_write("f.home_thread", "0", -ERROR_PERMISSION);
  harness_stop();
}

/* Mistakes are named; what is too high is brought down. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"a :: Idle; ScheduleInfo(a)", "expected 'ELEMENTNAME PARAM', got 'a'"},
      {"a :: Idle; ScheduleInfo(a 1 2)", "expected 'ELEMENTNAME PARAM', got 'a 1 2'"},
      {"a :: Idle; ScheduleInfo(a often)", "PARAM"},
      {"a :: Idle; ScheduleInfo(a -1)", "PARAM"},
      {"StaticThreadSched(nobody 1)", "ELEMENT: does not name an element"},
      {"a :: Idle; StaticThreadSched(a)", "expected 'ELEMENT THREAD', got 'a'"},
      {"a :: Idle; StaticThreadSched(a b)", "THREAD"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    harness_refuses(cases[i].config, cases[i].message);
  harness_open();
  struct report report = {0};
  assert_int_equal(router_create("t", slice_of("a :: Idle; ScheduleInfo(a 1000)"), &harness.services,
                                 &harness.scheduler, &harness.router, &report),
                   0);
  assert_non_null(strstr(text_string(&report.text), "ScheduleInfo too high; reduced to 32"));
  assert_int_equal(tickets_of("a"), TICKETS_MAX);
  report_free(&report);
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(schedule_info_scales), cmocka_unit_test(tasks_get_their_tickets),
      cmocka_unit_test(threads_are_assigned), cmocka_unit_test(tasks_move),
      cmocka_unit_test(without_task),         cmocka_unit_test(refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
