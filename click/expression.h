/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The functions that Click's Script offers as read handlers with parameters: arithmetic, comparison, logic, text. They know
 * nothing of elements; those that need files or handlers are the element's (elements/script_host.c).
 */
#ifndef IMAGO_CLICK_EXPRESSION_H
#define IMAGO_CLICK_EXPRESSION_H

#include "lib/report.h"
#include "lib/text.h"

enum expression_function {
  EXPRESSION_ADD,
  EXPRESSION_SUB,
  EXPRESSION_MIN,
  EXPRESSION_MAX,
  EXPRESSION_MUL,
  EXPRESSION_DIV,
  EXPRESSION_IDIV,
  EXPRESSION_MOD,
  EXPRESSION_REM,
  EXPRESSION_NEG,
  EXPRESSION_ABS,
  EXPRESSION_EQ,
  EXPRESSION_NE,
  EXPRESSION_GT,
  EXPRESSION_GE,
  EXPRESSION_LT,
  EXPRESSION_LE,
  EXPRESSION_NOT,
  EXPRESSION_AND,
  EXPRESSION_OR,
  EXPRESSION_NAND,
  EXPRESSION_NOR,
  EXPRESSION_IF,
  EXPRESSION_IN,
  EXPRESSION_FIRST,
  EXPRESSION_LENGTH,
  EXPRESSION_UNQUOTE,
  EXPRESSION_SPRINTF,
  EXPRESSION_HTONS,
  EXPRESSION_HTONL,
  EXPRESSION_NTOHS,
  EXPRESSION_NTOHL,
  EXPRESSION_FUNCTIONS
};

/* Appends the value of the function of `arguments`. 0, or a negative code after reporting. */
int expression_evaluate(enum expression_function function, struct slice arguments, struct text *out,
                        struct report *report) MUST_USE;
/* sprintf FORMAT ARGS...: %o %x %X %u %d %i %s %% with flags, width, precision and '*'. */
int expression_sprintf(struct slice arguments, struct text *out, struct report *report) MUST_USE;

#endif
