/* SPDX-License-Identifier: BSD-3-Clause
 *
 * In the order of click-undead: static decisions and Nulls go first, then whatever doesn't lie between a source and a sink, then
 * ports of schedulers and tees that lost their peers, and those that have one port left.
 */
#include "tools/click_undead.h"

#include "lib/memory.h"
#include "tools/click_graph.h"

enum { NONE = -1 };

struct undead {
  struct click_config *config;
  struct report *report;
  bool verbose;
  uint32_t original;          /* elements before Idles were added */
  bool *dead;                 /* by declaration */
  bool *gone;                 /* by connection */
  uint32_t *inputs, *outputs; /* ports that each live element must have */
};

static bool is_class(const struct undead *u, uint32_t element, const char *class) {
  return strcmp(u->config->declarations[element].class_name, class) == 0;
}

static void __attribute__((format(printf, 4, 5)))
note(struct undead *u, uint32_t element, const char *what, const char *format, ...) {
  if (!u->verbose) return;
  const struct click_declaration *d = &u->config->declarations[element];
  struct text more = {0};
  va_list arguments;
  va_start(arguments, format);
  text_addf_list(&more, format, arguments);
  va_end(arguments);
  report_note(u->report, "%s:%u: %s '%s :: %s'%s", d->at.file, d->at.line, what, d->name, d->class_name,
              text_string(&more));
  text_free(&more);
}

/* ---- connections ---- */

/* The connection at a port, at or behind `start`; NONE when there is no further. */
static int find_to(const struct undead *u, uint32_t element, uint32_t port, uint32_t start) {
  for (uint32_t i = start; i < u->config->connection_count; i++) {
    const struct click_connection *c = &u->config->connections[i];
    if (!u->gone[i] && c->to == element && c->to_port == port) return (int)i;
  }
  return NONE;
}

static int find_from(const struct undead *u, uint32_t element, uint32_t port, uint32_t start) {
  for (uint32_t i = start; i < u->config->connection_count; i++) {
    const struct click_connection *c = &u->config->connections[i];
    if (!u->gone[i] && c->from == element && c->from_port == port) return (int)i;
  }
  return NONE;
}

static uint32_t count_to(const struct undead *u, uint32_t element, uint32_t port) {
  uint32_t n = 0;
  for (int i = find_to(u, element, port, 0); i != NONE; i = find_to(u, element, port, (uint32_t)i + 1))
    n++;
  return n;
}

static void kill_element(struct undead *u, uint32_t element) {
  u->dead[element] = true;
  for (uint32_t i = 0; i < u->config->connection_count; i++) {
    const struct click_connection *c = &u->config->connections[i];
    if (c->from == element || c->to == element) u->gone[i] = true;
  }
}

/* What came to the element's input goes on to where `on` (a connection from it) leads; NONE: nowhere. */
static void skip_push(struct undead *u, uint32_t element, int on) {
  struct click_connection *all = u->config->connections;
  for (int i = find_to(u, element, 0, 0); i != NONE; i = find_to(u, element, 0, (uint32_t)i + 1)) {
    if (on == NONE) {
      u->gone[i] = true;
    } else {
      all[i].to = all[on].to;
      all[i].to_port = all[on].to_port;
    }
  }
  kill_element(u, element);
}

/* What was pulled from the element's output comes from where `from` (a connection to it) begins. */
static void skip_pull(struct undead *u, uint32_t element, int from) {
  struct click_connection *all = u->config->connections;
  for (int i = find_from(u, element, 0, 0); i != NONE; i = find_from(u, element, 0, (uint32_t)i + 1)) {
    if (from == NONE) {
      u->gone[i] = true;
    } else {
      all[i].from = all[from].from;
      all[i].from_port = all[from].from_port;
    }
  }
  kill_element(u, element);
}

/* ---- elements that decide nothing ---- */

static int static_choice(struct undead *u, uint32_t element) {
  const struct click_declaration *d = &u->config->declarations[element];
  struct slice text = slice_trim(slice_of(d->arguments));
  uint64_t port;
  if (text.length > 0 && text.data[0] == '-') return NONE; /* Click: no port at all */
  if (slice_to_u64(text, CLICK_MAX_PORTS, &port) == 0) return (int)port;
  report_error(u->report, ERROR_INVALID, "%s:%u: %s: bad configuration '%s(%s)'", d->at.file, d->at.line, d->name,
               d->class_name, d->arguments);
  return NONE;
}

