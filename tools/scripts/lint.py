#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks format (clang-format) and habits (clang-tidy) of the C sources. Needs build/compile_commands.json.

The checks are format, tidy, and fix, which reformats in place; format and tidy by default.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys

import builds

# Unit tests and fuzzers are compiled with warnings, but repeat themselves too much for clang-tidy to help.
TIDY_FOLDERS = ("lib/", "packet/", "bpf/", "proof/", "bundle/", "click/", "elements/", "kernel/", "platform/", "verifier/", "tools/")


def sources(*suffixes):
    """C files of the tree by path, without build directories."""
    folders = [path for path in builds.ROOT.iterdir() if path.is_dir() and not path.name.startswith(("build-", "."))]
    folders = [path for path in folders if path.name != "build"]
    found = [path for folder in folders for suffix in suffixes for path in folder.rglob("*" + suffix)]
    return sorted(str(path.relative_to(builds.ROOT)) for path in found)


def run(command):
    done = subprocess.run(command, cwd=builds.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def check_format(options):
    status, output = run(["clang-format-14", "--dry-run", "-Werror", *sources(".c", ".h")])
    if status:
        print(output + "format: run 'make format'")
    return status


def check_tidy(options):
    commands = json.loads((builds.ROOT / "build/compile_commands.json").read_text())
    compiled = {os.path.relpath(os.path.join(entry["directory"], entry["file"]), builds.ROOT) for entry in commands}
    files = sorted(name for name in sources(".c") if name in compiled and name.startswith(TIDY_FOLDERS))
    part, parts = map(int, options.part.split("/"))
    files = files[part - 1::parts]
    command = ["clang-tidy-14", "--quiet", "-p", "build", "--extra-arg=-Wno-unknown-warning-option"]
    if options.quick:
        # A quarter of the analyzer's paths take a quarter of the time.
        command += [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=60000")]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for status, output in pool.map(lambda name: run([*command, name]), files):
            if status:
                failed = 1
                print("".join(line + "\n" for line in output.splitlines() if ": error: " in line))
    return failed


def fix_format(options):
    return run(["clang-format-14", "-i", *sources(".c", ".h")])[0]


CHECKS = {"format": check_format, "tidy": check_tidy, "fix": fix_format}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", choices=[*CHECKS, []], metavar="CHECK", help="which: " + ", ".join(CHECKS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time (one a core)")
    parser.add_argument("--quick", action="store_true", help="tidy: follow fewer paths of a function")
    parser.add_argument("--part", default="1/1", metavar="N/M", help="tidy: every M-th file, from the N-th on (1/1)")
    options = parser.parse_args()
    failed = [name for name in options.checks or ("format", "tidy") if CHECKS[name](options)]
    for name in failed:
        print(f"lint: {name} FAILED")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
