/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of FromDevice and ToDevice over a NIC made of memory.
 */
#include "tests/unit/elements/harness.h"

/* FromDevice reads bursts and sets what later elements rely on. */
static void receives(void **state) {
  harness_start("f :: FromDevice(eth1, BURST 2) -> o :: Capture");
  harness.nic[1].incoming = slice_of("nememe1 nether1 \xff\xff\xff\xff\xff\xffx tiny");
  harness_run(1);
  assert_int_equal(harness_number("f.count"), 2);
  struct packet *p = harness_last("o");
  assert_int_equal(p->type, PACKET_OTHERHOST);
  assert_int_equal(p->nic, 1);
  assert_int_equal(p->timestamp, 1700000000123456000);
  assert_ptr_equal((uint8_t *)p + p->mac_header, p->data);
  harness_run(3);
  assert_string_equal(harness_captured("o"), "nememe1 nether1 \xff\xff\xff\xff\xff\xffx tiny ");
  assert_int_equal(harness_number("f.count"), 4);
  assert_int_equal(harness_number("f.byte_count"), 25);
  harness_expect_write("f.reset_counts", "", 0);
  assert_int_equal(harness_number("f.count"), 0);
  harness_stop();
}

/* The packet type follows the destination address. */
static void tells_packet_types(void **state) {
  static const struct {
    const char *frame;
    enum packet_type type;
  } cases[] = {{"nememe", PACKET_HOST},
               {"\xff\xff\xff\xff\xff\xff", PACKET_BROADCAST},
               {"\xff\xff\xff\xff\xff\xfe", PACKET_MULTICAST},
               {"\x01zzzzz", PACKET_MULTICAST},
               {"nememf", PACKET_OTHERHOST},
               {"short", PACKET_HOST}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    harness_start("FromDevice(eth0, TIMESTAMP false) -> o :: Capture");
    harness.nic[0].incoming = slice_of(cases[i].frame);
    harness_run(1);
    assert_int_equal(harness_last("o")->type, cases[i].type);
    assert_int_equal(harness_last("o")->timestamp, 0);
    harness_stop();
  }
}

/* ToDevice keeps what the NIC does not take, sends it first, and loses and reorders nothing; nic->tx_waiting says that
 * it waits. */
static void keeps_what_is_not_taken(void **state) {
  harness_start("i :: Inject -> q :: Queue -> t :: ToDevice(eth0, BURST 4)");
  struct memory_nic *nic = &harness.nic[0];
  harness_inject("i", "a b c d e f g", 256);
  nic->accept = 3;
  harness_run(1);
  assert_true(nic->nic.tx_waiting);
  assert_int_equal(harness_number("q.length"), 3);
  nic->accept = 0;
  harness_run(2);
  assert_string_equal(text_string(&nic->sent), "a b c ");
  assert_int_equal(harness_number("q.length"), 3);
  nic->accept = 256;
  harness_run(3);
  assert_string_equal(text_string(&nic->sent), "a b c d e f g ");
  assert_false(nic->nic.tx_waiting);
  assert_int_equal(harness_number("t.count"), 7);
  assert_int_equal(nic->most_sent, 4);
  harness_stop();
}

/* Click's manual page: packets that are written go to output 0, if it exists, those that fail to be to output 1, if it exists. In order,
 * as the NIC takes them, with their annotations. */
static void sends_on_to_outputs(void **state) {
  static const struct {
    const char *outputs, *sent, *refused;
  } cases[] = {{"t -> o :: Capture; t[1] -> x :: Capture", "a b c d ", "!1 !2 !3 "},
               {"t -> o :: Capture; x :: Capture; Idle -> x", "a b c d ", ""},
               {"o :: Capture; x :: Capture; Idle -> o; Idle -> x", "", ""}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char config[256];
    format_text(config, sizeof config, "i :: Inject -> Paint(7) -> q :: Queue -> t :: ToDevice(eth0); %s",
                cases[i].outputs);
    harness_start(config);
    harness.nic[0].accept = 2;
    harness_inject("i", "!1 a b !2 !3 c d", 256);
    harness_run(1);
    assert_int_equal(harness_number("t.count"), 2);
    harness_run(5);
    assert_string_equal(text_string(&harness.nic[0].sent), "a b c d ");
    if (cases[i].sent[0] != '\0') assert_int_equal(annotation_u8(harness_last("o"), ANNOTATION_PAINT), 7);
    assert_string_equal(harness_captured("o"), cases[i].sent);
    assert_string_equal(harness_captured("x"), cases[i].refused);
    assert_int_equal(harness_number("t.count"), 7);
    assert_null(harness.nic[0].nic.refused);
    harness_stop();
  }
}

