/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Constants (const volatile variables) set from outside when a program is linked: "limit=100", as loaders of libbpf do before they load.
 */
#include "bundle/tunable.h"
#include "lib/memory.h"
#include "verifier/linker.h"

enum { MAX_MODIFIERS = 32 };

static const struct btf_type *resolve(const struct btf *btf, uint32_t id, bool *is_volatile) {
  const struct btf_type *type = btf__type_by_id(btf, id);
  for (int i = 0; i < MAX_MODIFIERS && type && (btf_is_mod(type) || btf_is_typedef(type)); i++) {
    *is_volatile |= btf_is_volatile(type);
    type = btf__type_by_id(btf, type->type);
  }
  return type;
}

static uint32_t map_of_section(const struct linker *l, uint32_t section) {
  for (uint32_t i = 0; i < l->program->map_count; i++)
    if (l->map_origin[i].section == section) return i;
  return UINT32_MAX;
}

/* Type of the global variable `name`; NULL: there is none, or the object has no type information. */
static const struct btf_type *variable_type(const struct linker *l, struct slice name, bool *is_volatile) {
  uint32_t count = l->btf ? btf__type_cnt(l->btf) : 0;
  for (uint32_t id = 1; id < count; id++) {
    const struct btf_type *variable = btf__type_by_id(l->btf, id);
    const char *found = variable && btf_is_var(variable) ? btf__name_by_offset(l->btf, variable->name_off) : NULL;
    if (found && slice_equals(name, found)) return resolve(l->btf, variable->type, is_volatile);
  }
  return NULL;
}

/* Finds the variable among the constants of the object. Where it lies only the symbol says: offsets in BTF are for whoever loads. */
static bool find_variable(const struct linker *l, struct slice name, struct constant *constant,
                          const struct btf_type **type) {
  bool is_volatile = false;
  *type = variable_type(l, name, &is_volatile);
  for (uint32_t i = 0; *type && i < l->object.symbol_count; i++) {
    const struct object_symbol *symbol = &l->object.symbols[i];
    if (symbol->section >= l->object.section_count || !slice_equals(name, symbol->name)) continue;
    if (strncmp(l->object.sections[symbol->section].name, ".rodata", 7) != 0) continue;
    uint64_t most = UINT32_MAX;
    *constant = (struct constant){.map = map_of_section(l, symbol->section),
                                  .offset = (uint32_t)(symbol->value < most ? symbol->value : most),
                                  .size = (uint32_t)(symbol->size < most ? symbol->size : most),
                                  .is_volatile = is_volatile};
    return true;
  }
  return false;
}

int linker_find_constant(const struct linker *l, struct slice name, struct constant *constant) {
  const char *file = l->options->file;
  const struct btf_type *type;
  if (!find_variable(l, name, constant, &type))
    return report_error(l->report, ERROR_NOT_FOUND,
                        "%s: no constant '%.*s'; declare it const volatile, and compile with -g", file,
                        (int)name.length, name.data);
  if (!btf_is_int(type) && !btf_is_any_enum(type))
    return report_error(l->report, ERROR_UNSUPPORTED, "%s: constant '%.*s' is no number; only numbers can be set", file,
                        (int)name.length, name.data);
  constant->is_signed = btf_is_int(type) ? (btf_int_encoding(type) & BTF_INT_SIGNED) != 0 : btf_kflag(type);
  constant->is_bool = btf_is_int(type) && (btf_int_encoding(type) & BTF_INT_BOOL) != 0;
  if (!tunable_size_ok(constant->size))
    return report_error(l->report, ERROR_UNSUPPORTED, "%s: constant '%.*s' has %u bytes; 1, 2, 4 and 8 can be set",
                        file, (int)name.length, name.data, constant->size);
  if (constant->map == UINT32_MAX) return 0;
  const struct slice *initial = &l->program->initial[constant->map];
  if (constant->offset > initial->length || constant->size > initial->length - constant->offset)
    return report_error(l->report, ERROR_INVALID, "%s: malformed object: constant '%.*s' lies outside its section",
                        file, (int)name.length, name.data);
  return 0;
}

/* The value's bits; false when it is no number that fits. */
static bool parse_value(struct slice text, const struct constant *constant, uint64_t *value) {
  if (!constant->is_bool) return tunable_number(text, constant->size, constant->is_signed, value);
  if (!slice_equals(text, "true") && !slice_equals(text, "false")) return slice_to_u64(text, 1, value) == 0;
  *value = slice_equals(text, "true");
  return true;
}

static int set_constant(struct linker *l, const char *set) {
  const char *equals = strchr(set, '=');
  const char *file = l->options->file;
  struct slice name = {set, equals ? (size_t)(equals - set) : 0};
  struct constant constant = {0};
  uint64_t value;
  if (!equals || name.length == 0)
    return report_error(l->report, ERROR_INVALID, "'%s': write NAME=VALUE to set a constant", set);
  int error = linker_find_constant(l, name, &constant);
  if (error) return error;
  if (!parse_value(slice_of(equals + 1), &constant, &value))
    return report_error(l->report, ERROR_INVALID, "%s: '%s' is no value of constant '%.*s', a %s%u-bit number", file,
                        equals + 1, (int)name.length, name.data, constant.is_signed ? "signed " : "",
                        constant.size * 8);
  if (constant.map == UINT32_MAX) {
    report_warning(l->report, "%s: nothing refers to constant '%.*s'", file, (int)name.length, name.data);
    return 0;
  }
  struct slice *initial = &l->program->initial[constant.map];
  char **own = &l->program->own[constant.map];
  if (*own == NULL) {
    *own = memory_alloc(initial->length);
    if (*own == NULL) return -ERROR_NO_MEMORY;
    memcpy(*own, initial->data, initial->length);
    initial->data = *own;
  }
  memcpy(*own + constant.offset, &value, constant.size);
  return 0;
}

int linker_set_constants(struct linker *l) {
  int error = 0;
  for (unsigned i = 0; i < l->options->set_count && !error; i++)
    error = set_constant(l, l->options->sets[i]);
  return error;
}
