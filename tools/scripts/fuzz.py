#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs libFuzzer targets, two at a time, each for a while, on a growing corpus beside the committed seeds.

What a target finds stays in build-sanitize/findings/; `build-sanitize/tests/fuzz/fuzz-NAME FILE` shows it again.
"""
import argparse
import concurrent.futures
import subprocess
import sys
import time

import builds

TARGETS = sorted(path.stem for path in (builds.ROOT / "tests/fuzz").glob("*.c"))


def run(name, seconds):
    """Runs one target. Returns (status, output)."""
    directory = builds.ROOT / "build-sanitize"
    corpus, findings = directory / "corpus" / name, directory / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    # A case may not take longer than 10 s nor 1 GiB; the fixed seed makes two short runs alike.
    command = [directory / "tests/fuzz" / f"fuzz-{name}", f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024",
               "-seed=1", "-print_final_stats=1", f"-artifact_prefix={findings}/{name}-"]
    dictionary = builds.ROOT / "tests/fuzz" / f"{name}.dict"
    if dictionary.exists():
        command.append(f"-dict={dictionary}")
    command += [corpus, builds.ROOT / "tests/fuzz/corpus" / name]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          env=builds.environment(**(builds.ONE_STACK if name == "jit" else {})), timeout=seconds + 120, check=False)
    return done.returncode, done.stdout


def in_shares(name, program, programs, first, jobs, *arguments):
    """Random programs in the optimised build, as it has no sanitizers to wait for. Returns how many shares failed."""
    builds.compile("build")
    share = -(-programs // jobs)
    started = time.monotonic()
    shares = [subprocess.Popen([builds.ROOT / "build/tests" / program, str(share), str(first + i * share), *arguments]) for i in range(jobs)]
    failed = sum(process.wait() != 0 for process in shares)
    seconds = time.monotonic() - started
    print(f"{name}: {share * jobs} random programs, from number {first} on, in {seconds:.0f} s, {share * jobs / seconds:.0f} a second: "
          f"{'FAILED' if failed else 'ok'}", flush=True)
    return failed


def compare_engines(programs, first, jobs):
    """One in 50 of the safe programs, which are a third, runs in the Linux kernel too, where that is permitted. Each share tells how far
    it is, and which rules of the JIT it executed."""
    return in_shares("eBPF engines", "differential/differential", programs, first, jobs, "linux", "50")


def try_verifier(programs, first, jobs):
    """What the verifier accepts runs; compiled programs are changed and tried, too."""
    builds.compile("build")
    return in_shares("verifier", "soundness/soundness", programs, first, jobs, *map(str, builds.corpus()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="which; all by default: " + " ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=600, help="how long each runs (600)")
    parser.add_argument("--jobs", type=int, default=2, help="how many run at a time (2)")
    parser.add_argument("--programs", type=int, default=0, help="compare the eBPF engines on so many random programs besides, and put a tenth as many to the verifier (0)")
    parser.add_argument("--first", type=int, default=1, help="number of the first of them (1)")
    parser.add_argument("--no-build", action="store_true", help="what is in build-sanitize/ is up to date")
    options = parser.parse_args()
    if not options.no_build:
        builds.compile("build-sanitize")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = {pool.submit(run, name, options.seconds): name for name in options.targets or TARGETS}
        for future in concurrent.futures.as_completed(runs):
            status, output = future.result()
            executed = next((line.split()[-1] for line in output.splitlines() if "number_of_executed_units" in line), "?")
            print(f"fuzz-{runs[future]}: {'ok' if status == 0 else 'FAILED'}, {executed} cases", flush=True)
            if status != 0:
                failed += 1
                print(output[-20000:], flush=True)
    if options.programs > 0:
        failed += compare_engines(options.programs, options.first, options.jobs)
        failed += try_verifier(-(-options.programs // 10), options.first, options.jobs)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
