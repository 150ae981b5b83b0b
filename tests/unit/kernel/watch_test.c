/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Watches of the process platform: who is called, when, and who is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "platform/process/host.h"
#include "platform/process/watch.h"

struct pipe_watch {
  struct process_watch watch;
  int ends[2];
  unsigned calls;
  short found;
  struct pipe_watch *removes, *adds; /* what a call does, too */
};

static void ready(struct process_watch *watch, short revents) {
  struct pipe_watch *p = watch->owner;
  char byte;
  p->calls++;
  p->found = revents;
  if (watch->events & POLLIN) assert_int_equal(read(p->ends[0], &byte, 1), 1);
  if (p->removes != NULL) process_watch_remove(&p->removes->watch);
  if (p->adds != NULL) process_watch_add(&p->adds->watch);
  p->adds = NULL;
}

static void open_pipe(struct pipe_watch *p) {
  *p = (struct pipe_watch){.watch = {.events = POLLIN, .ready = ready, .owner = p}};
  assert_int_equal(pipe(p->ends), 0);
  p->watch.fd = p->ends[0];
}

static void close_pipe(struct pipe_watch *p) {
  process_watch_remove(&p->watch);
  close(p->ends[0]);
  close(p->ends[1]);
}

static void put(struct pipe_watch *p) { assert_int_equal(write(p->ends[1], "x", 1), 1); }

static bool poll_now(void) {
  static const struct timespec now = {0, 0};
  return process_watch_poll(NULL, 0, &now);
}

/* Only those whose descriptor has what they wait for are called, with what it has. */
static void calls_who_has_something(void **state) {
  struct pipe_watch a, b;
  open_pipe(&a);
  open_pipe(&b);
  process_watch_add(&a.watch);
  process_watch_add(&b.watch);
  assert_false(poll_now());
  put(&b);
  assert_true(poll_now());
  assert_int_equal(a.calls, 0);
  assert_int_equal(b.calls, 1);
  assert_true(b.found & POLLIN);
  assert_false(poll_now());
  a.watch.fd = a.ends[1];
  a.watch.events = POLLOUT; /* from now on */
  assert_true(poll_now());
  assert_int_equal(a.calls, 1);
  assert_int_equal(a.found, POLLOUT);
  close_pipe(&a);
  close_pipe(&b);
  assert_false(poll_now());
}

/* A callback may remove itself and others; who is removed is not called any more, even when it had something in the same poll. */
static void removal_in_a_callback_holds_at_once(void **state) {
  struct pipe_watch a, b;
  open_pipe(&a);
  open_pipe(&b);
  process_watch_add(&a.watch);
  process_watch_add(&b.watch);
  a.removes = &b;
  put(&a);
  put(&b);
  assert_true(poll_now());
  assert_int_equal(a.calls, 1);
  assert_int_equal(b.calls, 0);
  a.removes = &a;
  put(&a);
  assert_true(poll_now());
  put(&a);
  assert_false(poll_now());
  assert_int_equal(a.calls, 2);
  process_watch_remove(&a.watch); /* a second time: harmless */
  close_pipe(&a);
  close_pipe(&b);
}

/* Who is added in a callback is polled from the next time on. */
static void addition_in_a_callback_counts_from_the_next_poll(void **state) {
  struct pipe_watch a, b;
  open_pipe(&a);
  open_pipe(&b);
  process_watch_add(&a.watch);
  a.adds = &b;
  put(&a);
  put(&b);
  assert_true(poll_now());
  assert_int_equal(b.calls, 0);
  assert_true(poll_now());
  assert_int_equal(b.calls, 1);
  close_pipe(&a);
  close_pipe(&b);
}

/* The platform's own descriptors get their results from the same poll, and are no watch's business. */
static void others_are_polled_along(void **state) {
  struct pipe_watch a;
  open_pipe(&a);
  struct pollfd others[2] = {{a.ends[1], POLLOUT, 0}, {a.ends[0], POLLIN, 0}};
  const struct timespec now = {0, 0};
  assert_false(process_watch_poll(others, 2, &now));
  assert_int_equal(others[0].revents, POLLOUT);
  assert_int_equal(others[1].revents, 0);
  close_pipe(&a);
}

/* However many there are. */
static void many_watches(void **state) {
  enum { MANY = 100 };
  static struct pipe_watch pipes[MANY];
  for (unsigned i = 0; i < MANY; i++) {
    open_pipe(&pipes[i]);
    process_watch_add(&pipes[i].watch);
    put(&pipes[i]);
  }
  assert_true(poll_now());
  for (unsigned i = 0; i < MANY; i++) {
    assert_int_equal(pipes[i].calls, 1);
    close_pipe(&pipes[i]);
  }
  process_watch_release();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(calls_who_has_something),
      cmocka_unit_test(removal_in_a_callback_holds_at_once),
      cmocka_unit_test(addition_in_a_callback_counts_from_the_next_poll),
      cmocka_unit_test(others_are_polled_along),
      cmocka_unit_test(many_watches),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
