/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tunables of the running program: argument CONST, which every program that comes must be able to take, and handlers that read and
 * change them. A change is one store into a map that programs only read; it lasts until the program is replaced.
 */
#include "bundle/tunable.h"
#include "elements/bpf_element.h"

static uint8_t *values_of(const struct extension *ext, const struct bundle_tunable *t) {
  return ext->maps[t->map]->values;
}

static int refuse_name(const struct extension *ext, struct slice name, struct report *report) {
  const struct bundle *bundle = ext->bundle;
  struct text all = {0};
  for (uint32_t i = 0; i < bundle->tunable_count; i++) {
    text_addf(&all, "%s%s ", i > 0 ? ", " : "", bundle->tunables[i].name);
    tunable_add_range(&all, &bundle->tunables[i]);
  }
  report_error(report, ERROR_NOT_FOUND, "CONST: %s version %llu has no tunable '%.*s'; it has: %s", bundle->meta.name,
               (unsigned long long)bundle->meta.version, (int)name.length, name.data,
               bundle->tunable_count > 0 ? text_string(&all) : "none");
  text_free(&all);
  return -ERROR_NOT_FOUND;
}

static int choose(const struct extension *ext, struct slice name, struct slice text, struct report *report) {
  const struct bundle_tunable *t = tunable_find(ext->bundle, name);
  uint64_t value;
  if (t == NULL) return refuse_name(ext, name, report);
  if (tunable_number(text, t->size, t->is_signed, &value) && tunable_allows(t, value)) {
    tunable_store(t, values_of(ext, t), value);
    return 0;
  }
  struct text range = {0};
  tunable_add_range(&range, t);
  report_error(report, ERROR_INVALID, "CONST: %s of %s version %llu must be a number in %s, not '%.*s'", t->name,
               ext->bundle->meta.name, (unsigned long long)ext->bundle->meta.version, text_string(&range),
               (int)text.length, text.data);
  text_free(&range);
  return -ERROR_INVALID;
}

int bpf_consts_apply(const struct bpf_element *b, const struct extension *ext, struct report *report) {
  struct slice rest = slice_of(b->consts != NULL ? b->consts : "");
  int status = 0;
  for (struct slice word = slice_next_word(&rest); word.length > 0 && status == 0; word = slice_next_word(&rest)) {
    size_t name = 0;
    while (name < word.length && word.data[name] != '=')
      name++;
    if (name == 0 || name == word.length) {
      return report_error(report, ERROR_INVALID, "CONST: '%.*s': write NAME=VALUE, separated by blanks",
                          (int)word.length, word.data);
    }
    status = choose(ext, (struct slice){word.data, name}, (struct slice){word.data + name + 1, word.length - name - 1},
                    report);
  }
  return status;
}

int bpf_element_read_consts(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                            struct report *report) {
  const struct extension *ext = ((struct bpf_element *)owner)->running;
  const bool json = bpf_element_wants_json(&parameter);
  if (json) text_add(out, "[");
  for (uint32_t i = 0; i < ext->bundle->tunable_count; i++) {
    const struct bundle_tunable *t = &ext->bundle->tunables[i];
    text_addf(out, json ? "%s{\"name\": \"%s\", \"value\": " : "%s%s ", json && i > 0 ? ",\n " : "", t->name);
    tunable_add_number(out, tunable_load(t, values_of(ext, t)), t->is_signed);
    text_add(out, json ? ", \"min\": " : " ");
    if (json) {
      tunable_add_number(out, t->least, t->is_signed);
      text_add(out, ", \"max\": ");
      tunable_add_number(out, t->most, t->is_signed);
    } else {
      tunable_add_range(out, t);
    }
    text_add(out, json ? "}" : "\n");
  }
  if (json) text_add(out, "]");
  return 0;
}

int bpf_element_write_const(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  const struct extension *ext = ((struct bpf_element *)owner)->running;
  const struct slice name = slice_next_word(&value);
  return choose(ext, name, slice_trim(value), report);
}
