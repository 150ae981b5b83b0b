/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The texts of the error codes.
 */
#include "lib/error.h"

static const char *const texts[ERROR_COUNT] = {
    [ERROR_NONE] = "no error",
    [ERROR_NO_MEMORY] = "no memory",
    [ERROR_INVALID] = "invalid",
    [ERROR_NOT_FOUND] = "not found",
    [ERROR_EXISTS] = "exists already",
    [ERROR_TOO_BIG] = "over a limit",
    [ERROR_TRUNCATED] = "ends early",
    [ERROR_SIGNATURE] = "signature wrong",
    [ERROR_KEY] = "key unknown",
    [ERROR_VERSION] = "version too old",
    [ERROR_AUDIENCE] = "not meant for this element",
    [ERROR_UNSUPPORTED] = "not supported",
    [ERROR_PERMISSION] = "permission denied",
    [ERROR_BUSY] = "busy",
    [ERROR_IO] = "input or output failed",
    [ERROR_FAULT] = "program faulted",
    [ERROR_STATE] = "not possible now",
};

const char *error_text(int code) {
  /* Negated as unsigned, because -INT_MIN is not an int. */
  unsigned index = code < 0 ? 0u - (unsigned)code : (unsigned)code;
  return index < ERROR_COUNT ? texts[index] : "unknown error";
}
