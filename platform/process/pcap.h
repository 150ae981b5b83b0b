/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Capture files in the classic pcap format (draft-ietf-opsawg-pcap): Ethernet, either byte order, micro- or nanoseconds.
 * Reads what is not trusted.
 */
#ifndef IMAGO_PLATFORM_PROCESS_PCAP_H
#define IMAGO_PLATFORM_PROCESS_PCAP_H

#include <stdint.h>
#include <stdio.h>

#include "lib/report.h"

enum { PCAP_FRAME_MAX = 262144 }; /* what tcpdump writes at most; a longer record is damage */

struct pcap_reader {
  FILE *file;
  bool swapped; /* written on a machine of the other byte order */
};

/* Opens and checks the file header. 0 or a negative code after reporting. */
int pcap_reader_open(struct pcap_reader *reader, const char *path, struct report *report) MUST_USE;
/* Reads the next frame: its captured length goes to *length, and as much of it as fits into buffer. 1: a frame, 0: the end,
 * -ERROR_INVALID or -ERROR_TRUNCATED: the file is damaged there. */
int pcap_read(struct pcap_reader *reader, void *buffer, size_t size, uint32_t *length) MUST_USE;
void pcap_reader_close(struct pcap_reader *reader);

/* Creates or empties the file and writes its header. NULL after reporting. Close with fclose. */
FILE *pcap_writer_open(const char *path, struct report *report) MUST_USE;
/* Writes one frame that was seen at `wall` (nanoseconds since 1970). 0 or -ERROR_IO. */
int pcap_write(FILE *file, uint64_t wall, const void *frame, uint32_t length) MUST_USE;

#endif
