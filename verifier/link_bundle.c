/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The programs stand one behind the other in a bundle, and so do their lines.
 */
#include "verifier/link_bundle.h"

#include "lib/memory.h"

struct joined {
  struct bundle_program programs[BUNDLE_MAX_PROGRAMS];
  struct bpf_insn *insns;
  struct bundle_line *lines;
};

int link_bundle(const struct linked_program *linked, const struct bundle_meta *meta, struct slice proof,
                const uint8_t secret_key[BUNDLE_SECRET_KEY_SIZE], struct text *out, struct report *report) {
  struct joined joined;
  size_t insns = link_insn_count(linked), lines = 0;
  for (uint32_t i = 0; i < linked->code_count; i++)
    lines += linked->code[i].lines.count;
  struct bundle_description d = {.meta = *meta,
                                 .maps = linked->maps,
                                 .initial = linked->initial,
                                 .map_count = linked->map_count,
                                 .program_count = linked->code_count,
                                 .entries = linked->entries,
                                 .entry_count = linked->entry_count,
                                 .proof = proof,
                                 .types = type_table_view(&linked->types),
                                 .map_types = linked->map_types,
                                 .tunables = linked->tunables,
                                 .tunable_count = linked->tunable_count};
  memcpy(d.meta.section, linked->code[0].section, sizeof(linked->code[0].section));
  d.meta.kind = linked->code[0].kind;
  joined.insns = memory_alloc(insns * sizeof(*joined.insns));
  joined.lines = memory_alloc((lines + 1) * sizeof(*joined.lines));
  if (!joined.insns || !joined.lines) {
    memory_free(joined.insns);
    memory_free(joined.lines);
    return report_error(report, ERROR_NO_MEMORY, "bundle: out of memory");
  }
  for (uint32_t i = 0; i < linked->code_count; i++) {
    const struct linked_code *code = &linked->code[i];
    joined.programs[i] = (struct bundle_program){.start = d.insn_count, .count = code->insn_count};
    memcpy(joined.programs[i].function, code->function, sizeof(code->function));
    for (uint32_t line = 0; line < code->lines.count; line++) {
      joined.lines[d.line_count] = code->lines.lines[line].at;
      joined.lines[d.line_count++].insn += d.insn_count;
    }
    memcpy(joined.insns + d.insn_count, code->insns, code->insn_count * sizeof(*code->insns));
    d.insn_count += code->insn_count;
  }
  d.insns = joined.insns;
  d.lines = joined.lines;
  d.programs = joined.programs;
  int error = bundle_write(&d, secret_key, out, report);
  memory_free(joined.insns);
  memory_free(joined.lines);
  return error;
}
