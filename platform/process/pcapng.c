/* SPDX-License-Identifier: BSD-3-Clause
 *
 * pcapng (draft-ietf-opsawg-pcapng): blocks of a type, a length, a body, and the length again. Sections may differ in byte order,
 * interfaces in link type and resolution of time. Blocks that hold no frame are skipped.
 */
#include <string.h>

#include "platform/process/pcap.h"

enum block_type { BLOCK_INTERFACE = 1, BLOCK_PACKET = 2, BLOCK_SIMPLE = 3, BLOCK_ENHANCED = 6 };
#define BLOCK_SECTION 0x0a0d0d0au
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

enum {
  BLOCK_OVERHEAD = 12, /* type and both lengths */
  SECTION_BODY = 16,
  INTERFACE_BODY = 8,
  FRAME_BODY = 20, /* of BLOCK_ENHANCED and BLOCK_PACKET */
  SIMPLE_BODY = 4,
  OPTION_RESOLUTION = 9,
  OPTION_OFFSET = 14,
  RESOLUTION_MICROSECONDS = 6,
};

static uint16_t order16(const struct pcap_reader *reader, uint16_t value) {
  return reader->swapped ? __builtin_bswap16(value) : value;
}
static uint32_t order32(const struct pcap_reader *reader, uint32_t value) {
  return reader->swapped ? __builtin_bswap32(value) : value;
}

/* Reads from the body of a block and keeps count of what is left of it; false when it is too short or the file ends. */
static bool take(struct pcap_reader *reader, uint32_t *left, void *to, uint32_t length) {
  if (length > *left || !pcap_get(reader, to, length)) return false;
  *left -= length;
  return true;
}

/* What is left of the body, and the second length, which must be as the first. */
static int finish_block(struct pcap_reader *reader, uint32_t left, uint32_t total) {
  uint32_t again;
  if (!pcap_skip(reader, left) || !pcap_get(reader, &again, sizeof again)) return -ERROR_TRUNCATED;
  return order32(reader, again) == total ? 0 : -ERROR_INVALID;
}

/* The length of a block from its bytes: that of the body goes to *left. */
static int check_total(uint32_t total, uint32_t *left) {
  if (total < BLOCK_OVERHEAD || total % 4 != 0) return -ERROR_INVALID;
  *left = total - BLOCK_OVERHEAD;
  return 0;
}

/* A section begins: its byte order holds from its length on, and interfaces are counted anew. */
static int read_section(struct pcap_reader *reader) {
  uint32_t words[2], left;
  if (!pcap_get(reader, words, sizeof words)) return -ERROR_TRUNCATED;
  reader->swapped = words[1] == __builtin_bswap32(BYTE_ORDER_MAGIC);
  if (!reader->swapped && words[1] != BYTE_ORDER_MAGIC) return -ERROR_INVALID;
  uint32_t total = order32(reader, words[0]);
  if (check_total(total, &left) != 0 || left < SECTION_BODY) return -ERROR_INVALID;
  left -= (uint32_t)sizeof words[1];
  uint16_t version[2];
  if (!take(reader, &left, version, sizeof version)) return -ERROR_TRUNCATED;
  if (order16(reader, version[0]) != 1) return -ERROR_UNSUPPORTED;
  reader->interface_count = 0;
  return finish_block(reader, left, total);
}

/* The two options that change what timestamps mean. */
static int read_options(struct pcap_reader *reader, uint32_t *left, struct pcap_interface *interface) {
  uint16_t head[2];
  while (*left >= sizeof head) {
    if (!take(reader, left, head, sizeof head)) return -ERROR_TRUNCATED;
    uint16_t code = order16(reader, head[0]), length = order16(reader, head[1]);
    uint32_t padded = (length + 3u) & ~3u;
    uint8_t value[8] = {0};
    if (code == 0) return 0;
    if (padded > *left) return -ERROR_INVALID;
    uint32_t kept = length < sizeof value ? length : sizeof value;
    if (!take(reader, left, value, kept) || !pcap_skip(reader, padded - kept)) return -ERROR_TRUNCATED;
    *left -= padded - kept;
    if (code == OPTION_RESOLUTION && length == 1) interface->resolution = value[0];
    if (code == OPTION_OFFSET && length == sizeof value) {
      memcpy(&interface->offset, value, sizeof value);
      if (reader->swapped) interface->offset = __builtin_bswap64(interface->offset);
    }
  }
  return 0;
}

static int read_interface(struct pcap_reader *reader, uint32_t *left) {
  uint16_t link_type[2];
  struct pcap_interface interface = {.resolution = RESOLUTION_MICROSECONDS};
  if (reader->interface_count == PCAP_INTERFACES_MAX) return -ERROR_TOO_BIG;
  if (!take(reader, left, link_type, sizeof link_type) || !take(reader, left, &interface.snapshot_length, 4)) {
    return -ERROR_INVALID;
  }
  interface.link_type = order16(reader, link_type[0]);
  interface.snapshot_length = order32(reader, interface.snapshot_length);
  int error = read_options(reader, left, &interface);
  if (error == 0) reader->interfaces[reader->interface_count++] = interface;
  return error;
}

