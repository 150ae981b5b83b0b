/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tree of a source: memory, and adding to it within the limits.
 */
#include "click/ast.h"

#include "lib/memory.h"

void click_ast_free(struct click_ast *ast) {
  for (struct ast_compound *compound = ast->compounds; compound; compound = compound->next) {
    memory_free(compound->variables);
    memory_free(compound->elements);
    memory_free(compound->connections);
    name_table_free(&compound->names);
  }
  while (ast->blocks) {
    struct ast_block *next = ast->blocks->next;
    memory_free(ast->blocks);
    ast->blocks = next;
  }
  text_free(&ast->requirements);
  *ast = (struct click_ast){0};
}

void *ast_alloc(struct click_ast *ast, size_t size) {
  /* Header of 16 bytes, so that what follows stays aligned. */
  struct ast_block *block = memory_alloc(16 + size);
  if (!block) return NULL;
  block->next = ast->blocks;
  ast->blocks = block;
  return (char *)block + 16;
}

struct slice ast_text(struct click_ast *ast, const char *format, ...) {
  char text[CLICK_MAX_NAME + 64];
  va_list arguments;
  va_start(arguments, format);
  size_t length = format_text_list(text, sizeof text, format, arguments);
  va_end(arguments);
  if (length >= sizeof text) length = sizeof text - 1;
  char *copy = ast_alloc(ast, length + 1);
  if (copy) memcpy(copy, text, length);
  return (struct slice){copy, length};
}

struct ast_compound *ast_add_compound(struct click_ast *ast, struct slice name, struct landmark at, uint32_t depth) {
  struct ast_compound *compound = ast_alloc(ast, sizeof *compound);
  if (!compound) return NULL;
  *compound = (struct ast_compound){.name = name, .at = at, .depth = depth, .next = ast->compounds};
  ast->compounds = compound;
  return compound;
}

/* Room for one more item; false when memory is out. */
static bool reserve(void **items, uint32_t count, uint32_t *capacity, size_t size) {
  if (count < *capacity) return true;
  uint32_t larger = *capacity ? *capacity * 2 : 8;
  void *moved = memory_resize(*items, larger * size);
  if (!moved) return false;
  *items = moved;
  *capacity = larger;
  return true;
}

int ast_add_element(struct click_ast *ast, struct ast_compound *compound, const struct ast_element *element,
                    uint32_t *index) {
  if (ast->element_count == AST_MAX_ELEMENTS) return -ERROR_TOO_BIG;
  void *items = compound->elements;
  if (!reserve(&items, compound->element_count, &compound->element_capacity, sizeof *element)) return -ERROR_NO_MEMORY;
  compound->elements = items;
  *index = compound->element_count;
  if (!element->anonymous) {
    int result = name_table_add(&compound->names, element->name, *index);
    if (result) return result;
  }
  compound->elements[compound->element_count++] = *element;
  ast->element_count++;
  return 0;
}

int ast_connect(struct click_ast *ast, struct ast_compound *compound, const struct ast_connection *connection) {
  if (ast->connection_count == AST_MAX_CONNECTIONS) return -ERROR_TOO_BIG;
  void *items = compound->connections;
  if (!reserve(&items, compound->connection_count, &compound->connection_capacity, sizeof *connection)) {
    return -ERROR_NO_MEMORY;
  }
  compound->connections = items;
  compound->connections[compound->connection_count++] = *connection;
  ast->connection_count++;
  struct ast_element *from = &compound->elements[connection->from], *to = &compound->elements[connection->to];
  if (from->outputs <= connection->from_port) from->outputs = connection->from_port + 1;
  if (to->inputs <= connection->to_port) to->inputs = connection->to_port + 1;
  return 0;
}

int ast_define(struct ast_compound *compound, struct slice name, struct slice value) {
  for (uint32_t i = 0; i < compound->variable_count; i++) {
    const struct slice *known = &compound->variables[i].name;
    if (known->length == name.length && memcmp(known->data, name.data, name.length) == 0) return -ERROR_EXISTS;
  }
  if (compound->variable_count == AST_MAX_VARIABLES) return -ERROR_TOO_BIG;
  void *items = compound->variables;
  if (!reserve(&items, compound->variable_count, &compound->variable_capacity, sizeof *compound->variables)) {
    return -ERROR_NO_MEMORY;
  }
  compound->variables = items;
  compound->variables[compound->variable_count++] = (struct ast_variable){name, value};
  return 0;
}
