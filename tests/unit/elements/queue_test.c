/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of Queue and Unqueue.
 */
#include <pthread.h>
#include <string.h>

#include "tests/unit/elements/harness.h"

/* Packets come out in the order in which they went in, round the ring many times. */
static void keeps_order(void **state) {
  harness_start("i :: Inject -> q :: Queue(5) -> u :: Unqueue(BURST 3, ACTIVE false) -> o :: Capture");
  for (unsigned i = 0; i < 100; i++) {
    char frames[64], expected[64];
    format_text(frames, sizeof frames, "a%u b%u c%u d%u", i, i, i, i);
    format_text(expected, sizeof expected, "%s ", frames);
    harness_inject("i", frames, 1 + i % 4);
    assert_int_equal(harness_number("q.length"), 4);
    harness_expect_write("u.active", "true", 0);
    harness_run(2);
    harness_expect_write("u.active", "false", 0);
    assert_string_equal(harness_captured("o"), expected);
  }
  assert_int_equal(harness_number("q.highwater_length"), 4);
  assert_int_equal(harness_number("q.drops"), 0);
  assert_int_equal(harness_number("u.count"), 400);
  harness_stop();
}

/* A full queue keeps the old packets and drops the new ones under "full", whatever the capacity; the log says so once. */
static void drops_when_full(void **state) {
  static const struct {
    const char *capacity;
    unsigned kept;
  } cases[] = {{"0", 0}, {"1", 1}, {"3", 3}, {"4", 4}, {"5", 5}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char config[128], drops[64];
    format_text(config, sizeof config, "i :: Inject -> q :: Queue(%s) -> u :: Unqueue(ACTIVE false) -> o :: Capture",
                cases[i].capacity);
    harness_start(config);
    harness_inject("i", "a b c d e f", 256);
    harness_inject("i", "g", 256);
    format_text(drops, sizeof drops, "%u", 7 - cases[i].kept);
    assert_string_equal(harness_read("q.drops"), drops);
    format_text(drops, sizeof drops, "q.full %u\ntotal %u\n", 7 - cases[i].kept, 7 - cases[i].kept);
    assert_string_equal(harness_read("drops"), drops);
    assert_int_equal(harness_number("q.length"), cases[i].kept);
    assert_int_equal(harness_number("q.highwater_length"), cases[i].kept);
    if (cases[i].kept == 3) assert_string_equal(text_string(&harness.log), "q :: Queue: overflow at 3 packets\n");
    harness_expect_write("u.active", "1", 0);
    harness_run(1);
    char expected[16];
    format_text(expected, sizeof expected, "%.*s", (int)(2 * cases[i].kept), "a b c d e f ");
    assert_string_equal(harness_captured("o"), expected);
    harness_stop();
  }
}

/* Output 1 gets what finds the queue full, and then nothing is lost. */
static void overflows_to_output_1(void **state) {
  harness_start("i :: Inject -> q :: Queue(2); q -> Unqueue(ACTIVE false) -> Discard; q [1] -> o :: Capture");
  harness_inject("i", "a b c d", 3);
  assert_string_equal(harness_captured("o"), "c d ");
  assert_int_equal(harness_number("q.drops"), 2);
  assert_string_equal(harness_read("drops"), "total 0\n");
  harness_expect_write("q.reset", "", 0);
  assert_string_equal(harness_captured("o"), "a b ");
  harness_stop();
}

/* reset empties the queue under a name; reset_counts starts counting again. */
static void resets(void **state) {
  harness_start("i :: Inject -> q :: Queue(600) -> u :: Unqueue(ACTIVE false) -> o :: Capture");
  for (unsigned i = 0; i < 301; i++)
    harness_inject("i", "a b", 2);
  assert_int_equal(harness_number("q.length"), 600);
  harness_expect_write("q.reset", "", 0);
  assert_int_equal(harness_number("q.length"), 0);
  assert_string_equal(harness_read("drops"), "q.full 2\nq.reset 600\ntotal 602\n");
  harness_expect_write("q.reset_counts", "", 0);
  assert_int_equal(harness_number("q.highwater_length") + harness_number("q.drops"), 0);
  harness_inject("i", "x", 1);
  assert_int_equal(harness_number("q.highwater_length"), 1);
  harness_stop();
}

