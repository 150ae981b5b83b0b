/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The linker: chooses the program, and links it and every program that it tail calls. Functions of a program are placed one behind the
 * other in the order in which they are first referred to, the entry first; resolving one function's references may place more, until
 * all are resolved.
 */
#include "verifier/link.h"

#include <elf.h>
#include <stdio.h>

#include "bpf/program.h"
#include "lib/memory.h"
#include "verifier/core_relo.h"
#include "verifier/linker.h"

int linker_refuse(const struct linker *l, const struct site *site, enum error code, const char *format, ...) {
  char where[160], what[400];
  va_list arguments;
  const struct object_symbol *symbol = site->function->symbol;
  va_start(arguments, format);
  format_text_list(what, sizeof(what), format, arguments);
  va_end(arguments);
  if (!lines_locate(&l->object, l->btf, l->object.sections[symbol->section].name, site_offset(site), where,
                    sizeof(where)))
    format_text(where, sizeof(where), "%s: %s+%u", l->options->file, symbol->name, site->index * INSN_SIZE);
  return report_error(l->report, code, "%s: %s", where, what);
}

/* --- choosing the program --- */

static bool is_program(const struct object *object, const struct object_symbol *symbol) {
  return symbol->type == STT_FUNC && symbol->binding == STB_GLOBAL && symbol->section < object->section_count &&
         object_is_code(&object->sections[symbol->section]) &&
         strcmp(object->sections[symbol->section].name, ".text") != 0;
}

static void list_programs(const struct linker *l, struct text *out) {
  const struct object *object = &l->object;
  for (uint32_t i = 0; i < object->symbol_count; i++)
    if (is_program(object, &object->symbols[i]))
      text_addf(out, "%s%s (section %s)", out->length > 0 ? ", " : "", object->symbols[i].name,
                object->sections[object->symbols[i].section].name);
}

/* What may stand behind a section's name: nothing, or a name of its own. */
static bool ends_name(char c) { return c == '\0' || c == '.' || c == '/' || c == '_'; }

/* Kind of the programs in a section: "xdp" and its variants ("xdp.frags", "xdp/filter"), and the names that libbpf has for tc
 * classifiers. False: not offered. */
static bool section_kind(const char *name, enum bpf_program_kind *kind) {
  static const struct {
    const char *prefix;
    enum bpf_program_kind kind;
  } offered[] = {{"xdp", BPF_PROGRAM_XDP},
                 {"tc", BPF_PROGRAM_TC},
                 {"tcx", BPF_PROGRAM_TC},
                 {"classifier", BPF_PROGRAM_TC},
                 {"action", BPF_PROGRAM_TC}};
  for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]); i++) {
    size_t length = strlen(offered[i].prefix);
    if (strncmp(name, offered[i].prefix, length) != 0 || !ends_name(name[length])) continue;
    *kind = offered[i].kind;
    return true;
  }
  return false;
}

static int choose(const struct linker *l, const struct object_symbol **chosen) {
  const struct object *object = &l->object;
  const char *file = l->options->file, *wanted = l->options->program;
  unsigned programs = 0, matches = 0;
  for (uint32_t i = 0; i < object->symbol_count; i++) {
    const struct object_symbol *symbol = &object->symbols[i];
    if (!is_program(object, symbol)) continue;
    programs++;
    if (wanted && strcmp(wanted, symbol->name) != 0 && strcmp(wanted, object->sections[symbol->section].name) != 0)
      continue;
    matches++;
    *chosen = symbol;
  }
  if (programs == 0)
    return report_error(l->report, ERROR_NOT_FOUND, "%s: no program in it; mark the entry function with SEC(\"xdp\")",
                        file);
  if (matches != 1) {
    struct text names = {0};
    list_programs(l, &names);
    int error = wanted && matches == 0 ? report_error(l->report, ERROR_NOT_FOUND, "%s: no program %s; there are: %s",
                                                      file, wanted, text_string(&names))
                                       : report_error(l->report, ERROR_INVALID,
                                                      "%s: %u programs match; choose a function with --program: %s",
                                                      file, matches, text_string(&names));
    text_free(&names);
    return error;
  }
  return 0;
}

