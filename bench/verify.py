#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs build/bench/verify on all compilations of tests/programs, on the examples and on a load balancer of 5,000 instructions, by turns with
Linux's verifier where that is permitted; loads what has a proof into a running unikernel, whose handler says how long the check took there;
counts the checker's lines and bytes; and prints tables: times, sizes, and, with --differences, what one of the two verifiers accepts and the
other doesn't (docs/verification.md has it).
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

from machine import FILTER, FIREWALL, OUTPUT, PROGRAMS, ROOT, Failed, Workshop, compile_bpf, median, say

sys.path.insert(0, str(ROOT / "tests/verify"))
import linux  # noqa: E402
from refused import refused  # noqa: E402

CORPUS = ROOT / "tests/programs"
ROUNDS = 7
LOADS = 3
INSIDE_MEMORY = 256  # MiB, for the maps of all programs


def why_linux(name):
    """What the program's opening comment says."""
    source = next(CORPUS.glob(f"*/{name}.bpf.c"), None)
    comment = re.sub(r"\n \* ?", " ", source.read_text().split("*/")[0]) if source else ""
    found = re.search(r"Linux refuses it: (.*)", comment)
    return found[1].strip() if found else ""


def objects():
    """OBJECT:FUNCTION of everything."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    found = [f"{path}:{path.name.split('.')[0]}" for path in sorted((ROOT / "build/tests/programs").glob("*.O*.o"))]
    for source in (FIREWALL / "block_dns.bpf.c", FIREWALL / "pass.bpf.c", PROGRAMS[1] / "large_balancer.bpf.c"):
        name = source.name.removesuffix(".bpf.c")
        compiled = OUTPUT / f"{name}.O2-v3.o"
        compile_bpf(source, compiled, "-mcpu=v3", f"-I{CORPUS}")
        found.append(f"{compiled}:{name}")
    return found


def answers_before():
    return [json.loads(line) for line in (OUTPUT / "verify.jsonl").read_text().splitlines()]


def variant_of(answer):
    return pathlib.Path(answer["object"]).name.split(".")[1]


def is_latest(variant):
    return variant.endswith("v4")


def measure():
    say("verify: about five minutes")
    done = subprocess.run([ROOT / "build/bench/verify", "-l", "-r", str(ROUNDS), *objects()], stdout=subprocess.PIPE, text=True, check=True)
    (OUTPUT / "verify.jsonl").write_text(done.stdout)
    (OUTPUT / "verify-inside.json").write_text(json.dumps(inside(answers_before())))


def inside(answers):
    """Nanoseconds that the check took in a unikernel, by object: the median of LOADS, without those that could not be loaded (maps of
    this name, but another shape, are there). Of each program one compilation."""
    proven = [pathlib.Path(answer["object"]) for answer in answers if answer["accepted"] and ".O2-v3." in answer["object"]]
    nanoseconds = {}
    with Workshop() as workshop:
        platform = next(platform for platform in ("kvm", "tcg") if platform in workshop.platforms())
        say(f"verify: in the unikernel, {platform}")
        source = workshop.image("prover", FILTER.replace("BPFilter", "BPFRewriter"))
        with workshop.start(platform, source, memory=INSIDE_MEMORY) as machine:
            for path in proven:
                try:
                    nanoseconds[str(path)] = median([load(workshop, machine.control, path, version) for version in range(2, LOADS + 2)])
                except Failed as why:
                    say(f"left out: {path.name}: {' '.join(str(why).splitlines()[:3])}")
    return {"platform": platform, "nanoseconds": nanoseconds}


def load(workshop, control, path, version):
    """Nanoseconds of the proof's check."""
    name, bundle = path.name.split(".")[0], OUTPUT / "inside.imb"
    workshop.imago("verify", path, "-o", bundle, "--key", workshop.key, "--name", name, "--program", name, "--version", version)
    control.write("fw.program", bundle.read_bytes())
    return int(control.table("fw.swap")["proof_ns"])


def row(title, values, form):
    ordered = sorted(values)
    if not ordered:
        return f"| {title} | - | - | - | 0 |"
    shown = " | ".join(form(value) for value in (median(ordered), ordered[int(len(ordered) * 0.95)], ordered[-1]))
    return f"| {title} | {shown} | {len(ordered)} |"


def time(value):
    return f"{value:.0f} us" if value < 10000 else f"{value / 1000:.0f} ms"


