/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPFClassifier: a program says by which output packets leave. bpf_element.h has what it does.
 */
#include "elements/bpf_element.h"

static void defaults(struct element *e) { bpf_element_defaults(e, BPF_ROLE_CLASSIFY); }

static const struct element_class bpf_classifier_class = {
    .name = "BPFClassifier",
    .purpose = "lets a signed eBPF program choose an output for each packet",
    .ports = "1/1-",
    .processing = "h/h",
    .size = sizeof(struct bpf_element),
    .arguments = bpf_element_arguments,
    .handlers = bpf_element_handlers,
    .drops = bpf_element_drops,
    .example = "FromDevice(eth0) -> c :: BPFClassifier(classes.bundle); c [0] -> high :: Queue; c [1] -> low :: Queue;",
    .manual =
        "Runs the SEC(\"xdp\") or SEC(\"tc\") program of a bundle for each packet. The number that it returns is the output, from 0 on, "
        "whatever it means elsewhere. But XDP_REDIRECT (TC_ACT_REDIRECT) behind bpf_redirect or bpf_redirect_map sends the packet to the "
        "output that was named there, or a copy to each that the device map names. A number without an output, and a program that "
        "faults, drop the packet, or send it where ON_ABORT says. The program may change the packet's bytes, but not its length: for "
        "that there is BPFRewriter.\n\n"
        "Programs are replaced and maps shared and read as in BPFilter.",
    .defaults = defaults,
    .configure = bpf_element_configure,
    .initialize = bpf_element_initialize,
    .cleanup = bpf_element_cleanup,
    .take_state = bpf_element_take_state,
    .commit = bpf_element_commit,
    .push = bpf_element_push,
};
ELEMENT(BPFClassifier, bpf_classifier_class);