/* --- placing functions --- */

/* Copies the function to the end of the program, unless it is there already. *start is its first instruction. */
static int place(struct linker *l, const struct object_symbol *symbol, uint32_t *start) {
  struct linked_code *code = l->code;
  const struct object_section *section = &l->object.sections[symbol->section];
  struct layout_slot *slots = layout_at(&l->layout, symbol->section, symbol->value);
  /* Two names, one function. Before the check, because their sizes may differ. */
  if (slots && slots[0].function) symbol = slots[0].function;
  if (!slots || symbol->size == 0 || symbol->size % INSN_SIZE != 0 || symbol->size > section->size - symbol->value)
    return report_error(l->report, ERROR_INVALID,
                        "%s: malformed object: function %s leaves its section; compile it again", l->options->file,
                        symbol->name);
  for (uint32_t i = 0; i < l->function_count; i++) {
    if (l->functions[i].symbol != symbol) continue;
    *start = l->functions[i].start;
    return 0;
  }
  if (symbol->size / INSN_SIZE > BPF_MAX_INSNS - code->insn_count)
    return report_error(l->report, ERROR_TOO_BIG,
                        "%s: more than %u instructions with all subprograms; simplify the program", l->options->file,
                        (unsigned)BPF_MAX_INSNS);
  uint32_t count = (uint32_t)(symbol->size / INSN_SIZE);
  /* From here on the program fits: the slots are distinct, and there is room for all or for the limit. */
  for (uint32_t i = 0; i < count; i++) {
    if (slots[i].place != LAYOUT_NOWHERE)
      return report_error(l->report, ERROR_INVALID,
                          "%s: malformed object: function %s overlaps another; compile it again", l->options->file,
                          symbol->name);
    slots[i].place = code->insn_count + i;
  }
  memcpy(code->insns + code->insn_count, section->data.data + symbol->value, symbol->size);
  l->functions[l->function_count++] = (struct placed_function){symbol, code->insn_count, count};
  *start = code->insn_count;
  code->insn_count += count;
  return 0;
}

int linker_place(struct linker *l, const struct site *site, uint32_t section, uint64_t offset, uint32_t *start) {
  const struct layout_slot *slot = layout_at(&l->layout, section, offset);
  if (!slot || !slot->function) return linker_refuse(l, site, ERROR_INVALID, "refers to code where no function starts");
  return place(l, slot->function, start);
}

int linker_program(struct linker *l, const struct site *site, const struct object_symbol *entry, uint32_t *number) {
  struct linked_program *program = l->program;
  for (*number = 0; *number < program->code_count; ++*number)
    if (l->entries[*number] == entry) return 0;
  if (program->code_count == LINK_MAX_PROGRAMS)
    return linker_refuse(l, site, ERROR_TOO_BIG, "more than %u programs call each other", (unsigned)LINK_MAX_PROGRAMS);
  l->entries[program->code_count++] = entry;
  return 0;
}

/* --- the whole --- */

/* Copies a name that goes into the bundle. */
static int set_name(const struct linker *l, char *field, const char *name) {
  size_t length = strlen(name);
  if (length >= BUNDLE_NAME_MAX)
    return report_error(l->report, ERROR_TOO_BIG, "%s: the name %.80s... is longer than %u characters",
                        l->options->file, name, (unsigned)BUNDLE_NAME_MAX - 1);
  memcpy(field, name, length + 1);
  return 0;
}

/* bpf_check, which names an instruction; here its source line, or at least the object, is known. */
static int check(struct linker *l, const struct linked_code *code) {
  struct report found = {0};
  int error = bpf_check(code->insns, code->insn_count, l->program->map_count, &found);
  if (!error) return 0;
  const char *what = text_string(&found.text);
  uint32_t at = 0;
  int skipped = 0;
  const bool numbered = sscanf(what, "instruction %u: %n", &at, &skipped) == 1;
  const struct source_line *line = numbered ? lines_find(&code->lines, at) : NULL;
  const int length = (int)strcspn(what, "\n");
  if (line)
    error = report_error(l->report, (enum error) - error, "%s:%u: %.*s", line->at.file, line->at.line, length - skipped,
                         what + skipped);
  else
    error = report_error(l->report, (enum error) - error, "%s: %.*s", l->options->file, length, what);
  report_free(&found);
  return error;
}

