/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago bundle: links a compiled eBPF program and signs it.
 */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lib/memory.h"
#include "tools/command.h"
#include "tools/file.h"
#include "tools/keyfile.h"
#include "verifier/link_bundle.h"

static const char help[] =
    "usage: imago bundle PROG.bpf.o -o PROG.imb --key SIGNER.pem [OPTIONS]\n"
    "\n"
    "Links an eBPF object made by clang and signs it, so that a network function that trusts the key takes it.\n"
    "The bundle carries no proof that the program is safe, so the unikernel checks every access while it runs. For development\n"
    "until there is a verifier.\n"
    "\n"
    "  -o, --output FILE      the bundle\n"
    "  -k, --key FILE         private key: PEM, Ed25519 (imago keygen, or openssl genpkey -algorithm ed25519)\n"
    "  -n, --name NAME        program name: letters, digits, '_', '.', '-' (default: the object's name without .bpf.o)\n"
    "  -v, --version NUMBER   1 or more; a running system refuses what is not newer than the newest of that name\n"
    "                         (default: 1)\n"
    "  -a, --audience GLOB    elements that may take it: a pattern over element names (default: *)\n"
    "  -p, --program NAME     the program's function or section, when the object has several\n"
    "  -s, --set NAME=VALUE   value of a constant (const volatile); may be given several times\n"
    "  -t, --tunable NAME=MIN..MAX   lets whoever runs the program choose that constant within the range, besides those\n"
    "                         that the source declares with IMAGO_TUNABLE; may be given several times\n"
    "  -h, --help             this text\n"
    "\n"
    "Example:\n"
    "  clang -target bpf -O2 -g -c block.bpf.c -o block.bpf.o\n"
    "  imago bundle block.bpf.o -o block.imb --key signer.pem --version 2\n"
    "  imago inspect block.imb --key signer.pub.pem\n"
    "\n"
    "With -g, errors and faults name source lines. Files: docs/bundle.md says what an object may contain.\n"
    "Exit status: 0, or 1 when there is no bundle.\n";

enum { MAX_SETS = 256 };

struct request {
  const char *object, *output, *key, *version, *program, *sets[MAX_SETS], *tunables[BUNDLE_MAX_TUNABLES];
  unsigned set_count, tunable_count;
  struct bundle_meta meta;
};

/* Copies an argument into a field of the bundle; false when it is too long. */
static bool set_field(char *field, size_t size, struct slice s) {
  if (s.length >= size) return false;
  memcpy(field, s.data, s.length);
  field[s.length] = '\0';
  return true;
}

/* "dir/block.bpf.o" gives "block". */
static struct slice default_name(const char *object) {
  static const char *const suffixes[] = {".o", ".bpf"};
  struct slice name = slice_of(path_base(object));
  for (size_t i = 0; i < 2; i++) {
    size_t tail = strlen(suffixes[i]);
    if (name.length > tail && strncmp(name.data + name.length - tail, suffixes[i], tail) == 0) name.length -= tail;
  }
  return name;
}

/* Of all programs together. */
static uint32_t linked_insns(const struct linked_program *linked) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < linked->code_count; i++)
    sum += linked->code[i].insn_count;
  return sum;
}

static int make(const struct request *request, struct text *object, struct text *out, struct report *report) {
  struct linked_program *linked = NULL;
  uint8_t secret[BUNDLE_SECRET_KEY_SIZE];
  const struct link_options options = {.file = path_base(request->object),
                                       .name = request->meta.name,
                                       .program = request->program,
                                       .sets = request->sets,
                                       .set_count = request->set_count,
                                       .tunables = request->tunables,
                                       .tunable_count = request->tunable_count};
  int error = file_read(request->object, OBJECT_MAX_SIZE, object, report);
  if (!error) error = link_object((const uint8_t *)object->data, object->length, &options, &linked, report);
  if (error) return error;
  error = keyfile_read_private(request->key, secret, report);
  if (!error) error = link_bundle(linked, &request->meta, secret, out, report);
  sodium_memzero(secret, sizeof(secret));
  if (!error) error = file_write(request->output, out->data, out->length, report);
  if (!error)
    printf("%s: %s version %llu, %u instructions, %u maps, %zu bytes\n", request->output, request->meta.name,
           (unsigned long long)request->meta.version, linked_insns(linked), linked->map_count, out->length);
  link_free(linked);
  return error;
}

int command_bundle(int argc, char **argv) {
  static const struct option options[] = {
      {"output", required_argument, NULL, 'o'},   {"key", required_argument, NULL, 'k'},
      {"name", required_argument, NULL, 'n'},     {"version", required_argument, NULL, 'v'},
      {"audience", required_argument, NULL, 'a'}, {"program", required_argument, NULL, 'p'},
      {"set", required_argument, NULL, 's'},      {"tunable", required_argument, NULL, 't'},
      {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
  };
  struct request request = {.version = "1"};
  struct slice name = {NULL, 0}, audience = slice_of("*");
  for (int option; (option = getopt_long(argc, argv, "o:k:n:v:a:p:s:t:h", options, NULL)) != -1;) {
    switch (option) {
      case 'o':
        request.output = optarg;
        break;
      case 'k':
        request.key = optarg;
        break;
      case 'n':
        name = slice_of(optarg);
        break;
      case 'v':
        request.version = optarg;
        break;
      case 'a':
        audience = slice_of(optarg);
        break;
      case 'p':
        request.program = optarg;
        break;
      case 's':
        if (request.set_count == MAX_SETS) return command_usage(argv[0], "more than %d constants", MAX_SETS);
        request.sets[request.set_count++] = optarg;
        break;
      case 't':
        if (request.tunable_count == BUNDLE_MAX_TUNABLES)
          return command_usage(argv[0], "more than %d tunables", BUNDLE_MAX_TUNABLES);
        request.tunables[request.tunable_count++] = optarg;
        break;
      case 'h':
        return command_help(help);
      default:
        return command_usage(argv[0], NULL);
    }
  }
  if (optind != argc - 1) return command_usage(argv[0], optind < argc ? "one object at a time" : "no object given");
  request.object = argv[optind];
  if (!request.output) return command_usage(argv[0], "no output given; say where the bundle goes with -o FILE");
  if (!request.key) return command_usage(argv[0], "no key given; sign with --key FILE ('imago keygen' makes one)");
  if (!name.data) name = default_name(request.object);
  if (!set_field(request.meta.name, sizeof(request.meta.name), name))
    return command_fail(argv[0], "the name is longer than %zu characters", sizeof(request.meta.name) - 1);
  if (!set_field(request.meta.audience, sizeof(request.meta.audience), audience))
    return command_fail(argv[0], "the audience is longer than %zu characters", sizeof(request.meta.audience) - 1);
  if (slice_to_u64(slice_of(request.version), UINT64_MAX, &request.meta.version) != 0 || request.meta.version == 0)
    return command_usage(argv[0], "'%s' is not a version; versions are numbers from 1", request.version);

  struct report report = {0};
  struct text object = {0}, out = {0};
  if (make(&request, &object, &out, &report) != 0 && report.errors == 0)
    (void)report_error(&report, ERROR_NO_MEMORY, "%s: no memory", request.object);
  text_free(&object);
  text_free(&out);
  return command_report(argv[0], &report);
}
