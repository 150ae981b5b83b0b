/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The base of route lookup elements; see route_table.h. Texts of errors are Click's (iproutetable.cc).
 */
#include "elements/route_table.h"

#include "elements/route_fib.h"

#include "click/router.h"
#include "elements/run.h"
#include "lib/memory.h"

enum { COMPLAINTS = 5, SHOWN = 100 };
enum command { COMMAND_ADD, COMMAND_SET, COMMAND_REMOVE };

const char *const route_table_drops[] = {"no_route", NULL};

/* --- packets --- */

static void complain(struct route_table *t, uint32_t address) {
  if (__atomic_load_n(&t->complaints, __ATOMIC_RELAXED) >= COMPLAINTS ||
      __atomic_fetch_add(&t->complaints, 1, __ATOMIC_RELAXED) >= COMPLAINTS)
    return;
  struct text line = {0};
  text_addf(&line, "%s: no route for ", t->element.class->name);
  address_ip_text(&line, address);
  t->element.services->log(LOG_WARNING, text_string(&line), line.length);
  text_free(&line);
}

void route_table_push(struct element *e, unsigned port, struct batch *batch) {
  struct route_table *t = (struct route_table *)e;
  uint32_t outputs[BATCH_MAX], addresses[BATCH_MAX];
  const struct route *routes[BATCH_MAX];
  for (uint32_t i = 0; i < batch->count; i++)
    addresses[i] = annotation_u32(batch->packet[i], ANNOTATION_DST_IP);
  routes_lookup_all(&t->routes, addresses, routes, batch->count);
  for (uint32_t i = 0; i < batch->count; i++) {
    outputs[i] = routes[i] != NULL ? (uint32_t)routes[i]->port : e->output_count;
    if (routes[i] == NULL) {
      complain(t, addresses[i]);
    } else if (routes[i]->gateway != 0) {
      annotation_set_u32(batch->packet[i], ANNOTATION_DST_IP, routes[i]->gateway);
    }
  }
  run_split(e, batch, outputs);
}

/* --- one route --- */

/* `where` stands in front of the message. */
static int check_port(const struct element *e, const struct route *route, int32_t least, const char *where,
                      struct report *report) {
  if (route->port >= least && (route->port < 0 || (uint32_t)route->port < e->output_count)) return 0;
  if (e->output_count == 0) return report_error(report, ERROR_INVALID, "%sbad OUTPUT; connect an output", where);
  return report_error(report, ERROR_INVALID, "%sbad OUTPUT; the last that is connected is %u", where,
                      e->output_count - 1);
}

/* Says why a change of the table failed. */
static int explain(const struct route_table *t, int status, const struct route *route, const struct route *old,
                   struct report *report) {
  struct text text = {0};
  route_text(&text, status == -ERROR_EXISTS ? old : route, false);
  const char *shown = text_string(&text);
  switch (status) {
    case -ERROR_EXISTS:
      report_error(report, ERROR_EXISTS, "conflict with existing route '%s'", shown);
      break;
    case -ERROR_NOT_FOUND:
      report_error(report, ERROR_NOT_FOUND, "route '%s' not found", shown);
      break;
    case -ERROR_UNSUPPORTED:
      report_error(report, ERROR_UNSUPPORTED,
                   "the mask of route '%s' has holes, which %s does not have; use LinearIPLookup", shown,
                   t->element.class->name);
      break;
    default:
      report_error(report, ERROR_NO_MEMORY, "no memory to %s route '%s'", old->port >= 0 ? "remove" : "store", shown);
  }
  text_free(&text);
  return status;
}

/* --- configuration --- */

