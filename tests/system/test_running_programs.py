# SPDX-License-Identifier: BSD-3-Clause
"""What programs do in a running function besides deciding about packets, on both platforms: timers, tunables, routes, broadcasts,
maps in common, records, statistics."""
import json
import logging
import pathlib
import shutil

import pytest
from conftest import PATIENCE
from imago import compile_bpf
from wire import TRAILER, wait_until

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.layers.inet import IP, UDP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402

PROGRAMS = pathlib.Path(__file__).parent / "programs"
FRAME = bytes.fromhex("020000000001020000000002888e") + bytes(46)
HOUR = 3600 * 10**9


@pytest.fixture
def run(launch, signed, platform):
    """run(program, graph): the program of that name as program.imb in a running graph."""
    def start(program, graph, frames=(FRAME,)):
        shutil.copy(signed.bundle(program, 1), signed.directory / "program.imb")
        return launch(platform, graph, frames=frames, files=[signed.directory / "program.imb"], rate=1000)
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


def ip_frame(destination, ttl):
    return bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="192.0.2.7", dst=destination, ttl=ttl) /
                 UDP(sport=1, dport=2) / bytes(30))


def test_programs_forward_by_the_table_of_a_route_lookup_element(run):
    graph = """FromDevice(eth0) -> bpf :: BPFRewriter(FILE program.imb, FIB rt);
bpf [0] -> host :: Counter -> Discard; bpf [1] -> back :: Counter -> Discard; bpf [2] -> Queue(4096) -> ToDevice(eth1);
Idle -> rt :: RadixIPLookup(10.0.0.0/8 2, 10.9.0.0/16 0, 198.51.100.0/24 1);
rt [0] -> d :: Discard; rt [1] -> d; rt [2] -> d;"""
    function = run("router", graph, [ip_frame(destination, 64) for destination in
                                     ("10.1.2.3", "10.9.0.1", "198.51.100.1", "203.0.113.1", "10.255.0.1")])
    function.play(5)
    wait_until(lambda: len(function.recorder.frames) == 2 and function.number("host.count") == 2, PATIENCE, "five frames")
    assert [frame[:-TRAILER.size] for _, frame in function.recorder.frames] == [ip_frame("10.1.2.3", 63), ip_frame("10.255.0.1", 63)]
    assert function.number("back.count") == 1


def test_tunables_are_declared_on_the_command_line(imago, signed, tmp_path):
    compiled, bundle = compile_bpf(PROGRAMS / "alarm.bpf.c", tmp_path / "alarm.bpf.o"), tmp_path / "alarm.imb"
    words = ["bundle", compiled, "-o", bundle, "--key", signed.key, "--tunable", "period=5000000..6000000"]
    status, out, err = imago.attempt(*words)
    assert status == 1 and "tunable 'period' is 10000000, which is outside its range 5000000..6000000" in out + err
    imago(*words, "--set", "period=5500000")
    assert "tunable   period: 5000000..6000000, unless chosen 5500000" in imago("inspect", bundle).splitlines()


def test_stats_tell_what_programs_have_done(run):
    function = run("alarm", ALARM.format(HOUR))
    function.play(7)
    function.settle()
    heading, line = function.imago("bpf", "stats", function.name).splitlines()
    told = dict(zip(heading.split(), line.split()))
    assert told["ELEMENT"] == "bpf" and told["PROGRAM"] == "alarm" and told["VERSION"] == "1"
    assert told["PACKETS"] == told["PASSED"] == "7" and told["DROPPED"] == told["FAULTS"] == told["CALLBACKS"] == "0"
    assert told["NS"] == told["RATE"] == "-"
    assert told["MAPS"] == "2" and int(told["INSNS"]) > 10
    (entry_told,) = json.loads(function.imago("bpf", "stats", function.name, "--json"))
    assert entry_told["element"] == "bpf" and entry_told["class"] == "BPFilter"
    assert entry_told["program"]["name"] == "alarm" and entry_told["stats"]["passed"] == 7
    assert entry_told["stats"]["outputs"] == [7] and entry_told["stats"]["measured"] == 0
    assert function.imago.attempt("bpf", "stats", "nobody")[0] == 1