def share(value):
    return f"{value:.1%}"


def tables(answers, within):
    proven = [answer for answer in answers if answer["accepted"]]
    both = [answer for answer in proven if answer.get("linux", {}).get("accepted")]
    print(f"{len(answers)} objects, {len(proven)} with a proof, {sum(answer.get('linux', {}).get('accepted', False) for answer in answers)} "
          "accepted by Linux.\n")
    print("| | median | p95 | most | objects |\n|---|---|---|---|---|")
    print(row("verifier, accepted", [answer["microseconds"] for answer in proven], time))
    print(row("verifier, refused", [answer["microseconds"] for answer in answers if not answer["accepted"]], time))
    print(row("Linux, where both accept", [answer["linux"]["microseconds"] for answer in both], time))
    print(row("verifier, where both accept", [answer["microseconds"] for answer in both], time))
    print(row("check of the proof", [answer["check"] for answer in proven], time))
    loaded = [answer for answer in proven if answer["object"] in within["nanoseconds"]]
    for answer in loaded:
        answer["inside"] = within["nanoseconds"][answer["object"]] / 1000
    print(row(f"in the unikernel ({within['platform']})", [answer["inside"] for answer in loaded], time))
    print(row("the same on the host", [answer["check"] for answer in loaded], time))
    print(row("check per 1,000 instructions", [answer["check"] * 1000 / answer["instructions"] for answer in proven], time))
    print(row("proof by program's size", [answer["proof"] / answer["instructions"] / 8 for answer in proven], share))
    print(row("verifier's arena, KiB", [answer["memory"] / 1024 for answer in answers], lambda value: f"{value:,.0f}"))
    print(row("checker's arena, KiB", [answer["arena"] / 1024 for answer in proven], lambda value: f"{value:,.0f}"))
    for answer in answers:
        if answer["program"] == "large_balancer":
            linux = time(answer["linux"]["microseconds"]) if "linux" in answer else "not asked"
            there = f"{answer['inside'] / 1000:.2f} ms in the unikernel" if "inside" in answer else "not loaded"
            print(f"\nLoad balancer of {answer['instructions']:,} instructions: verifier {answer['microseconds'] / 1000:.1f} ms, check of its proof "
                  f"({answer['proof']} bytes) {answer['check'] / 1000:.2f} ms, {there}, Linux {linux}.")


def differences(answers):
    """One row for each program that only one of them accepts in some compilation, or neither. Of code of version 4, most of which Linux refuses
    for one reason (docs/verification.md), only how much each accepts, and what we don't."""
    if not any("linux" in answer for answer in answers):
        say("verify: asking Debian's cloud kernel, which takes some minutes")
        for answer, verdict in zip(answers, linux.verdicts(ROOT / "build", [answer["object"] for answer in answers]), strict=True):
            answer["linux"] = verdict
    by_program = {}
    latest = [answer for answer in answers if is_latest(variant_of(answer)) and "linux" in answer]
    if latest:
        print(f"Of {len(latest)} objects of version 4 {sum(answer['accepted'] for answer in latest)} proven, "
              f"{sum(answer['linux']['accepted'] for answer in latest)} accepted by Linux.\n")
    for answer in answers:
        if "linux" in answer:
            by_program.setdefault(answer["program"], {})[variant_of(answer)] = answer
    print("| program | not accepted by Linux | not proven by us | why |\n|---|---|---|---|")
    for name, variants in sorted(by_program.items()):
        linux = [variant for variant, answer in variants.items() if not answer["linux"]["accepted"] and not is_latest(variant)]
        ours = [variant for variant, answer in variants.items() if not answer["accepted"]]
        if linux or ours:
            reasons = [f"Linux: {why_linux(name)}"] if linux else []
            reasons += [f"We: {refused(name)[1] or '?'}"] if ours else []
            print(f"| {name} | {', '.join(linux)} | {', '.join(ours)} | {' '.join(reasons)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--differences", action="store_true", help="the table of differences instead")
    parser.add_argument("--again", action="store_true", help="from the measurement before, build/bench/verify.jsonl")
    options = parser.parse_args()
    if not options.again:
        measure()
    answers = answers_before()
    if options.differences:
        differences(answers)
    else:
        tables(answers, json.loads((OUTPUT / "verify-inside.json").read_text()))


if __name__ == "__main__":
    main()
