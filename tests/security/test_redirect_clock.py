# SPDX-License-Identifier: BSD-3-Clause
"""The host's paravirtual clock writes to memory past the page tables: the nucleus has it write to ring 3's own data only."""


def test_redirect_clock(misbehave):
    # The element faults on purpose once every wrong address was refused.
    misbehave("redirect_clock").assert_fault("invalid opcode")
