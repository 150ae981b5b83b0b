/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a Click file to what boots: an image with the elements that it needs, a boot archive with the file, its bundles and the
 * trusted keys, and a symbol file.
 */
#ifndef IMAGO_TOOLS_BUILD_H
#define IMAGO_TOOLS_BUILD_H

#include <limits.h>

#include "tools/symbols.h"

/* All pointers stay the caller's. */
struct build_options {
  const char *click;          /* the Click file */
  const char *output;         /* OUT or OUT.elf */
  const char *const *bundles; /* NAME=FILE, or FILE, which goes under its last component */
  unsigned bundle_count;
  const char *const *keys; /* public keys, PEM */
  unsigned key_count;
  bool dev; /* bundles may be objects (FILE.o), which are linked and signed with a key made for this archive */
  const char *const *links; /* archives with further element classes, which only the image's linker knows */
  unsigned link_count;
  bool allow_unproven;     /* the unikernel takes bundles without proof too */
  bool archive_only;       /* for the process platform, which needs no image */
  bool keep_symbols;       /* leave the symbol table in the image, for a debugger */
  bool symbols_in_archive; /* so that the unikernel itself can name functions */
};

struct build_result {
  char image[PATH_MAX];   /* OUT.elf */
  char archive[PATH_MAX]; /* OUT.cpio */
  char build_id[BUILD_ID_TEXT];
  unsigned class_count; /* element classes that the graph uses */
};

/* OUT from OUT.elf, and OUT.elf and OUT.cpio from OUT. Fails only for paths that are too long. */
int build_paths(const char *output, struct build_result *result, struct report *report) MUST_USE;
/* Makes the files; what was there before is replaced only by something whole. Errors in the Click file read as the unikernel's
 * own: file, line, element, fix. */
int build(const struct build_options *options, struct build_result *result, struct report *report) MUST_USE;

#endif
