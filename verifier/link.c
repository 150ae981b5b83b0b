/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The linker. Functions are placed one behind the other in the order in which they are first referred to, the entry first;
 * resolving one function's references may place more, until all are resolved. Relocation types: Documentation/bpf/
 * llvm_reloc.rst of Linux.
 */
#include "verifier/link.h"

#include <elf.h>

#include "bpf/program.h"
#include "bpf/proto.h"
#include "lib/memory.h"
#include "verifier/btf_maps.h"
#include "verifier/core_relo.h"
#include "verifier/names.h"

enum { RELOCATION_64_64 = 1, RELOCATION_64_32 = 10 };
enum { INSN_SIZE = sizeof(struct bpf_insn), MAX_HELPER_ID = 1024 };
enum { CODE_LD_IMM64 = BPF_LD | BPF_DW | BPF_IMM, CODE_CALL = BPF_JMP | BPF_CALL };

struct placed_function {
  const struct object_symbol *symbol;
  uint32_t start, count; /* in the linked program */
};

struct linker {
  const struct link_options *options;
  struct report *report;
  struct object object;
  struct btf *btf;
  struct layout layout;
  struct linked_program *program;
  struct placed_function *functions;
  uint32_t function_count;
  uint32_t capacity; /* of functions and instructions */
  /* Which variable in .maps, or which data section (offset 0), each map of the program stands for. */
  struct {
    uint32_t section;
    uint64_t offset;
  } map_origin[BPF_MAX_MAPS];
};

/* One instruction on its way into the program. */
struct site {
  const struct placed_function *function;
  uint32_t index; /* in the function */
  struct bpf_insn *insn;
  const struct layout_slot *slot;
};

static uint64_t site_offset(const struct site *site) {
  return site->function->symbol->value + (uint64_t)site->index * INSN_SIZE;
}

