#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs every measurement, writes build/bench/report.md and prints it. Nothing is judged here: docs/benchmarks.md holds the figures against
the budgets, and says how to read them. A part by itself: `python3 bench/boot.py`.
"""
import argparse
import os
import platform
import re
import subprocess
import sys

from machine import OUTPUT, ROOT, say

PYTHON = "/usr/bin/python3"
PARTS = {
    "counter": ("Packets per second of the core", ["build/bench/counter"]),
    "click": ("Elements and rule lists", ["build/bench/click"]),
    "bpf": ("eBPF", [PYTHON, "bench/bpf.py"]),
    "verify": ("Verification", [PYTHON, "bench/verify.py"]),
    "start": ("Start of imago click", [PYTHON, "bench/start.py"]),
    "boot": ("Boot", [PYTHON, "bench/boot.py"]),
    "swap": ("Change of a program while packets flow", [PYTHON, "bench/swap.py"]),
    "timers": ("Timers", [PYTHON, "bench/timers.py"]),
    "idle": ("Processor time without packets", [PYTHON, "bench/idle.py"]),
    "console": ("Console", [PYTHON, "bench/console.py"]),
    "lines": ("Code that must be trusted", [PYTHON, "bench/lines.py"]),
}


def first_match(pattern, path):
    with open(path, encoding="utf-8") as file:
        match = re.search(pattern, file.read(), re.MULTILINE)
    return match[1] if match else "?"


def machine():
    """What all of it was measured on."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=False).stdout.split("\n", maxsplit=1)[0]
    processor = first_match(r"^model name\s*: (.*)$", "/proc/cpuinfo")
    memory = int(first_match(r"^MemTotal:\s*([0-9]+)", "/proc/meminfo")) >> 20
    return (f"{processor}, {os.cpu_count()} cores, {memory} GiB; Linux {platform.release()}; {qemu}; commit {commit or 'unknown'}; "
            f"load before: {os.getloadavg()[0]:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help=f"{', '.join(PARTS)} (all)")
    options = parser.parse_args()
    unknown = set(options.part) - set(PARTS)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    report, failed = f"# Measurements\n\n{machine()}\n", []
    for name, (title, command) in PARTS.items():
        if options.part and name not in options.part:
            continue
        say(f"{name}: {title}")
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
        report += f"\n## {title}\n\n{done.stdout.strip()}\n"
        if done.returncode != 0:
            failed.append(name)
            report += f"\nThis part failed with status {done.returncode}.\n"
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / "report.md").write_text(report)
    print(report)
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
