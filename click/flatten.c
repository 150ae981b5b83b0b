/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From the parsed source to the flat configuration. First every element gets its full name and its arguments, compound elements
 * becoming tunnels with their elements behind them; then connections are followed through the tunnels. Elements stand in Click's
 * order: those of the source, then those of its first compound, of what is inside that, and so on.
 */
#include "click/args.h"
#include "click/ast.h"
#include "click/variables.h"
#include "lib/memory.h"

enum {
  MAX_NODES = 16 * CLICK_MAX_ELEMENTS,    /* elements and tunnel ends */
  MAX_LINKS = 8 * CLICK_MAX_CONNECTIONS,  /* connections before tunnels are gone */
  MAX_STEPS = 64 * CLICK_MAX_CONNECTIONS, /* of following them */
  NO_NODE = UINT32_MAX,
};

/* An element, or the end of a tunnel: what enters it leaves at `pair`. */
struct node {
  char *name;
  const struct ast_element *element;
  const struct ast_class *class; /* of a compound still to be expanded */
  struct slice class_name;
  char *arguments;
  uint32_t pair;
  uint32_t declaration;
  bool tunnel;
};

struct flattener {
  struct click_config *config;
  struct report *report;
  struct node *nodes;
  uint32_t node_count, node_capacity;
  struct click_connection *links; /* between nodes */
  uint32_t link_count, link_capacity;
  struct name_table names;
  size_t expanded; /* bytes of arguments so far */
  unsigned depth;
  unsigned errors;
};

static void flattener_free(struct flattener *f) {
  for (uint32_t i = 0; i < f->node_count; i++) {
    memory_free(f->nodes[i].name);
    memory_free(f->nodes[i].arguments);
  }
  memory_free(f->nodes);
  memory_free(f->links);
  name_table_free(&f->names);
}

static bool reserve(void **items, uint32_t count, uint32_t *capacity, size_t size) {
  if (count < *capacity) return true;
  uint32_t larger = *capacity ? *capacity * 2 : 64;
  void *moved = memory_resize(*items, larger * size);
  if (!moved) return false;
  *items = moved;
  *capacity = larger;
  return true;
}

static int too_many(struct flattener *f, const struct landmark *at, const char *what, int limit) {
  report_error(f->report, ERROR_TOO_BIG, "%s:%u: more than %d %s", at->file, at->line, limit, what);
  return -ERROR_TOO_BIG;
}

/* --- nodes --- */

static int redeclared(struct flattener *f, const char *name, const struct landmark *at, uint32_t known) {
  const struct landmark *first = &f->nodes[known].element->at;
  report_error(f->report, ERROR_INVALID, "%s:%u: redeclaration of element '%s'", at->file, at->line, name);
  report_note(f->report, "%s:%u: element '%s' previously declared here", first->file, first->line, name);
  return -ERROR_INVALID;
}

/* `prefix` is the compound's name with its '/'. */
static int add_node(struct flattener *f, const char *prefix, struct slice name, const struct ast_element *element,
                    uint32_t *index) {
  if (f->node_count == MAX_NODES) return too_many(f, &element->at, "elements in compound elements", MAX_NODES);
  size_t length = strlen(prefix) + name.length;
  if (length >= CLICK_MAX_FULL_NAME) {
    report_error(f->report, ERROR_TOO_BIG, "%s:%u: the full name of element '%.*s' is longer than %d bytes",
                 element->at.file, element->at.line, (int)name.length, name.data, CLICK_MAX_FULL_NAME - 1);
    return -ERROR_TOO_BIG;
  }
  void *items = f->nodes;
  if (!reserve(&items, f->node_count, &f->node_capacity, sizeof *f->nodes)) return -ERROR_NO_MEMORY;
  f->nodes = items;
  struct node *node = &f->nodes[f->node_count];
  *node = (struct node){.element = element, .pair = NO_NODE, .declaration = NO_NODE};
  node->name = memory_alloc(length + 1);
  if (!node->name) return -ERROR_NO_MEMORY;
  memcpy(node->name, prefix, strlen(prefix));
  memcpy(node->name + strlen(prefix), name.data, name.length);
  *index = f->node_count++; /* from here on it is freed with the others */
  int result = name_table_add(&f->names, slice_of(node->name), *index);
  if (result == -ERROR_EXISTS) {
    f->errors++;
    return redeclared(f, node->name, &element->at, (uint32_t)name_table_find(&f->names, slice_of(node->name)));
  }
  return result;
}

