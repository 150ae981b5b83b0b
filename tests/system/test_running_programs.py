# SPDX-License-Identifier: BSD-3-Clause
"""What programs do in a running function besides deciding about packets, on both platforms: timers, tunables."""
import json
import shutil

import pytest
from conftest import PATIENCE
from wire import wait_until

FRAME = bytes.fromhex("020000000001020000000002888e") + bytes(46)
HOUR = 3600 * 10**9


@pytest.fixture
def run(launch, signed, platform):
    """run(program, graph): the program of that name as program.imb in a running graph."""
    def start(program, graph):
        shutil.copy(signed.bundle(program, 1), signed.directory / "program.imb")
        return launch(platform, graph, frames=[FRAME], files=[signed.directory / "program.imb"], rate=1000)
    return start


def entry(function, place):
    """The value of a map's entry, by the names of its members."""
    return json.loads(function.imago("read", function.name, "bpf.map_get", f"{place} json"))["value"]


ALARM = "FromDevice(eth0) -> bpf :: BPFilter(FILE program.imb, CONST period={}) -> Queue(4096) -> ToDevice(eth1);"


def wait_for_periods(function, number):
    before = entry(function, "counts 0")["periods"]
    wait_until(lambda: entry(function, "counts 0")["periods"] >= before + number, PATIENCE, "the timer")


def test_timers_run_without_packets_and_survive_a_change_of_program(run, signed):
    function = run("alarm", ALARM.format(2000000))
    function.play(3)
    assert function.settle() == {}
    assert entry(function, "counts 0")["packets"] == 3
    wait_for_periods(function, 5)
    function.load("bpf", signed.bundle("alarm", 2))
    wait_for_periods(function, 5)
    assert entry(function, "counts 0")["packets"] == 3
    assert function.number("bpf.callbacks") >= 10


def test_tunables_are_chosen_and_changed(run):
    function = run("alarm", ALARM.format(HOUR))
    assert function.read("bpf.consts") == f"period {HOUR} 1000000..{HOUR}"
    status, out, err = function.imago.attempt("write", function.name, "bpf.const", "period 999999")
    assert status != 0
    assert f"period of alarm version 1 must be a number in 1000000..{HOUR}, not '999999'" in out + err
    function.write("bpf.const", "period 2000000")
    assert function.read("bpf.consts") == f"period 2000000 1000000..{HOUR}"
    function.play(1)
    function.settle()
    wait_for_periods(function, 2)
