# SPDX-License-Identifier: BSD-3-Clause
"""Genuine XDP programs (tests/programs) do to each packet what their scenario says: in our interpreter, compiled by our JIT, and, where
the bpf system call is permitted, in Linux, whose word the scenarios are thereby checked against."""
import json
import pathlib
import subprocess

import pytest

from conftest import BUILD, CORPUS, find_program
from imago import compile_bpf
from scenarios import SCENARIOS

REFUSED = 77  # linux_run.c: the kernel does not allow it


@pytest.fixture(scope="session")
def objects(tmp_path_factory):
    directory = tmp_path_factory.mktemp("programs")

    def compiled(name):
        path = directory / f"{name}.bpf.o"
        if not path.exists():
            compile_bpf(find_program(name), path, "-mcpu=v3", f"-I{CORPUS}")
        return path
    return compiled


def entries(scenario):
    return [f"{name}:{key.hex()}={value.hex()}" for name, key, value in scenario.entries]


def run_linux(path, scenario):
    done = subprocess.run([pathlib.Path(BUILD).resolve() / "tests/programs/linux-run", path, scenario.program, *entries(scenario)], text=True,
                          input="".join(packet.hex() + "\n" for packet, _, _ in scenario.steps), capture_output=True, check=False)
    if done.returncode == REFUSED:
        pytest.skip(f"Linux does not let us: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(params=["linux", "interpret", "jit", "prove"])
def run(request, imago, objects, tmp_path):
    """run(scenario): the result as `imago bpf run --json` prints it."""
    def here(scenario):
        path = objects(scenario.program)
        if request.param == "linux":
            return run_linux(path, scenario)
        options = [word for entry in entries(scenario) for word in ("--map", entry)]
        packets = tmp_path / "packets"
        packets.write_text("".join(packet.hex() + "\n" for packet, _, _ in scenario.steps))
        return json.loads(imago("bpf", "run", path, f"--{request.param}", "--program", scenario.program, "--hex", packets, "--json",
                                *options))
    return here


def total(value, width):
    """The sum of a value over processors, in words of 8 bytes: Linux gives one after the other."""
    copies = [value[i:i + width] for i in range(0, len(value), width)]
    words = [sum(int.from_bytes(copy[i:i + 8], "little") for copy in copies) for i in range(0, width, 8)]
    return b"".join(word.to_bytes(8, "little") for word in words)


def find_map(maps, name):
    """A map by its name; global data by its section, whatever stands in front."""
    return next({bytes.fromhex(key): bytes.fromhex(value) for key, value in content} for key, content in maps.items()
                if key == name or name.startswith(".") and key.endswith(name))


@pytest.mark.parametrize("make", SCENARIOS, ids=lambda make: make.__name__)
def test_program(make, run):
    scenario = make()
    result = run(scenario)
    assert len(result["packets"]) == len(scenario.steps)
    for number, (step, got) in enumerate(zip(scenario.steps, result["packets"])):
        packet, verdict, after = step
        assert (number, got["verdict"], got["data"]) == (number, verdict, after.hex()), packet.hex()
    for name, expected in scenario.counts.items():
        content = find_map(result["maps"], name)
        for key, value in expected.items():
            assert total(content[key], len(value)) == value if len(value) % 8 == 0 and len(content[key]) != len(value) else content[key] == value, \
                (name, key.hex())
    for name, expected in (scenario.records or {}).items():
        assert [value for _, value in result["maps"][name]] == [record.hex() for record in expected]
