/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Templates of list entries. A separator waits until something is written behind it, so that nothing is separated from nothing.
 */
#include "tools/html_elements.h"

#include "lib/memory.h"
#include "tools/graph_svg.h"
#include "tools/html_source.h"

/* An element, or the class that it is the first of. */
struct entry {
  const struct click_declaration *declaration;
  uint32_t index;
  bool type;
};

struct listing {
  const struct html_page *page;
  const struct html_tag *tag; /* <~elements>: its attributes are defaults of the subtags' */
  struct entry *elements;     /* all, by name */
  struct text *out;
  struct text separator;
};

/* Where a template is expanded: `port` is of inputs or outputs, -1: none. */
struct place {
  const struct entry *entry;
  int port;
  bool output;
  unsigned depth;
};

static void expand(struct listing *l, struct slice template, struct place place);

/* --- writing --- */

static void separate(struct listing *l) {
  text_add_slice(l->out, (struct slice){text_string(&l->separator), l->separator.length});
  text_clear(&l->separator);
}

static void wait_separator(struct listing *l, struct slice separator) {
  text_clear(&l->separator);
  html_unquote(separator, &l->separator);
}

static const char *name_of(const struct entry *e) {
  return e->type ? e->declaration->class_name : e->declaration->name;
}

static uint32_t ports_of(const struct listing *l, const struct entry *e, bool output) {
  if (l->page->graph == NULL) return 0;
  const struct element *element = l->page->graph->elements[e->index];
  return output ? element->output_count : element->input_count;
}

/* Expands the subtag's attribute, which may be quoted as HTML is, else that of <~elements>. */
static void expand_attribute(struct listing *l, const struct html_tag *tag, const char *name, const char *common,
                             struct place place) {
  struct slice value = html_tag_find(tag, name);
  if (value.data == NULL) {
    expand(l, html_tag_find(l->tag, common), place);
    return;
  }
  struct text unquoted = {0};
  html_unquote(value, &unquoted);
  expand(l, (struct slice){text_string(&unquoted), unquoted.length}, place);
  text_free(&unquoted);
}

/* --- subtags --- */

static void add_name(struct listing *l, const struct html_tag *tag, struct place place) {
  struct slice link = html_tag_find(tag, "link");
  const struct entry *e = place.entry;
  separate(l);
  if (link.data != NULL && (e->type || slice_equals(link, "type"))) {
    html_class(l->page->class_docs, slice_of(name_of(e)), l->out);
    return;
  }
  if (link.data != NULL) {
    text_add(l->out, "<a href=\"#e-");
    html_escape(slice_of(name_of(e)), l->out);
    text_add(l->out, "\">");
  }
  html_escape(slice_of(name_of(e)), l->out);
  if (link.data != NULL) text_add(l->out, "</a>");
}

static void add_type(struct listing *l, const struct html_tag *tag, struct place place) {
  separate(l);
  bool link = html_tag_find(tag, "link").data != NULL;
  html_class(link ? l->page->class_docs : NULL, slice_of(place.entry->declaration->class_name), l->out);
}

static void add_config(struct listing *l, const struct html_tag *tag, struct place place) {
  struct slice config = slice_of(place.entry->declaration->arguments);
  uint64_t limit = 0;
  bool cut = slice_to_u64(html_tag_find(tag, "limit"), UINT32_MAX, &limit) == 0 && limit > 0 && config.length > limit;
  bool parens = html_tag_find(tag, "parens").data != NULL;
  if (config.length == 0) return;
  if (cut) config.length = (size_t)limit;
  separate(l);
  if (parens) text_add(l->out, "(");
  html_escape(config, l->out);
  if (cut) text_add(l->out, "...");
  if (parens) text_add(l->out, ")");
}

static void add_config_link(struct listing *l, const struct html_tag *tag, struct place place) {
  if (html_tag_find(tag, "text").length + html_tag_find(l->tag, "configlink").length == 0) return;
  separate(l);
  text_add(l->out, "<a href=\"#e-");
  html_escape(slice_of(name_of(place.entry)), l->out);
  text_add(l->out, "\">");
  expand_attribute(l, tag, "text", "configlink", place);
  text_add(l->out, "</a>");
}

static void add_type_references(struct listing *l, const struct html_tag *tag, struct place place) {
  struct slice separator = html_tag_find(tag, "sep");
  for (uint32_t i = 0; i < l->page->config->declaration_count; i++) {
    if (strcmp(l->elements[i].declaration->class_name, place.entry->declaration->class_name) != 0) continue;
    expand_attribute(l, tag, "entry", "typeref", (struct place){&l->elements[i], -1, false, place.depth});
    wait_separator(l, separator);
  }
}

static void add_count(struct listing *l, const struct html_tag *tag, struct place place, bool output) {
  uint32_t count = ports_of(l, place.entry, output);
  separate(l);
  text_addf(l->out, "%u", count);
  if (html_tag_find(tag, "english").data != NULL)
    text_addf(l->out, " %s%s", output ? "output" : "input", count == 1 ? "" : "s");
}

