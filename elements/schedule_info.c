/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ScheduleInfo and StaticThreadSched: how often tasks run, and on which thread. Both fill in the router's placement when they are
 * configured, which is before any task is made.
 */
#include "click/router.h"
#include "lib/memory.h"

/* --- ScheduleInfo --- */

/* Invariant: names[0 .. count) and tickets[0 .. count) are the entries; names are relative to `scope`. */
struct schedule_info {
  struct element element;
  struct slice scope; /* of the element's own name: "a/b/", or empty */
  struct args names;
  uint32_t *tickets;
};

static bool in_scope(struct slice scope, struct slice name) {
  return name.length > scope.length && memcmp(name.data, scope.data, scope.length) == 0;
}

static struct slice scope_of(const char *name) {
  struct slice scope = slice_of(name);
  while (scope.length > 0 && scope.data[scope.length - 1] != '/')
    scope.length--;
  return scope;
}

static int add_entry(struct schedule_info *info, const char *text, struct report *report) {
  static const struct argument parameter = {"PARAM", ARGUMENT_FRACTION, 0, 0, "how often, against the default of 1", 0};
  struct args words = {0};
  uint64_t fraction = 0;
  int status = args_split_words(text, &words);
  if (status == 0 && words.count == 0) goto done;
  if (status == 0 && words.count != 2) {
    status = report_error(report, ERROR_INVALID, "expected 'ELEMENTNAME PARAM', got '%s'", text);
  }
  if (status == 0) status = args_parse_value(&info->element, &parameter, words.values[1], &fraction, report);
  if (status < 0) goto done;
  uint64_t tickets = fraction / (FRACTION_ONE / TICKETS_DEFAULT);
  info->tickets[info->names.count] = tickets < UINT32_MAX ? (uint32_t)tickets : UINT32_MAX;
  info->names.values[info->names.count++] = words.values[0];
  words.values[0] = NULL;
done:
  args_free(&words);
  return status;
}

/* How many levels of `id` the entry names: its compounds from outside, the element itself last. 0: it names something else. */
static unsigned levels_named(struct slice scope, const char *name, struct slice id) {
  size_t length = scope.length + strlen(name);
  if (length > id.length || memcmp(id.data + scope.length, name, length - scope.length) != 0) return 0;
  if (length < id.length && id.data[length] != '/') return 0;
  unsigned levels = 1;
  for (size_t i = 0; i < length; i++)
    levels += id.data[i] == '/';
  return levels;
}

enum { LEVELS_MAX = 64 }; /* of compounds; what lies deeper has the default */

/* The longest name that any ScheduleInfo of this scope has for the element, the latest of equal ones. */
static unsigned find_in_scope(const struct router *router, struct slice scope, struct slice id, uint32_t *tickets) {
  unsigned best = 0;
  for (uint32_t i = 0; i < router->element_count; i++) {
    const struct element *e = router->elements[i];
    if (strcmp(e->class->name, "ScheduleInfo") != 0) continue;
    const struct schedule_info *info = (const struct schedule_info *)e;
    if (info->scope.length != scope.length || memcmp(info->scope.data, scope.data, scope.length) != 0) continue;
    for (uint32_t n = 0; n < info->names.count; n++) {
      unsigned levels = levels_named(scope, info->names.values[n], id);
      if (levels < best || levels == 0) continue;
      best = levels;
      *tickets = info->tickets[n];
    }
  }
  return best;
}

/* Each level's factor times all others. Scopes are asked from the innermost out: what an outer one says about a level replaces what
 * inner ones said about it and about the levels around it. */
static uint64_t tickets_for(const struct router *router, const struct element *e) {
  uint32_t level[LEVELS_MAX];
  struct slice id = slice_of(e->name);
  unsigned count = levels_named(slice_of(""), e->name, id);
  if (count > LEVELS_MAX) return TICKETS_DEFAULT;
  for (unsigned i = 0; i < LEVELS_MAX; i++)
    level[i] = TICKETS_DEFAULT;
  for (struct slice scope = scope_of(e->name);;) {
    uint32_t tickets = 0;
    unsigned found = find_in_scope(router, scope, id, &tickets);
    for (unsigned i = 0; i + 1 < found; i++)
      level[i] = TICKETS_DEFAULT;
    if (found > 0) level[found - 1] = tickets;
    if (scope.length == 0) break;
    do {
      scope.length--;
    } while (scope.length > 0 && scope.data[scope.length - 1] != '/');
  }
  uint64_t product = level[0];
  for (unsigned i = 1; i < count && product <= TICKETS_MAX; i++)
    product = product * level[i] / TICKETS_DEFAULT;
  return product;
}

/* All elements anew with each ScheduleInfo: the last one configured knows all. Values that are too high are told once, by the
 * ScheduleInfo that makes them so. */
