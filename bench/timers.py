#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""How late timers are: packets of a TimedSource by the clock, beside a plain loop that sleeps until the same points in time. Late is
against the earliest of a run, so what both take from waking up to reading the clock doesn't count."""
import pathlib
import statistics
import struct
import subprocess
import tempfile

from machine import ROOT, say

IMAGO = ROOT / "build/tools/imago"
SLEEPER = ROOT / "build/bench/sleeper"
INTERVALS = (100_000, 1_000_000, 10_000_000)  # nanoseconds
SECONDS = 1
RUNS = 3


def of_graph(interval, count, directory):
    """Wall clock of each packet."""
    dump = pathlib.Path(directory) / "timers.pcap"
    click = f'TimedSource({interval / 1e9:.9f}, LIMIT {count}, STOP true) -> SetTimestamp -> ToDump("{dump}", NANO true)'
    subprocess.run([IMAGO, "click", "-e", click], check=True, stdin=subprocess.DEVNULL)
    data, times, at = dump.read_bytes(), [], 24
    while at < len(data):
        seconds, nanoseconds, length, _ = struct.unpack_from("<IIII", data, at)
        times.append(seconds * 10**9 + nanoseconds)
        at += 16 + length
    return times


def of_loop(interval, count, _directory):
    done = subprocess.run([SLEEPER, str(interval), str(count)], check=True, capture_output=True, text=True)
    return [int(line) for line in done.stdout.split()]


def lateness(times, interval):
    """Sorted, in microseconds."""
    off = [time - number * interval for number, time in enumerate(times)]
    first = min(off)
    return sorted((each - first) / 1000 for each in off)


def main():
    print(f"Microseconds late, medians of {RUNS} runs in turns of {SECONDS} s.\n")
    print("| interval | who | half | 99 of 100 | most |\n|---:|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as directory:
        for interval in INTERVALS:
            count = SECONDS * 10**9 // interval
            found = {"TimedSource": [], "plain loop": []}
            for _ in range(RUNS):
                for who, measure in (("TimedSource", of_graph), ("plain loop", of_loop)):
                    late = lateness(measure(interval, count, directory), interval)
                    found[who].append((late[len(late) // 2], late[len(late) * 99 // 100], late[-1]))
            for who, rows in found.items():
                half, most_of, most = (statistics.median(column) for column in zip(*rows))
                print(f"| {interval / 1e6:g} ms | {who} | {half:.1f} | {most_of:.1f} | {most:.1f} |")
            say(f"timers: {interval / 1e6:g} ms")


if __name__ == "__main__":
    main()
