/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reads bundles. The bytes are hostile until the signature holds, and are treated as hostile after it too: a signer may be
 * careless. Specification: docs/bundle.md.
 */
#include "bundle/bundle.h"
#include "bundle/signature.h"
#include "bundle/tunable.h"
#include "bundle/wire.h"
#include "lib/bytes.h"

enum { FORMAT_VERSION = 2, FORMAT_OFFSET = 8, LENGTH_OFFSET = 12, KEY_ID_OFFSET = 16 };

_Static_assert((int)BUNDLE_SIGNATURE_SIZE == (int)SIGNATURE_SIZE, "one signature scheme");
_Static_assert((int)BUNDLE_PUBLIC_KEY_SIZE == (int)SIGNATURE_KEY_SIZE, "one signature scheme");

void bundle_key_identify(struct bundle_key *key) {
  uint8_t digest[SHA512_SIZE];
  sha512(digest, key->public_key, sizeof(key->public_key));
  memcpy(key->id, digest, sizeof(key->id));
}

/* The fixed header, the only thing that is read before the signature holds. */
static int check_header(const uint8_t *bytes, size_t length, struct report *report) {
  if (length < BUNDLE_HEADER_SIZE)
    return report_error(report, ERROR_TRUNCATED, "bundle: %zu bytes are too few for a header; is the file complete?",
                        length);
  if (memcmp(bytes, BUNDLE_MAGIC, FORMAT_OFFSET) != 0)
    return report_error(report, ERROR_INVALID,
                        "bundle: not a bundle (no magic \"" BUNDLE_MAGIC "\"); make one from an "
                        "eBPF object with `imago verify`");
  uint32_t format = load_le32(bytes + FORMAT_OFFSET);
  if (format != FORMAT_VERSION)
    return report_error(report, ERROR_INVALID, "bundle: format version %u; this system reads version %u", format,
                        (unsigned)FORMAT_VERSION);
  uint32_t total = load_le32(bytes + LENGTH_OFFSET);
  if (total > BUNDLE_MAX_SIZE)
    return report_error(report, ERROR_TOO_BIG, "bundle: says it is %u bytes long; the limit is %u", total,
                        (unsigned)BUNDLE_MAX_SIZE);
  if (total < BUNDLE_HEADER_SIZE + BUNDLE_SIGNATURE_SIZE || total % 8 != 0)
    return report_error(report, ERROR_INVALID, "bundle: length field of %u cannot be", total);
  if (total > length)
    return report_error(report, ERROR_TRUNCATED, "bundle: ends after %zu of %u bytes; is the file complete?", length,
                        total);
  if (total < length) return report_error(report, ERROR_INVALID, "bundle: %zu bytes follow its end", length - total);
  return 0;
}

int bundle_verify(const uint8_t *bytes, size_t length, const struct bundle_key *keys, unsigned key_count,
                  const struct bundle_key **key, struct report *report) {
  int error = check_header(bytes, length, report);
  if (error) return error;
  const uint8_t *id = bytes + KEY_ID_OFFSET;
  const struct bundle_key *signer = NULL;
  for (unsigned i = 0; i < key_count && !signer; i++)
    if (memcmp(keys[i].id, id, BUNDLE_KEY_ID_SIZE) == 0) signer = &keys[i];
  if (!signer)
    return report_error(report, ERROR_KEY,
                        "bundle: signed by unknown key %02x%02x%02x%02x...; %u keys are trusted; add the signer's .pub "
                        "file to the trusted keys, or sign with a trusted key",
                        id[0], id[1], id[2], id[3], key_count);
  size_t signed_length = length - BUNDLE_SIGNATURE_SIZE;
  if (!signature_holds(bytes + signed_length, bytes, signed_length, signer->public_key))
    return report_error(report, ERROR_SIGNATURE,
                        "bundle: signature by key %s is wrong: the bytes were changed after signing, or somebody else "
                        "signed them; get the bundle again from its maker",
                        signer->name);
  *key = signer;
  return 0;
}

/* --- parsing --- */

static bool is_name_char(char c) { return char_is_word(c) || c == '.' || c == '-'; }
static bool is_printable(char c) { return c > ' ' && c < 0x7f; }
/* Element names of Click ("fw/filter", "BPFilter@3") and the glob's own characters. */
static bool is_audience_char(char c) { return is_name_char(c) || c == '/' || c == '@' || c == '*' || c == '?'; }
static bool is_file_name_char(char c) { return c >= ' ' && c < 0x7f && c != '/'; }

