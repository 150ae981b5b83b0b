/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The system around the elements under test.
 */
#include "tests/unit/elements/harness.h"

#include <stdlib.h>
#include <string.h>

struct harness harness;
static struct text captured, value;
static struct report messages;

/* --- services --- */

static uint64_t now(void) { return harness.now += harness.tick; }
static uint64_t wall(void) { return 1700000000123456000 + harness.now; }
static uint32_t random_number(void) { return 0x1234567; }
static void log_line(enum log_level level, const char *text, size_t length) {
  text_add_bytes(&harness.log, text, length);
  text_add(&harness.log, "\n");
}
static void defer(struct deferred *node, void (*function)(struct deferred *node)) {
  node->function = function;
  node->next = harness.deferred;
  harness.deferred = node;
}
static struct nic *nic_find(const char *name) {
  for (unsigned i = 0; i < HARNESS_NICS; i++) {
    if (strcmp(harness.nic[i].nic.name, name) == 0) return &harness.nic[i].nic;
  }
  return NULL;
}
static void stop_driver(void) { harness.stops++; }
static struct slice file(const char *name) {
  for (size_t i = 0; i < sizeof harness.files / sizeof harness.files[0]; i++) {
    if (harness.files[i].name && strcmp(harness.files[i].name, name) == 0) return harness.files[i].bytes;
  }
  return (struct slice){NULL, 0};
}

/* --- the NIC --- */

static unsigned receive(struct nic *nic, unsigned queue, struct batch *batch, unsigned max) {
  struct memory_nic *memory = CONTAINER_OF(nic, struct memory_nic, nic);
  unsigned count = 0;
  while (count < max) {
    struct slice word = slice_next_word(&memory->incoming);
    if (word.length == 0) break;
    batch->packet[batch->count++] = packet_new_from(nic->pool, word.data, word.length);
    count++;
  }
  return count;
}
static unsigned transmit(struct nic *nic, unsigned queue, struct packet **packets, unsigned count) {
  struct memory_nic *memory = CONTAINER_OF(nic, struct memory_nic, nic);
  if (count > memory->most_sent) memory->most_sent = count;
  unsigned taken = count < memory->accept ? count : memory->accept;
  for (unsigned i = 0; i < taken; i++) {
    if (packets[i]->data[0] == '!') {
      nic_refuse(nic, packets[i]);
      continue;
    }
    text_add_bytes(&memory->sent, packets[i]->data, packets[i]->length);
    text_add(&memory->sent, " ");
    packet_kill(packets[i]);
  }
  return taken;
}
static unsigned transmit_room(struct nic *nic, unsigned queue) {
  return CONTAINER_OF(nic, struct memory_nic, nic)->room;
}
static const struct nic_ops ops = {.receive = receive, .transmit = transmit, .transmit_room = transmit_room};

/* --- Inject and Capture --- */

struct capture {
  struct element element;
  uint32_t count;
  struct packet *packet[HARNESS_FRAMES];
};

static void capture_push(struct element *e, unsigned port, struct batch *batch) {
  struct capture *c = (struct capture *)e;
  for (uint32_t i = 0; i < batch->count; i++)
    c->packet[c->count++] = batch->packet[i];
}
static void capture_forget(struct element *e) {
  struct capture *c = (struct capture *)e;
  while (c->count > 0)
    packet_kill(c->packet[--c->count]);
}
static const struct element_class inject_class = {
    .name = "Inject", .ports = "0/1", .processing = "h/h", .size = sizeof(struct element), .push = capture_push};
static const struct element_class capture_class = {.name = "Capture",
                                                   .ports = "1-/0",
                                                   .processing = "h/h",
                                                   .size = sizeof(struct capture),
                                                   .cleanup = capture_forget,
                                                   .push = capture_push};
ELEMENT(Inject, inject_class);
ELEMENT(Capture, capture_class);

/* --- the system --- */

void harness_open(void) {
  memset(&harness, 0, sizeof harness);
  assert_int_equal(packet_pool_init(&harness.pool, HARNESS_PACKETS), 0);
  harness.services = (struct services){.now = now,
                                       .wall = wall,
                                       .random = random_number,
                                       .log = log_line,
                                       .defer = defer,
                                       .nic_find = nic_find,
                                       .pool = &harness.pool,
                                       .file = file,
                                       .stop_driver = stop_driver,
                                       .floors = &harness.floors,
                                       .allow_unproven = true};
  for (unsigned i = 0; i < HARNESS_NICS; i++) {
    struct memory_nic *m = &harness.nic[i];
    m->nic = (struct nic){
        .ops = &ops, .mac = {'n', 'e', 'm', 'e', 'm', 'e'}, .index = (uint8_t)i, .queues = 1, .pool = &harness.pool};
    format_text(m->nic.name, sizeof m->nic.name, "eth%u", i);
    m->room = m->accept = BATCH_MAX;
  }
  scheduler_init(&harness.scheduler, 0);
}

void harness_build(const char *config) {
  struct report report = {0};
  if (router_create("test.click", slice_of(config), &harness.services, &harness.scheduler, &harness.router, &report)) {
    fail_msg("refused: %s", text_string(&report.text));
  }
  assert_string_equal(text_string(&report.text), "");
  report_free(&report);
}

void harness_start(const char *config) {
  harness_open();
  harness_build(config);
}

void harness_quiesce(void) {
  while (harness.deferred) {
    struct deferred *node = harness.deferred;
    harness.deferred = node->next;
    node->function(node);
  }
}