static void remove_null(struct undead *u, uint32_t element) {
  int before = find_to(u, element, 0, 0), behind = find_from(u, element, 0, 0);
  if (count_to(u, element, 0) == 1) {
    skip_pull(u, element, before);
  } else {
    skip_push(u, element, behind);
  }
}

static void remove_decided(struct undead *u) {
  for (uint32_t i = 0; i < u->original; i++) {
    if (is_class(u, i, "StaticSwitch")) {
      int choice = static_choice(u, i);
      skip_push(u, i, choice == NONE ? NONE : find_from(u, i, (uint32_t)choice, 0));
    } else if (is_class(u, i, "StaticPullSwitch")) {
      int choice = static_choice(u, i);
      skip_pull(u, i, choice == NONE ? NONE : find_to(u, i, (uint32_t)choice, 0));
    } else if (is_class(u, i, "Null")) {
      remove_null(u, i);
    } else {
      continue;
    }
    note(u, i, "removing", "%s", "");
  }
}

/* ---- sources and sinks ---- */

enum { SOURCE = 1, SINK = 2, NEITHER = 4 };

/* Classes for which ports don't tell (the source flag of Click's classes). */
static const struct {
  const char *class;
  unsigned flags;
} known_ends[] = {
    {"Idle", NEITHER},
    {"FromDump", SOURCE},
    {"FromIPSummaryDump", SOURCE},
    {"InfiniteSource", SOURCE},
    {"RandomSource", SOURCE},
    {"RatedSource", SOURCE},
    {"TimedSource", SOURCE},
    {"ToDevice", SINK},
    {"ToDump", SINK},
    {"ToHost", SINK},
    {"ToIPSummaryDump", SINK},
    {"ChatterSocket", SOURCE | SINK},
    {"KernelTap", SOURCE | SINK},
    {"KernelTun", SOURCE | SINK},
    {"Socket", SOURCE | SINK},
};

static unsigned ends_of(const struct element *e) {
  for (size_t k = 0; k < sizeof known_ends / sizeof known_ends[0]; k++) {
    if (strcmp(e->class->name, known_ends[k].class) == 0) return known_ends[k].flags;
  }
  /* Whoever pushes without being pushed to, or pulls without being pulled from, does so by itself. */
  unsigned flags = 0;
  for (uint32_t p = 0; e->input_count == 0 && p < e->output_count; p++)
    flags |= e->outputs[p].pull ? 0 : SOURCE;
  for (uint32_t p = 0; e->output_count == 0 && p < e->input_count; p++)
    flags |= e->inputs[p].pull ? SINK : 0;
  return flags;
}

/* Source along connections, sink against them, until nothing changes. */
static void spread(const struct undead *u, unsigned *flags) {
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = 0; i < u->config->connection_count; i++) {
      const struct click_connection *c = &u->config->connections[i];
      if (u->gone[i]) continue;
      unsigned to = flags[c->to] & NEITHER ? 0 : flags[c->from] & SOURCE & ~flags[c->to];
      unsigned from = flags[c->from] & NEITHER ? 0 : flags[c->to] & SINK & ~flags[c->from];
      flags[c->to] |= to;
      flags[c->from] |= from;
      changed = changed || to != 0 || from != 0;
    }
  }
}

static int remove_unreached(struct undead *u, const struct router *graph) {
  unsigned *flags = memory_alloc((u->original + 1) * sizeof *flags);
  if (flags == NULL) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < u->original; i++) {
    flags[i] = ends_of(graph->elements[i]);
    if (u->dead[i]) continue;
    if (flags[i] & SOURCE) note(u, i, "source", "%s", "");
    if (flags[i] & SINK) note(u, i, "sink", "%s", "");
  }
  spread(u, flags);
  for (uint32_t i = 0; i < u->original; i++) {
    const struct element *e = graph->elements[i];
    bool information = e->input_count == 0 && e->output_count == 0;
    if (u->dead[i] || information || (flags[i] & (SOURCE | SINK)) == (SOURCE | SINK)) continue;
    note(u, i, "removing", "%s", flags[i] & SOURCE ? ": no sink behind it" : ": no source before it");
    kill_element(u, i);
  }
  memory_free(flags);
  return 0;
}

/* ---- schedulers and tees ---- */

/* Takes port `port` out of an element's inputs; those behind it move up. */
static void close_input(struct undead *u, uint32_t element, uint32_t port) {
  for (uint32_t i = 0; i < u->config->connection_count; i++) {
    struct click_connection *c = &u->config->connections[i];
    if (!u->gone[i] && c->to == element && c->to_port > port) c->to_port--;
  }
  u->inputs[element]--;
}