/* Units of the interface's resolution to nanoseconds since 1970; what doesn't fit wraps. */
static uint64_t nanoseconds_of(const struct pcap_interface *interface, uint64_t units) {
  unsigned exponent = interface->resolution & 0x7f;
  unsigned __int128 time = units;
  if (interface->resolution & 0x80) {
    time = exponent < 64 ? time * 1000000000 >> exponent : 0;
  } else {
    for (; exponent < 9; exponent++)
      time *= 10;
    for (; exponent > 9 && time > 0; exponent--)
      time /= 10;
  }
  return (uint64_t)time + interface->offset * 1000000000;
}

static int read_bytes(struct pcap_reader *reader, uint32_t *left, void *buffer, size_t size,
                      const struct pcap_frame *frame) {
  if (frame->captured > *left || frame->captured > PCAP_FRAME_MAX) return -ERROR_INVALID;
  uint32_t taken = frame->captured < size ? frame->captured : (uint32_t)size;
  return take(reader, left, buffer, taken) ? 0 : -ERROR_TRUNCATED;
}

/* BLOCK_ENHANCED, and its predecessor BLOCK_PACKET, whose interface has 16 bits before a count of drops. */
static int read_enhanced(struct pcap_reader *reader, bool old, uint32_t *left, void *buffer, size_t size,
                         struct pcap_frame *frame) {
  uint32_t words[FRAME_BODY / 4];
  if (*left < sizeof words) return -ERROR_INVALID;
  if (!take(reader, left, words, sizeof words)) return -ERROR_TRUNCATED;
  uint16_t half;
  memcpy(&half, words, sizeof half);
  uint32_t index = old ? order16(reader, half) : order32(reader, words[0]);
  if (index >= reader->interface_count) return -ERROR_INVALID;
  const struct pcap_interface *interface = &reader->interfaces[index];
  frame->time = nanoseconds_of(interface, (uint64_t)order32(reader, words[1]) << 32 | order32(reader, words[2]));
  frame->link_type = interface->link_type;
  frame->captured = order32(reader, words[3]);
  frame->length = order32(reader, words[4]);
  if (frame->length < frame->captured) frame->length = frame->captured;
  return read_bytes(reader, left, buffer, size, frame);
}

/* BLOCK_SIMPLE has no time; what was captured follows from the interface's snapshot length. */
static int read_simple(struct pcap_reader *reader, uint32_t *left, void *buffer, size_t size,
                       struct pcap_frame *frame) {
  uint32_t length;
  if (*left < SIMPLE_BODY || reader->interface_count == 0) return -ERROR_INVALID;
  if (!take(reader, left, &length, sizeof length)) return -ERROR_TRUNCATED;
  const struct pcap_interface *interface = &reader->interfaces[0];
  *frame = (struct pcap_frame){.length = order32(reader, length), .link_type = interface->link_type};
  frame->captured = frame->length;
  if (interface->snapshot_length > 0 && frame->captured > interface->snapshot_length) {
    frame->captured = interface->snapshot_length;
  }
  return read_bytes(reader, left, buffer, size, frame);
}

/* The block behind its type. 1: it held a frame, 0: it did not, or a negative code. */
static int read_block(struct pcap_reader *reader, uint32_t type, void *buffer, size_t size, struct pcap_frame *frame) {
  uint32_t total, left;
  if (type == BLOCK_SECTION) return read_section(reader);
  if (!pcap_get(reader, &total, sizeof total)) return -ERROR_TRUNCATED;
  total = order32(reader, total);
  int error = check_total(total, &left);
  if (error != 0) return error;
  type = order32(reader, type);
  bool has_frame = type == BLOCK_ENHANCED || type == BLOCK_PACKET || type == BLOCK_SIMPLE;
  if (type == BLOCK_INTERFACE) error = read_interface(reader, &left);
  if (type == BLOCK_ENHANCED || type == BLOCK_PACKET) {
    error = read_enhanced(reader, type == BLOCK_PACKET, &left, buffer, size, frame);
  }
  if (type == BLOCK_SIMPLE) error = read_simple(reader, &left, buffer, size, frame);
  if (error == 0) error = finish_block(reader, left, total);
  return error != 0 ? error : has_frame;
}

int pcapng_start(struct pcap_reader *reader, const char *path, struct report *report) {
  struct pcap_frame frame;
  uint32_t type;
  reader->blocks = true;
  int status = read_section(reader);
  while (status == 0 && reader->interface_count == 0) {
    status = pcap_get(reader, &type, sizeof type) ? read_block(reader, type, NULL, 0, &frame) : -ERROR_TRUNCATED;
  }
  if (status == 0) {
    reader->link_type = reader->interfaces[0].link_type;
    return 0;
  }
  return report_error(report, (enum error) - status, "%s: damaged pcapng file: %s before its first interface", path,
                      error_text(status));
}

int pcapng_read_frame(struct pcap_reader *reader, void *buffer, size_t size, struct pcap_frame *frame) {
  for (;;) {
    uint32_t type;
    uint64_t before = reader->position;
    if (!pcap_get(reader, &type, sizeof type)) return reader->position == before ? 0 : -ERROR_TRUNCATED;
    int status = read_block(reader, type, buffer, size, frame);
    if (status != 0) return status;
  }
}
