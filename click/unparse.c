/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Flat configurations as text, laid out as Click's `flatconfig` is: declarations, then chains of connections with one arrow a line
 * behind the first.
 */
#include "click/unparse.h"

#include "lib/memory.h"

static void unparse_requirements(const char *requirements, struct text *out) {
  struct slice rest = slice_trim(slice_of(requirements));
  const char *before = "require(";
  while (rest.length > 0) {
    const char *end = memchr(rest.data, '\n', rest.length);
    size_t length = end ? (size_t)(end - rest.data) : rest.length;
    text_addf(out, "%s%.*s", before, (int)length, rest.data);
    before = ", ";
    rest.data += end ? length + 1 : length;
    rest.length -= end ? length + 1 : length;
  }
  if (before[0] == ',') text_add(out, ");\n\n");
}

static void unparse_declarations(const struct click_config *config, struct text *out) {
  for (uint32_t i = 0; i < config->declaration_count; i++) {
    const struct click_declaration *d = &config->declarations[i];
    text_addf(out, "%s :: %s", d->name, d->class_name);
    if (d->arguments[0]) text_addf(out, "(%s)", d->arguments);
    text_add(out, ";\n");
  }
  if (config->declaration_count > 0 && config->connection_count > 0) text_add(out, "\n");
}

enum { NONE = UINT32_MAX };

/* A chain follows each connection with the first one that leaves output 0 of where it arrived. */
static void unparse_chain(const struct click_config *config, const uint32_t *first_of, bool *done, uint32_t start,
                          struct text *out) {
  const struct click_connection *c = &config->connections[start];
  text_add(out, config->declarations[c->from].name);
  if (c->from_port) text_addf(out, " [%u]", c->from_port);
  const char *arrow = " -> ";
  for (uint32_t at = start; at != NONE && !done[at]; at = first_of[config->connections[at].to]) {
    c = &config->connections[at];
    done[at] = true;
    text_add(out, arrow);
    if (c->to_port) text_addf(out, "[%u] ", c->to_port);
    text_add(out, config->declarations[c->to].name);
    arrow = "\n    -> ";
  }
  text_add(out, ";\n");
}

static void unparse_connections(const struct click_config *config, struct text *out) {
  uint32_t *first_of = memory_alloc((config->declaration_count + 1) * sizeof *first_of);
  bool *entered = memory_alloc((config->declaration_count + 1) * sizeof *entered);
  bool *done = memory_alloc((config->connection_count + 1) * sizeof *done);
  if (!first_of || !entered || !done) {
    out->failed = true;
  } else {
    for (uint32_t i = 0; i < config->declaration_count; i++)
      first_of[i] = NONE;
    for (uint32_t i = config->connection_count; i-- > 0;) {
      const struct click_connection *c = &config->connections[i];
      if (c->from_port == 0) first_of[c->from] = i;
      entered[c->to] = true;
    }
    /* Chains begin at sources; what is left then are other outputs, later connections, and rings. */
    for (int pass = 0; pass < 2; pass++) {
      for (uint32_t i = 0; i < config->connection_count; i++) {
        if (done[i] || (pass == 0 && entered[config->connections[i].from])) continue;
        unparse_chain(config, first_of, done, i, out);
      }
    }
  }
  memory_free(first_of);
  memory_free(entered);
  memory_free(done);
}

void click_unparse(const struct click_config *config, struct text *out) {
  if (config->requirements) unparse_requirements(config->requirements, out);
  unparse_declarations(config, out);
  unparse_connections(config, out);
}
