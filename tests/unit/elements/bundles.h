/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Signed bundles for tests of the elements that run them, and a system that trusts their signer.
 */
#ifndef IMAGO_TESTS_ELEMENTS_BUNDLES_H
#define IMAGO_TESTS_ELEMENTS_BUNDLES_H

#include "bundle/writer.h"
#include "tests/unit/elements/harness.h"

/* What a bundle is made of; zero means the usual. */
struct recipe {
  const char *name;
  uint64_t version;
  const struct bpf_insn *insns;
  uint32_t count;
  const struct bpf_map_def *maps;
  uint32_t map_count;
  const struct slice *initial;
  const char *audience, *section;
  unsigned signer; /* 0: the one that is trusted, 1: somebody else */
  enum bpf_program_kind kind;
  const struct bundle_line *lines;
  uint32_t line_count;
  const struct bundle_program *programs;
  uint32_t program_count;
  const struct bundle_tunable *tunables;
  uint32_t tunable_count;
  struct slice proof;
};
#define CODE(array) .insns = (array), .count = COUNT(array)

/* The bytes, until the next call with the same slot, 0 or 1. */
struct slice bundles_bake(unsigned slot, struct recipe recipe);
/* An empty system that trusts the signer and has the bundle as file "first". */
void bundles_open(struct recipe first);
/* The same with this graph. */
void bundles_start(struct recipe first, const char *config);
/* Writes the bundle to a handler. */
int bundles_load(const char *handler, struct recipe recipe);
void bundles_expect_load(const char *handler, struct recipe recipe);
/* Group teardown. */
int bundles_release(void **state);

#endif
