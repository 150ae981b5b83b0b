/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Our constants are Linux's: programs, compilers and libbpf's headers use those.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/context.h"
#include "bpf/isa.h"
#include "bpf/map.h"
#include "bpf/proto.h"
#include "tests/unit/bpf/linux_numbers.h"

static const struct linux_number ours[] = {
    {"BPF_LD", BPF_LD},
    {"BPF_LDX", BPF_LDX},
    {"BPF_ST", BPF_ST},
    {"BPF_STX", BPF_STX},
    {"BPF_ALU", BPF_ALU},
    {"BPF_JMP", BPF_JMP},
    {"BPF_JMP32", BPF_JMP32},
    {"BPF_ALU64", BPF_ALU64},
    {"BPF_K", BPF_K},
    {"BPF_X", BPF_X},
    {"BPF_ADD", BPF_ADD},
    {"BPF_SUB", BPF_SUB},
    {"BPF_MUL", BPF_MUL},
    {"BPF_DIV", BPF_DIV},
    {"BPF_OR", BPF_OR},
    {"BPF_AND", BPF_AND},
    {"BPF_LSH", BPF_LSH},
    {"BPF_RSH", BPF_RSH},
    {"BPF_NEG", BPF_NEG},
    {"BPF_MOD", BPF_MOD},
    {"BPF_XOR", BPF_XOR},
    {"BPF_MOV", BPF_MOV},
    {"BPF_ARSH", BPF_ARSH},
    {"BPF_END", BPF_END},
    {"BPF_JA", BPF_JA},
    {"BPF_JEQ", BPF_JEQ},
    {"BPF_JGT", BPF_JGT},
    {"BPF_JGE", BPF_JGE},
    {"BPF_JSET", BPF_JSET},
    {"BPF_JNE", BPF_JNE},
    {"BPF_JSGT", BPF_JSGT},
    {"BPF_JSGE", BPF_JSGE},
    {"BPF_CALL", BPF_CALL},
    {"BPF_EXIT", BPF_EXIT},
    {"BPF_JLT", BPF_JLT},
    {"BPF_JLE", BPF_JLE},
    {"BPF_JSLT", BPF_JSLT},
    {"BPF_JSLE", BPF_JSLE},
    {"BPF_W", BPF_W},
    {"BPF_H", BPF_H},
    {"BPF_B", BPF_B},
    {"BPF_DW", BPF_DW},
    {"BPF_IMM", BPF_IMM},
    {"BPF_ABS", BPF_ABS},
    {"BPF_IND", BPF_IND},
    {"BPF_MEM", BPF_MEM},
    {"BPF_ATOMIC", BPF_ATOMIC},
    {"BPF_FETCH", BPF_FETCH},
    {"BPF_XCHG", BPF_XCHG},
    {"BPF_CMPXCHG", BPF_CMPXCHG},
    {"BPF_PSEUDO_CALL", BPF_PSEUDO_CALL},
    {"BPF_PSEUDO_FUNC", BPF_PSEUDO_FUNC},
    {"BPF_MAP_TYPE_HASH", BPF_MAP_TYPE_HASH},
    {"BPF_MAP_TYPE_ARRAY", BPF_MAP_TYPE_ARRAY},
    {"BPF_ANY", BPF_ANY},
    {"BPF_NOEXIST", BPF_NOEXIST},
    {"BPF_EXIST", BPF_EXIST},
    {"BPF_F_NO_PREALLOC", BPF_F_NO_PREALLOC},
    {"BPF_F_RDONLY_PROG", BPF_F_RDONLY_PROG},
    {"BPF_F_WRONLY_PROG", BPF_F_WRONLY_PROG},
    {"XDP_ABORTED", XDP_ABORTED},
    {"XDP_DROP", XDP_DROP},
    {"XDP_PASS", XDP_PASS},
    {"XDP_TX", XDP_TX},
    {"XDP_REDIRECT", XDP_REDIRECT},
    {"BPF_PSEUDO_MAP", BPF_PSEUDO_MAP},
    {"BPF_PSEUDO_MAP_VALUE", BPF_PSEUDO_MAP_VALUE},
    {"BPF_PSEUDO_BTF_CALL", BPF_PSEUDO_BTF_CALL},
    {"BPF_HELPER_MAP_LOOKUP_ELEM", BPF_HELPER_MAP_LOOKUP_ELEM},
    {"BPF_HELPER_MAP_UPDATE_ELEM", BPF_HELPER_MAP_UPDATE_ELEM},
    {"BPF_HELPER_MAP_DELETE_ELEM", BPF_HELPER_MAP_DELETE_ELEM},
    {"BPF_HELPER_KTIME_GET_NS", BPF_HELPER_KTIME_GET_NS},
    {"BPF_HELPER_TRACE_PRINTK", BPF_HELPER_TRACE_PRINTK},
    {"BPF_HELPER_GET_PRANDOM_U32", BPF_HELPER_GET_PRANDOM_U32},
    {"BPF_E2BIG", BPF_E2BIG},
    {"BPF_ENOENT", BPF_ENOENT},
    {"BPF_EEXIST", BPF_EEXIST},
    {"BPF_EINVAL", BPF_EINVAL},
    {"BPF_ENOMEM", BPF_ENOMEM},
    {"BPF_EPERM", BPF_EPERM},
    {"xdp_md.data", offsetof(struct xdp_md, data)},
    {"xdp_md.data_end", offsetof(struct xdp_md, data_end)},
    {"xdp_md.data_meta", offsetof(struct xdp_md, data_meta)},
    {"xdp_md.ingress_ifindex", offsetof(struct xdp_md, ingress_ifindex)},
    {"xdp_md.rx_queue_index", offsetof(struct xdp_md, rx_queue_index)},
    {"xdp_md.egress_ifindex", offsetof(struct xdp_md, egress_ifindex)},
    {"sk_buff.len", offsetof(struct bpf_skb, len)},
    {"sk_buff.pkt_type", offsetof(struct bpf_skb, pkt_type)},
    {"sk_buff.mark", offsetof(struct bpf_skb, mark)},
    {"sk_buff.queue_mapping", offsetof(struct bpf_skb, queue_mapping)},
    {"sk_buff.protocol", offsetof(struct bpf_skb, protocol)},
    {"sk_buff.vlan_present", offsetof(struct bpf_skb, vlan_present)},
    {"sk_buff.vlan_tci", offsetof(struct bpf_skb, vlan_tci)},
    {"sk_buff.vlan_proto", offsetof(struct bpf_skb, vlan_proto)},
    {"sk_buff.priority", offsetof(struct bpf_skb, priority)},
    {"sk_buff.ingress_ifindex", offsetof(struct bpf_skb, ingress_ifindex)},
    {"sk_buff.ifindex", offsetof(struct bpf_skb, ifindex)},
    {"sk_buff.tc_index", offsetof(struct bpf_skb, tc_index)},
    {"sk_buff.cb", offsetof(struct bpf_skb, cb)},
    {"sk_buff.hash", offsetof(struct bpf_skb, hash)},
    {"sk_buff.tc_classid", offsetof(struct bpf_skb, tc_classid)},
    {"sk_buff.data", offsetof(struct bpf_skb, data)},
    {"sk_buff.data_end", offsetof(struct bpf_skb, data_end)},
    {"sk_buff.napi_id", offsetof(struct bpf_skb, napi_id)},
    {"sk_buff.data_meta", offsetof(struct bpf_skb, data_meta)},
    {"sk_buff.flow_keys", offsetof(struct bpf_skb, flow_keys)},
    {"sk_buff.tstamp", offsetof(struct bpf_skb, tstamp)},
    {"sk_buff.wire_len", offsetof(struct bpf_skb, wire_len)},
    {"sk_buff.gso_segs", offsetof(struct bpf_skb, gso_segs)},
    {"sk_buff.sk", offsetof(struct bpf_skb, sk)},
    {"sk_buff.gso_size", offsetof(struct bpf_skb, gso_size)},
    {"sk_buff.hwtstamp", offsetof(struct bpf_skb, hwtstamp)},
    {"sizeof bpf_insn", sizeof(struct bpf_insn)},
    {"bpf_insn.off", offsetof(struct bpf_insn, off)},
    {"bpf_insn.imm", offsetof(struct bpf_insn, imm)},
};

/* Each constant has the value it has in Linux's header. */
static void test_numbers(void **state) {
  assert_int_equal(sizeof ours / sizeof ours[0], linux_number_count);
  for (size_t i = 0; i < linux_number_count; i++) {
    assert_string_equal(ours[i].name, linux_numbers[i].name);
    if (ours[i].value != linux_numbers[i].value) {
      fail_msg("%s is %ld, in Linux %ld", ours[i].name, ours[i].value, linux_numbers[i].value);
    }
  }
}

/* Registers share a byte, destination low, in Linux's bit-fields and in our nibbles. */
static void test_register_nibbles(void **state) {
  const struct bpf_insn insn = {.regs = 0xa3};
  assert_int_equal(bpf_dst(insn), linux_destination(0xa3));
  assert_int_equal(bpf_src(insn), linux_source(0xa3));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_register_nibbles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