static void add_ports(struct listing *l, const struct html_tag *tag, struct place place, bool output) {
  uint32_t count = ports_of(l, place.entry, output);
  struct slice separator = html_tag_find(tag, "sep");
  struct place at = {place.entry, -1, output, place.depth};
  if (count == 0) expand_attribute(l, tag, "noentry", output ? "nooutputentry" : "noinputentry", at);
  for (uint32_t i = 0; i < count; i++) {
    at.port = (int)i;
    expand_attribute(l, tag, "entry", output ? "outputentry" : "inputentry", at);
    wait_separator(l, separator);
  }
}

/* The other end of a connection. */
struct peer {
  struct entry entry;
  int port;
};

/* By name, then by port. */
static void sort_peers(struct peer *peers, uint32_t count) {
  for (uint32_t i = 1; i < count; i++) {
    struct peer moved = peers[i];
    uint32_t at = i;
    for (; at > 0; at--) {
      int order = strcmp(name_of(&peers[at - 1].entry), name_of(&moved.entry));
      if (order < 0 || (order == 0 && peers[at - 1].port <= moved.port)) break;
      peers[at] = peers[at - 1];
    }
    peers[at] = moved;
  }
}

static void add_connections(struct listing *l, const struct html_tag *tag, struct place place) {
  const struct click_config *config = l->page->config;
  bool output = place.output;
  struct slice separator = html_tag_find(tag, "sep");
  struct peer *peers = memory_alloc((config->connection_count + 1) * sizeof *peers);
  uint32_t count = 0;
  if (peers == NULL) l->out->failed = true;
  for (uint32_t i = 0; peers != NULL && i < config->connection_count; i++) {
    const struct click_connection *c = &config->connections[i];
    if ((output ? c->from : c->to) != place.entry->index) continue;
    if ((output ? c->from_port : c->to_port) != (uint32_t)place.port) continue;
    uint32_t index = output ? c->to : c->from;
    peers[count++] =
        (struct peer){{&config->declarations[index], index, false}, (int)(output ? c->to_port : c->from_port)};
  }
  sort_peers(peers, count);
  for (uint32_t i = 0; i < count; i++) {
    struct place there = {&peers[i].entry, peers[i].port, !output, place.depth};
    expand_attribute(l, tag, "entry", output ? "outputconnection" : "inputconnection", there);
    wait_separator(l, separator);
  }
  memory_free(peers);
  if (count == 0) expand_attribute(l, tag, "noentry", output ? "nooutputconnection" : "noinputconnection", place);
}

static void add_processing(struct listing *l, struct place place) {
  const struct element *e = l->page->graph->elements[place.entry->index];
  const struct port *port = place.output ? &e->outputs[place.port] : &e->inputs[place.port];
  separate(l);
  text_add(l->out, port->pull ? "pull" : "push");
}

/* An attribute on its own, without the separator. */
static void expand_apart(const struct listing *l, const struct html_tag *tag, const char *name, struct place place,
                         struct text *out) {
  struct listing apart = *l;
  apart.out = out;
  apart.separator = (struct text){0};
  expand_attribute(&apart, tag, name, name, place);
  text_free(&apart.separator);
}

/* Numbers by value, everything else by its bytes. */
static int compare(const struct text *a, const struct text *b) {
  uint64_t x, y;
  struct slice left = {text_string(a), a->length}, right = {text_string(b), b->length};
  if (slice_to_u64(left, UINT64_MAX, &x) == 0 && slice_to_u64(right, UINT64_MAX, &y) == 0) return (x > y) - (x < y);
  int order = strcmp(left.data, right.data);
  return (order > 0) - (order < 0);
}

static void add_condition(struct listing *l, const struct html_tag *tag, struct place place) {
  static const struct {
    const char *name;
    bool holds[3]; /* where the test is less, equal, greater */
  } comparisons[] = {{"eq", {false, true, false}}, {"ne", {true, false, true}}, {"gt", {false, false, true}},
                     {"lt", {true, false, false}}, {"ge", {false, true, true}}, {"le", {true, true, false}}};
  struct text test = {0};
  expand_apart(l, tag, "test", place, &test);
  bool result = test.length > 0;
  for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++) {
    if (html_tag_find(tag, comparisons[i].name).data == NULL) continue;
    struct text other = {0};
    expand_apart(l, tag, comparisons[i].name, place, &other);
    result = comparisons[i].holds[compare(&test, &other) + 1];
    text_free(&other);
    break;
  }
  text_free(&test);
  const char *branch = result ? "then" : "else";
  if (html_tag_find(tag, branch).data != NULL) expand_attribute(l, tag, branch, branch, place);
}

static bool is_port_known(const struct listing *l, struct place place) {
  return place.port >= 0 && l->page->graph != NULL && (uint32_t)place.port < ports_of(l, place.entry, place.output);
}