/* Without room nothing is pulled, so that the queue upstream fills; the NIC is asked to tell when there is room. */
static void pulls_only_what_fits(void **state) {
  harness_start("i :: Inject -> q :: Queue -> t :: ToDevice(eth0)");
  struct memory_nic *nic = &harness.nic[0];
  harness_inject("i", "a b c", 256);
  nic->room = 0;
  harness_run(2);
  assert_int_equal(harness_number("q.length"), 3);
  assert_true(nic->nic.tx_waiting);
  nic->room = 2;
  harness_run(1);
  assert_int_equal(harness_number("q.length"), 1);
  assert_false(nic->nic.tx_waiting);
  harness_run(1);
  assert_string_equal(text_string(&nic->sent), "a b c ");
  harness_stop();
}

/* Packets still held when the graph ends go back to the pool (harness_stop counts them). */
static void returns_what_it_holds(void **state) {
  harness_start("i :: Inject -> Queue -> ToDevice(eth0)");
  harness_inject("i", "a b c", 256);
  harness.nic[0].accept = 1;
  harness_run(1);
  assert_string_equal(text_string(&harness.nic[0].sent), "a ");
  harness_stop();
}

/* max_gap is the longest time between two bursts; reset_gap forgets, also the burst before it. */
static void measures_gaps(void **state) {
  harness_start("i :: Inject -> Queue -> t :: ToDevice(eth0)");
  static const uint64_t times[] = {1000, 1500, 4500, 5000};
  for (size_t i = 0; i < 4; i++) {
    harness.now = times[i];
    harness_inject("i", "x", 1);
    harness_run(1);
  }
  assert_int_equal(harness_number("t.max_gap"), 3000);
  harness_expect_write("t.reset_gap", "", 0);
  harness.now = 90000;
  harness_inject("i", "x", 1);
  harness_run(2);
  assert_int_equal(harness_number("t.max_gap"), 0);
  harness.now = 90007;
  harness_inject("i", "x", 1);
  harness_run(1);
  assert_int_equal(harness_number("t.max_gap"), 7);
  harness_stop();
}

/* Drops of the interface are readable by name and as a sum. */
static void shows_drops_of_the_nic(void **state) {
  harness_start("f :: FromDevice(eth0) -> Queue -> t :: ToDevice(eth0)");
  struct nic_stats *stats = &harness.nic[0].nic.stats;
  *stats = (struct nic_stats){
      .rx_no_buffer = 1, .rx_too_long = 2, .rx_error = 4, .tx_error = 8, .tx_full = 16, .rx_missed = 32};
  assert_int_equal(harness_number("f.drops"), 39);
  assert_int_equal(harness_number("f.kernel_drops"), 32);
  assert_int_equal(harness_number("t.drops"), 8);
  assert_string_equal(harness_read("f.stats"),
                      "rx_packets 0\nrx_bytes 0\ntx_packets 0\ntx_bytes 0\nrx_no_buffer 1\nrx_too_long 2\nrx_error 4\n"
                      "rx_missed 32\ntx_error 8\ntx_full 16\n");
  harness_stop();
}

