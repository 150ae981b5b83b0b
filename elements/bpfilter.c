/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPFilter: a program says which packets pass. bpf_element.h has what it does.
 */
#include "elements/bpf_element.h"

static void defaults(struct element *e) { bpf_element_defaults(e, BPF_ROLE_FILTER); }

static const struct element_class bpfilter_class = {
    .name = "BPFilter",
    .purpose = "lets a signed eBPF program decide about each packet",
    .ports = "1/1-2",
    .processing = "a/ah",
    .size = sizeof(struct bpf_element),
    .arguments = bpf_element_arguments,
    .handlers = bpf_element_handlers,
    .drops = bpf_element_drops,
    .example = "FromDevice(eth0) -> fw :: BPFilter(pass.bundle) -> Queue -> ToDevice(eth1);",
    .manual =
        "Runs the SEC(\"xdp\") or SEC(\"tc\") program of a bundle for each packet. XDP_PASS (TC_ACT_OK, TC_ACT_UNSPEC) sends it to "
        "output 0. XDP_DROP (TC_ACT_SHOT) sends it to output 1 if that is connected, and drops it otherwise. XDP_ABORTED, every other "
        "verdict, and a program that faults drop the packet, or send it where ON_ABORT says. The program may change the packet's "
        "bytes, but not its length: for that there is BPFRewriter.\n\n"
        "Writing a bundle to handler program replaces the program between two batches: no packet is lost, and maps keep "
        "their entries where the new program has a map of the same name and layout. A bundle is refused when its signature "
        "does not hold, its signer is not trusted, its audience does not match the element's name, its version is not above "
        "the highest one committed under its program's name, or its code is not in order; the old program then goes on.\n\n"
        "Maps that MAPS names are one for all elements of the router that name them there, whatever their class and program; "
        "their layouts must agree. A map lives as long as an element uses it. Handlers map_dump, map_get, map_set, map_delete and "
        "map_records read and change maps while packets flow.\n\n"
        "CONST rate=500 sets constants that the program's author declared tunable, within the range that the bundle states; a program "
        "that has no such tunable is refused. Handler consts lists them, const NAME VALUE changes one while packets flow, until the "
        "program is replaced.",
    .defaults = defaults,
    .configure = bpf_element_configure,
    .initialize = bpf_element_initialize,
    .cleanup = bpf_element_cleanup,
    .take_state = bpf_element_take_state,
    .commit = bpf_element_commit,
    .push = bpf_element_push,
    .pull = bpf_element_pull,
};
ELEMENT(BPFilter, bpfilter_class);