static int add_link(struct flattener *f, struct click_connection link) {
  if (f->link_count == MAX_LINKS) return too_many(f, &link.at, "connections in compound elements", MAX_LINKS);
  void *items = f->links;
  if (!reserve(&items, f->link_count, &f->link_capacity, sizeof link)) return -ERROR_NO_MEMORY;
  f->links = items;
  f->links[f->link_count++] = link;
  return 0;
}

/* --- expanding --- */

static int expand_arguments(struct flattener *f, struct node *node, const struct variable_scope *scope) {
  struct text out = {0};
  variable_expand(scope, node->element->arguments, &out);
  f->expanded += out.length;
  int result = out.failed ? -ERROR_NO_MEMORY : 0;
  if (f->expanded > CLICK_MAX_SOURCE) {
    result = report_error(f->report, ERROR_TOO_BIG, "%s:%u: arguments with their variables are larger than %d bytes",
                          node->element->at.file, node->element->at.line, CLICK_MAX_SOURCE);
  }
  if (result == 0) node->arguments = memory_copy_string(text_string(&out), out.length);
  text_free(&out);
  return result == 0 && !node->arguments ? -ERROR_NO_MEMORY : result;
}

/* The elements of a compound as nodes first, first + 1 ...; in compounds `input` and `output` are there already, at first. */
static int add_elements(struct flattener *f, const struct ast_compound *compound, const char *prefix, uint32_t first,
                        const struct variable_scope *scope) {
  for (uint32_t i = compound->depth > 0 ? 2 : 0; i < compound->element_count; i++) {
    const struct ast_element *element = &compound->elements[i];
    uint32_t index = 0;
    int result = add_node(f, prefix, element->name, element, &index);
    if (result) return result;
    struct node *node = &f->nodes[index];
    node->tunnel = element->tunnel;
    if (element->tunnel) node->pair = first + element->pair;
    node->class = element->class;
    node->class_name = element->class ? element->class->target : element->class_name;
    if (!element->tunnel) result = expand_arguments(f, node, scope);
    if (result) return result;
  }
  for (uint32_t i = 0; i < compound->connection_count; i++) {
    const struct ast_connection *c = &compound->connections[i];
    struct click_connection link = {first + c->from, c->from_port, first + c->to, c->to_port, c->at};
    int result = add_link(f, link);
    if (result) return result;
  }
  return 0;
}

static int expand_nodes(struct flattener *f, uint32_t first, uint32_t end, const struct variable_scope *scope);

/* The variables of one compound instance. */
static int bind_variables(struct flattener *f, const struct ast_compound *compound, const struct args *args,
                          struct variable_scope *scope) {
  scope->names = memory_alloc((compound->variable_count + 1) * sizeof *scope->names);
  scope->values = memory_alloc((compound->variable_count + 1) * sizeof *scope->values);
  if (!scope->names || !scope->values) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < compound->variable_count; i++)
    scope->names[i] = compound->variables[i].name;
  int result = args ? ast_assign(compound, args, scope->values) : 0;
  scope->count = compound->formal_count;
  /* What define() says may use the formals, and the variables before it. */
  for (uint32_t i = compound->formal_count; i < compound->variable_count && result == 0; i++) {
    struct text out = {0};
    variable_expand(scope, compound->variables[i].value, &out);
    f->expanded += out.length;
    if (!out.failed && f->expanded <= CLICK_MAX_SOURCE)
      scope->values[i] = memory_copy_string(text_string(&out), out.length);
    if (!scope->values[i]) result = -ERROR_NO_MEMORY;
    text_free(&out);
    scope->count = i + 1;
  }
  return result;
}

static void free_variables(struct variable_scope *scope, uint32_t count) {
  for (uint32_t i = 0; i < count && scope->values; i++)
    memory_free(scope->values[i]);
  memory_free(scope->values);
  memory_free(scope->names);
}

/* The compound's elements and what is inside them. `index` becomes a tunnel to and from them. */
static int expand_compound(struct flattener *f, uint32_t index, const struct ast_compound *compound,
                           const struct args *args, const struct variable_scope *outer) {
  struct variable_scope scope = {.depth = compound->depth};
  /* Variables are those of the places around the definition, not around the use. */
  while (outer && outer->depth >= compound->depth)
    outer = outer->parent;
  scope.parent = outer;
  uint32_t first = f->node_count, input = 0, output = 0;
  struct text prefix = {0};
  text_addf(&prefix, "%s/", f->nodes[index].name);
  int result = prefix.failed ? -ERROR_NO_MEMORY : bind_variables(f, compound, args, &scope);
  const struct ast_element *element = f->nodes[index].element;
  if (result == 0) result = add_node(f, text_string(&prefix), slice_of("input"), element, &input);
  if (result == 0) result = add_node(f, text_string(&prefix), slice_of("output"), element, &output);
  if (result == 0) {
    f->nodes[index].tunnel = f->nodes[input].tunnel = f->nodes[output].tunnel = true;
    f->nodes[index].pair = input;
    f->nodes[output].pair = index;
    result = add_elements(f, compound, text_string(&prefix), first, &scope);
  }
  uint32_t end = f->node_count;
  if (result == 0) result = expand_nodes(f, first, end, &scope);
  text_free(&prefix);
  free_variables(&scope, compound->variable_count);
  return result;
}

