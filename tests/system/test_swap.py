# SPDX-License-Identifier: BSD-3-Clause
"""A program is replaced while packets flow: none is lost, none is judged by half of each, and maps keep their state."""
import re
import shutil

import pytest

from harness import PATIENCE
from wire import wait_until

RATE = 2000
FILTER = """
FromDevice(eth0) -> fw :: BPFilter(FILE {program}.imb) -> Queue(4096) -> ToDevice(eth1);
"""


def filtering(launch, signed, platform, program, frames, **options):
    """A function that is nothing but a filter, started with version 1 of the program."""
    bundle = signed.directory / f"{program}.imb"
    if not bundle.exists():
        shutil.copy(signed.bundle(program, 1), bundle)
    return launch(platform, FILTER.format(program=program), frames=frames, files=[bundle], **options)


def test_swaps_under_load_lose_nothing(launch, signed, capture, platform):
    swaps = 100 if platform == "process" else 10
    bundles = [signed.bundle(("block_dns", "pass")[n % 2], 2 + n) for n in range(swaps)]
    function = filtering(launch, signed, platform, "pass", capture, rate=RATE)
    function.play()
    for number, bundle in enumerate(bundles):
        seen = function.sender.sent
        out = function.load("fw", bundle)
        assert f"version {2 + number}" in out
        wait_until(lambda: function.sender.sent > seen + 20, PATIENCE, "the sender to go on")
    function.sender.stopping = True
    drops = function.settle()
    sent, numbers = function.sender.sent, function.recorder.numbers
    assert set(drops) <= {"fw.dropped"}
    assert len(numbers) + sum(drops.values()) == sent
    assert numbers == sorted(set(numbers)), "reordered or duplicated"
    # What was dropped is what block_dns drops, never anything else.
    missing = set(range(sent)) - set(numbers)
    assert missing
    blocked = {number % len(capture) for number in missing}
    assert len(blocked) < len(capture) / 2
    assert function.number("fw.passed") == len(numbers)


@pytest.mark.vm
def test_ring_0_is_called_by_the_boot_and_to_sleep(launch, signed, capture):
    """A boot maps memory and may set up clocks: 3 calls (100 us each where KVM is not assisted). Neither packets nor the program's
    compilation nor its replacement call, but to sleep."""
    function = filtering(launch, signed, "vm", "pass", capture, options=["--memory", "8"])

    def calls():
        counts = {name: int(count) for name, count in function.table("platform").items() if name.startswith("nucleus_calls.")}
        assert counts["nucleus_calls.write"] == counts["nucleus_calls.exit"] == 0
        return sum(counts.values()) - counts["nucleus_calls.sleep"]

    booted = calls()
    assert booted <= 3
    function.play(2 * len(capture))
    wait_until(lambda: function.table("fw.program")["engine"] == "native", PATIENCE, "native code")
    function.load("fw", signed.bundle("block_dns", 2))
    wait_until(lambda: function.table("fw.program")["engine"] == "native", PATIENCE, "native code again")
    function.settle()
    assert calls() == booted


def test_a_swap_is_one_clean_cut(launch, signed, capture, platform):
    function = filtering(launch, signed, platform, "pass", capture, rate=RATE)
    function.play()
    wait_until(lambda: function.sender.sent > len(capture), PATIENCE, "a round")
    function.load("fw", signed.bundle("block_dns", 2))
    at = function.sender.sent
    wait_until(lambda: function.sender.sent > at + 2 * len(capture), PATIENCE, "two more rounds")
    function.sender.stopping = True
    function.settle()
    numbers = set(function.recorder.numbers)
    sent = function.sender.sent
    last_round = range(sent - len(capture), sent)
    blocked = {number % len(capture) for number in last_round if number not in numbers}
    assert blocked
    cut = min(number for number in range(sent) if number not in numbers)
    for number in range(sent):
        assert (number in numbers) == (number < cut or number % len(capture) not in blocked)


def test_state_in_maps_outlives_a_swap(launch, signed, platform):
    function = filtering(launch, signed, platform, "limit", [bytes(60)])
    function.play(300)
    function.settle()
    assert len(function.recorder.numbers) == 300
    function.load("fw", signed.bundle("limit", 2))
    function.play(1000)
    assert function.settle() == {"fw.dropped": 500}
    assert function.recorder.numbers == list(range(500))


def test_the_parts_of_a_swap_are_measured_inside(launch, signed, capture, platform):
    function = filtering(launch, signed, platform, "pass", capture)
    function.load("fw", signed.bundle("block_dns", 2))
    parts = {name: int(value) for name, value in function.table("fw.swap").items()}
    assert set(parts) == {"verify_ns", "check_ns", "proof_ns", "maps_ns", "compile_ns", "commit_ns", "total_ns"}
    assert parts["total_ns"] >= sum(value for name, value in parts.items() if name not in ("compile_ns", "total_ns")) > 0
    wait_until(lambda: int(function.table("fw.swap")["compile_ns"]) > 0, PATIENCE, "native code, while the new program runs already")


def test_the_history_says_what_each_program_did(launch, signed, capture, platform):
    function = filtering(launch, signed, platform, "pass", capture)
    function.play(len(capture))
    function.settle()
    function.load("fw", signed.bundle("block_dns", 2))
    rows = [line.split() for line in function.read("fw.history").splitlines()]
    assert [row[:2] for row in rows] == [["pass", "1"], ["block_dns", "2"]]
    passed, dropped = int(rows[0][5]), int(rows[0][6])
    assert (passed, dropped) == (len(capture), 0)
    assert " ".join(rows[0][9:]).startswith("replaced by block_dns 2")


def test_a_program_that_faults_drops_that_packet_and_harms_nothing_else(launch, signed, platform):
    function = filtering(launch, signed, platform, "faulty", [bytes(120), bytes(20)], options=["--allow-unproven"])
    assert function.table("security")["unproven_programs"] == "allowed, checked while they run"
    function.play(100)
    assert function.settle() == {"fw.fault": 50}
    assert function.recorder.numbers == list(range(0, 100, 2))
    assert re.search(r"faulty.*instruction|instruction.*faulty", function.read("fw.last_fault"))
    assert "faulty.bpf.c:" in function.read("fw.last_fault")
