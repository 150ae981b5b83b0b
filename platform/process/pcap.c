/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The classic pcap format: a 24-byte file header, then per frame a 16-byte header and the bytes.
 */
#include "platform/process/pcap.h"

#include <errno.h>
#include <string.h>

enum {
  FILE_HEADER_SIZE = 24,
  RECORD_HEADER_SIZE = 16,
  LINK_TYPE_ETHERNET = 1,
  SNAPSHOT_LENGTH = 65535,
};
#define MAGIC_MICROSECONDS 0xa1b2c3d4u
#define MAGIC_NANOSECONDS 0xa1b23c4du
#define MAGIC_PCAPNG 0x0a0d0d0au

/* Both headers are made of 32-bit words (the version's two 16-bit halves aside, which nobody needs). */
static uint32_t word(const struct pcap_reader *reader, const uint32_t *header, unsigned index) {
  return reader->swapped ? __builtin_bswap32(header[index]) : header[index];
}

static int check_header(struct pcap_reader *reader, const char *path, struct report *report) {
  uint32_t header[FILE_HEADER_SIZE / 4];
  if (fread(header, sizeof header, 1, reader->file) != 1) {
    return report_error(report, ERROR_TRUNCATED, "%s: too short for a pcap file", path);
  }
  reader->swapped =
      header[0] == __builtin_bswap32(MAGIC_MICROSECONDS) || header[0] == __builtin_bswap32(MAGIC_NANOSECONDS);
  uint32_t magic = word(reader, header, 0), link_type = word(reader, header, 5) & 0x0fffffff;
  if (magic == MAGIC_PCAPNG) {
    return report_error(report, ERROR_UNSUPPORTED, "%s: is pcapng; convert it with: editcap -F pcap", path);
  }
  if (magic != MAGIC_MICROSECONDS && magic != MAGIC_NANOSECONDS) {
    return report_error(report, ERROR_INVALID, "%s: not a pcap file (magic %08x)", path, magic);
  }
  if (link_type != LINK_TYPE_ETHERNET) {
    return report_error(report, ERROR_UNSUPPORTED, "%s: link type %u; only Ethernet (1) is taken", path, link_type);
  }
  return 0;
}

int pcap_reader_open(struct pcap_reader *reader, const char *path, struct report *report) {
  *reader = (struct pcap_reader){.file = fopen(path, "rbe")};
  if (reader->file == NULL) return report_error(report, ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
  int error = check_header(reader, path, report);
  if (error != 0) pcap_reader_close(reader);
  return error;
}

/* Frames may come from a pipe, so that nothing seeks. */
static bool skip(FILE *file, size_t length) {
  char bytes[4096];
  while (length > 0) {
    size_t n = fread(bytes, 1, length < sizeof bytes ? length : sizeof bytes, file);
    if (n == 0) return false;
    length -= n;
  }
  return true;
}

int pcap_read(struct pcap_reader *reader, void *buffer, size_t size, uint32_t *length) {
  uint32_t header[RECORD_HEADER_SIZE / 4];
  size_t got = fread(header, 1, sizeof header, reader->file);
  if (got == 0 && feof(reader->file)) return 0;
  if (got != sizeof header) return -ERROR_TRUNCATED;
  uint32_t captured = word(reader, header, 2);
  if (captured > PCAP_FRAME_MAX) return -ERROR_INVALID;
  size_t taken = captured < size ? captured : size;
  if (taken > 0 && fread(buffer, taken, 1, reader->file) != 1) return -ERROR_TRUNCATED;
  if (!skip(reader->file, captured - taken)) return -ERROR_TRUNCATED;
  *length = captured;
  return 1;
}

void pcap_reader_close(struct pcap_reader *reader) {
  if (reader->file != NULL) (void)fclose(reader->file);
  reader->file = NULL;
}

FILE *pcap_writer_open(const char *path, struct report *report) {
  /* Version 2.4, time zone and accuracy 0. */
  const uint32_t header[FILE_HEADER_SIZE / 4] = {MAGIC_MICROSECONDS, 4u << 16 | 2u,     0, 0,
                                                 SNAPSHOT_LENGTH,    LINK_TYPE_ETHERNET};
  FILE *file = fopen(path, "wbe");
  if (file == NULL || fwrite(header, sizeof header, 1, file) != 1) {
    report_error(report, ERROR_IO, "%s: cannot be written: %s", path, strerror(errno));
    if (file != NULL) (void)fclose(file);
    return NULL;
  }
  return file;
}

int pcap_write(FILE *file, uint64_t wall, const void *frame, uint32_t length) {
  const uint32_t header[RECORD_HEADER_SIZE / 4] = {(uint32_t)(wall / 1000000000), (uint32_t)(wall % 1000000000 / 1000),
                                                   length, length};
  if (fwrite(header, sizeof header, 1, file) != 1) return -ERROR_IO;
  return length == 0 || fwrite(frame, length, 1, file) == 1 ? 0 : -ERROR_IO;
}