void harness_stop(void) {
  if (harness.router) router_destroy(harness.router);
  harness.router = NULL;
  harness_quiesce();
  assert_true(list_empty(&harness.scheduler.tasks));
  for (unsigned i = 0; i < HARNESS_NICS; i++)
    text_free(&harness.nic[i].sent);
  text_free(&harness.log);
  text_free(&captured);
  text_free(&value);
  report_free(&messages);
  assert_int_equal(harness.pool.free_count, harness.pool.capacity);
  packet_pool_destroy(&harness.pool);
}

void harness_refuses(const char *config, const char *message) {
  harness_open();
  struct report report = {0};
  if (router_create("test.click", slice_of(config), &harness.services, &harness.scheduler, &harness.router, &report) ==
      0) {
    fail_msg("accepted: %s", config);
  }
  if (!strstr(text_string(&report.text), message)) {
    fail_msg("%s\nsays: %s\nwithout: %s", config, text_string(&report.text), message);
  }
  report_free(&report);
  harness.router = NULL;
  harness_stop();
}

/* Both graphs use the one scheduler: nobody runs it meanwhile. */
static int make_beside(const char *config, struct router **next) {
  report_free(&messages);
  messages = (struct report){0};
  return router_create_beside(harness.router, "next.click", slice_of(config), &harness.services, &harness.scheduler,
                              next, &messages);
}

void harness_replace(const char *config) {
  struct router *next, *old = harness.router;
  if (make_beside(config, &next)) fail_msg("refused: %s", text_string(&messages.text));
  router_replace(old, next, &messages);
  router_destroy(old);
  harness.router = next;
}

void harness_refuses_beside(const char *config, const char *message) {
  struct router *next;
  if (make_beside(config, &next) == 0) fail_msg("accepted: %s", config);
  if (!strstr(harness_message(), message)) fail_msg("%s\nsays: %s\nwithout: %s", config, harness_message(), message);
}

void harness_inject(const char *name, const char *frames, unsigned batch) {
  struct element *e = router_find(harness.router, name);
  struct slice rest = slice_of(frames);
  struct batch b = {.count = 0};
  for (;;) {
    struct slice word = slice_next_word(&rest);
    if (word.length > 0) {
      b.packet[b.count] = packet_new_from(&harness.pool, word.data, word.length);
      assert_non_null(b.packet[b.count]);
      b.count++;
    }
    if (b.count == batch || word.length == 0) {
      element_push(e, 0, &b);
      b.count = 0;
    }
    if (word.length == 0) return;
  }
}

const char *harness_captured(const char *name) {
  struct element *e = router_find(harness.router, name);
  struct capture *c = (struct capture *)e;
  text_clear(&captured);
  for (uint32_t i = 0; i < c->count; i++) {
    text_add_bytes(&captured, c->packet[i]->data, c->packet[i]->length);
    text_add(&captured, " ");
  }
  capture_forget(e);
  return text_string(&captured);
}

struct packet *harness_last(const char *name) {
  struct capture *c = (struct capture *)router_find(harness.router, name);
  assert_true(c->count > 0);
  return c->packet[c->count - 1];
}

void harness_run(unsigned rounds) {
  for (unsigned i = 0; i < rounds; i++)
    scheduler_run(&harness.scheduler, harness.now);
}

void harness_run_until(uint64_t end, uint64_t step) {
  while (harness.now < end) {
    harness.now += step;
    scheduler_run(&harness.scheduler, harness.now);
  }
}

void harness_run_until_idle(void) {
  for (unsigned rounds = 0; scheduler_run(&harness.scheduler, harness.now); rounds++)
    assert_in_range(rounds, 0, 100000);
}

unsigned harness_live_until(uint64_t end) {
  for (unsigned sleeps = 0;; sleeps++) {
    do {
      harness_run_until_idle();
    } while (!scheduler_sleep(&harness.scheduler));
    scheduler_awake(&harness.scheduler);
    uint64_t next = scheduler_next_deadline(&harness.scheduler);
    if (scheduler_polls(&harness.scheduler) && next > harness.now + 100000) next = harness.now + 100000;
    if (harness.now >= end) return sleeps;
    harness.now = next < end ? next : end;
  }
}

const char *harness_read_with(const char *handler, const char *parameter) {
  text_clear(&value);
  struct report report = {0};
  if (router_read(harness.router, slice_of(handler), slice_of(parameter), &value, &report)) {
    fail_msg("%s %s: %s", handler, parameter, text_string(&report.text));
  }
  report_free(&report);
  return text_string(&value);
}

const char *harness_read(const char *handler) { return harness_read_with(handler, ""); }

void harness_expect_refusal(const char *handler, const char *parameter, int status, const char *message) {
  struct report report = {0};
  int got = router_read(harness.router, slice_of(handler), slice_of(parameter), &value, &report);
  if (got != status || strstr(text_string(&report.text), message) == NULL) {
    fail_msg("%s %s gives %d: %s", handler, parameter, got, text_string(&report.text));
  }
  report_free(&report);
}

unsigned long long harness_number(const char *handler) { return strtoull(harness_read(handler), NULL, 10); }

int harness_write(const char *handler, const void *bytes, size_t length) {
  report_free(&messages);
  messages = (struct report){0};
  return router_write(harness.router, slice_of(handler), (struct slice){bytes, length}, &messages);
}

const char *harness_message(void) { return text_string(&messages.text); }

void harness_expect_write(const char *handler, const char *text, int status) {
  int got = harness_write(handler, text, strlen(text));
  if (got != status) fail_msg("%s %s gives %d: %s", handler, text, got, harness_message());
}
