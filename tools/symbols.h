/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Symbol files: lines "%016lx NAME", sorted by address, in BUILDID.sym beside the image. `imago build` writes them, the log and
 * the unikernel's own fault reports use them.
 */
#ifndef IMAGO_TOOLS_SYMBOLS_H
#define IMAGO_TOOLS_SYMBOLS_H

#include <limits.h>
#include <stdint.h>

#include "lib/report.h"

enum { BUILD_ID_TEXT = 2 * 32 + 1 };

/* The build id of an ELF file in hexadecimal. 0 or a negative code, reported. */
int elf_build_id(const char *path, char id[BUILD_ID_TEXT], struct report *report) MUST_USE;
/* Appends the symbol file's text: the functions of the ELF file, and assembler's labels in executable sections. */
int elf_symbols(const char *path, struct text *out, struct report *report) MUST_USE;

struct symbol {
  uint64_t address;
  const char *name; /* points into symbols.text */
};

/* Invariant: sorted by address. Zero-initialised knows no symbol. */
struct symbols {
  struct symbol *table;
  size_t count;
  struct text text; /* the file, its line ends overwritten by NUL */
};

/* Parses a symbol file's text, which is taken over. Malformed lines are skipped, so a damaged file costs names, nothing else. */
void symbols_parse(struct symbols *symbols, struct text *text);
/* The symbol file beside the image, found by the image's build id. Without one `symbols` stays empty. */
void symbols_load(struct symbols *symbols, const char *image);
void symbols_free(struct symbols *symbols);
/* The symbol that holds address, and the offset in it; NULL when none does. */
const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset);

/* Appends a line of a fault report (without '\n') with " NAME+0x12" put behind each code address that has no name yet: a
 * 16-digit address behind "#N" or "rip". Other lines are appended as they are. */
void symbols_annotate(const struct symbols *symbols, struct slice line, struct text *out);

#endif
