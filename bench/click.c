/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What elements cost: nanoseconds per packet on one core for 60-byte frames fresh from a pool, net of source and sink, beside plain C
 * loops that do the same job (rule lists: one rule after the other). For rule lists also the time and memory that loading takes. All
 * are run in turns, so that whatever else the machine does meets them alike, and what counts are the turns in which the core's other
 * thread, which may be another machine's, was quiet. Prints a table in Markdown.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/measure.h"
#include "click/router.h"

enum {
  FRAME_LENGTH = 60,
  FRAMES = 4096,
  BURST = 32,
  POOL_PACKETS = 1024,
  ROUNDS = 101,
  PACKETS = 1 << 14,      /* of one turn: short, so that neighbouring turns meet the same machine */
  WARM_PACKETS = 1 << 12, /* before it */
  QUIET_ROUNDS = 9,       /* so many make a figure; if there are fewer, all rounds do */
  LOADS = 9,
  MOST_RULES = 10000
};

struct five_tuple {
  uint32_t src, src_mask, dst, dst_mask;
  uint16_t port;
};

enum job { JOB_BASE, JOB_NULL, JOB_COUNTER, JOB_CLASSIFIER, JOB_MIRROR, JOB_CHECK, JOB_PORTS, JOB_TUPLES };

/* One thing that is measured, as a graph and as a plain loop. */
struct contender {
  const char *name;
  enum job job;
  unsigned rules;
  const char *graph; /* between source and sink; NULL: rules make it */
  bool skipped;
  bool mixed; /* frames are ARP requests and replies, IP and others, by chance */
  struct scheduler scheduler;
  struct router *router;
  double load_ms, memory_kib;
  double graph_ns[ROUNDS], plain_ns[ROUNDS]; /* net */
  double base_ns[ROUNDS];                    /* source and sink */
  double core[ROUNDS];                       /* measure_core around the turn, the lower one */
};

/* A round counts if the core did so much of the best that it did in any. */
static const double QUIET = 0.97;

static struct packet_pool pool;
static uint8_t frames[FRAMES][FRAME_LENGTH];
static struct five_tuple tuples[MOST_RULES];
static uint64_t plain_result[4]; /* what plain loops make, so that they are not optimised away */

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "click: %s\n", what);
  exit(1);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}
static struct nic *no_nic(const char *name) { return NULL; }
static const struct services services = {.now = now, .wall = now, .nic_find = no_nic, .pool = &pool};

static uint32_t seed = 1;
static uint32_t chance(uint32_t below) {
  seed = seed * 1664525 + 1013904223;
  return (uint32_t)((uint64_t)seed * below >> 32);
}

/* --- source and sink --- */

static void source_push(struct element *e, unsigned port, struct batch *batch) {}
static void sink_push(struct element *e, unsigned port, struct batch *batch) { batch_kill(batch); }
static const struct element_class source_class = {
    .name = "BenchSource", .ports = "0/1", .processing = "h/h", .size = sizeof(struct element), .push = source_push};
static const struct element_class sink_class = {
    .name = "BenchSink", .ports = "-/0", .processing = "h/h", .size = sizeof(struct element), .push = sink_push};
ELEMENT(BenchSource, source_class);
ELEMENT(BenchSink, sink_class);

/* --- rules and frames --- */

static void make_tuples(void) {
  for (unsigned i = 0; i < MOST_RULES; i++) {
    unsigned src = 16 + chance(17), dst = 16 + chance(17);
    struct five_tuple *t = &tuples[i];
    t->src_mask = UINT32_MAX << (32 - src);
    t->dst_mask = UINT32_MAX << (32 - dst);
    t->src = (10u << 24 | chance(1 << 24)) & t->src_mask;
    t->dst = (172u << 24 | chance(1 << 24)) & t->dst_mask;
    t->port = (uint16_t)chance(2048);
  }
}

/* Frames that the first `rules` rules of the kind match, each by chance. They repeat after so many that no branch predictor learns
 * them by heart. */
