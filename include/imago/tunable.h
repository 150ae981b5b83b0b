/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For eBPF programs: constants that whoever runs the program may choose, by the argument CONST of its element or while it runs.
 *
 *   const volatile __u32 rate IMAGO_TUNABLE(1, 1000000) = 100;
 *
 * The bounds are numbers, decimal or hexadecimal, without suffix; both are included, and the initial value must lie between them. The
 * program must be right for every value in the range, and for another one each time it reads the variable.
 */
#ifndef IMAGO_TUNABLE_H
#define IMAGO_TUNABLE_H

#define IMAGO_TUNABLE_TEXT(text) #text
#define IMAGO_TUNABLE_TAG(min, max) \
  __attribute__((btf_decl_tag("imago:tunable=" IMAGO_TUNABLE_TEXT(min) ".." IMAGO_TUNABLE_TEXT(max))))
/* Macros among the bounds are replaced first. */
#define IMAGO_TUNABLE(min, max) IMAGO_TUNABLE_TAG(min, max)

#endif
