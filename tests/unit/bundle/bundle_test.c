/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tests of the bundle reader and writer on a good bundle, of keys and of tunables' numbers.
 */
#include "tests/unit/bundle/good_bundle.h"

#include "bpf/context.h"
#include "bundle/proof_input.h"
#include "bundle/signature.h"
#include "bundle/tunable.h"
#include "lib/memory.h"

/* The good bundle gives back what was written. */
static void reads_what_was_written(void **state) {
  const struct bundle_key *signer = NULL;
  uint8_t *bytes = good_copy_of(good.data, good.length);
  struct bundle *bundle = memory_alloc(sizeof(*bundle));
  assert_int_equal(bundle_verify(bytes, good.length, &good_key, 1, &signer, NULL), 0);
  assert_ptr_equal(signer, &good_key);
  assert_int_equal(bundle_parse(bytes, good.length, bundle, NULL), 0);
  assert_string_equal(bundle->meta.name, "fw");
  assert_string_equal(bundle->meta.section, "xdp");
  assert_string_equal(bundle->meta.audience, "fw*");
  assert_int_equal(bundle->meta.version, 7);
  assert_memory_equal(bundle->key_id, good_key.id, sizeof(good_key.id));
  assert_int_equal(bundle->size, good.length);
  assert_int_equal(bundle->insn_count, COUNT(good_insns));
  assert_memory_equal(bundle->insns, good_insns, sizeof(good_insns));
  assert_int_equal(bundle->meta.kind, BPF_PROGRAM_XDP);
  assert_int_equal(bundle->program_count, COUNT(good_programs));
  assert_memory_equal(bundle->programs, good_programs, sizeof(good_programs));
  assert_int_equal(bundle->entry_count, COUNT(good_entries));
  for (uint32_t i = 0; i < COUNT(good_entries); i++) { /* in order of index */
    const struct bundle_entry entry = bundle_entry_at(bundle, i);
    assert_memory_equal(&entry, &good_entries[COUNT(good_entries) - 1 - i], sizeof(entry));
  }
  assert_int_equal(bundle->types.type_count, COUNT(good_types));
  assert_memory_equal(bundle->types.types, good_types, sizeof(good_types));
  assert_memory_equal(bundle->types.members, good_members, sizeof(good_members));
  assert_memory_equal(bundle->types.names, good_names, sizeof(good_names));
  assert_memory_equal(bundle->map_types, good_map_types, sizeof(good_map_types));
  assert_int_equal(bundle->tunable_count, COUNT(good_tunables));
  for (uint32_t i = 0; i < COUNT(good_tunables); i++) { /* in order of place */
    const struct bundle_tunable *wrote = &good_tunables[COUNT(good_tunables) - 1 - i], *read = &bundle->tunables[i];
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
  assert_int_equal(bundle->map_count, COUNT(good_maps));
  assert_memory_equal(bundle->maps, good_maps, sizeof(good_maps));
  for (size_t i = 0; i < COUNT(good_maps); i++) {
    assert_int_equal(bundle->initial[i].length, good_initial[i].length);
    if (good_initial[i].length > 0)
      assert_memory_equal(bundle->initial[i].data, good_initial[i].data, good_initial[i].length);
  }
  memory_free(bundle);
  memory_free(bytes);
}

/* The same description and key give the same bytes. */
static void writing_is_deterministic(void **state) {
  struct text again = {0};
  struct bundle_description d = good_description();
  assert_int_equal(bundle_write(&d, good_secret, &again, NULL), 0);
  assert_int_equal(again.length, good.length);
  assert_memory_equal(again.data, good.data, good.length);
  text_free(&again);
}

/* No bundle with any single bit flipped is accepted. */
static void every_bit_flip_is_refused(void **state) {
  const struct bundle_key *signer = NULL;
  uint8_t *bytes = good_copy_of(good.data, good.length);
  for (size_t bit = 0; bit < good.length * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    if (bundle_verify(bytes, good.length, &good_key, 1, &signer, NULL) == 0)
      fail_msg("bit %zu flipped is accepted", bit);
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  assert_null(signer);
  memory_free(bytes);
}

/* No beginning of a bundle is accepted, and none is read past its end. */
static void every_truncation_is_refused(void **state) {
  const struct bundle_key *signer = NULL;
  for (size_t length = 1; length < good.length; length++) {
    uint8_t *bytes = good_copy_of(good.data, length);
    assert_int_equal(bundle_verify(bytes, length, &good_key, 1, &signer, NULL), -ERROR_TRUNCATED);
    memory_free(bytes);
  }
  assert_int_equal(bundle_verify((const uint8_t *)good.data, 0, &good_key, 1, &signer, NULL), -ERROR_TRUNCATED);
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
    uint8_t *bytes = good_copy_of(good.data, good.length);
    memcpy(bytes + cases[i].offset, &cases[i].value, 4);
    int result = bundle_verify(bytes, good.length, &good_key, 1, &signer, &report);
    if (result != -cases[i].error || !strstr(text_string(&report.text), cases[i].says) || signer)
      fail_msg("%s: %d %s", cases[i].what, result, text_string(&report.text));
    report_free(&report);
    memory_free(bytes);
  }
}

/* The key is chosen by its id among several, and no key at all verifies nothing. */
static void key_is_found_by_id(void **state) {
  struct bundle_key keys[3] = {{.public_key = {9}, .name = "a"}, {.public_key = {8}, .name = "b"}, good_key};
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
  uint8_t *bytes = good_copy_of(good.data, good.length);
  struct bundle *bundle = memory_alloc(sizeof(*bundle));
  struct bundle_proof_input *in = memory_alloc(sizeof(*in));
  assert_int_equal(bundle_parse(bytes, good.length, bundle, NULL), 0);
  bundle_proof_input(bundle, 1234, in);
  assert_ptr_equal(in->input.insns, bundle->insns);
  assert_int_equal(in->input.insn_count, COUNT(good_insns));
  assert_int_equal(in->input.max_insns, 1234);
  assert_int_equal(in->input.program_count, 2);
  assert_int_equal(in->programs[1].start, TAIL);
  assert_int_equal(in->programs[1].count, COUNT(good_insns) - TAIL);
  assert_int_equal(in->input.map_count, COUNT(good_maps));
  for (size_t i = 0; i < COUNT(good_maps); i++) {
    assert_ptr_equal(in->maps[i].def, &bundle->maps[i]);
    assert_ptr_equal(in->maps[i].constant, i == 1 ? bundle->initial[1].data : NULL);
  }
  assert_int_equal(in->input.target_count, COUNT(good_entries));
  for (uint32_t i = 0; i < COUNT(good_entries); i++) { /* in order of index */
    assert_int_equal(in->targets[i].map, 3);
    assert_int_equal(in->targets[i].program, i);
  }
  assert_int_equal(in->input.tunable_count, COUNT(good_tunables));
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
  uint8_t *bytes = good_copy_of(good.data, good.length);
  assert_int_equal(bundle_parse(bytes, good.length, bundle, NULL), 0);
  static const char *const expected[] = {"fw.bpf.c:41", "fw.bpf.c:41", "counters.h:43"};
  for (uint32_t i = 0; i < COUNT(expected); i++) {
    assert_true(bundle_source_line(bundle, i, where, sizeof(where)));
    assert_string_equal(where, expected[i]);
  }
  assert_false(bundle_source_line(bundle, COUNT(good_insns), where, sizeof(where)));
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
      cmocka_unit_test(small_order_keys_are_refused),
      cmocka_unit_test(key_is_found_by_id),
      cmocka_unit_test(reads_what_was_written),
      cmocka_unit_test(writing_is_deterministic),
      cmocka_unit_test(proof_checker_is_asked_about_the_bundle),
      cmocka_unit_test(numbers_of_tunables),
      cmocka_unit_test(source_lines),
      cmocka_unit_test(ed25519_is_that_of_the_rfc),
      cmocka_unit_test(key_id_is_a_hash),
  };
  return cmocka_run_group_tests_name("bundle", tests, good_set_up, good_tear_down);
}
