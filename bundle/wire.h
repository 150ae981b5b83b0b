/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Payload layouts of a bundle's sections, little-endian, shared by reader and writer. Specification: docs/bundle.md.
 * Text fields are NUL-terminated and zero to their end.
 */
#ifndef IMAGO_BUNDLE_WIRE_H
#define IMAGO_BUNDLE_WIRE_H

#include <stdint.h>

#include "bundle/bundle.h"

struct bundle_section_wire {
  uint32_t type, length; /* length of the payload, without padding */
};

struct bundle_meta_wire {
  uint64_t version;
  char name[BUNDLE_NAME_MAX];
  char section[BUNDLE_NAME_MAX];
  char audience[BUNDLE_AUDIENCE_MAX];
};

struct bundle_map_wire {
  char name[BPF_MAP_NAME_MAX];
  uint32_t type, key_size, value_size, max_entries, flags, zero;
};

struct bundle_data_wire {
  uint32_t map, zero;
};

struct bundle_lines_wire {
  uint32_t line_count, strings_length;
};

/* Applies from instruction slot `insn` up to the next record. Ascending by insn. */
struct bundle_line_wire {
  uint32_t insn;
  uint32_t file; /* offset into the file names */
  uint32_t line;
};

/* What is wrong with the sizes and flags of a hash or array map, or NULL. The limits are those of bpf/map.h. */
const char *bundle_map_fault(const struct bpf_map_def *def);

_Static_assert(sizeof(struct bundle_meta_wire) == 264, "wire layout");
_Static_assert(sizeof(struct bundle_map_wire) == 88, "wire layout");
_Static_assert(sizeof(struct bundle_line_wire) == 12, "wire layout");

#endif
