# SPDX-License-Identifier: BSD-3-Clause
"""Constants are read-only."""


def test_write_to_constants(misbehave):
    misbehave("write_rodata").assert_fault("page fault", "writes to read-only data")
