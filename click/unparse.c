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

/* Chains. Invariant: next[i] is the connection that goes on where i arrives, at input 0 and out of output 0. */
struct chains {
  const struct click_config *config;
  uint32_t *next;
  bool *begins; /* no other connection goes on with it */
  bool *done;
};

/* The connection behind `at`: one that itself arrives at input 0 goes before all others, the last of those there are. */
static uint32_t successor(const struct click_config *config, const uint32_t *first_zero, const uint32_t *last,
                          uint32_t at) {
  const struct click_connection *c = &config->connections[at];
  if (c->to_port != 0) return NONE;
  uint32_t found = first_zero[c->to] != NONE ? first_zero[c->to] : last[c->to];
  if (found != at) return found;
  /* A ring of one: any other that leaves there. */
  found = NONE;
  for (uint32_t i = 0; i < config->connection_count; i++) {
    const struct click_connection *other = &config->connections[i];
    if (i == at || other->from != c->to || other->from_port != 0) continue;
    found = i;
    if (other->to_port == 0) break;
  }
  return found;
}

static bool find_chains(struct chains *chains) {
  const struct click_config *config = chains->config;
  uint32_t *first_zero = memory_alloc((config->declaration_count + 1) * sizeof *first_zero);
  uint32_t *last = memory_alloc((config->declaration_count + 1) * sizeof *last);
  bool good = first_zero && last;
  for (uint32_t i = 0; good && i < config->declaration_count; i++)
    first_zero[i] = last[i] = NONE;
  for (uint32_t i = 0; good && i < config->connection_count; i++) {
    const struct click_connection *c = &config->connections[i];
    chains->begins[i] = true;
    if (c->from_port != 0) continue;
    last[c->from] = i;
    if (c->to_port == 0 && first_zero[c->from] == NONE) first_zero[c->from] = i;
  }
  for (uint32_t i = 0; good && i < config->connection_count; i++) {
    chains->next[i] = successor(config, first_zero, last, i);
    if (chains->next[i] != NONE) chains->begins[chains->next[i]] = false;
  }
  memory_free(first_zero);
  memory_free(last);
  return good;
}

static void unparse_chain(struct chains *chains, uint32_t start, struct text *out) {
  const struct click_config *config = chains->config;
  const struct click_connection *c = &config->connections[start];
  text_add(out, config->declarations[c->from].name);
  if (c->from_port) text_addf(out, " [%u]", c->from_port);
  const char *arrow = " -> ";
  for (uint32_t at = start; at != NONE && !chains->done[at]; at = chains->next[at]) {
    c = &config->connections[at];
    chains->done[at] = true;
    text_add(out, arrow);
    if (c->to_port) text_addf(out, "[%u] ", c->to_port);
    text_add(out, config->declarations[c->to].name);
    arrow = "\n    -> ";
  }
  text_add(out, ";\n");
}

static void unparse_connections(const struct click_config *config, struct text *out) {
  struct chains chains = {.config = config,
                          .next = memory_alloc((config->connection_count + 1) * sizeof *chains.next),
                          .begins = memory_alloc((config->connection_count + 1) * sizeof *chains.begins),
                          .done = memory_alloc((config->connection_count + 1) * sizeof *chains.done)};
  bool good = chains.next && chains.begins && chains.done && find_chains(&chains);
  /* What is left behind the first pass are rings. */
  for (int pass = 0; good && pass < 2; pass++) {
    for (uint32_t i = 0; i < config->connection_count; i++) {
      if (!chains.done[i] && (pass == 1 || chains.begins[i])) unparse_chain(&chains, i, out);
    }
  }
  if (!good) out->failed = true;
  memory_free(chains.next);
  memory_free(chains.begins);
  memory_free(chains.done);
}

void click_unparse(const struct click_config *config, struct text *out) {
  if (config->requirements) unparse_requirements(config->requirements, out);
  unparse_declarations(config, out);
  unparse_connections(config, out);
}
