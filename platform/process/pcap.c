/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The classic pcap format: a 24-byte file header, then per frame a 16-byte header and the bytes. A file that turns out to be pcapng
 * is handed to pcapng.c.
 */
#include "platform/process/pcap.h"

#include <errno.h>
#include <string.h>

#include "platform/process/compressed.h"
#include "platform/process/dump_file.h"

enum {
  FILE_HEADER_SIZE = 24,
  RECORD_HEADER_SIZE = 16,
  MODIFIED_EXTRA = 8, /* interface index, protocol, packet type */
  LINK_TYPE_ETHERNET = 1,
  SNAPSHOT_LENGTH = 65535,
};
#define MAGIC_MICROSECONDS 0xa1b2c3d4u
#define MAGIC_NANOSECONDS 0xa1b23c4du
#define MAGIC_MODIFIED 0xa1b2cd34u
#define MAGIC_PCAPNG 0x0a0d0d0au

bool pcap_get(struct pcap_reader *reader, void *to, size_t length) {
  size_t got = fread(to, 1, length, reader->file);
  reader->position += got;
  return got == length;
}

/* Frames may come from a pipe, so that nothing seeks. */
bool pcap_skip(struct pcap_reader *reader, uint64_t length) {
  char bytes[4096];
  while (length > 0) {
    size_t piece = length < sizeof bytes ? (size_t)length : sizeof bytes;
    if (!pcap_get(reader, bytes, piece)) return false;
    length -= piece;
  }
  return true;
}

/* Both headers are made of 32-bit words, the version's two 16-bit halves aside. */
static uint32_t word(const struct pcap_reader *reader, uint32_t value) {
  return reader->swapped ? __builtin_bswap32(value) : value;
}

static bool is_magic(uint32_t magic) {
  return magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS || magic == MAGIC_MODIFIED;
}

static int check_header(struct pcap_reader *reader, const char *path, struct report *report) {
  uint32_t magic, rest[FILE_HEADER_SIZE / 4 - 1];
  if (!pcap_get(reader, &magic, sizeof magic)) {
    return report_error(report, ERROR_TRUNCATED, "%s: too short for a capture file", path);
  }
  enum compression compression = compression_of((const uint8_t *)&magic, sizeof magic);
  if (compression != COMPRESSION_NONE) return compression_refuse(compression, path, report); /* from a pipe */
  if (magic == MAGIC_PCAPNG) return pcapng_start(reader, path, report);
  reader->swapped = is_magic(__builtin_bswap32(magic));
  if (!reader->swapped && !is_magic(magic)) {
    return report_error(report, ERROR_INVALID, "%s: not a capture file (magic %08x)", path, magic);
  }
  if (!pcap_get(reader, rest, sizeof rest)) {
    return report_error(report, ERROR_TRUNCATED, "%s: too short for a capture file", path);
  }
  uint16_t version[2];
  memcpy(version, rest, sizeof version);
  if (reader->swapped) version[0] = __builtin_bswap16(version[0]), version[1] = __builtin_bswap16(version[1]);
  if (version[0] != 2) {
    return report_error(report, ERROR_UNSUPPORTED, "%s: unknown major version %u", path, version[0]);
  }
  reader->lengths_swapped = version[1] < 3;
  reader->lengths_ambiguous = version[1] == 3;
  magic = word(reader, magic);
  reader->nanoseconds = magic == MAGIC_NANOSECONDS;
  reader->extra_header = magic == MAGIC_MODIFIED ? MODIFIED_EXTRA : 0;
  reader->link_type = word(reader, rest[4]) & 0x0fffffff;
  return 0;
}

int pcap_reader_start(struct pcap_reader *reader, FILE *file, const char *path, struct report *report) {
  *reader = (struct pcap_reader){.file = file};
  int error = check_header(reader, path, report);
  if (error != 0) pcap_reader_close(reader);
  return error;
}

int pcap_reader_open_any(struct pcap_reader *reader, const char *path, struct report *report) {
  *reader = (struct pcap_reader){0};
  FILE *file = dump_file_open(path, report);
  if (file == NULL) return -ERROR_IO;
  return pcap_reader_start(reader, file, path, report);
}

