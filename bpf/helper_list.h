/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The helpers of all families, for the table in helper.c. Private to bpf/.
 */
#ifndef IMAGO_BPF_HELPER_LIST_H
#define IMAGO_BPF_HELPER_LIST_H

#include "bpf/helper.h"

/* helper_map.c */
bpf_helper_function bpf_helper_map_lookup_elem, bpf_helper_map_update_elem, bpf_helper_map_delete_elem,
    bpf_helper_map_push_elem, bpf_helper_map_pop_elem, bpf_helper_map_peek_elem, bpf_helper_map_lookup_percpu_elem,
    bpf_helper_tail_call;
/* helper_system.c */
bpf_helper_function bpf_helper_ktime_get_ns, bpf_helper_get_prandom_u32, bpf_helper_get_smp_processor_id,
    bpf_helper_get_numa_node_id, bpf_helper_jiffies64, bpf_helper_ktime_get_boot_ns, bpf_helper_ktime_get_coarse_ns,
    bpf_helper_ktime_get_tai_ns;
/* helper_print.c */
bpf_helper_function bpf_helper_trace_printk, bpf_helper_trace_vprintk, bpf_helper_snprintf;
/* helper_string.c */
bpf_helper_function bpf_helper_strncmp, bpf_helper_strtol, bpf_helper_strtoul;
/* helper_xdp.c */
bpf_helper_function bpf_helper_xdp_adjust_head, bpf_helper_xdp_adjust_meta, bpf_helper_xdp_adjust_tail,
    bpf_helper_xdp_get_buff_len, bpf_helper_xdp_load_bytes, bpf_helper_xdp_store_bytes;
/* helper_skb.c */
bpf_helper_function bpf_helper_skb_store_bytes, bpf_helper_skb_load_bytes, bpf_helper_skb_change_tail,
    bpf_helper_skb_change_head, bpf_helper_skb_pull_data, bpf_helper_get_hash_recalc, bpf_helper_set_hash_invalid,
    bpf_helper_set_hash;
/* helper_vlan.c */
bpf_helper_function bpf_helper_skb_vlan_push, bpf_helper_skb_vlan_pop;
/* helper_checksum.c */
bpf_helper_function bpf_helper_csum_diff, bpf_helper_l3_csum_replace, bpf_helper_l4_csum_replace;
/* helper_redirect.c */
bpf_helper_function bpf_helper_redirect, bpf_helper_redirect_map, bpf_helper_clone_redirect;
/* helper_ring.c */
bpf_helper_function bpf_helper_ringbuf_output, bpf_helper_ringbuf_reserve, bpf_helper_ringbuf_submit,
    bpf_helper_ringbuf_discard, bpf_helper_ringbuf_query, bpf_helper_perf_event_output;
/* helper_lock.c */
bpf_helper_function bpf_helper_spin_lock, bpf_helper_spin_unlock;
/* helper_timer.c */
bpf_helper_function bpf_helper_timer_init, bpf_helper_timer_set_callback, bpf_helper_timer_start,
    bpf_helper_timer_cancel;
/* helper_loop.c */
bpf_helper_function bpf_helper_loop, bpf_helper_for_each_map_elem;
/* helper_route.c */
bpf_helper_function bpf_helper_fib_lookup, bpf_helper_check_mtu;

#endif