static bool all_zero(const void *data, size_t length) {
  const uint8_t *byte = data;
  while (length > 0 && *byte == 0) {
    byte++;
    length--;
  }
  return length == 0;
}

/* Not empty, of the given characters only, NUL-terminated and zero to its end. */
static bool text_field_ok(const char *field, size_t size, bool (*ok)(char c)) {
  size_t length = strnlen(field, size);
  if (length == 0 || length == size) return false;
  for (size_t i = 0; i < length; i++)
    if (!ok(field[i])) return false;
  return all_zero(field + length, size - length);
}

static int bad(struct report *report, const char *what) {
  return report_error(report, ERROR_INVALID, "bundle: %s; the tool that made it is at fault", what);
}

static int parse_meta(struct bundle *bundle, struct slice payload, struct report *report) {
  struct bundle_meta_wire wire;
  if (payload.length != sizeof(wire)) return bad(report, "section META has the wrong length");
  memcpy(&wire, payload.data, sizeof(wire));
  if (!text_field_ok(wire.name, sizeof(wire.name), is_name_char))
    return report_error(report, ERROR_INVALID, "bundle: program name is not of the form [A-Za-z0-9_.-]+");
  if (!text_field_ok(wire.section, sizeof(wire.section), is_printable))
    return bad(report, "ELF section name is malformed");
  if (!text_field_ok(wire.audience, sizeof(wire.audience), is_audience_char))
    return report_error(report, ERROR_INVALID, "bundle: audience is not a pattern over element names");
  if (wire.version == 0) return bad(report, "version is 0; versions start at 1");
  if (wire.kind != BPF_PROGRAM_XDP && wire.kind != BPF_PROGRAM_TC)
    return report_error(report, ERROR_UNSUPPORTED, "bundle: kind of program %u is not offered", wire.kind);
  if (wire.zero != 0) return bad(report, "a reserved field of META is not zero");
  bundle->meta.kind = (enum bpf_program_kind)wire.kind;
  bundle->meta.version = wire.version;
  memcpy(bundle->meta.name, wire.name, sizeof(wire.name));
  memcpy(bundle->meta.section, wire.section, sizeof(wire.section));
  memcpy(bundle->meta.audience, wire.audience, sizeof(wire.audience));
  return 0;
}

static int parse_maps(struct bundle *bundle, struct slice payload, struct report *report) {
  struct bundle_map_wire wire;
  if (payload.length == 0 || payload.length % sizeof(wire) != 0)
    return bad(report, "section MAPS has the wrong length");
  if (payload.length / sizeof(wire) > BPF_MAX_MAPS)
    return report_error(report, ERROR_TOO_BIG, "bundle: %zu maps; the limit is %u", payload.length / sizeof(wire),
                        (unsigned)BPF_MAX_MAPS);
  uint32_t count = (uint32_t)(payload.length / sizeof(wire));
  for (uint32_t i = 0; i < count; i++) {
    struct bpf_map_def *def = &bundle->maps[i];
    memcpy(&wire, payload.data + i * sizeof(wire), sizeof(wire));
    if (!text_field_ok(wire.name, sizeof(wire.name), is_name_char))
      return bad(report, "a map name is not of the form [A-Za-z0-9_.-]+");
    if (wire.zero != 0) return bad(report, "a reserved field of a map is not zero");
    memcpy(def->name, wire.name, sizeof(def->name));
    def->type = wire.type;
    def->key_size = wire.key_size;
    def->value_size = wire.value_size;
    def->max_entries = wire.max_entries;
    def->flags = wire.flags;
    def->spin_lock = wire.spin_lock;
    def->timer = wire.timer;
    def->extra = wire.extra;
    def->inner = wire.inner;
    for (uint32_t other = 0; other < i; other++)
      if (strcmp(bundle->maps[other].name, def->name) == 0)
        return report_error(report, ERROR_INVALID, "bundle: two maps have the name %s", def->name);
    const char *why;
    int error = bpf_map_judge(def, &why);
    if (error)
      return report_error(report, (enum error) - error, "bundle: map %s of type %u: %s", def->name, def->type, why);
  }
  bundle->map_count = count;
  return 0;
}

