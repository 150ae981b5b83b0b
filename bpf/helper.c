/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which function is behind which helper number. The functions are in helper_*.c, by family.
 */
#include "bpf/helper_list.h"

static bpf_helper_function *const helpers[] = {
    [BPF_HELPER_MAP_LOOKUP_ELEM] = bpf_helper_map_lookup, [BPF_HELPER_MAP_UPDATE_ELEM] = bpf_helper_map_update,
    [BPF_HELPER_MAP_DELETE_ELEM] = bpf_helper_map_delete, [BPF_HELPER_KTIME_GET_NS] = bpf_helper_ktime_get_ns,
    [BPF_HELPER_TRACE_PRINTK] = bpf_helper_trace_printk,  [BPF_HELPER_GET_PRANDOM_U32] = bpf_helper_get_prandom_u32,
};

bpf_helper_function *bpf_helper_code(uint32_t id) {
  return id < sizeof helpers / sizeof helpers[0] ? helpers[id] : NULL;
}
