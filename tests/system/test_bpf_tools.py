# SPDX-License-Identifier: BSD-3-Clause
"""imago bpf and imago bpf-conformance as people and the public conformance suite call them. Programs are assembled here by RFC 9669's
tables; expected values follow from its text."""
import json
import struct
from pathlib import Path

import pytest

from imago import FIREWALL, Failed, compile_bpf
from wire import read_pcap

PROGRAMS_OF_TESTS = Path(__file__).parent / "programs"
R0, R1, R2, R3, R10 = 0, 1, 2, 3, 10


def insn(code, dst=0, src=0, off=0, imm=0):
    return struct.pack("<BBhi", code, dst | src << 4, off, imm)


EXIT = insn(0x95)


def mov(dst, imm):
    return insn(0xB7, dst, imm=imm)


def wide(dst, value):
    low, high = struct.unpack("<ii", struct.pack("<Q", value))
    return insn(0x18, dst, imm=low) + insn(0, imm=high)


# name: program, memory, r0 in hexadecimal
PROGRAMS = {
    "add, 64 bits, sign-extended immediate": (mov(R0, -1) + insn(0x07, R0, imm=-1), b"", "fffffffffffffffe"),
    "add, 32 bits, upper half becomes zero": (mov(R0, -1) + insn(0x04, R0, imm=1), b"", "0"),
    "unsigned division by zero gives 0": (mov(R0, 7) + mov(R1, 0) + insn(0x3F, R0, R1), b"", "0"),
    "modulo by zero leaves the dividend": (mov(R0, 7) + mov(R1, 0) + insn(0x9F, R0, R1), b"", "7"),
    "signed division, off 1": (mov(R0, -13) + insn(0x37, R0, off=1, imm=3), b"", "fffffffffffffffc"),
    "signed modulo takes the dividend's sign": (mov(R0, -13) + insn(0x97, R0, off=1, imm=3), b"", "ffffffffffffffff"),
    "64-bit immediate": (wide(R0, 0x1122334455667788), b"", "1122334455667788"),
    "byte swap of 16 bits zeroes the rest": (wide(R0, 0x1122334455667788) + insn(0xD7, R0, imm=16), b"", "8877"),
    "sign-extending move": (mov(R1, 0x80) + insn(0xBF, R0, R1, off=8), b"", "ffffffffffffff80"),
    "load through r1, length in r2": (insn(0x61, R0, R1, off=2) + insn(0x0F, R0, R2), bytes([1, 2, 3, 4, 5, 6, 7, 8]), "605040b"),
    "sign-extending load": (insn(0x91, R0, R1), b"\xfe", "fffffffffffffffe"),
    "stack": (insn(0x7A, R10, off=-8, imm=42) + insn(0x79, R0, R10, off=-8), b"", "2a"),
    "jset": (mov(R0, 6) + insn(0x45, R0, off=1, imm=4) + mov(R0, 0), b"", "6"),
    "signed comparison of 32 bits": (wide(R0, 0x80000000) + insn(0xC6, R0, off=1, imm=0) + mov(R0, 1), b"", "80000000"),
    "long jump": (mov(R0, 1) + insn(0x06, imm=1) + mov(R0, 2), b"", "1"),
    "atomic add with fetch": (insn(0x7A, R10, off=-8, imm=40) + mov(R1, 2) + insn(0xDB, R10, R1, off=-8, imm=0x01) +
                              insn(0x79, R0, R10, off=-8) + insn(0x0F, R0, R1), b"", "52"),
    "compare and exchange": (insn(0x7A, R10, off=-8, imm=5) + mov(R0, 5) + mov(R1, 9) + insn(0xDB, R10, R1, off=-8, imm=0xF1) +
                             insn(0x79, R2, R10, off=-8) + insn(0x67, R2, imm=8) + insn(0x0F, R0, R2), b"", "905"),
    "local call": (mov(R1, 20) + insn(0x85, src=1, imm=1) + EXIT + insn(0xBF, R0, R1) + insn(0x0F, R0, R1), b"", "28"),
    "call through a register": (insn(0x18, R3, 4, imm=4) + insn(0) + mov(R1, 3) + insn(0x8D, R3) + EXIT + mov(R0, 4), b"", "4"),
}


