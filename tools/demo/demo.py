#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The whole of Imago once, on real input: boots the firewall example as a virtual machine, plays a capture through it, swaps its eBPF
program while packets flow, accounts for every packet, and shows what is refused. Needs no root and no network device of the host.

Leaves build/demo/out.pcap, what left the firewall, for Wireshark. Exits 0 if all is as it must be, otherwise 1, and says what is not.
"""
import argparse
import pathlib
import shutil
import sys
import tempfile
import time

from imago import FIREWALL, ROOT, Failed, Function, Imago, compile_bpf
from report import Report, count, kibibytes, microseconds, milliseconds
from wire import Recorder, Sender, read_pcap, wait_until

OUTPUT = ROOT / "build/demo"
RATE = 2000  # frames per second: about half of what QEMU's emulation (TCG) sustains on a slow core
PHASE = 4.0  # seconds of traffic that are measured without a swap, and with one
MEMORY = 8  # MiB
# Goes ahead of the stream: QEMU 7.2 discards the one frame that it holds when a driver starts its device. Of no known type, so that it
# ends in other.discarded should it get through.
PRIMER = bytes(60)
ELEMENT = "fw"  # the BPFilter whose program changes


class Deviation(Exception):
    """Something is not as it must be."""


def expect(condition, what):
    if not condition:
        raise Deviation(what)


class Demo:
    """The machine under test, both ends of its wire, and what was learnt so far."""

    def __init__(self, options, runtime, report):
        self.options, self.runtime, self.report = options, runtime, report
        self.imago = Imago(options.build, runtime)
        self.function = Function(self.imago, "firewall")
        self.frames = read_pcap(FIREWALL / "traffic.pcap")

    # --- before the machine runs ---

    def prepare(self):
        """Keys, the program that the firewall starts with, and the image."""
        self.key, self.public = self.imago.keygen(OUTPUT / "operator")
        self.stranger, _ = self.imago.keygen(OUTPUT / "stranger")
        shutil.copy(FIREWALL / "firewall.click", OUTPUT)
        self.compile_and_sign("pass", version=1)
        self.image = OUTPUT / "firewall.elf"
        self.imago("build", OUTPUT / "firewall.click", "-o", self.image, "--key", self.public)

    def compile_and_sign(self, name, version, key=None, output=None):
        compiled = compile_bpf(FIREWALL / f"{name}.bpf.c", OUTPUT / f"{name}.bpf.o")
        return self.imago.bundle(compiled, OUTPUT / (output or f"{name}.imb"), key or self.key, version)

    # --- the machine ---

    def boot(self):
        """The recorder first: what leaves the function before it is there would be lost. Then the sender, so that the machine's first
        frame waits for it and not the other way round."""
        path = {name: str(self.runtime / name) for name in ("sender", "eth0", "eth1", "recorder")}
        self.recorder = Recorder(path["recorder"], keep=True)
        self.sender = Sender(self.frames, path["sender"], path["eth0"], RATE, PRIMER)
        self.sender.start()
        self.imago("run", "--detach", "--name", self.function.name, "--memory", MEMORY, *self.accelerator(),
                   "--nic", f"dgram:{path['eth0']},{path['sender']}", "--nic", f"dgram:{path['eth1']},{path['recorder']}", self.image)

    def accelerator(self):
        return [] if self.options.accel == "auto" else ["--accel", self.options.accel]

    def accelerator_used(self):
        """As the run's own command line has it."""
        words = (self.runtime / "imago" / self.function.name / "command").read_text().replace("\\\n", " ").split()
        return words[words.index("-accel") + 1]

    def longest_gap(self, during):
        """Runs `during` and gives its value, with the longest time in nanoseconds between two frames sent meanwhile."""
        self.function.write("out.reset_gap")
        value = during()
        return value, self.function.number("out.max_gap")

    # --- the story ---

    def program(self):
        """What the filter runs: name, version, hash, key."""
        return self.function.table(f"{ELEMENT}.program")

    def swap(self, bundle):
        """Loads the bundle, and lets the phase run to its end. Returns the number of the frame that was about to be sent when the new
        program had been confirmed."""
        ends = time.monotonic() + PHASE
        self.function.load(ELEMENT, bundle)
        confirmed = self.sender.sent
        time.sleep(max(0, ends - time.monotonic()))
        return confirmed

    def refusals(self):
        """Four bundles that must not get in. Returns rows (what, lines of the reason given)."""
        good = (OUTPUT / "block_dns.imb").read_bytes()
        middle = len(good) // 2
        flipped = OUTPUT / "flipped.imb"
        flipped.write_bytes(good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1:])
        stranger = self.compile_and_sign("block_dns", version=3, key=self.stranger, output="stranger.imb")
        older = self.compile_and_sign("block_dns", version=1, output="older.imb")
        compiled = compile_bpf(FIREWALL / "block_dns.bpf.c", OUTPUT / "block_dns.bpf.o")
        unproven = self.imago.bundle(compiled, OUTPUT / "unproven.imb", self.key, 9, command="bundle")
        rows = []
        for what, bundle in (("one byte flipped", flipped), ("signed by an unknown key", stranger), ("an older version", older),
                             ("signed, but without proof", unproven)):
            before = self.program()
            status, _, reason = self.imago.attempt("load", self.function.name, ELEMENT, bundle)
            expect(status != 0, f"a bundle was accepted that was {what}")
            expect(self.program() == before, f"a refused bundle ({what}) changed the running program")
            self.flow(f"packets to flow after a refused bundle ({what})")
            rows.append((what, [line.removeprefix("imago load: ") for line in reason.strip().splitlines()]))
        return rows

    def unsafe(self):
        """A program that reads behind the packet: `imago verify` makes no bundle of it. Returns the lines of its explanation."""
        compiled = compile_bpf(FIREWALL / "unchecked.bpf.c", OUTPUT / "unchecked.bpf.o")
        status, _, explanation = self.imago.attempt("verify", compiled, "-o", OUTPUT / "unchecked.imb", "--key", self.key, "--version", 9)
        expect(status == 1 and not (OUTPUT / "unchecked.imb").exists(), "imago verify made a bundle of a program that reads behind the packet")
        return explanation.strip().splitlines()

    def flow(self, what):
        """Waits until as much as a whole round has come out."""
        goal = len(self.recorder.numbers) + len(self.frames)
        wait_until(lambda: len(self.recorder.numbers) > goal, 20, what)

    def drops(self):
        """Every drop counter of the machine that is not 0, by name."""
        counts = {name: int(value) for name, value in self.function.table("drops").items()}
        return {name: value for name, value in counts.items() if value and name != "total"}

    def drain(self):
        """Ends the stream and waits until each frame of it is out or counted."""
        expect(self.sender.returned() == 0, "frames came back to the sender")
        self.sender.stop()
        expect(self.sender.error is None, f"the sender failed: {self.sender.error}")
        try:
            wait_until(lambda: len(self.recorder.numbers) + sum(self.drops().values()) >= self.sender.sent, 5, "an account of every frame")
        except TimeoutError:
            pass  # the account says how many are lost