static int parse_insns(struct bundle *bundle, struct slice payload, struct report *report) {
  size_t count = payload.length / sizeof(struct bpf_insn);
  if (payload.length == 0 || payload.length % sizeof(struct bpf_insn) != 0)
    return bad(report, "section INSNS has the wrong length");
  if (count > BPF_MAX_INSNS)
    return report_error(report, ERROR_TOO_BIG, "bundle: %zu instructions; the limit is %u", count,
                        (unsigned)BPF_MAX_INSNS);
  bundle->insns = (const struct bpf_insn *)(const void *)payload.data;
  bundle->insn_count = (uint32_t)count;
  bundle->programs[0].count = (uint32_t)count;
  bundle->program_count = 1;
  return 0;
}

/* The entry ends where the first of these starts. */
static int parse_programs(struct bundle *bundle, struct slice payload, struct report *report) {
  struct bundle_program_wire wire;
  size_t count = payload.length / sizeof(wire);
  if (count == 0 || payload.length % sizeof(wire) != 0) return bad(report, "section PROGRAMS has the wrong length");
  if (count >= BUNDLE_MAX_PROGRAMS)
    return report_error(report, ERROR_TOO_BIG, "bundle: %zu programs; the limit is %u", count + 1,
                        (unsigned)BUNDLE_MAX_PROGRAMS);
  for (size_t i = 0; i < count; i++) {
    memcpy(&wire, payload.data + i * sizeof(wire), sizeof(wire));
    struct bundle_program *before = &bundle->programs[bundle->program_count - 1];
    if (!text_field_ok(wire.function, sizeof(wire.function), is_name_char))
      return bad(report, "a function's name is not of the form [A-Za-z0-9_.-]+");
    if (wire.zero != 0) return bad(report, "a reserved field of a program is not zero");
    if (wire.start <= before->start || wire.start >= bundle->insn_count)
      return bad(report, "section PROGRAMS is not in ascending order of instructions");
    before->count = wire.start - before->start;
    struct bundle_program *program = &bundle->programs[bundle->program_count++];
    memcpy(program->function, wire.function, sizeof(program->function));
    program->start = wire.start;
    program->count = bundle->insn_count - wire.start;
  }
  return 0;
}

struct bundle_entry bundle_entry_at(const struct bundle *bundle, uint32_t index) {
  struct bundle_entry_wire wire;
  memcpy(&wire, bundle->entries.data + index * sizeof(wire), sizeof(wire));
  return (struct bundle_entry){wire.map, wire.index, wire.target};
}

static int parse_entries(struct bundle *bundle, struct slice payload, struct report *report) {
  struct bundle_entry_wire wire;
  size_t count = payload.length / sizeof(wire);
  uint64_t previous = 0;
  if (count == 0 || payload.length % sizeof(wire) != 0) return bad(report, "section ENTRIES has the wrong length");
  if (count > BUNDLE_MAX_ENTRIES)
    return report_error(report, ERROR_TOO_BIG, "bundle: %zu initial entries of maps; the limit is %u", count,
                        (unsigned)BUNDLE_MAX_ENTRIES);
  for (size_t i = 0; i < count; i++) {
    memcpy(&wire, payload.data + i * sizeof(wire), sizeof(wire));
    uint64_t place = (uint64_t)wire.map << 32 | wire.index;
    if (wire.zero != 0) return bad(report, "a reserved field of an entry is not zero");
    if (i > 0 && place <= previous) return bad(report, "section ENTRIES is not in ascending order");
    if (wire.map >= bundle->map_count) return bad(report, "section ENTRIES names a map that is not there");
    const struct bpf_map_def *def = &bundle->maps[wire.map];
    bool programs = def->type == BPF_MAP_TYPE_PROG_ARRAY;
    if (!programs && !bpf_map_is_of_maps(def->type))
      return report_error(report, ERROR_INVALID, "bundle: map %s can hold neither programs nor maps", def->name);
    if (wire.index >= def->max_entries || wire.target >= (programs ? bundle->program_count : bundle->map_count))
      return report_error(report, ERROR_INVALID, "bundle: entry %u of map %s is out of range", wire.index, def->name);
    previous = place;
  }
  bundle->entries = payload;
  bundle->entry_count = (uint32_t)count;
  return 0;
}

