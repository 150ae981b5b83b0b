# SPDX-License-Identifier: BSD-3-Clause
"""The programs of tests/programs are genuine: Linux's own verifier takes each of them, as every compiler option leaves it. Those that it
doesn't take say in their opening comment "Linux refuses it" and why. It walks a million instructions first, so that those are left to
bench/verify, which makes the table in docs/verification.md.
"""
import json
import platform
import subprocess

import pytest

from conftest import BUILD, CORPUS

NOT_PERMITTED = 77  # linux_verify.c
OLDEST = (6, 1)  # what older kernels don't know is no word against a program


def sources():
    return [path for path in sorted(CORPUS.glob("*/*.bpf.c")) if "Linux refuses it" not in path.read_text().split("*/")[0]]


@pytest.fixture(scope="module")
def verdicts():
    """{program: {variant: what Linux says}}"""
    build = CORPUS.parents[1] / BUILD
    objects = [path for source in sources() for path in (build / "tests/programs").glob(source.name.removesuffix(".bpf.c") + ".O*.o")]
    if not objects:
        pytest.skip(f"{BUILD} has no eBPF objects: it is built without clang, or for fuzzing")
    if tuple(map(int, platform.release().split(".")[:2])) < OLDEST:
        pytest.skip(f"Linux {platform.release()} is older than {OLDEST[0]}.{OLDEST[1]}")
    done = subprocess.run([build / "tests/verify/linux-verify", *objects], capture_output=True, text=True, check=False)
    if done.returncode == NOT_PERMITTED:
        pytest.skip(f"Linux does not let us: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    found = {}
    for path, line in zip(objects, done.stdout.splitlines(), strict=True):
        program, variant, _ = path.name.split(".")
        found.setdefault(program, {})[variant] = json.loads(line)
    return found


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.name.removesuffix(".bpf.c"))
def test_linux_accepts(source, verdicts):
    mine = verdicts[source.name.removesuffix(".bpf.c")]
    assert {variant: verdict["why"] for variant, verdict in mine.items() if not verdict["accepted"]} == {}
