# SPDX-License-Identifier: BSD-3-Clause
"""Bad programs and objects each give one clear line, and the running system is as before. Here the signature is good: what is signed is
not. (Spoilt bundles: test_refusal.py.)"""
import hashlib
import struct
import subprocess

import pytest
from imago import compile_bpf
from test_bpf_tools import EXIT, R0, R1, R10, insn, mov, wide

META, MAPS, INSNS, LINES, PROOF, HASH = 1, 2, 3, 5, 10, 255
HEADER, SIGNATURE = 32, 64
LOOP = insn(0x05, off=-1)  # goto -1
OVER = 65537


def pieces(bundle):
    """The header's first bytes, and [type, payload] of all sections but the hash: docs/bundle.md."""
    data, sections, at = bundle.read_bytes(), [], HEADER
    while at < len(data) - SIGNATURE:
        kind, length = struct.unpack_from("<II", data, at)
        sections.append([kind, data[at + 8:at + 8 + length]])
        at += 8 + (length + 7) // 8 * 8
    return data[:12], data[16:HEADER], sections[:-1]


def forge(good, key, path, change, leave_out=()):
    """A bundle like the good one with other sections, rightly hashed and signed."""
    start, key_id, sections = pieces(good)
    change({section[0]: section for section in sections})
    body = b"".join(struct.pack("<II", kind, len(payload)) + payload + bytes(-len(payload) % 8)
                    for kind, payload in sections if kind not in leave_out)
    body += struct.pack("<II", HASH, 32) + hashlib.sha512(body).digest()[:32]
    signed = start + struct.pack("<I", HEADER + len(body) + SIGNATURE) + key_id + body
    path.write_bytes(signed)
    signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", path], capture_output=True, check=True).stdout
    path.write_bytes(signed + signature)
    return path


def instructions(code):
    return lambda sections: sections[INSNS].__setitem__(1, code)


def map_field(offset, value):
    """Another number in the first map: type is at 64, key size, value size, entries and flags behind it."""
    def change(sections):
        payload = bytearray(sections[MAPS][1])
        payload[offset:offset + 4] = struct.pack("<I", value)
        sections[MAPS][1] = bytes(payload)
    return change


# What is signed, and what the function says to it.
SIGNED = {
    "truncated in the middle of an instruction": (instructions(mov(R0, 2) + EXIT[:4]), "INSNS has the wrong length"),
    "truncated before its end": (instructions(mov(R0, 2)), "runs off the end"),
    "truncated to nothing": (instructions(b""), "INSNS has the wrong length"),
    "truncated in a 64-bit immediate": (instructions(wide(R0, 1)[:8]), "without its second half"),
    "endless": (instructions(mov(R0, 2) + LOOP + EXIT), "proof"),
    "self-modifying": (instructions(insn(0x18, R1, 4, imm=3) + insn(0) + insn(0x7A, R1, imm=0x95) + mov(R0, 2) + EXIT), "proof"),
    "misaligned": (instructions(mov(R0, 2) + insn(0xC3, R10, R0, off=-7) + EXIT), "proof"),
    "a jump into the middle of an immediate": (instructions(insn(0x05, off=1) + wide(R0, 1) + EXIT), "second half"),
    "a jump far away": (instructions(insn(0x06, imm=0x7FFFFFFF) + EXIT), "outside the program"),
    "no instruction": (instructions(insn(0xFF) + EXIT), "not in RFC 9669"),
    "a slot too many": (instructions(mov(R0, 2) * (OVER - 1) + EXIT), "65536"),
    "a map of 4 G entries": (map_field(76, 0xFFFFFFFF), "over the limit"),
    "a map with values of 4 GiB": (map_field(72, 0xFFFFFFFF), "over the limit"),
    "a map of no known type": (map_field(64, 0xFFFFFFFF), "map"),
}


def filtering(launch, platform, bundle, tmp_path, **options):
    (tmp_path / "first.imb").write_bytes(bundle.read_bytes())
    return launch(platform, "FromDevice(eth0) -> fw :: BPFilter(FILE first.imb) -> Queue(4096) -> ToDevice(eth1);", frames=[bytes(60)],
                  files=[tmp_path / "first.imb"], **options)


def test_signed_nonsense_changes_nothing(launch, signed, platform, tmp_path):
    """The program that runs, its maps, and what packets meet stay as they were."""
    good, function = signed.bundle("block_dns", 2), filtering(launch, platform, signed.bundle("pass", 1), tmp_path)
    before = function.read("fw.program"), function.read("fw.maps")
    for number, (what, (change, says)) in enumerate(SIGNED.items()):
        status, _, reason = function.imago.attempt("load", function.name, "fw",
                                                   forge(good, signed.key, tmp_path / f"{number}.imb", change, [LINES]))
        line, as_before = reason.splitlines()
        assert (status, as_before) == (1, "imago load: fw runs pass version 1 as before") and says in line, (what, reason)
        assert (function.read("fw.program"), function.read("fw.maps")) == before, what
        function.play(5 * number + 5)
        assert function.settle() == {} and len(function.recorder.numbers) == 5 * number + 5, what
    function.load("fw", forge(good, signed.key, tmp_path / "same.imb", lambda sections: None))


# Without proofs each runs, and ends where it goes wrong: the packet is dropped under a name, the next one is served.
RUNNING = {
    "endless": (mov(R0, 2) + LOOP + EXIT, "instruction budget used up"),
    "self-modifying": (insn(0x18, R1, 4, imm=3) + insn(0) + insn(0x7A, R1, imm=0x95) + mov(R0, 2) + EXIT, "memory access outside"),
    "misaligned": (mov(R0, 2) + insn(0xC3, R10, R0, off=-7) + EXIT, "not aligned"),
}


