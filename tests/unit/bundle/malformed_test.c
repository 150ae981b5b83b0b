/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tests of the bundle reader on bad bundles, and that the writer makes none.
 */
#include "tests/unit/bundle/good_bundle.h"

#include "bundle/signature.h"
#include "lib/memory.h"

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
      {"DATA of a map that isn't there", DATA, 0, 8, 4, COUNT(good_maps), ERROR_INVALID, "not there"},
      {"DATA of a hash map", DATA, 0, 8, 4, 0, ERROR_INVALID, "map flows has an initial value"},
      {"DATA of the wrong length", DATA, 0, 8, 4, 2, ERROR_INVALID, "12 bytes long"},
      {"DATA reserved field", DATA, 0, 12, 4, 1, ERROR_INVALID, "reserved"},
      {"padding not zero", DATA, 0, 8 + 8 + 12 + 3, 1, 1, ERROR_INVALID, "padding"},
      {"LINES empty", LINES, 0, 4, 4, 0, ERROR_INVALID, "LINES"},
      {"no lines", LINES, 0, 8, 4, 0, ERROR_INVALID, "LINES"},
      {"more lines than bytes", LINES, 0, 8, 4, UINT32_MAX, ERROR_INVALID, "LINES"},
      {"longer names than bytes", LINES, 0, 12, 4, UINT32_MAX, ERROR_INVALID, "LINES"},
      {"lines out of order", LINES, 0, LINE, 4, 2, ERROR_INVALID, "ascending"},
      {"line of no instruction", LINES, 0, LINE + 12, 4, COUNT(good_insns), ERROR_INVALID, "ascending"},
      {"file outside the names", LINES, 0, LINE + 4, 4, 1000, ERROR_INVALID, "names a file"},
      {"file within a name", LINES, 0, LINE + 4, 4, 1, ERROR_INVALID, "names a file"},
      {"file name with a slash", LINES, 0, LINE + 24, 1, '/', ERROR_INVALID, "file names"},
      {"file name empty", LINES, 0, LINE + 24, 1, 0, ERROR_INVALID, "file names"},
      {"file name without end", LINES, 0, LINE + 24 + 9 + 10, 1, 'x', ERROR_INVALID, "file names"},
      {"PROGRAMS of half a program", PROGRAMS, 0, 4, 4, 36, ERROR_INVALID, "PROGRAMS"},
      {"PROGRAMS empty", PROGRAMS, 0, 4, 4, 0, ERROR_INVALID, "PROGRAMS"},
      {"function's name empty", PROGRAMS, 0, 8, 1, 0, ERROR_INVALID, "function's name"},
      {"program at the entry's start", PROGRAMS, 0, 8 + 64, 4, 0, ERROR_INVALID, "ascending"},
      {"program behind the end", PROGRAMS, 0, 8 + 64, 4, COUNT(good_insns), ERROR_INVALID, "ascending"},
      {"reserved field of a program", PROGRAMS, 0, 8 + 68, 4, 1, ERROR_INVALID, "reserved"},
      {"ENTRIES of half an entry", ENTRIES, 0, 4, 4, 24, ERROR_INVALID, "ENTRIES"},
      {"entry of no map", ENTRIES, 0, 8 + 16, 4, COUNT(good_maps), ERROR_INVALID, "not there"},
      {"entry of a hash", ENTRIES, 0, 8, 4, 0, ERROR_INVALID, "map flows can hold neither"},
      {"entry beyond the map", ENTRIES, 0, 8 + 16 + 4, 4, 3, ERROR_INVALID, "entry 3 of map tails"},
      {"entry of no program", ENTRIES, 0, 8 + 16 + 8, 4, COUNT(good_programs), ERROR_INVALID, "out of range"},
      {"entries out of order", ENTRIES, 0, 8 + 16 + 4, 4, 0, ERROR_INVALID, "ascending"},
      {"reserved field of an entry", ENTRIES, 0, 8 + 12, 4, 1, ERROR_INVALID, "reserved"},
      {"TYPES empty", TYPES, 0, 4, 4, 0, ERROR_INVALID, "TYPES"},
      {"no types", TYPES, 0, 8, 4, 0, ERROR_INVALID, "TYPES"},
      {"more types than bytes", TYPES, 0, 8, 4, UINT32_MAX, ERROR_INVALID, "TYPES"},
      {"more members than bytes", TYPES, 0, 12, 4, UINT32_MAX, ERROR_INVALID, "TYPES"},
      {"reserved field of TYPES", TYPES, 0, 20, 4, 1, ERROR_INVALID, "reserved"},
      {"type of unknown kind", TYPES, 0, 24, 1, 99, ERROR_INVALID, "unknown kind"},
      {"struct of itself", TYPES, 0, 24 + 3 * 16 + 16 + 4, 4, 2, ERROR_INVALID, "earlier type"},
      {"map of no type", TYPES, 0, 24 + 6 * 16, 4, COUNT(good_types), ERROR_INVALID, "names a type"},
      {"name without end", TYPES, 0, 24 + 6 * 16 + 6 * 8 + 8, 1, 'x', ERROR_INVALID, "end in a NUL"},
      {"TUNABLES of half a tunable", TUNABLES, 0, 4, 4, 48, ERROR_INVALID, "TUNABLES"},
      {"TUNABLES empty", TUNABLES, 0, 4, 4, 0, ERROR_INVALID, "TUNABLES"},
      {"tunable's name empty", TUNABLES, 0, 8, 1, 0, ERROR_INVALID, "tunable's name"},
      {"two tunables of one name", TUNABLES, 0, 8 + NEXT, 4, 0x65746172 /* "rate" */, ERROR_INVALID, "two tunables"},
      {"tunable of no map", TUNABLES, 0, PLACE, 4, COUNT(good_maps), ERROR_INVALID, "not there"},
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
    uint8_t *bytes = good_copy_of(good.data, good.length);
    memcpy(bytes + good_section_at(cases[i].type, cases[i].nth) + cases[i].offset, &cases[i].value, cases[i].width);
    good_seal(bytes, good.length);
    expect_parse(cases[i].what, bytes, good.length, cases[i].error, cases[i].says);
    memory_free(bytes);
  }
}

