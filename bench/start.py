#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""From the start of `imago click` to its first packet, for a small file: the time until Print has written its line, beside the time until
/bin/echo has written one, which is what starting any program takes. Processor time is that of the whole process, its end included.
"""
import os
import pathlib
import tempfile
import time

from machine import ROOT, median

ROUNDS = 101
CONFIGURATION = """\
InfiniteSource(LIMIT 1, STOP true)
    -> count :: Counter
    -> Queue(100)
    -> Unqueue
    -> EtherMirror
    -> Print(first)
    -> Discard;
"""


def run_once(command):
    """Milliseconds to the first byte of output, and of processor time."""
    reader, writer = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_DUP2, writer, 2), (os.POSIX_SPAWN_CLOSE, reader)]
    started = time.monotonic()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    os.close(writer)
    first = os.read(reader, 1)
    elapsed = time.monotonic() - started
    while os.read(reader, 4096):
        pass
    os.close(reader)
    _, status, usage = os.wait4(pid, 0)
    if status != 0 or not first:
        raise SystemExit(f"start: {command[0]} ended with status {status}")
    return elapsed * 1000, (usage.ru_utime + usage.ru_stime) * 1000


def main():
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "small.click"
        file.write_text(CONFIGURATION)
        commands = {"/bin/echo": ["/bin/echo", "first"], "imago click": [str(ROOT / "build/tools/imago"), "click", str(file)]}
        runs = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                runs[name].append(run_once(command))
    print("| what | to the first line, ms, median | least | processor time, ms, median |\n|---|---:|---:|---:|")
    for name, times in runs.items():
        elapsed, busy = zip(*times)
        print(f"| {name} | {median(elapsed):.2f} | {min(elapsed):.2f} | {median(busy):.2f} |")
    print(f"\nMedians of {ROUNDS} starts of each, in turns.")


if __name__ == "__main__":
    main()
