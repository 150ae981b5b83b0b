/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The small parts of the kernel: quiescent points, the log, symbols, the boot chart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* after the above, as it asks */
#include <cmocka.h>

#include "kernel/boot.h"
#include "kernel/log.h"
#include "kernel/postpone.h"
#include "kernel/quiesce.h"
#include "kernel/symbol.h"

#define SECOND 1000000000ull

/* --- postponed work --- */

struct errand {
  struct postponed postponed;
  unsigned steps, done;
};
static bool run_errand(struct postponed *work) {
  struct errand *errand = (struct errand *)work;
  return ++errand->done < errand->steps;
}

/* Each gets a step in turn, until it has enough. What is recalled gets none. */
static void test_postponed_work(void **state) {
  struct postpone p;
  struct errand a = {.steps = 2}, b = {.steps = 1}, c = {.steps = 3}, never = {.steps = 1};
  postpone_init(&p);
  assert_false(postpone_step(&p));
  postpone_add(&p, &a.postponed, run_errand);
  postpone_add(&p, &b.postponed, run_errand);
  postpone_add(&p, &c.postponed, run_errand);
  assert_int_equal(a.done + b.done + c.done, 0);
  postponed_recall(&b.postponed);
  postponed_recall(&never.postponed);
  assert_true(postpone_step(&p));
  assert_true(postpone_step(&p));
  assert_int_equal(a.done, 1);
  assert_int_equal(c.done, 1);
  assert_true(postpone_step(&p));
  postponed_recall(&c.postponed);
  postponed_recall(&c.postponed);
  assert_false(postpone_step(&p));
  assert_int_equal(a.done, 2);
  assert_int_equal(b.done + never.done, 0);
  assert_int_equal(c.done, 1);
}

/* --- quiescent points --- */

static struct deferred *ran[8];
static unsigned ran_count;
static void note(struct deferred *node) { ran[ran_count++] = node; }

/* What was deferred runs only after every worker that is awake has passed, in order, and once. */
static void test_waits_for_every_worker(void **state) {
  struct quiesce q;
  struct deferred a, b;
  quiesce_init(&q, 3);
  ran_count = 0;
  quiesce_pass(&q, 0);
  quiesce_pass(&q, 1); /* worker 2 sleeps */
  quiesce_defer(&q, &a, note);
  quiesce_defer(&q, &b, note);
  assert_true(quiesce_reclaim(&q));
  quiesce_pass(&q, 0);
  assert_true(quiesce_reclaim(&q));
  assert_int_equal(ran_count, 0);
  quiesce_pass(&q, 1);
  assert_false(quiesce_reclaim(&q));
  assert_int_equal(ran_count, 2);
  assert_ptr_equal(ran[0], &a);
  assert_ptr_equal(ran[1], &b);
  assert_false(quiesce_reclaim(&q));
  assert_int_equal(ran_count, 2);
}

/* A worker that falls asleep holds nothing back; one that woke up before the change does. */
static void test_sleepers(void **state) {
  struct quiesce q;
  struct deferred a;
  quiesce_init(&q, 2);
  ran_count = 0;
  quiesce_pass(&q, 0);
  quiesce_pass(&q, 1);
  quiesce_defer(&q, &a, note);
  quiesce_pass(&q, 0);
  assert_true(quiesce_reclaim(&q));
  quiesce_sleep(&q, 1);
  assert_false(quiesce_reclaim(&q));
  assert_int_equal(ran_count, 1);
}

/* --- the log --- */

static struct log *new_log(void) {
  struct log *log = calloc(1, sizeof *log);
  log_init(log);
  return log;
}

/* A line says when and how grave; what could fake another line does not pass. */
static void test_log_lines(void **state) {
  struct log *log = new_log();
  struct text out = {0};
  log_add(log, 12 * SECOND + 345678999, LOG_WARNING, "queue\nfull\x1b", 11);
  log_read(log, &out);
  assert_string_equal(text_string(&out), "[   12.345678] warning: queue?full?\n");
  text_free(&out);
  free(log);
}

