#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The boot, from the first instruction to the first packet forwarded, with frames waiting at the first NIC: a graph that only forwards, and
the firewall, whose program is verified while it boots. Then the instructions that ring 0 executes and the accesses to device registers,
counted one by one by QEMU's emulation.
"""
import re
import subprocess

from machine import FIREWALL, FORWARD, MEMORY, OUTPUT, PATIENCE, Failed, Workshop, median, say, wait_until

BOOTS = 15
RATE = 2000
BAR = 40  # characters of the longest bar
FIRST_PACKET, LATE_DEVICES = "first packet forwarded", "control port ready"
TRIES = 50  # of a traced boot


def boot_once(workshop, accelerator, source):
    with workshop.start(accelerator, source, rate=RATE) as machine:
        wall = machine.first_frame() / 1e6
        wait_until(lambda: FIRST_PACKET in machine.control.read("boot"), PATIENCE, FIRST_PACKET)
        chart = [line.split(" ", 1) for line in machine.control.read("boot").splitlines()]
        return {name: int(at) / 1000 for at, name in chart}, wall, machine.control.table("platform")


def print_chart(title, charts):
    """Median time of each stamp, and a bar from the one before to it."""
    names = [name for name in charts[0] if all(name in chart for chart in charts)]
    times = [median([chart[name] for chart in charts]) for name in names]
    end = times[names.index(FIRST_PACKET)]
    print(f"\n{title}, ms:\n\n```")
    before = 0
    for name, at in zip(names, times):
        left, right = round(BAR * before / end), round(BAR * at / end)
        print(f"{at:8.2f}  {' ' * left}{'█' * (right - left) or '▏':<{BAR + 1 - left}} {name}")
        before = at
        if name == FIRST_PACKET:
            break
    print("```")


def boots(workshop, accelerators, sources):
    """In turns, so that all meet the same disturbances."""
    found = {(accelerator, name): [] for accelerator in accelerators for name in sources}
    for number in range(BOOTS):
        for accelerator, name in found:
            found[accelerator, name].append(boot_once(workshop, accelerator, sources[name]))
        say(f"boot: {number + 1} of {BOOTS}")
    print("| graph | accelerator | PVH entry to first packet, ms | least to most | QEMU's start to first packet, ms | nucleus calls * | to sleep * | "
          "register accesses * |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for (accelerator, name), runs in found.items():
        first = [chart[FIRST_PACKET] for chart, _, _ in runs]
        wall = median([wall for _, wall, _ in runs])
        sleeps, calls, accesses = (median([int(platform[fact]) for _, _, platform in runs])
                                   for fact in ("nucleus_calls.sleep", "nucleus_calls", "register_accesses"))
        print(f"| {name} | {accelerator} | {median(first):.2f} | {min(first):.2f} to {max(first):.2f} | {wall:.0f} | {calls - sleeps:.0f} | "
              f"{sleeps:.0f} | {accesses:.0f} |")
    print(f"\nMedians of {BOOTS} boots of each, in turns, at a real-time priority where permitted. * By the counters of the machine when they "
          "could first be read: the consoles and the first packets are in them.")
    for (accelerator, name), runs in found.items():
        print_chart(f"{name}, {accelerator}", [chart for chart, _, _ in runs])


# --- counting ---

# Time is the number of instructions, so that tracing does not make the machine late.
CLOCK = ["-icount", "shift=0,sleep=off"]
CODE = re.compile(r"^Trace \d+: 0x[0-9a-f]+ \[[0-9a-f]+/0*([0-9a-f]+)/")
REGISTERS = {"virtio": r"^(virtio_mmio_read|virtio_mmio_write_offset) ", "local APIC": r"^apic_mem_(read|write)l ",
             "I/O APIC": r"^ioapic_mem_(read|write) "}
EVENTS = ("virtio_mmio_read", "virtio_mmio_write_offset", "apic_mem_readl", "apic_mem_writel", "ioapic_mem_read", "ioapic_mem_write")


def symbols(image):
    out = subprocess.run(["nm", image], capture_output=True, text=True, check=True).stdout
    return {name: int(address, 16) for address, _, name in (line.split() for line in out.splitlines() if len(line.split()) == 3)}


def traced_boot(workshop, source, options, log):
    """Boots with a trace in `log`; the names of the chart's stamps, in order."""
    with workshop.start("tcg", source, rate=RATE, extra=[*options, "-D", str(log)]) as machine:
        wait_until(lambda: FIRST_PACKET in machine.control.read("boot"), PATIENCE, FIRST_PACKET)
        return [line.split(" ", 1)[1] for line in machine.control.read("boot").splitlines()]