@pytest.mark.parametrize("engine", ["--jit", "--interpret"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_conformance(imago, name, engine):
    program, memory, expected = PROGRAMS[name]
    words = ["bpf-conformance", engine, "--program", (program + EXIT).hex(" ")]
    if memory:
        words.append(memory.hex(" "))
    assert imago(*words) == expected + "\n"


@pytest.mark.parametrize("engine", ["--jit", "--interpret"])
@pytest.mark.parametrize("program, says", [
    (insn(0x30) + EXIT, "legacy packet access"),
    (insn(0xFF) + EXIT, "opcode 0xff"),
    (insn(0x05, off=100) + EXIT, "outside the program"),
    (mov(R0, 1), "runs off the end"),
    (b"\x95\0\0", "has 3 bytes"),
    (mov(R1, 0) + insn(0x61, R0, R1) + EXIT, "fault: memory access"),
    (insn(0x05, off=-1) + EXIT, "instruction budget used up"),
])
def test_conformance_refuses(imago, program, says, engine):
    status, out, err = imago.attempt("bpf-conformance", engine, "--program", program.hex())
    assert (status, out) == (1, "") and says in err


@pytest.fixture(scope="module")
def block_dns(tmp_path_factory):
    return compile_bpf(FIREWALL / "block_dns.bpf.c", tmp_path_factory.mktemp("bpf") / "block_dns.bpf.o")


def test_run_on_a_capture(imago, block_dns, tmp_path):
    """Verdicts as many as packets; what passes is in the output, unchanged; the maps count the same."""
    frames = read_pcap(FIREWALL / "traffic.pcap")
    out = tmp_path / "out.pcap"
    text = imago("bpf", "run", block_dns, "--packet", FIREWALL / "traffic.pcap", "--output", out, "--json")
    result = json.loads(text)
    verdicts = [packet["verdict"] for packet in result["packets"]]
    assert len(verdicts) == len(frames) and set(verdicts) == {1, 2}
    assert read_pcap(out) == [frame for frame, verdict in zip(frames, verdicts) if verdict == 2]
    counts = {int.from_bytes(bytes.fromhex(key), "little"): int.from_bytes(bytes.fromhex(value), "little")
              for key, value in result["maps"]["counters"]}
    assert (counts[1], counts[2]) == (verdicts.count(1), verdicts.count(2))


def test_run_for_people(imago, block_dns):
    text = imago("bpf", "run", block_dns, "--packet", FIREWALL / "traffic.pcap", "--repeat", "3", "--maps")
    assert "XDP_DROP" in text and "ns a packet, compiled, checked" in text and "map counters: array, key 4, value 8, 5 entries\n" in text
    assert "ns a packet, compiled, proven" in imago("bpf", "run", block_dns, "--prove", "--packet", FIREWALL / "traffic.pcap")


@pytest.mark.parametrize("engine", ["--jit", "--interpret", "--prove"])
def test_timers_run_after_the_packets(imago, tmp_path, engine):
    """A timer of an hour that arms itself again: two are due within two and a half hours, and nobody waits for them."""
    alarm, hour = compile_bpf(PROGRAMS_OF_TESTS / "alarm.bpf.c", tmp_path / "alarm.bpf.o"), 3_600_000_000_000
    (tmp_path / "packets").write_text("00" * 60 + "\n")
    words = ["bpf", "run", alarm, "--hex", tmp_path / "packets", engine, "--set", f"period={hour}", "--timers"]
    timers = json.loads(imago(*words, "9000000", "--json"))["timers"]
    assert [(timer["map"], timer["entry"]["key"], timer["entry"]["value"]["periods"]) for timer in timers] == [("counts", 0, 1), ("counts", 0, 2)]
    assert timers[1]["after_ns"] - timers[0]["after_ns"] == hour
    text = imago(*words, "9000000")
    assert text.count("ms  alarm.bpf.c:27, map counts, 0: {packets 1 periods ") == 2 and "the next one is due " in text
    assert json.loads(imago(*words, "0", "--json"))["timers"] == []


def test_dump(imago, block_dns):
    """Every instruction beside its source line, and with --jit the code that it became."""
    text = imago("bpf", "dump", block_dns)
    assert text.startswith('block_dns (SEC("xdp")): ') and "exit" in text
    assert "; block_dns.bpf.c:94: int block_dns(struct xdp_md *ctx) { return count((__u32)judge(ctx)); }\n" in text
    assert "bytes of machine code" in imago("bpf", "dump", block_dns, "--jit")


@pytest.mark.parametrize("words, says", [
    (["run"], "no object given"),
    (["run", "x.o"], "give packets"),
    (["walk"], "no command 'walk'"),
    ([], "no command given"),
    (["run", "--map", "counters", "OBJECT", "--hex", "/dev/null"], "write MAP:KEY=VALUE"),
    (["run", "--map", "nowhere:00=00", "OBJECT", "--hex", "/dev/null"], "no map 'nowhere'"),
    (["run", "--map", "counters:00=00", "OBJECT", "--hex", "/dev/null"], "keys of 4 and values of 8 bytes"),
    (["run", "--set", "limit=3", "OBJECT", "--hex", "/dev/null"], "no constant 'limit'"),
    (["run", "--repeat", "0", "OBJECT", "--hex", "/dev/null"], "a number from 1"),
    (["run", "--timers", "soon", "OBJECT", "--hex", "/dev/null"], "milliseconds, from 0 to 1000000000"),
    (["dump", "--program", "nothing", "OBJECT"], "no program nothing"),
])
def test_bad_usage(imago, block_dns, words, says):
    status, _, err = imago.attempt("bpf", *[str(block_dns) if word == "OBJECT" else word for word in words])
    assert status == 1 and says in err and err.startswith("imago bpf")


def test_a_faulting_program_is_named(imago, tmp_path):
    source = tmp_path / "wild.bpf.c"
    source.write_text('#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n'
                      'SEC("xdp") int wild(struct xdp_md *c) { return *(volatile int *)(long)(c->data_end + 4096); }\n')
    compiled = compile_bpf(source, tmp_path / "wild.bpf.o")
    (tmp_path / "packets").write_text("00" * 60 + "\n")
    with pytest.raises(Failed):
        imago("bpf", "run", compiled, "--hex", tmp_path / "packets")
    status, out, _ = imago.attempt("bpf", "run", compiled, "--hex", tmp_path / "packets")
    assert status == 1 and "fault at instruction" in out and "memory access outside" in out