int route_table_configure(struct element *e, const struct args *rest, struct report *report) {
  struct route_table *t = (struct route_table *)e;
  int status = 0;
  unsigned replaced = 0;
  for (uint32_t i = 0; i < rest->count; i++) {
    struct route route, old;
    char where[32];
    format_text(where, sizeof where, "argument %u ", i + 1);
    int result = route_parse(e, slice_of(rest->values[i]), false, &route);
    if (result < 0) {
      report_error(report, ERROR_INVALID, "%sshould be 'ADDR/MASK [GATEWAY] OUTPUT'", where);
    } else {
      result = check_port(e, &route, 0, where, report);
      if (result == 0) {
        result = routes_add(&t->routes, &route, true, &old);
        if (result < 0) explain(t, result, &route, &old, report);
        if (old.port >= 0) replaced++;
      }
    }
    if (result < 0) status = result;
  }
  if (replaced > 0) {
    report_warning(report, "%u %s replaced by later versions", replaced, replaced > 1 ? "routes" : "route");
  }
  return status;
}

void route_table_cleanup(struct element *e) { routes_clear(&((struct route_table *)e)->routes); }

static void exchange(struct route_table *a, struct route_table *b) {
  struct routes routes = a->routes;
  a->routes = b->routes;
  b->routes = routes;
}

int route_table_reconfigure(struct element *e, struct element *next, struct report *report) {
  exchange((struct route_table *)e, (struct route_table *)next);
  ((struct route_table *)e)->changed = false;
  return 0;
}

/* Routes that handlers made stay, unless the file was changed to say others. */
void route_table_take_state(struct element *e, struct element *old, struct report *report) {
  struct route_table *from = (struct route_table *)old, *to = (struct route_table *)e;
  if (!from->changed) return;
  if (strcmp(e->config, old->config) != 0) {
    report_warning(report, "%s: routes that handlers changed are given up, as its configuration is another", e->name);
    return;
  }
  for (uint32_t i = 0; i < from->routes.used; i++) {
    if (from->routes.slots[i].port < (int32_t)e->output_count) continue;
    report_warning(report, "%s: routes that handlers changed are given up: one leads to output %d, which is no more",
                   e->name, from->routes.slots[i].port);
    return;
  }
  exchange(to, from);
  to->changed = true;
}

const struct routes *route_table_find(const struct element *context, const char *name) {
  const struct element *e = router_find_in(context, name);
  return e != NULL && e->class->handlers == route_table_handlers ? &((const struct route_table *)e)->routes : NULL;
}

int64_t route_table_fib_lookup(const struct element *e, const struct bpf_environment *environment,
                               struct bpf_fib_lookup *parameters, uint32_t flags) {
  return route_fib_lookup(&((const struct route_table *)e)->routes, environment, parameters, flags);
}

/* --- handlers that change routes --- */

/* What was done, in order, so that it can be undone: for COMMAND_ADD the route that came, else the one that was there. */
struct change {
  enum command command;
  struct route route;
};

struct journal {
  struct change *changes;
  uint32_t count, capacity;
};

static bool journal_reserve(struct journal *journal) {
  if (journal->count < journal->capacity) return true;
  uint32_t capacity = journal->capacity == 0 ? 16 : journal->capacity * 2;
  struct change *changes = memory_resize(journal->changes, capacity * sizeof *changes);
  if (changes == NULL) return false;
  journal->changes = changes;
  journal->capacity = capacity;
  return true;
}

static void journal_undo(struct journal *journal, struct routes *routes) {
  while (journal->count > 0) {
    const struct change *change = &journal->changes[--journal->count];
    struct route old;
    /* Neither can fail: undoing the last of several changes takes what memory they left (routes.h). */
    if (change->command == COMMAND_ADD) {
      (void)!routes_remove(routes, &change->route, &old);
    } else {
      (void)!routes_add(routes, &change->route, true, &old);
    }
  }
}

static int run_command(struct route_table *t, enum command command, struct slice text, struct journal *journal,
                       struct report *report) {
  struct route route, old = {.port = -1};
  bool removal = command == COMMAND_REMOVE;
  if (route_parse(&t->element, text, removal, &route) < 0) {
    return report_error(report, ERROR_INVALID, "expected 'ADDR/MASK [GATEWAY%s'", removal ? " OUTPUT]" : "] OUTPUT");
  }
  int status = check_port(&t->element, &route, removal ? -1 : 0, "", report);
  if (status < 0) return status;
  if (!journal_reserve(journal)) return explain(t, -ERROR_NO_MEMORY, &route, &old, report);
  status =
      removal ? routes_remove(&t->routes, &route, &old) : routes_add(&t->routes, &route, command == COMMAND_SET, &old);
  if (status < 0) return explain(t, status, &route, &old, report);
  journal->changes[journal->count++] =
      old.port >= 0 ? (struct change){command, old} : (struct change){COMMAND_ADD, route};
  t->changed = true;
  return 0;
}

