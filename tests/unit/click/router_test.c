/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of graphs: building, refusing, handlers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/click/test_elements.h"

/* A push chain is built, its peers are set, and taken down with one cleanup an element. */
static void builds_a_chain(void **state) {
  struct scheduler scheduler;
  test_cleanups = 0;
  struct router *router = test_router(&scheduler, "a :: TestSource -> TestPass -> b :: TestSink(3)");
  assert_int_equal(router->element_count, 3);
  struct element *a = router_find(router, "a"), *pass = router_find(router, "TestPass@2");
  struct element *b = router_find(router, "b");
  assert_ptr_equal(a->outputs[0].element, pass);
  assert_ptr_equal(pass->outputs[0].element, b);
  assert_ptr_equal(pass->inputs[0].element, a);
  assert_ptr_equal(b->inputs[0].element, pass);
  assert_false(pass->inputs[0].pull);
  assert_int_equal(((struct test_element *)b)->number, 3);
  assert_null(router_find(router, "c"));
  router_destroy(router);
  assert_int_equal(test_cleanups, 3);
}

/* Through agnostic elements pull spreads upstream from a pull input, and packets are pulled through `simple`. */
static void spreads_pull(void **state) {
  struct scheduler scheduler;
  struct router *router = test_router(
      &scheduler, "TestSource -> TestPass -> q :: TestQueue -> x :: TestPass -> y :: TestPass -> TestPullSink");
  assert_false(router_find(router, "TestPass@2")->outputs[0].pull);
  assert_true(router_find(router, "x")->inputs[0].pull);
  assert_true(router_find(router, "y")->outputs[0].pull);
  router_destroy(router);
}

/* Ports of an element whose flow code keeps them apart are settled one by one; those nothing settles are push. */
static void flow_codes_keep_ports_apart(void **state) {
  struct scheduler scheduler;
  struct router *router =
      test_router(&scheduler, "TestSource -> w :: TestWide; TestPullSource -> [1] w; w [0] -> TestSink;"
                              "w [1] -> TestPullSink; i :: TestApart -> n :: TestPass -> TestApart;"
                              "TestSource -> i2 :: TestApart -> TestPullSink");
  struct element *w = router_find(router, "w");
  assert_false(w->inputs[0].pull || w->outputs[0].pull);
  assert_true(w->inputs[1].pull && w->outputs[1].pull);
  assert_false(router_find(router, "n")->inputs[0].pull);
  assert_false(router_find(router, "i2")->inputs[0].pull);
  assert_true(router_find(router, "i2")->outputs[0].pull);
  router_destroy(router);
}

