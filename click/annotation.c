/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Annotations by name. Offsets are those of Click's packet_anno.hh, so that programs and captures agree.
 */
#include "click/annotation.h"

#include "click/number.h"
#include "packet/packet.h"

static const struct {
  const char *name;
  uint8_t offset, size;
} annotations[] = {
    {"AGGREGATE", ANNOTATION_AGGREGATE, 4},
    {"DST_IP", ANNOTATION_DST_IP, 4},
    {"DST_IP6", 0, 16},
    {"EXTRA_LENGTH", 28, 4},
    {"EXTRA_PACKETS", 24, 4},
    {"FIRST_TIMESTAMP", 32, 8},
    {"FIX_IP_SRC", 19, 1},
    {"FWD_RATE", 20, 4},
    {"ICMP_PARAMPROB", 17, 1},
    {"IPREASSEMBLER", 28, 4},
    {"IPSEC_SPI", 32, 4},
    {"MISC_IP", 20, 4},
    {"PACKET_NUMBER", 32, 4},
    {"PAINT", ANNOTATION_PAINT, 1},
    {"PERFCTR", 40, 8},
    {"REV_RATE", 24, 4},
    {"SEQUENCE_NUMBER", 36, 4},
    {"VLAN", ANNOTATION_VLAN_TCI, 2},
    {"VLAN_TCI", ANNOTATION_VLAN_TCI, 2},
};

int annotation_parse(struct slice text, uint32_t size, uint32_t *offset) {
  uint64_t number = 0;
  bool named = false;
  for (size_t i = 0; i < sizeof annotations / sizeof *annotations && !named; i++) {
    if (!slice_equals(text, annotations[i].name)) continue;
    if (annotations[i].size != size) return -ERROR_INVALID;
    number = annotations[i].offset;
    named = true;
  }
  if (!named && number_unsigned(text, PACKET_ANNOTATION_SIZE - 1, &number) != 0) return -ERROR_INVALID;
  if (number % size != 0 || number + size > PACKET_ANNOTATION_SIZE) return -ERROR_INVALID;
  *offset = (uint32_t)number;
  return 0;
}
