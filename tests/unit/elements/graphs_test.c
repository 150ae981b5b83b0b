/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The property that batches rest on, over graphs drawn at random: the same packets in the same order at every end, the same counts
 * at every port and the same drops, whether packets come one by one or 256 at once. (Issue 3: "any graph gives the same packets
 * with batch size 1 and 256".)
 *
 * What no implementation can promise is not drawn: clocks, dice, and ways that meet again after a Tee or between tasks, whose order
 * is that of the pushes and not of the packets. So each way has a tag, only ways of one tag meet again, and copies and tasks begin
 * new ones.
 */
#include <string.h>

#include "tests/unit/elements/harness.h"

enum { ENDS = 16, TAGS = 12, STEPS = 24, GRAPHS = 300, FRAMES = 60 };

/* An output that leads nowhere yet. */
struct end {
  unsigned element, port, tag;
  bool task; /* what comes here was pulled by a task */
};

struct ends {
  struct end end[ENDS];
  unsigned count;
};

struct drawing {
  struct text config;
  uint32_t random;
  unsigned elements, tags, captures;
  struct ends push, pull;
};

static unsigned draw(struct drawing *d, unsigned below) {
  d->random = d->random * 1664525 + 1013904223;
  return (d->random >> 8) % below;
}

static void add_end(struct ends *ends, struct end end) {
  assert_true(ends->count < ENDS);
  ends->end[ends->count++] = end;
}

static struct end take_end(struct drawing *d, struct ends *ends) {
  unsigned index = draw(d, ends->count);
  struct end end = ends->end[index];
  ends->end[index] = ends->end[--ends->count];
  return end;
}

static unsigned declare(struct drawing *d, const char *class) {
  text_addf(&d->config, "e%u :: %s;\n", d->elements, class);
  return d->elements++;
}

static void connect(struct drawing *d, struct end from, unsigned to, unsigned port) {
  text_addf(&d->config, "e%u [%u] -> [%u] e%u;\n", from.element, from.port, port, to);
}

/* Elements by what they do to the way: `outputs` of them continue it, `copies` more begin new ones. */
struct kind {
  const char *class;
  unsigned outputs, copies;
};

static const struct kind push_kinds[] = {
    {"Counter", 1, 0},
    {"Null", 1, 0},
    {"PushNull", 1, 0},
    {"Strip(1)", 1, 0},
    {"Truncate(2)", 1, 0},
    {"Paint(0)", 1, 0},
    {"Paint(1)", 1, 0},
    {"Paint(2)", 1, 0},
    {"Align(4, 2)", 1, 0},
    {"Print(x, CONTENTS NONE)", 1, 0},
    {"EtherMirror", 1, 0},
    {"CheckLength(3)", 2, 0},
    {"CheckLength(2)", 1, 0},
    {"CheckPaint(1)", 2, 0},
    {"CheckPaint(2)", 1, 0},
    {"PaintSwitch", 3, 0},
    {"Classifier(0/61, 0/62%f2, -)", 3, 0},
    {"Classifier(1/63, !0/61)", 2, 0},
    {"Switch(1)", 2, 0},
    {"StaticSwitch(0)", 2, 0},
    {"RoundRobinSwitch", 3, 0},
    {"StrideSwitch(2, 1)", 2, 0},
    {"HashSwitch(0, 1)", 2, 0},
    {"Tee", 0, 2},
    {"Tee", 0, 3},
    {"PaintTee(1)", 1, 1},
};

static const struct kind pull_kinds[] = {
    {"Counter", 1, 0},  {"Null", 1, 0},    {"PullNull", 1, 0},       {"Strip(1)", 1, 0},       {"Truncate(3)", 1, 0},
    {"Paint(1)", 1, 0}, {"PullTee", 1, 1}, {"CheckLength(2)", 1, 1}, {"CheckLength(3)", 1, 0},
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void draw_push(struct drawing *d) {
  const struct kind *kind = &push_kinds[draw(d, COUNT(push_kinds))];
  if (d->push.count + kind->outputs + kind->copies > ENDS || d->tags + kind->copies > TAGS) return;
  struct end from = take_end(d, &d->push);
  unsigned element = declare(d, kind->class);
  connect(d, from, element, 0);
  for (unsigned i = 0; i < kind->outputs; i++)
    add_end(&d->push, (struct end){element, i, from.tag, from.task});
  for (unsigned i = 0; i < kind->copies; i++)
    add_end(&d->push, (struct end){element, kind->outputs + i, d->tags++, from.task});
}

/* Two ways of one tag meet in an element that takes any number. */
static void draw_meeting(struct drawing *d) {
  if (d->push.count < 2) return;
  struct end a = take_end(d, &d->push), b = take_end(d, &d->push);
  if (a.tag != b.tag || a.task != b.task) {
    add_end(&d->push, a);
    add_end(&d->push, b);
    return;
  }
  unsigned element = declare(d, "Null");
  connect(d, a, element, 0);
  connect(d, b, element, 0);
  add_end(&d->push, (struct end){element, 0, a.tag, a.task});
}

/* Behind a task no queue: how full it gets would be a matter of turns. */
static void draw_queue(struct drawing *d) {
  static const char *const classes[] = {"Queue(7)", "Queue", "SimpleQueue(20)", "FrontDropQueue(9)",
                                        "NotifierQueue(30)"};
  if (d->pull.count == ENDS || d->tags == TAGS) return;
  struct end from = take_end(d, &d->push);
  if (from.task) {
    add_end(&d->push, from);
    return;
  }
  unsigned element = declare(d, classes[draw(d, COUNT(classes))]);
  connect(d, from, element, 0);
  if (draw(d, 2)) add_end(&d->push, (struct end){element, 1, d->tags++, false});
  add_end(&d->pull, (struct end){element, 0, 0, true});
}

static void draw_pull(struct drawing *d) {
  const struct kind *kind = &pull_kinds[draw(d, COUNT(pull_kinds))];
  if (d->push.count + kind->copies > ENDS || d->tags + kind->copies > TAGS) return;
  struct end from = take_end(d, &d->pull);
  unsigned element = declare(d, kind->class);
  connect(d, from, element, 0);
  add_end(&d->pull, (struct end){element, 0, 0, true});
  if (kind->copies) add_end(&d->push, (struct end){element, 1, d->tags++, true});
}

static void draw_scheduler(struct drawing *d) {
  static const char *const classes[] = {"RoundRobinSched", "PrioSched",     "StrideSched(3, 1)",
                                        "DRRSched(4)",     "PullSwitch(1)", "StaticPullSwitch(0)"};
  if (d->pull.count < 2) return;
  unsigned element = declare(d, classes[draw(d, COUNT(classes))]);
  connect(d, take_end(d, &d->pull), element, 0);
  connect(d, take_end(d, &d->pull), element, 1);
  add_end(&d->pull, (struct end){element, 0, 0, true});
}

static bool draw_unqueue(struct drawing *d) {
  if (d->push.count == ENDS) return false;
  unsigned element = declare(d, "Unqueue(ACTIVE false)");
  connect(d, take_end(d, &d->pull), element, 0);
  add_end(&d->push, (struct end){element, 0, d->tags++, true});
  return true;
}

static void finish(struct drawing *d) {
  do {
    while (d->push.count > 0) {
      text_addf(&d->config, "c%u :: Capture;\n", d->captures);
      struct end end = take_end(d, &d->push);
      text_addf(&d->config, "e%u [%u] -> c%u;\n", end.element, end.port, d->captures++);
    }
  } while (d->pull.count > 0 && draw_unqueue(d));
}

static void draw_graph(struct drawing *d, uint32_t seed) {
  *d = (struct drawing){.random = seed};
  add_end(&d->push, (struct end){declare(d, "Inject"), 0, d->tags++, false});
  for (unsigned step = 0; step < STEPS; step++) {
    unsigned what = draw(d, 10);
    if (d->push.count > 0 && what < 5) draw_push(d);
    if (d->push.count > 0 && what == 5) draw_meeting(d);
    if (d->push.count > 0 && what == 6) draw_queue(d);
    if (d->pull.count > 0 && what == 7) draw_pull(d);
    if (d->pull.count > 0 && what == 8) draw_scheduler(d);
    if (d->pull.count > 0 && what == 9 && d->tags < TAGS) draw_unqueue(d);
  }
  finish(d);
}

/* All that can be seen of a run. */
static void run(const struct drawing *d, const char *frames, unsigned batch, struct text *result) {
  char handler[32], burst[8];
  harness_start(text_string(&d->config));
  harness_inject("e0", frames, batch);
  format_text(burst, sizeof burst, "%u", batch);
  for (uint32_t i = 0; i < harness.router->element_count; i++) {
    const struct element *e = harness.router->elements[i];
    if (strcmp(e->class->name, "Unqueue") != 0) continue;
    format_text(handler, sizeof handler, "%s.burst", e->name);
    harness_expect_write(handler, burst, 0);
    format_text(handler, sizeof handler, "%s.active", e->name);
    harness_expect_write(handler, "true", 0);
  }
  harness_run(2 * FRAMES + 10); /* one packet a round is enough for all */
  for (unsigned i = 0; i < d->captures; i++) {
    format_text(handler, sizeof handler, "c%u", i);
    text_addf(result, "%s: %s\n", handler, harness_captured(handler));
  }
  text_add(result, harness_read("active_ports"));
  text_add(result, harness_read("active_port_stats"));
  text_add(result, harness_read("drops"));
  harness_stop();
}

static void draw_frames(struct drawing *d, struct text *frames) {
  for (unsigned i = 0; i < FRAMES; i++) {
    for (unsigned length = 1 + draw(d, 5); length > 0; length--)
      text_addf(frames, "%c", 'a' + draw(d, 4));
    text_add(frames, " ");
  }
}

static void batch_size_changes_nothing(void **state) {
  static const unsigned sizes[] = {2, 7, 32, 256};
  unsigned queues = 0, copies = 0, packets = 0;
  for (uint32_t seed = 1; seed <= GRAPHS; seed++) {
    struct drawing d;
    struct text frames = {0}, expected = {0};
    draw_graph(&d, seed * 2654435761u);
    draw_frames(&d, &frames);
    run(&d, text_string(&frames), 1, &expected);
    for (size_t i = 0; i < COUNT(sizes); i++) {
      struct text result = {0};
      run(&d, text_string(&frames), sizes[i], &result);
      if (strcmp(text_string(&result), text_string(&expected)) != 0)
        fail_msg("graph %u, batches of %u:\n%s\ngives\n%s\ninstead of\n%s", seed, sizes[i], text_string(&d.config),
                 text_string(&result), text_string(&expected));
      text_free(&result);
    }
    queues += strstr(text_string(&d.config), "Unqueue") != NULL;
    copies += strstr(text_string(&d.config), "Tee") != NULL;
    packets += strstr(text_string(&expected), ": \nc") == NULL;
    text_free(&frames);
    text_free(&expected);
    text_free(&d.config);
  }
  /* The drawing reaches what it is meant to. */
  assert_true(queues > GRAPHS / 3);
  assert_true(copies > GRAPHS / 3);
  assert_true(packets > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(batch_size_changes_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
