# SPDX-License-Identifier: BSD-3-Clause
"""Security tests in the manner of Solo5: one image per misbehaviour, one file per test. The element Misbehave (misbehave.c), which no
ordinary image holds, does the deed when its first packet would flow; the machine must fault, report, and end.
"""
import pathlib
import re
import subprocess

import pytest

EXIT_PANIC = 67  # of QEMU, by isa-debug-exit
SECONDS = 60
REGISTERS = ("rip", "rsp", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r15")


class Ending:
    """How a machine ended: QEMU's exit status and what the serial port said."""

    def __init__(self, status, console):
        self.status, self.console = status, console

    def assert_fault(self, *names):
        """A fault that is named by every one of `names` ended it, with a whole report."""
        assert self.status == EXIT_PANIC, self.console
        text = self.console.lower()
        for name in names:
            assert name in text, self.console
        for register in REGISTERS:
            assert re.search(rf"\b{register}\b[ =:]*(0x)?[0-9a-f]+", text), f"no {register} in:\n{self.console}"
        assert "m :: Misbehave (" in self.console, self.console
        assert "backtrace" in text, self.console
