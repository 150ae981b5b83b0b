/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a compiled object to a signed file, for `imago bundle` and `imago verify`.
 */
#include "tools/bundle_request.h"

#include <sodium.h>
#include <stdio.h>

#include "tools/command.h"
#include "tools/file.h"
#include "tools/keyfile.h"
#include "verifier/link_bundle.h"

/* Copies an argument into a field of the bundle; false when it is too long. */
static bool set_field(char *field, size_t size, struct slice s) {
  if (s.length >= size) return false;
  memcpy(field, s.data, s.length);
  field[s.length] = '\0';
  return true;
}

struct slice bundle_request_default_name(const char *object) {
  static const char *const suffixes[] = {".o", ".bpf"};
  struct slice name = slice_of(path_base(object));
  for (size_t i = 0; i < 2; i++) {
    size_t tail = strlen(suffixes[i]);
    if (name.length > tail && strncmp(name.data + name.length - tail, suffixes[i], tail) == 0) name.length -= tail;
  }
  return name;
}

bool bundle_request_option(struct bundle_request *request, const char *command, int option, const char *argument) {
  switch (option) {
    case 'o':
      request->output = argument;
      return true;
    case 'k':
      request->key = argument;
      return true;
    case 'n':
      request->name = argument;
      return true;
    case 'v':
      request->version = argument;
      return true;
    case 'a':
      request->audience = argument;
      return true;
    case 'p':
      request->program = argument;
      return true;
    case 's':
      if (request->set_count < BUNDLE_REQUEST_SETS) {
        request->sets[request->set_count++] = argument;
        return true;
      }
      (void)command_usage(command, "more than %d constants", BUNDLE_REQUEST_SETS);
      return false;
    case 't':
      if (request->tunable_count < BUNDLE_MAX_TUNABLES) {
        request->tunables[request->tunable_count++] = argument;
        return true;
      }
      (void)command_usage(command, "more than %d tunables", BUNDLE_MAX_TUNABLES);
      return false;
    default:
      (void)command_usage(command, NULL);
      return false;
  }
}

int bundle_request_finish(struct bundle_request *request, int argc, char **argv) {
  const char *command = argv[0], *version = request->version ? request->version : "1";
  struct bundle_meta *meta = &request->meta;
  if (optind != argc - 1) return command_usage(command, optind < argc ? "one object at a time" : "no object given");
  request->object = argv[optind];
  if (request->output && !request->key)
    return command_usage(command, "no key given; sign with --key FILE ('imago keygen' makes one)");
  struct slice name = request->name ? slice_of(request->name) : bundle_request_default_name(request->object);
  if (!set_field(meta->name, sizeof(meta->name), name))
    return command_fail(command, "the name is longer than %zu characters", sizeof(meta->name) - 1);
  if (!set_field(meta->audience, sizeof(meta->audience), slice_of(request->audience ? request->audience : "*")))
    return command_fail(command, "the audience is longer than %zu characters", sizeof(meta->audience) - 1);
  if (slice_to_u64(slice_of(version), UINT64_MAX, &meta->version) != 0 || meta->version == 0)
    return command_usage(command, "'%s' is not a version; versions are numbers from 1", version);
  return 0;
}

int bundle_request_link(const struct bundle_request *request, struct text *object, struct linked_program **linked,
                        struct report *report) {
  const struct link_options options = {.file = path_base(request->object),
                                       .name = request->meta.name,
                                       .program = request->program,
                                       .sets = request->sets,
                                       .set_count = request->set_count,
                                       .tunables = request->tunables,
                                       .tunable_count = request->tunable_count};
  int error = file_read(request->object, OBJECT_MAX_SIZE, object, report);
  if (error) return error;
  return link_object((const uint8_t *)object->data, object->length, &options, linked, report);
}

int bundle_request_write(const struct bundle_request *request, const struct linked_program *linked, struct slice proof,
                         struct report *report) {
  uint8_t secret[BUNDLE_SECRET_KEY_SIZE];
  struct text out = {0};
  int error = keyfile_read_private(request->key, secret, report);
  if (!error) error = link_bundle(linked, &request->meta, proof, secret, &out, report);
  sodium_memzero(secret, sizeof(secret));
  if (!error) error = file_write(request->output, out.data, out.length, report);
  if (!error) {
    printf("%s: %s version %llu, %u instructions, %u maps, ", request->output, request->meta.name,
           (unsigned long long)request->meta.version, link_insn_count(linked), linked->map_count);
    if (proof.length > 0) printf("proof of %zu bytes, ", proof.length);
    printf("%zu bytes\n", out.length);
  }
  text_free(&out);
  return error;
}
