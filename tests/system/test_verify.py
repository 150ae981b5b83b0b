# SPDX-License-Identifier: BSD-3-Clause
"""imago verify as people use it: a safe program becomes a bundle with its proof, an unsafe one an explanation at its source line."""
import pathlib
import re

import pytest

from conftest import CORPUS
from imago import FIREWALL, compile_bpf

HEADER = """#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
"""
# Reads byte 14 of a packet of which 14 bytes are known to be there: 0 to 13.
PAST_THE_END = HEADER + """SEC("xdp")
int past(struct xdp_md *ctx) {
  unsigned char *p = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  if (p + 14 > end) return XDP_PASS;
  return p[14] == 1 ? XDP_DROP : XDP_PASS;
}
"""
# At most 3 instructions before the loop, 100 trips of at most 8: over 100, below 1,000.
COUNTS = HEADER + """SEC("xdp")
int counts(struct xdp_md *ctx) {
  volatile int sum = 0;
#pragma clang loop unroll(disable)
  for (int i = 0; i < 100; i++) sum += i;
  return sum == 4950 ? XDP_PASS : XDP_DROP;
}
"""


@pytest.fixture
def object_of(tmp_path):
    def make(name, source):
        (tmp_path / f"{name}.bpf.c").write_text(source)
        compile_bpf(tmp_path / f"{name}.bpf.c", tmp_path / f"{name}.bpf.o")
        return tmp_path / f"{name}.bpf.o"
    return make


@pytest.fixture
def firewall(tmp_path):
    path = tmp_path / "block_dns.bpf.o"
    compile_bpf(FIREWALL / "block_dns.bpf.c", path)
    return path


def test_a_safe_program_becomes_a_bundle_with_its_proof(imago, signed, firewall, tmp_path):
    out = tmp_path / "block_dns.imb"
    text = imago("verify", firewall, "-o", out, "--key", signed.key, "--version", "3", "--audience", "fw*")
    size = int(re.search(r"block_dns version 3, \d+ instructions, \d+ maps, proof of (\d+) bytes", text).group(1))
    assert size > 0
    plain = imago.bundle(firewall, tmp_path / "plain.imb", signed.key, 3, command="bundle")
    # Section 10 of docs/bundle.md: 8 bytes in front, rounded up to 8.
    assert out.stat().st_size == plain.stat().st_size + 8 + (size + 7) // 8 * 8
    shown = imago("inspect", out, "--key", signed.public)
    assert "good" in shown and "holds: at most" in shown


def test_without_a_bundle_it_only_judges(imago, firewall):
    assert re.fullmatch(r"block_dns\.bpf\.o: safe: \d+ instructions, at most \d+ executed, proof of \d+ bytes\n", imago("verify", firewall))


KERNELS = pathlib.Path(__file__).parents[2] / "bench/programs"


@pytest.mark.parametrize("name", sorted(path.name.removesuffix(".bpf.c") for path in KERNELS.glob("*.bpf.c")))
def test_the_programs_of_the_measurements_have_proofs(imago, tmp_path, name):
    """bench/bpf compiles them by the facts of their proofs, and has no others."""
    kernel = compile_bpf(KERNELS / f"{name}.bpf.c", tmp_path / f"{name}.bpf.o", "-mcpu=v3", f"-I{KERNELS}/ebpf", f"-I{CORPUS}")
    several = {"hash_lookup": "hash_lookup_million", "tail_calls": "tail_calls"}
    entry = ["--program", several[name]] if name in several else []
    assert f"{name}.bpf.o: safe: " in imago("verify", kernel, *entry)


def test_the_same_program_gives_the_same_bytes(imago, signed, firewall, tmp_path):
    once, twice = tmp_path / "once.imb", tmp_path / "twice.imb"
    for out in (once, twice):
        imago("verify", firewall, "-o", out, "--key", signed.key, "--name", "b")
    assert once.read_bytes() == twice.read_bytes()


def test_an_unsafe_program_is_explained_at_its_line(imago, signed, object_of, tmp_path):
    out = tmp_path / "past.imb"
    status, _, error = imago.attempt("verify", object_of("past", PAST_THE_END), "-o", out, "--key", signed.key)
    assert status == 1 and not out.exists()
    assert error.startswith("imago verify: past.bpf.c:7: reads 1 byte at 14 of the packet, which is not proven to be inside\n"
                            "  source  return p[14] == 1 ? XDP_DROP : XDP_PASS;\n")
    # The compiler keeps p + 14, so one byte is missing behind it.
    assert re.search(r"^  needed  r\d \+ 1 <= data_end\n  known   r\d is packet data \+ 14, not beyond data_end$", error, re.MULTILINE)
    assert "  past.bpf.c:6  if (p + 14 > end) return XDP_PASS;  -> line 7\n" in error
    assert re.search(r"^  hint    compare r\d \+ 1 with data_end before this", error, re.MULTILINE)


def test_the_longest_path_is_limited(imago, object_of):
    path = object_of("counts", COUNTS)
    most = int(re.search(r"at most (\d+) executed", imago("verify", path)).group(1))
    assert 100 < most < 1000
    assert imago.attempt("verify", path, "--max-insns", most)[0] == 0
    status, _, error = imago.attempt("verify", path, "--max-insns", "100")
    assert status == 1 and "counts.bpf.c:7: may execute more than 100 instructions" in error
    for wrong in ("0", "x", "1000001"):
        status, _, error = imago.attempt("verify", path, "--max-insns", wrong)
        assert status == 1 and f"'{wrong}' is no number of instructions" in error


def test_what_holds_is_shown_beside_the_source(imago, object_of):
    text = imago("verify", object_of("counts", COUNTS), "--explain", "--stats")
    assert re.search(r"^counts\.bpf\.c:7: for \(int i = 0; i < 100; i\+\+\) sum \+= i;$", text, re.MULTILINE)
    assert re.search(r"^ +r\d: (\d+ to 99|\d+ to 100|1 to \d+)$", text, re.MULTILINE), text
    assert re.search(r"^longest +\d+ instructions, 0 helper calls$", text, re.MULTILINE)
    assert re.search(r"^dead +0 instructions are never reached$", text, re.MULTILINE)


def test_an_output_needs_a_key(imago, firewall, tmp_path):
    status, _, error = imago.attempt("verify", firewall, "-o", tmp_path / "x.imb")
    assert status == 1 and "no key given" in error