/* An error at an instruction: source line when known, otherwise object, function and byte. */
static int refuse(const struct linker *l, const struct site *site, enum error code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static int refuse(const struct linker *l, const struct site *site, enum error code, const char *format, ...) {
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

/* True for "xdp" and its variants, "xdp.frags", "xdp/filter". */
static bool section_offered(const char *name) {
  return strncmp(name, "xdp", 3) == 0 && (name[3] == '\0' || name[3] == '.' || name[3] == '/' || name[3] == '_');
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
  const char *section = object->sections[(*chosen)->section].name;
  if (!section_offered(section))
    return report_error(l->report, ERROR_UNSUPPORTED, "%s: %s is a program of type %s; offered is SEC(\"xdp\")", file,
                        (*chosen)->name, section);
  return 0;
}

/* --- placing functions --- */

/* Copies the function to the end of the program, unless it is there already. *start is its first instruction. */
static int place(struct linker *l, const struct object_symbol *symbol, uint32_t *start) {
  struct linked_program *program = l->program;
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
  if (symbol->size / INSN_SIZE > BPF_MAX_INSNS - program->insn_count)
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
    slots[i].place = program->insn_count + i;
  }
  memcpy(program->insns + program->insn_count, section->data.data + symbol->value, symbol->size);
  l->functions[l->function_count++] = (struct placed_function){symbol, program->insn_count, count};
  *start = program->insn_count;
  program->insn_count += count;
  return 0;
}

/* The function that starts at a byte offset of a section, placed. */
static int place_target(struct linker *l, const struct site *site, uint32_t section, uint64_t offset, uint32_t *start) {
  const struct layout_slot *slot = layout_at(&l->layout, section, offset);
  if (!slot || !slot->function) return refuse(l, site, ERROR_INVALID, "refers to code where no function starts");
  return place(l, slot->function, start);
}

/* --- maps --- */

static int add_map(struct linker *l, const struct site *site, uint32_t section, uint64_t offset, uint32_t *index) {
  if (l->program->map_count == BPF_MAX_MAPS)
    return refuse(l, site, ERROR_TOO_BIG, "more than %u maps, global data included", (unsigned)BPF_MAX_MAPS);
  *index = l->program->map_count++;
  l->map_origin[*index].section = section;
  l->map_origin[*index].offset = offset;
  return 0;
}

static bool find_map(const struct linker *l, uint32_t section, uint64_t offset, uint32_t *index) {
  for (uint32_t i = 0; i < l->program->map_count; i++) {
    if (l->map_origin[i].section != section || l->map_origin[i].offset != offset) continue;
    *index = i;
    return true;
  }
  return false;
}

/* The variable at that place of .maps. */
static int declared_map(struct linker *l, const struct site *site, uint32_t section, uint64_t offset, uint32_t *index) {
  if (find_map(l, section, offset, index)) return 0;
  const struct object_symbol *variable = NULL;
  for (uint32_t i = 0; i < l->object.symbol_count && !variable; i++) {
    const struct object_symbol *symbol = &l->object.symbols[i];
    if (symbol->type == STT_OBJECT && symbol->section == section && symbol->value == offset) variable = symbol;
  }
  if (!variable) return refuse(l, site, ERROR_INVALID, "refers to no map in SEC(\".maps\")");
  int error = add_map(l, site, section, offset, index);
  if (error) return error;
  return btf_map_definition(l->options->file, l->btf, variable->name, &l->program->maps[*index], l->report);
}

static bool is_data(const char *section) {
  static const char *const names[] = {".data", ".rodata", ".bss"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    size_t length = strlen(names[i]);
    if (strncmp(section, names[i], length) == 0 && (section[length] == '\0' || section[length] == '.')) return true;
  }
  return false;
}

/* The one-entry array map that a section of global data becomes. */
static int data_map(struct linker *l, const struct site *site, uint32_t index_of_section, uint32_t *index) {
  if (find_map(l, index_of_section, 0, index)) return 0;
  const struct object_section *section = &l->object.sections[index_of_section];
  struct object_relocation *relocations;
  uint32_t count;
  int error = object_relocations(&l->object, index_of_section, &relocations, &count, l->report);
  memory_free(relocations);
  if (error) return error;
  if (count > 0)
    return refuse(l, site, ERROR_UNSUPPORTED, "global data in %s contains addresses; initialise them in the program",
                  section->name);
  if (section->size > BPF_MAP_MAX_VALUE)
    return refuse(l, site, ERROR_TOO_BIG, "global data in %s takes %llu bytes; the limit is %u", section->name,
                  (unsigned long long)section->size, (unsigned)BPF_MAP_MAX_VALUE);
  error = add_map(l, site, index_of_section, 0, index);
  if (error) return error;
  struct bpf_map_def *def = &l->program->maps[*index];
  *def = (struct bpf_map_def){.type = BPF_MAP_TYPE_ARRAY,
                              .key_size = 4,
                              .value_size = (uint32_t)section->size,
                              .max_entries = 1,
                              .flags = strncmp(section->name, ".rodata", 7) == 0 ? BPF_F_RDONLY_PROG : 0};
  if (format_text(def->name, sizeof(def->name), "%s%s", l->options->name, section->name) >= sizeof(def->name))
    return refuse(l, site, ERROR_TOO_BIG, "the map name %s%s is too long; choose a shorter --name", l->options->name,
                  section->name);
  /* .bss has no bytes in the file, and is spelled out all the same: only maps without an initial value keep their state when
   * one program replaces another, and global variables start anew. */
  static const char zeros[BPF_MAP_MAX_VALUE];
  l->program->initial[*index] = section->data.length > 0 ? section->data : (struct slice){zeros, section->size};
  return 0;
}

/* --- resolving references --- */

static int resolve_address(struct linker *l, const struct site *site) {
  const struct object_symbol *target = site->slot->target;
  struct bpf_insn *insn = site->insn;
  if (site->slot->relocation != RELOCATION_64_64)
    return refuse(l, site, ERROR_UNSUPPORTED, "relocation of type %u is not understood", site->slot->relocation);
  if (target->section == SHN_UNDEF)
    return refuse(l, site, ERROR_UNSUPPORTED,
                  "refers to extern %s; there are no kernel symbols and no kernel configuration here", target->name);
  if (target->section >= l->object.section_count)
    return refuse(l, site, ERROR_UNSUPPORTED, "refers to %s, which is in no section; initialise the variable",
                  target->name);
  const char *section = l->object.sections[target->section].name;
  uint64_t offset = target->value + (uint64_t)(int64_t)insn->imm;
  uint32_t index = 0;
  int error;
  insn[1].imm = 0;
  if (strcmp(section, ".maps") == 0) {
    error = declared_map(l, site, target->section, offset, &index);
    insn->regs = (uint8_t)(bpf_dst(*insn) | BPF_PSEUDO_MAP << 4);
  } else if (is_data(section)) {
    if (offset >= l->object.sections[target->section].size)
      return refuse(l, site, ERROR_INVALID, "refers to an address outside the global data of %s", section);
    error = data_map(l, site, target->section, &index);
    insn->regs = (uint8_t)(bpf_dst(*insn) | BPF_PSEUDO_MAP_VALUE << 4);
    insn[1].imm = (int32_t)offset;
  } else if (object_is_code(&l->object.sections[target->section])) {
    error = place_target(l, site, target->section, offset, &index);
    insn->regs = (uint8_t)(bpf_dst(*insn) | BPF_PSEUDO_FUNC << 4);
    index -= site->function->start + site->index + 1;
  } else if (strcmp(section, "maps") == 0) {
    return refuse(l, site, ERROR_UNSUPPORTED,
                  "map %s is defined in the old way, with SEC(\"maps\"); define it with BTF, in SEC(\".maps\")",
                  target->name);
  } else {
    return refuse(l, site, ERROR_UNSUPPORTED, "refers to section %s; offered are .maps, .data, .rodata and .bss",
                  section);
  }
  insn->imm = (int32_t)index;
  return error;
}

static int resolve_local_call(struct linker *l, const struct site *site) {
  const struct object_symbol *target = site->slot->target;
  uint32_t section = site->function->symbol->section, start = 0;
  /* Counted in instructions from the next one, or from the symbol when there is a relocation. */
  uint64_t offset = ((uint64_t)(int64_t)site->insn->imm + 1) * INSN_SIZE;
  if (target && site->slot->relocation != RELOCATION_64_32)
    return refuse(l, site, ERROR_UNSUPPORTED, "relocation of type %u is not understood", site->slot->relocation);
  if (target && target->section == SHN_UNDEF)
    return refuse(l, site, ERROR_UNSUPPORTED, "calls extern function %s; put its source into this file", target->name);
  if (target) section = target->section;
  offset += target ? target->value : site_offset(site);
  int error = place_target(l, site, section, offset, &start);
  if (!error) site->insn->imm = (int32_t)(start - (site->function->start + site->index + 1));
  return error;
}

static int check_helper(const struct linker *l, const struct site *site) {
  uint32_t id = (uint32_t)site->insn->imm;
  if (bpf_proto_find(id)) return 0;
  struct text offered = {0};
  for (uint32_t i = 1; i <= MAX_HELPER_ID; i++)
    if (bpf_proto_find(i)) text_addf(&offered, "%s%s", offered.length > 0 ? ", " : "", bpf_proto_find(i)->name);
  const char *name = linux_helper_name(id);
  int error = refuse(l, site, ERROR_UNSUPPORTED, "%s%s (helper %u) is not offered; offered are %s", name ? "bpf_" : "",
                     name ? name : "this helper", id, text_string(&offered));
  text_free(&offered);
  return error;
}

static int resolve_call(struct linker *l, const struct site *site) {
  switch (bpf_src(*site->insn)) {
    case BPF_PSEUDO_HELPER:
      if (site->slot->target)
        return refuse(l, site, ERROR_UNSUPPORTED, "calls extern %s; there are no kernel functions here",
                      site->slot->target->name);
      return check_helper(l, site);
    case BPF_PSEUDO_CALL:
      return resolve_local_call(l, site);
    default:
      return refuse(l, site, ERROR_UNSUPPORTED,
                    "calls a kernel function; only helpers and functions of this file are there");
  }
}

/* Functions move against each other, so a jump must stay in its own. */
static int check_jump(const struct linker *l, const struct site *site) {
  struct bpf_insn insn = *site->insn;
  bool jump = BPF_CLASS(insn.code) == BPF_JMP || BPF_CLASS(insn.code) == BPF_JMP32;
  if (!jump || BPF_OP(insn.code) == BPF_CALL || BPF_OP(insn.code) == BPF_EXIT) return 0;
  bool far = insn.code == (BPF_JMP32 | BPF_JA);
  int64_t to = (int64_t)site->index + 1 + (far ? insn.imm : insn.off);
  if (to < 0 || to >= site->function->count) return refuse(l, site, ERROR_INVALID, "jumps out of its function");
  return 0;
}

static int resolve_function(struct linker *l, struct placed_function function) {
  const struct layout_slot *slots = layout_at(&l->layout, function.symbol->section, function.symbol->value);
  int error = 0;
  for (uint32_t i = 0; i < function.count && !error; i++) {
    struct site site = {&function, i, &l->program->insns[function.start + i], &slots[i]};
    if (site.insn->code == CODE_LD_IMM64) {
      i++;
      if (i == function.count || slots[i].target)
        error = refuse(l, &site, ERROR_INVALID, "malformed 64-bit immediate");
      else if (site.slot->target)
        error = resolve_address(l, &site);
      else if (bpf_src(*site.insn) != BPF_PSEUDO_IMM)
        error = refuse(l, &site, ERROR_INVALID, "64-bit immediate refers to nothing");
    } else if (site.insn->code == CODE_CALL) {
      error = resolve_call(l, &site);
    } else if (site.slot->target) {
      error =
          refuse(l, &site, ERROR_UNSUPPORTED, "refers to %s in a way that is not understood", site.slot->target->name);
    } else {
      error = check_jump(l, &site);
    }
  }
  return error;
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

static int link_entry(struct linker *l, const struct object_symbol *entry) {
  uint32_t start;
  int error = set_name(l, l->program->function, entry->name);
  if (!error) error = set_name(l, l->program->section, l->object.sections[entry->section].name);
  if (!error) error = place(l, entry, &start);
  for (uint32_t i = 0; i < l->function_count && !error; i++)
    error = resolve_function(l, l->functions[i]);
  if (!error) error = core_relocate(&l->layout, l->btf, l->program->insns, l->program->insn_count, l->report);
  if (!error) error = lines_collect(&l->program->lines, &l->layout, l->btf, l->report);
  if (!error) error = bpf_check(l->program->insns, l->program->insn_count, l->program->map_count, l->report);
  return error;
}

static int link_opened(struct linker *l) {
  const struct object_symbol *entry = NULL;
  int error = type_info_load(&l->object, &l->btf, l->report);
  if (!error) error = layout_make(&l->layout, &l->object, l->report);
  if (!error) error = choose(l, &entry);
  if (error || !entry) return error;
  /* Every instruction is placed at most once, and every function has at least one. */
  l->capacity = l->layout.count < BPF_MAX_INSNS ? (uint32_t)l->layout.count : BPF_MAX_INSNS;
  l->functions = memory_alloc(l->capacity * sizeof(*l->functions));
  l->program = memory_alloc(sizeof(*l->program));
  if (l->program) l->program->insns = memory_alloc(l->capacity * sizeof(struct bpf_insn));
  if (!l->functions || !l->program || !l->program->insns) return -ERROR_NO_MEMORY;
  return link_entry(l, entry);
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

void link_free(struct linked_program *program) {
  if (!program) return;
  lines_free(&program->lines);
  memory_free(program->insns);
  memory_free(program);
}
