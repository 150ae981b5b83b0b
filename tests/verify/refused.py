# SPDX-License-Identifier: BSD-3-Clause
"""Programs of tests/programs that our verifier finds no proof for, safe as they are: by name, in which compilations, and why."""
ALL = ("O2-v3", "O1-v3", "O2-v2", "O2-v1")
O1 = ("O1-v3",)
O2 = ("O2-v3", "O2-v2", "O2-v1")

# docs/verification.md says more of it.
LETTERS = "too many paths."

REFUSED = {
    "bloom_seen": (ALL, "the bound is of a sum, the address is made from its parts."),
    "dns_names": (O2, LETTERS),
    "http_method": (("O2-v3",), LETTERS),
    "length_relation": (ALL, "the length is compared with the difference of two pointers, and we keep no such relation."),
    "sctp_chunks": (O1, LETTERS),
    "tcp_timestamps": (O1, LETTERS),
}
