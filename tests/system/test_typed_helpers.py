# SPDX-License-Identifier: BSD-3-Clause
"""Helpers that Linux lets only programs with type information call, one by one against Linux: what every call gives is the same there,
interpreted, compiled, and compiled by a proof. (All other helpers: tests/unit/bpf/helper_linux_test.c.) The values are also worked out
from kernel/bpf/bpf_iter.c, helpers.c, arraymap.c and hashtab.c, for hosts where the bpf system call is not permitted."""
import json
import pathlib
import subprocess

import pytest

from conftest import BUILD
from imago import compile_bpf

SOURCE = pathlib.Path(__file__).parent / "programs/typed_helpers.bpf.c"
REFUSED = 77  # linux_run.c: the kernel does not allow it
EBUSY, EINVAL, E2BIG = -16, -22, -7
EXPECTED = {
    # bpf_loop: how many times, and the sum of 1 to that. 8 M and one are too many, whatever the callback says.
    "loops": [10, 55, 0, 0, 4, 10, 10, 55, EINVAL, 0],
    "many_loops": [E2BIG, 0, 1, 1],
    # bpf_for_each_map_elem: how many, and the sum of 100 * key + value: 600 + 60, then each value is one more; of the array keys 0 and 1.
    "entries": [3, 660, 3, 663, 2, 110, EINVAL, 0, 4, 660, 3, 660, 3, 3, 0, 0],
    # The lock guards before and count: 0 + 1, then 1 + 2; 7 + 6; replaced under its lock by a fresh one, 7 + 6 again.
    "locks": [1, 3, 13, 0, 13],
    # Not before bpf_timer_init; that wants a clock that there is, once; no start without a callback; cancel says whether it was armed.
    "timers": [EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, 0, EBUSY, EINVAL, 0, EINVAL, 0, 0, 1, 0, 0, 0],
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    return compile_bpf(SOURCE, tmp_path_factory.mktemp("typed") / "typed_helpers.bpf.o", "-mcpu=v3")


def results(maps):
    words = {int.from_bytes(bytes.fromhex(key), "little"): int.from_bytes(bytes.fromhex(value), "little", signed=True) for key, value in maps["results"]}
    return [words[i] for i in range(len(words))]


# 8 M callbacks have no proof: that the first one ends it is not seen.
@pytest.mark.parametrize("program, engine", [(program, engine) for program in EXPECTED for engine in ("linux", "interpret", "jit", "prove")
                                             if (program, engine) != ("many_loops", "prove")])
def test_typed_helpers(imago, compiled, tmp_path, program, engine):
    packet = "00" * 60 + "\n"
    if engine == "linux":
        done = subprocess.run([pathlib.Path(BUILD).resolve() / "tests/programs/linux-run", compiled, program], text=True, input=packet,
                              capture_output=True, check=False)
        if done.returncode == REFUSED:
            pytest.skip(f"Linux does not let us: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        got = json.loads(done.stdout)
    else:
        (tmp_path / "packets").write_text(packet)
        got = json.loads(imago("bpf", "run", compiled, f"--{engine}", "--program", program, "--hex", tmp_path / "packets", "--json"))
    assert [one["verdict"] for one in got["packets"]] == [2]
    assert results(got["maps"]) == EXPECTED[program] + [0] * (16 - len(EXPECTED[program]))
