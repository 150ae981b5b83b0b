/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The helpers of all families, for the table in helper.c. Private to bpf/.
 */
#ifndef IMAGO_BPF_HELPER_LIST_H
#define IMAGO_BPF_HELPER_LIST_H

#include "bpf/helper.h"

/* helper_map.c */
bpf_helper_function bpf_helper_map_lookup, bpf_helper_map_update, bpf_helper_map_delete;
/* helper_system.c */
bpf_helper_function bpf_helper_ktime_get_ns, bpf_helper_get_prandom_u32;
/* trace.c */
bpf_helper_function bpf_helper_trace_printk;

#endif