/* Every refusal has its text, and nothing remains. */
static void refuses_by_name(void **state) {
  static const struct {
    const char *source, *message;
  } cases[] = {
      {"TestSource -> TestPullSink",
       "fw.click:1: 'TestSource@1 :: TestSource' push output 0 connected to 'TestPullSink@2 :: TestPullSink' pull input 0; put a Queue between\n"
       "Router could not be initialized!\n"},
      {"TestPullSource -> TestSink",
       "fw.click:1: 'TestPullSource@1 :: TestPullSource' pull output 0 connected to 'TestSink@2 :: TestSink' push input 0; put an Unqueue between\n"
       "Router could not be initialized!\n"},
      {"TestSource\n-> n :: TestPass\n-> TestPullSink",
       "fw.click:2: agnostic 'n :: TestPass' in mixed context: push input 0, pull output 0\n"
       "Router could not be initialized!\n"},
      {"TestSource -> t :: TestSink; t [0] -> TestSink",
       "fw.click:1: 't :: TestSink' has no output 0; it has no outputs at all\n"},
      {"TestSource -> [2] p :: TestPass -> TestSink",
       "fw.click:1: 'p :: TestPass' has no input 2; the last is 0\nfw.click:1: 'p :: TestPass' input 0 unused; connect it\n"},
      {"p :: TestPass",
       "fw.click:1: 'p :: TestPass' input 0 unused; connect it\nfw.click:1: 'p :: TestPass' output 0 unused; connect it\n"},
      {"s :: TestSource; s -> TestSink;\ns -> TestSink",
       "fw.click:2: illegal reuse of 's :: TestSource' push output 0; put a Tee behind it\n"
       "Router could not be initialized!\n"},
      {"s :: TestPullSink; TestPullSource -> s;\nTestPullSource -> s",
       "fw.click:2: illegal reuse of 's :: TestPullSink' pull input 0; put a scheduler before it\n"
       "Router could not be initialized!\n"},
      {"TestSource -> TestSnik", "fw.click:1: unknown element class 'TestSnik'; did you mean 'TestSink'?\n"},
      {"TestSource -> Zzyzx(1); Zzyzx(2) -> TestSink",
       "fw.click:1: unknown element class 'Zzyzx' is not in this image; rebuild it with imago build\n"},
      {"snik :: TestSink; TestSource -> sink", "fw.click:1: undeclared element 'sink'; did you mean 'snik'?\n"},
      {"TestSource -> nowhere", "fw.click:1: undeclared element 'nowhere'; declare it: nowhere :: CLASS\n"},
      {"TestSource -> q :: TestSink(x, FLAG maybe);\nTestSource(WORD '') -> TestSink(1, 2)",
       "fw.click:1: While configuring 'q :: TestSink':\n  NUMBER: parse error\n"
       "  FLAG: parse error\n"
       "fw.click:2: While configuring 'TestSource@3 :: TestSource':\n  WORD: parse error\n"
       "fw.click:2: While configuring 'TestSink@4 :: TestSink':\n  too many arguments\n"
       "Router could not be initialized!\n"},
      {"TestSource -> q :: TestSink(WORD fail)", "fw.click:1: While initializing 'q :: TestSink':\n  told to fail\n"
                                                 "Router could not be initialized!\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char messages[2048];
    test_errors(cases[i].source, messages, sizeof messages);
    assert_string_equal(messages, cases[i].message);
  }
}

/* After a failed start every element made is cleaned up, and only once. */
static void failure_cleans_up(void **state) {
  char messages[512];
  test_cleanups = test_configures = 0;
  test_errors("TestSource -> TestPass -> TestSink(WORD fail)", messages, sizeof messages);
  assert_int_equal(test_configures, 3);
  assert_int_equal(test_cleanups, 3);
}

/* Connecting the same two ports twice is one connection, as in Click. */
static void repeated_connection_is_one(void **state) {
  struct scheduler scheduler;
  struct router *router = test_router(&scheduler, "a :: TestSource; b :: TestSink; a -> b; a -> b");
  router_destroy(router);
}

/* Standard and global handlers read as in Click. */
static void handlers_read(void **state) {
  static const struct {
    const char *name, *value;
  } cases[] = {
      {"list", "4\na\nq\nTestPass@3\nb\n"},
      {"b.name", "b"},
      {"4.name", "b"},
      {"b.class", "TestPullSink"},
      {"q.config", "7, FLAG true"},
      {"q.number", "7"},
      {"q.flag", "true"},
      {"q.ports", "1 input\npush\t0\ta [0]\n1 output\npull\t0\t[0] TestPass@3\n"},
      {"TestPass@3.ports", "1 input\npull~\t0\tq [0]\n1 output\npull~\t0\t[0] b\n"},
      {"b.drops", "odd 0\neven 0\n"},
      {"b.handlers",
       "seen\trw\nset\tw\nnumber\tr\nflag\tr\nclass\tr\nname\tr\nconfig\tr\nports\tr\nicounts\tr\nocounts\tr\n"
       "handlers\tr\ndrops\tr\n"},
      {"drops", "q.odd 2\ntotal 2\n"},
      {"requirements", "package \"x\"\n"},
      {"config", "require(package \"x\"); a :: TestSource -> q :: TestQueue(7, FLAG true) -> TestPass -> "
                 "b :: TestPullSink // end"},
      {"version", IMAGO_VERSION},
  };
  struct scheduler scheduler;
  struct router *router = test_router(&scheduler, cases[13].value);
  router_find(router, "q")->drops[0] = 2;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char value[1024];
    assert_int_equal(test_read(router, cases[i].name, value, sizeof value), 0);
    assert_string_equal(value, cases[i].value);
  }
  router_destroy(router);
}

