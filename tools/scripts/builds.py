# SPDX-License-Identifier: BSD-3-Clause
"""The build directories that the scripts use, and how each is configured.

build            what users run: gcc, optimised
build-sanitize   the same with clang under ASan and UBSan, and the fuzzers
"""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]

SETUP = {
    "build": ({"CC": "gcc"}, []),
    "build-sanitize": (
        {"CC": "clang"},
        ["-Dimage=false", "-Dfuzz=true", "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dc_args=-fsanitize=fuzzer-no-link"],
    ),
}

# A finding of a sanitizer ends the program, so that no test passes over it.
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "abort_on_error=0:detect_stack_use_after_return=1:exitcode=99",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
}

# Where engines are compared, addresses in the stack are data that must come out the same: no copies of the stack there.
ONE_STACK = {"ASAN_OPTIONS": SANITIZER_OPTIONS["ASAN_OPTIONS"].replace("use_after_return=1", "use_after_return=0")}


def corpus():
    """The compiled programs of tests/programs, one compilation of each, and one in the latest instruction set where there is a compiler for it."""
    return sorted((ROOT / "build/tests/programs").glob("*.O2-v[34].o"))


def environment(**extra):
    return {**os.environ, **SANITIZER_OPTIONS, **extra}


def command(name):
    """The shell command that configures the build directory when it is new, and compiles it."""
    variables, options = SETUP[name]
    assignments = " ".join(f"{key}={value}" for key, value in variables.items())
    setup = f"{assignments} meson setup {name} {' '.join(options)}"
    return f"(test -f {name}/build.ninja || {setup}) && ninja -C {name}"


def compile(name):
    """Configures and compiles; the output is the user's. Raises subprocess.CalledProcessError."""
    subprocess.run(command(name), shell=True, cwd=ROOT, check=True)
