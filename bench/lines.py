#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Lines of what runs in ring 0, blank lines and comments not counted."""
import re

from machine import ROOT

RING_0 = ("platform/vm/nucleus_entry.S", "platform/vm/nucleus_code.c")
APART = ("platform/vm/image.ld.S", "platform/vm/nucleus.h")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def lines(name):
    return sum(1 for line in COMMENT.sub("", (ROOT / name).read_text()).splitlines() if line.strip())


def main():
    counts = {name: lines(name) for name in RING_0 + APART}
    print("| file | lines |\n|---|---:|")
    for name in RING_0:
        print(f"| {name} | {counts[name]} |")
    print(f"| **code of ring 0** | **{sum(counts[name] for name in RING_0)}** |")
    print(f"| {APART[0]}: layout of tables and sections, which nothing executes | {counts[APART[0]]} |")
    print(f"| {APART[1]}: numbers that both rings agree on | {counts[APART[1]]} |")


if __name__ == "__main__":
    main()
