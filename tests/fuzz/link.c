/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libFuzzer target: the linker on damaged objects. What links must make a bundle that the reader takes, and must disassemble.
 */
#include "lib/memory.h"
#include "verifier/disasm.h"
#include "verifier/link_bundle.h"

static void disassemble_all(const struct linked_program *program, const struct linked_code *code) {
  const struct disassembly disassembly = {code->insns, code->insn_count, program->maps, program->map_count};
  struct text line = {0};
  for (uint32_t i = 0; i < code->insn_count;) {
    text_clear(&line);
    i += disassemble(&disassembly, i, &line);
  }
  text_free(&line);
}

static void check(const struct linked_program *program) {
  static const uint8_t secret_key[BUNDLE_SECRET_KEY_SIZE];
  static const struct bundle_meta meta = {.name = "fuzz", .version = 1, .audience = "*"};
  struct text out = {0};
  struct report report = {0};
  /* Map, function and section names come from the object and may be what a bundle cannot carry; programs may be too long together. */
  if (link_bundle(program, &meta, (struct slice){NULL, 0}, secret_key, &out, &report) != 0 && report.errors != 1)
    __builtin_trap();
  for (uint32_t i = 0; i < program->code_count; i++)
    disassemble_all(program, &program->code[i]);
  report_free(&report);
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