def traced(workshop, name, options, ranges):
    """Lines of QEMU's log of one boot, up to the stamp of the first packet: the calls of boot_chart_add are in it, and which of them that
    is, the chart says. Tracing is slow; a boot in which the packet came so late that the consoles were brought up first is not taken."""
    log, source = OUTPUT / "trace.log", OUTPUT / f"{name}-counted.click"
    for _ in range(TRIES):
        chart = traced_boot(workshop, source, [*options, "-dfilter", ranges], log)
        if chart.index(FIRST_PACKET) < chart.index(LATE_DEVICES):
            break
    else:
        raise Failed(f"in {TRIES} traced boots the first packet was never forwarded before the consoles were brought up")
    stamps = chart.index(FIRST_PACKET) + 1
    address = symbols(source.with_suffix(".elf"))["boot_chart_add"]
    with log.open(errors="replace") as lines:
        for line in lines:
            code = CODE.match(line)
            if code is None or int(code[1], 16) != address:
                yield line
                continue
            stamps -= 1
            if stamps == 0:
                break
        else:
            raise Failed("the trace ends before the first packet")
    log.unlink()


def count_boot(workshop, name, source):
    """QEMU logs each instruction of the nucleus' code, because a block is one instruction and blocks are not chained, and each register
    access. In a second boot, with blocks as they are, it logs each that it translates."""
    workshop.image(f"{name}-counted", source.read_text(), "--keep-symbols")
    at = symbols(OUTPUT / f"{name}-counted.elf")
    stamp = f"{at['boot_chart_add']:#x}+1"
    counts = {"entry": 0, "code": 0, "calls": 0, **{kind: 0 for kind in REGISTERS}}
    patterns = {kind: re.compile(pattern) for kind, pattern in REGISTERS.items()}
    options = [*CLOCK, "-singlestep", "-d", ",".join(["exec", "nochain", *(f"trace:{event}" for event in EVENTS)])]
    for line in traced(workshop, name, options, f"{at['nucleus_code_start']:#x}..{at['nucleus_code_end'] - 1:#x},{stamp}"):
        code = CODE.match(line)
        if code is None:
            for kind, pattern in patterns.items():
                counts[kind] += bool(pattern.match(line))
            continue
        address = int(code[1], 16)
        counts["code"] += 1
        counts["calls"] += address == at["nucleus_call"]
        counts["entry"] += address < at["exception_stubs"]
    options = [*CLOCK, "-d", "exec,nochain,trace:translate_block"]
    counts["blocks"] = sum(line.startswith("translate_block ") for line in traced(workshop, name, options, stamp))
    return counts


def count(workshop, sources):
    columns = {"entry": "ring-0 instructions, PVH entry to ring 3", "code": "ring-0 instructions in all", "calls": "nucleus calls",
               **{kind: f"{kind} registers" for kind in REGISTERS}, "blocks": "blocks translated by TCG"}
    print("\nCounted until the first packet is forwarded, under TCG:\n")
    print("| graph | " + " | ".join(columns.values()) + " |\n|---|" + "---:|" * len(columns))
    for name, source in sources.items():
        try:
            counts = count_boot(workshop, name, source)
        except Failed as why:
            print(f"\n{name} not counted: {why}.")
            continue
        print(f"| {name} | " + " | ".join(str(counts[column]) for column in columns) + " |")
        say(f"boot: counted {name}")


def main():
    with Workshop() as workshop:
        sources = {"forward": workshop.image("forward", FORWARD),
                   "firewall": workshop.image("firewall", (FIREWALL / "firewall.click").read_text())}
        size = (OUTPUT / "firewall.elf").stat().st_size
        print(f"Image of the firewall, stripped: {size / 1024:.0f} KiB. RAM of every machine here: {MEMORY} MiB (-m {MEMORY}).\n")
        boots(workshop, [name for name in workshop.platforms() if name != "process"], sources)
        count(workshop, sources)


if __name__ == "__main__":
    main()
