/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago bpf dump: a program's instructions beside its source lines, and the machine code that they become.
 */
#include <getopt.h>
#include <stdio.h>

#include "bpf/jit.h"
#include "tools/bpf_instance.h"
#include "tools/bpf_print.h"
#include "tools/command.h"
#include "tools/file.h"
#include "verifier/disasm.h"

static const char help[] =
    "usage: imago bpf dump OBJECT.bpf.o [OPTIONS]\n"
    "\n"
    "Links a program and prints its instructions beside the source lines that they come from.\n"
    "\n"
    "  -p, --program NAME      function or section, when the object has several programs\n"
    "  -s, --set NAME=VALUE    value of a constant (const volatile); may be given several times\n"
    "  -j, --jit               below each instruction, the bytes of machine code that it became\n"
    "  -h, --help              this text\n"
    "\n"
    "An instruction without machine code of its own was taken into another one, or is never reached.\n"
    "Exit status: 0, or 1 when the program cannot be linked.\n";

enum { MAX_SETS = 256, BYTES_A_LINE = 24 };

struct request {
  const char *object, *program, *sets[MAX_SETS];
  unsigned set_count;
  bool jit;
};

static void print_native(const struct bpf_native *native, const uint32_t *places, uint32_t slot, uint32_t slot_count) {
  uint32_t start = places[slot], end = native->length;
  if (start == UINT32_MAX) return;
  for (uint32_t i = 0; i < slot_count; i++) /* functions need not stand in the order of slots */
    if (places[i] > start && places[i] < end) end = places[i];
  for (uint32_t at = start; at < end; at += BYTES_A_LINE) {
    printf("           %5x: ", at);
    bpf_print_hex(stdout, native->bytes + at, end - at < BYTES_A_LINE ? end - at : BYTES_A_LINE);
    putchar('\n');
  }
}

static void print_code(const struct linked_program *linked, const struct linked_code *code,
                       const struct bpf_program *program, const uint32_t *places) {
  const struct disassembly disassembly = {code->insns, code->insn_count, linked->maps, linked->map_count};
  const struct bpf_native native = program ? bpf_jit_code(program) : (struct bpf_native){.length = 0};
  struct text text = {0};
  printf("%s (SEC(\"%s\")): %u instructions", code->function, code->section, code->insn_count);
  if (program) printf(", %u bytes of machine code", native.length);
  putchar('\n');
  for (uint32_t slot = 0; slot < code->insn_count;) {
    const struct source_line *line = lines_find(&code->lines, slot);
    if (line && line->at.insn == slot) printf("; %s:%u: %s\n", line->at.file, line->at.line, line->text);
    text_clear(&text);
    uint32_t slots = disassemble(&disassembly, slot, &text);
    printf("%6u: %s\n", slot, text_string(&text));
    if (program) print_native(&native, places, slot, code->insn_count);
    slot += slots;
  }
  text_free(&text);
}

static int dump_native(const struct linked_program *linked, const struct linked_code *code, struct bpf_program *program,
                       struct report *report) {
  static uint32_t places[BPF_MAX_INSNS];
  const struct bpf_jit_options options = {.cpu = bpf_jit_this_cpu(), .places = places};
  int error = bpf_jit(program, NULL, &options, report);
  if (!error) print_code(linked, code, program, places);
  return error;
}

static int dump(const struct request *request, struct report *report) {
  struct text object = {0};
  struct linked_program *linked = NULL;
  struct bpf_instance instance = {.map_count = 0};
  const struct link_options options = {.file = path_base(request->object),
                                       .name = "",
                                       .program = request->program,
                                       .sets = request->sets,
                                       .set_count = request->set_count};
  int error = file_read(request->object, OBJECT_MAX_SIZE, &object, report);
  if (!error) error = link_object((const uint8_t *)object.data, object.length, &options, &linked, report);
  if (!error && request->jit) error = bpf_instance_make(&instance, linked, false, report);
  for (uint32_t i = 0; !error && i < linked->code_count; i++) {
    if (i > 0) putchar('\n');
    if (request->jit) {
      error = dump_native(linked, &linked->code[i], &instance.programs[i], report);
    } else {
      print_code(linked, &linked->code[i], NULL, NULL);
    }
  }
  bpf_instance_free(&instance);
  link_free(linked);
  text_free(&object);
  return error;
}

int command_bpf_dump(int argc, char **argv) {
  static const struct option options[] = {{"program", required_argument, NULL, 'p'},
                                          {"set", required_argument, NULL, 's'},
                                          {"jit", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  struct request request = {.set_count = 0};
  for (int option; (option = getopt_long(argc, argv, "p:s:jh", options, NULL)) != -1;) {
    switch (option) {
      case 'p':
        request.program = optarg;
        break;
      case 's':
        if (request.set_count == MAX_SETS) return command_usage(argv[0], "more than %d constants", MAX_SETS);
        request.sets[request.set_count++] = optarg;
        break;
      case 'j':
        request.jit = true;
        break;
      case 'h':
        return command_help(help);
      default:
        return command_usage(argv[0], NULL);
    }
  }
  if (optind != argc - 1) return command_usage(argv[0], optind < argc ? "one object at a time" : "no object given");
  request.object = argv[optind];
  struct report report = {0};
  int status = dump(&request, &report);
  return command_report(argv[0], &report) || status;
}
