/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libFuzzer target: the Click language. Whatever bytes come, they make a graph or messages; a graph reads its handlers and
 * is taken down again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "click/archive.h"
#include "click/router.h"
#include "lib/memory.h"

static uint64_t now(void) { return 0; }
static uint32_t random_number(void) { return 4; }
static void log_line(enum log_level level, const char *text, size_t length) {}
static struct nic *nic_find(const char *name) { return NULL; }
static struct slice file(const char *name) { return (struct slice){NULL, 0}; }
static void defer(struct deferred *node, void (*function)(struct deferred *)) { function(node); }

/* One library, which asks for itself, and one parameter. */
static int library(void *context, const char *name, const char *from, struct text *source, char **file,
                   struct report *report) {
  if (strcmp(name, "l") != 0) return -ERROR_NOT_FOUND;
  text_add(source, "require(library l) elementclass L { $x | input -> Paint($x) -> output }");
  *file = memory_copy_string("l", 1);
  return *file && !source->failed ? 0 : -ERROR_NO_MEMORY;
}

static const struct click_parameter parameter = {"given", "7"};
static const struct click_language language = {&parameter, 1, library, NULL};

static const struct services services = {.language = &language,
                                         .now = now,
                                         .wall = now,
                                         .random = random_number,
                                         .log = log_line,
                                         .defer = defer,
                                         .nic_find = nic_find,
                                         .file = file};

static void read_handlers(struct router *router) {
  static const char *const names[] = {"list", "drops", "handlers", "1.ports", "1.handlers", "1.config"};
  struct report report = {0};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct text out = {0};
    if (router_read(router, slice_of(names[i]), slice_of(""), &out, &report) == 0 && out.failed) abort();
    text_free(&out);
  }
  report_free(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice source = {(const char *)data, size};
  struct click_config config;
  struct report report = {0};
  if (click_archive_config("fuzz.click", source, &source, &report) != 0) {
    if (report.errors != 1) abort();
    report_free(&report);
    return 0;
  }
  int parsed = click_parse_with("fuzz.click", source, &language, &config, &report);
  if ((parsed == 0) != (report.errors == 0)) abort();
  report_free(&report);
  if (parsed) return 0;
  for (uint32_t i = 0; i < config.declaration_count; i++) {
    if (click_config_find(&config, config.declarations[i].name) != (int)i) abort();
  }
  click_config_free(&config);

  struct scheduler scheduler;
  struct router *router;
  scheduler_init(&scheduler, 0);
  int made = router_create("fuzz.click", source, &services, &scheduler, &router, &report);
  if ((made == 0) != (report.errors == 0)) abort();
  report_free(&report);
  if (made) return 0;
  read_handlers(router);
  router_destroy(router);
  if (!list_empty(&scheduler.tasks) || scheduler_next_deadline(&scheduler) != UINT64_MAX) abort();
  return 0;
}
