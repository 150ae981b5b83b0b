#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a function takes of a core when no packets come: processor time of QEMU with all its threads, or of the process."""
import time

from machine import FORWARD, PATIENCE, Workshop, say, wait_until

SETTLE = 2  # seconds without packets before
SECONDS = 10


def share(workshop, platform, source):
    """Part of a core. The function has forwarded a packet before, so that it is complete."""
    with workshop.start(platform, source, frames=[bytes(60)]) as machine:
        machine.sender.limit = 2
        machine.sender.start()
        wait_until(lambda: machine.recorder.numbers, PATIENCE, "a packet")
        time.sleep(SETTLE)
        before, began = machine.cpu_seconds(), time.monotonic()
        time.sleep(SECONDS)
        return (machine.cpu_seconds() - before) / (time.monotonic() - began)


def main():
    with Workshop() as workshop:
        source = workshop.image("forward", FORWARD)
        print(f"| platform | percent of a core, over {SECONDS} s |\n|---|---:|")
        for platform in workshop.platforms():
            print(f"| {platform} | {100 * share(workshop, platform, source):.2f} |")
            say(f"idle: {platform}")


if __name__ == "__main__":
    main()
