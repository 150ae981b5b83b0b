/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fuzz target: type tables, and values read by type. The input: numbers of types and members (modulo 16), the tables, then text. A
 * table that the check takes must be safe to read and print by: nothing beyond the value is written, and a refusal says why.
 */
#include <stdlib.h>

#include "bpf/types.h"
#include "lib/memory.h"

enum { ROWS = 16, VALUE_MAX = 256, NAMES = 8, GUARD = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char names[NAMES] = "\0a\0b\0cd";
  struct bpf_type table[ROWS] = {0};
  struct bpf_type_member members[ROWS] = {0};
  if (size < 2) return 0;
  const struct bpf_types types = {table, members, names, bytes[0] % (ROWS + 1u), bytes[1] % (ROWS + 1u), NAMES};
  const size_t table_size = types.type_count * sizeof table[0], member_size = types.member_count * sizeof members[0];
  if (size < 2 + table_size + member_size) return 0;
  memcpy(table, bytes + 2, table_size);
  memcpy(members, bytes + 2 + table_size, member_size);
  if (bpf_types_check(&types, NULL) != 0 || types.type_count == 0) return 0;
  const uint32_t type = types.type_count - 1;
  if (table[type].size > VALUE_MAX || table[type].size == 0) return 0;

  const size_t start = 2 + table_size + member_size;
  uint8_t value[VALUE_MAX + GUARD];
  struct report report = {0};
  const struct slice text = {(const char *)bytes + start, size - start};
  memset(value, 0xa5, sizeof value);
  if (bpf_types_parse(text, &types, type, value, table[type].size, &report) == 0) {
    struct text out = {0};
    bpf_types_format(&out, &types, type, value, table[type].size, BPF_STYLE_JSON);
    bpf_types_format(&out, &types, type, value, table[type].size, BPF_STYLE_TEXT);
    text_free(&out);
  } else if (report.errors != 1) {
    abort();
  }
  for (uint32_t i = 0; i < GUARD; i++) {
    if (value[table[type].size + i] != 0xa5) abort();
  }
  report_free(&report);
  return 0;
}
