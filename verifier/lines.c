/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Records are struct bpf_line_info of Linux: instruction offset in bytes, file name, source text, line << 10 | column.
 * Only base names are kept: a path says where somebody built the program, which is nobody else's business.
 */
#include "verifier/lines.h"

#include <stdlib.h>

#include "lib/bytes.h"
#include "lib/memory.h"

enum { RECORD_SIZE = 16, LINE_SHIFT = 10, NAMES_MAX = 1024, TEXT_MAX = 200 };

struct record {
  uint32_t offset; /* bytes into the section */
  uint32_t line;
  const char *path, *text;
};

/* False for records without a position. */
static bool decode(const struct type_info_walk *walk, struct record *record) {
  record->offset = load_le32(walk->record);
  record->path = btf__name_by_offset(walk->btf, load_le32(walk->record + 4));
  record->text = btf__name_by_offset(walk->btf, load_le32(walk->record + 8));
  record->line = load_le32(walk->record + 12) >> LINE_SHIFT;
  return record->path && record->path[0] != '\0' && record->line > 0;
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash && slash[1] != '\0' ? slash + 1 : path;
}

/* The table's own copy of a file's base name, of characters that a bundle may carry; NULL when memory is out. */
static const char *intern(struct line_table *table, const char *path) {
  char name[128];
  const char *base = base_name(path);
  size_t length = strnlen(base, sizeof(name) - 1);
  for (size_t i = 0; i < length; i++)
    name[i] = base[i] >= ' ' && base[i] < 0x7f && base[i] != '/' ? base[i] : '?';
  name[length] = '\0';
  for (uint32_t i = table->name_count; i > 0; i--)
    if (strcmp(table->names[i - 1], name) == 0) return table->names[i - 1];
  if (table->name_count == NAMES_MAX) return NULL;
  if (!table->names && !(table->names = memory_alloc(NAMES_MAX * sizeof(*table->names)))) return NULL;
  char *copy = memory_copy_string(name, length);
  if (copy) table->names[table->name_count++] = copy;
  return copy;
}

/* A source line for messages: without indentation, of printable characters. NULL when memory is out. */
static char *copy_text(const char *text) {
  if (!text) text = "";
  while (*text == ' ' || *text == '\t')
    text++;
  size_t length = strnlen(text, TEXT_MAX);
  char *copy = memory_copy_string(text, length);
  for (size_t i = 0; copy && i < length; i++)
    if (copy[i] < ' ' || copy[i] > '~') copy[i] = copy[i] == '\t' ? ' ' : '?';
  return copy;
}

/* The line breaks ties, so that the order doesn't depend on the library's qsort. */
static int by_insn(const void *a, const void *b) {
  const struct bundle_line *x = &((const struct source_line *)a)->at, *y = &((const struct source_line *)b)->at;
  if (x->insn != y->insn) return x->insn > y->insn ? 1 : -1;
  return (x->line > y->line) - (x->line < y->line);
}

/* Sorts, and leaves out records that don't change the position. */
static void normalise(struct line_table *table) {
  uint32_t kept = 0;
  if (table->count > 0) qsort(table->lines, table->count, sizeof(*table->lines), by_insn);
  for (uint32_t i = 0; i < table->count; i++) {
    const struct bundle_line *last = kept > 0 ? &table->lines[kept - 1].at : NULL, *line = &table->lines[i].at;
    if (last && (last->insn == line->insn || (last->line == line->line && last->file == line->file)))
      memory_free(table->lines[i].text);
    else
      table->lines[kept++] = table->lines[i];
  }
  table->count = kept;
}

int lines_collect(struct line_table *table, const struct layout *layout, const struct btf *btf, struct report *report) {
  struct type_info_walk walk;
  struct record record;
  *table = (struct line_table){0};
  int error = type_info_walk(&walk, layout->object, btf, TYPE_INFO_LINES, RECORD_SIZE, report);
  if (error) return error;
  size_t limit = walk.rest.length / RECORD_SIZE;
  if (limit == 0) return 0;
  table->lines = memory_alloc(limit * sizeof(*table->lines));
  if (!table->lines) return -ERROR_NO_MEMORY;
  while (type_info_next(&walk)) {
    if (!decode(&walk, &record)) continue;
    uint32_t place = layout_place(layout, walk.section, record.offset);
    if (place == LAYOUT_NOWHERE) continue;
    const char *file = intern(table, record.path);
    if (!file)
      return report_error(report, ERROR_TOO_BIG, "%s: line information names too many source files",
                          layout->object->file);
    char *text = copy_text(record.text);
    if (!text) return -ERROR_NO_MEMORY;
    table->lines[table->count++] = (struct source_line){{place, record.line, file}, text};
  }
  normalise(table);
  return 0;
}

void lines_free(struct line_table *table) {
  for (uint32_t i = 0; i < table->name_count; i++)
    memory_free(table->names[i]);
  for (uint32_t i = 0; i < table->count; i++)
    memory_free(table->lines[i].text);
  memory_free(table->names);
  memory_free(table->lines);
  *table = (struct line_table){0};
}

const struct source_line *lines_find(const struct line_table *table, uint32_t insn) {
  uint32_t low = 0, high = table->count; /* lines[0..low) begin at or before insn, lines[high..) behind it */
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (table->lines[middle].at.insn <= insn)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 ? &table->lines[low - 1] : NULL;
}

bool lines_locate(const struct object *object, const struct btf *btf, const char *section, uint64_t offset,
                  char *buffer, size_t size) {
  struct type_info_walk walk;
  struct record record, best = {.path = NULL};
  if (type_info_walk(&walk, object, btf, TYPE_INFO_LINES, RECORD_SIZE, NULL) != 0) return false;
  while (type_info_next(&walk))
    if (strcmp(walk.section, section) == 0 && decode(&walk, &record) && record.offset <= offset &&
        (!best.path || record.offset >= best.offset))
      best = record;
  if (!best.path) return false;
  format_text(buffer, size, "%s:%u", base_name(best.path), best.line);
  return true;
}
