/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago bpf-conformance: the plugin by which the public suite bpf_conformance runs its programs in our engine.
 */
#include <getopt.h>
#include <stdio.h>

#include "bpf/jit.h"
#include "lib/memory.h"
#include "tools/bpf_instance.h"
#include "tools/command.h"
#include "tools/file.h"

static const char help[] =
    "usage: imago bpf-conformance [--jit|--interpret] [--program HEX] [MEMORY] [OPTIONS]\n"
    "\n"
    "Runs one eBPF program and prints the value of r0 at its end in hexadecimal. For the suite bpf_conformance:\n"
    "\n"
    "  bpf_conformance_runner --test_file_path tests --plugin_path imago --plugin_options 'bpf-conformance --jit'\n"
    "\n"
    "where the runner wants a plugin of its own, a script of one line does: exec imago bpf-conformance --jit \"$@\".\n"
    "\n"
    "  MEMORY           bytes that r1 points to, in hexadecimal, blanks between them allowed; r2 is their number\n"
    "      --program HEX  the program: instructions of 8 bytes, in hexadecimal (default: a line of standard input)\n"
    "      --elf          the program is an object file: its entry runs with r1 = context of a packet, MEMORY\n"
    "      --jit          compile it (the default)\n"
    "      --interpret    interpret it\n"
    "      --debug        say where a fault was\n"
    "  -h, --help         this text\n"
    "\n"
    "Offered groups of RFC 9669: base32, base64, atomic32, atomic64, divmul32, divmul64. Group packet is refused.\n"
    "Exit status: 0; 1 when the program is refused, or faulted.\n";

enum { PROGRAM_MAX = OBJECT_MAX_SIZE, MEMORY_MAX = 65536, MEMORY_SIZE = MEMORY_MAX + 4096, HEADROOM = 256 };
enum { OPTION_PROGRAM = 256, OPTION_ELF, OPTION_JIT, OPTION_INTERPRET, OPTION_DEBUG };

struct request {
  const char *program, *memory;
  bool elf, interpret, debug;
};

static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes in hexadecimal, with white space between them anywhere. False: something else is there, or more than `size` bytes. */
static bool parse_bytes(struct slice text, uint8_t *bytes, size_t size, size_t *count) {
  *count = 0;
  for (size_t i = 0; i < text.length;) {
    if (strchr(" \t\r\n", text.data[i])) {
      i++;
      continue;
    }
    int high = digit(text.data[i]), low = i + 1 < text.length ? digit(text.data[i + 1]) : -1;
    if (high < 0 || low < 0 || *count == size) return false;
    bytes[(*count)++] = (uint8_t)(high * 16 + low);
    i += 2;
  }
  return true;
}

/* The bytes of the argument, or of standard input. */
static int read_program(const struct request *request, uint8_t **bytes, size_t *count, struct report *report) {
  struct text text = {0};
  int error = 0;
  if (!request->program) error = file_read("-", 3 * (size_t)PROGRAM_MAX, &text, report);
  struct slice hex = request->program ? slice_of(request->program) : (struct slice){text.data, text.length};
  uint8_t *room = error ? NULL : memory_alloc(hex.length / 2 + 1);
  if (!error && (room == NULL || !parse_bytes(hex, room, hex.length / 2, count) || *count == 0))
    error = report_error(report, ERROR_INVALID, "the program is not in hexadecimal; write two digits a byte");
  text_free(&text);
  *bytes = room;
  return error;
}

/* One program of bare instructions, without maps. */
static int make_program(struct bpf_program *program, const struct request *request, const uint8_t *bytes, size_t count,
                        struct report *report) {
  const struct bpf_jit_options options = {.memory = true, .cpu = bpf_jit_this_cpu()};
  if (count % sizeof(struct bpf_insn) != 0)
    return report_error(report, ERROR_INVALID, "the program has %zu bytes; instructions have 8", count);
  program->insn_count = (uint32_t)(count / sizeof(struct bpf_insn));
  program->insns = memory_alloc(count);
  if (program->insns == NULL) return report_error(report, ERROR_NO_MEMORY, "out of memory");
  memcpy(program->insns, bytes, count);
  int error = bpf_check(program->insns, program->insn_count, 0, report);
  if (!error) error = bpf_program_prepare(program, report);
  if (!error && !request->interpret) error = bpf_jit(program, NULL, &options, report);
  return error;
}

