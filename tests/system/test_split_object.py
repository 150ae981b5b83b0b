# SPDX-License-Identifier: BSD-3-Clause
"""platform/vm/split_object.py: what is split runs as before, what nobody refers to can go, and what is not understood is refused."""
import pathlib
import subprocess
import sys

import pytest

SPLITTER = pathlib.Path(__file__).resolve().parents[2] / "platform/vm/split_object.py"
PROGRAM = """
static const int kept[] = {3, 1, 4, 1, 5, 9}, lost[] = {2, 7, 1, 8, 2, 8};
static __attribute__((noinline)) int look_up(const int *table, unsigned i) { return table[i % 6]; }
__attribute__((noinline)) int unused(unsigned i) { return look_up(lost, i) + 1; }
__attribute__((noinline)) int digits(unsigned i) { return i == 0 ? 0 : 10 * digits(i - 1) + look_up(kept, i - 1); }
int main(void) { return digits(5) == 31415 ? 42 : 1; }
"""


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def must(*command):
    status, output = run(*command)
    assert status == 0, output
    return output


@pytest.fixture
def split(tmp_path):
    """split(source, name, *options) compiles and splits: (path, status of the splitter, what it said)."""

    def make(source, name, *options):
        (tmp_path / name).write_text(source)
        must("cc", *options, "-c", tmp_path / name, "-o", tmp_path / "whole.o")
        return tmp_path / "split.o", *run(sys.executable, SPLITTER, tmp_path / "whole.o", tmp_path / "split.o")

    return make


@pytest.mark.parametrize("options", [["-O2", "-fpie"], ["-Os", "-fpie"], ["-O0", "-fno-pie"]])
def test_it_runs_as_before_and_unused_parts_can_go(split, tmp_path, options):
    part, status, said = split(PROGRAM, "program.c", *options)
    assert status == 0, said
    must("cc", "-no-pie", "-Wl,--gc-sections", part, "-o", tmp_path / "program")
    assert run(tmp_path / "program")[0] == 42
    names = must("nm", tmp_path / "program")
    assert "digits" in names and "kept" in names
    assert "unused" not in names and "lost" not in names


@pytest.mark.parametrize(("source", "why"), [
    (".globl a, b\\n.type a,@function\\na: jmp b\\n.size a,.-a\\n.type b,@function\\n.set b,.\\nc: ret\\n.size b,1\\n", "too short to reach another section"),
    ("nop\\n.globl a\\n.type a,@function\\na: ret\\n.size a,.-a\\n", "something without a name stands in front"),
    (".globl a\\n.type a,@function\\na: ret\\n.size a,.-a\\n.section .rodata\\n.quad a\\n", "a relocation of type 1"),
])
def test_what_it_does_not_understand_is_refused(split, source, why):
    part, status, said = split(source.replace("\\n", "\n"), "program.s")
    assert status == 1 and why in said
    assert not part.exists()