static void make_frames(const struct contender *c) {
  static const uint8_t start[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46};
  seed = 7;
  for (unsigned i = 0; i < FRAMES; i++) {
    unsigned rule = chance(c->rules ? c->rules : 1);
    const struct five_tuple *t = &tuples[rule];
    uint8_t *frame = frames[i];
    memset(frame, 0, FRAME_LENGTH);
    memcpy(frame, start, sizeof start);
    unsigned kind = c->mixed ? chance(4) : 2;
    if (kind != 2) {
      store_be16(frame + 12, kind == 3 ? 0x86dd : 0x0806);
      store_be16(frame + 20, (uint16_t)(kind + 1));
      continue;
    }
    frame[22] = 64;
    frame[23] = 6;
    store_be32(frame + 26, t->src | (chance(UINT32_MAX) & ~t->src_mask));
    store_be32(frame + 30, t->dst | (chance(UINT32_MAX) & ~t->dst_mask));
    uint32_t sum = 0;
    for (unsigned k = 14; k < 34; k += 2)
      sum += load_be16(frame + k);
    sum = (sum & 0xffff) + (sum >> 16);
    store_be16(frame + 24, (uint16_t) ~(sum + (sum >> 16)));
    store_be16(frame + 34, (uint16_t)(1024 + chance(60000)));
    store_be16(frame + 36, c->job == JOB_TUPLES ? t->port : (uint16_t)rule);
  }
}

static void add_rules(const struct contender *c, struct text *text) {
  text_add(text, "IPFilter(");
  for (unsigned i = 0; i < c->rules; i++) {
    const struct five_tuple *t = &tuples[i];
    if (c->job == JOB_PORTS) {
      text_addf(text, "allow tcp dst port %u,\n", i);
    } else {
      text_addf(text, "allow tcp && src net %u.%u.%u.%u/%u && dst net %u.%u.%u.%u/%u && dst port %u,\n", t->src >> 24,
                t->src >> 16 & 255, t->src >> 8 & 255, t->src & 255, (unsigned)__builtin_popcount(t->src_mask),
                t->dst >> 24, t->dst >> 16 & 255, t->dst >> 8 & 255, t->dst & 255,
                (unsigned)__builtin_popcount(t->dst_mask), t->port);
    }
  }
  text_add(text, "drop all)");
}

static double load_once(struct contender *c) {
  struct text text = {0};
  text_add(&text, "source :: BenchSource");
  if (c->rules) {
    text_add(&text, " -> ");
    add_rules(c, &text);
  } else {
    text_add(&text, c->graph);
  }
  text_add(&text, " -> sink :: BenchSink;");
  struct report report = {0};
  scheduler_init(&c->scheduler, 0);
  size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  uint64_t started = measure_busy();
  if (router_create("bench.click", (struct slice){text.data, text.length}, &services, &c->scheduler, &c->router,
                    &report) != 0) {
    fail(text_string(&report.text));
  }
  double load_ms = (double)(measure_busy() - started) / 1e6;
  c->memory_kib = (double)(mallinfo2().uordblks + mallinfo2().hblkhd - before) / 1024;
  report_free(&report);
  text_free(&text);
  return load_ms;
}

/* --- plain loops --- */

static inline unsigned classify_plain(const uint8_t *frame) {
  uint16_t type = load_be16(frame + 12);
  if (type == 0x0806 && load_be16(frame + 20) == 1) return 0;
  if (type == 0x0806 && load_be16(frame + 20) == 2) return 1;
  return type == 0x0800 ? 2 : 3;
}

static inline uint64_t check_plain(const uint8_t *ip, uint32_t length) {
  uint32_t sum = 0;
  if (length < 20 || ip[0] != 0x45 || load_be16(ip + 2) > length) return 0;
  for (unsigned k = 0; k < 20; k += 2)
    sum += load_le16(ip + k);
  sum = (sum & 0xffff) + (sum >> 16);
  return ((sum + (sum >> 16)) & 0xffff) == 0xffff;
}

static inline unsigned filter_plain(const struct contender *c, const uint8_t *ip) {
  if (ip[9] != 6 || (load_be16(ip + 6) & 0x1fff) != 0) return c->rules;
  uint32_t src = load_be32(ip + 12), dst = load_be32(ip + 16);
  uint16_t port = load_be16(ip + (ip[0] & 15) * 4 + 2);
  unsigned i = 0;
  for (; i < c->rules; i++) {
    const struct five_tuple *t = &tuples[i];
    if (c->job == JOB_PORTS ? port == i
                            : t->port == port && (src & t->src_mask) == t->src && (dst & t->dst_mask) == t->dst) {
      break;
    }
  }
  return i;
}

