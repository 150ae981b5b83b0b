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
    "tcp_timestamps": (O1, LETTERS),
}

# The same of code of version 4 of the instruction set, where there is a compiler for it: clang 19's.
BOTH = ("O2-v4", "O1-v4")
LATER = "what follows is compared with the end before its length turns out to be the one that is read, and we keep no relation of sums."

REFUSED_V4 = {
    "bloom_seen": (BOTH, REFUSED["bloom_seen"][1]),
    "dhcp_snooping": (("O2-v4",), LATER),
    "dns_names": (BOTH, LETTERS),
    "geneve_options": (("O2-v4",), LATER),
    "http_method": (("O1-v4",), LETTERS),
    "length_relation": (BOTH, REFUSED["length_relation"][1]),
    "token_bucket": (("O1-v4",), "whether a register was set is known by another comparison of the same thing, and the two ways are joined."),
}


def refused(name):
    """In which compilations, and why."""
    found = [table[name] for table in (REFUSED, REFUSED_V4) if name in table]
    return sum((variants for variants, _ in found), ()), found[0][1] if found else ""
