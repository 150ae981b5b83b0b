/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Property of every element that takes packets: whatever a packet looks like, it leaves inside its buffer, or it is counted as dropped.
 * Packets here are empty, fill their buffers to the last byte, have no room in front or behind, and marks of headers that point before
 * them, behind them and at their last bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/elements/harness.h"

static const char *const elements[] = {
    "ARPPrint(x, ETHER true)",
    "Align(8, 7)",
    "AverageCounter",
    "CheckICMPHeader(VERBOSE true)",
    "CheckIPHeader(VERBOSE true)",
    "CheckIPHeader(OFFSET 4294967295)",
    "CheckIPHeader2(OFFSET 14, INTERFACES 10.0.0.1/8)",
    "CheckLength(0)",
    "CheckLength(4294967295, EXTRA_LENGTH true)",
    "CheckPaint(1)",
    "CheckTCPHeader",
    "CheckUDPHeader",
    "Classifier(0/00)",
    "Classifier(!1663/ff)",
    "Classifier(14/4500%f000 23/11)",
    "Counter",
    "EtherEncap(0x0800, 1:1:1:1:1:1, 2:2:2:2:2:2)",
    "EtherMirror",
    "HashSwitch(0, 4294967295)",
    "HashSwitch(4294967295, 4294967295)",
    "HashSwitch(4294967295, 2)",
    "HostEtherFilter(2:2:2:2:2:2, true, OFFSET 4294967295)",
    "HostEtherFilter(2:2:2:2:2:2, OFFSET 1650)",
    "IPClassifier(tcp dst port 80 or udp src port < 7)",
    "IPClassifier(ip frag or icmp type 8 or ip[8:4] 1 or transp[12:1] > 3)",
    "IPFilter(allow tcp opt syn, 0 dst net 10.0.0.0/8, drop all)",
    "IPPrint(x, CONTENTS HEX, MAXLENGTH -1, ETHER true, ID true, LENGTH true, AGGREGATE true)",
    "IPPrint(x, PAYLOAD ASCII, MAXLENGTH -1)",
    "MarkIPHeader(0)",
    "MarkIPHeader(1663)",
    "MarkIPHeader(4294967295) -> IPPrint",
    "MarkIPHeader(1650) -> IPPrint(PAYLOAD HEX) -> CheckTCPHeader",
    "Null",
    "Pad(1664)",
    "Pad(4294967295)",
    "Truncate(3) -> Pad",
    "Truncate(0) -> Truncate(0) -> Pad(ZERO false)",
    "Paint(255) -> PaintSwitch",
    "Print(x, -1, HEADROOM true, PRINTANNO true, CONTENTS ASCII)",
    "RandomSample(0.5)",
    "RatedSplitter(0)",
    "BandwidthRatedSplitter(18446744073709551615Bps)",
    "SetTimestamp(FIRST true)",
    "Strip(0)",
    "Strip(1)",
    "Strip(4294967295)",
    "Strip(14) -> Unstrip(14)",
    "StripToNetworkHeader",
    "StripToNetworkHeader -> Strip(20) -> StripToNetworkHeader",
    "Tee",
    "Truncate(4294967295)",
    "Unstrip(1)",
    "Unstrip(256)",
    "Unstrip(4294967295)",
    "Unstrip(1663) -> CheckIPHeader -> IPPrint",
};

/* Where packets begin and end in their buffers, counted from the buffer's first byte. */
static const struct {
  unsigned begin, end;
} places[] = {{256, 256}, {256, 257}, {256, 270}, {256, 290},   {256, 1920},  {0, 0},       {0, 1},
              {0, 20},    {0, 1920},  {1, 1919},  {1920, 1920}, {1919, 1920}, {1906, 1920}, {255, 283}};
/* Bytes that pass for the start of Ethernet, IP or ARP, and noise. */
static const char *const contents[] = {"\x45", "\x4f", "\x46", "\xff", "", "\x02\x02\x02\x02\x02\x02"};
enum {
  PLACES = sizeof places / sizeof places[0],
  CONTENTS = sizeof contents / sizeof contents[0],
  BUFFER = 1920,
  MARKS = 6
};

