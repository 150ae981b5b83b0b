/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IP summary dumps (Click's ToIPSummaryDump and FromIPSummaryDump): a line of text, or a binary record, per packet, with the fields
 * that the dump was made with; and the lines with '!' between them that say so. Reads what is not trusted.
 */
#ifndef IMAGO_PLATFORM_PROCESS_SUMMARY_SUMMARY_H
#define IMAGO_PLATFORM_PROCESS_SUMMARY_SUMMARY_H

#include "lib/report.h"
#include "packet/packet.h"

enum {
  SUMMARY_FIELDS_MAX = 64,
  SUMMARY_LINE_MAX = 262144, /* bytes of a line or record; longer ones are damage */
  SUMMARY_MINOR_VERSION = 3, /* of "!IPSummaryDump 1.3" */
};
/* Annotations, as in Click's packet_anno.hh. */
enum { SUMMARY_EXTRA_PACKETS = 24, SUMMARY_EXTRA_LENGTH = 28, SUMMARY_FIRST_TIMESTAMP = 32 };

struct summary_field;
struct summary_fields {
  const struct summary_field *field[SUMMARY_FIELDS_MAX];
  unsigned count;
  uint8_t order[SUMMARY_FIELDS_MAX]; /* in which a reader stores them: what others depend on first */
};

enum summary_use { SUMMARY_WRITE, SUMMARY_WRITE_BINARY, SUMMARY_READ };

/* Names between blanks, each perhaps quoted: "ip_src ip_dst 'tcp seq'". Click's older names and abbreviations are taken, too. Writers
 * refuse what is unknown, or has no binary form; readers warn, and ignore it. 0 or a negative code after reporting. */
int summary_fields_parse(const char *names, enum summary_use use, struct summary_fields *fields,
                         struct report *report) MUST_USE;
bool summary_fields_have(const struct summary_fields *fields, const char *name);
/* The line "!data ip_src ip_dst" with its end. */
void summary_fields_describe(const struct summary_fields *fields, bool binary, struct text *out);

/* --- writing --- */

struct summary_style {
  bool binary;
  bool extra_length;       /* count the extra length annotation */
  bool careful_truncation; /* packets shorter than their IP length are bad */
};

/* Appends the line or record of a packet, whose network header should be marked. In text what its headers do not have is "-", in
 * binary 0. `bad` (may be NULL) gets what is wrong with the headers that the fields look at: "truncated IP header"; nothing when all is
 * well. */
void summary_write(const struct summary_fields *fields, const struct packet *p, const struct summary_style *style,
                   struct text *out, struct text *bad);
/* Appends a line (which ends in '\n') that is no packet, as binary dumps have it. */
void summary_write_line(struct slice line, bool binary, struct text *out);

/* --- reading --- */

/* What holds for the packets that follow: told by lines that begin with '!', or by arguments. */
struct summary_context {
  struct summary_fields fields;
  uint8_t protocol;        /* where the dump does not say: 6 */
  unsigned minor_version;  /* of the format: SUMMARY_MINOR_VERSION */
  bool binary;             /* records follow, not lines */
  bool have_flow;          /* addresses and ports for packets that have none of their own */
  uint8_t flow_address[8]; /* source, destination */
  uint16_t flow_port[2];
  bool have_aggregate;
  uint32_t aggregate;
  bool checksum; /* set checksums, and make the packet as long as its IP length says, as far as there is room */
};

void summary_context_init(struct summary_context *context);
/* A line that begins with '!': !IPSummaryDump, !data, !contents, !flowid, !proto, !aggregate, !binary; others are remarks. Mistakes go to
 * the report; then what was said before holds, or, of !data, nothing is understood until the next. */
void summary_context_line(struct summary_context *context, struct slice line, struct report *report);
/* The argument of !flowid: "SRC SPORT DST DPORT [PROTO]". 0 or a negative code after reporting. */
int summary_context_flow(struct summary_context *context, struct slice flow, struct report *report) MUST_USE;
/* Whether a dump may begin with this line. */
bool summary_is_banner(struct slice line);

/* Makes the packet of a line, or of the data of a binary record: p is new. Returns how many fields it was told; 0: it is no packet, and its
 * contents mean nothing. *malformed: one of the others makes no sense (and was left out). */
unsigned summary_read(const struct summary_context *context, struct slice line, bool binary, struct packet *p,
                      bool *malformed);

#endif