static int parse_data(struct bundle *bundle, struct slice payload, struct report *report) {
  struct bundle_data_wire wire;
  if (payload.length < sizeof(wire)) return bad(report, "section DATA has the wrong length");
  memcpy(&wire, payload.data, sizeof(wire));
  if (wire.zero != 0) return bad(report, "a reserved field of a DATA section is not zero");
  if (wire.map >= bundle->map_count) return bad(report, "a DATA section names a map that is not there");
  const struct bpf_map_def *def = &bundle->maps[wire.map];
  if (def->type != BPF_MAP_TYPE_ARRAY)
    return report_error(report, ERROR_INVALID, "bundle: map %s has an initial value, which only array maps can have",
                        def->name);
  if (payload.length - sizeof(wire) != def->value_size)
    return report_error(report, ERROR_INVALID, "bundle: initial value of map %s is %zu bytes long; its values have %u",
                        def->name, payload.length - sizeof(wire), def->value_size);
  for (uint32_t i = wire.map; i < bundle->map_count; i++)
    if (bundle->initial[i].length > 0) return bad(report, "DATA sections are not in ascending order of map");
  bundle->initial[wire.map] = (struct slice){payload.data + sizeof(wire), payload.length - sizeof(wire)};
  return 0;
}

static struct bundle_line_wire line_at(const struct bundle *bundle, uint32_t index) {
  struct bundle_line_wire line;
  memcpy(&line, bundle->lines.data + sizeof(struct bundle_lines_wire) + index * sizeof(line), sizeof(line));
  return line;
}

/* True if every file name in the string table is NUL-terminated, not empty, and of printable characters. */
static bool strings_ok(const char *strings, size_t length) {
  for (size_t i = 0; i < length; i++) {
    bool name_starts = i == 0 || strings[i - 1] == '\0';
    if (strings[i] == '\0' ? name_starts : !is_file_name_char(strings[i])) return false;
  }
  return length > 0 && strings[length - 1] == '\0';
}

static int parse_lines(struct bundle *bundle, struct slice payload, struct report *report) {
  struct bundle_lines_wire wire;
  if (payload.length < sizeof(wire)) return bad(report, "section LINES has the wrong length");
  memcpy(&wire, payload.data, sizeof(wire));
  uint64_t lines_length = (uint64_t)wire.line_count * sizeof(struct bundle_line_wire);
  if (wire.line_count == 0 || sizeof(wire) + lines_length + wire.strings_length != payload.length)
    return bad(report, "section LINES has the wrong length");
  const char *strings = payload.data + sizeof(wire) + lines_length;
  if (!strings_ok(strings, wire.strings_length)) return bad(report, "file names of section LINES are malformed");
  bundle->lines = payload;
  for (uint32_t i = 0; i < wire.line_count; i++) {
    struct bundle_line_wire line = line_at(bundle, i);
    if (line.insn >= bundle->insn_count || (i > 0 && line.insn <= line_at(bundle, i - 1).insn))
      return bad(report, "section LINES is not in ascending order of instructions");
    if (line.file >= wire.strings_length || (line.file > 0 && strings[line.file - 1] != '\0'))
      return bad(report, "section LINES names a file that is not there");
  }
  return 0;
}

/* The tables are used where they lie: all their fields are 4 bytes wide, and so is the alignment of every part. */
static int parse_types(struct bundle *bundle, struct slice payload, struct report *report) {
  struct bundle_types_wire wire;
  if (payload.length < sizeof(wire)) return bad(report, "section TYPES has the wrong length");
  memcpy(&wire, payload.data, sizeof(wire));
  uint64_t types = (uint64_t)wire.type_count * sizeof(struct bpf_type);
  uint64_t members = (uint64_t)wire.member_count * sizeof(struct bpf_type_member);
  uint64_t maps = bundle->map_count * sizeof(struct bundle_map_types);
  if (wire.zero != 0) return bad(report, "a reserved field of TYPES is not zero");
  if (wire.type_count == 0 || sizeof(wire) + types + members + maps + wire.names_length != payload.length)
    return bad(report, "section TYPES has the wrong length");
  const char *at = payload.data + sizeof(wire);
  bundle->types = (struct bpf_types){.types = (const struct bpf_type *)(const void *)at,
                                     .members = (const struct bpf_type_member *)(const void *)(at + types),
                                     .names = at + types + members + maps,
                                     .type_count = wire.type_count,
                                     .member_count = wire.member_count,
                                     .names_length = wire.names_length};
  memcpy(bundle->map_types, at + types + members, maps);
  for (uint32_t i = 0; i < bundle->map_count; i++) {
    const struct bundle_map_types *of = &bundle->map_types[i];
    if ((of->key >= wire.type_count && of->key != BPF_NO_TYPE) ||
        (of->value >= wire.type_count && of->value != BPF_NO_TYPE))
      return bad(report, "section TYPES names a type that is not there");
  }
  return bpf_types_check(&bundle->types, report);
}