/* The content hash covers every byte of the sections before it. */
static void wrong_hash_is_refused(void **state) {
  uint8_t *bytes = good_copy_of(good.data, good.length);
  bytes[good_section_at(BUNDLE_SECTION_INSNS, 0) + 8 + 4] ^= 1;
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
      text_add_bytes(&t, good.data + good_section_at(type, nth), good_section_size(type, nth));
      if (type == BUNDLE_SECTION_HASH) {
        uint8_t digest[64];
        sha512(digest, t.data + BUNDLE_HEADER_SIZE, at - BUNDLE_HEADER_SIZE);
        memcpy(t.data + at + 8, digest, BUNDLE_HASH_SIZE);
      }
    }
    text_add_bytes(&t, good.data, BUNDLE_SIGNATURE_SIZE); /* any: parsing doesn't look at it */
    uint32_t length = (uint32_t)t.length;
    memcpy(t.data + 12, &length, 4);
    uint8_t *bytes = good_copy_of(t.data, t.length);
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
  struct bpf_map_def twice[] = {good_maps[0], good_maps[0]};
  struct bundle_description cases[7];
  static const int errors[] = {ERROR_INVALID, ERROR_INVALID, ERROR_INVALID, ERROR_INVALID,
                               ERROR_INVALID, ERROR_TOO_BIG, ERROR_TOO_BIG};
  for (size_t i = 0; i < COUNT(cases); i++)
    cases[i] = good_description();
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
    full[i] = good_maps[0];
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
    assert_int_equal(bundle_write(&cases[i], good_secret, &out, &report), -errors[i]);
    assert_int_equal(report.errors, 1);
    report_free(&report);
    text_free(&out);
  }
  cases[6].map_count = BPF_MAX_MAPS;
  cases[5].insn_count = BPF_MAX_INSNS;
  for (size_t i = 5; i < COUNT(cases); i++) {
    struct text out = {0};
    assert_int_equal(bundle_write(&cases[i], good_secret, &out, NULL), 0);
    text_free(&out);
  }
  memory_free(many);
  memory_free(full);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(malformed_fields_are_refused),
      cmocka_unit_test(wrong_hash_is_refused),
      cmocka_unit_test(section_order_is_fixed),
      cmocka_unit_test(unaligned_bytes_are_refused),
      cmocka_unit_test(writer_refuses_what_the_reader_would),
  };
  return cmocka_run_group_tests_name("malformed bundles", tests, good_set_up, good_tear_down);
}