static struct packet *make(unsigned place, unsigned content, unsigned mark) {
  struct packet *p = packet_new(&harness.pool);
  uint8_t *buffer = packet_buffer_start(p);
  unsigned begin = places[place].begin, end = places[place].end;
  for (unsigned i = 0; i < BUFFER; i++)
    buffer[i] = (uint8_t)(i * 7 + content);
  p->data = buffer + begin;
  p->length = end - begin;
  size_t length = strlen(contents[content]);
  if (length < p->length) memcpy(p->data, contents[content], length);
  /* Unset, at the front, at the back, in the middle, and stripped away or cut off. */
  const unsigned marks[MARKS] = {0, begin, end, (begin + end) / 2, begin > 0 ? begin - 1 : 0, BUFFER};
  if (mark > 0) {
    p->mac_header = (uint16_t)(marks[(mark + 1) % MARKS] + sizeof *p);
    p->network_header = (uint16_t)(marks[mark] + sizeof *p);
    p->transport_header = (uint16_t)(marks[(mark + 2) % MARKS] + sizeof *p);
  }
  store_le32(p->annotation + 28, mark * 0x3fffffff); /* extra length */
  p->timestamp = mark % 2 ? UINT64_MAX : 0;
  return p;
}

/* --- Inside: says where a packet lies --- */

static unsigned seen, outside;

static void inside_simple(struct element *e, struct batch *batch) {
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    seen++;
    outside += p->data < packet_buffer_start(p) || p->length > BUFFER || p->data + p->length > packet_buffer_end(p);
  }
}

static const struct element_class inside_class = {
    .name = "Inside", .ports = "1/1", .processing = "a/a", .size = sizeof(struct element), .simple = inside_simple};
ELEMENT(Inside, inside_class);

/* --- every packet through every element --- */

enum { PACKETS = PLACES * CONTENTS * MARKS };

static bool build(const char *graph) {
  harness_open();
  struct report report = {0};
  int status =
      router_create("test.click", slice_of(graph), &harness.services, &harness.scheduler, &harness.router, &report);
  report_free(&report);
  if (status < 0) harness.router = NULL;
  return status == 0;
}

static unsigned long long dropped(void) {
  const char *total = strstr(harness_read("drops"), "total ");
  assert_non_null(total);
  return strtoull(total + 6, NULL, 10);
}

/* False if the element does not stand on such a path. */
static bool survives(const char *element, const char *graph, unsigned batch_size) {
  char config[300];
  format_text(config, sizeof config, graph, element);
  seen = outside = 0;
  bool built = build(config);
  for (unsigned n = 0; built && n < PACKETS;) {
    struct batch batch = {.count = 0};
    for (; n < PACKETS && batch.count < batch_size; n++)
      batch.packet[batch.count++] = make(n % PLACES, n / PLACES % CONTENTS, n / PLACES / CONTENTS);
    element_push(router_find(harness.router, "i"), 0, &batch);
    harness_run_until_idle();
  }
  if (built) {
    if (outside > 0) fail_msg("%s: %u packets outside their buffers", config, outside);
    /* Discard, at the end, counts what has passed as dropped too. */
    if (dropped() != PACKETS || harness_number("o.count") != seen)
      fail_msg("%s: %u packets, %llu dropped of %u", config, seen, dropped(), (unsigned)PACKETS);
  }
  harness_stop();
  return built;
}

static void packets_stay_inside(void **state) {
  static const unsigned sizes[] = {1, 7, BATCH_MAX};
  for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
    bool tried = false;
    for (unsigned n = 0; n < 3; n++) {
      tried = survives(elements[i], "i :: Inject -> %s -> Inside -> o :: Discard", sizes[n]) || tried;
      tried =
          survives(elements[i], "i :: Inject -> Queue -> %s -> Inside -> PullNull -> o :: Discard", sizes[n]) || tried;
    }
    if (!tried) fail_msg("%s fits nowhere", elements[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(packets_stay_inside)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
