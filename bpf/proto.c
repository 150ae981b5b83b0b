/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The table of helpers on offer, in Linux's numbering (include/uapi/linux/bpf.h).
 */
#include "bpf/proto.h"

#include <stddef.h>

#include "bpf/map.h"

#define TYPE(name) ((uint64_t)1 << BPF_MAP_TYPE_##name)

/* As Linux's check_map_func_compatibility. */
#define KEYED_MAPS (TYPE(HASH) | TYPE(ARRAY))

/* By id. */
static const struct bpf_proto helpers[] = {
    [BPF_HELPER_MAP_LOOKUP_ELEM] = {.name = "bpf_map_lookup_elem",
                                    .args = {BPF_ARG_MAP, BPF_ARG_MAP_KEY},
                                    .result = BPF_RETURN_VALUE_OR_NULL,
                                    .programs = BPF_FOR_ALL,
                                    .map_use = BPF_MAP_READ,
                                    .map_types = KEYED_MAPS},
    [BPF_HELPER_MAP_UPDATE_ELEM] = {.name = "bpf_map_update_elem",
                                    .args = {BPF_ARG_MAP, BPF_ARG_MAP_KEY, BPF_ARG_MAP_VALUE, BPF_ARG_ANY},
                                    .programs = BPF_FOR_ALL,
                                    .map_use = BPF_MAP_WRITE,
                                    .map_types = KEYED_MAPS},
    [BPF_HELPER_MAP_DELETE_ELEM] = {.name = "bpf_map_delete_elem",
                                    .args = {BPF_ARG_MAP, BPF_ARG_MAP_KEY},
                                    .programs = BPF_FOR_ALL,
                                    .map_use = BPF_MAP_WRITE,
                                    .map_types = KEYED_MAPS},
    [BPF_HELPER_KTIME_GET_NS] = {.name = "bpf_ktime_get_ns", .programs = BPF_FOR_ALL},
    [BPF_HELPER_TRACE_PRINTK] = {.name = "bpf_trace_printk",
                                 .args = {BPF_ARG_MEMORY, BPF_ARG_SIZE, BPF_ARG_ANY, BPF_ARG_ANY, BPF_ARG_ANY},
                                 .programs = BPF_FOR_ALL},
    [BPF_HELPER_GET_PRANDOM_U32] = {.name = "bpf_get_prandom_u32", .programs = BPF_FOR_ALL},
};

const struct bpf_proto *bpf_proto_find(uint32_t id) {
  if (id >= sizeof helpers / sizeof helpers[0] || helpers[id].name == NULL) return NULL;
  return &helpers[id];
}
