/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linking an image from the libraries in the build tree (or wherever $IMAGO_LIB says).
 */
#ifndef IMAGO_TOOLS_IMAGE_H
#define IMAGO_TOOLS_IMAGE_H

#include "tools/symbols.h"

/* Links the core and the element classes into `image`, strips it unless keep_symbols, and writes BUILDID.sym beside it, whose
 * text is also appended to symbols. A class that the libraries lack is an error by name. */
int image_link(const char *const *classes, unsigned class_count, const char *image, bool keep_symbols,
               char build_id[BUILD_ID_TEXT], struct text *symbols, struct report *report) MUST_USE;

#endif
