/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A relocatable eBPF object as clang writes it (ELF64, little-endian, EM_BPF): sections and symbols, every offset, size and name
 * checked against the file, so that code above can trust them. Knows nothing of instructions.
 */
#ifndef IMAGO_VERIFIER_OBJECT_H
#define IMAGO_VERIFIER_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/report.h"

enum { OBJECT_MAX_SIZE = 16 << 20, OBJECT_MAX_SECTIONS = 4096 };

struct object_section {
  const char *name;
  uint32_t type, info;
  uint64_t flags, size;
  struct slice data; /* the section's bytes in the file; empty for SHT_NOBITS */
};

struct object_symbol {
  const char *name;
  unsigned type, binding, visibility; /* STT_*, STB_*, STV_* */
  uint16_t section;                   /* below section_count, or SHN_UNDEF, or a reserved index from SHN_LORESERVE */
  uint64_t value, size;
};

struct object_relocation {
  uint64_t offset; /* into the section it applies to */
  uint32_t type;
  uint32_t symbol; /* below symbol_count */
};

struct object {
  const char *file; /* for messages; the caller's */
  struct object_section *sections;
  uint32_t section_count;
  struct object_symbol *symbols;
  uint32_t symbol_count;
};

/* Views into bytes, which must outlive the object. On failure nothing needs closing. -ERROR_INVALID, -ERROR_TRUNCATED,
 * -ERROR_TOO_BIG, -ERROR_UNSUPPORTED, -ERROR_NO_MEMORY. */
int object_open(struct object *object, const uint8_t *bytes, size_t length, const char *file,
                struct report *report) MUST_USE;
void object_close(struct object *object);

/* Index of the first section of that name; 0 (never a real section) when there is none. */
uint32_t object_find_section(const struct object *object, const char *name);
/* True if the section holds instructions. */
bool object_is_code(const struct object_section *section);

/* The relocations that apply to section `index`: a new array (NULL when there are none), freed by memory_free. */
int object_relocations(const struct object *object, uint32_t index, struct object_relocation **relocations,
                       uint32_t *count, struct report *report) MUST_USE;

#endif