/* What the bytes say is the proof checker's business, which needs more than the bundle. */
static int parse_proof(struct bundle *bundle, struct slice payload, struct report *report) {
  if (payload.length == 0) return bad(report, "section PROOF has the wrong length");
  bundle->proof = payload;
  return 0;
}

bool bundle_map_is_constant(const struct bundle *bundle, uint32_t map) {
  const struct bpf_map_def *def = &bundle->maps[map];
  return bundle->initial[map].length > 0 && def->max_entries == 1 && (def->flags & BPF_F_RDONLY_PROG) != 0;
}

/* Where it lies: in what its programs can only read, and behind the tunable before it. */
static int check_tunable_place(const struct bundle *bundle, const struct bundle_tunable *t, struct report *report) {
  const struct bundle_tunable *before = bundle->tunable_count > 0 ? t - 1 : NULL;
  if (t->map >= bundle->map_count) return bad(report, "section TUNABLES names a map that is not there");
  const struct bpf_map_def *def = &bundle->maps[t->map];
  if (!bundle_map_is_constant(bundle, t->map))
    return report_error(report, ERROR_INVALID, "bundle: tunable %s is in map %s, which holds no constants", t->name,
                        def->name);
  if (!tunable_size_ok(t->size) || t->offset % t->size != 0 || t->offset > def->value_size ||
      t->size > def->value_size - t->offset)
    return report_error(report, ERROR_INVALID, "bundle: tunable %s cannot be %u bytes at %u of map %s", t->name,
                        t->size, t->offset, def->name);
  if (before && (before->map > t->map || (before->map == t->map && before->offset + before->size > t->offset)))
    return bad(report, "section TUNABLES is not in ascending order of places");
  return 0;
}

static int parse_tunables(struct bundle *bundle, struct slice payload, struct report *report) {
  struct bundle_tunable_wire wire;
  const size_t count = payload.length / sizeof(wire);
  if (count == 0 || payload.length % sizeof(wire) != 0) return bad(report, "section TUNABLES has the wrong length");
  if (count > BUNDLE_MAX_TUNABLES)
    return report_error(report, ERROR_TOO_BIG, "bundle: %zu tunables; the limit is %u", count,
                        (unsigned)BUNDLE_MAX_TUNABLES);
  for (size_t i = 0; i < count; i++) {
    struct bundle_tunable *t = &bundle->tunables[i];
    memcpy(&wire, payload.data + i * sizeof(wire), sizeof(wire));
    if (!text_field_ok(wire.name, sizeof(wire.name), is_name_char))
      return bad(report, "a tunable's name is not of the form [A-Za-z0-9_.-]+");
    if (tunable_find(bundle, slice_of(wire.name)))
      return report_error(report, ERROR_INVALID, "bundle: two tunables have the name %s", wire.name);
    *t = (struct bundle_tunable){.map = wire.map,
                                 .offset = wire.offset,
                                 .size = wire.size,
                                 .is_signed = wire.is_signed == 1,
                                 .least = wire.least,
                                 .most = wire.most};
    memcpy(t->name, wire.name, sizeof(t->name));
    int error = check_tunable_place(bundle, t, report);
    if (error) return error;
    if (wire.is_signed > 1 || !tunable_fits(t->least, t->size, t->is_signed) ||
        !tunable_fits(t->most, t->size, t->is_signed) || !tunable_ordered(t->least, t->most, t->is_signed))
      return report_error(report, ERROR_INVALID, "bundle: tunable %s has a range that cannot be", t->name);
    if (!tunable_allows(t, tunable_load(t, bundle->initial[t->map].data)))
      return report_error(report, ERROR_INVALID, "bundle: tunable %s has an initial value outside its range", t->name);
    bundle->tunable_count++;
  }
  return 0;
}

static int check_hash(struct bundle *bundle, struct slice payload, const uint8_t *sections, size_t length,
                      struct report *report) {
  uint8_t digest[SHA512_SIZE];
  if (payload.length != BUNDLE_HASH_SIZE) return bad(report, "section HASH has the wrong length");
  sha512(digest, sections, length);
  if (memcmp(digest, payload.data, BUNDLE_HASH_SIZE) != 0) return bad(report, "content hash is wrong");
  memcpy(bundle->hash, payload.data, BUNDLE_HASH_SIZE);
  return 0;
}

