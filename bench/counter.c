/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets per second of the process core on a pair of memory NICs: FromDevice -> Counter -> Queue -> ToDevice, and the same
 * without Counter, beside a plain scalar C loop that takes the same packets from the same NIC, counts them and passes them on.
 * All are run in turns, so that whatever else the machine does meets them alike. Prints a table in Markdown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/memory_nic.h"
#include "click/router.h"

enum { FRAME_LENGTH = 60, POOL_PACKETS = 2048, ROUNDS = 15, PACKETS = 2000000 };

static const unsigned bursts[] = {1, 32, 256};
enum { BURSTS = sizeof bursts / sizeof bursts[0] };

enum kind { KIND_LOOP, KIND_GRAPH, KIND_GRAPH_WITHOUT_COUNTER, KINDS };

/* One thing that is measured. `ns` has nanoseconds per packet of each round. */
struct contender {
  enum kind kind;
  unsigned burst;
  struct scheduler scheduler;
  struct router *router; /* NULL: the plain loop */
  uint64_t count, byte_count;
  double ns[ROUNDS];
};

static struct packet_pool pool;
static struct memory_nic nics[2];

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "counter: %s\n", what);
  exit(1);
}

/* --- services of the graphs --- */

static uint64_t clock_ns(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}
static uint64_t now(void) { return clock_ns(CLOCK_MONOTONIC); }
static uint64_t wall(void) { return clock_ns(CLOCK_REALTIME); }

static struct nic *nic_find(const char *name) {
  for (unsigned i = 0; i < 2; i++) {
    if (strcmp(nics[i].nic.name, name) == 0) return &nics[i].nic;
  }
  return NULL;
}

static const struct services services = {.now = now, .wall = wall, .nic_find = nic_find, .pool = &pool};

/* --- what is measured --- */

static void make_graph(struct contender *c) {
  char source[160];
  snprintf(source, sizeof source, "FromDevice(eth0, BURST %u) -> %sQueue -> ToDevice(eth1, BURST %u);", c->burst,
           c->kind == KIND_GRAPH ? "count :: Counter -> " : "", c->burst);
  struct report report = {0};
  scheduler_init(&c->scheduler, 0);
  if (router_create("bench.click", slice_of(source), &services, &c->scheduler, &c->router, &report) != 0) {
    fail(text_string(&report.text));
  }
  report_free(&report);
}

/* The job itself: every frame is received, counted, and sent. */
static __attribute__((noinline)) void run_loop(struct contender *c, uint64_t packets) {
  struct nic *in = &nics[0].nic, *out = &nics[1].nic;
  uint64_t end = out->stats.tx_packets + packets;
  while (out->stats.tx_packets < end) {
    struct batch batch;
    batch.count = 0;
    if (in->ops->receive(in, 0, &batch, c->burst) == 0) fail("the loop ran out of packets");
    for (uint32_t i = 0; i < batch.count; i++) {
      c->count++;
      c->byte_count += batch.packet[i]->length;
    }
    out->ops->transmit(out, 0, batch.packet, batch.count);
  }
}

/* As a worker does: one reading of the clock a round. */
static __attribute__((noinline)) void run_graph(struct contender *c, uint64_t packets) {
  const struct nic *out = &nics[1].nic;
  uint64_t end = out->stats.tx_packets + packets;
  while (out->stats.tx_packets < end) {
    if (!scheduler_run(&c->scheduler, now())) fail("the graph ran out of packets");
  }
}

static double measure(struct contender *c, uint64_t packets) {
  uint64_t before = nics[1].nic.stats.tx_packets, started = now();
  if (c->kind == KIND_LOOP) {
    run_loop(c, packets);
  } else {
    run_graph(c, packets);
  }
  uint64_t took = now() - started;
  return (double)took / (double)(nics[1].nic.stats.tx_packets - before);
}

/* --- the figures --- */

