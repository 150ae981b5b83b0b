/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Connections: chains of lists of elements with lists of ports, groups, implied inputs and outputs, and the declarations among them.
 *
 * A chain is read list by list. Of each list first the items as written are kept (the class of "a, b :: Class" stands at the end), then
 * they become elements, and those are connected with the list before.
 */
#include "click/parser.h"
#include "lib/memory.h"

/* --- stacks --- */

static bool reserve(struct parser *parser, void **items, uint32_t count, uint32_t *capacity, size_t size) {
  if (count < *capacity) return true;
  uint32_t larger = *capacity ? *capacity * 2 : 16;
  void *moved = memory_resize(*items, larger * size);
  if (!moved) {
    parser_fail(parser, -ERROR_NO_MEMORY);
    return false;
  }
  *items = moved;
  *capacity = larger;
  return true;
}

static void push_port(struct parser *parser, uint32_t port) {
  void *items = parser->ports;
  if (!reserve(parser, &items, parser->port_count, &parser->port_capacity, sizeof port)) return;
  parser->ports = items;
  parser->ports[parser->port_count++] = port;
}

static struct chain_item *push_item(struct parser *parser, const struct chain_item *item) {
  void *items = parser->items;
  if (!reserve(parser, &items, parser->item_count, &parser->item_capacity, sizeof *item)) return NULL;
  parser->items = items;
  parser->items[parser->item_count] = *item;
  return &parser->items[parser->item_count++];
}

static void push_end(struct parser *parser, const struct chain_end *end) {
  void *items = parser->ends;
  if (!reserve(parser, &items, parser->end_count, &parser->end_capacity, sizeof *end)) return;
  parser->ends = items;
  parser->ends[parser->end_count++] = *end;
}

/* --- ports --- */

static bool parse_port_number(struct parser *parser, uint32_t *port) {
  const struct token *token = &parser->token;
  uint64_t value = 0;
  if (token->kind != TOKEN_NUMBER && token->kind != TOKEN_IDENTIFIER) {
    parser_error(parser, &token->at, "syntax error: expected port number");
    return false;
  }
  int result = slice_to_u64(token->text, CLICK_MAX_PORTS - 1, &value);
  if (result == -ERROR_TOO_BIG) {
    parser_error(parser, &token->at, "port number %.*s is too large; the highest is %d",
                 token->text.length < 40 ? (int)token->text.length : 40, token->text.data, CLICK_MAX_PORTS - 1);
    return false;
  }
  if (result) {
    parser_error(parser, &token->at, "syntax error: port number should be integer");
    return false;
  }
  parser_next(parser);
  *port = (uint32_t)value;
  return true;
}

/* "[0]", "[0, 2]", "[0-3]", "[1,]", "[]"; nothing when there is no bracket. */
static bool parse_ports(struct parser *parser, struct port_list *list) {
  *list = (struct port_list){.first = parser->port_count};
  if (!parser_is(parser, '[')) return true;
  parser_next(parser);
  while (!parser->failed) {
    if (parser_is(parser, ']')) {
      list->open = true;
      if (parser->port_count == list->first) push_port(parser, 0);
      break;
    }
    uint32_t port = 0, last;
    if (!parse_port_number(parser, &port)) return false;
    last = port;
    if (parser_is(parser, '-')) {
      parser_next(parser);
      if (!parse_port_number(parser, &last)) return false;
    }
    for (; port <= last && !parser->failed; port++)
      push_port(parser, port);
    if (parser->port_count - list->first > CLICK_MAX_PORTS) {
      parser_error(parser, &parser->token.at, "more than %d ports in one list", CLICK_MAX_PORTS);
      return false;
    }
    if (parser_is(parser, ']')) break;
    if (!parser_is(parser, ',')) {
      parser_error(parser, &parser->token.at, "syntax error: expected ','");
      return false;
    }
    parser_next(parser);
  }
  list->count = parser->port_count - list->first;
  parser_next(parser);
  return !parser->failed;
}

/* --- groups --- */

