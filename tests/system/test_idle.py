# SPDX-License-Identifier: BSD-3-Clause
"""Without packets a function sleeps. How much of a core it takes is reported (pytest -rP), not judged: the machine may be busy."""
import os
import pathlib
import time

from wire import wait_until

CLICK = "FromDevice(eth0) -> count :: Counter -> Queue -> ToDevice(eth1);"
SECONDS = 2


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_idle_function_sleeps_and_wakes_for_a_packet(launch, platform, record_property):
    function = launch(platform, CLICK, frames=[bytes(60)])
    pid = int(function.file("pid"))
    slept = lambda: int(function.table("workers")["worker0.slept_us"])  # noqa: E731
    wait_until(slept, 20, "the worker to go to sleep")
    before, began = cpu_seconds(pid), time.monotonic()
    asleep = slept()
    wait_until(lambda: time.monotonic() - began > SECONDS, SECONDS + 5, "time to pass")
    share = (cpu_seconds(pid) - before) / (time.monotonic() - began)
    assert slept() > asleep
    record_property("idle_cpu", share)
    print(f"idle on {platform}: {100 * share:.2f}% of a core")
    function.play(1)
    function.settle()
    assert function.recorder.numbers == [0]
