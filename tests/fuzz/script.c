/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libFuzzer target: Script. The input is the configuration of one Script; whatever it says, it makes a script or messages, runs for
 * a while, takes every step and handler, and is taken down again without a trace.
 */
#include <stdlib.h>

#include "click/host.h"
#include "click/router.h"

static uint64_t clock_now;
static uint64_t now(void) { return clock_now += 1000; }
static uint32_t random_number(void) { return 4; }
static void log_line(enum log_level level, const char *text, size_t length) {}
static struct nic *nic_find(const char *name) { return NULL; }
static struct slice file(const char *name) { return (struct slice){NULL, 0}; }
static void defer(struct deferred *node, void (*function)(struct deferred *)) { function(node); }
static void stop_driver(void) {}

static void print(const char *text, size_t length) {}
static int file_read(const char *name, struct text *out, struct report *report) {
  text_add(out, "a \"b\" $c\n");
  return 0;
}
static int file_write(const char *name, bool append, struct slice bytes, struct report *report) { return 0; }
static int signal_number(struct slice name) { return slice_equals(name, "INT") ? 2 : -1; }
static int signal_add(struct host_signal *signal, struct report *report) { return 0; }
static void signal_remove(struct host_signal *signal) {}
static int signal_send(int64_t process, int number, struct report *report) { return 0; }
static int64_t process_id(void) { return 1; }
static unsigned columns(void) { return 80; }

static const struct host host = {print,      print,         file_read,   file_write, signal_number,
                                 signal_add, signal_remove, signal_send, process_id, columns};
static const struct services services = {.now = now,
                                         .wall = now,
                                         .random = random_number,
                                         .log = log_line,
                                         .defer = defer,
                                         .nic_find = nic_find,
                                         .file = file,
                                         .stop_driver = stop_driver,
                                         .host = &host};

static void write_handler(struct router *router, const char *name, const char *value) {
  struct report report = {0};
  int status = router_write(router, slice_of(name), slice_of(value), &report);
  if (status < 0 && report.errors == 0) abort(); /* never without a reason */
  report_free(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct scheduler scheduler;
  struct router *router;
  struct report report = {0};
  struct text source = {0};
  if (size > 4096) return 0;
  clock_now = 0;
  scheduler_init(&scheduler, 0);
  text_add(&source, "Idle -> c :: Counter -> Discard; v :: Script(TYPE PASSIVE, return $1$2); s :: Script(");
  text_add_bytes(&source, data, size);
  text_add(&source, ");");
  int made =
      router_create("fuzz.click", (struct slice){source.data, source.length}, &services, &scheduler, &router, &report);
  if ((made == 0) != (report.errors == 0)) abort();
  report_free(&report);
  text_free(&source);
  if (made) return 0;
  for (int i = 0; i < 8; i++) {
    scheduler_run(&scheduler, clock_now);
    clock_now += 1000000000;
  }
  if (router_find(router, "s")) {
    write_handler(router, "s.step", "2");
    write_handler(router, "s.goto", "begin");
    write_handler(router, "s.run", "a \"b c\" 3");
  }
  (void)router_stop_asked(router);
  if (router->handler_depth != 0) abort();
  router_destroy(router);
  if (scheduler_has_tasks(&scheduler) || scheduler_next_deadline(&scheduler) != UINT64_MAX) abort();
  return 0;
}
