/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The good bundle.
 */
#include "tests/unit/bundle/good_bundle.h"

#include "bpf/context.h"
#include "bundle/signature.h"
#include "lib/memory.h"

uint8_t good_secret[BUNDLE_SECRET_KEY_SIZE];
struct bundle_key good_key = {.name = "test"};
struct text good;

const struct bpf_insn good_insns[] = {
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
    {.code = BPF_ALU64 | BPF_ADD | BPF_K, .imm = 0},
    {.code = BPF_JMP | BPF_EXIT},
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_DROP}, /* the program that is tail called */
    {.code = BPF_JMP | BPF_EXIT},
};
const struct bundle_program good_programs[] = {{"", 0, TAIL}, {"tail", TAIL, COUNT(good_insns) - TAIL}};
const struct bundle_entry good_entries[] = {{3, 2, 1}, {3, 0, 0}};
const struct bpf_map_def good_maps[] = {
    {"flows", BPF_MAP_TYPE_HASH, 8, 16, 1024, BPF_F_NO_PREALLOC},
    {"settings.rodata", BPF_MAP_TYPE_ARRAY, 4, 12, 1, BPF_F_RDONLY_PROG},
    {"settings.data", BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0},
    {"tails", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 3, 0},
    {"shapes", BPF_MAP_TYPE_HASH_OF_MAPS, 4, 4, 8, 0, .inner = {BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY_PROG}},
    {"locked", BPF_MAP_TYPE_ARRAY, 4, 32, 2, 0, .spin_lock = 1 + 4, .timer = 1 + 8},
};
const struct slice good_initial[] = {{NULL, 0}, {"twelve bytes", 12}, {"eight by", 8}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
const struct bundle_line good_lines[] = {{0, 41, "fw.bpf.c"}, {2, 43, "counters.h"}};

/* An enum, and a struct of a number and that enum. */
const struct bpf_type good_types[] = {
    {BPF_TYPE_ENUM, {0}, 4, 0, 1}, {BPF_TYPE_UNSIGNED, {0}, 4, 0, 0}, {BPF_TYPE_STRUCT, {0}, 8, 1, 2}};
const struct bpf_type_member good_members[] = {{1, 0, 7, 0}, {5, 1, 0, 0}, {7, 0, 32, 0}};
const char good_names[] = "\0RED\0n\0c"; /* the last NUL is the literal's */
const struct bundle_map_types good_map_types[COUNT(good_maps)] = {
    {2, BPF_NO_TYPE}, {BPF_NO_TYPE, BPF_NO_TYPE}, {1, 2}, {1, 1}, {1, 1}, {1, 0}};

/* "twel" is 1818589044 in the memory of a little-endian machine, " b" 25120. */
const struct bundle_tunable good_tunables[] = {
    {"bias", 1, 6, 2, true, (uint64_t)-5, 30000},
    {"rate", 1, 0, 4, false, 1, 2000000000},
};

struct bundle_description good_description(void) {
  return (struct bundle_description){
      .meta = {.name = "fw", .version = 7, .audience = "fw*", .section = "xdp"},
      .insns = good_insns,
      .insn_count = COUNT(good_insns),
      .programs = good_programs,
      .program_count = COUNT(good_programs),
      .entries = good_entries,
      .entry_count = COUNT(good_entries),
      .maps = good_maps,
      .initial = good_initial,
      .map_count = COUNT(good_maps),
      .lines = good_lines,
      .line_count = COUNT(good_lines),
      .types = {good_types, good_members, good_names, COUNT(good_types), COUNT(good_members), sizeof(good_names)},
      .map_types = good_map_types,
      .tunables = good_tunables,
      .tunable_count = COUNT(good_tunables),
      .proof = {"proof", 5},
  };
}

int good_set_up(void **state) {
  uint8_t seed[crypto_sign_ed25519_SEEDBYTES] = {1, 2, 3};
  crypto_sign_ed25519_seed_keypair(good_key.public_key, good_secret, seed);
  bundle_key_identify(&good_key);
  struct bundle_description d = good_description();
  return bundle_write(&d, good_secret, &good, NULL);
}

int good_tear_down(void **state) {
  text_free(&good);
  return 0;
}

/* --- bundles made of parts of the good one --- */

uint8_t *good_copy_of(const void *bytes, size_t length) {
  uint8_t *copy = memory_alloc(length);
  assert_non_null(copy);
  memcpy(copy, bytes, length);
  return copy;
}

size_t good_section_at(uint32_t type, unsigned n) {
  struct bundle_section_wire wire;
  size_t at = BUNDLE_HEADER_SIZE;
  for (;;) {
    assert_true(at < good.length - BUNDLE_SIGNATURE_SIZE);
    memcpy(&wire, good.data + at, sizeof(wire));
    if (wire.type == type && n-- == 0) return at;
    at += sizeof(wire) + (wire.length + 7) / 8 * 8;
  }
}

size_t good_section_size(uint32_t type, unsigned n) {
  struct bundle_section_wire wire;
  memcpy(&wire, good.data + good_section_at(type, n), sizeof(wire));
  return sizeof(wire) + (wire.length + 7) / 8 * 8;
}

void good_seal(uint8_t *bytes, size_t length) {
  size_t end = length - BUNDLE_SIGNATURE_SIZE, hash = end - BUNDLE_HASH_SIZE - sizeof(struct bundle_section_wire);
  uint8_t digest[64];
  sha512(digest, bytes + BUNDLE_HEADER_SIZE, hash - BUNDLE_HEADER_SIZE);
  memcpy(bytes + end - BUNDLE_HASH_SIZE, digest, BUNDLE_HASH_SIZE);
  crypto_sign_ed25519_detached(bytes + end, NULL, bytes, end, good_secret);
}

void expect_parse(const char *what, const uint8_t *bytes, size_t length, int error, const char *says) {
  struct report report = {0};
  struct bundle *bundle = memory_alloc(sizeof(*bundle));
  int result = bundle_parse(bytes, length, bundle, &report);
  if (result != -error || report.errors != (error != 0) || (says && !strstr(text_string(&report.text), says)))
    fail_msg("%s: got %d (%s), expected %d with \"%s\"", what, result, text_string(&report.text), -error,
             says ? says : "");
  report_free(&report);
  memory_free(bundle);
}