# --- the account and the report ---


def account(demo, confirmed):
    """Holds every frame against what must have become of it."""
    report, sent, numbers, drops = demo.report, demo.sender.sent, demo.recorder.numbers, demo.drops()
    forwarded = set(numbers)
    primed = int(demo.function.table("stats")["eth0.rx_packets"]) - sent
    expect(primed in (0, 1), f"{sent} frames were sent, and the machine received {sent + primed}")
    if primed:
        drops["other.discarded"] -= 1
    lost = sent - len(forwarded) - sum(drops.values())
    reordered = sum(1 for before, after in zip(numbers, numbers[1:]) if after < before)
    report.heading("Packets")
    report.row("sent", count(sent))
    report.row("forwarded", count(len(forwarded)))
    report.row("dropped", count(sum(drops.values())))
    for line in demo.function.read(f"{ELEMENT}.history").splitlines():
        name, version, _, _, _, passed, dropped, aborted, faults = line.split()[:9]
        verdicts = f"{count(int(dropped) + int(aborted) + int(faults))}  (of {int(passed) + int(dropped) + int(aborted) + int(faults):,} judged)"
        report.row(f"by program {name} version {version}", verdicts, indent=1)
    for name, value in drops.items():
        if not name.startswith(f"{ELEMENT}."):
            report.row(f"by counter {name}", count(value), indent=1)
    report.row("lost", count(lost))
    report.row("duplicated", count(len(numbers) - len(forwarded)))
    report.row("out of order", count(reordered))
    expect(lost == 0, f"{lost} frames are lost")
    expect(len(numbers) == len(forwarded), f"{len(numbers) - len(forwarded)} frames came out twice")
    expect(reordered == 0, f"{reordered} frames came out of order")
    expect(demo.recorder.too_short == 0, "a frame came out without its number")
    clean_cut(demo, forwarded, sent, confirmed)


def clean_cut(demo, forwarded, sent, confirmed):
    """Each frame of the capture met the fate of its kind: one before the swap, one after, and nothing in between."""
    size = len(demo.frames)
    never = {number % size for number in range(size) if number not in forwarded}
    blocked = {number % size for number in range(sent - size, sent) if number not in forwarded} - never
    expect(blocked, "the new program drops nothing")
    cut = next(number for number in range(sent) if number not in forwarded and number % size not in never)
    expect(cut <= confirmed + size, f"the new program was confirmed at frame {confirmed}, but frame {cut} is the first that it dropped")
    for number in range(sent):
        goes = number % size not in never and (number < cut or number % size not in blocked)
        expect((number in forwarded) == goes, f"frame {number} was {'dropped' if goes else 'forwarded'} against the rules")
    demo.report.row("the new program's first drop", f"{cut:>9,}  (frame number; all judged alike before, and alike after)")


