/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writes bundles: sections in their one order, content hash, signature; then reads the result back, so that nothing leaves that
 * the reader would refuse.
 */
#include "bundle/writer.h"

#include <sodium.h>
#include <stdlib.h>

#include "bundle/wire.h"
#include "lib/memory.h"

static void pad(struct text *out) {
  static const uint8_t zero[8];
  text_add_bytes(out, zero, (8 - out->length % 8) % 8);
}

/* The payload comes in two parts, of which the second may be empty. */
static void add_section(struct text *out, enum bundle_section type, const void *head, size_t head_length,
                        const void *tail, size_t tail_length) {
  struct bundle_section_wire wire = {type, (uint32_t)(head_length + tail_length)};
  text_add_bytes(out, &wire, sizeof(wire));
  text_add_bytes(out, head, head_length);
  text_add_bytes(out, tail, tail_length);
  pad(out);
}

/* Copies the string and fills the field with zeros. Longer strings are cut without NUL, which the reader refuses. */
static void set_field(char *field, size_t size, const char *s, size_t limit) {
  size_t length = strnlen(s, limit < size ? limit : size);
  memset(field, 0, size);
  memcpy(field, s, length);
}
#define SET_FIELD(to, from) set_field(to, sizeof(to), from, sizeof(from))

static void add_meta(struct text *out, const struct bundle_meta *meta) {
  struct bundle_meta_wire wire = {.version = meta->version, .kind = meta->kind};
  SET_FIELD(wire.name, meta->name);
  SET_FIELD(wire.section, meta->section);
  SET_FIELD(wire.audience, meta->audience);
  add_section(out, BUNDLE_SECTION_META, &wire, sizeof(wire), NULL, 0);
}

static void add_maps(struct text *out, const struct bundle_description *d) {
  struct text payload = {0};
  for (uint32_t i = 0; i < d->map_count; i++) {
    const struct bpf_map_def *def = &d->maps[i];
    struct bundle_map_wire wire = {.type = def->type,
                                   .key_size = def->key_size,
                                   .value_size = def->value_size,
                                   .max_entries = def->max_entries,
                                   .flags = def->flags,
                                   .spin_lock = def->spin_lock,
                                   .timer = def->timer,
                                   .extra = def->extra,
                                   .inner = def->inner};
    SET_FIELD(wire.name, def->name);
    text_add_bytes(&payload, &wire, sizeof(wire));
  }
  out->failed |= payload.failed;
  if (payload.length > 0) add_section(out, BUNDLE_SECTION_MAPS, payload.data, payload.length, NULL, 0);
  text_free(&payload);
}

static void add_data(struct text *out, const struct bundle_description *d) {
  for (uint32_t i = 0; d->initial && i < d->map_count; i++) {
    struct bundle_data_wire wire = {.map = i};
    const struct slice *value = &d->initial[i];
    if (value->length > 0) add_section(out, BUNDLE_SECTION_DATA, &wire, sizeof(wire), value->data, value->length);
  }
}

/* Offset of the name in the table of NUL-terminated names; added when it isn't there. */
static uint32_t string_offset(struct text *strings, const char *name) {
  size_t at = 0;
  while (at < strings->length && strcmp(strings->data + at, name) != 0)
    at += strlen(strings->data + at) + 1;
  if (at == strings->length) text_add_bytes(strings, name, strlen(name) + 1);
  return (uint32_t)at;
}

static void add_lines(struct text *out, const struct bundle_description *d) {
  if (d->line_count == 0) return;
  struct text head = {0}, strings = {0};
  struct bundle_lines_wire wire = {.line_count = d->line_count};
  text_add_bytes(&head, &wire, sizeof(wire));
  for (uint32_t i = 0; i < d->line_count; i++) {
    struct bundle_line_wire line = {d->lines[i].insn, string_offset(&strings, d->lines[i].file), d->lines[i].line};
    text_add_bytes(&head, &line, sizeof(line));
  }
  out->failed |= head.failed || strings.failed;
  if (!out->failed) {
    wire.strings_length = (uint32_t)strings.length;
    memcpy(head.data, &wire, sizeof(wire));
    add_section(out, BUNDLE_SECTION_LINES, head.data, head.length, strings.data, strings.length);
  }
  text_free(&head);
  text_free(&strings);
}

static void add_programs(struct text *out, const struct bundle_description *d) {
  struct text payload = {0};
  for (uint32_t i = 1; i < d->program_count; i++) {
    struct bundle_program_wire wire = {.start = d->programs[i].start};
    SET_FIELD(wire.function, d->programs[i].function);
    text_add_bytes(&payload, &wire, sizeof(wire));
  }
  out->failed |= payload.failed;
  if (payload.length > 0) add_section(out, BUNDLE_SECTION_PROGRAMS, payload.data, payload.length, NULL, 0);
  text_free(&payload);
}

