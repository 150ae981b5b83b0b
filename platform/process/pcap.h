/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Capture files: the classic pcap format (draft-ietf-opsawg-pcap) in either byte order, with micro- or nanoseconds, read and
 * written; pcapng (draft-ietf-opsawg-pcapng) read. Reads what is not trusted.
 */
#ifndef IMAGO_PLATFORM_PROCESS_PCAP_H
#define IMAGO_PLATFORM_PROCESS_PCAP_H

#include <stdint.h>
#include <stdio.h>

#include "lib/report.h"

enum {
  PCAP_FRAME_MAX = 262144, /* what tcpdump writes at most; a longer record is damage */
  PCAP_INTERFACES_MAX = 64 /* of one section of a pcapng file */
};

/* A capture interface of a pcapng file. */
struct pcap_interface {
  uint32_t link_type;
  uint32_t snapshot_length; /* 0: none */
  uint8_t resolution;       /* if_tsresol: 10^-n seconds, or 2^-n with the top bit set */
  uint64_t offset;          /* if_tsoffset: seconds to add */
};

struct pcap_reader {
  FILE *file;
  bool swapped; /* written on a machine of the other byte order */
  bool nanoseconds;
  bool blocks;            /* pcapng */
  bool lengths_swapped;   /* version 2.2 and before: the two lengths of a record in the other order */
  bool lengths_ambiguous; /* version 2.3: in either order, the smaller is the captured one */
  uint32_t extra_header;  /* bytes behind a record's header: Kuznetsov's patched libpcap */
  uint32_t link_type;     /* LINKTYPE of the file, or of the first interface */
  uint64_t position;      /* bytes read */
  struct pcap_interface interfaces[PCAP_INTERFACES_MAX];
  uint32_t interface_count;
};

/* One frame's record. */
struct pcap_frame {
  uint64_t time;     /* nanoseconds since 1970 */
  uint32_t captured; /* bytes in the file, whether they fitted into the buffer or not */
  uint32_t length;   /* bytes on the wire, not below captured */
  uint32_t link_type;
};

/* Opens and checks the file header. 0 or a negative code after reporting. */
int pcap_reader_open(struct pcap_reader *reader, const char *path, struct report *report) MUST_USE; /* Ethernet only */
int pcap_reader_open_any(struct pcap_reader *reader, const char *path, struct report *report) MUST_USE; /* "-": stdin */
/* The same with an open stream, which becomes the reader's, also on failure; `path` names it in messages. */
int pcap_reader_start(struct pcap_reader *reader, FILE *file, const char *path, struct report *report) MUST_USE;
/* Reads the next frame: as much of it as fits into buffer. 1: a frame, 0: the end, -ERROR_INVALID or -ERROR_TRUNCATED: the file is
 * damaged there. */
int pcap_read_frame(struct pcap_reader *reader, void *buffer, size_t size, struct pcap_frame *frame) MUST_USE;
/* The same for frames of the file's link type alone; the captured length goes to *length. */
int pcap_read(struct pcap_reader *reader, void *buffer, size_t size, uint32_t *length) MUST_USE;
/* Goes on at `position`, where a record must begin. 0, or -ERROR_IO where the file cannot seek. */
int pcap_seek(struct pcap_reader *reader, uint64_t position) MUST_USE;
void pcap_reader_close(struct pcap_reader *reader);

/* For pcapng.c: reads exactly `length` bytes, or skips them; false at the end of the file. */
bool pcap_get(struct pcap_reader *reader, void *to, size_t length) MUST_USE;
bool pcap_skip(struct pcap_reader *reader, uint64_t length) MUST_USE;
/* pcapng.c: what stands behind the block type of a file's first block up to its first interface; and the next frame. */
int pcapng_start(struct pcap_reader *reader, const char *path, struct report *report) MUST_USE;
int pcapng_read_frame(struct pcap_reader *reader, void *buffer, size_t size, struct pcap_frame *frame) MUST_USE;

/* Creates or empties the file and writes its header. NULL after reporting. Close with fclose. */
FILE *pcap_writer_open(const char *path, struct report *report) MUST_USE;
/* Writes one frame that was seen at `wall` (nanoseconds since 1970). 0 or -ERROR_IO. */
int pcap_write(FILE *file, uint64_t wall, const void *frame, uint32_t length) MUST_USE;
/* The same for other link types, snapshot lengths and nanoseconds: first the file's header, then frames. 0 or -ERROR_IO. */
int pcap_write_header(FILE *file, uint32_t link_type, uint32_t snapshot_length, bool nanoseconds) MUST_USE;
int pcap_write_frame(FILE *file, bool nanoseconds, const struct pcap_frame *frame, const void *bytes) MUST_USE;

#endif