static void close_output(struct undead *u, uint32_t element, uint32_t port) {
  for (uint32_t i = 0; i < u->config->connection_count; i++) {
    struct click_connection *c = &u->config->connections[i];
    if (!u->gone[i] && c->from == element && c->from_port > port) c->from_port--;
  }
  u->outputs[element]--;
}

/* The configuration string without its argument number `drop`; NULL when memory is out. */
static char *without_argument(const char *arguments, uint32_t drop) {
  struct text left = {0};
  uint32_t number = 0;
  for (const char *at = arguments; *at != '\0'; number++) {
    const char *end = strchr(at, ',');
    struct slice argument = {at, end == NULL ? strlen(at) : (size_t)(end - at)};
    argument = slice_trim(argument);
    if (number != drop) text_addf(&left, "%s%.*s", left.length > 0 ? ", " : "", (int)argument.length, argument.data);
    if (end == NULL) break;
    at = end + 1;
  }
  char *copy = left.failed ? NULL : memory_copy_string(text_string(&left), left.length);
  text_free(&left);
  return copy;
}

static int set_arguments(struct click_declaration *d, char *arguments) {
  if (arguments == NULL) return -ERROR_NO_MEMORY;
  memory_free(d->arguments);
  d->arguments = arguments;
  return 0;
}

/* True when the element went. `weighted`: it has one argument a port. */
static int thin_scheduler(struct undead *u, uint32_t element, bool weighted, bool *went) {
  struct click_declaration *d = &u->config->declarations[element];
  for (uint32_t p = u->inputs[element]; p-- > 0;) {
    if (find_to(u, element, p, 0) != NONE) continue;
    if (weighted && set_arguments(d, without_argument(d->arguments, p)) != 0) return -ERROR_NO_MEMORY;
    close_input(u, element, p);
  }
  *went = u->inputs[element] == 1;
  if (*went) skip_pull(u, element, find_to(u, element, 0, 0));
  return 0;
}

static int thin_tee(struct undead *u, uint32_t element, bool pull, bool *went) {
  char number[16];
  for (uint32_t p = u->outputs[element]; p-- > (pull ? 1 : 0);) {
    if (find_from(u, element, p, 0) == NONE) close_output(u, element, p);
  }
  *went = u->outputs[element] == 1;
  if (*went && pull) skip_pull(u, element, find_to(u, element, 0, 0));
  if (*went && !pull) skip_push(u, element, find_from(u, element, 0, 0));
  format_text(number, sizeof number, "%u", u->outputs[element]);
  return set_arguments(&u->config->declarations[element], memory_copy_string(number, strlen(number)));
}

static int thin(struct undead *u) {
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = 0; i < u->original; i++) {
      bool went = false;
      int error = 0;
      if (u->dead[i]) continue;
      if (is_class(u, i, "StrideSched")) {
        error = thin_scheduler(u, i, true, &went);
      } else if (is_class(u, i, "RoundRobinSched") || is_class(u, i, "PrioSched") || is_class(u, i, "DRRSched")) {
        error = thin_scheduler(u, i, false, &went);
      } else if (is_class(u, i, "Tee") || is_class(u, i, "PullTee")) {
        error = thin_tee(u, i, is_class(u, i, "PullTee"), &went);
      }
      if (error != 0) return error;
      if (went) note(u, i, "removing redundant", "%s", "");
      changed = changed || went;
    }
  }
  return 0;
}

/* ---- what is left ---- */

/* Makes the Idle that takes the place of lost peers; its index, or a negative code. */
static int add_idle(struct undead *u) {
  struct click_config *config = u->config;
  char name[32];
  uint32_t number = config->declaration_count + 1;
  do {
    format_text(name, sizeof name, "Idle@%u", number++);
  } while (click_config_find(config, name) >= 0);
  struct click_declaration *grown =
      memory_resize(config->declarations, (config->declaration_count + 1) * sizeof *grown);
  if (grown == NULL) return -ERROR_NO_MEMORY;
  config->declarations = grown;
  config->declaration_capacity = config->declaration_count + 1;
  struct click_declaration *d = &grown[config->declaration_count];
  *d = (struct click_declaration){.name = memory_copy_string(name, strlen(name)),
                                  .class_name = memory_copy_string("Idle", 4),
                                  .arguments = memory_copy_string("", 0),
                                  .at = grown[0].at};
  return (int)config->declaration_count++;
}

