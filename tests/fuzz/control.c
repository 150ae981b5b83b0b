/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fuzzes ControlSocket sessions with a real router behind them. The first byte chooses into how large pieces the input is cut,
 * and how much output the client takes at a time.
 */
#include <stdlib.h>

#include "click/control_session.h"
#include "click/router.h"

static struct router *router;
static struct scheduler scheduler;

static uint64_t now(void) { return 1; }
static uint32_t chance(void) { return 4; }
static void log_nothing(enum log_level level, const char *text, size_t length) {}
static void run_at_once(struct deferred *node, void (*function)(struct deferred *node)) { function(node); }
static struct nic *no_nic(const char *name) { return NULL; }
static struct slice no_file(const char *name) { return (struct slice){NULL, 0}; }

static int do_read(void *context, struct slice name, struct slice parameter, struct text *out, struct report *report) {
  return router_read(router, name, parameter, out, report);
}

static int do_write(void *context, struct slice name, struct slice value, struct report *report) {
  return router_write(router, name, value, report);
}

static int do_check(void *context, struct slice name, bool write, bool *element_known) {
  return router_check(router, name, write, element_known);
}

static void require(bool condition) {
  if (!condition) abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  static struct version_floors floors;
  static const struct services services = {.now = now,
                                           .wall = now,
                                           .random = chance,
                                           .log = log_nothing,
                                           .defer = run_at_once,
                                           .nic_find = no_nic,
                                           .file = no_file,
                                           .floors = &floors};
  struct report report = {0};
  scheduler_init(&scheduler, 0);
  const char *source = "i :: Idle -> c :: Counter -> q :: Queue(10) -> u :: Unqueue -> Discard;";
  require(router_create("fuzz.click", slice_of(source), &services, &scheduler, &router, &report) == 0);
  report_free(&report);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct control_backend backend = {do_read, do_write, do_check, NULL};
  static const size_t pieces[] = {1, 2, 7, 64, 1000, 1 << 20};
  if (size < 1) return 0;
  size_t piece = pieces[data[0] % 6];
  size_t drink = pieces[data[0] / 6 % 6];
  const char *at = (const char *)data + 1, *end = (const char *)data + size;
  struct control_session session = {0};
  control_session_init(&session, &backend);
  while (at < end && !control_session_closed(&session)) {
    size_t n = (size_t)(end - at) < piece ? (size_t)(end - at) : piece;
    size_t taken = control_session_input(&session, at, n);
    require(taken <= n);
    at += taken;
    /* No memory on promises: data come only from the input, and a reply starts only below the mark. */
    require(session.data.length <= size && session.line.length <= size && session.line.length <= CONTROL_LINE_MAX);
    struct slice output = control_session_output(&session);
    require(taken > 0 || output.length > 0); /* it never stands still */
    control_session_sent(&session, output.length < drink ? output.length : drink);
  }
  control_session_free(&session);
  return 0;
}