static int conclude(const struct request *request, const struct bpf_result *result, struct report *report) {
  if (result->fault == BPF_FAULT_NONE) {
    printf("%llx\n", (unsigned long long)result->r0);
    return 0;
  }
  if (!request->debug) return report_error(report, ERROR_INVALID, "fault: %s", bpf_fault_text(result->fault));
  return report_error(report, ERROR_INVALID, "fault at instruction %u, address 0x%llx: %s", result->fault_insn,
                      (unsigned long long)result->fault_address, bpf_fault_text(result->fault));
}

static int run_raw(const struct request *request, const uint8_t *bytes, size_t count, uint8_t *memory, size_t length,
                   struct report *report) {
  struct bpf_program program = {.insn_count = 0};
  struct bpf_result result;
  int error = make_program(&program, request, bytes, count, report);
  if (!error) {
    bpf_run_memory(&program, &bpf_instance_environment, memory, (uint32_t)length, &result);
    error = conclude(request, &result, report);
  }
  bpf_program_destroy(&program);
  return error;
}

static int run_elf(const struct request *request, const uint8_t *bytes, size_t count, uint8_t *memory, size_t length,
                   struct report *report) {
  const struct link_options options = {.file = "the program", .name = ""};
  const uint64_t start = (uint64_t)(uintptr_t)memory;
  const struct bpf_input input = {.data = start,
                                  .data_end = start + length,
                                  .ingress_ifindex = 1,
                                  .buffer_start = start - HEADROOM,
                                  .buffer_end = start - HEADROOM + MEMORY_SIZE};
  struct linked_program *linked = NULL;
  struct bpf_instance instance = {.map_count = 0};
  struct bpf_result result;
  int error = link_object(bytes, count, &options, &linked, report);
  if (!error) error = bpf_instance_make(&instance, linked, !request->interpret, report);
  if (!error) {
    bpf_run(&instance.programs[0], &bpf_instance_environment, &input, &result);
    error = conclude(request, &result, report);
  }
  bpf_instance_free(&instance);
  link_free(linked);
  return error;
}

static int run(const struct request *request, struct report *report) {
  uint8_t *bytes = NULL, *buffer = memory_alloc_low(MEMORY_SIZE, 4096);
  size_t count = 0, length = 0;
  if (buffer == NULL) return report_error(report, ERROR_NO_MEMORY, "out of memory");
  uint8_t *memory = buffer + HEADROOM;
  int error = 0;
  if (request->memory && !parse_bytes(slice_of(request->memory), memory, MEMORY_MAX, &length))
    error =
        report_error(report, ERROR_INVALID, "the memory is not in hexadecimal, or longer than %d bytes", MEMORY_MAX);
  if (!error) error = read_program(request, &bytes, &count, report);
  if (!error) error = (request->elf ? run_elf : run_raw)(request, bytes, count, memory, length, report);
  memory_free(bytes);
  memory_free_low(buffer, MEMORY_SIZE);
  return error;
}

int command_bpf_conformance(int argc, char **argv) {
  static const struct option options[] = {{"program", required_argument, NULL, OPTION_PROGRAM},
                                          {"elf", no_argument, NULL, OPTION_ELF},
                                          {"jit", no_argument, NULL, OPTION_JIT},
                                          {"interpret", no_argument, NULL, OPTION_INTERPRET},
                                          {"debug", no_argument, NULL, OPTION_DEBUG},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  struct request request = {.elf = false};
  for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
    switch (option) {
      case OPTION_PROGRAM:
        request.program = optarg;
        break;
      case OPTION_ELF:
        request.elf = true;
        break;
      case OPTION_JIT:
        request.interpret = false;
        break;
      case OPTION_INTERPRET:
        request.interpret = true;
        break;
      case OPTION_DEBUG:
        request.debug = true;
        break;
      case 'h':
        return command_help(help);
      default:
        return command_usage(argv[0], NULL);
    }
  }
  if (optind < argc) request.memory = argv[optind++];
  if (optind < argc) return command_usage(argv[0], "'%s': one memory is enough", argv[optind]);
  struct report report = {0};
  (void)run(&request, &report);
  return command_report(argv[0], &report);
}