def describe_machine(demo):
    report, platform = demo.report, demo.function.table("platform")
    report.heading("Virtual machine")
    report.row("accelerator", demo.accelerator_used())
    report.row("image, stripped", kibibytes(demo.image.stat().st_size))
    report.row("RAM", f"{MEMORY} MiB")
    chart = {name: int(microseconds) for microseconds, name in (line.split(" ", 1) for line in demo.function.read("boot").splitlines())}
    report.row("boot", f"{chart['graph made'] / 1000:.1f} ms from the first instruction until the graph, its program verified, stands")
    report.row("first frame forwarded", f"{chart['first packet forwarded'] / 1000:.1f} ms from the first instruction, its sender's delay included")
    if "nucleus_calls" in platform:
        sleeps = int(platform["nucleus_calls.sleep"])
        report.row("calls of ring 0", f"{int(platform['nucleus_calls']) - sleeps}, and {sleeps} to sleep between packets so far")


def describe_swap(demo, gaps):
    report = demo.report
    parts = {name: int(value) for name, value in demo.function.table(f"{ELEMENT}.swap").items()}
    report.heading("Swap, measured inside the unikernel")
    report.row("bundle received to committed", microseconds(parts.pop("total_ns")))
    names = {"verify_ns": "signature", "check_ns": "parsing and instruction check", "proof_ns": "proof", "maps_ns": "maps",
             "commit_ns": "commit, between two batches", "compile_ns": "native code, after the commit"}
    for part, value in parts.items():
        report.row(names.get(part, part), microseconds(value), indent=1)
    report.row(f"longest gap, {PHASE:.0f} s without a swap", f"{milliseconds(gaps[0])} between two frames forwarded")
    report.row(f"longest gap, {PHASE:.0f} s with the swap", f"{milliseconds(gaps[1])}")


def tell(demo):
    """The story from the boot to the end."""
    report = demo.report
    demo.prepare()
    report.step("made keys; proved and signed pass.bpf.c; built the image of firewall.click")
    demo.boot()
    demo.flow("a first round to come out")
    report.step(f"booted; traffic.pcap, {len(demo.frames)} frames, plays round after round at {RATE:,} frames per second")
    describe_machine(demo)
    _, quiet = demo.longest_gap(lambda: time.sleep(PHASE))
    report.step(f"measured {PHASE:.0f} s of traffic without a swap")
    bundle = demo.compile_and_sign("block_dns", version=2)
    report.step("compiled block_dns.bpf.c with clang, linked, proved and signed it, while packets flow")
    confirmed, swapped = demo.longest_gap(lambda: demo.swap(bundle))
    program = demo.program()
    expect((program["name"], program["version"]) == ("block_dns", "2"), f"after the swap {ELEMENT} runs {program}")
    report.step(f"swapped it in, and measured {PHASE:.0f} s of traffic with the swap in it")
    refused = demo.refusals()
    report.step("tried four bundles that must be refused; packets went on flowing")
    unsafe = demo.unsafe()
    report.step("had imago verify look at a program that reads behind the packet")
    demo.drain()
    account(demo, confirmed)
    describe_swap(demo, (quiet, swapped))
    report.heading("Refused on the host: examples/firewall/unchecked.bpf.c")
    for line in unsafe:
        report.line(line)
    report.heading("Refused, the running program untouched")
    for what, reason in refused:
        for line in reason:
            report.row(what, line)
            what = ""


def finish(demo):
    """Stops the machine, and keeps what it forwarded."""
    status, _, error = demo.imago.attempt("stop", demo.function.name)
    expect(status == 0, f"the machine did not stop cleanly: {error.strip()}")
    demo.recorder.stop()
    demo.recorder.write_pcap(OUTPUT / "out.pcap")
    demo.report.step(f"stopped the machine; build/demo/out.pcap has the {len(demo.recorder.frames):,} frames that it forwarded")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accel", choices=("auto", "kvm", "tcg"), default="auto", help="how QEMU runs the machine (KVM if it works, else TCG)")
    parser.add_argument("--build", default="build", help="build directory (build)")
    options = parser.parse_args()
    if OUTPUT.exists():
        shutil.rmtree(OUTPUT)
    OUTPUT.mkdir(parents=True)
    report = Report()
    # Unix sockets want a short path, whatever the length of the build directory's.
    with tempfile.TemporaryDirectory(prefix="imago-") as runtime:
        demo = Demo(options, pathlib.Path(runtime), report)
        try:
            tell(demo)
            finish(demo)
            report.show()
        except (Deviation, Failed, TimeoutError) as deviation:
            report.show()
            print(f"demo: FAILED: {deviation}", file=sys.stderr)
            print(demo.imago.attempt("log", demo.function.name)[1], file=sys.stderr)
            return 1
        finally:
            demo.imago.attempt("stop", "--force", demo.function.name)
    print("Every packet is accounted for.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
