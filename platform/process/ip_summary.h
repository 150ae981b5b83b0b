/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The fields of IP summary dumps (Click's ToIPSummaryDump): one table that says how each is written from a packet and read into one.
 * Text only. Reads what is not trusted.
 */
#ifndef IMAGO_PLATFORM_PROCESS_IP_SUMMARY_H
#define IMAGO_PLATFORM_PROCESS_IP_SUMMARY_H

#include "lib/report.h"
#include "packet/packet.h"

enum { SUMMARY_FIELDS_MAX = 64, SUMMARY_EXTRA_PACKETS = 24, SUMMARY_EXTRA_LENGTH = 28 };

struct summary_field;
struct summary_fields {
  const struct summary_field *field[SUMMARY_FIELDS_MAX];
  unsigned count;
};

/* Names between blanks, each perhaps quoted: "ip_src ip_dst 'tcp seq'". 0 or a negative code after reporting. */
int summary_fields_parse(const char *names, struct summary_fields *fields, struct report *report) MUST_USE;
bool summary_fields_have(const struct summary_fields *fields, const char *name);
/* The line "!data ip_src ip_dst" with its end. */
void summary_fields_describe(const struct summary_fields *fields, struct text *out);

/* Appends one line for the packet, whose network header should be marked. What its headers do not have is "-". `extra_length`: add
 * the annotation to lengths. Returns what is wrong with the headers ("truncated IP header"), or NULL. */
const char *summary_write(const struct summary_fields *fields, const struct packet *p, bool extra_length,
                          struct text *out);
/* Makes the packet of a line: p is empty and has room for 60 bytes; its protocol is `protocol` where the line does not say one. True,
 * or false when a value is malformed, which then is as if it were "-". */
bool summary_read(const struct summary_fields *fields, struct slice line, uint8_t protocol, struct packet *p) MUST_USE;

#endif