/* What is not there, or not allowed, is told apart, and the message lists what there is. */
static void handlers_refuse(void **state) {
  static const struct {
    const char *name, *message;
    int code;
    bool element_known;
  } cases[] = {
      {"x.count", "no element named 'x'; read 'list' for those there are\n", -ERROR_NOT_FOUND, false},
      {"0.count", "no element named '0'; read 'list' for those there are\n", -ERROR_NOT_FOUND, false},
      {"3.count", "no element named '3'; read 'list' for those there are\n", -ERROR_NOT_FOUND, false},
      {"", "no handler named ''; read 'handlers' for those there are\n", -ERROR_NOT_FOUND, false},
      {".", "no element named ''; read 'list' for those there are\n", -ERROR_NOT_FOUND, false},
      {"b.",
       "no handler named ''; 'b' has: seen, set, number, flag, class, name, config, ports, icounts, ocounts, handlers, drops\n",
       -ERROR_NOT_FOUND, true},
      {"b.a\nb", "no handler has a name with such characters\n", -ERROR_NOT_FOUND, true},
      {"b.set", "handler 'b.set' is not readable\n", -ERROR_PERMISSION, true},
  };
  struct scheduler scheduler;
  struct router *router = test_router(&scheduler, "a :: TestSource -> b :: TestSink");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char message[256];
    bool known = !cases[i].element_known;
    assert_int_equal(test_read(router, cases[i].name, message, sizeof message), cases[i].code);
    assert_string_equal(message, cases[i].message);
    assert_int_equal(router_check(router, slice_of(cases[i].name), false, &known), cases[i].code);
    assert_int_equal(known, cases[i].element_known);
  }
  router_destroy(router);
}

/* Writing changes what is written to; a read-only handler is not written. */
static void handlers_write(void **state) {
  struct scheduler scheduler;
  struct router *router = test_router(&scheduler, "a :: TestSource -> b :: TestSink");
  struct report report = {0};
  char value[64];
  bool known;
  assert_int_equal(router_check(router, slice_of("b.set"), true, &known), 0);
  assert_int_equal(router_write(router, slice_of("b.set"), slice_of("12"), &report), 0);
  assert_int_equal(test_read(router, "b.seen", value, sizeof value), 0);
  assert_string_equal(value, "12");
  assert_int_equal(router_write(router, slice_of("b.name"), slice_of("c"), &report), -ERROR_PERMISSION);
  assert_int_equal(router_write(router, slice_of("list"), slice_of(""), &report), -ERROR_PERMISSION);
  assert_int_equal(router_write(router, slice_of("b.seen"), slice_of("x"), &report), -ERROR_INVALID);
  assert_string_equal(text_string(&report.text), "handler 'b.name' is not writable\n"
                                                 "handler 'list' is not writable\nseen: expected a number\n");
  report_free(&report);
  router_destroy(router);
}

/* Packets pushed in at one end arrive at the other, `simple` sees them all, drops are counted by reason. */
static void packets_move(void **state) {
  struct scheduler scheduler;
  struct packet_pool pool;
  assert_int_equal(packet_pool_init(&pool, 8), 0);
  struct router *router =
      test_router(&scheduler, "a :: TestSource -> n :: TestPass -> [1] b :: TestSink; TestSource -> b");
  struct batch batch = {.count = 0};
  element_push(router_find(router, "a"), 0, &batch);
  for (; batch.count < 3; batch.count++)
    batch.packet[batch.count] = packet_new(&pool);
  element_push(router_find(router, "a"), 0, &batch);
  assert_int_equal(((struct test_element *)router_find(router, "n"))->seen, 3);
  assert_int_equal(router_find(router, "b")->drops[0], 3);
  assert_int_equal(router_find(router, "b")->drops[1], 0);
  assert_int_equal(pool.free_count, 8);
  router_destroy(router);
  packet_pool_destroy(&pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(builds_a_chain),    cmocka_unit_test(spreads_pull),
      cmocka_unit_test(refuses_by_name),   cmocka_unit_test(flow_codes_keep_ports_apart),
      cmocka_unit_test(failure_cleans_up), cmocka_unit_test(repeated_connection_is_one),
      cmocka_unit_test(handlers_read),     cmocka_unit_test(handlers_refuse),
      cmocka_unit_test(handlers_write),    cmocka_unit_test(packets_move),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
