/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libFuzzer target: handlers. Each line of the input is "r NAME PARAMETER" or "w NAME VALUE" for a graph of many classes. A refusal
 * says why, check agrees with what happens, and nothing is left over.
 */
#include <stdlib.h>

#include "click/router.h"

static uint64_t clock_now;
static uint64_t now(void) { return clock_now += 1000; }
static uint32_t random_number(void) { return 4; }
static void log_line(enum log_level level, const char *text, size_t length) {}
static struct nic *nic_find(const char *name) { return NULL; }
static struct slice file(const char *name) { return (struct slice){NULL, 0}; }
static void defer(struct deferred *node, void (*function)(struct deferred *)) { function(node); }
static void stop_driver(void) {}

static struct packet_pool pool;
static struct services services = {.now = now,
                                   .wall = now,
                                   .random = random_number,
                                   .log = log_line,
                                   .defer = defer,
                                   .nic_find = nic_find,
                                   .file = file,
                                   .stop_driver = stop_driver,
                                   .pool = &pool};
static const char graph[] = "Idle -> c :: Counter -> p :: Paint(1) -> w :: Switch -> q :: Queue(10) -> u :: Unqueue -> "
                            "Discard; w [1] -> Discard; f :: Script(TYPE PASSIVE, export x 1, return $(add $1 $x)); "
                            "d :: DriverManager(pause, wait 1s, loop); b :: ProgressBar(c.count, f.x); "
                            "any :: Script(TYPE PROXY, return $0:$args); "
                            "Idle -> n :: LinearIPLookup(10/8 1.2.3.4 1, 0/0 0) -> n0 :: Discard; n [1] -> n0; "
                            "Idle -> t :: RadixIPLookup(10/8 1.2.3.4 1, 0/0 0) -> n0; t [1] -> n0;";

static void one_line(struct router *router, struct slice line) {
  struct slice verb = slice_next_word(&line), name = slice_next_word(&line);
  struct report report = {0};
  struct text out = {0};
  bool write = slice_equals(verb, "w"), known = false;
  int allowed = router_check(router, name, write, &known);
  int status = write ? router_write(router, name, line, &report) : router_read(router, name, line, &out, &report);
  if (status < 0 && report.errors == 0) abort();
  if (allowed == -ERROR_NOT_FOUND && status == 0) abort();
  text_free(&out);
  report_free(&report);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) { return packet_pool_init(&pool, 64); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct scheduler scheduler;
  struct router *router;
  struct report report = {0};
  if (size > 4096) return 0;
  clock_now = 0;
  scheduler_init(&scheduler, 0);
  if (router_create("fuzz.click", slice_of(graph), &services, &scheduler, &router, &report) != 0) abort();
  report_free(&report);
  struct slice rest = {(const char *)data, size};
  while (rest.length > 0) {
    const char *end = memchr(rest.data, '\n', rest.length);
    size_t length = end ? (size_t)(end - rest.data) : rest.length;
    one_line(router, (struct slice){rest.data, length});
    scheduler_run(&scheduler, clock_now);
    rest.data += end ? length + 1 : length;
    rest.length -= end ? length + 1 : length;
  }
  if (router->handler_depth != 0) abort();
  router_destroy(router);
  if (scheduler_has_tasks(&scheduler) || scheduler_next_deadline(&scheduler) != UINT64_MAX) abort();
  if (pool.free_count != pool.capacity) abort();
  return 0;
}
