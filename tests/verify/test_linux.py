# SPDX-License-Identifier: BSD-3-Clause
"""The programs of tests/programs are genuine: Linux's own verifier takes each of them, as every compiler option leaves it. Those that it
doesn't take say in their opening comment "Linux refuses it" and why. It walks a million instructions first, so that those are left to
bench/verify, which makes the table in docs/verification.md; as is code of version 4, of which it refuses more than half.
"""
import pytest

import linux
from cloud_kernel import Unavailable
from conftest import BUILD, CORPUS
from linux import version

# Linux 6.1, Debian's, refuses these and LEARNED takes them; the kernels between were not asked.
LEARNED = (6, 18)
LEARNED_LATER = {
    "quic_steer": ("O1-v3",),
    "segment_routing": ("O1-v3", "O2-v1", "O2-v2", "O2-v3"),
    "tc_options": ("O1-v3",),
    "tcp_timestamps": ("O1-v3",),
}

def sources():
    return [path for path in sorted(CORPUS.glob("*/*.bpf.c")) if "Linux refuses it" not in path.read_text().split("*/")[0]]


@pytest.fixture(scope="module")
def verdicts():
    """{program: {variant: what Linux says}}"""
    build = CORPUS.parents[1] / BUILD
    objects = [path for source in sources() for path in (build / "tests/programs").glob(source.name.removesuffix(".bpf.c") + ".O*-v[123].o")]
    if not objects:
        pytest.skip(f"{BUILD} has no eBPF objects: it is built without clang, or for fuzzing")
    try:
        said = linux.verdicts(build, objects)
    except Unavailable as error:
        pytest.skip(f"there is no Linux to ask: {error}")
    found = {}
    for path, verdict in zip(objects, said, strict=True):
        program, variant, _ = path.name.split(".")
        found.setdefault(program, {})[variant] = verdict
    return found


def excused(name, variant, verdict):
    return variant in LEARNED_LATER.get(name, ()) and version(verdict["release"]) < LEARNED


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.name.removesuffix(".bpf.c"))
def test_linux_accepts(source, verdicts):
    name = source.name.removesuffix(".bpf.c")
    refused = {variant: verdict["why"] for variant, verdict in verdicts[name].items()
               if not verdict["accepted"] and not excused(name, variant, verdict)}
    assert refused == {}
