/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Source lines of instructions, from clang's line information. For messages only.
 */
#ifndef IMAGO_VERIFIER_LINES_H
#define IMAGO_VERIFIER_LINES_H

#include "bundle/writer.h"
#include "verifier/layout.h"
#include "verifier/type_info.h"

/* The position of one or more instructions. */
struct source_line {
  struct bundle_line at; /* file points into the table's names */
  char *text;            /* the line itself, without its indentation; "" when the compiler did not keep it */
};

struct line_table {
  struct source_line *lines; /* ascending by instruction */
  uint32_t count;
  char **names; /* base names of source files */
  uint32_t name_count;
};

/* The lines of all instructions that have a place in the linked program. btf may be NULL: then the table is empty. Free with
 * lines_free, after failure too. */
int lines_collect(struct line_table *table, const struct layout *layout, const struct btf *btf,
                  struct report *report) MUST_USE;
void lines_free(struct line_table *table);
/* The line that made the instruction; NULL when unknown. */
const struct source_line *lines_find(const struct line_table *table, uint32_t insn);

/* "prog.bpf.c:41" for an instruction of the object, for errors before the program is linked; false when unknown. */
bool lines_locate(const struct object *object, const struct btf *btf, const char *section, uint64_t offset,
                  char *buffer, size_t size);

#endif
