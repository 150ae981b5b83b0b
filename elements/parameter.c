/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Write handlers for boolean and numeric parameters. Workers read these parameters while a handler writes them, so the
 * store is atomic and ordered by nothing else.
 */
#include "elements/parameter.h"

int parameter_write_bool(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  static const struct {
    const char *word;
    bool value;
  } words[] = {{"true", true},   {"yes", true}, {"on", true},   {"1", true},
               {"false", false}, {"no", false}, {"off", false}, {"0", false}};
  value = slice_trim(value);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (slice_equals(value, words[i].word)) {
      __atomic_store_n((bool *)((char *)owner + handler->offset), words[i].value, __ATOMIC_RELAXED);
      return 0;
    }
  }
  return report_error(report, ERROR_INVALID, "%s: expected true or false, not '%.*s'", handler->name, (int)value.length,
                      value.data);
}

int parameter_write_i32(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  value = slice_trim(value);
  struct slice digits = value;
  bool negative = slice_starts_with(value, "-");
  if (negative) {
    digits.data++;
    digits.length--;
  }
  uint64_t magnitude = 0;
  if (slice_to_u64(digits, (uint64_t)INT32_MAX + negative, &magnitude) < 0) {
    return report_error(report, ERROR_INVALID, "%s: expected a number of 32 bits, not '%.*s'", handler->name,
                        (int)value.length, value.data);
  }
  int64_t number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
  __atomic_store_n((int32_t *)(void *)((char *)owner + handler->offset), (int32_t)number, __ATOMIC_RELAXED);
  return 0;
}

int parameter_read_i32(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report) {
  text_addf(out, "%d", __atomic_load_n((int32_t *)(void *)((char *)owner + handler->offset), __ATOMIC_RELAXED));
  return 0;
}
