#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""How long a command on the control port takes to its reply, while nothing else is to do: a handler is read again and again over one
connection.
"""
import statistics
import time

from machine import FORWARD, PATIENCE, Workshop, median, say, wait_until

READS = 1000


def reads(control):
    """Microseconds of each."""
    times = []
    for _ in range(READS):
        began = time.perf_counter_ns()
        control.read("count.count")
        times.append((time.perf_counter_ns() - began) / 1000)
    return times


def main():
    with Workshop() as workshop:
        source = workshop.image("forward", FORWARD)
        print("| platform | command to reply, µs, median | 99 % below |\n|---|---:|---:|")
        for platform in workshop.platforms():
            with workshop.start(platform, source, frames=[bytes(60)]) as machine:
                machine.sender.limit = 2
                machine.sender.start()
                wait_until(lambda: machine.recorder.numbers, PATIENCE, "a packet")
                times = reads(machine.control)
            print(f"| {platform} | {median(times):.0f} | {statistics.quantiles(times, n=100)[98]:.0f} |")
            say(f"console: {platform}")
        print(f"\n{READS} reads of a counter over one connection; an idle machine sleeps between them.")


if __name__ == "__main__":
    main()
