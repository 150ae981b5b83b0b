/* SPDX-License-Identifier: BSD-3-Clause
 *
 * __uint(name, n) is a member of type pointer to array of n ints, __type(name, T) a member of type pointer to T (libbpf's
 * bpf_helpers.h).
 */
#include "verifier/btf_maps.h"

#include "bundle/wire.h"
#include "verifier/names.h"

/* Types in BTF may form a cycle in a hostile object; clang nests no deeper. */
enum { MAX_MODIFIERS = 32 };

struct definition {
  const char *file, *name;
  const struct btf *btf;
  struct bpf_map_def *def;
  struct btf_map_values *values; /* NULL: of an inner map, which has none */
  struct btf_map_types *types;
  struct report *report;
};

/* The type behind typedefs and qualifiers; NULL when there is none. */
static const struct btf_type *resolve(const struct btf *btf, uint32_t id) {
  for (int i = 0; i < MAX_MODIFIERS; i++) {
    const struct btf_type *type = btf__type_by_id(btf, id);
    if (!type || !(btf_is_mod(type) || btf_is_typedef(type))) return type;
    id = type->type;
  }
  return NULL;
}

static int refuse(const struct definition *d, enum error code, const char *member, const char *what) {
  return report_error(d->report, code, "%s: map %s: %s %s", d->file, d->name, member, what);
}

/* The number of __uint(). */
static int read_number(const struct definition *d, const char *member, const struct btf_type *type, uint32_t *value) {
  const struct btf_type *array = type && btf_is_ptr(type) ? resolve(d->btf, type->type) : NULL;
  if (!array || !btf_is_array(array))
    return refuse(d, ERROR_INVALID, member, "is not a number; write it with __uint()");
  *value = btf_array(array)->nelems;
  return 0;
}

/* The size of the type of __type(). */
static int read_size(const struct definition *d, const char *member, const struct btf_type *type, uint32_t *value) {
  int64_t size = type && btf_is_ptr(type) ? btf__resolve_size(d->btf, type->type) : -1;
  if (size <= 0 || size > UINT32_MAX)
    return refuse(d, ERROR_INVALID, member, "has no size; write __type(NAME, TYPE) with a complete type");
  if (*value != 0 && *value != (uint32_t)size)
    return refuse(d, ERROR_INVALID, member, "contradicts the size given for it");
  *value = (uint32_t)size;
  return 0;
}

/* Where the value type has one member that is a struct of that name: 1 + its offset, or 0. As Linux, only members of the value itself
 * count, and only one. */
static int find_field(const struct definition *d, const struct btf_type *value, const char *struct_name,
                      uint32_t *place) {
  const struct btf_member *member = btf_members(value);
  for (unsigned i = 0; i < btf_vlen(value); i++) {
    const struct btf_type *type = resolve(d->btf, member[i].type);
    const char *name = type && btf_is_struct(type) ? btf__name_by_offset(d->btf, type->name_off) : NULL;
    if (!name || strcmp(name, struct_name) != 0) continue;
    if (*place != 0) return refuse(d, ERROR_INVALID, struct_name, "stands twice in the value; use one");
    *place = 1 + btf_member_bit_offset(value, i) / 8;
  }
  return 0;
}

static int read_value(const struct definition *d, const struct btf_type *pointer) {
  int error = read_size(d, "value", pointer, &d->def->value_size);
  if (!error) d->types->value = pointer->type;
  const struct btf_type *type = error ? NULL : resolve(d->btf, pointer->type);
  if (!type || !btf_is_struct(type)) return error;
  error = find_field(d, type, "bpf_spin_lock", &d->def->spin_lock);
  return error ? error : find_field(d, type, "bpf_timer", &d->def->timer);
}

static int read_members(const struct definition *d, const struct btf_type *type);

/* __array(values, T): an array of pointers to programs, or to maps that are all as T says. */
static int read_values(const struct definition *d, const struct btf_type *array, uint32_t bit_offset, uint32_t size) {
  const struct btf_type *pointer = array && btf_is_array(array) ? resolve(d->btf, btf_array(array)->type) : NULL;
  const struct btf_type *target = pointer && btf_is_ptr(pointer) ? resolve(d->btf, pointer->type) : NULL;
  if (!d->values || !target)
    return refuse(d, ERROR_INVALID, "values", "is not an array of pointers; write it with __array()");
  /* An initialiser makes the variable longer than its type says. */
  if (size > bit_offset / 8) *d->values = (struct btf_map_values){bit_offset / 8, (size - bit_offset / 8) / 8};
  d->def->value_size = 4; /* as Linux: number of a program or map */
  if (btf_is_func_proto(target)) return 0;
  if (!btf_is_struct(target)) return refuse(d, ERROR_INVALID, "values", "points neither to programs nor to maps");
  struct bpf_map_def inner = {0};
  memcpy(inner.name, d->def->name, sizeof(inner.name));
  struct btf_map_types inner_types = {0};
  const struct definition of_inner = {d->file, d->name, d->btf, &inner, NULL, &inner_types, d->report};
  int error = read_members(&of_inner, target);
  d->def->inner = (struct bpf_map_shape){inner.type, inner.key_size, inner.value_size, inner.max_entries, inner.flags};
  return error;
}

