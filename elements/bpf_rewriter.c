/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPFRewriter: a program makes packets longer, shorter and different, and says where they go. bpf_element.h has what it does.
 */
#include "elements/bpf_element.h"

static void defaults(struct element *e) { bpf_element_defaults(e, BPF_ROLE_REWRITE); }

static const struct element_class bpf_rewriter_class = {
    .name = "BPFRewriter",
    .purpose = "lets a signed eBPF program rewrite, resize and redirect packets",
    .ports = "1/1-",
    .processing = "h/h",
    .size = sizeof(struct bpf_element),
    .arguments = bpf_element_arguments,
    .handlers = bpf_element_handlers,
    .drops = bpf_element_drops,
    .example =
        "FromDevice(eth0) -> lb :: BPFRewriter(load_balancer.bundle); lb [0] -> Discard; lb [1] -> Queue -> ToDevice(eth0);",
    .manual =
        "Runs the SEC(\"xdp\") or SEC(\"tc\") program of a bundle for each packet. XDP_PASS (TC_ACT_OK, TC_ACT_UNSPEC) sends it to output "
        "0, XDP_TX to output 1, XDP_REDIRECT (TC_ACT_REDIRECT) to the output whose number bpf_redirect or the entry of the device map "
        "gave; of a CPU map it is the key. With BPF_F_BROADCAST each output that the device map names gets a copy, without the one whose "
        "number is the packet's ingress_ifindex if BPF_F_EXCLUDE_INGRESS is set. XDP_DROP (TC_ACT_SHOT) drops. XDP_ABORTED, other verdicts, "
        "outputs that are not connected, and a program that faults drop the packet, or send it where ON_ABORT says, then with the ends "
        "that it came with.\n\n"
        "bpf_xdp_adjust_head, bpf_xdp_adjust_tail and their likes move the packet's ends within its buffer. When its start has moved, the "
        "network and transport header and the destination annotation are unset, since they speak of what was there before; the link-layer "
        "header is at the start as before. Metadata in front of the packet ends with the program.\n\n"
        "Interfaces are numbered from 1: NIC eth0 is 1, output n is interface n. bpf_fib_lookup asks the table of the element that FIB names, "
        "whose output n is interface n too.\n\n"
        "In a tc program mark, priority and hash are the annotations that MARK, PRIORITY and HASH name, tstamp is the timestamp annotation, "
        "pkt_type the packet's type. The outermost VLAN tag is not in the frame that the program sees but in the vlan fields; behind the "
        "program it is put back. These and tstamp are written back, pkt_type is not.\n\n"
        "Programs are replaced and maps shared and read as in BPFilter.",
    .defaults = defaults,
    .configure = bpf_element_configure,
    .initialize = bpf_element_initialize,
    .cleanup = bpf_element_cleanup,
    .take_state = bpf_element_take_state,
    .commit = bpf_element_commit,
    .push = bpf_element_push,
};
ELEMENT(BPFRewriter, bpf_rewriter_class);
