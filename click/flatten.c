/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From the parsed source to the flat configuration: references become declarations, names become indices.
 */
#include "click/ast.h"
#include "lib/memory.h"

void click_ast_free(struct click_ast *ast) {
  memory_free(ast->references);
  memory_free(ast->edges);
  text_free(&ast->requirements);
  *ast = (struct click_ast){0};
}

/* Every declared name into the table, with the index of its reference. */
static int collect_names(const struct click_ast *ast, struct name_table *declared, struct report *report) {
  int result = 0;
  unsigned errors = 0;
  for (uint32_t i = 0; i < ast->reference_count && errors < CLICK_MAX_ERRORS; i++) {
    const struct click_reference *reference = &ast->references[i];
    if (reference->kind != CLICK_DECLARED) continue;
    int added = name_table_add(declared, reference->name, i);
    if (added == -ERROR_NO_MEMORY) return added;
    if (added != -ERROR_EXISTS) continue;
    const struct landmark *first = &ast->references[name_table_find(declared, reference->name)].at;
    errors++;
    result = report_error(report, ERROR_INVALID, "%s:%u: redeclaration of element '%.*s'", reference->at.file,
                          reference->at.line, (int)reference->name.length, reference->name.data);
    report_note(report, "%s:%u: element '%.*s' previously declared here", first->file, first->line,
                (int)reference->name.length, reference->name.data);
  }
  return result;
}

/* Class@N; should somebody have declared an element of that name, the next free number. */
static char *anonymous_name(struct slice class_name, uint32_t number, const struct name_table *declared,
                            const struct name_table *taken) {
  char name[CLICK_MAX_NAME + 16];
  for (;; number++) {
    size_t length = format_text(name, sizeof name, "%.*s@%u", (int)class_name.length, class_name.data, number);
    struct slice candidate = {name, length};
    if (name_table_find(declared, candidate) < 0 && name_table_find(taken, candidate) < 0)
      return memory_copy_string(name, length);
  }
}

static int add_declaration(struct click_config *config, const struct click_reference *reference,
                           const struct name_table *declared) {
  uint32_t index = config->declaration_count++;
  struct click_declaration *declaration = &config->declarations[index];
  struct slice class_name = reference->kind == CLICK_BARE ? reference->name : reference->class_name;
  declaration->name = reference->kind == CLICK_DECLARED
                          ? memory_copy_string(reference->name.data, reference->name.length)
                          : anonymous_name(class_name, index + 1, declared, &config->names);
  declaration->class_name = memory_copy_string(class_name.data, class_name.length);
  declaration->arguments = memory_copy_string(reference->arguments.data, reference->arguments.length);
  declaration->at = reference->at;
  declaration->bare = reference->kind == CLICK_BARE;
  if (!declaration->name || !declaration->class_name || !declaration->arguments) return -ERROR_NO_MEMORY;
  return name_table_add(&config->names, slice_of(declaration->name), index);
}

int click_flatten(const struct click_ast *ast, struct click_config *config, struct report *report) {
  struct name_table declared = {0};
  uint32_t *elements = memory_alloc((ast->reference_count + 1) * sizeof *elements); /* reference to declaration */
  config->declarations = memory_alloc((ast->reference_count + 1) * sizeof *config->declarations);
  config->connections = memory_alloc((ast->edge_count + 1) * sizeof *config->connections);
  int result = -ERROR_NO_MEMORY;
  if (!elements || !config->declarations || !config->connections) goto done;
  config->declaration_capacity = ast->reference_count + 1;
  config->connection_capacity = ast->edge_count + 1;

  result = collect_names(ast, &declared, report);
  if (result) goto done;
  for (uint32_t i = 0; i < ast->reference_count; i++) {
    const struct click_reference *reference = &ast->references[i];
    elements[i] = config->declaration_count;
    if (reference->kind == CLICK_BARE && name_table_find(&declared, reference->name) >= 0) continue;
    if (config->declaration_count == CLICK_MAX_ELEMENTS) {
      result = report_error(report, ERROR_TOO_BIG, "%s:%u: more than %d elements", reference->at.file,
                            reference->at.line, CLICK_MAX_ELEMENTS);
      goto done;
    }
    result = add_declaration(config, reference, &declared);
    if (result) goto done;
  }
  for (uint32_t i = 0; i < ast->reference_count; i++) {
    const struct click_reference *reference = &ast->references[i];
    if (reference->kind != CLICK_BARE) continue;
    int64_t target = name_table_find(&declared, reference->name);
    if (target >= 0) elements[i] = elements[target];
  }
  for (uint32_t i = 0; i < ast->edge_count; i++) {
    const struct click_edge *edge = &ast->edges[i];
    config->connections[config->connection_count++] =
        (struct click_connection){elements[edge->from], edge->from_port, elements[edge->to], edge->to_port, edge->at};
  }
done:
  name_table_free(&declared);
  memory_free(elements);
  return result;
}
