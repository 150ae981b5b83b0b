#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds everything and runs every test, two steps at a time; quiet about what passes. The last line counts all of it:
N passed, N failed, N skipped. Logs are in build/test-logs/.

A unit test, a pytest test, a fuzz target and a lint check count as one each. A step that ends without a count, because it crashed or
ran out of time, counts as one failure.
"""
import argparse
import concurrent.futures
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

import builds
import fuzz

PYTHON = "/usr/bin/python3"
LOGS = builds.ROOT / "build/test-logs"
SHOWN = 60  # last lines of a failed step's log that are printed; the file has all
# Lines that say what failed, in the words of cmocka, pytest, compilers and sanitizers.
TELLING = re.compile(r"^\[ *(ERROR|LINE|FAILED) *\]|^FAILED |^E  |: error: |^(==\d+==)?ERROR: |: runtime error: |FAILED:")
START = time.monotonic()


class Count:
    """Tests by outcome."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


class Step:
    """One command and how its tests are counted: count(status, log text, log path) gives a Count."""

    def __init__(self, name, command, count, timeout=300, **environment):
        self.name, self.command, self.count, self.timeout, self.environment = name, command, count, timeout, environment
        self.log = LOGS / (re.sub(r"\W+", "-", name) + ".log")
        self.failures = []  # lines of the log that say what failed
        self.count_of_run = Count()

    def run(self):
        began = time.monotonic()
        with self.log.open("w") as log:
            try:
                status = subprocess.run(self.command, shell=isinstance(self.command, str), cwd=builds.ROOT, stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=subprocess.STDOUT, env=builds.environment(**self.environment), timeout=self.timeout,
                                        check=False).returncode
            except subprocess.TimeoutExpired:
                log.write(f"\nended: over {self.timeout} s\n")
                status = 1
        text = self.log.read_text(errors="replace")
        self.failures = [line for line in text.splitlines() if TELLING.search(line)][:SHOWN]
        count = self.count(status, text, self.log)
        if status != 0 and count.failed == 0:
            count += Count(failed=1)
        if count.failed and not self.failures:
            self.failures = text.splitlines()[-10:]
        self.count_of_run = count
        self.show(count, time.monotonic() - began, text)
        return count

    def show(self, count, seconds, text, lock=threading.Lock()):
        with lock:
            outcome = "FAILED" if count.failed else "ok"
            print(f"{time.monotonic() - START:6.1f} s  {outcome:6}  {self.name}: {count} ({seconds:.1f} s)", flush=True)
            if count.failed:
                for line in text.splitlines()[-SHOWN:]:
                    print(f"    {line}")
                print(f"    (all of it: {self.log.relative_to(builds.ROOT)})", flush=True)


def count_one(status, text, log):
    return Count(passed=1) if status == 0 else Count(failed=1)


def count_nothing(status, text, log):
    return Count() if status == 0 else Count(failed=1)


def count_cmocka(status, text, log):
    def total(outcome):
        return sum(int(number) for number in re.findall(rf"^\[ *{outcome} *\] (\d+) test\(s\)", text, re.MULTILINE))

    return Count(total("PASSED"), total("FAILED"), total("SKIPPED"))


def count_pytest(status, text, log):
    path = log.with_suffix(".xml")
    if not path.exists():
        return Count(failed=1)
    suites = xml.etree.ElementTree.parse(path).getroot().iter("testsuite")
    count = Count()
    for suite in suites:
        tests, failed, errors, skipped = (int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped"))
        count += Count(tests - failed - errors - skipped, failed + errors, skipped)
    return count


def pytest(name, *arguments, **environment):
    """A step that runs pytest."""
    step = Step(name, "", count_pytest, timeout=1200, **environment)
    xml_path = step.log.with_suffix(".xml")
    xml_path.unlink(missing_ok=True)
    step.command = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={xml_path}", *arguments]
    return step


def unit_tests(build):
    """All cmocka programs of a build directory as one step."""
    programs = sorted(path for path in (builds.ROOT / build / "tests/unit").glob("unit-*") if path.is_file())
    script = "failed=0; for test; do echo \"== $test\"; timeout 120 \"$test\" || failed=1; done; exit $failed"
    return Step(f"unit tests ({build})", ["sh", "-c", script, "unit-tests", *map(str, programs)], count_cmocka)


def fuzz_steps(seconds):
    return [Step(f"fuzz-{name}", [PYTHON, "tools/scripts/fuzz.py", "--no-build", f"--seconds={seconds}", name], count_one,
                 timeout=seconds + 120) for name in fuzz.TARGETS]


def engines(build, programs):
    """Random eBPF programs in every engine; tests/differential says how."""
    command = [str(builds.ROOT / build / "tests/differential/differential"), str(programs), "1", "linux"]
    return Step(f"eBPF engines compared ({build})", command, count_one, timeout=300, **builds.ONE_STACK)


def soundness(build, programs, *objects):
    """What the verifier accepts runs beside what it claims; tests/soundness says how."""
    command = [str(builds.ROOT / build / "tests/soundness/soundness"), str(programs), "1", *map(str, objects)]
    return Step(f"verifier soundness ({build})", command, count_one, timeout=300)


def planted():
    """The same with each of the bugs that plant.py puts into the checker: all must show."""
    command = [str(builds.ROOT / "build/tests/soundness/soundness-planted"), "2000"]
    return Step("verifier soundness, planted bugs", command, count_one, timeout=600)


def steps(options):
    """Everything after the builds. The long ones first, so that the two lanes end together."""
    process = {"IMAGO_BUILD": "build-sanitize"}
    for part in ("1/2", "2/2"):
        yield Step(f"clang-tidy {part}", [PYTHON, "tools/scripts/lint.py", "tidy", "--quick", "--jobs=1", f"--part={part}"], count_one, timeout=1200)
    yield pytest("system tests, virtual machine", "tests/system", "-m", "vm")
    yield pytest("security tests, virtual machine", "tests/security")
    yield pytest("system tests, process under sanitizers", "tests/system", "-m", "not vm", **process)
    yield Step("demo", [PYTHON, "tools/demo/demo.py", "--accel=tcg"], count_one, timeout=300)
    yield from fuzz_steps(options.fuzz_seconds)
    yield unit_tests("build-sanitize")
    yield unit_tests("build")
    yield engines("build-sanitize", 3000)
    yield engines("build", 20000)
    yield soundness("build-sanitize", 60)
    yield soundness("build", 1000, *builds.corpus())
    yield planted()
    yield pytest("verification", "tests/verify")
    yield pytest("include arrows", "tests/arrows_test.py")
    yield Step("clang-format", [PYTHON, "tools/scripts/lint.py", "format"], count_one)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="run only steps whose name holds this text")
    parser.add_argument("--fuzz-seconds", type=int, default=10, help="how long each fuzz target runs (10)")
    parser.add_argument("--jobs", type=int, default=2, help="steps at a time (2)")
    options = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    taken = [Step(f"compile {name}", builds.command(name), count_nothing, timeout=1200) for name in builds.SETUP]
    total = sum(map(Step.run, taken), Count())
    if total.failed == 0:
        wanted = [step for step in steps(options) if options.only in step.name]
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            total = sum(pool.map(Step.run, wanted), total)
        taken += wanted
    # Once more at the end, where whoever sees only the last lines finds it.
    for step in taken:
        for line in step.failures if step.count_of_run.failed else ():
            print(f"{step.name}: {line}")
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
