/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Element classes of the unit tests, and a system around them.
 */
#include "tests/unit/click/test_elements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/memory.h"

unsigned test_cleanups, test_configures;

static const struct argument arguments[] = {
    {"NUMBER", ARGUMENT_U32, ARGUMENT_POSITIONAL, offsetof(struct test_element, number), "a number"},
    {"WORD", ARGUMENT_WORD, 0, offsetof(struct test_element, word), "a word; 'fail' makes initialize fail"},
    {"FLAG", ARGUMENT_BOOL, 0, offsetof(struct test_element, flag), "a flag"},
    {0}};

static const char *const drops[] = {"odd", "even", NULL};

static int read_seen(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                     struct report *report) {
  text_addf(out, "%llu%.*s", (unsigned long long)((struct test_element *)owner)->seen, (int)parameter.length,
            parameter.data);
  return 0;
}

static int write_seen(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  int result = slice_to_u64(value, UINT64_MAX, &((struct test_element *)owner)->seen);
  return result ? report_error(report, ERROR_INVALID, "seen: expected a number") : 0;
}

static const struct handler handlers[] = {
    {.name = "seen", .read = read_seen, .write = write_seen},
    {.name = "set", .write = write_seen},
    {.name = "number", .read = handler_read_u32, .offset = offsetof(struct test_element, number)},
    {.name = "flag", .read = handler_read_bool, .offset = offsetof(struct test_element, flag)},
    {0}};

static int configure(struct element *e, const struct args *rest, struct report *report) {
  ((struct test_element *)e)->configured = true;
  test_configures++;
  return 0;
}

static int initialize(struct element *e, struct report *report) {
  struct test_element *t = (struct test_element *)e;
  t->initialized = true;
  if (t->word && strcmp(t->word, "fail") == 0) return report_error(report, ERROR_STATE, "told to fail");
  return 0;
}

static void cleanup(struct element *e) { test_cleanups++; }

static void push(struct element *e, unsigned port, struct batch *batch) {
  ((struct test_element *)e)->seen += batch->count;
  if (e->output_count) {
    element_push(e, 0, batch);
  } else {
    element_drop_batch(e, port % 2 ? 0 : 1, batch);
  }
}

static void pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  if (e->input_count) element_pull(e, 0, batch, max);
}

static void simple(struct element *e, struct batch *batch) { ((struct test_element *)e)->seen += batch->count; }

#define COMMON                                                                                       \
  .size = sizeof(struct test_element), .arguments = arguments, .handlers = handlers, .drops = drops, \
  .configure = configure, .initialize = initialize, .cleanup = cleanup
#define TEST_ELEMENT(NAME, PORTS, PROCESSING, FLOW, ...)                                           \
  static const struct element_class NAME##_class = {                                               \
      .name = #NAME, .ports = PORTS, .processing = PROCESSING, .flow = FLOW, COMMON, __VA_ARGS__}; \
  ELEMENT(NAME, NAME##_class)

TEST_ELEMENT(TestSource, "0/1-", "h", NULL, .push = push);
TEST_ELEMENT(TestSink, "1-/0", "h", NULL, .push = push);
TEST_ELEMENT(TestPullSource, "0/1-", "l", NULL, .pull = pull);
TEST_ELEMENT(TestPullSink, "1/0", "l", NULL);
TEST_ELEMENT(TestQueue, "1-/1", "h/l", NULL, .push = push, .pull = pull);
TEST_ELEMENT(TestUnqueue, "1/1", "l/h", NULL);
TEST_ELEMENT(TestPass, "1/1", "a", NULL, .simple = simple);
TEST_ELEMENT(TestWide, "-/=", "a/a", "#/#", .push = push, .pull = pull);
TEST_ELEMENT(TestApart, "-/-", "a/a", "x/y", .push = push, .pull = pull);

static const struct services services = {0};

struct router *test_router(struct scheduler *scheduler, const char *source) {
  struct report report = {0};
  struct router *router = NULL;
  scheduler_init(scheduler, 0);
  int result = router_create("fw.click", slice_of(source), &services, scheduler, &router, &report);
  if (result) fail_msg("refused: %s", text_string(&report.text));
  assert_string_equal(text_string(&report.text), "");
  report_free(&report);
  return router;
}

int test_errors(const char *source, char *buffer, size_t size) {
  struct report report = {0};
  struct router *router = NULL;
  struct scheduler scheduler;
  scheduler_init(&scheduler, 0);
  int result = router_create("fw.click", slice_of(source), &services, &scheduler, &router, &report);
  if (result == 0) fail_msg("accepted: %s", source);
  assert_null(router);
  assert_true(report.errors > 0);
  format_text(buffer, size, "%s", text_string(&report.text));
  report_free(&report);
  return result;
}

int test_read(struct router *router, const char *name, char *buffer, size_t size) {
  struct text out = {0};
  struct report report = {0};
  int result = router_read(router, slice_of(name), slice_of(""), &out, &report);
  format_text(buffer, size, "%s", result ? text_string(&report.text) : text_string(&out));
  text_free(&out);
  report_free(&report);
  return result;
}
