# SPDX-License-Identifier: BSD-3-Clause
"""Programs that Linux runs do to frames on the wire, in a BPFRewriter, what their scenario says; their maps are filled and read by handlers,
and stay when the program is replaced while frames flow."""
import shutil

import pytest
from conftest import PATIENCE
from scenarios import DROP, SCENARIOS
from wire import TRAILER, wait_until

GRAPH = """FromDevice(eth0) -> rw :: BPFRewriter(FILE program.imb); q :: Queue(4096) -> ToDevice(eth1);
rw [0] -> q; rw [1] -> q;"""
RATE = 2000
SMALLEST = 42  # an Ethernet, IP and UDP header: the number behind a shorter frame would be taken for what the frame lacks


@pytest.fixture(params=["vlan_rewriter", "l2_switch", "load_balancer"])
def scenario(request):
    return next(make for make in SCENARIOS if make.__name__ == request.param)()


@pytest.fixture
def rewriter(launch, signed, scenario):
    """The program of the scenario on a wire, with its maps filled, and the steps that it is to see."""
    shutil.copy(signed.bundle(scenario.program, 1), signed.directory / "program.imb")
    steps = [step for step in scenario.steps if len(step[0]) >= SMALLEST]
    function = launch("process", GRAPH, frames=[packet for packet, _, _ in steps], files=[signed.directory / "program.imb"],
                      rate=RATE)
    for name, key, value in scenario.entries:
        function.write("rw.map_set", f"{name} 0x{key.hex()} 0x{value.hex()}")
    function.steps = steps
    return function


def expected(steps):
    return [after for _, verdict, after in steps if verdict != DROP]


def test_frames_are_rewritten(rewriter):
    rewriter.play(len(rewriter.steps))
    drops = rewriter.settle()
    wanted = expected(rewriter.steps)
    assert [frame[:-TRAILER.size].hex() for _, frame in rewriter.recorder.frames] == [frame.hex() for frame in wanted]
    assert sum(drops.values()) == drops.get("rw.dropped", 0) == len(rewriter.steps) - len(wanted)


def test_maps_stay_when_the_program_is_replaced(rewriter, signed, scenario):
    rewriter.play()
    seen = rewriter.sender.sent
    wait_until(lambda: rewriter.sender.sent > seen + 20, PATIENCE, "the sender to go on")
    rewriter.load("rw", signed.bundle(scenario.program, 2))
    seen = rewriter.sender.sent
    wait_until(lambda: rewriter.sender.sent > seen + 20, PATIENCE, "the sender to go on")
    rewriter.sender.stopping = True
    drops = rewriter.settle()
    assert rewriter.table("rw.program")["version"] == "2"
    assert set(drops) <= {"rw.dropped"}
    rounds = -(-rewriter.sender.sent // len(rewriter.steps))
    wanted = [after for number, (_, verdict, after) in enumerate(rewriter.steps * rounds) if number < rewriter.sender.sent and verdict != DROP]
    assert [frame[:-TRAILER.size].hex() for _, frame in rewriter.recorder.frames] == [frame.hex() for frame in wanted]


def test_maps_are_read_and_written(rewriter, scenario, imago):
    name, key, value = scenario.entries[0]
    place = f"{name} 0x{key.hex()}"
    before = imago("read", rewriter.name, "rw.map_get", place)
    rewriter.write("rw.map_set", f"{place} 0x{bytes(len(value)).hex()}")
    assert imago("read", rewriter.name, "rw.map_get", place) != before
    status, out, err = imago.attempt("read", rewriter.name, "rw.map_get", f"{name} 0x{'ff' * len(key)}")
    assert status != 0
    assert f"{name}: no such entry" in out + err
    rewriter.write("rw.map_set", f"{place} 0x{value.hex()}")
    assert imago("read", rewriter.name, "rw.map_get", place) == before
    assert before.strip() in imago("read", rewriter.name, "rw.map_dump", name)