static int expand_node(struct flattener *f, uint32_t index, const struct variable_scope *scope) {
  const struct ast_element *element = f->nodes[index].element;
  if (f->depth == AST_MAX_DEPTH) {
    return report_error(f->report, ERROR_TOO_BIG, "%s:%u: compound elements more than %d deep in each other",
                        element->at.file, element->at.line, AST_MAX_DEPTH);
  }
  struct args args;
  int result = args_split(f->nodes[index].arguments, &args);
  if (result) return result;
  const struct ast_class *class;
  result = ast_resolve(f->nodes[index].class, &args, element, &class, f->report);
  if (result == 0 && class->compound) {
    f->depth++;
    result = expand_compound(f, index, class->compound, &args, scope);
    f->depth--;
  } else if (result == 0) {
    f->nodes[index].class_name = class->target;
  } else if (result == -ERROR_INVALID && ++f->errors < CLICK_MAX_ERRORS) {
    result = 0; /* said; others may be wrong, too */
  }
  args_free(&args);
  return result;
}

static int expand_nodes(struct flattener *f, uint32_t first, uint32_t end, const struct variable_scope *scope) {
  int result = 0;
  for (uint32_t i = first; i < end && result == 0; i++) {
    const struct ast_class *class = f->nodes[i].class;
    if (!f->nodes[i].tunnel && class && class->compound) result = expand_node(f, i, scope);
  }
  return result;
}

/* --- the flat configuration --- */

static int add_declarations(struct flattener *f) {
  struct click_config *config = f->config;
  uint32_t count = 0;
  for (uint32_t i = 0; i < f->node_count; i++)
    count += !f->nodes[i].tunnel;
  config->declarations = memory_alloc((count + 1) * sizeof *config->declarations);
  if (!config->declarations) return -ERROR_NO_MEMORY;
  config->declaration_capacity = count + 1;
  for (uint32_t i = 0; i < f->node_count; i++) {
    struct node *node = &f->nodes[i];
    if (node->tunnel) continue;
    if (config->declaration_count == CLICK_MAX_ELEMENTS)
      return too_many(f, &node->element->at, "elements", CLICK_MAX_ELEMENTS);
    struct click_declaration *declaration = &config->declarations[config->declaration_count];
    declaration->class_name = memory_copy_string(node->class_name.data, node->class_name.length);
    declaration->at = node->element->at;
    declaration->bare = node->element->bare;
    declaration->name = node->name;
    declaration->arguments = node->arguments;
    node->declaration = config->declaration_count++;
    int result = name_table_add(&config->names, slice_of(declaration->name), node->declaration);
    node->name = node->arguments = NULL; /* the declaration's now */
    if (result || !declaration->class_name) return -ERROR_NO_MEMORY;
  }
  return 0;
}

/* Links by the node they leave: those of node n are links[order[first[n]]] up to first[n + 1]. */
struct outgoing {
  uint32_t *first, *order;
  uint32_t *stack, *seen; /* of following one connection; seen[link] is the stamp of the last that passed */
  uint32_t stamp, steps;
};

static int outgoing_init(struct outgoing *out, const struct flattener *f) {
  *out = (struct outgoing){0};
  out->first = memory_alloc((f->node_count + 2) * sizeof *out->first);
  out->order = memory_alloc((f->link_count + 1) * sizeof *out->order);
  out->stack = memory_alloc((f->link_count + 1) * sizeof *out->stack);
  out->seen = memory_alloc((f->link_count + 1) * sizeof *out->seen);
  if (!out->first || !out->order || !out->stack || !out->seen) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < f->link_count; i++)
    out->first[f->links[i].from + 2]++;
  for (uint32_t n = 2; n < f->node_count + 2; n++)
    out->first[n] += out->first[n - 1];
  /* first[n + 1] counts up from the first of n to the first of n + 1 while they are put in place. */
  for (uint32_t i = 0; i < f->link_count; i++)
    out->order[out->first[f->links[i].from + 1]++] = i;
  return 0;
}

