/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tests of the bundle reader and writer. Bad bundles are made from a good one and given a right hash again, so that each is bad
 * in one way only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "bpf/context.h"
#include "bundle/proof_input.h"
#include "bundle/signature.h"
#include "bundle/tunable.h"
#include "bundle/wire.h"
#include "bundle/writer.h"
#include "lib/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint8_t secret[BUNDLE_SECRET_KEY_SIZE];
static struct bundle_key key = {.name = "test"};
static struct text good;

static const struct bpf_insn insns[] = {
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
    {.code = BPF_ALU64 | BPF_ADD | BPF_K, .imm = 0},
    {.code = BPF_JMP | BPF_EXIT},
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_DROP}, /* the program that is tail called */
    {.code = BPF_JMP | BPF_EXIT},
};
enum { TAIL = 3 };
static const struct bundle_program programs[] = {{"", 0, TAIL}, {"tail", TAIL, COUNT(insns) - TAIL}};
static const struct bundle_entry entries[] = {{3, 2, 1}, {3, 0, 0}};
static const struct bpf_map_def maps[] = {
    {"flows", BPF_MAP_TYPE_HASH, 8, 16, 1024, BPF_F_NO_PREALLOC},
    {"settings.rodata", BPF_MAP_TYPE_ARRAY, 4, 12, 1, BPF_F_RDONLY_PROG},
    {"settings.data", BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0},
    {"tails", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 3, 0},
    {"shapes", BPF_MAP_TYPE_HASH_OF_MAPS, 4, 4, 8, 0, .inner = {BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY_PROG}},
    {"locked", BPF_MAP_TYPE_ARRAY, 4, 32, 2, 0, .spin_lock = 1 + 4, .timer = 1 + 8},
};
static const struct slice initial[] = {{NULL, 0}, {"twelve bytes", 12}, {"eight by", 8}, {NULL, 0}, {NULL, 0},
                                       {NULL, 0}};
static const struct bundle_line lines[] = {{0, 41, "fw.bpf.c"}, {2, 43, "counters.h"}};

/* An enum, and a struct of a number and that enum. */
static const struct bpf_type types[] = {
    {BPF_TYPE_ENUM, {0}, 4, 0, 1}, {BPF_TYPE_UNSIGNED, {0}, 4, 0, 0}, {BPF_TYPE_STRUCT, {0}, 8, 1, 2}};
static const struct bpf_type_member members[] = {{1, 0, 7, 0}, {5, 1, 0, 0}, {7, 0, 32, 0}};
static const char names[] = "\0RED\0n\0c"; /* the last NUL is the literal's */
static const struct bundle_map_types map_types[COUNT(maps)] = {
    {2, BPF_NO_TYPE}, {BPF_NO_TYPE, BPF_NO_TYPE}, {1, 2}, {1, 1}, {1, 1}, {1, 0}};

/* "twel" is 1818589044 in the memory of a little-endian machine, " b" 25120. */
static const struct bundle_tunable tunables[] = {
    {"bias", 1, 6, 2, true, (uint64_t)-5, 30000},
    {"rate", 1, 0, 4, false, 1, 2000000000},
};

static struct bundle_description description(void) {
  return (struct bundle_description){
      .meta = {.name = "fw", .version = 7, .audience = "fw*", .section = "xdp"},
      .insns = insns,
      .insn_count = COUNT(insns),
      .programs = programs,
      .program_count = COUNT(programs),
      .entries = entries,
      .entry_count = COUNT(entries),
      .maps = maps,
      .initial = initial,
      .map_count = COUNT(maps),
      .lines = lines,
      .line_count = COUNT(lines),
      .types = {types, members, names, COUNT(types), COUNT(members), sizeof(names)},
      .map_types = map_types,
      .tunables = tunables,
      .tunable_count = COUNT(tunables),
      .proof = {"proof", 5},
  };
}

static int set_up(void **state) {
  uint8_t seed[crypto_sign_ed25519_SEEDBYTES] = {1, 2, 3};
  crypto_sign_ed25519_seed_keypair(key.public_key, secret, seed);
  bundle_key_identify(&key);
  struct bundle_description d = description();
  return bundle_write(&d, secret, &good, NULL);
}

static int tear_down(void **state) {
  text_free(&good);
  return 0;
}

/* --- bundles made of parts of the good one --- */

/* Aligned copy of exactly this length, so that sanitizers see a read past the end. */
static uint8_t *copy_of(const void *bytes, size_t length) {
  uint8_t *copy = memory_alloc(length);
  assert_non_null(copy);
  memcpy(copy, bytes, length);
  return copy;
}

/* Offset of the n-th section of a type in the good bundle. */
static size_t section_at(uint32_t type, unsigned n) {
  struct bundle_section_wire wire;
  size_t at = BUNDLE_HEADER_SIZE;
  for (;;) {
    assert_true(at < good.length - BUNDLE_SIGNATURE_SIZE);
    memcpy(&wire, good.data + at, sizeof(wire));
    if (wire.type == type && n-- == 0) return at;
    at += sizeof(wire) + (wire.length + 7) / 8 * 8;
  }
}

static size_t section_size(uint32_t type, unsigned n) {
  struct bundle_section_wire wire;
  memcpy(&wire, good.data + section_at(type, n), sizeof(wire));
  return sizeof(wire) + (wire.length + 7) / 8 * 8;
}