static int compare(const void *a, const void *b) {
  const double *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

static double median(const double *values) {
  double sorted[ROUNDS];
  memcpy(sorted, values, sizeof sorted);
  qsort(sorted, ROUNDS, sizeof sorted[0], compare);
  return sorted[ROUNDS / 2];
}

/* What is compared was measured in the same round. */
static double median_ratio(const struct contender *a, const struct contender *b) {
  double ratio[ROUNDS];
  for (unsigned round = 0; round < ROUNDS; round++)
    ratio[round] = a->ns[round] / b->ns[round];
  return median(ratio);
}

static double median_difference(const struct contender *a, const struct contender *b) {
  double difference[ROUNDS];
  for (unsigned round = 0; round < ROUNDS; round++)
    difference[round] = a->ns[round] - b->ns[round];
  return median(difference);
}

static void print_row(const char *what, const struct contender *c, const struct contender *loop) {
  double ns = median(c->ns);
  printf("| %s | %u | %.1f | %.1f | %.2f |\n", what, c->burst, ns, 1000 / ns, median_ratio(c, loop));
}

static void print_table(struct contender contenders[BURSTS][KINDS]) {
  printf("| what | burst | ns a packet | Mpps | time, plain loop = 1 |\n|---|---:|---:|---:|---:|\n");
  for (unsigned b = 0; b < BURSTS; b++) {
    const struct contender *row = contenders[b];
    print_row("plain C loop", &row[KIND_LOOP], &row[KIND_LOOP]);
    print_row("FromDevice → Counter → Queue → ToDevice", &row[KIND_GRAPH], &row[KIND_LOOP]);
    print_row("the same without Counter", &row[KIND_GRAPH_WITHOUT_COUNTER], &row[KIND_LOOP]);
  }
  printf("\nCounter alone, as the difference of the graphs:");
  for (unsigned b = 0; b < BURSTS; b++) {
    const struct contender *row = contenders[b];
    printf(" %.1f ns a packet at burst %u%s", median_difference(&row[KIND_GRAPH], &row[KIND_GRAPH_WITHOUT_COUNTER]),
           bursts[b], b + 1 < BURSTS ? "," : ".\n");
  }
  printf("\nMedians of %d rounds in turns, %d packets of %d bytes each.\n", ROUNDS, PACKETS, FRAME_LENGTH);
}

/* What was measured did the job: its Counter has seen all that the NIC sent. */
static void check_count(struct contender *c, uint64_t sent) {
  uint64_t count = c->count;
  if (c->kind == KIND_GRAPH) {
    struct text value = {0};
    struct report report = {0};
    if (router_read(c->router, slice_of("count.count"), slice_of(""), &value, &report) != 0) {
      fail(text_string(&report.text));
    }
    count = strtoull(text_string(&value), NULL, 10);
    text_free(&value);
    report_free(&report);
  }
  if (c->kind != KIND_GRAPH_WITHOUT_COUNTER && count != sent) fail("packets were sent that were not counted");
}

int main(void) {
  static struct contender contenders[BURSTS][KINDS];
  static uint64_t sent[BURSTS][KINDS];
  if (packet_pool_init(&pool, POOL_PACKETS) != 0) fail("no memory for packets");
  for (unsigned i = 0; i < 2; i++) {
    if (memory_nic_init(&nics[i], i, &pool, FRAME_LENGTH) != 0) fail("the pool is too small for the NICs");
  }
  for (unsigned b = 0; b < BURSTS; b++) {
    for (unsigned k = 0; k < KINDS; k++) {
      struct contender *c = &contenders[b][k];
      c->kind = (enum kind)k;
      c->burst = bursts[b];
      if (k != KIND_LOOP) make_graph(c);
    }
  }
  for (unsigned round = 0; round < ROUNDS; round++) {
    for (unsigned b = 0; b < BURSTS; b++) {
      for (unsigned k = 0; k < KINDS; k++) {
        uint64_t before = nics[1].nic.stats.tx_packets;
        contenders[b][k].ns[round] = measure(&contenders[b][k], PACKETS);
        sent[b][k] += nics[1].nic.stats.tx_packets - before;
      }
    }
    fprintf(stderr, "counter: round %u of %d\n", round + 1, ROUNDS);
  }
  for (unsigned b = 0; b < BURSTS; b++) {
    for (unsigned k = 0; k < KINDS; k++)
      check_count(&contenders[b][k], sent[b][k]);
  }
  print_table(contenders);
  for (unsigned b = 0; b < BURSTS; b++) {
    for (unsigned k = 0; k < KINDS; k++) {
      if (contenders[b][k].router != NULL) router_destroy(contenders[b][k].router);
    }
  }
  for (unsigned i = 0; i < 2; i++)
    memory_nic_destroy(&nics[i]);
  packet_pool_destroy(&pool);
  return 0;
}
