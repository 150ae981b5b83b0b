/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Annotations by name: Click's table of them, as offset and size in bytes.
 */
#ifndef IMAGO_CLICK_ANNOTATION_H
#define IMAGO_CLICK_ANNOTATION_H

#include <stdint.h>

#include "lib/error.h"
#include "lib/string.h"

/* "PAINT", or a byte offset, for an annotation of `size` bytes (1, 2, 4 or 8): it must fit into the packet's annotations, be aligned,
 * and a name must be of that size. 0 or -ERROR_INVALID. */
int annotation_parse(struct slice text, uint32_t size, uint32_t *offset) MUST_USE;

#endif
