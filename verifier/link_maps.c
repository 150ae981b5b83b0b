/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Maps of a program: declared ones, in SEC(".maps") by BTF or in SEC("maps") by a struct of numbers; what stands in program arrays and
 * maps of maps at the start; and the array of one entry that a section of global data becomes.
 */
#include <elf.h>

#include "lib/bytes.h"
#include "lib/memory.h"
#include "verifier/btf_maps.h"
#include "verifier/linker.h"

/* The first five numbers of Linux's struct bpf_map_def as tools before BTF wrote it; others must be zero. */
enum { LEGACY_NUMBERS = 5, LEGACY_SIZE = LEGACY_NUMBERS * 4 };

static int add_map(struct linker *l, const struct site *site, uint32_t section, uint64_t offset, uint32_t *index) {
  if (l->program->map_count == BPF_MAX_MAPS)
    return linker_refuse(l, site, ERROR_TOO_BIG, "more than %u maps, global data included", (unsigned)BPF_MAX_MAPS);
  *index = l->program->map_count++;
  l->map_origin[*index].section = section;
  l->map_origin[*index].offset = offset;
  l->program->map_types[*index] = (struct bundle_map_types){BPF_NO_TYPE, BPF_NO_TYPE};
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

/* --- what stands in a map at the start --- */

static int add_entry(struct linker *l, const struct site *site, struct bundle_entry entry) {
  struct linked_program *program = l->program;
  if (program->entries == NULL) program->entries = memory_alloc(LINK_MAX_ENTRIES * sizeof(*program->entries));
  if (program->entries == NULL) return -ERROR_NO_MEMORY;
  if (program->entry_count == LINK_MAX_ENTRIES)
    return linker_refuse(l, site, ERROR_TOO_BIG, "more than %u initial entries of maps", (unsigned)LINK_MAX_ENTRIES);
  program->entries[program->entry_count++] = entry;
  return 0;
}

/* What `symbol` means as entry `index` of the map: a program in a program array, an inner map elsewhere. */
static int resolve_entry(struct linker *l, const struct site *site, struct bundle_entry entry,
                         const struct object_symbol *symbol, uint64_t addend) {
  const struct bpf_map_def *def = &l->program->maps[entry.map];
  bool programs = def->type == BPF_MAP_TYPE_PROG_ARRAY;
  const char *section = symbol->section < l->object.section_count ? l->object.sections[symbol->section].name : "";
  uint64_t offset = symbol->value + addend;
  int error;
  if (entry.index >= def->max_entries)
    return linker_refuse(l, site, ERROR_INVALID, "map %s has an initial value at %u, beyond its max_entries", def->name,
                         entry.index);
  if (programs) {
    const struct layout_slot *slot = layout_at(&l->layout, symbol->section, offset);
    if (!slot || !slot->function)
      return linker_refuse(l, site, ERROR_INVALID, "map %s: entry %u is no program of this file", def->name,
                           entry.index);
    error = linker_program(l, site, slot->function, &entry.target);
  } else {
    if (strcmp(section, ".maps") != 0)
      return linker_refuse(l, site, ERROR_INVALID, "map %s: entry %u is no map of this file", def->name, entry.index);
    error = linker_declared_map(l, site, symbol->section, offset, &entry.target);
  }
  return error ? error : add_entry(l, site, entry);
}

/* The pointers in `values` of the map variable, which starts at `offset` of .maps. */
static int read_entries(struct linker *l, const struct site *site, uint32_t section, uint64_t offset, uint32_t map,
                        const struct btf_map_values *values) {
  struct object_relocation *relocations;
  uint32_t count;
  const struct object_section *maps = &l->object.sections[section];
  int error = object_relocations(&l->object, section, &relocations, &count, l->report);
  uint64_t start = offset + values->offset;
  for (uint32_t i = 0; i < count && !error; i++) {
    uint64_t at = relocations[i].offset - start;
    if (relocations[i].offset < start || at / 8 >= values->count) continue;
    if (at % 8 != 0 || maps->data.length < 8 || relocations[i].offset > maps->data.length - 8) {
      error = linker_refuse(l, site, ERROR_INVALID, "malformed object: initial values of map %s; compile it again",
                            l->program->maps[map].name);
      break;
    }
    struct bundle_entry entry = {.map = map, .index = (uint32_t)(at / 8)};
    error = resolve_entry(l, site, entry, &l->object.symbols[relocations[i].symbol],
                          load_le64(maps->data.data + relocations[i].offset));
  }
  memory_free(relocations);
  return error;
}

/* --- declared maps --- */

static int legacy_definition(const struct linker *l, const struct site *site, const struct object_symbol *variable,
                             struct bpf_map_def *def) {
  const struct object_section *section = &l->object.sections[variable->section];
  uint32_t *const numbers[LEGACY_NUMBERS] = {&def->type, &def->key_size, &def->value_size, &def->max_entries,
                                             &def->flags};
  size_t length = strlen(variable->name);
  if (length == 0 || length >= sizeof(def->name))
    return linker_refuse(l, site, ERROR_INVALID, "map name '%.80s' is empty or longer than %u characters",
                         variable->name, (unsigned)sizeof(def->name) - 1);
  memcpy(def->name, variable->name, length);
  if (variable->size < LEGACY_SIZE - 4 || variable->value > section->data.length ||
      variable->size > section->data.length - variable->value)
    return linker_refuse(l, site, ERROR_INVALID, "map %s in SEC(\"maps\") is no struct bpf_map_def", variable->name);
  const char *at = section->data.data + variable->value;
  for (uint64_t i = 0; i < LEGACY_NUMBERS && (i + 1) * 4 <= variable->size; i++)
    *numbers[i] = load_le32(at + i * 4);
  for (uint64_t i = LEGACY_SIZE; i < variable->size; i++)
    if (at[i] != 0)
      return linker_refuse(
          l, site, ERROR_UNSUPPORTED,
          "map %s has more than type, sizes, max_entries and flags; define it with BTF, in SEC(\".maps\")",
          variable->name);
  return btf_map_check(l->options->file, def, l->report);
}

int linker_declared_map(struct linker *l, const struct site *site, uint32_t section, uint64_t offset, uint32_t *index) {
  if (find_map(l, section, offset, index)) return 0;
  const struct object_symbol *variable = NULL;
  for (uint32_t i = 0; i < l->object.symbol_count && !variable; i++) {
    const struct object_symbol *symbol = &l->object.symbols[i];
    if (symbol->type == STT_OBJECT && symbol->section == section && symbol->value == offset) variable = symbol;
  }
  if (!variable)
    return linker_refuse(l, site, ERROR_INVALID, "refers to no map in SEC(\"%s\")", l->object.sections[section].name);
  int error = add_map(l, site, section, offset, index);
  if (error) return error;
  struct bpf_map_def *def = &l->program->maps[*index];
  if (strcmp(l->object.sections[section].name, "maps") == 0) return legacy_definition(l, site, variable, def);
  struct btf_map_values values;
  struct btf_map_types types;
  error = btf_map_definition(l->options->file, l->btf, variable->name, def, &values, &types, l->report);
  if (error) return error;
  if (types.key != 0) l->program->map_types[*index].key = type_table_add(&l->program->types, l->btf, types.key);
  if (types.value != 0) l->program->map_types[*index].value = type_table_add(&l->program->types, l->btf, types.value);
  if (values.count == 0) return 0;
  return read_entries(l, site, section, offset, *index, &values);
}

/* --- global data --- */

bool linker_is_data(const char *section) {
  static const char *const names[] = {".data", ".rodata", ".bss"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    size_t length = strlen(names[i]);
    if (strncmp(section, names[i], length) == 0 && (section[length] == '\0' || section[length] == '.')) return true;
  }
  return false;
}

/* BTF id of the type of the global variable `name`, 0 when it has none. */
static uint32_t variable_type(const struct btf *btf, const char *name) {
  uint32_t count = btf ? btf__type_cnt(btf) : 0;
  for (uint32_t id = 1; id < count; id++) {
    const struct btf_type *variable = btf__type_by_id(btf, id);
    const char *found = variable && btf_is_var(variable) ? btf__name_by_offset(btf, variable->name_off) : NULL;
    if (found && strcmp(found, name) == 0) return variable->type;
  }
  return 0;
}

/* The variables of the section as the members of its map's one value. What has no type, as string literals, is left out. */
static void describe_data(struct linker *l, uint32_t section, uint32_t index) {
  struct type_variable *variables = l->btf ? memory_alloc(l->object.symbol_count * sizeof(*variables)) : NULL;
  uint32_t count = 0;
  if (!variables) return; /* values are shown as bytes */
  for (uint32_t i = 0; i < l->object.symbol_count; i++) {
    const struct object_symbol *symbol = &l->object.symbols[i];
    if (symbol->type != STT_OBJECT || symbol->section != section || symbol->value > UINT32_MAX) continue;
    uint32_t type = variable_type(l->btf, symbol->name);
    if (type != 0) variables[count++] = (struct type_variable){symbol->name, (uint32_t)symbol->value, type};
  }
  uint32_t size = l->program->maps[index].value_size;
  if (count > 0)
    l->program->map_types[index].value = type_table_add_variables(&l->program->types, l->btf, variables, count, size);
  memory_free(variables);
}

int linker_data_map(struct linker *l, const struct site *site, uint32_t index_of_section, uint32_t *index) {
  if (find_map(l, index_of_section, 0, index)) return 0;
  const struct object_section *section = &l->object.sections[index_of_section];
  struct object_relocation *relocations;
  uint32_t count;
  int error = object_relocations(&l->object, index_of_section, &relocations, &count, l->report);
  memory_free(relocations);
  if (error) return error;
  if (count > 0)
    return linker_refuse(l, site, ERROR_UNSUPPORTED,
                         "global data in %s contains addresses; initialise them in the program", section->name);
  if (section->size > BPF_MAP_MAX_VALUE)
    return linker_refuse(l, site, ERROR_TOO_BIG, "global data in %s takes %llu bytes; the limit is %u", section->name,
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
    return linker_refuse(l, site, ERROR_TOO_BIG, "the map name %s%s is too long; choose a shorter --name",
                         l->options->name, section->name);
  describe_data(l, index_of_section, *index);
  /* .bss has no bytes in the file, and is spelled out all the same: only maps without an initial value keep their state when
   * one program replaces another, and global variables start anew. */
  static const char zeros[BPF_MAP_MAX_VALUE];
  l->program->initial[*index] = section->data.length > 0 ? section->data : (struct slice){zeros, section->size};
  return 0;
}