static int read_member(const struct definition *d, const char *member, const struct btf_type *type) {
  struct bpf_map_def *def = d->def;
  const struct {
    const char *name;
    uint32_t *number;
  } numbers[] = {
      {"type", &def->type},
      {"key_size", &def->key_size},
      {"value_size", &def->value_size},
      {"max_entries", &def->max_entries},
      {"map_flags", &def->flags},
      {"map_extra", &def->extra},
  };
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
    if (strcmp(member, numbers[i].name) != 0) continue;
    uint32_t value = 0, before = *numbers[i].number;
    int error = read_number(d, member, type, &value);
    if (!error && before != 0 && before != value)
      error = refuse(d, ERROR_INVALID, member, "contradicts the type given for it");
    if (!error) *numbers[i].number = value;
    return error;
  }
  if (strcmp(member, "key") == 0) {
    int error = read_size(d, member, type, &def->key_size);
    if (!error) d->types->key = type->type;
    return error;
  }
  if (strcmp(member, "value") == 0) return read_value(d, type);
  if (strcmp(member, "pinning") == 0) {
    /* Maps live with the programs that use them; there is no file system to pin them in. */
    report_warning(d->report, "%s: map %s: pinning has no effect here", d->file, d->name);
    return 0;
  }
  return refuse(d, ERROR_UNSUPPORTED, member, "is not a member that is understood");
}

static int read_members(const struct definition *d, const struct btf_type *type) {
  const struct btf_member *member = btf_members(type);
  for (unsigned i = 0; i < btf_vlen(type); i++) {
    const char *name = btf__name_by_offset(d->btf, member[i].name_off);
    if (!name) return refuse(d, ERROR_INVALID, "a member", "has no name");
    if (strcmp(name, "values") == 0) continue; /* by who knows the variable's size */
    int error = read_member(d, name, resolve(d->btf, member[i].type));
    if (error) return error;
  }
  return 0;
}

/* The struct type of variable `name` in the .maps section, and how long the variable is. */
static const struct btf_type *find_variable(const struct btf *btf, const char *name, uint32_t *size) {
  uint32_t count = btf__type_cnt(btf);
  for (uint32_t id = 1; id < count; id++) {
    const struct btf_type *section = btf__type_by_id(btf, id);
    if (!section || !btf_is_datasec(section)) continue;
    const char *section_name = btf__name_by_offset(btf, section->name_off);
    if (!section_name || strcmp(section_name, MAPS_ELF_SEC) != 0) continue;
    const struct btf_var_secinfo *info = btf_var_secinfos(section);
    for (unsigned i = 0; i < btf_vlen(section); i++) {
      const struct btf_type *variable = btf__type_by_id(btf, info[i].type);
      const char *found = variable && btf_is_var(variable) ? btf__name_by_offset(btf, variable->name_off) : NULL;
      if (!found || strcmp(found, name) != 0) continue;
      *size = info[i].size;
      return resolve(btf, variable->type);
    }
  }
  return NULL;
}

int btf_map_check(const char *file, const struct bpf_map_def *def, struct report *report) {
  if (def->type == 0)
    return report_error(report, ERROR_INVALID, "%s: map %s: type is missing; write __uint(type, BPF_MAP_TYPE_HASH)",
                        file, def->name);
  const char *why, *type = linux_map_type_name(def->type);
  int error = bpf_map_judge(def, &why);
  if (!error) return 0;
  return report_error(report, (enum error) - error, "%s: map %s of type %s (%u): %s", file, def->name,
                      type ? type : "unknown", def->type, why);
}

/* `values` last, and with the size of the variable, which an initialiser makes longer than its type. */
static int read_definition(const struct definition *d, const struct btf_type *type, uint32_t size) {
  int error = read_members(d, type);
  const struct btf_member *member = btf_members(type);
  for (unsigned i = 0; i < btf_vlen(type) && !error; i++)
    if (strcmp(btf__name_by_offset(d->btf, member[i].name_off), "values") == 0)
      error = read_values(d, resolve(d->btf, member[i].type), btf_member_bit_offset(type, i), size);
  return error ? error : btf_map_check(d->file, d->def, d->report);
}

int btf_map_definition(const char *file, const struct btf *btf, const char *name, struct bpf_map_def *def,
                       struct btf_map_values *values, struct btf_map_types *types, struct report *report) {
  *def = (struct bpf_map_def){0};
  *values = (struct btf_map_values){0};
  *types = (struct btf_map_types){0};
  const struct definition d = {file, name, btf, def, values, types, report};
  uint32_t size = 0;
  size_t length = strlen(name);
  if (length == 0 || length >= sizeof(def->name))
    return report_error(report, ERROR_INVALID, "%s: map name '%.80s' is empty or longer than %u characters", file, name,
                        (unsigned)sizeof(def->name) - 1);
  memcpy(def->name, name, length);
  if (!btf)
    return report_error(report, ERROR_INVALID, "%s: map %s has no type information; compile with -g", file, name);
  const struct btf_type *type = find_variable(btf, name, &size);
  if (!type || !btf_is_struct(type))
    return report_error(report, ERROR_INVALID, "%s: map %s is not a struct variable in SEC(\".maps\")", file, name);
  return read_definition(&d, type, size);
}
