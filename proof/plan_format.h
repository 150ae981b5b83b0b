/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bytes of a proof that reader and writer share (docs/proof.md). Private to proof/.
 */
#ifndef IMAGO_PROOF_PLAN_FORMAT_H
#define IMAGO_PROOF_PLAN_FORMAT_H

#include "proof/check.h"

enum { PROOF_VERSION = 1, PROOF_MAX_LENGTH = 1 << 20 };

/* First byte of a change; the lowest bits of an argument. */
enum {
  PROOF_TAG_KIND = 15,
  PROOF_TAG_NULL = 16,
  PROOF_TAG_SIZE = 5, /* from this bit on: the size of an argument's memory */
  PROOF_TAG_LINKED = 32,
  PROOF_TAG_MEASURE = 64,
  PROOF_TAG_ROOM = 128,
};
/* Second byte of a change of a slot: bits 0 to 2 `at`; bits 3 to 5: 0, or 1 + logarithm of `size`. */
enum { PROOF_PLACE_MASK = 64 }; /* the mask of written bytes follows; otherwise they are those of the value */

/* First byte of a number. */
enum {
  PROOF_PART_UNSIGNED = 1,
  PROOF_PART_SIGNED = 2,
  PROOF_PART_BITS = 4,
  PROOF_PART_UNSIGNED_32 = 8,
  PROOF_PART_SIGNED_32 = 16,
  PROOF_PART_CONSTANT = 32,
  PROOF_PART_END = 64,
};

/* What is written of a value, by its kind. */
enum {
  PROOF_HAS_OBJECT = 1,
  PROOF_HAS_DELTA = 2, /* of a scalar if it is linked */
  PROOF_HAS_ROOM = 4,
  PROOF_HAS_NUMBER = 8,
  PROOF_HAS_NULL = 16,
};
static const uint8_t proof_parts_of[] = {
    [PROOF_UNREADABLE] = 0,
    [PROOF_SCALAR] = PROOF_HAS_DELTA | PROOF_HAS_NUMBER,
    [PROOF_CONTEXT] = PROOF_HAS_DELTA,
    [PROOF_PACKET] = PROOF_HAS_DELTA | PROOF_HAS_ROOM | PROOF_HAS_NUMBER,
    [PROOF_PACKET_END] = 0,
    [PROOF_META] = PROOF_HAS_DELTA | PROOF_HAS_ROOM | PROOF_HAS_NUMBER,
    [PROOF_STACK] = PROOF_HAS_OBJECT | PROOF_HAS_DELTA | PROOF_HAS_NUMBER,
    [PROOF_MAP] = PROOF_HAS_OBJECT | PROOF_HAS_NULL,
    [PROOF_MAP_VALUE] = PROOF_HAS_OBJECT | PROOF_HAS_DELTA | PROOF_HAS_NUMBER | PROOF_HAS_NULL,
    [PROOF_RECORD] = PROOF_HAS_DELTA | PROOF_HAS_ROOM | PROOF_HAS_NUMBER | PROOF_HAS_NULL,
    [PROOF_MEMORY] = PROOF_HAS_DELTA | PROOF_HAS_ROOM | PROOF_HAS_NUMBER,
    [PROOF_FUNCTION] = 0, /* never accepted: functions come from instructions only */
    [PROOF_STALE] = 0,
    [PROOF_LENT] = PROOF_HAS_DELTA | PROOF_HAS_ROOM | PROOF_HAS_NUMBER | PROOF_HAS_NULL,
};

#endif