/* LIMIT stops Unqueue after so many packets, until reset; BURST below 0 takes what is there. */
static void unqueue_limits(void **state) {
  harness_start("i :: Inject -> q :: Queue -> u :: Unqueue(-1, LIMIT 3) -> o :: Capture");
  harness_inject("i", "a b c d e", 256);
  harness_run(3);
  assert_string_equal(harness_captured("o"), "a b c ");
  harness_expect_write("u.reset", "", 0);
  harness_run(1);
  assert_string_equal(harness_captured("o"), "d e ");
  harness_expect_write("u.limit", "-1", 0);
  harness_expect_write("u.burst", "1", 0);
  harness_inject("i", "f g", 256);
  harness_run(1);
  assert_string_equal(harness_captured("o"), "f ");
  harness_stop();
}

/* SimpleQueue, Queue, ThreadSafeQueue, NotifierQueue and FullNoteQueue drop new packets; FrontDropQueue the oldest; MixedQueue's
 * input 1 goes in at the front and pushes out the back. Click's manual pages; batches of any size. */
static void kinds(void **state) {
  static const struct {
    const char *class, *kept, *over;
  } cases[] = {
      {"SimpleQueue", "a b c ", "d e "},   {"Queue", "a b c ", "d e "},         {"ThreadSafeQueue", "a b c ", "d e "},
      {"NotifierQueue", "a b c ", "d e "}, {"FullNoteQueue", "a b c ", "d e "}, {"FrontDropQueue", "c d e ", "a b "},
      {"MixedQueue", "a b c ", "d e "},    {"1, MixedQueue", "e d c ", "a b "},
  };
  static const unsigned sizes[] = {1, 2, 256};
  for (size_t i = 0; i < 3 * sizeof cases / sizeof cases[0]; i++) {
    const char *class = cases[i / 3].class;
    bool front = class[0] == '1';
    char config[256];
    format_text(config, sizeof config,
                "i :: Inject -> %sq :: %s(3) -> u :: Unqueue(ACTIVE false) -> o :: Capture; q [1] -> over :: Capture%s",
                front ? "[1] " : "", front ? class + 3 : class, front ? "; Inject -> q" : "");
    if (strcmp(class, "MixedQueue") == 0)
      format_text(config + strlen(config), sizeof config - strlen(config), "; Inject -> [1] q");
    harness_start(config);
    harness_inject("i", "a b c d e", sizes[i % 3]);
    assert_int_equal(harness_number("q.drops"), 2);
    assert_int_equal(harness_number("q.length"), 3);
    assert_int_equal(harness_number("q.highwater_length"), 3);
    harness_expect_write("u.active", "true", 0);
    harness_run(3);
    assert_string_equal(harness_captured("o"), cases[i / 3].kept);
    assert_string_equal(harness_captured("over"), cases[i / 3].over);
    harness_stop();
  }
}

/* MixedQueue: packets of input 1 leave before those of input 0, the last one first. A capacity of 0 stores nothing. */
static void mixes(void **state) {
  harness_start(
      "i :: Inject -> q :: MixedQueue(9) -> u :: Unqueue(ACTIVE false) -> o :: Capture; j :: Inject -> [1] q");
  harness_inject("i", "a b", 256);
  harness_inject("j", "x y", 256);
  harness_inject("i", "c", 256);
  harness_expect_write("u.active", "true", 0);
  harness_run(2);
  assert_string_equal(harness_captured("o"), "y x a b c ");
  harness_expect_write("q.capacity", "0", 0);
  harness_inject("j", "z", 256);
  assert_int_equal(harness_number("q.drops"), 1);
  harness_stop();
  harness_start("i :: Inject -> q :: FrontDropQueue(0) -> Unqueue -> Discard");
  harness_inject("i", "a b", 256);
  assert_string_equal(harness_read("drops"), "q.full 2\ntotal 2\n");
  harness_stop();
}

/* capacity can be written while packets are stored: what fits stays, the newest go, or where the front drops, the oldest. config
 * does the same. */