int pcap_reader_open(struct pcap_reader *reader, const char *path, struct report *report) {
  int error = pcap_reader_open_any(reader, path, report);
  if (error != 0 || reader->link_type == LINK_TYPE_ETHERNET) return error;
  pcap_reader_close(reader);
  return report_error(report, ERROR_UNSUPPORTED, "%s: link type %u; only Ethernet (1) is taken", path,
                      reader->link_type);
}

int pcap_read_frame(struct pcap_reader *reader, void *buffer, size_t size, struct pcap_frame *frame) {
  if (reader->blocks) return pcapng_read_frame(reader, buffer, size, frame);
  uint32_t header[RECORD_HEADER_SIZE / 4];
  uint64_t before = reader->position;
  if (!pcap_get(reader, header, sizeof header)) return reader->position == before ? 0 : -ERROR_TRUNCATED;
  uint32_t captured = word(reader, header[2]), length = word(reader, header[3]);
  if (reader->lengths_swapped || (reader->lengths_ambiguous && captured > length)) {
    uint32_t other = captured;
    captured = length;
    length = other;
  }
  if (captured > PCAP_FRAME_MAX) return -ERROR_INVALID;
  frame->time = (uint64_t)word(reader, header[0]) * 1000000000 +
                (uint64_t)word(reader, header[1]) * (reader->nanoseconds ? 1 : 1000);
  frame->link_type = reader->link_type;
  frame->length = length;
  /* tcptrace writes captured lengths above the length; the bytes past it are nobody's. */
  frame->captured = captured < length ? captured : length;
  size_t taken = frame->captured < size ? frame->captured : size;
  if (!pcap_skip(reader, reader->extra_header)) return -ERROR_TRUNCATED;
  if (!pcap_get(reader, buffer, taken) || !pcap_skip(reader, captured - taken)) return -ERROR_TRUNCATED;
  return 1;
}

int pcap_read(struct pcap_reader *reader, void *buffer, size_t size, uint32_t *length) {
  struct pcap_frame frame;
  int status;
  do {
    status = pcap_read_frame(reader, buffer, size, &frame);
  } while (status == 1 && frame.link_type != reader->link_type);
  if (status == 1) *length = frame.captured;
  return status;
}

int pcap_seek(struct pcap_reader *reader, uint64_t position) {
  if (position > INT64_MAX || fseeko(reader->file, (off_t)position, SEEK_SET) != 0) return -ERROR_IO;
  reader->position = position;
  return 0;
}

void pcap_reader_close(struct pcap_reader *reader) {
  dump_file_close(reader->file);
  reader->file = NULL;
}

int pcap_write_header(FILE *file, uint32_t link_type, uint32_t snapshot_length, bool nanoseconds) {
  /* Version 2.4, time zone and accuracy 0. */
  const uint32_t header[FILE_HEADER_SIZE / 4] = {
      nanoseconds ? MAGIC_NANOSECONDS : MAGIC_MICROSECONDS, 4u << 16 | 2u, 0, 0, snapshot_length, link_type};
  return fwrite(header, sizeof header, 1, file) == 1 ? 0 : -ERROR_IO;
}

int pcap_write_frame(FILE *file, bool nanoseconds, const struct pcap_frame *frame, const void *bytes) {
  uint64_t fraction = frame->time % 1000000000 / (nanoseconds ? 1 : 1000);
  const uint32_t header[RECORD_HEADER_SIZE / 4] = {(uint32_t)(frame->time / 1000000000), (uint32_t)fraction,
                                                   frame->captured, frame->length};
  if (fwrite(header, sizeof header, 1, file) != 1) return -ERROR_IO;
  return frame->captured == 0 || fwrite(bytes, frame->captured, 1, file) == 1 ? 0 : -ERROR_IO;
}

FILE *pcap_writer_open(const char *path, struct report *report) {
  FILE *file = fopen(path, "wbe");
  if (file == NULL || pcap_write_header(file, LINK_TYPE_ETHERNET, SNAPSHOT_LENGTH, false) != 0) {
    report_error(report, ERROR_IO, "%s: cannot be written: %s", path, strerror(errno));
    if (file != NULL) (void)fclose(file);
    return NULL;
  }
  return file;
}

int pcap_write(FILE *file, uint64_t wall, const void *bytes, uint32_t length) {
  const struct pcap_frame frame = {.time = wall, .captured = length, .length = length};
  return pcap_write_frame(file, false, &frame, bytes);
}
