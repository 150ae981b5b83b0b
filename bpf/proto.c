/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The table of helpers on offer, in Linux's numbering (include/uapi/linux/bpf.h).
 */
#include "bpf/proto.h"

#include <stddef.h>

static const struct bpf_proto helpers[] = {
    {BPF_HELPER_MAP_LOOKUP_ELEM, "bpf_map_lookup_elem", {BPF_ARG_MAP, BPF_ARG_MAP_KEY}},
    {BPF_HELPER_MAP_UPDATE_ELEM, "bpf_map_update_elem", {BPF_ARG_MAP, BPF_ARG_MAP_KEY, BPF_ARG_MAP_VALUE, BPF_ARG_ANY}},
    {BPF_HELPER_MAP_DELETE_ELEM, "bpf_map_delete_elem", {BPF_ARG_MAP, BPF_ARG_MAP_KEY}},
    {BPF_HELPER_KTIME_GET_NS, "bpf_ktime_get_ns", {BPF_ARG_NONE}},
    {BPF_HELPER_TRACE_PRINTK,
     "bpf_trace_printk",
     {BPF_ARG_MEMORY, BPF_ARG_SIZE, BPF_ARG_ANY, BPF_ARG_ANY, BPF_ARG_ANY}},
    {BPF_HELPER_GET_PRANDOM_U32, "bpf_get_prandom_u32", {BPF_ARG_NONE}},
};

const struct bpf_proto *bpf_proto_find(uint32_t id) {
  for (size_t i = 0; i < sizeof helpers / sizeof helpers[0]; i++) {
    if (helpers[i].id == id) return &helpers[i];
  }
  return NULL;
}