static int connect_idle(struct undead *u, int *idle, bool input, uint32_t element, uint32_t port, uint32_t *used) {
  struct click_config *config = u->config;
  if (*idle < 0) *idle = add_idle(u);
  if (*idle < 0) return *idle;
  struct click_connection *grown = memory_resize(config->connections, (config->connection_count + 1) * sizeof *grown);
  if (grown == NULL) return -ERROR_NO_MEMORY;
  config->connections = grown;
  config->connection_capacity = config->connection_count + 1;
  const struct landmark at = config->declarations[element].at;
  grown[config->connection_count++] = input ? (struct click_connection){(uint32_t)*idle, used[0]++, element, port, at}
                                            : (struct click_connection){element, port, (uint32_t)*idle, used[1]++, at};
  return 0;
}

/* `connections` is how many there were before Idles came; `gone` has no entry for later ones. */
static int fill_blank_ports(struct undead *u) {
  int idle = NONE, error = 0;
  uint32_t used[2] = {0, 0}, connections = u->config->connection_count;
  struct undead before = *u;
  struct click_config snapshot = *u->config;
  before.config = &snapshot;
  for (uint32_t i = 0; i < u->original && error == 0; i++) {
    if (u->dead[i]) continue;
    for (uint32_t p = 0; p < u->inputs[i] && error == 0; p++) {
      snapshot.connections = u->config->connections;
      snapshot.connection_count = connections;
      if (find_to(&before, i, p, 0) == NONE) error = connect_idle(u, &idle, true, i, p, used);
    }
    for (uint32_t p = 0; p < u->outputs[i] && error == 0; p++) {
      snapshot.connections = u->config->connections;
      snapshot.connection_count = connections;
      if (find_from(&before, i, p, 0) == NONE) error = connect_idle(u, &idle, false, i, p, used);
    }
  }
  return error;
}

/* Drops the dead from the config's arrays. `connections`: how many have an entry in `gone`. */
static int compact(struct undead *u, uint32_t connections) {
  struct click_config *config = u->config;
  uint32_t *place = memory_alloc((config->declaration_count + 1) * sizeof *place), kept = 0;
  if (place == NULL) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < config->declaration_count; i++) {
    struct click_declaration *d = &config->declarations[i];
    if (i < u->original && u->dead[i]) {
      memory_free(d->name);
      memory_free(d->class_name);
      memory_free(d->arguments);
      continue;
    }
    place[i] = kept;
    config->declarations[kept++] = *d;
  }
  config->declaration_count = kept;
  kept = 0;
  for (uint32_t i = 0; i < config->connection_count; i++) {
    struct click_connection c = config->connections[i];
    if (i < connections && u->gone[i]) continue;
    c.from = place[c.from];
    c.to = place[c.to];
    config->connections[kept++] = c;
  }
  config->connection_count = kept;
  memory_free(place);
  return 0;
}

int click_undead(struct click_config *config, bool verbose, struct report *report) {
  struct undead u = {.config = config, .report = report, .verbose = verbose, .original = config->declaration_count};
  struct router graph = {0};
  uint32_t connections = config->connection_count;
  unsigned errors = report->errors;
  int error = click_graph_make(config, &graph, report);
  if (error != 0) goto done;
  error = -ERROR_NO_MEMORY;
  u.dead = memory_alloc(u.original + 1);
  u.gone = memory_alloc(connections + 1);
  u.inputs = memory_alloc((u.original + 1) * sizeof *u.inputs);
  u.outputs = memory_alloc((u.original + 1) * sizeof *u.outputs);
  if (u.dead == NULL || u.gone == NULL || u.inputs == NULL || u.outputs == NULL) goto done;
  for (uint32_t i = 0; i < u.original; i++) {
    u.inputs[i] = graph.elements[i]->input_count;
    u.outputs[i] = graph.elements[i]->output_count;
  }
  remove_decided(&u);
  error = report->errors > errors ? -ERROR_INVALID : remove_unreached(&u, &graph);
  if (error == 0) error = thin(&u);
  if (error == 0) error = fill_blank_ports(&u);
  if (error == 0) error = compact(&u, connections);
done:
  click_graph_free(&graph);
  memory_free(u.dead);
  memory_free(u.gone);
  memory_free(u.inputs);
  memory_free(u.outputs);
  return error;
}
