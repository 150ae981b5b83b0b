#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of the archive fuzzer into archive/ beside this script: whole archives of every kind that the reader
takes or refuses. The fuzzer cuts and flips them."""
import pathlib


def entry(name, data=b"", mode=0o100644, links=1, magic=b"070701"):
    name = name.encode() + b"\0"
    fields = [1, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(name), 0]
    head = magic + b"".join(b"%08x" % field for field in fields) + name
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


END = entry("TRAILER!!!")
SEEDS = {
    "empty": b"",
    "end": END,
    "firewall": entry("config.click", b"FromDevice(eth0) -> ToDevice(eth1);\n") + entry("keys/operator.pub", bytes(32)) + END,
    "directories": entry(".", mode=0o40755) + entry("./keys", mode=0o40755) + entry("./keys/a", b"12345") + END,
    "concatenated": entry("a", b"1") + END + bytes(64) + entry("a", b"2") + END + bytes(7),
    "link": entry("a", b"b", mode=0o120777) + END,
    "hard-link": entry("a", links=2) + entry("b", b"data", links=2) + END,
    "outside": entry("../a", b"1") + END,
    "crc": entry("a", b"1", magic=b"070702") + END,
    "no-end": entry("a", b"1"),
}

folder = pathlib.Path(__file__).with_suffix("")
folder.mkdir(exist_ok=True)
for name, data in SEEDS.items():
    (folder / name).write_bytes(data)
