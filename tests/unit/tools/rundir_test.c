/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Run directories: names, life and death, claims.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/rundir.h"

static char runtime[] = "/tmp/imago-test-XXXXXX";

static int make_runtime(void **state) { return mkdtemp(runtime) != NULL ? setenv("XDG_RUNTIME_DIR", runtime, 1) : -1; }

static int remove_runtime(void **state) {
  char base[64];
  format_text(base, sizeof(base), "%s/imago", runtime);
  rmdir(base);
  return rmdir(runtime);
}

/* A name is a single path component of plain characters: nothing leads out of the base directory. */
static void names_stay_inside(void **state) {
  static const char *const bad[] = {
      "",     ".",  "..",       "../x",    "a/b",
      "/etc", "-f", "_x",       ".hidden", "a b",
      "a\nb", "a;", "\xc3\xa9", "a:b",     "0123456789012345678901234567890123456789012345678"};
  static const char *const good[] = {"a", "fw", "fw-1.2_x", "9", "01234567890123456789012345678901234567890123456"};
  struct rundir dir;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct report report = {0};
    assert_true(rundir_locate(bad[i], &dir, &report) < 0);
    assert_int_equal(report.errors, 1);
    report_free(&report);
  }
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    assert_int_equal(rundir_locate(good[i], &dir, NULL), 0);
    assert_string_equal(dir.name, good[i]);
  }
}

/* A control socket's path that no unix socket address holds is refused at once, with both numbers. */
static void long_paths_are_refused(void **state) {
  char deep[128];
  struct rundir dir;
  struct report report = {0};
  format_text(deep, sizeof(deep), "%s/%068d", runtime, 0);
  assert_int_equal(mkdir(deep, 0700), 0);
  setenv("XDG_RUNTIME_DIR", deep, 1);
  assert_true(rundir_locate("firewall", &dir, &report) < 0);
  assert_non_null(strstr(text_string(&report.text), "107"));
  report_free(&report);
  setenv("XDG_RUNTIME_DIR", runtime, 1);
  char base[160];
  format_text(base, sizeof(base), "%s/imago", deep);
  rmdir(base);
  assert_int_equal(rmdir(deep), 0);
}

/* A base directory that others can write to is not used: they could plant sockets there. */
static void shared_base_is_refused(void **state) {
  char base[64];
  struct rundir dir;
  assert_int_equal(rundir_locate("fw", &dir, NULL), 0);
  format_text(base, sizeof(base), "%s/imago", runtime);
  assert_int_equal(chmod(base, 0777), 0);
  struct report report = {0};
  assert_int_equal(rundir_locate("fw", &dir, &report), -ERROR_PERMISSION);
  report_free(&report);
  assert_int_equal(chmod(base, 0700), 0);
}

/* Field 22 is found whatever the process calls itself; zombies and nonsense have no start time. */
static void start_time_is_field_22(void **state) {
  static const struct {
    const char *stat;
    uint64_t start;
  } cases[] = {
      {"", 0},
      {"1 (x", 0},
      {"1 (x) S", 0},
      {"1 (x) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21", 0},
      {"1 (x) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 abc 23", 0},
      {"1 (x) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 2222 23", 2222},
      {"1 (a) S 9 (b) c) R 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 2222 23", 2222},
      {"1 (x) Z 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 2222 23", 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    assert_int_equal(process_start_from_stat(cases[i].stat), cases[i].start);
  }
  assert_true(process_start_time(getpid()) > 0);
}

/* Absent, running, stale by another process under the same pid, stale by death, ended: told apart from the files alone. */
static void states_are_told_apart(void **state) {
  struct rundir dir;
  struct run_status run;
  assert_int_equal(rundir_locate("states", &dir, NULL), 0);
  rundir_status(&dir, &run);
  assert_int_equal(run.state, RUN_ABSENT);
  int claim = rundir_claim(&dir, NULL);
  assert_true(claim >= 0);
  rundir_status(&dir, &run);
  assert_int_equal(run.state, RUN_ABSENT);

  assert_int_equal(rundir_write_process(&dir, getpid(), NULL), 0);
  rundir_status(&dir, &run);
  assert_int_equal(run.state, RUN_RUNNING);
  assert_int_equal(run.pid, getpid());
  close(claim);
  assert_int_equal(rundir_claim(&dir, NULL), -ERROR_EXISTS); /* what runs is not overrun */

  assert_int_equal(rundir_write(&dir, "start", "1\n", NULL), 0); /* our pid, but a process of long ago */
  rundir_status(&dir, &run);
  assert_int_equal(run.state, RUN_STALE);
  assert_true(rundir_find("states", false, &dir, &run, NULL) < 0);
  assert_int_equal(rundir_find("states", true, &dir, &run, NULL), 0);

  pid_t child = fork();
  if (child == 0) _exit(0);
  assert_int_equal(rundir_write_process(&dir, child, NULL), 0);
  assert_int_equal(waitpid(child, NULL, 0), child);
  rundir_status(&dir, &run);
  assert_int_equal(run.state, RUN_STALE);

  assert_int_equal(rundir_write(&dir, "exit", "67\n", NULL), 0);
  rundir_status(&dir, &run);
  assert_int_equal(run.state, RUN_ENDED);
  assert_int_equal(run.exit_status, 67);

  claim = rundir_claim(&dir, NULL); /* what is dead is cleaned up */
  assert_true(claim >= 0);
  rundir_status(&dir, &run);
  assert_int_equal(run.state, RUN_ABSENT);
  close(claim);
  rundir_remove(&dir);
}

/* Nonsense in the files is a run that is not there, or is stale; never one that runs. */
static void damaged_files_never_run(void **state) {
  static const char *const pids[] = {"", "x", "-1", "0", "99999999999999999999", "1 2"};
  struct rundir dir;
  struct run_status run;
  assert_int_equal(rundir_locate("damaged", &dir, NULL), 0);
  int claim = rundir_claim(&dir, NULL);
  for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
    assert_int_equal(rundir_write(&dir, "pid", pids[i], NULL), 0);
    rundir_status(&dir, &run);
    assert_int_equal(run.state, RUN_ABSENT);
  }
  assert_int_equal(rundir_write_process(&dir, getpid(), NULL), 0);
  assert_int_equal(rundir_write(&dir, "start", "", NULL), 0);
  rundir_status(&dir, &run);
  assert_int_equal(run.state, RUN_STALE);
  close(claim);
  rundir_remove(&dir);
}

/* Two that start under one name at once: one gets it, the other is told. */
static void claims_exclude_each_other(void **state) {
  struct rundir dir;
  assert_int_equal(rundir_locate("claim", &dir, NULL), 0);
  int first = rundir_claim(&dir, NULL);
  assert_true(first >= 0);
  assert_int_equal(rundir_claim(&dir, NULL), -ERROR_BUSY);
  close(first);
  first = rundir_claim(&dir, NULL);
  assert_true(first >= 0);
  close(first);
  rundir_remove(&dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_stay_inside),         cmocka_unit_test(long_paths_are_refused),
      cmocka_unit_test(shared_base_is_refused),    cmocka_unit_test(start_time_is_field_22),
      cmocka_unit_test(states_are_told_apart),     cmocka_unit_test(damaged_files_never_run),
      cmocka_unit_test(claims_exclude_each_other),
  };
  return cmocka_run_group_tests(tests, make_runtime, remove_runtime);
}
