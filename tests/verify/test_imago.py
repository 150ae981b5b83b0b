# SPDX-License-Identifier: BSD-3-Clause
"""Genuine programs have proofs: all of tests/programs, as every compiler option leaves them, and of examples, but for those that refused.py
names and explains. build/bench/verify asks verifier and checker, of which the latter must accept what the former found.
"""
import json
import subprocess

import pytest

from conftest import BUILD, CORPUS
from imago import FIREWALL, compile_bpf
from refused import REFUSED, REFUSED_V4, refused

ROOT = CORPUS.parents[1]
UNSAFE = {"unchecked"}  # the example that shows a refusal


def objects(source):
    name = source.name.removesuffix(".bpf.c")
    unproven, _ = refused(name)
    return {path.name.split(".")[1]: path for path in (ROOT / BUILD / "tests/programs").glob(f"{name}.O*.o")
            if path.name.split(".")[1] not in unproven}


def judge(*arguments):
    """{(program, object's path): what build/bench/verify says}"""
    done = subprocess.run([ROOT / BUILD / "bench/verify", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {(answer["program"], answer["object"]): answer for answer in answers}


def sources():
    return sorted(CORPUS.glob("*/*.bpf.c"))


@pytest.fixture(scope="module")
def answers():
    found = [f"{path}:{source.name.removesuffix('.bpf.c')}" for source in sources() for path in objects(source).values()]
    if not found:
        pytest.skip(f"{BUILD} has no eBPF objects: it is built without clang, or for fuzzing")
    return judge(*found)


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.name.removesuffix(".bpf.c"))
def test_program_has_a_proof(source, answers):
    """Every compilation has one, of at most a quarter of the program's size, which bounds what the program may execute."""
    name = source.name.removesuffix(".bpf.c")
    mine = {variant: answers[name, str(path)] for variant, path in objects(source).items()}
    assert mine or name in REFUSED
    assert [variant for variant, answer in mine.items() if not answer["accepted"]] == []
    for answer in mine.values():
        assert answer["proof"] <= answer["instructions"] * 8 / 4
        assert 0 < answer["bound"] <= 1000000


def examples():
    return [path for path in sorted(FIREWALL.glob("*.bpf.c")) if path.name.removesuffix(".bpf.c") not in UNSAFE]


@pytest.mark.parametrize("source", examples(), ids=lambda path: path.name.removesuffix(".bpf.c"))
def test_example_has_a_proof(source, tmp_path, imago):
    """`imago verify` accepts the examples with the command of their README."""
    compiled = compile_bpf(source, tmp_path / (source.name.removesuffix(".c") + ".o"))
    assert ": safe: " in imago("verify", compiled)


def test_refusals_are_of_programs_that_there_are():
    names = {source.name.removesuffix(".bpf.c") for source in sources()}
    assert {*REFUSED, *REFUSED_V4} <= names
    assert all(why for _, why in (*REFUSED.values(), *REFUSED_V4.values()))


def test_corpus_is_large():
    """Issue 5 aims at 100 genuine programs."""
    assert len(sources()) + len(examples()) >= 100
