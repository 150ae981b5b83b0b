/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Several workers in one graph: three push into one queue while a fourth pulls. What comes out does not depend on how they are
 * scheduled: every packet is delivered or counted as dropped, and those of each worker keep their order. (Also meant to be run under
 * the thread sanitizer: meson setup -Db_sanitize=thread.)
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/elements/harness.h"

enum { PUSHERS = 3, EACH = 300, ROUNDS = 40 };

struct pusher {
  pthread_t thread;
  struct element *inject;
  struct packet *packet[EACH];
  unsigned batch;
  unsigned *finished;
};

static void *push(void *argument) {
  struct pusher *p = argument;
  /* Packets that are dropped here go home to the pool of the other worker, as in the system. */
  struct packet_pool own = {0};
  packet_pool_own = &own;
  for (unsigned i = 0; i < EACH;) {
    struct batch b;
    b.count = 0;
    while (i < EACH && b.count < p->batch)
      b.packet[b.count++] = p->packet[i++];
    element_push(p->inject, 0, &b);
  }
  __atomic_fetch_add(p->finished, 1, __ATOMIC_RELEASE);
  return NULL;
}

static void make_packets(struct pusher *p, char letter) {
  char word[16];
  for (unsigned i = 0; i < EACH; i++) {
    size_t length = format_text(word, sizeof word, "%c%u", letter, i);
    p->packet[i] = packet_new_from(&harness.pool, word, length);
    assert_non_null(p->packet[i]);
  }
}

/* Each worker's numbers ascend. Returns how many words there are. */
static unsigned check_order(const char *captured) {
  long last[PUSHERS] = {-1, -1, -1};
  struct slice rest = slice_of(captured), word;
  unsigned count = 0;
  for (; (word = slice_next_word(&rest)).length > 0; count++) {
    unsigned who = (unsigned)(word.data[0] - 'a');
    assert_in_range(who, 0, PUSHERS - 1);
    long number = strtol(word.data + 1, NULL, 10);
    if (number <= last[who]) fail_msg("%c: %ld behind %ld", word.data[0], number, last[who]);
    last[who] = number;
  }
  return count;
}

static void run_round(unsigned round, bool all) {
  static const char *const names[PUSHERS] = {"a", "b", "c"};
  struct pusher pushers[PUSHERS];
  unsigned finished = 0;
  unsigned long long before = harness_number("q.drops");
  for (unsigned i = 0; i < PUSHERS; i++) {
    pushers[i].inject = router_find(harness.router, names[i]);
    pushers[i].batch = 1 + (round * 7 + i * 13) % BATCH_MAX;
    pushers[i].finished = &finished;
    make_packets(&pushers[i], names[i][0]);
  }
  for (unsigned i = 0; i < PUSHERS; i++)
    assert_int_equal(pthread_create(&pushers[i].thread, NULL, push, &pushers[i]), 0);
  while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) < PUSHERS)
    scheduler_run(&harness.scheduler, 0);
  for (unsigned i = 0; i < PUSHERS; i++)
    assert_int_equal(pthread_join(pushers[i].thread, NULL), 0);
  harness_run_until_idle();
  packet_pool_collect(&harness.pool);
  unsigned delivered = check_order(harness_captured("o"));
  unsigned long long dropped = harness_number("q.drops") - before;
  assert_int_equal(delivered + dropped, PUSHERS * EACH);
  if (all) assert_int_equal(dropped, 0);
  assert_int_equal(harness_number("q.length"), 0);
}

/* Of a queue with room for all, nothing is lost; of one without, what is lost is counted. */
static void every_packet_is_accounted_for(void **state) {
  static const char *const classes[] = {"Queue", "ThreadSafeQueue", "SimpleQueue", "NotifierQueue"};
  static const struct {
    unsigned capacity;
    bool all;
  } sizes[] = {{PUSHERS * EACH, true}, {50, false}};
  for (size_t c = 0; c < sizeof classes / sizeof classes[0]; c++) {
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
      char graph[160];
      format_text(graph, sizeof graph,
                  "a, b, c :: Inject; a -> q :: %s(%u); b -> q; c -> q; q -> Unqueue -> o :: Capture", classes[c],
                  sizes[s].capacity);
      harness_start(graph);
      if (!sizes[s].all) { /* the first overflow is logged, and the log of this harness is for one thread */
        for (unsigned i = 0; i <= sizes[s].capacity; i++)
          harness_inject("a", "x", 1);
        harness_run_until_idle();
        harness_captured("o");
      }
      for (unsigned round = 0; round < ROUNDS; round++)
        run_round(round, sizes[s].all);
      harness_stop();
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_packet_is_accounted_for)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