/* The three ends of a group's tunnel: NAME, NAME/input, NAME/output. */
static bool add_tunnel(struct parser *parser, struct slice name, struct landmark at, uint32_t ends[3]) {
  static const char *const suffixes[] = {"", "/input", "/output"};
  for (unsigned i = 0; i < 3; i++) {
    struct ast_element end = {.at = at, .tunnel = true};
    end.name = ast_text(&parser->ast, "%.*s%s", (int)name.length, name.data, suffixes[i]);
    end.anonymous = true; /* of a name that nobody writes */
    if (!end.name.data) parser_fail(parser, -ERROR_NO_MEMORY);
    if (parser->failed || !parser_add_element(parser, &end, &ends[i])) return false;
  }
  struct ast_element *elements = parser->compound->elements;
  elements[ends[0]].pair = ends[1]; /* what goes into the group comes out of input */
  elements[ends[1]].pair = ends[1]; /* nothing goes into input */
  elements[ends[2]].pair = ends[0];
  return true;
}

/* As if all ports were written, unless some are. */
static void imply_ports(struct parser *parser, struct port_list *list, uint32_t count) {
  *list = (struct port_list){.first = parser->port_count, .count = count};
  for (uint32_t i = 0; i < count; i++)
    push_port(parser, i);
}

/* ( statements ): the token is at '(' and ends at ')', behind which ports or arguments may follow. */
static bool parse_group(struct parser *parser, struct chain_item *item, uint32_t implied[2]) {
  struct landmark at = parser->token.at;
  if (parser->depth == AST_MAX_DEPTH) {
    parser_error(parser, &at, "maximum element group nesting depth exceeded");
    parser_fail(parser, -ERROR_TOO_BIG);
    return false;
  }
  struct slice name = parser_anonymous_name(parser, slice_of(""));
  uint32_t ends[3], input = parser->input, output = parser->output;
  if (parser->failed || !add_tunnel(parser, name, at, ends)) return false;
  bool ended_at_output = parser->ended_at_output;
  parser->input = ends[1];
  parser->output = ends[2];
  parser->ended_at_output = true;
  parser->depth++;
  parser->groups++;
  parser_next(parser);
  parser_statements(parser, ')');
  parser->groups--;
  parser->depth--;
  parser->input = input;
  parser->output = output;
  parser->ended_at_output = ended_at_output;
  if (parser->failed) return false;
  if (!parser_is(parser, ')')) {
    parser_error(parser, &parser->token.at, "expected ')'");
    return false;
  }
  struct slice shown = slice_of("<anonymous group>");
  implied[0] = parser_check_pseudo(parser, ends[1], false, shown, &at);
  implied[1] = parser_check_pseudo(parser, ends[2], true, shown, &at);
  item->reference = true;
  item->element = ends[0];
  return true;
}

/* --- items --- */

static bool is_arrow(const struct parser *parser) {
  return parser->token.kind == TOKEN_ARROW || parser->token.kind == TOKEN_DOUBLE_ARROW;
}

/* Where a chain in a compound or group begins with "->" or "[1] ->", or ends with "->" or "-> [1]", `input` or `output` is meant. */
static bool implied_here(const struct parser *parser, bool first_list, bool first_item, bool ports) {
  bool nested = parser->compound->depth > 0 || parser->groups > 0;
  if (!nested) return false;
  if (is_arrow(parser)) return first_list && (ports || first_item);
  if (parser_is(parser, ',')) return ports;
  return parser->token.kind != TOKEN_COLON_COLON && !first_list && (ports || first_item);
}

static void imply_item(struct parser *parser, struct chain_item *item, bool first_list) {
  item->reference = item->implied = true;
  item->element = first_list ? parser->input : parser->output;
  if (!first_list) return;
  if (item->inputs.count == 0 && !parser->ended_at_output) {
    const char *arrow = parser->token.kind == TOKEN_ARROW ? "->" : "=>";
    report_note(parser->report, "%s:%u: warning: suggest 'input %s' or '[0] %s' to start connection", item->at.file,
                item->at.line, arrow, arrow);
    parser->report->warnings++;
  }
  item->outputs = item->inputs; /* the ports written are those of `input`, which come out of it */
  item->inputs = (struct port_list){.first = parser->port_count};
}

/* ":: Class" or ":: {...}"; the token is at the "::". */
static bool parse_declared_class(struct parser *parser, struct chain_item *item) {
  item->declared = true;
  item->bare = false;
  parser_next(parser);
  if (parser_is(parser, '{')) {
    item->class = parser_compound(parser, slice_of(""));
    item->class_name = slice_of("");
    return item->class != NULL;
  }
  if (parser->token.kind != TOKEN_IDENTIFIER) {
    parser_error(parser, &parser->token.at, "missing element type in declaration");
    return false;
  }
  if (!parser_name_fits(parser, &parser->token)) return false;
  item->class_name = parser->token.text;
  item->class = parser_find_class(parser, item->class_name);
  return true;
}

