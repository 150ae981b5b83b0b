/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of the handlers that every element and every graph has, with real elements. Formats are those of Click's click(1), global
 * handlers and element handlers.
 */
#include <string.h>

#include "lib/memory.h"
#include "tests/unit/elements/harness.h"

/* --- an element that can be reconfigured --- */

struct dial {
  struct element element;
  uint32_t value;
  char *label;
  void *memory; /* what configure takes, cleanup gives back: a leak would show */
};

static int dial_configure(struct element *e, const struct args *rest, struct report *report) {
  struct dial *d = (struct dial *)e;
  d->memory = memory_alloc(16);
  return d->value < 100 ? 0 : report_error(report, ERROR_INVALID, "VALUE: too large");
}
static int dial_reconfigure(struct element *e, struct element *next, struct report *report) {
  struct dial *d = (struct dial *)e, *n = (struct dial *)next;
  if (n->value == 13) return report_error(report, ERROR_INVALID, "VALUE: not while running");
  char *label = d->label;
  d->value = n->value;
  d->label = n->label;
  n->label = label;
  return 0;
}
static void dial_cleanup(struct element *e) {
  memory_free(((struct dial *)e)->memory);
  ((struct dial *)e)->memory = NULL;
}
static const struct argument dial_arguments[] = {
    {"VALUE", ARGUMENT_U32, ARGUMENT_POSITIONAL, offsetof(struct dial, value), ""},
    {"LABEL", ARGUMENT_STRING, 0, offsetof(struct dial, label), ""},
    {0}};
static const struct handler dial_handlers[] = {
    {.name = "value", .read = handler_read_u32, .offset = offsetof(struct dial, value)}, {0}};
static const struct element_class dial_class = {.name = "Dial",
                                                .ports = "0/0",
                                                .processing = "a/a",
                                                .size = sizeof(struct dial),
                                                .arguments = dial_arguments,
                                                .handlers = dial_handlers,
                                                .configure = dial_configure,
                                                .cleanup = dial_cleanup,
                                                .reconfigure = dial_reconfigure};
ELEMENT(Dial, dial_class);

/* Writing `config` changes a running element, or nothing of it; classes that cannot do it refuse by permission. */
static void reconfigures(void **state) {
  static const struct {
    const char *config;
    int status;
    const char *message, *value, *config_now;
  } cases[] = {
      {"8, LABEL x", 0, "", "8", "8, LABEL x"},
      {"x", -ERROR_INVALID, "VALUE: ", "8", "8, LABEL x"},
      {"100", -ERROR_INVALID, "VALUE: too large\n", "8", "8, LABEL x"},
      {"13", -ERROR_INVALID, "VALUE: not while running\n", "8", "8, LABEL x"},
      {"1, 2, 3", -ERROR_INVALID, "too many arguments", "8", "8, LABEL x"},
      {"", 0, "", "0", ""},
  };
  harness_start("d :: Dial(7, LABEL first); Idle -> c :: Counter -> Discard");
  assert_string_equal(harness_read("d.config"), "7, LABEL first");
  assert_non_null(strstr(harness_read("d.handlers"), "config\trw\n"));
  assert_non_null(strstr(harness_read("c.handlers"), "config\tr\n"));
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    harness_expect_write("d.config", cases[i].config, cases[i].status);
    if (strncmp(harness_message(), cases[i].message, strlen(cases[i].message)) != 0)
      fail_msg("'%s' says '%s'", cases[i].config, harness_message());
    assert_string_equal(harness_read("d.value"), cases[i].value);
    assert_string_equal(harness_read("d.config"), cases[i].config_now);
  }
  assert_int_equal(harness_write("d.config", "a\0b", 3), -ERROR_INVALID);
  harness_expect_write("c.config", "", -ERROR_PERMISSION);
  harness_stop();
}

/* icounts, ocounts and ports count the packets of each port, in push and pull, where paths join, and for any batch size. */
static void counts_packets(void **state) {
  for (unsigned batch = 1; batch <= 256; batch += 255) {
    harness_start(
        "i :: Inject; j :: Inject; i -> n :: Null; j -> n; n -> q :: Queue(3) -> m :: Null -> u :: Unqueue -> "
        "o :: Capture; q [1] -> o2 :: Capture");
    harness_inject("i", "a b c d", batch);
    harness_inject("j", "e", batch);
    harness_run(3);
    static const struct {
      const char *handler, *value;
    } cases[] = {
        {"i.icounts", ""},
        {"i.ocounts", "4\n"},
        {"j.ocounts", "1\n"},
        {"n.icounts", "5\n"},
        {"n.ocounts", "5\n"},
        {"q.icounts", "5\n"},
        {"q.ocounts", "3\n2\n"},
        {"m.icounts", "3\n"},
        {"m.ocounts", "3\n"},
        {"u.icounts", "3\n"},
        {"u.ocounts", "3\n"},
        {"o.icounts", "3\n"},
        {"o2.icounts", "2\n"},
        {"o2.ocounts", ""},
        {"n.ports", "1 input\npush~\t5\ti [0], j [0]\n1 output\npush~\t5\t[0] q\n"},
        {"m.ports", "1 input\npull~\t3\tq [0]\n1 output\npull~\t3\t[0] u\n"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
      if (strcmp(harness_read(cases[c].handler), cases[c].value) != 0)
        fail_msg("%s is '%s'", cases[c].handler, harness_read(cases[c].handler));
    harness_captured("o");
    harness_captured("o2");
    harness_stop();
  }
}

static int read_greeting(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                         struct report *report) {
  text_addf(out, "hello %s", (const char *)owner);
  return 0;
}

/* Global handlers: the graph's, behind those of the system, which elements may call as well. */
static void global_handlers(void **state) {
  static const struct handler system[] = {{.name = "greeting", .read = read_greeting}, {0}};
  harness_open();
  harness.services.handlers = system;
  harness.services.handlers_owner = (void *)(uintptr_t) "you";
  harness_build("a :: Idle -> b :: Counter -> Discard; s :: Script(TYPE PASSIVE, return $(greeting) $(.greeting))");
  assert_string_equal(harness_read("greeting"), "hello you");
  assert_string_equal(harness_read("s.run"), "hello you hello you");
  assert_string_equal(harness_read("list"), "4\na\nb\nDiscard@3\ns\n");
  assert_string_equal(harness_read("packages"), "");
  assert_string_equal(harness_read("driver"), "userlevel");
  assert_string_equal(harness_read("active_ports"), "a\to0\nb\to0\n");
  assert_string_equal(harness_read("active_port_stats"), "0\n0\n");
  assert_string_equal(harness_read("flatconfig"),
                      "a :: Idle;\nb :: Counter;\nDiscard@3 :: Discard;\n"
                      "s :: Script(TYPE PASSIVE, return $(greeting) $(.greeting));\n\na -> b\n    -> Discard@3;\n");
  assert_non_null(strstr(harness_read("classes"), "Counter\n"));
  assert_non_null(strstr(harness_read("handlers"), "flatconfig\tr\n"));
  harness_expect_write("greeting", "", -ERROR_PERMISSION);
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reconfigures),
      cmocka_unit_test(counts_packets),
      cmocka_unit_test(global_handlers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