static void apply(struct schedule_info *info, struct report *report) {
  const struct router *router = info->element.router;
  for (uint32_t i = 0; i < router->element_count; i++) {
    struct placement *placement = &router->placement[i];
    if (!in_scope(info->scope, slice_of(router->elements[i]->name))) continue;
    uint64_t tickets = tickets_for(router, router->elements[i]);
    if (tickets > TICKETS_MAX) {
      if (placement->tickets != TICKETS_MAX) {
        report_warning(report, "ScheduleInfo too high; reduced to %d", TICKETS_MAX / TICKETS_DEFAULT);
      }
      tickets = TICKETS_MAX;
    }
    placement->tickets = tickets > 0 ? (uint32_t)tickets : 1;
  }
}

static int schedule_info_configure(struct element *e, const struct args *rest, struct report *report) {
  struct schedule_info *info = (struct schedule_info *)e;
  int status = 0;
  info->scope = scope_of(e->name);
  if (rest->count == 0) return 0;
  info->names.values = memory_alloc(rest->count * sizeof(char *));
  info->tickets = memory_alloc(rest->count * sizeof *info->tickets);
  if (info->names.values == NULL || info->tickets == NULL) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < rest->count; i++) {
    int error = add_entry(info, rest->values[i], report);
    if (error < 0) status = error;
  }
  if (status == 0) apply(info, report);
  return status;
}

static void schedule_info_cleanup(struct element *e) {
  struct schedule_info *info = (struct schedule_info *)e;
  args_free(&info->names);
  memory_free(info->tickets);
  info->tickets = NULL;
}

static const struct element_class schedule_info_class = {
    .name = "ScheduleInfo",
    .purpose = "says how often elements are scheduled",
    .ports = "0/0",
    .processing = "a/a",
    .size = sizeof(struct schedule_info),
    .example = "a :: InfiniteSource -> Discard; b :: InfiniteSource -> Discard; ScheduleInfo(a 2, b 0.5);",
    .manual =
        "Arguments are ELEMENT PARAM: the task of ELEMENT runs PARAM times as often as one of the default, 1; at most 32 "
        "times, at least 1/1024.\n\n"
        "The name of a compound element scales everything in it. A ScheduleInfo inside a compound element speaks of that "
        "compound's elements; one further out that names the same element overrides it.",
    .takes_rest = true,
    .configure = schedule_info_configure,
    .cleanup = schedule_info_cleanup,
};
ELEMENT(ScheduleInfo, schedule_info_class);

/* --- StaticThreadSched --- */

/* The element that `name` means, or all of that compound, from the scope of e outwards. False: there is none of that name. */
static bool place_all(const struct element *e, const char *name, uint32_t worker) {
  const struct router *router = e->router;
  struct slice scope = scope_of(e->name);
  for (;;) {
    bool any = false;
    for (uint32_t i = 0; i < router->element_count; i++) {
      struct slice id = slice_of(router->elements[i]->name);
      if (!in_scope(scope, id) || levels_named(scope, name, id) == 0) continue;
      router->placement[i].worker = worker;
      any = true;
    }
    if (any || scope.length == 0) return any;
    do {
      scope.length--;
    } while (scope.length > 0 && scope.data[scope.length - 1] != '/');
  }
}

static int place(struct element *e, const char *text, struct report *report) {
  static const struct argument thread = {"THREAD", ARGUMENT_I32, 0, 0, "its thread", 0};
  struct args words = {0};
  int32_t number = 0;
  int status = args_split_words(text, &words);
  if (status == 0 && words.count != 2) {
    status = report_error(report, ERROR_INVALID, "expected 'ELEMENT THREAD', got '%s'", text);
  }
  if (status == 0) status = args_parse_value(e, &thread, words.values[1], &number, report);
  if (status == 0 && (number < -1 || number >= (int32_t)router_workers(e->router))) {
    report_warning(report, "thread preference %d out of range", number);
    number = 0;
  }
  if (status == 0 && !place_all(e, words.values[0], number > 0 ? (uint32_t)number : 0)) {
    status = report_error(report, ERROR_NOT_FOUND, "ELEMENT: does not name an element");
  }
  args_free(&words);
  return status;
}

static int static_thread_sched_configure(struct element *e, const struct args *rest, struct report *report) {
  int status = 0;
  for (uint32_t i = 0; i < rest->count; i++) {
    int error = place(e, rest->values[i], report);
    if (error < 0) status = error;
  }
  return status;
}

static const struct element_class static_thread_sched_class = {
    .name = "StaticThreadSched",
    .purpose = "says on which thread elements run",
    .ports = "0/0",
    .processing = "a/a",
    .size = sizeof(struct element),
    .example = "FromDevice(eth0) -> q :: Queue -> u :: Unqueue -> Discard; StaticThreadSched(u 1);",
    .manual =
        "Arguments are ELEMENT THREAD: tasks and timers of ELEMENT run on that thread, from 0. -1 means any, which is thread "
        "0, as for elements that no StaticThreadSched names. The name of a compound element means everything in it. Of several that "
        "name an element, the last one counts.",
    .takes_rest = true,
    .configure = static_thread_sched_configure,
};
ELEMENT(StaticThreadSched, static_thread_sched_class);