def test_stats_measure_for_a_while(run):
    function = run("alarm", ALARM.format(HOUR))
    function.play()
    wait_until(lambda: function.number("bpf.passed") > 0, PATIENCE, "the first packet")

    def measured():
        heading, line = function.imago("bpf", "stats", function.name, "--measure", "1").splitlines()
        told = dict(zip(heading.split(), line.split()))
        return told["NS"] != "-" and int(told["NS"]) > 0 and int(told["RATE"]) > 0
    wait_until(measured, PATIENCE, "a second with packets in it")
    assert function.read("bpf.measure") == "false"
    function.sender.stopping = True
    function.settle()


def test_run_dev_takes_objects(launch, platform, tmp_path):
    compile_bpf(PROGRAMS / "limit.bpf.c", tmp_path / "limit.bpf.o")
    function = launch(platform, "FromDevice(eth0) -> bpf :: BPFilter(limit.bpf.o) -> Queue(4096) -> ToDevice(eth1);", frames=[FRAME],
                      options=["--dev"], files=[tmp_path / "limit.bpf.o"], rate=1000)
    assert function.table("bpf.program")["name"] == "limit"
    assert function.table("bpf.program")["key"] == "dev"
    function.play(3)
    assert function.settle() == {}
    assert function.number("bpf.passed") == 3


def test_a_broadcast_reaches_every_interface_in_the_map_but_the_packets_own(run):
    graph = """FromDevice(eth0) -> bpf :: BPFRewriter(FILE program.imb);
bpf [0] -> host :: Counter -> Discard; bpf [1] -> back :: Counter -> Discard; bpf [2] -> Queue(4096) -> ToDevice(eth1);
bpf [3] -> third :: Counter -> Discard; bpf [4] -> fourth :: Counter -> Discard;"""
    function = run("flood", graph)
    for port, interface in enumerate((1, 2, 3, 99)):
        function.write("bpf.map_set", f"ports {port} {interface}")
    function.play(20)
    wait_until(lambda: len(function.recorder.frames) == 20 and function.number("third.count") == 20, PATIENCE, "the copies")
    assert {frame[:-TRAILER.size] for _, frame in function.recorder.frames} == {FRAME}
    assert [function.number(f"{name}.count") for name in ("host", "back", "fourth")] == [0, 0, 0]
    assert function.number("bpf.redirected") == 20


def test_elements_have_a_map_in_common(run):
    graph = """FromDevice(eth0) -> a :: BPFilter(FILE program.imb, MAPS seen) -> b :: BPFilter(FILE program.imb, MAPS seen)
-> c :: BPFilter(FILE program.imb) -> Queue(4096) -> ToDevice(eth1);"""
    function = run("limit", graph)
    function.play(260)
    drops = function.settle()
    # Both count what reaches them in the one map, up to 500: 260 and 260 less what the first drops. The third counts in its own.
    first, second = drops.get("a.dropped", 0), drops.get("b.dropped", 0)
    assert first + second == 260 + (260 - first) - 500
    counts = [function.imago("read", function.name, f"{name}.map_get", "seen 0").split() for name in "abc"]
    assert counts == [["0:", str(520 - first)]] * 2 + [["0:", str(260 - first - second)]]


def test_records_are_read_from_the_control_port(run):
    graph = "FromDevice(eth0) -> bpf :: BPFilter(FILE program.imb) -> Queue(4096) -> ToDevice(eth1);"
    senders = range(1, 6)
    frames = [bytes.fromhex("020000000002") + bytes([2, 0, 0, 0, 0, sender]) + bytes(48) for sender in senders]
    function = run("tell", graph, frames)
    function.play(len(frames))
    function.settle()
    # Little-endian: the length of a frame with the sender's trailer, and who sent it.
    wanted = [f"{(60 + TRAILER.size).to_bytes(2, 'little').hex()}{sender:02x}00" for sender in senders]
    records = function.imago("read", function.name, "bpf.map_records", "ring")
    assert records.splitlines() == wanted
    assert function.imago("read", function.name, "bpf.map_records", "ring") == ""
    told = json.loads(function.imago("read", function.name, "bpf.map_records", "events json"))
    assert [(record["length"], record["data"]) for record in told] == [(4, f"0x{data}") for data in wanted]
