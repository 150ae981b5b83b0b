/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linking an image from the libraries in the build tree (or wherever $IMAGO_LIB says).
 */
#ifndef IMAGO_TOOLS_IMAGE_H
#define IMAGO_TOOLS_IMAGE_H

#include "tools/symbols.h"

/* All pointers stay the caller's. */
struct image_options {
  const char *const *classes; /* element classes to link */
  unsigned class_count;
  const char *const *links; /* further archives (.a) that may hold classes */
  unsigned link_count;
  const char *image; /* the file to make */
  bool keep_symbols;
};

/* Links the core and the element classes into the image, strips it unless keep_symbols, and writes BUILDID.sym beside it, whose
 * text is also appended to symbols. A class that no archive has is an error by name. */
int image_link(const struct image_options *options, char build_id[BUILD_ID_TEXT], struct text *symbols,
               struct report *report) MUST_USE;
/* True if the archive at path defines the element class. */
bool image_archive_has_class(const char *path, const char *class_name);

#endif
