/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The one enumeration of error codes. Functions return 0 or a negated code; the text table is for messages. Codes say
 * what kind of thing went wrong; the sentence that names the thing and the fix goes into a struct report.
 */
#ifndef IMAGO_LIB_ERROR_H
#define IMAGO_LIB_ERROR_H

enum error {
  ERROR_NONE = 0,
  ERROR_NO_MEMORY,   /* an allocation or a fixed limit ran out */
  ERROR_INVALID,     /* malformed input or argument */
  ERROR_NOT_FOUND,   /* no such name, key, file, element or handler */
  ERROR_EXISTS,      /* the name or key is there already */
  ERROR_TOO_BIG,     /* over a stated limit (docs/limits.md) */
  ERROR_TRUNCATED,   /* input ends early */
  ERROR_SIGNATURE,   /* signature wrong */
  ERROR_KEY,         /* key unknown */
  ERROR_VERSION,     /* version at or below the floor */
  ERROR_AUDIENCE,    /* bundle not meant for this element */
  ERROR_UNSUPPORTED, /* well-formed, but not offered here */
  ERROR_PERMISSION,  /* handler is not readable / not writable, or refused by policy */
  ERROR_BUSY,        /* someone else holds it; try again */
  ERROR_IO,          /* device or host failed */
  ERROR_FAULT,       /* an eBPF program faulted */
  ERROR_STATE,       /* the operation makes no sense now */
  ERROR_COUNT
};

/* Short lower-case text for a code (positive or negated): "no memory", "signature wrong" ... Never NULL; codes outside
 * the enumeration give "unknown error". */
const char *error_text(int code);

#define MUST_USE __attribute__((warn_unused_result))

#endif