static void warn_ignored_arguments(struct parser *parser, const struct chain_item *item) {
  bool known = item->reference || (!item->declared && !item->compound && !parser_find_class(parser, item->name) &&
                                   name_table_find(&parser->compound->names, item->name) >= 0);
  if (known) parser_error(parser, &item->at, "configuration string ignored on element reference");
}

/* Every component of a name must have something else than digits in it: numbers name elements by their place in `list`. */
static bool all_digits(struct slice name) {
  bool digits = true;
  for (size_t i = 0; i < name.length; i++) {
    if (name.data[i] == '/') {
      if (digits) return true;
      digits = true;
    } else {
      digits = digits && char_is_digit(name.data[i]);
    }
  }
  return digits;
}

/* [ports] element [:: Class] [(arguments)] [ports]. Nothing is there: *none. */
static bool parse_item(struct parser *parser, bool first_list, bool first_item, bool *none) {
  struct chain_item item = {.at = parser->token.at, .class_name = slice_of(""), .arguments = slice_of("")};
  uint32_t implied[2] = {0, 0};
  *none = false;
  if (!parse_ports(parser, &item.inputs)) return false;
  item.at = parser->token.at;
  if (parser->token.kind == TOKEN_IDENTIFIER || parser->token.kind == TOKEN_NUMBER) {
    if (!parser_name_fits(parser, &parser->token)) return false;
    item.name = parser->token.text;
    item.bare = true;
    if (all_digits(item.name)) {
      parser_error(parser, &item.at, "element name '%.*s' has all-digit component", (int)item.name.length,
                   item.name.data);
      return false;
    }
  } else if (parser_is(parser, '{')) {
    item.class = parser_compound(parser, slice_of(""));
    if (!item.class) return false;
    item.compound = true;
  } else if (parser_is(parser, '(')) {
    if (!parse_group(parser, &item, implied)) return false;
  } else if (implied_here(parser, first_list, first_item, item.inputs.count > 0)) {
    imply_item(parser, &item, first_list);
    return push_item(parser, &item) != NULL;
  } else {
    if (item.inputs.count > 0) parser_error(parser, &item.at, "stranded port ignored");
    *none = true;
    return true;
  }
  /* The configuration string begins right behind the current token, so it is asked for before the next one is read. */
  bool configured = parser_take_config(parser, &item.arguments);
  if (!configured && parser->token.kind == TOKEN_COLON_COLON && item.bare) {
    if (!parse_declared_class(parser, &item)) return false;
    configured = parser_take_config(parser, &item.arguments);
  }
  if (configured) item.bare = false;
  if (configured) warn_ignored_arguments(parser, &item);
  if (item.reference && item.inputs.count == 0) imply_ports(parser, &item.inputs, implied[0]);
  bool ports = parser_is(parser, '[');
  if (!parse_ports(parser, &item.outputs)) return false;
  if (item.reference && !ports) imply_ports(parser, &item.outputs, implied[1]);
  return !parser->failed && push_item(parser, &item) != NULL;
}

/* --- from items to elements --- */

static void redeclared(struct parser *parser, const struct chain_item *item, uint32_t first) {
  const struct ast_element *e = &parser->compound->elements[first];
  parser_error(parser, &item->at, "redeclaration of element '%.*s'", (int)item->name.length, item->name.data);
  if (!e->tunnel) {
    report_note(parser->report, "%s:%u: element '%.*s' previously declared here", e->at.file, e->at.line,
                (int)item->name.length, item->name.data);
  }
}

/* A group's `input` and `output` hide the compound's. */
static int64_t find_element(const struct parser *parser, struct slice name) {
  if (parser->groups > 0 && slice_equals(name, "input")) return parser->input;
  if (parser->groups > 0 && slice_equals(name, "output")) return parser->output;
  return name_table_find(&parser->compound->names, name);
}

static bool commit_item(struct parser *parser, struct chain_item *item) {
  if (item->reference) return true;
  const struct ast_class *named = item->compound ? item->class : parser_find_class(parser, item->name);
  int64_t known = item->compound || named ? -1 : find_element(parser, item->name);
  if (known >= 0) {
    if (item->declared) redeclared(parser, item, (uint32_t)known);
    item->element = (uint32_t)known;
    return true;
  }
  if (item->declared && named) {
    parser_error(parser, &item->at, "class '%.*s' used as element name", (int)item->name.length, item->name.data);
    return true;
  }
  struct ast_element e = {.at = item->at, .arguments = item->arguments, .bare = item->bare};
  if (item->declared) {
    e.name = item->name;
    e.class_name = item->class_name;
    e.class = item->class;
  } else {
    e.class_name = item->compound ? slice_of("") : item->name;
    e.class = named;
    e.anonymous = true;
    e.name = parser_anonymous_name(parser, e.class_name);
    if (parser->failed) return false;
  }
  return parser_add_element(parser, &e, &item->element);
}