def test_what_runs_without_proof_ends_where_it_goes_wrong(launch, signed, platform, tmp_path):
    good = signed.bundle("pass", 1)
    function = filtering(launch, platform, good, tmp_path, options=["--allow-unproven"])
    expected = 0
    for number, (what, (code, says)) in enumerate(RUNNING.items()):
        def change(sections, code=code, number=number):
            instructions(code)(sections)
            sections[META][1] = struct.pack("<Q", 2 + number) + sections[META][1][8:]

        function.load("fw", forge(good, signed.key, tmp_path / f"{number}.imb", change, [LINES, PROOF]))
        expected += 5
        function.play(expected)
        assert function.settle() == {"fw.fault": expected}, what
        assert says in function.read("fw.last_fault"), what
    assert function.recorder.numbers == []


HEADERS = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n"
MAP = "struct {{ __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, {}); __type(key, __u32); __uint(value_size, {}); }} m SEC(\".maps\");\n"
LOOKUP = 'SEC("xdp") int bad(struct xdp_md *c) { __u32 k = 0; return bpf_map_lookup_elem(&m, &k) ? 1 : 2; }\n'

# Objects that no tool takes: the source, and the line that each says.
ABSURD = {
    "a map of 4 G entries": (MAP.format("0xffffffff", 4) + LOOKUP, "map m of type hash (1): max_entries of a map is over the limit"),
    "values of 4 GiB": (MAP.format(1, "0xf0000000") + LOOKUP, "map m of type hash (1): key or value of a map is over the limit"),
    "300 MB of variables": ('volatile char big[300000000];\nSEC("xdp") int bad(struct xdp_md *c) { return big[c->rx_queue_index & 15]; }\n',
                            "global data in .bss takes 300000000 bytes; the limit is 65536"),
    "1,000,000 instructions": ('__asm__(".section xdp,\\"ax\\"\\n.globl bad\\n.type bad,@function\\nbad:\\nr0 = 2\\n"\n'
                               '".rept 999998\\nr1 = 1\\n.endr\\nexit\\n.size bad, .-bad\\n");\n',
                               "more than 65536 instructions with all subprograms"),
}

ABSURD["legacy packet access"] = ('unsigned long long load_byte(void *skb, unsigned long long at) __asm__("llvm.bpf.load.byte");\n'
                                  'SEC("tc") int bad(struct __sk_buff *c) { return load_byte(c, 3); }\n',
                                  "bad.bpf.c:4: legacy packet access (opcode 0x30) is not offered; use data and data_end")

# Objects with a program that goes wrong: what the verifier says first, and how a checked run ends.
WRONG = {
    "endless": ("int x = 1; while (*(volatile int *)&x) {} return 2;", "this loop is not proven to end", "instruction budget used up"),
    "self-modifying": ("*(volatile __u64 *)(void *)callback = 0x95; return 2;", "as an address, which is that of a function",
                       "memory access outside"),
    "misaligned": ("volatile char b[16] = {0}; __sync_fetch_and_add((__u32 *)(b + 1), 1); return 2;", "at an address that may be misaligned",
                   "not aligned"),
}


def compiled(tmp_path, source):
    path = tmp_path / "bad.bpf.c"
    path.write_text(HEADERS + source)
    return compile_bpf(path, tmp_path / "bad.bpf.o")


@pytest.fixture
def packets(tmp_path):
    path = tmp_path / "packets"
    path.write_text("00" * 60 + "\n")
    return path


@pytest.mark.parametrize("what", ABSURD)
def test_absurd_objects_are_refused_in_one_line(imago, packets, tmp_path, what):
    source, says = ABSURD[what]
    path = compiled(tmp_path, source)
    for words in (["verify", path], ["bpf", "run", path, "--hex", packets], ["bpf", "dump", path]):
        status, _, err = imago.attempt(*words)
        assert status == 1 and says in err and err.count("\n") == 1, err


@pytest.mark.parametrize("what", WRONG)
def test_wrong_programs_are_named_and_end(imago, packets, tmp_path, what):
    body, first, fault = WRONG[what]
    path = compiled(tmp_path, f'static long callback(__u32 i, void *p) {{ return 0; }}\nSEC("xdp") int bad(struct xdp_md *c) {{ {body} }}\n')
    status, _, err = imago.attempt("verify", path)
    assert status == 1 and first in err.splitlines()[0]
    for engine in ("--jit", "--interpret"):
        status, out, _ = imago.attempt("bpf", "run", path, "--hex", packets, engine)
        assert status == 1 and fault in out and "faulted 1" in out


def test_a_truncated_object_is_refused_in_one_line(imago, packets, tmp_path):
    whole = compiled(tmp_path, 'SEC("xdp") int bad(struct xdp_md *c) { return 2; }\n').read_bytes()
    path = tmp_path / "short.bpf.o"
    for length in (0, 1, 4, 63, 64, 65, len(whole) // 2, len(whole) - 65, len(whole) - 1):
        path.write_bytes(whole[:length])
        status, _, err = imago.attempt("bpf", "run", path, "--hex", packets)
        assert status == 1 and err.count("\n") == 1 and ("not an ELF object" if length < 64 else "is the file complete?") in err, err


def test_an_object_is_not_loaded(imago, tmp_path):
    """Somebody who forgot the verifier is told what to type."""
    path = compiled(tmp_path, 'SEC("xdp") int bad(struct xdp_md *c) { return 2; }\n')
    status, _, err = imago.attempt("load", "fw", "filter", path)
    assert status == 1 and err.count("\n") == 1
    assert f"is an object, not a signed bundle; make one: imago verify {path} -o bad.imb --key SIGNER.pem --version N" in err
