/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options of IP and TCP headers as text, in the notation of the manual page of Click's ToIPSummaryDump, and what the two have in common:
 * "98" and "99=0:5:10" for options by number, "nop" and "eol", ';' between options (',' in older dumps).
 */
#ifndef IMAGO_PLATFORM_PROCESS_SUMMARY_OPTION_H
#define IMAGO_PLATFORM_PROCESS_SUMMARY_OPTION_H

#include "platform/process/summary/field.h"

enum { OPTION_END = 0, OPTION_NOP = 1 }; /* of both */

/* "." when there are none but padding, "?" when one is damaged. */
void ip_options_print(const uint8_t *options, uint32_t length, struct text *out);
/* Into value->room. False: it is none of the notation, or too long for a header. */
bool ip_options_parse(struct slice text, struct summary_value *value);

/* Kinds of TCP options that a field shows. */
enum tcp_option_kinds { TCP_PADDING = 1, TCP_SACK = 2, TCP_TIMESTAMP = 4, TCP_OTHERS = 8, TCP_ALL = 15 };
void tcp_options_print(const uint8_t *options, uint32_t length, unsigned kinds, struct text *out);
bool tcp_options_parse(struct slice text, unsigned kinds, struct summary_value *value);
/* Copies the options of these kinds, up to the first damaged one, to `to`, which has room for OPTIONS_MAX. Returns their length. */
uint32_t tcp_options_select(const uint8_t *options, uint32_t length, unsigned kinds, uint8_t *to);

/* --- for both --- */

/* The length of the option that begins here; 0: it does not fit into `left` bytes, or is shorter than `least`. */
uint32_t option_length(const uint8_t *option, uint32_t left, uint32_t least);
void option_print_unknown(const uint8_t *option, uint32_t length, struct text *out);

/* Options that are being made of a text. */
struct option_text {
  struct slice rest;
  uint8_t *bytes;
  uint32_t length;
  bool overflow; /* more than a header can hold */
};
void option_add(struct option_text *o, uint32_t byte);
void option_add_u32(struct option_text *o, uint32_t word);
/* Takes what the rest begins with; false: it begins otherwise, and nothing is taken. */
bool option_take(struct option_text *o, const char *text);
/* A number in Click's notation, up to max. */
bool option_take_number(struct option_text *o, uint32_t max, uint32_t *number);
bool option_take_unknown(struct option_text *o);
/* All options of a text, each taken by `take`. "." and nothing are no options. */
bool option_take_all(struct slice text, bool (*take)(struct option_text *o, unsigned kinds), unsigned kinds,
                     struct summary_value *value);

#endif
