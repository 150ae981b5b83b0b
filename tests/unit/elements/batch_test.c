/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The property that batches rest on: a graph gives the same packets in the same order, whatever the size of the
 * batches.
 */
#include "tests/unit/elements/harness.h"

/* Paths split and meet again, through push and pull, every element that chooses an output among them. RandomSwitch chooses what the test's
 * random number says. */
static const char choices[] =
    "i :: Inject -> h :: HashSwitch(0, 1) -> r :: RoundRobinSwitch -> a :: Paint(1) -> t :: PaintTee(1) -> all :: Capture;"
    "h [1] -> s :: StrideSwitch(3, 1, 0) -> all; s [1] -> all; s [2] -> all; r [1] -> l :: CheckLength(3) -> all; l [1] -> all;"
    "r [2] -> w :: RandomSwitch -> all; w [1] -> all; t [1] -> all;"
    "j :: Inject -> c :: Classifier(0/61, 0/62, -) -> Paint(1) -> k :: CheckPaint(1) -> q :: Queue(150) -> all2 :: CheckLength(3) ->"
    "m :: CheckPaint(1) -> RandomSample(1) -> Strip(1) -> Unstrip(1) -> u :: Unqueue(ACTIVE false) -> rest :: Capture;"
    "c [1] -> Paint(2) -> k; k [1] -> q; c [2] -> e :: RandomSample(0) -> rest; e [1] -> q; q [1] -> over :: Capture;"
    "all2 [1] -> Discard; m [1] -> Discard";

static const char graph[] =
    "i :: Inject -> Counter -> c :: Classifier(0/61, 0/62, 0/63, 0/64);"
    "c [0] -> Paint(0) -> p :: PaintSwitch;"
    "c [1] -> Paint(1) -> p;"
    "c [2] -> Paint(255) -> p;"
    "c [3] -> Paint(9) -> p;"
    "p [0] -> all :: Capture; p [1] -> Null -> all;"
    "j :: Inject -> q :: Queue(200) -> Print(CONTENTS NONE) -> u :: Unqueue(ACTIVE false) -> k :: Classifier(!1/35, -);"
    "k [0] -> s :: Switch(0) -> rest :: Capture; k [1] -> rest;"
    "q [1] -> over :: Capture";

static void run(const char *graph_text, unsigned batch, const char *frames, struct text *result) {
  harness_start(graph_text);
  harness_inject("i", frames, batch);
  harness_inject("j", frames, batch);
  harness_expect_write("u.active", "true", 0);
  char burst[8];
  format_text(burst, sizeof burst, "%u", batch);
  harness_expect_write("u.burst", burst, 0);
  harness_run(300);
  static const char *const captures[] = {"all", "rest", "over"};
  for (size_t i = 0; i < sizeof captures / sizeof captures[0]; i++)
    text_addf(result, "%s: %s\n", captures[i], harness_captured(captures[i]));
  text_add(result, harness_read("drops"));
  text_add(result, text_string(&harness.log));
  harness_stop();
}

static void batch_size_changes_nothing(void **state) {
  static const char *const graphs[] = {graph, choices};
  static const unsigned sizes[] = {2, 3, 32, 255, 256};
  uint32_t random = 12345;
  for (unsigned round = 0; round < 8; round++) {
    struct text frames = {0}, expected = {0};
    for (unsigned i = 0; i < 300; i++) {
      random = random * 1103515245 + 12345;
      /* Later rounds change letters less often, so that runs get longer. */
      static char letter = 'a';
      if (i == 0 || (random >> 16) % (1 + 3 * (round / 2)) == 0) letter = (char)('a' + (random >> 20) % 5);
      text_addf(&frames, "%c%u ", letter, i);
    }
    run(graphs[round % 2], 1, text_string(&frames), &expected);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
      struct text result = {0};
      run(graphs[round % 2], sizes[i], text_string(&frames), &result);
      assert_string_equal(text_string(&result), text_string(&expected));
      text_free(&result);
    }
    text_free(&frames);
    text_free(&expected);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(batch_size_changes_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
