# SPDX-License-Identifier: BSD-3-Clause
"""Programs of tests/programs that our verifier finds no proof for, safe as they are: by name, in which compilations, and why."""
ALL = ("O2-v3", "O1-v3", "O2-v2", "O2-v1")
O1 = ("O1-v3",)

# docs/verification.md says more of it.
LETTERS = "too many paths."

REFUSED = {
    "bloom_seen": (ALL, "the bound is of a sum, the address is made from its parts."),
    "crc_frames": (O1, LETTERS),
    "dns_names": (ALL, LETTERS),
    "http_method": (ALL, LETTERS),
    "length_relation": (ALL, "the length is compared with the difference of two pointers, and we keep no such relation."),
    "lldp_neighbours": (ALL, LETTERS),
    "mpls_stack": (O1, "one path's NULL meets a pointer behind another comparison of the same byte, and the two are joined."),
    "mqtt_topics": (O1, LETTERS),
    "ping_storm": (O1, "in the loop over addresses the room behind a pointer is lost."),
    "protocol_statistics": (O1, "the counter of a loop of two trips is a choice between constants, in which we see no measure."),
    "sctp_chunks": (O1, LETTERS),
    "tcp_timestamps": (O1, LETTERS),
    "tls_server_name": (O1, LETTERS),
}