/* A flood is cut to the burst, then to the rate, per level; what was left out is said. */
static void test_log_rate(void **state) {
  struct log *log = new_log();
  struct text out = {0};
  for (int i = 0; i < 1000; i++)
    log_add(log, SECOND / 1000000, LOG_INFO, "x", 1);
  assert_int_equal(log->lines, LOG_BURST);
  assert_int_equal(log->level[LOG_INFO].suppressed, 1000 - LOG_BURST);
  log_add(log, SECOND / 1000000, LOG_ERROR, "other level", 11);
  assert_int_equal(log->lines, LOG_BURST + 1);
  log_add(log, SECOND, LOG_INFO, "later", 5);
  log_read(log, &out);
  assert_non_null(strstr(text_string(&out), "info: 800 lines of this level were left out"));
  assert_non_null(strstr(text_string(&out), "info: later\n"));
  text_free(&out);
  free(log);
}

/* The ring keeps the newest whole lines, and the follower learns how much it missed. */
static void test_log_wraps(void **state) {
  struct log *log = new_log();
  struct text out = {0};
  char line[200], piece[256];
  uint64_t position;
  for (unsigned i = 0; i < 1000; i++) {
    memset(line, 'a' + (int)(i % 26), sizeof line);
    log_add(log, i * SECOND, LOG_INFO, line, 100 + i % 100);
  }
  log_read(log, &out);
  assert_true(out.length <= LOG_RING_SIZE && out.length > LOG_RING_SIZE - LOG_LINE_MAX);
  assert_int_equal(out.data[0], '[');
  assert_non_null(strstr(out.data, "[  999.000000] info: "));
  assert_int_equal(log->lost, log->first);
  size_t n = log_peek(log, piece, sizeof piece, &position);
  assert_int_equal(n, sizeof piece);
  assert_memory_equal(piece, out.data, n);
  log_followed(log, position + 10);
  assert_int_equal(log_peek(log, piece, sizeof piece, &position), sizeof piece);
  assert_memory_equal(piece, out.data + 10, sizeof piece);
  text_free(&out);
  free(log);
}

/* --- symbols --- */

static void test_symbols(void **state) {
  static const char file[] = "0000000000001000 first\n0000000000001010 second_one\n0000000000002000 last\n";
  static const struct {
    unsigned long address;
    const char *expected; /* NULL: unknown */
  } cases[] = {{0, NULL},
               {0xfff, NULL},
               {0x1000, "first+0x0"},
               {0x100f, "first+0xf"},
               {0x1010, "second_one+0x0"},
               {0x1fff, "second_one+0xfef"},
               {0x2000, "last+0x0"},
               {~0ul, "last+0xffffffffffffdfff"}};
  char name[64];
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    bool found = symbol_find(slice_of(file), cases[i].address, name, sizeof name);
    assert_int_equal(found, cases[i].expected != NULL);
    if (found) assert_string_equal(name, cases[i].expected);
  }
  static const char *const damaged[] = {"", "\n", "short", "000000000000100g name\n", "0000000000001000\n"};
  for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++)
    assert_false(symbol_find(slice_of(damaged[i]), 0x5000, name, sizeof name));
}

/* More stamps than there is room for are left out; the first are kept. */
static void test_boot_chart(void **state) {
  struct boot_chart chart = {0};
  struct text out = {0};
  for (unsigned i = 0; i < BOOT_STAMPS_MAX + 5; i++)
    boot_chart_add(&chart, i * 1500, i == 1 ? "second" : "step");
  boot_chart_print(&chart, &out);
  assert_true(strncmp(text_string(&out), "0 step\n1 second\n3 step\n", 23) == 0);
  unsigned lines = 0;
  for (const char *at = text_string(&out); *at != '\0'; at++)
    lines += *at == '\n';
  assert_int_equal(lines, BOOT_STAMPS_MAX);
  text_free(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_postponed_work), cmocka_unit_test(test_waits_for_every_worker),
      cmocka_unit_test(test_sleepers),       cmocka_unit_test(test_log_lines),
      cmocka_unit_test(test_log_rate),       cmocka_unit_test(test_log_wraps),
      cmocka_unit_test(test_symbols),        cmocka_unit_test(test_boot_chart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