static void resizes(void **state) {
  static const struct { const char *class, *kept; } cases[] = {{"Queue", "a b "}, {"FrontDropQueue", "d e "}};
  for (size_t i = 0; i < 4; i++) {
    char config[128];
    format_text(config, sizeof config, "i :: Inject -> q :: %s(5) -> u :: Unqueue(ACTIVE false) -> o :: Capture",
                cases[i / 2].class);
    harness_start(config);
    harness_inject("i", "a b c d e", 256);
    harness_expect_write(i % 2 == 0 ? "q.capacity" : "q.config", "2", 0);
    assert_string_equal(harness_read("q.capacity"), "2");
    assert_int_equal(harness_number("q.length"), 2);
    assert_string_equal(harness_read("drops"), "q.reset 3\ntotal 3\n");
    harness_expect_write("q.capacity", "2000", 0);
    harness_expect_write("q.capacity", "2000000", -ERROR_TOO_BIG);
    harness_expect_write("q.capacity", "x", -ERROR_INVALID);
    harness_expect_write("u.active", "true", 0);
    harness_run(1);
    assert_string_equal(harness_captured("o"), cases[i / 2].kept);
    harness_stop();
  }
}

/* A full queue puts the source to sleep, and wakes it when there is room: nothing is dropped. A queue without that notifier drops. */
static void notifies_full(void **state) {
  static const struct {
    const char *class;
    bool drops;
  } cases[] = {{"Queue", false},
               {"FullNoteQueue", false},
               {"ThreadSafeQueue", false},
               {"SimpleQueue", true},
               {"NotifierQueue", true}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char config[160];
    format_text(
        config, sizeof config,
        "s :: InfiniteSource(a, 100) -> q :: %s(10) -> u :: Unqueue(BURST 4, ACTIVE false) -> o :: Counter -> Discard",
        cases[i].class);
    harness_start(config);
    harness_run(50);
    assert_int_equal(harness_number("q.length"), 10);
    assert_int_equal(harness_number("q.drops") > 0, cases[i].drops);
    assert_string_equal(harness_read("s.scheduled"), cases[i].drops ? "true" : "false");
    harness_expect_write("u.active", "true", 0);
    harness_run(200);
    assert_int_equal(harness_number("s.count"), 100);
    assert_int_equal(harness_number("o.count") + harness_number("q.drops"), 100);
    harness_stop();
  }
}

/* A second graph takes over packets and counts of queues of the same name; what does not fit is dropped with a warning. */
static void takes_state(void **state) {
  static const struct {
    const char *class, *kept, *warning;
    unsigned capacity, drops;
  } cases[] = {
      {"Queue", "a b c ", "", 9, 1},
      {"Queue", "a b ", "warning: q :: Queue: CAPACITY is 2 now: 1 packets dropped\n", 2, 2},
      {"FrontDropQueue", "c d ", "warning: q :: FrontDropQueue: CAPACITY is 2 now: 1 packets dropped\n", 2, 2}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char config[128];
    static const char format[] = "i :: Inject -> q :: %s(%u) -> u :: Unqueue -> o :: Capture";
    format_text(config, sizeof config, format, cases[i].class, 3);
    harness_start(config);
    harness_inject("i", "a b c d", 256);
    struct router *old = harness.router;
    struct element *from = router_find(old, "q");
    format_text(config, sizeof config, format, cases[i].class, cases[i].capacity);
    harness_build(config);
    struct element *to = router_find(harness.router, "q");
    struct report report = {0};
    to->class->take_state(to, from, &report);
    assert_string_equal(text_string(&report.text), cases[i].warning);
    report_free(&report);
    router_destroy(old);
    assert_int_equal(harness_number("q.drops"), cases[i].drops);
    harness_run(1);
    assert_string_equal(harness_captured("o"), cases[i].kept);
    harness_stop();
  }
}

