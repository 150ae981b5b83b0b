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
#include "bpf/environment.h"
#include "bpf/helper.h"
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
    {"BPF_MAP_TYPE_PROG_ARRAY", BPF_MAP_TYPE_PROG_ARRAY},
    {"BPF_MAP_TYPE_PERF_EVENT_ARRAY", BPF_MAP_TYPE_PERF_EVENT_ARRAY},
    {"BPF_MAP_TYPE_PERCPU_HASH", BPF_MAP_TYPE_PERCPU_HASH},
    {"BPF_MAP_TYPE_PERCPU_ARRAY", BPF_MAP_TYPE_PERCPU_ARRAY},
    {"BPF_MAP_TYPE_LRU_HASH", BPF_MAP_TYPE_LRU_HASH},
    {"BPF_MAP_TYPE_LRU_PERCPU_HASH", BPF_MAP_TYPE_LRU_PERCPU_HASH},
    {"BPF_MAP_TYPE_LPM_TRIE", BPF_MAP_TYPE_LPM_TRIE},
    {"BPF_MAP_TYPE_ARRAY_OF_MAPS", BPF_MAP_TYPE_ARRAY_OF_MAPS},
    {"BPF_MAP_TYPE_HASH_OF_MAPS", BPF_MAP_TYPE_HASH_OF_MAPS},
    {"BPF_MAP_TYPE_DEVMAP", BPF_MAP_TYPE_DEVMAP},
    {"BPF_MAP_TYPE_CPUMAP", BPF_MAP_TYPE_CPUMAP},
    {"BPF_MAP_TYPE_QUEUE", BPF_MAP_TYPE_QUEUE},
    {"BPF_MAP_TYPE_STACK", BPF_MAP_TYPE_STACK},
    {"BPF_MAP_TYPE_DEVMAP_HASH", BPF_MAP_TYPE_DEVMAP_HASH},
    {"BPF_MAP_TYPE_RINGBUF", BPF_MAP_TYPE_RINGBUF},
    {"BPF_MAP_TYPE_BLOOM_FILTER", BPF_MAP_TYPE_BLOOM_FILTER},
    {"BPF_F_LOCK", BPF_F_LOCK},
    {"BPF_F_NO_COMMON_LRU", BPF_F_NO_COMMON_LRU},
    {"BPF_F_NUMA_NODE", BPF_F_NUMA_NODE},
    {"BPF_F_RDONLY", BPF_F_RDONLY},
    {"BPF_F_WRONLY", BPF_F_WRONLY},
    {"BPF_F_ZERO_SEED", BPF_F_ZERO_SEED},
    {"BPF_F_MMAPABLE", BPF_F_MMAPABLE},
    {"BPF_F_INNER_MAP", BPF_F_INNER_MAP},
    {"BPF_EAGAIN", BPF_EAGAIN},
    {"BPF_EFAULT", BPF_EFAULT},
    {"BPF_EBUSY", BPF_EBUSY},
    {"BPF_ENODEV", BPF_ENODEV},
    {"BPF_ENOSPC", BPF_ENOSPC},
    {"BPF_ERANGE", BPF_ERANGE},
    {"BPF_EDEADLK", BPF_EDEADLK},
    {"BPF_EOVERFLOW", BPF_EOVERFLOW},
    {"BPF_EPROTONOSUPPORT", BPF_EPROTONOSUPPORT},
    {"BPF_EOPNOTSUPP", BPF_EOPNOTSUPP},
    {"BPF_FIB_SUCCESS", BPF_FIB_SUCCESS},
    {"BPF_FIB_BLACKHOLE", BPF_FIB_BLACKHOLE},
    {"BPF_FIB_UNREACHABLE", BPF_FIB_UNREACHABLE},
    {"BPF_FIB_PROHIBIT", BPF_FIB_PROHIBIT},
    {"BPF_FIB_NOT_FORWARDED", BPF_FIB_NOT_FORWARDED},
    {"BPF_FIB_FORWARDING_DISABLED", BPF_FIB_FORWARDING_DISABLED},
    {"BPF_FIB_UNSUPPORTED_ENCAPSULATION", BPF_FIB_UNSUPPORTED_ENCAPSULATION},
    {"BPF_FIB_NO_NEIGHBOUR", BPF_FIB_NO_NEIGHBOUR},
    {"BPF_FIB_FRAGMENTATION_NEEDED", BPF_FIB_FRAGMENTATION_NEEDED},
    {"TC_ACT_OK", TC_ACT_OK},
    {"TC_ACT_SHOT", TC_ACT_SHOT},
    {"TC_ACT_REDIRECT", TC_ACT_REDIRECT},
    {"TC_ACT_UNSPEC", TC_ACT_UNSPEC},
    {"fib_lookup.ifindex", offsetof(struct bpf_fib_lookup, ifindex)},
    {"fib_lookup.tos", offsetof(struct bpf_fib_lookup, tos)},
    {"fib_lookup.source", offsetof(struct bpf_fib_lookup, source)},
    {"fib_lookup.destination", offsetof(struct bpf_fib_lookup, destination)},
    {"fib_lookup.vlan_proto", offsetof(struct bpf_fib_lookup, vlan_proto)},
    {"fib_lookup.smac", offsetof(struct bpf_fib_lookup, smac)},
    {"fib_lookup.dmac", offsetof(struct bpf_fib_lookup, dmac)},
    {"fib_lookup.tot_len", offsetof(struct bpf_fib_lookup, tot_len)},
    {"fib_lookup.dport", offsetof(struct bpf_fib_lookup, dport)},
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

/* Each helper on offer has Linux's number and name, and code; no other number has any. */
static void test_helpers(void **state) {
  unsigned offered = 0;
  for (uint32_t id = 0; id < 1000; id++) {
    const struct bpf_proto *proto = bpf_proto_find(id);
    assert_true((proto == NULL) == (bpf_helper_code(id) == NULL));
    if (proto == NULL) continue;
    offered++;
    assert_true(id < linux_helper_count);
    assert_memory_equal(proto->name, "bpf_", 4);
    assert_string_equal(proto->name + 4, linux_helper_names[id]);
  }
  assert_int_equal(offered, 60);
  assert_null(bpf_proto_find(UINT32_MAX));
  assert_null(bpf_helper_code(UINT32_MAX));
}

/* Every map type has Linux's name, those that are not offered too, so that a refusal can name it. */
static void test_map_type_names(void **state) {
  static const struct {
    uint32_t type;
    const char *name; /* as bpftool has it */
  } rows[] = {{1, "hash"},        {2, "array"},    {9, "lru_hash"},      {15, "sockmap"}, {17, "xskmap"},
              {24, "sk_storage"}, {27, "ringbuf"}, {31, "user_ringbuf"}, {0, "unknown"},  {1000, "unknown"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_string_equal(bpf_map_type_name(rows[i].type), rows[i].name);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_register_nibbles),
      cmocka_unit_test(test_helpers),
      cmocka_unit_test(test_map_type_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
