#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A program is replaced while packets flow: how long the parts of the change take inside the function, how often it calls the nucleus, how
long the longest gap between two bursts is with and without a change, and that no packet is lost.
"""
import time

from machine import FILTER, PATIENCE, Workshop, median, say, wait_until

SWAPS = 20
RATE = 2000
WINDOW = 0.25  # seconds in which a gap is looked for
PROGRAMS = ("block_dns", "long")
PARTS = {"verify_ns": "signature", "check_ns": "check", "proof_ns": "proof", "maps_ns": "maps", "commit_ns": "commit", "total_ns": "all of it",
         "compile_ns": "native code, after that"}


def calls_but_sleep(control):
    """-1 where there is no nucleus to call."""
    table = control.table("platform")
    return int(table["nucleus_calls"]) - int(table["nucleus_calls.sleep"]) if "nucleus_calls" in table else -1


def longest_gap(control, during):
    """Microseconds, in one window."""
    control.write("out.reset_gap")
    ends = time.monotonic() + WINDOW
    during()
    time.sleep(max(0, ends - time.monotonic()))
    return control.number("out.max_gap") / 1000


def swap_once(machine, bundle):
    control = machine.control
    machine.flow()
    quiet = longest_gap(control, lambda: None)
    machine.flow()
    before = calls_but_sleep(control)
    gap = longest_gap(control, lambda: control.write("fw.program", bundle.read_bytes()))
    parts = {name: int(value) for name, value in control.table("fw.swap").items()}
    return {**parts, "calls": calls_but_sleep(control) - before, "gap": gap, "quiet": quiet}


def lost_frames(machine):
    """Frames sent that neither came out nor stand in a drop counter. The primer, which has no number, may have come through."""
    machine.sender.stopping = True
    machine.sender.thread.join(PATIENCE)
    control, sender = machine.control, machine.sender

    def missing():
        return sender.sent - len(set(machine.recorder.numbers) & set(range(sender.sent))) - int(control.table("drops")["total"])

    try:
        wait_until(lambda: missing() <= 0, 2, "an account of every frame")
    except TimeoutError:
        pass  # the figure says so
    return missing()


def swaps(workshop, platform, source):
    """The two programs in turns: SWAPS rows for each, and the number of instructions it has."""
    rows, sizes = {name: [] for name in PROGRAMS}, {}
    bundles = [(name, workshop.bundle(name, version)) for version in range(1, SWAPS + 1) for name in PROGRAMS]
    with workshop.start(platform, source, rate=RATE) as machine:
        for number, (name, bundle) in enumerate(bundles):
            rows[name].append(swap_once(machine, bundle))
            sizes[name] = machine.control.table("fw.program")["insns"]
            if number % 10 == 9:
                say(f"swap: {platform}, {number + 1} of {len(bundles)}")
        lost = lost_frames(machine)
        sent = machine.sender.sent
    return rows, sizes, sent, lost


def main():
    with Workshop() as workshop:
        source = workshop.image("filter", FILTER)
        found = {platform: swaps(workshop, platform, source) for platform in workshop.platforms()}
    print("Microseconds, medians of " + f"{SWAPS} changes of each program at {RATE} packets a second.\n")
    print("| program | instructions | platform | " + " | ".join(PARTS.values()) + " | nucleus calls, sleep not counted |")
    print("|---|---:|---|" + "---:|" * (len(PARTS) + 1))
    for name in PROGRAMS:
        for platform, (rows, sizes, _, _) in found.items():
            parts = " | ".join(f"{median([row[part] for row in rows[name]]) / 1000:.1f}" for part in PARTS)
            calls = "-" if platform == "process" else f"{median([row['calls'] for row in rows[name]]):.0f}"
            print(f"| {name} | {sizes[name]} | {platform} | {parts} | {calls} |")
    print(f"\nThe longest gap between two bursts in {WINDOW} s, and what became of the packets:\n")
    print("| platform | gap without a change, ms, median (most) | with a change | packets | lost |\n|---|---:|---:|---:|---:|")
    for platform, (rows, _, sent, lost) in found.items():
        every = [row for name in PROGRAMS for row in rows[name]]
        gaps = {kind: [row[kind] / 1000 for row in every] for kind in ("quiet", "gap")}
        print(f"| {platform} | " + " | ".join(f"{median(gaps[kind]):.2f} ({max(gaps[kind]):.2f})" for kind in gaps) + f" | {sent} | {lost} |")


if __name__ == "__main__":
    main()