/* A NIC belongs to one reader and one writer. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"FromDevice(eth7) -> Discard", "no network interface 'eth7'"},
      {"FromDevice -> Discard", "DEVNAME"},
      {"FromDevice(eth0, BURST 257) -> Discard", "BURST: must be between 1 and 256, not 257"},
      {"FromDevice(eth0, BURST 0) -> Discard", "BURST: must be between 1 and 256, not 0"},
      {"f :: FromDevice(eth0) -> Discard; FromDevice(eth0) -> Discard",
       "interface 'eth0' is taken by 'f :: FromDevice' already"},
      {"t :: ToDevice(eth0); Idle -> t; Idle -> ToDevice(eth0)",
       "interface 'eth0' is taken by 't :: ToDevice' already; join the paths in front of its Queue"},
      /* What Click's manual pages of FromDevice and ToDevice have and this does not. */
      {"FromDevice(eth0, SNIFFER false) -> Discard", "SNIFFER: must be true; METHOD AF_XDP keeps frames from the host"},
      {"FromDevice(eth0, BPF_FILTER \"udp port 53\") -> Discard", "BPF_FILTER: not supported; put an IPClassifier"},
      {"FromDevice(eth0, ENCAP FDDI) -> Discard", "ENCAP: must be ETHER, not 'FDDI'"},
      {"FromDevice(eth0, HEADROOM 257) -> Discard", "HEADROOM: at most 256 bytes, which every packet has, not 257"},
      {"FromDevice(eth0, SNAPLEN 13) -> Discard", "SNAPLEN: must be between 14 and 65535, not 13"},
      {"FromDevice(eth0, SNAPLEN 65536) -> Discard", "SNAPLEN: must be between 14 and 65535, not 65536"},
      {"FromDevice(eth0, OUTBOUND true) -> Discard", "OUTBOUND: 'eth0' does not show what the host sends there"},
      {"Idle -> ToDevice(eth0, DEBUG true)", "DEBUG: not supported; read the handlers count, drops and stats"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

/* Values of Click's arguments that change nothing here are taken. */
static void takes_clicks_arguments(void **state) {
  harness_start("FromDevice(eth0, true, 65535, SNIFFER true, BPF_FILTER \"\", ENCAP ETHER, HEADROOM 28) -> Queue"
                " -> ToDevice(eth0, QUIET true, DEBUG false)");
  assert_true(harness.nic[0].nic.promiscuous);
  harness_stop();
  harness_start("f :: FromDevice(eth0, PROMISC false) -> Discard");
  assert_false(harness.nic[0].nic.promiscuous);
  assert_true(harness.nic[0].nic.receives);
  assert_string_equal(harness_read("f.encap"), "ETHER");
  harness_stop();
}

/* PROMISC and OUTBOUND reach the device before the graph runs; frames that the host sent are of type outgoing. */
static unsigned listened;
static void count_listening(struct nic *nic) { listened++; }
static unsigned receive_outgoing(struct nic *nic, unsigned queue, struct batch *batch, unsigned max) {
  struct packet *p = packet_new_from(nic->pool, "\xff\xff\xff\xff\xff\xff", 6);
  p->type = PACKET_OUTGOING;
  p->timestamp = 12345;
  batch->packet[batch->count++] = p;
  return 1;
}

static void device_knows_better(void **state) {
  harness_open();
  struct nic *nic = &harness.nic[0].nic;
  struct nic_ops ops = *nic->ops;
  ops.listen = count_listening;
  ops.receive = receive_outgoing;
  nic->ops = &ops;
  nic->has_outbound = true;
  listened = 0;
  harness_build("FromDevice(eth0, OUTBOUND true, BURST 1) -> o :: Capture");
  assert_int_equal(listened, 1);
  assert_true(nic->outbound);
  harness_run(1);
  assert_int_equal(harness_last("o")->type, PACKET_OUTGOING);
  assert_int_equal(harness_last("o")->timestamp, 12345);
  harness_stop();
}

/* SNAPLEN cuts packets, and the extra-length annotation has what is missing (Click's manual: "sets packets' extra length
 * annotations as appropriate"). */
static void cuts_packets(void **state) {
  harness_start("f :: FromDevice(eth0, SNAPLEN 14) -> o :: Capture");
  harness.nic[0].incoming = slice_of("0123456789abcdef 0123456789abcd");
  harness_run(2);
  assert_int_equal(annotation_u32(harness_last("o"), ANNOTATION_EXTRA_LENGTH), 0);
  assert_string_equal(harness_captured("o"), "0123456789abcd 0123456789abcd ");
  harness_stop();
  harness_start("f :: FromDevice(eth0, SNAPLEN 14) -> o :: Capture");
  harness.nic[0].incoming = slice_of("0123456789abcdefg");
  harness_run(1);
  assert_int_equal(annotation_u32(harness_last("o"), ANNOTATION_EXTRA_LENGTH), 3);
  harness_stop();
}

/* PROTOCOL lets one Ethernet type through; FORCE_IP lets IP through, and the rest goes to output 1 where there is one. Types from
 * IEEE 802's list: 0x6262 ("bb") is nobody's; IPv4 is 0x0800. */
static void filters(void **state) {
  static const char ip[] = "aaaaaaaaaaaa\x08\x00"
                           "E4567890123456789012"; /* 0x45: version 4, 20 bytes of header */
  static const char other[] = "aaaaaaaaaaaabbcc";
  harness_start("f :: FromDevice(eth0, PROTOCOL 0x6262) -> o :: Capture");
  harness.nic[0].incoming = slice_of("aaaaaaaaaaaabbcc aaaaaaaaaaaabcbb aaaaaaaaaaaab aaaaaaaaaaaabb");
  harness_run(4);
  assert_string_equal(harness_captured("o"), "aaaaaaaaaaaabbcc aaaaaaaaaaaabb ");
  assert_string_equal(harness_read("f.drops"), "0");
  assert_int_equal(harness_number("f.count"), 4);
  harness_stop();
  for (unsigned outputs = 1; outputs <= 2; outputs++) {
    harness_start(outputs == 1 ? "f :: FromDevice(eth0, FORCE_IP true) -> o :: Capture"
                               : "f :: FromDevice(eth0, FORCE_IP true) -> o :: Capture; f[1] -> x :: Capture");
    harness.nic[0].incoming = (struct slice){other, sizeof other - 1};
    harness_run(1);
    assert_string_equal(harness_captured("o"), "");
    if (outputs == 2) assert_string_equal(harness_captured("x"), "aaaaaaaaaaaabbcc ");
    harness.nic[0].incoming = (struct slice){ip, sizeof ip - 1};
    harness_run(1);
    struct packet *p = harness_last("o");
    assert_int_equal(p->length, sizeof ip - 1);
    assert_ptr_equal((uint8_t *)p + p->network_header, p->data + 14);
    harness_stop();
  }
}

/* ACTIVE false: nothing is read, and nothing wakes anybody, until the handler says so. */
static void rests_and_goes_on(void **state) {
  harness_start("f :: FromDevice(eth0, ACTIVE false) -> o :: Capture");
  struct memory_nic *nic = &harness.nic[0];
  nic->incoming = slice_of("a b c");
  harness_run(2);
  assert_false(nic->nic.receives);
  assert_string_equal(harness_captured("o"), "");
  harness_expect_write("f.active", "true", 0);
  assert_true(nic->nic.receives);
  harness_run(2);
  assert_string_equal(harness_captured("o"), "a b c ");
  harness_expect_write("f.active", "false", 0);
  nic->incoming = slice_of("d");
  harness_run(2);
  assert_string_equal(harness_captured("o"), "");
  assert_string_equal(harness_read("f.active"), "false");
  harness_stop();
}

static char opened[64];
static int open_by_method(const char *name, const char *method, struct nic **nic, struct report *report) {
  format_text(opened, sizeof opened, "%s by %s", name, method != NULL ? method : "default");
  *nic = &harness.nic[0].nic;
  return 0;
}

/* METHOD goes to the platform, which opens the interface that way. */
static void method_is_handed_on(void **state) {
  static const char *const cases[][2] = {
      {"FromDevice(x, METHOD PCAP) -> Discard", "x by PCAP"},
      {"FromDevice(x) -> Discard", "x by default"},
      {"FromDevice(x, CAPTURE LINUX) -> Discard", "x by LINUX"},
      {"Idle -> ToDevice(x, METHOD unix)", "x by unix"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    harness_open();
    harness.services.nic_open = open_by_method;
    harness_build(cases[i][0]);
    assert_string_equal(opened, cases[i][1]);
    harness_stop();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(method_is_handed_on),
      cmocka_unit_test(takes_clicks_arguments),
      cmocka_unit_test(device_knows_better),
      cmocka_unit_test(cuts_packets),
      cmocka_unit_test(filters),
      cmocka_unit_test(rests_and_goes_on),
      cmocka_unit_test(receives),
      cmocka_unit_test(tells_packet_types),
      cmocka_unit_test(keeps_what_is_not_taken),
      cmocka_unit_test(sends_on_to_outputs),
      cmocka_unit_test(pulls_only_what_fits),
      cmocka_unit_test(returns_what_it_holds),
      cmocka_unit_test(measures_gaps),
      cmocka_unit_test(shows_drops_of_the_nic),
      cmocka_unit_test(refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