static void work_plain(const struct contender *c, struct packet *p) {
  switch (c->job) {
    case JOB_COUNTER:
      plain_result[0]++;
      plain_result[1] += p->length;
      break;
    case JOB_CLASSIFIER:
      plain_result[classify_plain(p->data)]++;
      break;
    case JOB_MIRROR: {
      uint8_t address[6];
      memcpy(address, p->data, 6);
      memcpy(p->data, p->data + 6, 6);
      memcpy(p->data + 6, address, 6);
      break;
    }
    case JOB_CHECK:
      plain_result[0] += check_plain(p->data + 14, p->length - 14);
      break;
    case JOB_PORTS:
    case JOB_TUPLES:
      plain_result[0] += filter_plain(c, p->data + 14);
      break;
    default:
      break;
  }
}

/* --- measuring --- */

static void make_batch(struct batch *batch, unsigned *frame) {
  for (unsigned i = 0; i < BURST; i++) {
    struct packet *p = packet_new(&pool);
    if (!p) fail("packets got lost");
    memcpy(p->data, frames[*frame], FRAME_LENGTH);
    p->length = FRAME_LENGTH;
    p->mac_header = (uint16_t)(p->data - (uint8_t *)p);
    p->network_header = (uint16_t)(p->mac_header + 14);
    *frame = (*frame + 1) % FRAMES;
    batch->packet[i] = p;
  }
  batch->count = BURST;
}

static double run(struct contender *c, bool plain, uint32_t packets) {
  struct element *source = router_find(c->router, "source");
  struct batch batch;
  unsigned frame = 0;
  uint32_t warm = packets < WARM_PACKETS ? packets : WARM_PACKETS;
  uint64_t started = measure_busy();
  for (uint32_t done = 0; done < packets + warm; done += BURST) {
    if (done == warm) started = measure_busy();
    make_batch(&batch, &frame);
    if (plain) {
      for (unsigned i = 0; i < BURST; i++)
        work_plain(c, batch.packet[i]);
      batch_kill(&batch);
    } else {
      scheduler_round_time = now(); /* as a worker does */
      element_push(source, 0, &batch);
    }
  }
  return (double)(measure_busy() - started) / packets;
}

static void load(struct contender *c) {
  double load_ms[LOADS];
  for (unsigned i = 0; i < LOADS; i++) {
    if (i > 0) router_destroy(c->router);
    load_ms[i] = load_once(c);
  }
  c->load_ms = measure_median(load_ms, LOADS);
}

/* Source and sink alone take their turns right beside each contender, with its frames. */
static void take_turn(struct contender *c, struct contender *base, unsigned round) {
  uint32_t plain_packets = c->rules > 100 ? PACKETS / 64 : PACKETS;
  make_frames(c);
  double before = measure_core();
  c->graph_ns[round] = -(c->base_ns[round] = run(base, false, PACKETS));
  c->graph_ns[round] += run(c, false, PACKETS);
  c->plain_ns[round] = -run(base, true, PACKETS);
  c->plain_ns[round] += run(c, true, plain_packets);
  double after = measure_core();
  c->core[round] = before < after ? before : after;
}

/* Moves the quiet rounds to the front, and returns how many there are; all of them, if they are too few. */
static unsigned choose_rounds(struct contender *c, double best_core) {
  unsigned quiet = 0;
  for (unsigned i = 0; i < ROUNDS; i++)
    quiet += c->core[i] >= QUIET * best_core;
  if (quiet < QUIET_ROUNDS) return ROUNDS;
  quiet = 0;
  for (unsigned i = 0; i < ROUNDS; i++) {
    if (c->core[i] < QUIET * best_core) continue;
    c->graph_ns[quiet] = c->graph_ns[i];
    c->plain_ns[quiet] = c->plain_ns[i];
    c->base_ns[quiet++] = c->base_ns[i];
  }
  return quiet;
}

static void print(struct contender *c, double best_core) {
  unsigned rounds = choose_rounds(c, best_core);
  double graph_ns = measure_median(c->graph_ns, rounds), plain_ns = measure_median(c->plain_ns, rounds);
  printf("| %s | %.1f | %.1f | ", c->name, graph_ns, plain_ns);
  if (plain_ns >= 0.5) {
    printf("%.2f", graph_ns / plain_ns);
  } else {
    printf("-");
  }
  printf(" | %.1f | %.1f | %.0f | %u |\n", measure_median(c->base_ns, rounds), c->load_ms, c->memory_kib,
         rounds == ROUNDS ? 0 : rounds);
}

