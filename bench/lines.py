#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Lines of what must be trusted, blank lines and comments not counted: what runs in ring 0, and the proofs' checker with the bytes that it
has in an image (code and tables, with the flags that images are built with).
"""
import re
import subprocess

from machine import ROOT

RING_0 = ("platform/vm/nucleus_entry.S", "platform/vm/nucleus_code.c")
APART = ("platform/vm/image.ld.S", "platform/vm/nucleus.h")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def lines(name):
    return sum(1 for line in COMMENT.sub("", (ROOT / name).read_text()).splitlines() if line.strip())


def bytes_in_image():
    """By the name of the source in proof/."""
    done = subprocess.run(["size", ROOT / "build/platform/vm/libimago-image.a"], capture_output=True, text=True, check=True)
    rows = re.findall(r"^ *([0-9]+).*_proof_([a-z_]+\.c)\.o", done.stdout, re.MULTILINE)
    return {name: int(text) for text, name in rows if (ROOT / "proof" / name).exists()}


def ring_0():
    counts = {name: lines(name) for name in RING_0 + APART}
    print("| file | lines |\n|---|---:|")
    for name in RING_0:
        print(f"| {name} | {counts[name]} |")
    print(f"| **code of ring 0** | **{sum(counts[name] for name in RING_0)}** |")
    print(f"| {APART[0]}: layout of tables and sections, which nothing executes | {counts[APART[0]]} |")
    print(f"| {APART[1]}: numbers that both rings agree on | {counts[APART[1]]} |")


def checker():
    sizes = bytes_in_image()
    counts = {name: lines(f"proof/{name}") for name in sizes}
    headers = sum(lines(path) for path in (ROOT / "proof").glob("*.h"))
    print("\n| proof/ | lines | bytes |\n|---|---:|---:|")
    for name in sorted(sizes):
        print(f"| {name} | {counts[name]} | {sizes[name]:,} |")
    print(f"| **the checker** | **{sum(counts.values())}** | **{sum(sizes.values()):,}** |")
    print(f"| headers, for the verifier, too | {headers} | |")


def main():
    ring_0()
    checker()


if __name__ == "__main__":
    main()