/* "a, b, c :: Class(x)" as a statement of its own declares all three. */
static void spread_class(struct parser *parser, uint32_t start) {
  struct chain_item *items = parser->items;
  uint32_t last = parser->item_count - 1;
  if (start == last || !items[last].declared) return;
  for (uint32_t i = start; i <= last; i++) {
    if ((i < last && !items[i].bare) || items[i].inputs.count || items[i].outputs.count) return;
  }
  for (uint32_t i = start; i < last; i++) {
    items[i].declared = true;
    items[i].bare = false;
    items[i].class = items[last].class;
    items[i].class_name = items[last].class_name;
    items[i].arguments = items[last].arguments;
  }
}

/* A list of items becomes ends. False after an error; an empty list is one. */
static bool parse_list(struct parser *parser, bool first_list) {
  uint32_t start = parser->item_count;
  bool none = false, implied = false;
  do {
    if (parser->item_count > start) parser_next(parser); /* the ',' */
    uint32_t before = parser->item_count;
    if (!parse_item(parser, first_list, before == start, &none)) {
      parser->item_count = start;
      return false;
    }
    implied = implied || (!none && parser->items[before].implied);
  } while (!none && parser_is(parser, ',') && !parser->failed);
  if (parser->item_count == start) {
    parser_syntax_error(parser);
    return false;
  }
  bool connected = is_arrow(parser);
  if (implied && !first_list && connected) {
    parser_error(parser, &parser->token.at, "implicit ports used in the middle of a chain");
  }
  if (first_list && !connected) spread_class(parser, start);
  bool good = true;
  for (uint32_t i = start; i < parser->item_count && good; i++) {
    struct chain_item *item = &parser->items[i];
    good = commit_item(parser, item);
    bool lost = good && item->declared && parser_find_class(parser, item->name);
    if (good && !lost) push_end(parser, &(struct chain_end){item->element, item->inputs, item->outputs});
  }
  parser->item_count = start;
  return good && !parser->failed;
}

/* --- connecting --- */

/* The ports of one side of an arrow: `minimum` when nothing is open. */
struct side {
  const struct chain_end *ends;
  uint32_t count;
  bool output;
  uint32_t minimum, open;
  bool implied_open; /* "=>" with no ports on this side */
};

static const struct port_list *ports_of(const struct side *side, uint32_t index) {
  return side->output ? &side->ends[index].outputs : &side->ends[index].inputs;
}

static void measure(struct side *side) {
  for (uint32_t i = 0; i < side->count; i++) {
    const struct port_list *ports = ports_of(side, i);
    side->minimum += ports->count ? ports->count : 1;
    side->open += ports->open;
  }
}

/* Where one is on a side while connecting: end `index`, its port `at`, of the open ones `extra` still to come. */
struct cursor {
  uint32_t index, at, extra;
};

static uint32_t cursor_port(const struct parser *parser, const struct side *side, const struct cursor *cursor) {
  const struct port_list *ports = ports_of(side, cursor->index);
  if (cursor->at < ports->count) return parser->ports[ports->first + cursor->at];
  if (ports->count == 0) return cursor->at;
  return parser->ports[ports->first + ports->count - 1] + cursor->at - ports->count + 1;
}

static void cursor_advance(const struct side *side, struct cursor *cursor) {
  const struct port_list *ports = ports_of(side, cursor->index);
  uint32_t count = ports->count ? ports->count : 1;
  bool open = ports->open || side->implied_open;
  if (++cursor->at < count) return;
  if (open && cursor->extra > 0) {
    cursor->extra--;
    return;
  }
  cursor->index++;
  cursor->at = 0;
}

static void check_many(struct parser *parser, const struct side *from, const struct side *to, bool wide,
                       const struct landmark *at) {
  uint32_t outputs = from->minimum, inputs = to->minimum;
  if (!wide) parser_error(parser, at, "syntax error: many-to-many connections require '=>'");
  if (!from->open && !to->open && outputs != inputs) {
    parser_error(parser, at, "connection mismatch: %u outputs connected to %u inputs", outputs, inputs);
  } else if (!to->open && inputs < outputs) {
    parser_error(parser, at, "connection mismatch: %u or more outputs connected to %u inputs", outputs, inputs);
  } else if (!from->open && outputs < inputs) {
    parser_error(parser, at, "connection mismatch: %u outputs connected to %u or more inputs", outputs, inputs);
  }
}