/* The usual first element of a router: ARP requests, ARP replies, IP, the rest. */
#define CLASSIFIER_GRAPH                                               \
  " -> c :: Classifier(12/0806 20/0001, 12/0806 20/0002, 12/0800, -);" \
  "c[0] -> d :: BenchSink; c[1] -> d; c[3] -> d; c[2]"

int main(int argc, char **argv) {
  static struct contender contenders[] = {
      {.name = "source and sink", .job = JOB_BASE, .graph = ""},
      {.name = "Null", .job = JOB_NULL, .graph = " -> Null"},
      {.name = "Counter", .job = JOB_COUNTER, .graph = " -> Counter"},
      {.name = "Classifier, 4 patterns", .job = JOB_CLASSIFIER, .graph = CLASSIFIER_GRAPH},
      {.name = "Classifier, 4 patterns, frames mixed", .job = JOB_CLASSIFIER, .graph = CLASSIFIER_GRAPH, .mixed = true},
      {.name = "EtherMirror", .job = JOB_MIRROR, .graph = " -> EtherMirror"},
      {.name = "Strip, CheckIPHeader", .job = JOB_CHECK, .graph = " -> Strip(14) -> CheckIPHeader"},
      {.name = "IPFilter, 10 ports", .job = JOB_PORTS, .rules = 10},
      {.name = "IPFilter, 100 ports", .job = JOB_PORTS, .rules = 100},
      {.name = "IPFilter, 1,000 ports", .job = JOB_PORTS, .rules = 1000},
      {.name = "IPFilter, 10,000 ports", .job = JOB_PORTS, .rules = 10000},
      {.name = "IPFilter, 10 five-tuples", .job = JOB_TUPLES, .rules = 10},
      {.name = "IPFilter, 100 five-tuples", .job = JOB_TUPLES, .rules = 100},
      {.name = "IPFilter, 1,000 five-tuples", .job = JOB_TUPLES, .rules = 1000},
      {.name = "IPFilter, 10,000 five-tuples", .job = JOB_TUPLES, .rules = 10000},
  };
  enum { COUNT = sizeof contenders / sizeof *contenders };
  if (packet_pool_init(&pool, POOL_PACKETS) != 0) fail("no memory for packets");
  make_tuples();
  /* One by name, if asked for. */
  for (unsigned i = 1; i < COUNT && argc > 1; i++)
    contenders[i].skipped = strcmp(contenders[i].name, argv[1]) != 0;
  for (unsigned i = 0; i < COUNT; i++)
    if (!contenders[i].skipped) load(&contenders[i]);
  struct contender *base = &contenders[0];
  for (unsigned round = 0; round < ROUNDS; round++) {
    for (unsigned i = 0; i < COUNT; i++)
      if (!contenders[i].skipped) take_turn(&contenders[i], base, round);
  }
  double best_core = 0;
  for (unsigned i = 0; i < COUNT; i++) {
    for (unsigned round = 0; round < ROUNDS; round++)
      best_core = contenders[i].core[round] > best_core ? contenders[i].core[round] : best_core;
  }
  printf(
      "| what | ns a packet, net | plain C loop, net | time, plain loop = 1 | source and sink, ns | load, ms | memory, KiB | quiet rounds "
      "|\n");
  printf("|---|---:|---:|---:|---:|---:|---:|---:|\n");
  for (unsigned i = 1; i < COUNT; i++) {
    if (contenders[i].skipped) continue;
    print(&contenders[i], best_core);
  }
  printf(
      "\nMedians of the quiet ones of %d rounds in turns (of all, if less than %d were), %d packets of %d bytes each, %d at once. Quiet: the "
      "core did at least %.0f %% of the %.1f additions a nanosecond that it did at best.\n",
      ROUNDS, QUIET_ROUNDS, PACKETS, FRAME_LENGTH, BURST, QUIET * 100, best_core);
  for (unsigned i = 0; i < COUNT; i++)
    if (!contenders[i].skipped) router_destroy(contenders[i].router);
  packet_pool_destroy(&pool);
  return 0;
}
