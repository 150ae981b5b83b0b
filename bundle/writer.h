/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writes bundles, on the host. The same description and key give the same bytes. Specification: docs/bundle.md.
 */
#ifndef IMAGO_BUNDLE_WRITER_H
#define IMAGO_BUNDLE_WRITER_H

#include "bundle/bundle.h"

enum { BUNDLE_SECRET_KEY_SIZE = 64 }; /* libsodium's form: seed, then public key */

struct bundle_line {
  uint32_t insn;    /* first instruction slot that the line made; ascending */
  uint32_t line;    /* counted from 1 */
  const char *file; /* base name */
};

/* All pointers stay the caller's. */
struct bundle_description {
  struct bundle_meta meta;
  const struct bpf_insn *insns;
  uint32_t insn_count;
  const struct bundle_program *programs; /* beginning with the entry; NULL: there is one program */
  uint32_t program_count;
  const struct bundle_entry *entries; /* in any order */
  uint32_t entry_count;
  const struct bpf_map_def *maps;
  const struct slice *initial; /* one per map, length 0: none; may be NULL */
  uint32_t map_count;
  const struct bundle_line *lines;
  uint32_t line_count;
  struct bpf_types types;                   /* type_count 0: none */
  const struct bundle_map_types *map_types; /* one per map; with types */
  const struct bundle_tunable *tunables;    /* in any order */
  uint32_t tunable_count;
  struct slice proof; /* of all programs, docs/proof.md; length 0: none */
};

/* Appends the signed bundle to `out`, which must be empty. The bytes have passed the reader, so a description that cannot be a
 * bundle gives the reader's error. -ERROR_NO_MEMORY, and -ERROR_TOO_BIG over BUNDLE_MAX_SIZE. */
int bundle_write(const struct bundle_description *description, const uint8_t secret_key[BUNDLE_SECRET_KEY_SIZE],
                 struct text *out, struct report *report) MUST_USE;

#endif