static int write_route(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct journal journal = {0};
  int status = run_command(owner, (enum command)handler->offset, value, &journal, report);
  memory_free(journal.changes);
  return status;
}

/* Splits off a line, without the comment at its end. */
static struct slice next_line(struct slice *rest) {
  const char *end = rest->length > 0 ? memchr(rest->data, '\n', rest->length) : NULL;
  struct slice line = {rest->data, end != NULL ? (size_t)(end - rest->data) : rest->length};
  size_t taken = line.length + (end != NULL);
  *rest = (struct slice){rest->data + taken, rest->length - taken};
  for (size_t i = 0; i + 1 < line.length; i++) {
    if (line.data[i] == '/' && line.data[i + 1] == '/') line.length = i;
  }
  return line;
}

/* All lines, or none. */
static int write_ctrl(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  static const char *const words[] = {[COMMAND_ADD] = "add", [COMMAND_SET] = "set", [COMMAND_REMOVE] = "remove"};
  struct route_table *t = owner;
  struct journal journal = {0};
  bool changed = t->changed;
  int status = 0;
  while (value.length > 0 && status == 0) {
    struct slice line = next_line(&value), word = slice_next_word(&line);
    unsigned command = 0;
    if (word.length == 0) continue;
    while (command <= COMMAND_REMOVE && !slice_equals(word, words[command]))
      command++;
    if (command > COMMAND_REMOVE) {
      status = report_error(report, ERROR_INVALID, "bad command '%.*s'", word.length < SHOWN ? (int)word.length : SHOWN,
                            word.data);
    } else {
      status = run_command(t, (enum command)command, line, &journal, report);
    }
  }
  if (status < 0) {
    journal_undo(&journal, &t->routes);
    t->changed = changed;
  }
  memory_free(journal.changes);
  return status;
}

static int write_flush(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct route_table *t = owner;
  routes_clear(&t->routes);
  t->changed = true;
  return 0;
}

/* --- handlers that tell --- */

static int read_table(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  routes_text(out, &((const struct route_table *)owner)->routes);
  return 0;
}

static int read_lookup(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report) {
  const struct route_table *t = owner;
  uint32_t address;
  if (address_ip(&t->element, slice_trim(parameter), &address) < 0) {
    return report_error(report, ERROR_INVALID, "expected IP address");
  }
  const struct route *route = routes_lookup(&t->routes, address);
  text_addf(out, "%d", route != NULL ? route->port : -1);
  if (route != NULL && route->gateway != 0) {
    text_add(out, " ");
    address_ip_text(out, route->gateway);
  }
  return 0;
}

const struct handler route_table_handlers[] = {
    {.name = "table", .read = read_table, .help = "the routes: ADDR/MASK, GW or '-', OUT"},
    {.name = "lookup", .read = read_lookup, .help = "OUT and GW for the address given as parameter; -1: no route"},
    {.name = "add",
     .write = write_route,
     .offset = COMMAND_ADD,
     .help = "adds route ADDR/MASK [GW] OUT; an error where there is one for ADDR/MASK"},
    {.name = "set", .write = write_route, .offset = COMMAND_SET, .help = "as add, but replaces the one that is there"},
    {.name = "remove",
     .write = write_route,
     .offset = COMMAND_REMOVE,
     .help = "removes route ADDR/MASK, or ADDR/MASK [GW] OUT if it is that"},
    {.name = "ctrl",
     .write = write_ctrl,
     .help = "'add', 'set' or 'remove' and a route on each line; all of them are done, or none"},
    {.name = "flush", .write = write_flush, .help = "removes all routes"},
    {0}};
