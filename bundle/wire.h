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
  uint32_t kind, zero; /* enum bpf_program_kind */
};

struct bundle_map_wire {
  char name[BPF_MAP_NAME_MAX];
  uint32_t type, key_size, value_size, max_entries, flags;
  uint32_t spin_lock, timer, extra; /* as in struct bpf_map_def */
  struct bpf_map_shape inner;
  uint32_t zero;
};

struct bundle_data_wire {
  uint32_t map, zero;
};

struct bundle_program_wire {
  char function[BUNDLE_NAME_MAX];
  uint32_t start, zero; /* it reaches up to the next one, or to the end */
};

/* Ascending by map, then index. */
struct bundle_entry_wire {
  uint32_t map, index, target, zero;
};

/* Ascending by map, then offset. */
struct bundle_tunable_wire {
  char name[BUNDLE_NAME_MAX];
  uint32_t map, offset, size;
  uint32_t is_signed; /* 0 or 1 */
  uint64_t least, most;
};

struct bundle_types_wire {
  uint32_t type_count, member_count, names_length, zero;
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

_Static_assert(sizeof(struct bundle_meta_wire) == 272, "wire layout");
_Static_assert(sizeof(struct bundle_map_wire) == 120, "wire layout");
_Static_assert(sizeof(struct bundle_line_wire) == 12, "wire layout");
_Static_assert(sizeof(struct bundle_tunable_wire) == 96, "wire layout");

#endif
