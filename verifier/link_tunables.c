/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tunables: constants that the object declares by IMAGO_TUNABLE (include/imago/tunable.h), which clang leaves in BTF as the declaration
 * tag "imago:tunable=MIN..MAX", and those of the command line.
 */
#include "bundle/tunable.h"
#include "verifier/linker.h"

static const char tag_start[] = "imago:tunable=";

/* "MIN..MAX" */
static bool parse_range(struct slice text, const struct constant *constant, struct bundle_tunable *t) {
  for (size_t i = 0; i + 2 <= text.length; i++) {
    if (text.data[i] != '.' || text.data[i + 1] != '.') continue;
    const struct slice least = {text.data, i}, most = {text.data + i + 2, text.length - i - 2};
    return tunable_number(slice_trim(least), constant->size, constant->is_signed, &t->least) &&
           tunable_number(slice_trim(most), constant->size, constant->is_signed, &t->most) &&
           tunable_ordered(t->least, t->most, constant->is_signed);
  }
  return false;
}

/* The entry of that name, or a new one. */
static struct bundle_tunable *take_entry(struct linked_program *program, const char *name) {
  uint32_t i = 0;
  while (i < program->tunable_count && strcmp(program->tunables[i].name, name) != 0)
    i++;
  if (i == BUNDLE_MAX_TUNABLES) return NULL;
  if (i == program->tunable_count) program->tunable_count++;
  return &program->tunables[i];
}

/* `declared`: by the object, whose other programs may have tunables, too. */
static int add_tunable(struct linker *l, struct slice name, struct slice range, bool declared) {
  const char *file = l->options->file;
  struct bundle_tunable tunable = {.name = ""};
  struct constant constant = {0};
  int error = linker_find_constant(l, name, &constant);
  if (error) return error;
  if (constant.map == UINT32_MAX && declared) return 0;
  if (constant.map == UINT32_MAX)
    return report_error(l->report, ERROR_NOT_FOUND, "%s: nothing refers to constant '%.*s'", file, (int)name.length,
                        name.data);
  if (!constant.is_volatile)
    return report_error(l->report, ERROR_INVALID,
                        "%s: tunable '%.*s' is not volatile, so the compiler may have used its value already; declare "
                        "it const volatile",
                        file, (int)name.length, name.data);
  if (name.length >= sizeof(tunable.name))
    return report_error(l->report, ERROR_TOO_BIG, "%s: the name %.*s... is longer than %u characters", file, 80,
                        name.data, (unsigned)sizeof(tunable.name) - 1);
  if (!parse_range(range, &constant, &tunable))
    return report_error(l->report, ERROR_INVALID,
                        "%s: tunable '%.*s': '%.*s' is no range of a %s%u-bit number; write MIN..MAX", file,
                        (int)name.length, name.data, (int)range.length, range.data, constant.is_signed ? "signed " : "",
                        constant.size * 8);
  memcpy(tunable.name, name.data, name.length);
  tunable.map = constant.map;
  tunable.offset = constant.offset;
  tunable.size = constant.size;
  tunable.is_signed = constant.is_signed;
  const uint64_t value = tunable_load(&tunable, l->program->initial[constant.map].data);
  if (!tunable_allows(&tunable, value)) {
    struct text found = {0}, allowed = {0};
    tunable_add_number(&found, value, tunable.is_signed);
    tunable_add_range(&allowed, &tunable);
    error = report_error(l->report, ERROR_INVALID,
                         "%s: tunable '%s' is %s, which is outside its range %s; initialise it, or set it with --set",
                         file, tunable.name, text_string(&found), text_string(&allowed));
    text_free(&found);
    text_free(&allowed);
    return error;
  }
  struct bundle_tunable *entry = take_entry(l->program, tunable.name);
  if (!entry)
    return report_error(l->report, ERROR_TOO_BIG, "%s: more than %u tunables", file, (unsigned)BUNDLE_MAX_TUNABLES);
  *entry = tunable;
  return 0;
}

/* The declaration tag's range and variable; false when it is another tag. */
static bool is_declaration(const struct btf *btf, const struct btf_type *tag, struct slice *name, struct slice *range) {
  if (!tag || !btf_is_decl_tag(tag)) return false;
  const struct btf_type *variable = btf__type_by_id(btf, tag->type);
  const char *value = btf__name_by_offset(btf, tag->name_off);
  if (!value || !slice_starts_with(slice_of(value), tag_start) || !variable || !btf_is_var(variable)) return false;
  const char *found = btf__name_by_offset(btf, variable->name_off);
  if (!found) return false;
  *name = slice_of(found);
  *range = slice_of(value + strlen(tag_start));
  return true;
}

int linker_declare_tunables(struct linker *l) {
  const uint32_t count = l->btf ? btf__type_cnt(l->btf) : 0;
  int error = 0;
  struct slice name, range;
  for (uint32_t id = 1; id < count && !error; id++)
    if (is_declaration(l->btf, btf__type_by_id(l->btf, id), &name, &range)) error = add_tunable(l, name, range, true);
  for (unsigned i = 0; i < l->options->tunable_count && !error; i++) {
    const char *tunable = l->options->tunables[i], *equals = strchr(tunable, '=');
    if (!equals || equals == tunable)
      return report_error(l->report, ERROR_INVALID, "'%s': write NAME=MIN..MAX to let a constant be chosen", tunable);
    error = add_tunable(l, (struct slice){tunable, (size_t)(equals - tunable)}, slice_of(equals + 1), false);
  }
  return error;
}