/* Links code[number], from its entry on. */
static int link_code(struct linker *l, uint32_t number) {
  const struct object_symbol *entry = l->entries[number];
  const char *section = l->object.sections[entry->section].name;
  struct linked_code *code = l->code = &l->program->code[number];
  uint32_t start;
  if (!section_kind(section, &code->kind))
    return report_error(l->report, ERROR_UNSUPPORTED,
                        "%s: %s is a program of type %s; offered are SEC(\"xdp\") and SEC(\"tc\")", l->options->file,
                        entry->name, section);
  if (code->kind != l->program->code[0].kind)
    return report_error(l->report, ERROR_INVALID, "%s: %s of type %s is tail called by a program of another type",
                        l->options->file, entry->name, section);
  code->insns = memory_alloc(l->capacity * sizeof(struct bpf_insn));
  if (!code->insns) return -ERROR_NO_MEMORY;
  l->function_count = 0;
  layout_clear(&l->layout);
  int error = set_name(l, code->function, entry->name);
  if (!error) error = set_name(l, code->section, section);
  if (!error) error = place(l, entry, &start);
  for (uint32_t i = 0; i < l->function_count && !error; i++)
    error = linker_resolve(l, l->functions[i]);
  if (!error) error = linker_describe_functions(l);
  if (!error) error = core_relocate(&l->layout, l->btf, code->insns, code->insn_count, l->report);
  if (!error) error = lines_collect(&code->lines, &l->layout, l->btf, l->report);
  if (!error) error = check(l, code);
  return error;
}

static int link_opened(struct linker *l) {
  const struct object_symbol *entry = NULL;
  int error = type_info_load(&l->object, &l->btf, l->report);
  if (!error) error = layout_make(&l->layout, &l->object, l->report);
  if (!error) error = choose(l, &entry);
  if (error || !entry) return error;
  /* Every instruction is placed at most once in a program, and every function has at least one. */
  l->capacity = l->layout.count < BPF_MAX_INSNS ? (uint32_t)l->layout.count : BPF_MAX_INSNS;
  l->functions = memory_alloc(l->capacity * sizeof(*l->functions));
  l->program = memory_alloc(sizeof(*l->program));
  if (!l->functions || !l->program) return -ERROR_NO_MEMORY;
  l->entries[0] = entry;
  l->program->code_count = 1;
  /* More programs turn up on the way. */
  for (uint32_t i = 0; i < l->program->code_count && !error; i++)
    error = link_code(l, i);
  if (!error) error = linker_set_constants(l);
  if (!error) error = linker_declare_tunables(l);
  return error;
}

int link_object(const uint8_t *bytes, size_t length, const struct link_options *options,
                struct linked_program **program, struct report *report) {
  struct linker linker = {.options = options, .report = report};
  int error = object_open(&linker.object, bytes, length, options->file, report);
  if (error) return error;
  error = link_opened(&linker);
  if (error == -ERROR_NO_MEMORY) report_error(report, ERROR_NO_MEMORY, "%s: out of memory", options->file);
  memory_free(linker.functions);
  layout_free(&linker.layout);
  btf__free(linker.btf);
  object_close(&linker.object);
  if (error)
    link_free(linker.program);
  else
    *program = linker.program;
  return error;
}

uint32_t link_insn_count(const struct linked_program *program) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < program->code_count; i++)
    sum += program->code[i].insn_count;
  return sum;
}

void link_free(struct linked_program *program) {
  if (!program) return;
  for (uint32_t i = 0; i < program->code_count; i++) {
    lines_free(&program->code[i].lines);
    memory_free(program->code[i].insns);
    memory_free(program->code[i].functions);
  }
  for (uint32_t i = 0; i < program->map_count; i++)
    memory_free(program->own[i]);
  memory_free(program->entries);
  type_table_free(&program->types);
  memory_free(program);
}