/* Unqueue2 stops while a queue downstream is full, whatever kind it is, and goes on when there is room. */
static void unqueue2(void **state) {
  static const struct {
    const char *arguments, *class;
    unsigned burst_1;
  } cases[] = {{"QUIET true", "Queue", 1},
               {"0, QUIET true", "Queue", 3},
               {"BURST 2, QUIET true", "SimpleQueue", 2},
               {"256, QUEUES b, QUIET true", "Queue", 3}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char config[160];
    format_text(
        config, sizeof config,
        "i :: Inject -> a :: Queue -> u :: Unqueue2(%s) -> Null -> b :: %s(3) -> v :: Unqueue(ACTIVE false) -> o :: Capture",
        cases[i].arguments, cases[i].class);
    harness_start(config);
    harness_inject("i", "1 2 3 4 5", 256);
    harness_run(1);
    assert_int_equal(harness_number("b.length"), cases[i].burst_1);
    harness_run(9);
    assert_int_equal(harness_number("b.length"), 3);
    assert_int_equal(harness_number("a.length"), 2);
    harness_expect_write("v.active", "true", 0);
    harness_run(9);
    assert_string_equal(harness_captured("o"), "1 2 3 4 5 ");
    assert_string_equal(harness_read("u.packets"), "5 packets\n");
    assert_int_equal(harness_number("b.drops"), 0);
    harness_stop();
  }
  harness_refuses("Idle -> u :: Unqueue2(QUEUES u) -> Capture", "bad QUEUES");
  harness_refuses("Idle -> Unqueue2 -> Capture; Error", "Unqueue2 is deprecated, you should probably use Unqueue");
  harness_refuses("Idle -> Unqueue2(QUEUES x) -> Capture", "QUEUES: does not name an element");
}

/* One producer and two consumers on threads of their own lose, double and reorder nothing. Packets are numbers here:
 * nobody looks into them. */
enum { THREAD_PACKETS = 200000, THREAD_CAPACITY = 64, THREAD_BURST = 16 };

struct consumer {
  pthread_t thread;
  struct element *queue;
  const bool *done;
  uint64_t count, sum;
  bool ordered;
};

static void *consume(void *argument) {
  struct consumer *c = argument;
  uintptr_t last = 0;
  bool done;
  do {
    done = __atomic_load_n(c->done, __ATOMIC_ACQUIRE);
    struct batch batch = {.count = 0};
    c->queue->class->pull(c->queue, 0, &batch, 7);
    for (uint32_t i = 0; i < batch.count; i++) {
      uintptr_t number = (uintptr_t)batch.packet[i];
      c->ordered = c->ordered && number > last;
      last = number;
      c->count++;
      c->sum += number;
    }
    done = done && batch.count == 0;
  } while (!done);
  return NULL;
}

static void works_between_threads(void **state) {
  harness_start("Inject -> q :: Queue(64) -> Unqueue(ACTIVE false) -> Discard");
  struct element *q = router_find(harness.router, "q");
  bool done = false;
  struct consumer consumers[2];
  for (unsigned i = 0; i < 2; i++) {
    consumers[i] = (struct consumer){.queue = q, .done = &done, .ordered = true};
    assert_int_equal(pthread_create(&consumers[i].thread, NULL, consume, &consumers[i]), 0);
  }
  for (uintptr_t sent = 0; sent < THREAD_PACKETS;) {
    if (harness_number("q.length") > THREAD_CAPACITY - THREAD_BURST) continue;
    struct batch batch = {.count = 0};
    while (batch.count < THREAD_BURST && sent < THREAD_PACKETS)
      batch.packet[batch.count++] = (struct packet *)++sent;
    q->class->push(q, 0, &batch);
  }
  __atomic_store_n(&done, true, __ATOMIC_RELEASE);
  for (unsigned i = 0; i < 2; i++) {
    pthread_join(consumers[i].thread, NULL);
    assert_true(consumers[i].ordered);
  }
  assert_int_equal(consumers[0].count + consumers[1].count, THREAD_PACKETS);
  assert_int_equal(consumers[0].sum + consumers[1].sum, (uint64_t)THREAD_PACKETS * (THREAD_PACKETS + 1) / 2);
  assert_int_equal(harness_number("q.drops"), 0);
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_order),   cmocka_unit_test(drops_when_full), cmocka_unit_test(overflows_to_output_1),
      cmocka_unit_test(resets),        cmocka_unit_test(unqueue_limits),  cmocka_unit_test(works_between_threads),
      cmocka_unit_test(kinds),         cmocka_unit_test(mixes),           cmocka_unit_test(resizes),
      cmocka_unit_test(notifies_full), cmocka_unit_test(takes_state),     cmocka_unit_test(unqueue2),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
