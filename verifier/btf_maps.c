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
  if (strcmp(member, "key") == 0) return read_size(d, member, type, &def->key_size);
  if (strcmp(member, "value") == 0) return read_size(d, member, type, &def->value_size);
  if (strcmp(member, "pinning") == 0) {
    /* Maps live with the programs that use them; there is no file system to pin them in. */
    report_warning(d->report, "%s: map %s: pinning has no effect here", d->file, d->name);
    return 0;
  }
  if (strcmp(member, "values") == 0) return refuse(d, ERROR_UNSUPPORTED, member, "(maps of maps) is not offered");
  return refuse(d, ERROR_UNSUPPORTED, member, "is not a member that is understood");
}

/* The struct type of variable `name` in the .maps section. */
static const struct btf_type *find_variable(const struct btf *btf, const char *name) {
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
      if (found && strcmp(found, name) == 0) return resolve(btf, variable->type);
    }
  }
  return NULL;
}

static int check(const struct definition *d) {
  const struct bpf_map_def *def = d->def;
  if (def->type == 0) return refuse(d, ERROR_INVALID, "type", "is missing; write __uint(type, BPF_MAP_TYPE_HASH)");
  if (def->type != BPF_MAP_TYPE_HASH && def->type != BPF_MAP_TYPE_ARRAY) {
    const char *name = linux_map_type_name(def->type);
    return report_error(d->report, ERROR_UNSUPPORTED,
                        "%s: map %s: map type %s (%u) is not offered; offered are hash, array", d->file, d->name,
                        name ? name : "unknown", def->type);
  }
  const char *fault = bundle_map_fault(def);
  if (fault) return report_error(d->report, ERROR_INVALID, "%s: map %s: %s", d->file, d->name, fault);
  return 0;
}

int btf_map_definition(const char *file, const struct btf *btf, const char *name, struct bpf_map_def *def,
                       struct report *report) {
  *def = (struct bpf_map_def){0};
  const struct definition d = {file, name, btf, def, report};
  size_t length = strlen(name);
  if (length == 0 || length >= sizeof(def->name))
    return report_error(report, ERROR_INVALID, "%s: map name '%.80s' is empty or longer than %u characters", file, name,
                        (unsigned)sizeof(def->name) - 1);
  memcpy(def->name, name, length);
  if (!btf)
    return report_error(report, ERROR_INVALID, "%s: map %s has no type information; compile with -g", file, name);
  const struct btf_type *type = find_variable(btf, name);
  if (!type || !btf_is_struct(type))
    return report_error(report, ERROR_INVALID, "%s: map %s is not a struct variable in SEC(\".maps\")", file, name);
  const struct btf_member *member = btf_members(type);
  for (unsigned i = 0; i < btf_vlen(type); i++) {
    const char *member_name = btf__name_by_offset(btf, member[i].name_off);
    if (!member_name) return refuse(&d, ERROR_INVALID, "a member", "has no name");
    int error = read_member(&d, member_name, resolve(btf, member[i].type));
    if (error) return error;
  }
  return check(&d);
}