static void add_tag(struct listing *l, const struct html_tag *tag, struct place place) {
  const struct entry *e = place.entry;
  if (html_tag_is(tag, "name")) {
    add_name(l, tag, place);
  } else if (html_tag_is(tag, "type")) {
    add_type(l, tag, place);
  } else if (html_tag_is(tag, "typerefs")) {
    add_type_references(l, tag, place);
  } else if (html_tag_is(tag, "if")) {
    add_condition(l, tag, place);
  } else if (html_tag_is(tag, "port") && place.port >= 0) {
    separate(l);
    text_addf(l->out, "%d", place.port);
  } else if (html_tag_is(tag, "processing") && is_port_known(l, place)) {
    add_processing(l, place);
  } else if (html_tag_is(tag, place.output ? "outputconnections" : "inputconnections") && place.port >= 0) {
    add_connections(l, tag, place);
  } else if (!e->type && html_tag_is(tag, "config")) {
    add_config(l, tag, place);
  } else if (!e->type && html_tag_is(tag, "configlink")) {
    add_config_link(l, tag, place);
  } else if (!e->type && (html_tag_is(tag, "ninputs") || html_tag_is(tag, "noutputs"))) {
    add_count(l, tag, place, html_tag_is(tag, "noutputs"));
  } else if (!e->type && (html_tag_is(tag, "inputs") || html_tag_is(tag, "outputs"))) {
    add_ports(l, tag, place, html_tag_is(tag, "outputs"));
  } else if (!e->type && html_tag_is(tag, "line")) {
    separate(l);
    text_addf(l->out, "%u", e->declaration->at.line);
  } else {
    expand(l, html_definition_find(l->page, tag->name), place);
  }
}

static void expand(struct listing *l, struct slice template, struct place place) {
  struct slice before;
  struct html_tag tag;
  if (template.data == NULL || ++place.depth > HTML_DEPTH) return;
  for (;;) {
    bool found = html_tag_next(&template, &before, &tag);
    if (before.length > 0) separate(l);
    text_add_slice(l->out, before);
    if (!found) return;
    size_t length = l->out->length;
    add_tag(l, &tag, place);
    /* What a list inside would have separated from its next entry is not separated from what follows the list. */
    if (l->out->length != length)
      wait_separator(l, html_tag_is(&tag, "configlink") ? html_tag_find(&tag, "sep") : slice_of(""));
  }
}

/* --- the list --- */

static void sort(struct entry *entries, uint32_t count) {
  for (uint32_t i = 1; i < count; i++) {
    struct entry moved = entries[i];
    uint32_t at = i;
    for (; at > 0 && strcmp(name_of(&entries[at - 1]), name_of(&moved)) > 0; at--)
      entries[at] = entries[at - 1];
    entries[at] = moved;
  }
}

static bool first_of_class(const struct click_config *config, uint32_t index) {
  for (uint32_t i = 0; i < index; i++) {
    if (strcmp(config->declarations[i].class_name, config->declarations[index].class_name) == 0) return false;
  }
  return true;
}

/* "WHICH/COUNT": the part of the list that is shown. */
static void read_column(struct slice column, uint32_t total, uint32_t *first, uint32_t *end) {
  const char *slash = column.length > 0 ? memchr(column.data, '/', column.length) : NULL;
  uint64_t which = 1, count = 1;
  size_t before = slash != NULL ? (size_t)(slash - column.data) : 0;
  if (slash == NULL || slice_to_u64((struct slice){column.data, before}, UINT16_MAX, &which) != 0 ||
      slice_to_u64((struct slice){slash + 1, column.length - before - 1}, UINT16_MAX, &count) != 0 || which == 0 ||
      which > count) {
    which = count = 1;
  }
  uint64_t part = total == 0 ? 0 : (total - 1) / count + 1;
  *first = (uint32_t)((which - 1) * part < total ? (which - 1) * part : total);
  *end = which == count || which * part > total ? total : (uint32_t)(which * part);
}

int html_elements(const struct html_page *page, const struct html_tag *tag, struct text *out) {
  const struct click_config *config = page->config;
  uint32_t room = 2 * config->declaration_count + 1, count = 0, first, end;
  struct entry *entries = memory_alloc(room * sizeof *entries);
  struct listing l = {.page = page, .tag = tag, .out = out, .elements = memory_alloc(room * sizeof *entries)};
  bool elements = html_tag_find(tag, "entry").data != NULL, types = html_tag_find(tag, "typeentry").data != NULL;
  for (uint32_t i = 0; entries != NULL && l.elements != NULL && i < config->declaration_count; i++) {
    l.elements[i] = (struct entry){&config->declarations[i], i, false};
    if (elements) entries[count++] = l.elements[i];
    if (types && first_of_class(config, i)) entries[count++] = (struct entry){&config->declarations[i], i, true};
  }
  if (entries == NULL || l.elements == NULL) {
    out->failed = true;
  } else {
    sort(l.elements, config->declaration_count);
    sort(entries, count);
    read_column(html_tag_find(tag, "column"), count, &first, &end);
    for (uint32_t i = first; i < end; i++) {
      struct place place = {&entries[i], -1, false, 0};
      expand(&l, html_tag_find(tag, entries[i].type ? "typeentry" : "entry"), place);
      wait_separator(&l, html_tag_find(tag, "sep"));
    }
  }
  memory_free(entries);
  memory_free(l.elements);
  text_free(&l.separator);
  return out->failed ? -ERROR_NO_MEMORY : 0;
}
