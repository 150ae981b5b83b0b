/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of Message, Error and ProgressBar, by Click's manual pages of those names.
 */
#include <string.h>

#include "click/host.h"
#include "tests/unit/elements/harness.h"

static struct text errors;
static unsigned columns;

static void host_print(const char *text, size_t length) {}
static void host_error(const char *text, size_t length) { text_add_bytes(&errors, text, length); }
static unsigned host_columns(void) { return columns; }
static const struct host host = {.print = host_print, .error = host_error, .error_columns = host_columns};

/* What the report of a configuration that is accepted says. */
static void expect_report(const char *config, const char *expected) {
  struct report report = {0};
  harness_open();
  assert_int_equal(
      router_create("test.click", slice_of(config), &harness.services, &harness.scheduler, &harness.router, &report),
      0);
  assert_non_null(strstr(text_string(&report.text), expected));
  report_free(&report);
  harness_stop();
}

/* Message prints its text; WARNING marks it; ERROR refuses the configuration (Message(n), DESCRIPTION). */
static void messages(void **state) {
  expect_report("Message(\"a, b\")", "  a, b\n");
  expect_report("Message(a, MESSAGE)", "  a\n");
  expect_report("Message(old, WARNING)", "  warning: old\n");
  harness_refuses("Message(\"no way\", ERROR)", "  no way\n");
  harness_refuses("Message(a, LOUD)", "unrecognized message type 'LOUD'");
  harness_refuses("Message()", "MESSAGE");
}

/* Error takes anything and fails to initialize (Error(n), DESCRIPTION). */
static void error_element(void **state) {
  harness_refuses("Error", "an Error element never initializes");
  harness_refuses("Error(any, thing at all, 7)", "an Error element never initializes");
  harness_refuses("i :: Inject -> e :: Error(x) -> Capture; Inject -> [1] e", "an Error element never initializes");
}

/* The bar's line, with and without a size (ProgressBar(n), EXAMPLES): Click draws 80 columns less what stands before the bar and 25. */
static void draws(void **state) {
  static const struct {
    const char *arguments;
    unsigned seconds; /* that pass before the second line */
    const char *position, *line;
  } cases[] = {
      {"s.pos, s.size", 3, "23874560",
       "\r 74% |************************************             | 23315KB    00:01 ETA"},
      {"s.pos, s.size, BANNER \"x y\"", 3, "23874560",
       "\rx y  74% |*********************************            | 23315KB    00:01 ETA"},
      {"s.pos", 1, "5308416", "\r|                           ***                        |  5184KB    --:-- ETA"},
      {"s.pos s.pos, s.size", 1, "8000000",
       "\r 49% |************************                         | 15625KB    00:01 ETA"},
      {"s.pos, s.size", 1, "unknown",
       "\r  -% |-------------------------------------------------| -----      --:-- ETA"},
      {"s.pos, s.size", 6, "0", "\r  0% |                                                 |     0    - stalled -"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char config[256], set[64];
    harness_open();
    harness.services.host = &host;
    columns = 80;
    format_text(config, sizeof config,
                "s :: Script(TYPE PASSIVE, export pos 0, export size 32200000); p :: ProgressBar(%s)",
                cases[i].arguments);
    harness_build(config);
    harness_run(1);
    text_clear(&errors);
    format_text(set, sizeof set, "pos %s", cases[i].position);
    harness_expect_write("s.set", set, 0);
    harness.now += cases[i].seconds * 1000000000ull;
    harness_run(1);
    if (strcmp(text_string(&errors), cases[i].line) != 0)
      fail_msg("%s draws\n'%s'", cases[i].arguments, text_string(&errors));
    harness_stop();
    text_free(&errors);
  }
}

/* The handlers (ProgressBar(n), HANDLERS). */
static void bar_handlers(void **state) {
  harness_open();
  harness.services.host = &host;
  columns = 40;
  harness_build("s :: Script(TYPE PASSIVE, export pos 5, export size 10); p :: ProgressBar(s.pos, s.size, UPDATE 0.5)");
  assert_string_equal(harness_read("p.active"), "true");
  assert_string_equal(harness_read("p.poshandler"), "s.pos");
  assert_string_equal(harness_read("p.sizehandler"), "s.size");
  assert_string_equal(harness_read("p.position"), "5");
  assert_string_equal(harness_read("p.size"), "10");
  harness_expect_write("p.banner", "hi", 0);
  assert_string_equal(harness_read("p.banner"), "hi");
  harness_expect_write("p.poshandler", "s.nothing", -ERROR_NOT_FOUND);
  harness_expect_write("p.poshandler", "s.size", 0);
  harness_run(1);
  assert_non_null(strstr(text_string(&errors), "hi 100% |"));
  text_clear(&errors);
  harness_expect_write("p.mark_done", "", 0);
  assert_string_equal(text_string(&errors), "\rhi 100% |******|    10      00:00    \n");
  assert_string_equal(harness_read("p.active"), "false");
  text_clear(&errors);
  harness.now += 1000000000;
  harness_run(1);
  assert_string_equal(text_string(&errors), "");
  harness_expect_write("p.reset", "", 0);
  harness_run(1);
  assert_non_null(strstr(text_string(&errors), "ETA"));
  harness_expect_write("p.mark_stopped", "", 0);
  assert_string_equal(harness_read("p.active"), "false");
  harness_expect_write("p.active", "maybe", -ERROR_INVALID);
  harness_expect_write("p.active", "true", 0);
  assert_string_equal(harness_read("p.active"), "true");
  harness_stop();
  text_free(&errors);
}

/* In the background, or without a terminal, nothing is drawn; an image logs the last line. */
static void draws_nothing(void **state) {
  harness_open();
  harness.services.host = &host;
  columns = 0;
  harness_build("ProgressBar(version)");
  harness_run(1);
  assert_string_equal(text_string(&errors), "");
  harness_stop();
  harness_start("s :: Script(TYPE PASSIVE, export pos 5); p :: ProgressBar(s.pos, s.pos)");
  harness_run(1);
  assert_string_equal(text_string(&harness.log), "");
  harness_expect_write("p.mark_done", "", 0);
  assert_non_null(strstr(text_string(&harness.log), "100% |****"));
  harness_stop();
  harness_refuses("ProgressBar()", "POSHANDLER");
  harness_refuses("ProgressBar(nothing.at)", "no read handler 'nothing.at'");
  harness_refuses("ProgressBar(version, UPDATE 0)", "UPDATE");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages),     cmocka_unit_test(error_element), cmocka_unit_test(draws),
      cmocka_unit_test(bar_handlers), cmocka_unit_test(draws_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