static void outgoing_free(struct outgoing *out) {
  memory_free(out->first);
  memory_free(out->order);
  memory_free(out->stack);
  memory_free(out->seen);
}

static int add_connection(struct flattener *f, struct click_connection connection) {
  struct click_config *config = f->config;
  if (config->connection_count == CLICK_MAX_CONNECTIONS) {
    return too_many(f, &connection.at, "connections", CLICK_MAX_CONNECTIONS);
  }
  void *items = config->connections;
  if (!reserve(&items, config->connection_count, &config->connection_capacity, sizeof connection))
    return -ERROR_NO_MEMORY;
  config->connections = items;
  config->connections[config->connection_count++] = connection;
  return 0;
}

/* Follows link `start`, which leaves an element, through tunnels to every element it reaches. Rings of tunnels lead nowhere. */
static int follow(struct flattener *f, struct outgoing *out, uint32_t start) {
  uint32_t depth = 0;
  out->stamp++;
  out->stack[depth++] = start;
  while (depth > 0) {
    const struct click_connection *link = &f->links[out->stack[--depth]];
    const struct node *to = &f->nodes[link->to];
    if (++out->steps > MAX_STEPS) return too_many(f, &link->at, "steps through compound elements", MAX_STEPS);
    if (!to->tunnel) {
      const struct click_connection *from = &f->links[start];
      struct click_connection whole = {f->nodes[from->from].declaration, from->from_port, to->declaration,
                                       link->to_port, from->at};
      int result = add_connection(f, whole);
      if (result) return result;
      continue;
    }
    if (to->pair == NO_NODE) continue;
    /* In reverse, so that the first connection is followed first. `exit` is where what enters `to` comes out. */
    uint32_t exit = to->pair;
    for (uint32_t i = out->first[exit + 1]; i-- > out->first[exit];) {
      uint32_t next = out->order[i];
      if (f->links[next].from_port != link->to_port || out->seen[next] == out->stamp) continue;
      out->seen[next] = out->stamp;
      out->stack[depth++] = next;
    }
  }
  return 0;
}

static int add_connections(struct flattener *f) {
  struct outgoing out = {0};
  f->config->connection_capacity = f->link_count + 1;
  f->config->connections = memory_alloc(f->config->connection_capacity * sizeof *f->config->connections);
  if (!f->config->connections) return -ERROR_NO_MEMORY;
  if (f->links == NULL || f->nodes == NULL) return 0; /* nothing is connected */
  int result = outgoing_init(&out, f);
  for (uint32_t i = 0; i < f->link_count && result == 0; i++)
    if (!f->nodes[f->links[i].from].tunnel) result = follow(f, &out, i);
  outgoing_free(&out);
  return result;
}

/* The source's own variables; what the command line says wins over define(). */
static int bind_top(struct flattener *f, const struct ast_compound *top, const struct click_language *language,
                    struct variable_scope *parameters, struct variable_scope *scope) {
  uint32_t count = language ? language->parameter_count : 0;
  parameters->names = memory_alloc((count + 1) * sizeof *parameters->names);
  parameters->values = memory_alloc((count + 1) * sizeof *parameters->values);
  if (!parameters->names || !parameters->values) return -ERROR_NO_MEMORY;
  parameters->count = count;
  for (uint32_t i = 0; i < count; i++) {
    parameters->names[i] = slice_of(language->parameters[i].name);
    parameters->values[i] = (char *)language->parameters[i].value;
  }
  scope->parent = parameters;
  int result = bind_variables(f, top, NULL, scope);
  for (uint32_t i = 0; i < scope->count && result == 0; i++) {
    const char *given = variable_find(parameters, scope->names[i]);
    if (!given) continue;
    char *copy = memory_copy_string(given, strlen(given));
    if (!copy) return -ERROR_NO_MEMORY;
    memory_free(scope->values[i]);
    scope->values[i] = copy;
  }
  return result;
}

int click_flatten(struct click_ast *ast, const struct click_language *language, struct click_config *config,
                  struct report *report) {
  struct flattener f = {.config = config, .report = report};
  struct variable_scope parameters = {0}, scope = {0};
  int result = bind_top(&f, ast->top, language, &parameters, &scope);
  if (result == 0) result = add_elements(&f, ast->top, "", 0, &scope);
  if (result == 0) result = expand_nodes(&f, 0, f.node_count, &scope);
  if (result == 0 && f.errors) result = -ERROR_INVALID;
  if (result == 0) result = add_declarations(&f);
  if (result == 0) result = add_connections(&f);
  free_variables(&scope, ast->top->variable_count);
  memory_free(parameters.names);
  memory_free(parameters.values);
  flattener_free(&f);
  return result;
}