static void seal(uint8_t *bytes, size_t length) {
  size_t end = length - BUNDLE_SIGNATURE_SIZE, hash = end - BUNDLE_HASH_SIZE - sizeof(struct bundle_section_wire);
  uint8_t digest[64];
  sha512(digest, bytes + BUNDLE_HEADER_SIZE, hash - BUNDLE_HEADER_SIZE);
  memcpy(bytes + end - BUNDLE_HASH_SIZE, digest, BUNDLE_HASH_SIZE);
  crypto_sign_ed25519_detached(bytes + end, NULL, bytes, end, secret);
}

/* Parses and expects the error (0: none) and that the report says so. */
static void expect_parse(const char *what, const uint8_t *bytes, size_t length, int error, const char *says) {
  struct report report = {0};
  struct bundle *bundle = memory_alloc(sizeof(*bundle));
  int result = bundle_parse(bytes, length, bundle, &report);
  if (result != -error || report.errors != (error != 0) || (says && !strstr(text_string(&report.text), says)))
    fail_msg("%s: got %d (%s), expected %d with \"%s\"", what, result, text_string(&report.text), -error,
             says ? says : "");
  report_free(&report);
  memory_free(bundle);
}

/* The good bundle gives back what was written. */
static void reads_what_was_written(void **state) {
  const struct bundle_key *signer = NULL;
  uint8_t *bytes = copy_of(good.data, good.length);
  struct bundle *bundle = memory_alloc(sizeof(*bundle));
  assert_int_equal(bundle_verify(bytes, good.length, &key, 1, &signer, NULL), 0);
  assert_ptr_equal(signer, &key);
  assert_int_equal(bundle_parse(bytes, good.length, bundle, NULL), 0);
  assert_string_equal(bundle->meta.name, "fw");
  assert_string_equal(bundle->meta.section, "xdp");
  assert_string_equal(bundle->meta.audience, "fw*");
  assert_int_equal(bundle->meta.version, 7);
  assert_memory_equal(bundle->key_id, key.id, sizeof(key.id));
  assert_int_equal(bundle->size, good.length);
  assert_int_equal(bundle->insn_count, COUNT(insns));
  assert_memory_equal(bundle->insns, insns, sizeof(insns));
  assert_int_equal(bundle->meta.kind, BPF_PROGRAM_XDP);
  assert_int_equal(bundle->program_count, COUNT(programs));
  assert_memory_equal(bundle->programs, programs, sizeof(programs));
  assert_int_equal(bundle->entry_count, COUNT(entries));
  for (uint32_t i = 0; i < COUNT(entries); i++) { /* in order of index */
    const struct bundle_entry entry = bundle_entry_at(bundle, i);
    assert_memory_equal(&entry, &entries[COUNT(entries) - 1 - i], sizeof(entry));
  }
  assert_int_equal(bundle->types.type_count, COUNT(types));
  assert_memory_equal(bundle->types.types, types, sizeof(types));
  assert_memory_equal(bundle->types.members, members, sizeof(members));
  assert_memory_equal(bundle->types.names, names, sizeof(names));
  assert_memory_equal(bundle->map_types, map_types, sizeof(map_types));
  assert_int_equal(bundle->tunable_count, COUNT(tunables));
  for (uint32_t i = 0; i < COUNT(tunables); i++) { /* in order of place */
    const struct bundle_tunable *wrote = &tunables[COUNT(tunables) - 1 - i], *read = &bundle->tunables[i];
    assert_string_equal(read->name, wrote->name);
    assert_int_equal(read->map, wrote->map);
    assert_int_equal(read->offset, wrote->offset);
    assert_int_equal(read->size, wrote->size);
    assert_int_equal(read->is_signed, wrote->is_signed);
    assert_int_equal(read->least, wrote->least);
    assert_int_equal(read->most, wrote->most);
  }
  assert_int_equal(tunable_load(&bundle->tunables[0], bundle->initial[1].data), 1818589044);
  assert_int_equal(tunable_load(&bundle->tunables[1], bundle->initial[1].data), 25120);
  assert_int_equal(bundle->proof.length, 5);
  assert_memory_equal(bundle->proof.data, "proof", 5);
  assert_int_equal(bundle->map_count, COUNT(maps));
  assert_memory_equal(bundle->maps, maps, sizeof(maps));
  for (size_t i = 0; i < COUNT(maps); i++) {
    assert_int_equal(bundle->initial[i].length, initial[i].length);
    if (initial[i].length > 0) assert_memory_equal(bundle->initial[i].data, initial[i].data, initial[i].length);
  }
  memory_free(bundle);
  memory_free(bytes);
}

/* The same description and key give the same bytes. */
static void writing_is_deterministic(void **state) {
  struct text again = {0};
  struct bundle_description d = description();
  assert_int_equal(bundle_write(&d, secret, &again, NULL), 0);
  assert_int_equal(again.length, good.length);
  assert_memory_equal(again.data, good.data, good.length);
  text_free(&again);
}

