/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libFuzzer target: the bundle reader. Random bytes rarely carry the right length, content hash and signature, so the first two
 * are put right before the sections are parsed, and parsing goes without the signature, as if the signer were hostile.
 */
#include "bundle/bundle.h"
#include "bundle/signature.h"
#include "bundle/tunable.h"
#include "bundle/wire.h"
#include "lib/memory.h"

/* As in docs/bundle.md: hash section (8 + 32 bytes) and signature stand at the end. */
enum { TAIL = 8 + BUNDLE_HASH_SIZE + BUNDLE_SIGNATURE_SIZE };

static void put_right(uint8_t *bytes, size_t size) {
  uint8_t digest[SHA512_SIZE];
  uint32_t length = (uint32_t)size;
  if (size < BUNDLE_HEADER_SIZE + TAIL) return;
  memcpy(bytes + 12, &length, sizeof(length));
  sha512(digest, bytes + BUNDLE_HEADER_SIZE, size - TAIL - BUNDLE_HEADER_SIZE);
  memcpy(bytes + size - TAIL + 8, digest, BUNDLE_HASH_SIZE);
}

/* What the reader promises about a bundle it accepts. */
static void check(const struct bundle *bundle, const uint8_t *bytes, size_t size) {
  char where[300];
  unsigned sum = 0;
  if (bundle->insn_count == 0 || bundle->insn_count > BPF_MAX_INSNS || bundle->map_count > BPF_MAX_MAPS ||
      (uintptr_t)bundle->insns % 8 != 0 || bundle->meta.version == 0 || bundle->meta.name[0] == '\0' ||
      bundle->size != size)
    __builtin_trap();
  for (uint32_t i = 0; i < bundle->insn_count; i++) {
    sum += bundle->insns[i].code;
    (void)bundle_source_line(bundle, i, where, sizeof(where));
  }
  uint32_t slot = 0;
  for (uint32_t i = 0; i < bundle->program_count; slot += bundle->programs[i++].count)
    if (bundle->programs[i].start != slot || bundle->programs[i].count == 0) __builtin_trap();
  if (slot != bundle->insn_count) __builtin_trap();
  for (uint32_t i = 0; i < bundle->entry_count; i++) {
    const struct bundle_entry entry = bundle_entry_at(bundle, i);
    if (entry.map >= bundle->map_count || entry.index >= bundle->maps[entry.map].max_entries) __builtin_trap();
    if (entry.target >= bundle->program_count && entry.target >= bundle->map_count) __builtin_trap();
  }
  for (uint32_t i = 0; i < bundle->map_count; i++) {
    if (bpf_map_memory(&bundle->maps[i]) == 0) __builtin_trap();
    if (bundle->initial[i].length > 0 && bundle->initial[i].length != bundle->maps[i].value_size) __builtin_trap();
    for (size_t j = 0; j < bundle->initial[i].length; j++)
      sum += (uint8_t)bundle->initial[i].data[j];
  }
  for (uint32_t i = 0; i < bundle->tunable_count; i++) {
    const struct bundle_tunable *t = &bundle->tunables[i];
    if (tunable_find(bundle, slice_of(t->name)) != t) __builtin_trap();
    if (t->map >= bundle->map_count || t->offset + t->size > bundle->maps[t->map].value_size) __builtin_trap();
    if (!tunable_allows(t, tunable_load(t, bundle->initial[t->map].data))) __builtin_trap();
  }
  __asm__ volatile("" : : "r"(sum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct bundle_key keys[1] = {{.name = "fuzz"}};
  const struct bundle_key *signer = NULL;
  struct report report = {0};
  uint8_t *bytes = memory_alloc(size);
  struct bundle *bundle = memory_alloc(sizeof(*bundle));
  if (bytes && bundle) {
    memcpy(bytes, data, size);
    /* Nobody can sign with the key of all zeros: it is of small order. */
    if (bundle_verify(bytes, size, keys, 1, &signer, &report) == 0) __builtin_trap();
    put_right(bytes, size);
    unsigned errors = report.errors;
    int error = bundle_parse(bytes, size, bundle, &report);
    if (report.errors - errors != (error != 0)) __builtin_trap();
    if (error == 0) check(bundle, bytes, size);
  }
  memory_free(bundle);
  memory_free(bytes);
  report_free(&report);
  return 0;
}