static bool add_connection(struct parser *parser, struct ast_connection connection) {
  if (connection.from_port >= CLICK_MAX_PORTS || connection.to_port >= CLICK_MAX_PORTS) {
    parser_error(parser, &connection.at, "port number is too large; the highest is %d", CLICK_MAX_PORTS - 1);
    return false;
  }
  int result = ast_connect(&parser->ast, parser->compound, &connection);
  if (result == -ERROR_TOO_BIG) {
    report_error(parser->report, ERROR_TOO_BIG, "%s:%u: more than %d connections", connection.at.file,
                 connection.at.line, AST_MAX_CONNECTIONS);
  }
  if (result) parser_fail(parser, result);
  return result == 0;
}

/* One to one, one to many, many to one, or, with "=>" (`wide`), port by port. */
static void connect_lists(struct parser *parser, struct side from, struct side to, bool wide, struct landmark at) {
  measure(&from);
  measure(&to);
  if (from.open + to.open > 1) {
    parser_error(parser, &at, "at most one expandable port allowed per connection");
    return;
  }
  struct side *sides[] = {&from, &to};
  for (unsigned i = 0; i < 2 && wide; i++) {
    struct side *side = sides[i], *other = sides[!i];
    if (side->minimum != 1 || other->minimum <= 1 || ports_of(side, 0)->count) continue;
    side->open = 1;
    side->implied_open = true;
  }
  bool many_from = from.minimum > 1 || from.open, many_to = to.minimum > 1 || to.open;
  struct cursor here = {0}, there = {0};
  if (from.open && to.minimum > from.minimum) here.extra = to.minimum - from.minimum;
  if (to.open && from.minimum > to.minimum) there.extra = from.minimum - to.minimum;
  if (many_from && many_to) {
    check_many(parser, &from, &to, wide, &at);
  } else if (!many_from && !many_to) {
    many_to = true;
  }
  while (here.index < from.count && there.index < to.count && !parser->failed) {
    struct ast_connection connection = {from.ends[here.index].element, cursor_port(parser, &from, &here),
                                        to.ends[there.index].element, cursor_port(parser, &to, &there), at};
    if (!add_connection(parser, connection)) return;
    if (many_from) cursor_advance(&from, &here);
    if (many_to) cursor_advance(&to, &there);
  }
}

static void check_useless(struct parser *parser, uint32_t start, bool output) {
  for (uint32_t i = start; i < parser->end_count; i++) {
    const struct chain_end *end = &parser->ends[i];
    const struct ast_element *e = &parser->compound->elements[end->element];
    /* A group's ports are implied, unless written. */
    if (e->tunnel && e->anonymous) continue;
    if ((output ? end->outputs.count : end->inputs.count) == 0) continue;
    parser_error(parser, &parser->token.at,
                 output ? "output ports ignored at end of chain" : "input ports ignored at start of chain");
    return;
  }
}

/* The list behind the arrow becomes the one before the next. */
static void shift_list(struct parser *parser, uint32_t start, uint32_t second) {
  uint32_t count = parser->end_count - second;
  memmove(parser->ends + start, parser->ends + second, count * sizeof *parser->ends);
  parser->end_count = start + count;
}

bool parser_chain(struct parser *parser) {
  uint32_t start = parser->end_count, ports = parser->port_count;
  bool good = parse_list(parser, true);
  if (good) check_useless(parser, start, false);
  while (good && is_arrow(parser)) {
    bool wide = parser->token.kind == TOKEN_DOUBLE_ARROW;
    struct landmark at = parser->token.at;
    uint32_t second = parser->end_count;
    parser_next(parser);
    good = parse_list(parser, false);
    if (!good) break;
    connect_lists(parser, (struct side){parser->ends + start, second - start, true, 0, 0, false},
                  (struct side){parser->ends + second, parser->end_count - second, false, 0, 0, false}, wide, at);
    shift_list(parser, start, second);
    good = !parser->failed;
  }
  if (good) {
    check_useless(parser, start, true);
    parser->ended_at_output = parser->end_count == start + 1 && parser->ends[start].element == parser->output;
  }
  parser->end_count = start;
  parser->port_count = ports;
  return good && !parser->failed;
}