/* No bundle with any single bit flipped is accepted. */
static void every_bit_flip_is_refused(void **state) {
  const struct bundle_key *signer = NULL;
  uint8_t *bytes = copy_of(good.data, good.length);
  for (size_t bit = 0; bit < good.length * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    if (bundle_verify(bytes, good.length, &key, 1, &signer, NULL) == 0) fail_msg("bit %zu flipped is accepted", bit);
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  assert_null(signer);
  memory_free(bytes);
}

/* No beginning of a bundle is accepted, and none is read past its end. */
static void every_truncation_is_refused(void **state) {
  const struct bundle_key *signer = NULL;
  for (size_t length = 1; length < good.length; length++) {
    uint8_t *bytes = copy_of(good.data, length);
    assert_int_equal(bundle_verify(bytes, length, &key, 1, &signer, NULL), -ERROR_TRUNCATED);
    memory_free(bytes);
  }
  assert_int_equal(bundle_verify((const uint8_t *)good.data, 0, &key, 1, &signer, NULL), -ERROR_TRUNCATED);
}

/* Before the signature holds, a wrong header, an unknown key and a wrong signature are told apart. */
static void verification_says_what_is_wrong(void **state) {
  static const struct {
    const char *what;
    size_t offset;
    uint32_t value;
    int error;
    const char *says;
  } cases[] = {
      {"magic", 0, 0x464c457f, ERROR_INVALID, "not a bundle"},
      {"format version of old", 8, 1, ERROR_INVALID, "format version 1"},
      {"format version", 8, 3, ERROR_INVALID, "format version 3"},
      {"length below the minimum", 12, 88, ERROR_INVALID, "length field"},
      {"length zero", 12, 0, ERROR_INVALID, "length field"},
      {"length not a multiple of 8", 12, 100, ERROR_INVALID, "length field"},
      {"length over the limit", 12, BUNDLE_MAX_SIZE + 8, ERROR_TOO_BIG, "limit"},
      {"length of all ones", 12, UINT32_MAX, ERROR_TOO_BIG, "limit"},
      {"length past the end", 12, BUNDLE_MAX_SIZE, ERROR_TRUNCATED, "ends after"},
      {"trailing bytes", 12, 96, ERROR_INVALID, "follow its end"},
      {"key id", 16, 0x11223344, ERROR_KEY, "unknown key 44332211"},
      {"content", 48, 0x11223344, ERROR_SIGNATURE, "signature by key test is wrong"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct report report = {0};
    const struct bundle_key *signer = NULL;
    uint8_t *bytes = copy_of(good.data, good.length);
    memcpy(bytes + cases[i].offset, &cases[i].value, 4);
    int result = bundle_verify(bytes, good.length, &key, 1, &signer, &report);
    if (result != -cases[i].error || !strstr(text_string(&report.text), cases[i].says) || signer)
      fail_msg("%s: %d %s", cases[i].what, result, text_string(&report.text));
    report_free(&report);
    memory_free(bytes);
  }
}

/* The key is chosen by its id among several, and no key at all verifies nothing. */
static void key_is_found_by_id(void **state) {
  struct bundle_key keys[3] = {{.public_key = {9}, .name = "a"}, {.public_key = {8}, .name = "b"}, key};
  const struct bundle_key *signer = NULL;
  bundle_key_identify(&keys[0]);
  bundle_key_identify(&keys[1]);
  assert_int_equal(bundle_verify((uint8_t *)good.data, good.length, keys, 3, &signer, NULL), 0);
  assert_ptr_equal(signer, &keys[2]);
  assert_int_equal(bundle_verify((uint8_t *)good.data, good.length, keys, 2, &signer, NULL), -ERROR_KEY);
  assert_int_equal(bundle_verify((uint8_t *)good.data, good.length, NULL, 0, &signer, NULL), -ERROR_KEY);
}

/* The checker is asked about the bundle's own instructions; only what programs cannot write counts as constant. */
static void proof_checker_is_asked_about_the_bundle(void **state) {
  uint8_t *bytes = copy_of(good.data, good.length);
  struct bundle *bundle = memory_alloc(sizeof(*bundle));
  struct bundle_proof_input *in = memory_alloc(sizeof(*in));
  assert_int_equal(bundle_parse(bytes, good.length, bundle, NULL), 0);
  bundle_proof_input(bundle, 1234, in);
  assert_ptr_equal(in->input.insns, bundle->insns);
  assert_int_equal(in->input.insn_count, COUNT(insns));
  assert_int_equal(in->input.max_insns, 1234);
  assert_int_equal(in->input.program_count, 2);
  assert_int_equal(in->programs[1].start, TAIL);
  assert_int_equal(in->programs[1].count, COUNT(insns) - TAIL);
  assert_int_equal(in->input.map_count, COUNT(maps));
  for (size_t i = 0; i < COUNT(maps); i++) {
    assert_ptr_equal(in->maps[i].def, &bundle->maps[i]);
    assert_ptr_equal(in->maps[i].constant, i == 1 ? bundle->initial[1].data : NULL);
  }
  assert_int_equal(in->input.target_count, COUNT(entries));
  for (uint32_t i = 0; i < COUNT(entries); i++) { /* in order of index */
    assert_int_equal(in->targets[i].map, 3);
    assert_int_equal(in->targets[i].program, i);
  }
  assert_int_equal(in->input.tunable_count, COUNT(tunables));
  assert_int_equal(in->tunables[0].offset, bundle->tunables[0].offset);
  assert_int_equal(in->tunables[0].low, bundle->tunables[0].least);
  assert_int_equal(in->tunables[0].high, bundle->tunables[0].most);
  struct proof_verdict verdict;
  struct bpf_fact *facts;
  assert_int_equal(bundle_check_proof(&in->input, bundle->proof, &facts, &verdict), -ERROR_INVALID);
  assert_int_equal(verdict.failure.kind, PROOF_BAD_PROOF);
  assert_null(facts);
  memory_free(in);
  memory_free(bundle);
  memory_free(bytes);
}

/* --- malformed sections --- */

/* Every field of every section with a value it must not have is refused. Offsets count from the section's own header. */
static void malformed_fields_are_refused(void **state) {
  enum {
    META = BUNDLE_SECTION_META,
    MAPS,
    INSNS,
    DATA,
    LINES,
    PROGRAMS,
    ENTRIES,
    TYPES,
    TUNABLES,
    PROOF,
    HASH = BUNDLE_SECTION_HASH
  };
  enum {
    PLACE = 8 + 64,
    NEXT = sizeof(struct bundle_tunable_wire)
  }; /* of a tunable: map, offset, size, sign, bounds */
  enum { MAP_TYPE = 8 + 64, MAP = sizeof(struct bundle_map_wire), LINE = 8 + 8 };
  static const struct {
    const char *what;
    uint32_t type, nth, offset, width;
    uint32_t value;
    int error;
    const char *says;
  } cases[] = {
      {"type 0", META, 0, 0, 4, 0, ERROR_INVALID, "wrong place"},
      {"unknown type", HASH, 0, 0, 4, 200, ERROR_INVALID, "type 200 is unknown"},
      {"unknown type of all ones", HASH, 0, 0, 4, UINT32_MAX, ERROR_INVALID, "unknown"},
      {"length past the end", INSNS, 0, 4, 4, 1u << 20, ERROR_TRUNCATED, "longer than the bundle"},
      {"length of all ones", INSNS, 0, 4, 4, UINT32_MAX, ERROR_TRUNCATED, "longer than the bundle"},
      {"length that wraps when padded", META, 0, 4, 4, UINT32_MAX - 6, ERROR_TRUNCATED, "longer than the bundle"},
      {"META too short", META, 0, 4, 4, 256, ERROR_INVALID, "META"},
      {"META empty", META, 0, 4, 4, 0, ERROR_INVALID, "META"},
      {"version 0", META, 0, 8, 4, 0, ERROR_INVALID, "versions start at 1"},
      {"name empty", META, 0, 16, 1, 0, ERROR_INVALID, "program name"},
      {"name with a slash", META, 0, 16, 1, '/', ERROR_INVALID, "program name"},
      {"name with a space", META, 0, 17, 1, ' ', ERROR_INVALID, "program name"},
      {"name with a byte over 127", META, 0, 17, 1, 0xc3, ERROR_INVALID, "program name"},
      {"name with bytes after its end", META, 0, 16 + 63, 1, 'x', ERROR_INVALID, "program name"},
      {"section empty", META, 0, 80, 1, 0, ERROR_INVALID, "ELF section name"},
      {"section with a control character", META, 0, 80, 1, 7, ERROR_INVALID, "ELF section name"},
      {"audience empty", META, 0, 144, 1, 0, ERROR_INVALID, "audience"},
      {"audience with a bracket", META, 0, 144, 1, '[', ERROR_INVALID, "audience"},
      {"kind of program", META, 0, 8 + 264, 4, 2, ERROR_UNSUPPORTED, "kind of program 2"},
      {"reserved field of META", META, 0, 8 + 268, 4, 1, ERROR_INVALID, "reserved"},
      {"MAPS of half a map", MAPS, 0, 4, 4, 44, ERROR_INVALID, "MAPS"},
      {"MAPS empty", MAPS, 0, 4, 4, 0, ERROR_INVALID, "MAPS"},
      {"map name empty", MAPS, 0, 8, 1, 0, ERROR_INVALID, "map name"},
      {"map name with an escape", MAPS, 0, 8, 1, 27, ERROR_INVALID, "map name"},
      {"map type 0", MAPS, 0, MAP_TYPE, 4, 0, ERROR_UNSUPPORTED, "map flows of type 0"},
      {"map type of Linux, not offered", MAPS, 0, MAP_TYPE, 4, 17, ERROR_UNSUPPORTED, "xskmap"},
      {"key size 0", MAPS, 0, MAP_TYPE + 4, 4, 0, ERROR_INVALID, "key size"},
      {"key size over the limit", MAPS, 0, MAP_TYPE + 4, 4, BPF_MAP_MAX_KEY + 1, ERROR_TOO_BIG, "over the limit"},
      {"key size of an array", MAPS, 0, MAP + MAP_TYPE + 4, 4, 8, ERROR_INVALID, "not what its type wants"},
      {"value size 0", MAPS, 0, MAP_TYPE + 8, 4, 0, ERROR_INVALID, "value size"},
      {"value size over the limit", MAPS, 0, MAP_TYPE + 8, 4, BPF_MAP_MAX_VALUE + 1, ERROR_TOO_BIG, "over the limit"},
      {"no entries", MAPS, 0, MAP_TYPE + 12, 4, 0, ERROR_INVALID, "max_entries"},
      {"too many entries", MAPS, 0, MAP_TYPE + 12, 4, BPF_MAP_MAX_ENTRIES + 1, ERROR_TOO_BIG, "max_entries"},
      {"flag not understood", MAPS, 0, MAP_TYPE + 16, 4, 1u << 31, ERROR_UNSUPPORTED, "flag"},
      {"array without preallocation", MAPS, 0, MAP + MAP_TYPE + 16, 4, BPF_F_NO_PREALLOC, ERROR_UNSUPPORTED, "flag"},
      {"read-only and write-only", MAPS, 0, MAP_TYPE + 16, 4, BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG, ERROR_INVALID,
       "both read-only"},
      {"reserved field of a map", MAPS, 0, 8 + MAP - 4, 4, 1, ERROR_INVALID, "reserved"},
      {"INSNS of half an instruction", INSNS, 0, 4, 4, 12, ERROR_INVALID, "INSNS"},
      {"INSNS empty", INSNS, 0, 4, 4, 0, ERROR_INVALID, "INSNS"},
      {"DATA without map", DATA, 0, 4, 4, 4, ERROR_INVALID, "DATA"},
      {"DATA of a map that isn't there", DATA, 0, 8, 4, COUNT(maps), ERROR_INVALID, "not there"},
      {"DATA of a hash map", DATA, 0, 8, 4, 0, ERROR_INVALID, "map flows has an initial value"},
      {"DATA of the wrong length", DATA, 0, 8, 4, 2, ERROR_INVALID, "12 bytes long"},
      {"DATA reserved field", DATA, 0, 12, 4, 1, ERROR_INVALID, "reserved"},
      {"padding not zero", DATA, 0, 8 + 8 + 12 + 3, 1, 1, ERROR_INVALID, "padding"},
      {"LINES empty", LINES, 0, 4, 4, 0, ERROR_INVALID, "LINES"},
      {"no lines", LINES, 0, 8, 4, 0, ERROR_INVALID, "LINES"},
      {"more lines than bytes", LINES, 0, 8, 4, UINT32_MAX, ERROR_INVALID, "LINES"},
      {"longer names than bytes", LINES, 0, 12, 4, UINT32_MAX, ERROR_INVALID, "LINES"},
      {"lines out of order", LINES, 0, LINE, 4, 2, ERROR_INVALID, "ascending"},
      {"line of no instruction", LINES, 0, LINE + 12, 4, COUNT(insns), ERROR_INVALID, "ascending"},
      {"file outside the names", LINES, 0, LINE + 4, 4, 1000, ERROR_INVALID, "names a file"},
      {"file within a name", LINES, 0, LINE + 4, 4, 1, ERROR_INVALID, "names a file"},
      {"file name with a slash", LINES, 0, LINE + 24, 1, '/', ERROR_INVALID, "file names"},
      {"file name empty", LINES, 0, LINE + 24, 1, 0, ERROR_INVALID, "file names"},
      {"file name without end", LINES, 0, LINE + 24 + 9 + 10, 1, 'x', ERROR_INVALID, "file names"},
      {"PROGRAMS of half a program", PROGRAMS, 0, 4, 4, 36, ERROR_INVALID, "PROGRAMS"},
      {"PROGRAMS empty", PROGRAMS, 0, 4, 4, 0, ERROR_INVALID, "PROGRAMS"},
      {"function's name empty", PROGRAMS, 0, 8, 1, 0, ERROR_INVALID, "function's name"},
      {"program at the entry's start", PROGRAMS, 0, 8 + 64, 4, 0, ERROR_INVALID, "ascending"},
      {"program behind the end", PROGRAMS, 0, 8 + 64, 4, COUNT(insns), ERROR_INVALID, "ascending"},
      {"reserved field of a program", PROGRAMS, 0, 8 + 68, 4, 1, ERROR_INVALID, "reserved"},
      {"ENTRIES of half an entry", ENTRIES, 0, 4, 4, 24, ERROR_INVALID, "ENTRIES"},
      {"entry of no map", ENTRIES, 0, 8 + 16, 4, COUNT(maps), ERROR_INVALID, "not there"},
      {"entry of a hash", ENTRIES, 0, 8, 4, 0, ERROR_INVALID, "map flows can hold neither"},
      {"entry beyond the map", ENTRIES, 0, 8 + 16 + 4, 4, 3, ERROR_INVALID, "entry 3 of map tails"},
      {"entry of no program", ENTRIES, 0, 8 + 16 + 8, 4, COUNT(programs), ERROR_INVALID, "out of range"},
      {"entries out of order", ENTRIES, 0, 8 + 16 + 4, 4, 0, ERROR_INVALID, "ascending"},
      {"reserved field of an entry", ENTRIES, 0, 8 + 12, 4, 1, ERROR_INVALID, "reserved"},
      {"TYPES empty", TYPES, 0, 4, 4, 0, ERROR_INVALID, "TYPES"},
      {"no types", TYPES, 0, 8, 4, 0, ERROR_INVALID, "TYPES"},
      {"more types than bytes", TYPES, 0, 8, 4, UINT32_MAX, ERROR_INVALID, "TYPES"},
      {"more members than bytes", TYPES, 0, 12, 4, UINT32_MAX, ERROR_INVALID, "TYPES"},
      {"reserved field of TYPES", TYPES, 0, 20, 4, 1, ERROR_INVALID, "reserved"},
      {"type of unknown kind", TYPES, 0, 24, 1, 99, ERROR_INVALID, "unknown kind"},
      {"struct of itself", TYPES, 0, 24 + 3 * 16 + 16 + 4, 4, 2, ERROR_INVALID, "earlier type"},
      {"map of no type", TYPES, 0, 24 + 6 * 16, 4, COUNT(types), ERROR_INVALID, "names a type"},
      {"name without end", TYPES, 0, 24 + 6 * 16 + 6 * 8 + 8, 1, 'x', ERROR_INVALID, "end in a NUL"},
      {"TUNABLES of half a tunable", TUNABLES, 0, 4, 4, 48, ERROR_INVALID, "TUNABLES"},
      {"TUNABLES empty", TUNABLES, 0, 4, 4, 0, ERROR_INVALID, "TUNABLES"},
      {"tunable's name empty", TUNABLES, 0, 8, 1, 0, ERROR_INVALID, "tunable's name"},
      {"two tunables of one name", TUNABLES, 0, 8 + NEXT, 4, 0x65746172 /* "rate" */, ERROR_INVALID, "two tunables"},
      {"tunable of no map", TUNABLES, 0, PLACE, 4, COUNT(maps), ERROR_INVALID, "not there"},
      {"tunable of a hash", TUNABLES, 0, PLACE, 4, 0, ERROR_INVALID, "map flows, which holds no constants"},
      {"tunable of what programs write", TUNABLES, 0, PLACE, 4, 2, ERROR_INVALID, "map settings.data, which holds"},
      {"tunable without size", TUNABLES, 0, PLACE + 8, 4, 0, ERROR_INVALID, "cannot be 0 bytes at 0"},
      {"tunable of three bytes", TUNABLES, 0, PLACE + 8, 4, 3, ERROR_INVALID, "cannot be 3 bytes at 0"},
      {"tunable of all ones", TUNABLES, 0, PLACE + 8, 4, UINT32_MAX, ERROR_INVALID, "cannot be 4294967295 bytes"},
      {"tunable at an odd place", TUNABLES, 0, NEXT + PLACE + 4, 4, 5, ERROR_INVALID, "cannot be 2 bytes at 5"},
      {"tunable across the end", TUNABLES, 0, NEXT + PLACE + 4, 4, 12, ERROR_INVALID, "cannot be 2 bytes at 12"},
      {"tunable far behind the end", TUNABLES, 0, NEXT + PLACE + 4, 4, UINT32_MAX - 1, ERROR_INVALID,
       "cannot be 2 bytes"},
      {"tunables that overlap", TUNABLES, 0, NEXT + PLACE + 4, 4, 2, ERROR_INVALID, "ascending order of places"},
      {"sign that is neither 0 nor 1", TUNABLES, 0, PLACE + 12, 4, 2, ERROR_INVALID, "range that cannot be"},
      {"bound of too many bits", TUNABLES, 0, PLACE + 16 + 4, 4, 1, ERROR_INVALID, "range that cannot be"},
      {"signed bound of too many bits", TUNABLES, 0, NEXT + PLACE + 24, 4, 32768, ERROR_INVALID,
       "range that cannot be"},
      {"bound that is not sign-extended", TUNABLES, 0, NEXT + PLACE + 16 + 4, 4, 0, ERROR_INVALID,
       "range that cannot be"},
      {"range upside down", TUNABLES, 0, PLACE + 24, 4, 0, ERROR_INVALID, "range that cannot be"},
      {"initial value above the range", TUNABLES, 0, PLACE + 24, 4, 1818589043, ERROR_INVALID,
       "rate has an initial value"},
      {"initial value below the range", TUNABLES, 0, PLACE + 16, 4, 1818589045, ERROR_INVALID,
       "rate has an initial value"},
      {"PROOF empty", PROOF, 0, 4, 4, 0, ERROR_INVALID, "PROOF"},
      {"HASH too short", HASH, 0, 4, 4, 24, ERROR_INVALID, "HASH has the wrong length"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    uint8_t *bytes = copy_of(good.data, good.length);
    memcpy(bytes + section_at(cases[i].type, cases[i].nth) + cases[i].offset, &cases[i].value, cases[i].width);
    seal(bytes, good.length);
    expect_parse(cases[i].what, bytes, good.length, cases[i].error, cases[i].says);
    memory_free(bytes);
  }
}

/* The content hash covers every byte of the sections before it. */
static void wrong_hash_is_refused(void **state) {
  uint8_t *bytes = copy_of(good.data, good.length);
  bytes[section_at(BUNDLE_SECTION_INSNS, 0) + 8 + 4] ^= 1;
  expect_parse("instruction changed", bytes, good.length, ERROR_INVALID, "content hash");
  memory_free(bytes);
}

/* Sections missing, twice, or out of order are refused; the optional ones may be missing. */
static void section_order_is_fixed(void **state) {
  static const struct {
    const char *what, *sections; /* one digit per section; 'd' is the second DATA section, 'p' is PROOF, 'h' is HASH */
    int error;
    const char *says;
  } cases[] = {
      {"all", "1234d56789ph", 0, NULL},
      {"without tunables", "1234d5678ph", 0, NULL},
      {"without proof", "1234d56789h", 0, NULL},
      {"PROOF alone", "13ph", 0, NULL},
      {"PROOF twice", "13pph", ERROR_INVALID, "twice or in the wrong place"},
      {"PROOF before TYPES", "123p8h", ERROR_INVALID, "twice or in the wrong place"},
      {"TUNABLES twice", "1234d99h", ERROR_INVALID, "twice or in the wrong place"},
      {"tunables without initial values", "1239h", ERROR_INVALID, "holds no constants"},
      {"without types", "1234d567h", 0, NULL},
      {"TYPES twice", "123488h", ERROR_INVALID, "twice or in the wrong place"},
      {"only what must be there", "13h", 0, NULL},
      {"without initial values", "1235h", 0, NULL},
      {"without lines", "1234dh", 0, NULL},
      {"without entries", "1234d56h", 0, NULL},
      {"entries without programs", "1237h", ERROR_INVALID, "out of range"},
      {"programs before lines", "1234d65h", ERROR_INVALID, "twice or in the wrong place"},
      {"PROGRAMS twice", "12366h", ERROR_INVALID, "twice or in the wrong place"},
      {"empty", "", ERROR_INVALID, "HASH is missing"},
      {"no META", "234h", ERROR_INVALID, "META is missing"},
      {"no INSNS", "12h", ERROR_INVALID, "INSNS is missing"},
      {"no INSNS before DATA", "124h", ERROR_INVALID, "INSNS is missing"},
      {"no HASH", "1234", ERROR_INVALID, "HASH is missing"},
      {"META twice", "1123h", ERROR_INVALID, "twice or in the wrong place"},
      {"MAPS twice", "1223h", ERROR_INVALID, "twice or in the wrong place"},
      {"INSNS twice", "133h", ERROR_INVALID, "twice or in the wrong place"},
      {"LINES twice", "1355h", ERROR_INVALID, "twice or in the wrong place"},
      {"HASH twice", "13hh", ERROR_INVALID, "twice or in the wrong place"},
      {"HASH not last", "13h5", ERROR_INVALID, "twice or in the wrong place"},
      {"MAPS after INSNS", "132h", ERROR_INVALID, "twice or in the wrong place"},
      {"META not first", "312h", ERROR_INVALID, "META is missing"},
      {"DATA twice for one map", "12344h", ERROR_INVALID, "ascending order of map"},
      {"DATA out of order", "123d4h", ERROR_INVALID, "ascending order of map"},
      {"DATA without MAPS", "134h", ERROR_INVALID, "not there"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct text t = {0};
    text_add_bytes(&t, good.data, BUNDLE_HEADER_SIZE);
    for (const char *s = cases[i].sections; *s; s++) {
      uint32_t type = *s == 'd'   ? BUNDLE_SECTION_DATA
                      : *s == 'p' ? BUNDLE_SECTION_PROOF
                      : *s == 'h' ? BUNDLE_SECTION_HASH
                                  : (uint32_t)(*s - '0');
      unsigned nth = *s == 'd';
      size_t at = t.length;
      text_add_bytes(&t, good.data + section_at(type, nth), section_size(type, nth));
      if (type == BUNDLE_SECTION_HASH) {
        uint8_t digest[64];
        sha512(digest, t.data + BUNDLE_HEADER_SIZE, at - BUNDLE_HEADER_SIZE);
        memcpy(t.data + at + 8, digest, BUNDLE_HASH_SIZE);
      }
    }
    text_add_bytes(&t, good.data, BUNDLE_SIGNATURE_SIZE); /* any: parsing doesn't look at it */
    uint32_t length = (uint32_t)t.length;
    memcpy(t.data + 12, &length, 4);
    uint8_t *bytes = copy_of(t.data, t.length);
    expect_parse(cases[i].what, bytes, length, cases[i].error, cases[i].says);
    memory_free(bytes);
    text_free(&t);
  }
}

/* Instructions are used where they lie, so bytes at an odd address are refused, not misread. */
static void unaligned_bytes_are_refused(void **state) {
  uint8_t *bytes = memory_alloc(good.length + 4);
  memcpy(bytes + 4, good.data, good.length);
  expect_parse("unaligned", bytes + 4, good.length, ERROR_INVALID, "aligned");
  memory_free(bytes);
}

/* The writer refuses what the reader would, and says the same. */
static void writer_refuses_what_the_reader_would(void **state) {
  struct bpf_map_def twice[] = {maps[0], maps[0]};
  struct bundle_description cases[7];
  static const int errors[] = {ERROR_INVALID, ERROR_INVALID, ERROR_INVALID, ERROR_INVALID,
                               ERROR_INVALID, ERROR_TOO_BIG, ERROR_TOO_BIG};
  for (size_t i = 0; i < COUNT(cases); i++)
    cases[i] = description();
  cases[0].insn_count = 0;
  cases[1].meta.version = 0;
  memset(cases[2].meta.name, 'x', sizeof(cases[2].meta.name)); /* no NUL */
  cases[3].maps = twice;
  cases[3].map_count = 2;
  cases[3].initial = NULL;
  cases[3].entry_count = 0;
  cases[3].types.type_count = 0;
  cases[3].tunable_count = 0;
  cases[4].line_count = 2;
  cases[4].lines = (const struct bundle_line[]){{2, 1, "a.c"}, {1, 1, "a.c"}};
  struct bpf_insn *many = memory_alloc((BPF_MAX_INSNS + 1) * sizeof(*many));
  cases[5].insns = many;
  cases[5].insn_count = BPF_MAX_INSNS + 1;
  struct bpf_map_def *full = memory_alloc((BPF_MAX_MAPS + 1) * sizeof(*full));
  for (unsigned i = 0; i <= BPF_MAX_MAPS; i++) {
    full[i] = maps[0];
    format_text(full[i].name, sizeof(full[i].name), "map%u", i);
  }
  cases[6].maps = full;
  cases[6].map_count = BPF_MAX_MAPS + 1;
  cases[6].entry_count = 0;
  cases[6].types.type_count = 0;
  cases[6].tunable_count = 0;
  cases[6].initial = NULL;
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct text out = {0};
    struct report report = {0};
    assert_int_equal(bundle_write(&cases[i], secret, &out, &report), -errors[i]);
    assert_int_equal(report.errors, 1);
    report_free(&report);
    text_free(&out);
  }
  cases[6].map_count = BPF_MAX_MAPS;
  cases[5].insn_count = BPF_MAX_INSNS;
  for (size_t i = 5; i < COUNT(cases); i++) {
    struct text out = {0};
    assert_int_equal(bundle_write(&cases[i], secret, &out, NULL), 0);
    text_free(&out);
  }
  memory_free(many);
  memory_free(full);
}

/* Numbers of every width and kind: what is one, and what lies within bounds. Bounds are those of stdint.h. */
static void numbers_of_tunables(void **state) {
  static const struct {
    const char *text;
    uint32_t size;
    bool is_signed, is_number;
    uint64_t value;
  } cases[] = {
      {"", 4, false, false},
      {"-", 4, true, false},
      {"-1", 4, false, false},
      {"--1", 4, true, false},
      {"1x", 4, true, false},
      {"255", 1, false, true, 255},
      {"256", 1, false, false},
      {"-128", 1, true, true, (uint64_t)-128},
      {"-129", 1, true, false},
      {"128", 1, true, false},
      {"0xffff", 2, false, true, 65535},
      {"-2147483648", 4, true, true, (uint64_t)INT32_MIN},
      {"4294967296", 4, false, false},
      {"18446744073709551615", 8, false, true, UINT64_MAX},
      {"18446744073709551616", 8, false, false},
      {"-9223372036854775808", 8, true, true, (uint64_t)INT64_MIN},
      {"9223372036854775808", 8, true, false},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    uint64_t value = 0, memory[2] = {0};
    const struct bundle_tunable t = {.offset = 8, .size = cases[i].size, .is_signed = cases[i].is_signed};
    if (tunable_number(slice_of(cases[i].text), t.size, t.is_signed, &value) != cases[i].is_number)
      fail_msg("'%s' in %u bytes", cases[i].text, t.size);
    if (!cases[i].is_number) continue;
    assert_int_equal(value, cases[i].value);
    assert_true(tunable_fits(value, t.size, t.is_signed));
    tunable_store(&t, memory, value);
    assert_int_equal(tunable_load(&t, memory), value);
    assert_int_equal(memory[0], 0);
  }
  const struct bundle_tunable around_zero = {.size = 8, .is_signed = true, .least = (uint64_t)-2, .most = 3};
  assert_true(tunable_allows(&around_zero, (uint64_t)-2) && tunable_allows(&around_zero, 3));
  assert_false(tunable_allows(&around_zero, (uint64_t)-3) || tunable_allows(&around_zero, 4));
}

/* Every instruction belongs to the last line that starts at or before it. */
static void source_lines(void **state) {
  char where[64];
  struct bundle *bundle = memory_alloc(sizeof(*bundle));
  uint8_t *bytes = copy_of(good.data, good.length);
  assert_int_equal(bundle_parse(bytes, good.length, bundle, NULL), 0);
  static const char *const expected[] = {"fw.bpf.c:41", "fw.bpf.c:41", "counters.h:43"};
  for (uint32_t i = 0; i < COUNT(expected); i++) {
    assert_true(bundle_source_line(bundle, i, where, sizeof(where)));
    assert_string_equal(where, expected[i]);
  }
  assert_false(bundle_source_line(bundle, COUNT(insns), where, sizeof(where)));
  bundle->lines.length = 0;
  assert_false(bundle_source_line(bundle, 0, where, sizeof(where)));
  memory_free(bundle);
  memory_free(bytes);
}

/* --- the cryptography we call --- */

/* Test 2 of RFC 8032, section 7.1. */
static void ed25519_is_that_of_the_rfc(void **state) {
  static const char public_hex[] = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
  static const char signature_hex[] = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                                      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
  uint8_t public_key[32], signature[64];
  assert_int_equal(sodium_hex2bin(public_key, 32, public_hex, 64, NULL, NULL, NULL), 0);
  assert_int_equal(sodium_hex2bin(signature, 64, signature_hex, 128, NULL, NULL, NULL), 0);
  assert_true(signature_holds(signature, "\x72", 1, public_key));
  assert_false(signature_holds(signature, "\x73", 1, public_key));
}

/* With the neutral element as public key, R the same and S = 0, the equation holds for every message: refused. */
static void small_order_keys_are_refused(void **state) {
  uint8_t public_key[32] = {1}, signature[64] = {1};
  assert_false(signature_holds(signature, "any", 3, public_key));
}

/* A key id is the beginning of SHA-512 of the key. */
static void key_id_is_a_hash(void **state) {
  static const uint8_t expected[] = {0x50, 0x46, 0xad, 0xc1, 0xdb, 0xa8, 0x38, 0x86,
                                     0x7b, 0x2b, 0xbb, 0xfd, 0xd0, 0xc3, 0x42, 0x3e};
  struct bundle_key zero = {.name = "zero"};
  bundle_key_identify(&zero);
  assert_memory_equal(zero.id, expected, sizeof(expected));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_bit_flip_is_refused),
      cmocka_unit_test(every_truncation_is_refused),
      cmocka_unit_test(verification_says_what_is_wrong),
      cmocka_unit_test(malformed_fields_are_refused),
      cmocka_unit_test(wrong_hash_is_refused),
      cmocka_unit_test(section_order_is_fixed),
      cmocka_unit_test(unaligned_bytes_are_refused),
      cmocka_unit_test(small_order_keys_are_refused),
      cmocka_unit_test(key_is_found_by_id),
      cmocka_unit_test(reads_what_was_written),
      cmocka_unit_test(writing_is_deterministic),
      cmocka_unit_test(writer_refuses_what_the_reader_would),
      cmocka_unit_test(proof_checker_is_asked_about_the_bundle),
      cmocka_unit_test(numbers_of_tunables),
      cmocka_unit_test(source_lines),
      cmocka_unit_test(ed25519_is_that_of_the_rfc),
      cmocka_unit_test(key_id_is_a_hash),
  };
  return cmocka_run_group_tests_name("bundle", tests, set_up, tear_down);
}
