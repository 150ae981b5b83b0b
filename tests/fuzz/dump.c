/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libFuzzer target: capture files. Whatever bytes come, reading gives frames whose captured bytes are in the file, then an end or a
 * code; and looking for their IP headers stays within them.
 */
#include <stdint.h>
#include <stdlib.h>

#include "elements/link_type.h"
#include "platform/process/pcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  FILE *file = size > 0 ? fmemopen((void *)data, size, "rb") : NULL;
  if (file == NULL) return 0;
  struct pcap_reader reader;
  struct report report = {0};
  int started = pcap_reader_start(&reader, file, "fuzz.pcap", &report);
  if ((started == 0) != (report.errors == 0)) abort();
  report_free(&report);
  if (started != 0) return 0;
  struct pcap_frame frame;
  int status;
  do {
    /* Of the frame's own size where it fits, so that a byte read past it is found. */
    uint8_t buffer[PACKET_DATA_CAPACITY];
    status = pcap_read_frame(&reader, buffer, sizeof buffer, &frame);
    if (status != 1) break;
    if (frame.captured > frame.length || frame.captured > size || reader.position > size) abort();
    uint32_t length = frame.captured < sizeof buffer ? frame.captured : (uint32_t)sizeof buffer;
    size_t room = align_up(sizeof(struct packet) + length, _Alignof(struct packet));
    struct packet *p = aligned_alloc(_Alignof(struct packet), room);
    if (p == NULL) abort();
    memset(p, 0, room);
    p->data = (uint8_t *)(p + 1);
    p->length = length;
    memcpy(p->data, buffer, length);
    bool found = link_type_mark_ip(link_type_canonical(frame.link_type), p);
    if (found && p->transport_header > sizeof *p + length) abort();
    free(p);
  } while (status == 1);
  if (status > 0) abort();
  pcap_reader_close(&reader);
  return 0;
}
