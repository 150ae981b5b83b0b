# SPDX-License-Identifier: BSD-3-Clause
"""The whole graph is replaced while packets flow: no packet is lost, state stays, and what cannot run is refused with its reason."""
import shutil

from conftest import PATIENCE
from wire import wait_until

RATE = 2000
# Only classes of the first: an image holds no others.
GRAPHS = (
    "FromDevice(eth0) -> c :: Counter -> fw :: BPFilter(FILE pass.imb) -> q :: Queue(4096) -> ToDevice(eth1);",
    "q :: Queue(2048); FromDevice(eth0) -> Counter -> c :: Counter -> Counter -> fw :: BPFilter(FILE pass.imb) -> q -> Counter -> ToDevice(eth1);",
)


def start(launch, signed, platform, frames, **options):
    bundle = signed.directory / "pass.imb"
    if not bundle.exists():
        shutil.copy(signed.bundle("pass", 1), bundle)
    return launch(platform, GRAPHS[0], frames=frames, files=[bundle], **options)


def test_graph_swaps_under_load_lose_nothing(launch, signed, capture, platform, tmp_path):
    swaps = 100 if platform == "process" else 20
    function = start(launch, signed, platform, capture, rate=RATE)
    function.play()
    file = tmp_path / "new.click"
    for number in range(swaps):
        seen = function.sender.sent
        file.write_text(GRAPHS[(number + 1) % len(GRAPHS)])
        function.write("hotconfig", f"@{file}")
        wait_until(lambda: function.sender.sent > seen + 20, PATIENCE, "the sender to go on")
    function.sender.stopping = True
    assert function.settle() == {}
    assert function.recorder.numbers == list(range(function.sender.sent))
    assert function.number("c.count") == function.sender.sent
    assert function.number("fw.passed") == function.sender.sent
    assert function.table("workers")["swaps"] == str(swaps)
    assert function.read("config") == GRAPHS[swaps % len(GRAPHS)]


def test_a_program_loaded_since_stays(launch, signed, platform, tmp_path):
    function = start(launch, signed, platform, [bytes(60)])
    function.load("fw", signed.bundle("block_dns", 9))
    file = tmp_path / "new.click"
    file.write_text(GRAPHS[1])
    function.write("hotconfig", f"@{file}")
    program = function.table("fw.program")
    assert (program["name"], program["version"]) == ("block_dns", "9")


def test_bad_files_leave_the_old_graph_running(launch, signed, platform, imago, tmp_path):
    function = start(launch, signed, platform, [bytes(60)])
    missing = "'Paint' is not in this image; rebuild with imago build" if platform == "vm" else None
    cases = [
        ("FromDevice(eth0) -> ", "hotconfig:1"),
        ("FromDevice(eth0) -> Countre -> ToDevice(eth1);", "Countre"),
        ("FromDevice(eth9) -> Queue -> ToDevice(eth1);", "eth9"),
        ("FromDevice(eth0) -> Queue(many) -> ToDevice(eth1);", "CAPACITY"),
        ("FromDevice(eth0) -> BPFilter(FILE none.imb) -> Queue -> ToDevice(eth1);", "none.imb"),
    ]
    if missing:
        cases.append(("FromDevice(eth0) -> Paint(1) -> Queue -> ToDevice(eth1);", missing))
    for text, reason in cases:
        file = tmp_path / "bad.click"
        file.write_text(text)
        status, out, err = imago.attempt("write", function.name, "hotconfig", f"@{file}")
        assert status != 0
        assert reason in out + err
    assert function.read("config") == GRAPHS[0]
    function.play(10)
    assert function.settle() == {}
    assert function.number("c.count") == 10
