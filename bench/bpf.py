#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compiles the kernels of bench/programs, as eBPF and as plain C, into build/bench, and runs build/bench/bpf on them.

A kernel by itself: `python3 bench/bpf.py packet_hash`.
"""
import subprocess
import sys

from machine import OUTPUT, PROGRAMS, compile_bpf

KERNELS = ("empty", "packet_hash", "flow_hash", "byte_counter", "hash_lookup", "rule_match", "packet_checksum", "lpm_lookup",
           "tail_calls", "array_lookups", "helper_calls")
ONLY_EBPF = ("helper_calls",)


def main():
    sources, folder = PROGRAMS[1], OUTPUT / "kernels"
    folder.mkdir(parents=True, exist_ok=True)
    for name in KERNELS:
        source = sources / f"{name}.bpf.c"
        compile_bpf(source, folder / f"{name}.bpf.o", "-mcpu=v3", f"-I{sources}/ebpf")
        if name not in ONLY_EBPF:
            subprocess.run(["clang", "-O2", "-fPIC", "-shared", f"-I{sources}/native", source, "-o", folder / f"{name}.so"], check=True)
    return subprocess.run([OUTPUT / "bpf", folder, *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
