/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of what programs in elements see of the system: routes and MTUs. Results of helpers are Linux's
 * (include/uapi/linux/bpf.h: BPF_FIB_LKUP_RET_*, BPF_MTU_CHK_RET_*).
 */
#include "tests/unit/bpf/asm.h"
#include "tests/unit/elements/bundles.h"
#include "tests/unit/elements/frames.h"

/* bpf_fib_lookup with the first four bytes as destination and BPF_FIB_LOOKUP_SKIP_NEIGH: on success to the interface that it gives,
 * otherwise passed with the result as first byte. */
static const struct bpf_insn route[] = {
    MOV(6, 1),
    LOAD(BPF_W, 7, 6, 0),
    STORE_IMM(BPF_B, 10, -64, 2), /* family */
    LOAD(BPF_W, 2, 6, offsetof(struct xdp_md, ingress_ifindex)),
    STORE(BPF_W, 10, 2, -64 + 8),
    LOAD(BPF_W, 2, 7, 0),
    STORE(BPF_W, 10, 2, -64 + 32),
    MOV(1, 6),
    MOV(2, 10),
    ADD_IMM(2, -64),
    MOV_IMM(3, 64),
    MOV_IMM(4, 4),
    CALL_HELPER(BPF_HELPER_FIB_LOOKUP),
    JUMP_IMM(BPF_JEQ, 0, 0, 3),
    STORE(BPF_B, 7, 0, 0),
    MOV_IMM(0, XDP_PASS),
    EXIT(),
    LOAD(BPF_W, 1, 10, -64 + 8),
    MOV_IMM(2, 0),
    CALL_HELPER(BPF_HELPER_REDIRECT),
    EXIT(),
};
/* bpf_check_mtu of the interface in the first byte for the length in the second, or the packet's; these become the result and the MTU in
 * units of 10. */
static const struct bpf_insn check[] = {
    MOV(6, 1),
    LOAD(BPF_W, 7, 6, 0),
    LOAD(BPF_B, 2, 7, 0),
    LOAD(BPF_B, 3, 7, 1),
    STORE(BPF_W, 10, 3, -4),
    MOV(3, 10),
    ADD_IMM(3, -4),
    MOV_IMM(4, 0),
    MOV_IMM(5, 0),
    CALL_HELPER(BPF_HELPER_CHECK_MTU),
    STORE(BPF_B, 7, 0, 0),
    LOAD(BPF_W, 2, 10, -4),
    INSN(BPF_ALU64 | BPF_DIV | BPF_K, 2, 0, 0, 10),
    STORE(BPF_B, 7, 2, 1),
    MOV_IMM(0, XDP_PASS),
    EXIT(),
};

#define TABLE                                                                                                  \
  "Idle -> rt :: RadixIPLookup(10.0.0.0/8 2, 198.51.100.0/24 198.51.100.9 1, 192.0.2.1/32 0, 172.16.0.0/12 3)" \
  " -> d :: Discard; rt [1] -> d; rt [2] -> d; rt [3] -> d; "
#define REWRITER(arguments)                                                                                     \
  "i :: Inject -> e :: BPFRewriter(first" arguments "); e [0] -> o0 :: Capture; e [1] -> o1 :: Capture; e [2] " \
  "-> o2 :: Capture"

static const char *const outputs[] = {"o0", "o1", "o2"};

/* Output n of the table is interface n is output n of the element; what the table leads to output 0 is for this host, and not forwarded.
 * A route to an interface that is not there leads to where ON_ABORT says. The table is asked as it is then. */
static void routes_lead_to_outputs(void **state) {
  static const struct {
    const char *in, *out[3];
  } cases[] = {
      {"0a010203", {"", "", "0a010203 "}}, /* 10.1.2.3 */
      {"c6336405", {"", "c6336405 ", ""}}, /* 198.51.100.5, by a gateway */
      {"c0000201", {"04000201 ", "", ""}}, /* 192.0.2.1: BPF_FIB_LKUP_RET_NOT_FWDED */
      {"08080808", {"04080808 ", "", ""}}, /* no route */
      {"ac100001", {"", "", ""}},          /* 172.16.0.1: the table has interface 3, the element has not */
  };
  bundles_start((struct recipe){"t", 1, CODE(route)}, TABLE REWRITER(", FIB rt"));
  for (size_t i = 0; i < COUNT(cases); i++) {
    frames_send("i", cases[i].in, 0);
    for (unsigned output = 0; output < 3; output++)
      assert_string_equal(frames_captured(outputs[output]), cases[i].out[output]);
  }
  harness_expect_write("rt.add", "8.0.0.0/8 2", 0);
  frames_send("i", "08080808", 0);
  assert_string_equal(frames_captured("o2"), "08080808 ");
  harness_stop();
}

/* Without FIB there is no table: -EINVAL. What has no routes, and what is not there, is refused. */
static void tables_are_named(void **state) {
  bundles_start((struct recipe){"t", 1, CODE(route)}, TABLE REWRITER(""));
  frames_send("i", "0a010203", 0);
  assert_string_equal(frames_captured("o0"), "ea010203 ");
  harness_refuses_beside(TABLE REWRITER(", FIB d"), "FIB: no routes are in 'd'; name a RadixIPLookup or its like");
  harness_refuses_beside(TABLE REWRITER(", FIB nowhere"), "FIB: there is no element 'nowhere'");
  /* A graph that names one goes on with the program. */
  harness_replace(TABLE REWRITER(", FIB rt"));
  frames_send("i", "0a010203", 0);
  assert_string_equal(frames_captured("o2"), "0a010203 ");
  harness_stop();
}

/* The MTU is the NIC's that an element of the graph has; interface 0 is where the packet came in by; outputs without a NIC have 1500; others
 * are not there (-ENODEV). */
static void mtus(void **state) {
  static const struct {
    const char *in, *out;
  } cases[] = {
      {"023c", "0006 "},                                       /* interface 2 is NIC 1, MTU 60: 60 bytes fit */
      {"023d", "0106 "},                                       /* 61 do not: BPF_MTU_CHK_RET_FRAG_NEEDED */
      {"0200", "0006 "},                                       /* the packet's own 2 bytes */
      {"01ff", "0096 "},                                       /* an output */
      {"0301", "ed00 "}, {"1101", "ed00 "}, {"fff0", "ed18 "}, /* 255: the length stays as it was */
      {"0001", "0096 "},
  };
  bundles_open((struct recipe){"t", 1, CODE(check)});
  harness.nic[1].nic.mtu = 60;
  harness_build(REWRITER("") "; FromDevice(eth1) -> Discard");
  for (size_t i = 0; i < COUNT(cases); i++) {
    frames_send("i", cases[i].in, 0);
    const char *got = frames_captured("o0");
    if (strcmp(got, cases[i].out) != 0) fail_msg("%s gives %s", cases[i].in, got);
  }
  harness_stop();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(routes_lead_to_outputs),
      cmocka_unit_test(tables_are_named),
      cmocka_unit_test(mtus),
  };
  return cmocka_run_group_tests(tests, NULL, bundles_release);
}
