/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of Strip, Unstrip, StripToNetworkHeader, Align. Packets are scapy's, behaviour is that of Click's manual.
 */
#include "packet/headers.h"
#include "tests/unit/elements/frames.h"
#include "tests/unit/elements/vectors.h"

/* Stripping the Ethernet header leaves what scapy builds without one, and comes back; nothing reaches outside of the packet. */
static void strips(void **state) {
  static const struct frame_row rows[] = {
      {"Strip(14)", VECTOR_ETHER_UDP, VECTOR_UDP, NULL},
      {"Strip(LENGTH 14)", VECTOR_ETHER_UDP, VECTOR_UDP, NULL},
      {"Strip(0)", VECTOR_UDP, VECTOR_UDP, NULL},
      {"Strip(14) -> Unstrip(14)", VECTOR_ETHER_UDP, VECTOR_ETHER_UDP, NULL},
      {"Strip(14) -> Unstrip(LENGTH 14)", VECTOR_ETHER_UDP, VECTOR_ETHER_UDP, NULL},
      {"Unstrip(257)", VECTOR_UDP, "", NULL},
      {"Unstrip(4294967295)", VECTOR_UDP, "", NULL},
      {"MarkIPHeader(14) -> StripToNetworkHeader", VECTOR_ETHER_UDP, VECTOR_UDP, NULL},
      {"MarkIPHeader(14) -> Strip(20) -> StripToNetworkHeader", VECTOR_ETHER_UDP, VECTOR_UDP, NULL},
      {"StripToNetworkHeader", VECTOR_ETHER_UDP, VECTOR_ETHER_UDP, NULL},
      {"Align(4, 1)", VECTOR_UDP, VECTOR_UDP, NULL},
      {"Align(8, 3) -> Align(2, 0)", VECTOR_UDP, VECTOR_UDP, NULL},
      {"Strip(14) -> Align(4, 0) -> Unstrip(14)", VECTOR_ETHER_UDP, VECTOR_ETHER_UDP, NULL},
      {"MarkIPHeader(14) -> Align(8, 5) -> StripToNetworkHeader", VECTOR_ETHER_UDP, VECTOR_UDP, NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    frames_check(&rows[i]);
}

/* Bytes that are not there cannot be stripped. */
static void strips_to_nothing(void **state) {
  harness_start("i :: Inject -> Strip(4294967295) -> o :: Capture");
  frames_send("i", VECTOR_UDP, 0);
  assert_int_equal(harness_last("o")->length, 0);
  assert_int_equal(packet_headroom(harness_last("o")), PACKET_HEADROOM + 33);
  harness_stop();
}

/* A packet without headroom for the bytes is dropped under a name. */
static void unstrip_drops(void **state) {
  harness_start("i :: Inject -> u :: Unstrip(200) -> v :: Unstrip(57) -> o :: Capture");
  frames_send("i", VECTOR_UDP, 0);
  assert_string_equal(harness_read("v.drops"), "no_headroom 1\n");
  assert_string_equal(harness_read("u.drops"), "no_headroom 0\n");
  harness_stop();
}

/* Every modulus and offset: data begin where they should. */
static void aligns(void **state) {
  static const struct {
    unsigned modulus, offset;
  } rows[] = {{2, 0}, {2, 1}, {4, 0}, {4, 1}, {4, 2}, {4, 3}, {8, 0}, {8, 3}, {8, 7}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    for (unsigned strip = 0; strip < 8; strip++) {
      char config[128];
      format_text(config, sizeof config, "i :: Inject -> Strip(%u) -> Align(%u, %u) -> o :: Capture", strip,
                  rows[i].modulus, rows[i].offset);
      harness_start(config);
      frames_send("i", VECTOR_UDP, 0);
      assert_int_equal((uintptr_t)harness_last("o")->data % rows[i].modulus, rows[i].offset);
      assert_string_equal(frames_captured("o"), &(VECTOR_UDP " ")[2 * strip]);
      harness_stop();
    }
  }
}

/* Without headroom a packet moves towards the end; without room there either it is dropped. */
static void aligns_full_buffers(void **state) {
  harness_start("i :: Inject -> a :: Align(4, 1) -> o :: Capture");
  for (unsigned missing = 0; missing < 2; missing++) {
    struct batch batch = {.count = 1};
    struct packet *p = batch.packet[0] = packet_new(&harness.pool);
    p->data = packet_buffer_start(p);
    p->length = (uint32_t)(packet_buffer_end(p) - p->data) - missing;
    memset(p->data, 7, p->length);
    element_push(router_find(harness.router, "i"), 0, &batch);
  }
  assert_string_equal(harness_read("a.drops"), "no_room 1\n");
  struct packet *p = harness_last("o");
  assert_ptr_equal(p->data, packet_buffer_start(p) + 1);
  assert_int_equal(p->data[0] + p->data[p->length - 1], 14);
  harness_stop();
}

/* Arguments that make no sense are refused with the reason. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Inject -> Strip -> Capture", "LENGTH: required argument missing"},
      {"Inject -> Unstrip(x) -> Capture", "LENGTH: parse error"},
      {"Inject -> Align(3, 0) -> Capture", "MODULUS must be 2, 4, or 8"},
      {"Inject -> Align(4, 4) -> Capture", "OFFSET must be smaller than MODULUS"},
      {"Inject -> Align(4) -> Capture", "OFFSET: required argument missing"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(strips), cmocka_unit_test(strips_to_nothing),   cmocka_unit_test(unstrip_drops),
      cmocka_unit_test(aligns), cmocka_unit_test(aligns_full_buffers), cmocka_unit_test(refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
