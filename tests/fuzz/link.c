/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libFuzzer target: the linker on damaged objects. What links must make a bundle that the reader takes, and must disassemble.
 */
#include "verifier/link.h"
#include "lib/memory.h"
#include "verifier/disasm.h"

static void check(const struct linked_program *program) {
  static const uint8_t secret_key[BUNDLE_SECRET_KEY_SIZE];
  struct text out = {0}, line = {0};
  struct disassembly code = {program->insns, program->insn_count, program->maps, program->map_count};
  struct bundle_description description = {
      .meta = {.name = "fuzz", .version = 1, .audience = "*"},
      .insns = program->insns,
      .insn_count = program->insn_count,
      .maps = program->maps,
      .initial = program->initial,
      .map_count = program->map_count,
      .lines = program->lines.lines,
      .line_count = program->lines.count,
  };
  memcpy(description.meta.section, program->section, sizeof(program->section));
  /* Map and section names come from the object and may be what a bundle cannot carry; nothing else may. */
  struct report report = {0};
  if (bundle_write(&description, secret_key, &out, &report) != 0 && report.errors != 1) __builtin_trap();
  for (uint32_t i = 0; i < program->insn_count;) {
    text_clear(&line);
    i += disassemble(&code, i, &line);
  }
  report_free(&report);
  text_free(&line);
  text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const struct link_options options = {.file = "fuzz.bpf.o", .name = "fuzz"};
  struct linked_program *program = NULL;
  struct report report = {0};
  int error = link_object(data, size, &options, &program, &report);
  if (error == 0)
    check(program);
  else if (report.errors == 0)
    __builtin_trap();
  if (error == 0) link_free(program);
  report_free(&report);
  return 0;
}
