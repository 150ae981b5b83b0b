/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Graphs that are only looked at.
 */
#include "tools/click_graph.h"

#include "click/graph.h"
#include "lib/memory.h"

static int add_element(struct router *graph, const struct click_declaration *declaration, struct report *report) {
  const struct element_class *class = element_class_find(declaration->class_name);
  if (class == NULL) {
    return report_error(report, ERROR_NOT_FOUND, "%s:%u: unknown element class '%s'", declaration->at.file,
                        declaration->at.line, declaration->class_name);
  }
  struct element *e = memory_alloc(sizeof *e);
  if (e == NULL) return -ERROR_NO_MEMORY;
  e->class = class;
  e->router = graph;
  e->name = declaration->name;
  e->config = declaration->arguments;
  e->at = declaration->at;
  e->index = graph->element_count;
  graph->elements[graph->element_count++] = e;
  return 0;
}

int click_graph_make(const struct click_config *config, struct router *graph, struct report *report) {
  graph->config = *config;
  graph->elements = memory_alloc((config->declaration_count + 1) * sizeof *graph->elements);
  if (graph->elements == NULL) return -ERROR_NO_MEMORY;
  int error = 0;
  for (uint32_t i = 0; i < config->declaration_count && error == 0; i++)
    error = add_element(graph, &config->declarations[i], report);
  if (error == 0) error = graph_count_ports(graph, report);
  if (error == 0) error = graph_resolve(graph, report);
  return error;
}

void click_graph_free(struct router *graph) {
  while (graph->element_count > 0) {
    struct element *e = graph->elements[--graph->element_count];
    memory_free(e->inputs);
    memory_free(e->outputs);
    memory_free(e);
  }
  memory_free(graph->elements);
  graph->elements = NULL;
}
