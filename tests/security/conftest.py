# SPDX-License-Identifier: BSD-3-Clause
"""Negative security tests in the manner of Solo5, one behaviour a file. The element Misbehave (misbehave.c), which no ordinary image
holds, does the deed; the machine must fault, report all there is to know, and end with the panic status.

The image is linked and the boot archive written here, not by `imago`, so that these tests depend on nothing but the image's libraries.
"""
import os
import pathlib
import re
import subprocess

import pytest

from harness import newc

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / os.environ.get("IMAGO_BUILD", "build") / "platform/vm"
EXIT_PANIC = 67  # QEMU's, after platform/vm/nucleus.h
SECONDS = 30
REGISTERS = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags")


class Ending:
    """How a machine ended: QEMU's exit status and what the serial port said."""

    def __init__(self, status, console):
        self.status, self.console = status, console

    def assert_panic(self, *sentences):
        """It ended with the panic status and a report that holds the sentences, the element and a backtrace."""
        assert self.status == EXIT_PANIC, self.console
        assert "imago: panic: " in self.console, self.console
        for sentence in (*sentences, "m :: Misbehave (config.click:1)"):
            assert sentence in self.console, self.console
        assert re.search(r"backtrace:\n +#0 [0-9a-f]{16}", self.console), self.console

    def assert_fault(self, *sentences):
        """As assert_panic, of a fault of the CPU: with every register."""
        self.assert_panic(*sentences)
        for register in REGISTERS:
            assert re.search(rf"\b{register} +[0-9a-f]{{16}}\b", self.console), f"{register} is missing:\n{self.console}"


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    output = tmp_path_factory.mktemp("misbehave") / "misbehave.elf"
    command = ["ld", *(LIBRARY / "link.args").read_text().split(), "-T", LIBRARY / "image.ld", "-u", "imago_element_Misbehave", "-o", output,
               "--start-group", *(LIBRARY / name for name in ("libimago-image.a", "libimago-image-elements.a", "sodium-verify.o", "libmisbehave.a")),
               "--end-group"]
    subprocess.run(command, check=True, timeout=SECONDS)
    return output


@pytest.fixture
def misbehave(image, tmp_path):
    """misbehave(how) boots the machine and returns its Ending."""

    def run(how):
        archive = tmp_path / "archive.cpio"
        archive.write_bytes(newc(("config.click", f"m :: Misbehave({how});\n".encode())))
        command = ["qemu-system-x86_64", "-M", "microvm,acpi=off,pic=off,pit=off,rtc=off,isa-serial=on", "-accel", "tcg", "-cpu", "max", "-m", "16",
                   "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-global", "virtio-mmio.force-legacy=false",
                   "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-serial", "stdio", "-kernel", image, "-initrd", archive]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
        return Ending(done.returncode, done.stdout + done.stderr)

    return run