static int compare_entries(const void *a, const void *b) {
  const struct bundle_entry_wire *x = a, *y = b;
  if (x->map != y->map) return x->map < y->map ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

static void add_entries(struct text *out, const struct bundle_description *d) {
  struct text payload = {0};
  for (uint32_t i = 0; i < d->entry_count; i++) {
    const struct bundle_entry_wire wire = {d->entries[i].map, d->entries[i].index, d->entries[i].target, 0};
    text_add_bytes(&payload, &wire, sizeof(wire));
  }
  out->failed |= payload.failed;
  if (payload.length > 0 && !payload.failed) {
    qsort(payload.data, d->entry_count, sizeof(struct bundle_entry_wire), compare_entries);
    add_section(out, BUNDLE_SECTION_ENTRIES, payload.data, payload.length, NULL, 0);
  }
  text_free(&payload);
}

static void add_types(struct text *out, const struct bundle_description *d) {
  const struct bpf_types *t = &d->types;
  const struct bundle_types_wire wire = {t->type_count, t->member_count, t->names_length, 0};
  struct text head = {0};
  if (t->type_count == 0) return;
  text_add_bytes(&head, &wire, sizeof(wire));
  text_add_bytes(&head, t->types, t->type_count * sizeof(*t->types));
  text_add_bytes(&head, t->members, t->member_count * sizeof(*t->members));
  text_add_bytes(&head, d->map_types, d->map_count * sizeof(*d->map_types));
  out->failed |= head.failed;
  if (!out->failed) add_section(out, BUNDLE_SECTION_TYPES, head.data, head.length, t->names, t->names_length);
  text_free(&head);
}

static void add_proof(struct text *out, const struct bundle_description *d) {
  if (d->proof.length > 0) add_section(out, BUNDLE_SECTION_PROOF, d->proof.data, d->proof.length, NULL, 0);
}

static int compare_tunables(const void *a, const void *b) {
  const struct bundle_tunable_wire *x = a, *y = b;
  if (x->map != y->map) return x->map < y->map ? -1 : 1;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void add_tunables(struct text *out, const struct bundle_description *d) {
  struct text payload = {0};
  for (uint32_t i = 0; i < d->tunable_count; i++) {
    const struct bundle_tunable *t = &d->tunables[i];
    struct bundle_tunable_wire wire = {.map = t->map,
                                       .offset = t->offset,
                                       .size = t->size,
                                       .is_signed = t->is_signed,
                                       .least = t->least,
                                       .most = t->most};
    SET_FIELD(wire.name, t->name);
    text_add_bytes(&payload, &wire, sizeof(wire));
  }
  out->failed |= payload.failed;
  if (payload.length > 0 && !payload.failed) {
    qsort(payload.data, d->tunable_count, sizeof(struct bundle_tunable_wire), compare_tunables);
    add_section(out, BUNDLE_SECTION_TUNABLES, payload.data, payload.length, NULL, 0);
  }
  text_free(&payload);
}

static void add_hash(struct text *out) {
  uint8_t digest[crypto_hash_sha512_BYTES];
  if (out->failed) return;
  crypto_hash_sha512(digest, (const uint8_t *)out->data + BUNDLE_HEADER_SIZE, out->length - BUNDLE_HEADER_SIZE);
  add_section(out, BUNDLE_SECTION_HASH, digest, BUNDLE_HASH_SIZE, NULL, 0);
}

/* The header goes first but holds the length, so it is filled in when all else stands. */
static void fill_header(struct text *out, const uint8_t *public_key) {
  struct bundle_key key = {0};
  uint32_t fields[2] = {2, (uint32_t)(out->length + BUNDLE_SIGNATURE_SIZE)};
  memcpy(key.public_key, public_key, sizeof(key.public_key));
  bundle_key_identify(&key);
  memcpy(out->data, BUNDLE_MAGIC, 8);
  memcpy(out->data + 8, fields, sizeof(fields));
  memcpy(out->data + 16, key.id, sizeof(key.id));
}

/* Reads back through the reader that everybody uses. */
static int read_back(const struct text *out, struct report *report) {
  int error = -ERROR_NO_MEMORY;
  uint8_t *bytes = memory_alloc(out->length);
  struct bundle *bundle = memory_alloc(sizeof(*bundle));
  if (bytes && bundle) {
    memcpy(bytes, out->data, out->length);
    error = bundle_parse(bytes, out->length, bundle, report);
  }
  memory_free(bundle);
  memory_free(bytes);
  return error;
}

int bundle_write(const struct bundle_description *d, const uint8_t secret_key[BUNDLE_SECRET_KEY_SIZE], struct text *out,
                 struct report *report) {
  static const uint8_t header[BUNDLE_HEADER_SIZE];
  uint8_t signature[BUNDLE_SIGNATURE_SIZE];
  text_add_bytes(out, header, sizeof(header));
  add_meta(out, &d->meta);
  add_maps(out, d);
  add_section(out, BUNDLE_SECTION_INSNS, d->insns, d->insn_count * sizeof(*d->insns), NULL, 0);
  add_data(out, d);
  add_lines(out, d);
  add_programs(out, d);
  add_entries(out, d);
  add_types(out, d);
  add_tunables(out, d);
  add_proof(out, d);
  add_hash(out);
  if (out->failed) return report_error(report, ERROR_NO_MEMORY, "bundle: out of memory");
  if (out->length > BUNDLE_MAX_SIZE - BUNDLE_SIGNATURE_SIZE)
    return report_error(report, ERROR_TOO_BIG, "bundle: %zu bytes; the limit is %u",
                        out->length + BUNDLE_SIGNATURE_SIZE, (unsigned)BUNDLE_MAX_SIZE);
  fill_header(out, secret_key + crypto_sign_ed25519_SEEDBYTES);
  crypto_sign_ed25519_detached(signature, NULL, (const uint8_t *)out->data, out->length, secret_key);
  text_add_bytes(out, signature, sizeof(signature));
  if (out->failed) return report_error(report, ERROR_NO_MEMORY, "bundle: out of memory");
  return read_back(out, report);
}
