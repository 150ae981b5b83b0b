/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A line for the log, put together in a buffer that the caller has on its stack. What does not fit is left out.
 */
#ifndef IMAGO_ELEMENTS_LINE_H
#define IMAGO_ELEMENTS_LINE_H

#include "click/element.h"

/* Invariant: length < size. */
struct line {
  char *data;
  size_t size, length;
};

/* What of a packet is printed. */
enum line_contents { LINE_NONE, LINE_HEX, LINE_ASCII };

void line_addf(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
void line_add(struct line *line, char c);
void line_add_hex(struct line *line, uint8_t byte);
/* Seconds and as many digits as Click prints: six, or nine when there are nanoseconds. */
void line_add_time(struct line *line, uint64_t timestamp);
/* 10.0.0.1; the address in network order */
void line_add_ip(struct line *line, uint32_t address);
/* 00-11-22-33-44-55 */
void line_add_ether(struct line *line, const uint8_t *address);
/* Sends it to a channel of the graph (click/channel.h), a line at each '\n'; `channel` NULL: to the log. */
void line_send(const struct line *line, const struct element *e, const char *channel);
void line_log(const struct line *line, const struct element *e);

/* NONE HEX ASCII in either case, or a boolean (true is HEX). False: it is none of these. */
bool line_contents_parse(const char *word, enum line_contents *contents);

#endif