int bundle_parse(const uint8_t *bytes, size_t length, struct bundle *bundle, struct report *report) {
  int error = check_header(bytes, length, report);
  if (error) return error;
  if ((uintptr_t)bytes % 8 != 0) return report_error(report, ERROR_INVALID, "bundle: bytes are not aligned to 8");
  memset(bundle, 0, sizeof(*bundle));
  memset(bundle->map_types, 0xff, sizeof(bundle->map_types)); /* BPF_NO_TYPE */
  memcpy(bundle->key_id, bytes + KEY_ID_OFFSET, sizeof(bundle->key_id));
  bundle->size = (uint32_t)length;

  /* at and end stay multiples of 8, so a section header is there whenever at < end. */
  size_t at = BUNDLE_HEADER_SIZE, end = length - BUNDLE_SIGNATURE_SIZE;
  uint32_t previous = 0;
  while (at < end) {
    struct bundle_section_wire wire;
    memcpy(&wire, bytes + at, sizeof(wire));
    size_t payload_at = at + sizeof(wire), room = end - payload_at;
    if (wire.length > room)
      return report_error(report, ERROR_TRUNCATED, "bundle: section at offset %zu is longer than the bundle", at);
    size_t padded = align_up(wire.length, 8);
    if (!all_zero(bytes + payload_at + wire.length, padded - wire.length)) return bad(report, "padding is not zero");
    if (wire.type < previous || (wire.type == previous && wire.type != BUNDLE_SECTION_DATA))
      return bad(report, "a section stands twice or in the wrong place");
    bool first = previous == 0, code_seen = previous >= BUNDLE_SECTION_INSNS;
    if (first && wire.type != BUNDLE_SECTION_META) return bad(report, "section META is missing");
    if (wire.type > BUNDLE_SECTION_INSNS && wire.type <= BUNDLE_SECTION_HASH && !code_seen)
      return bad(report, "section INSNS is missing");

    struct slice payload = {(const char *)bytes + payload_at, wire.length};
    switch (wire.type) {
      case BUNDLE_SECTION_META:
        error = parse_meta(bundle, payload, report);
        break;
      case BUNDLE_SECTION_MAPS:
        error = parse_maps(bundle, payload, report);
        break;
      case BUNDLE_SECTION_INSNS:
        error = parse_insns(bundle, payload, report);
        break;
      case BUNDLE_SECTION_DATA:
        error = parse_data(bundle, payload, report);
        break;
      case BUNDLE_SECTION_LINES:
        error = parse_lines(bundle, payload, report);
        break;
      case BUNDLE_SECTION_PROGRAMS:
        error = parse_programs(bundle, payload, report);
        break;
      case BUNDLE_SECTION_ENTRIES:
        error = parse_entries(bundle, payload, report);
        break;
      case BUNDLE_SECTION_TYPES:
        error = parse_types(bundle, payload, report);
        break;
      case BUNDLE_SECTION_TUNABLES:
        error = parse_tunables(bundle, payload, report);
        break;
      case BUNDLE_SECTION_PROOF:
        error = parse_proof(bundle, payload, report);
        break;
      case BUNDLE_SECTION_HASH:
        error = check_hash(bundle, payload, bytes + BUNDLE_HEADER_SIZE, at - BUNDLE_HEADER_SIZE, report);
        break;
      default:
        /* Not skipped: a section that this reader doesn't know may restrict what the program is for. */
        error = report_error(report, ERROR_INVALID,
                             "bundle: section type %u is unknown; a newer system made this bundle", wire.type);
    }
    if (error) return error;
    previous = wire.type;
    at = payload_at + padded;
  }
  if (previous != BUNDLE_SECTION_HASH) return bad(report, "section HASH is missing");
  return 0;
}

bool bundle_source_line(const struct bundle *bundle, uint32_t insn, char *buffer, size_t size) {
  if (bundle->lines.length == 0 || insn >= bundle->insn_count) return false;
  struct bundle_lines_wire wire;
  memcpy(&wire, bundle->lines.data, sizeof(wire));
  uint32_t low = 0, high = wire.line_count; /* lines below low start at or before insn, from high on after it */
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (line_at(bundle, middle).insn <= insn)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0) return false;
  struct bundle_line_wire line = line_at(bundle, low - 1);
  const char *strings = bundle->lines.data + sizeof(wire) + wire.line_count * sizeof(line);
  format_text(buffer, size, "%s:%u", strings + line.file, line.line);
  return true;
}
