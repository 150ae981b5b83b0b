# SPDX-License-Identifier: BSD-3-Clause
"""Machine code made at run time cannot be written where it runs."""


def test_write_code_memory(misbehave):
    misbehave("write_code_memory").assert_fault("page fault", "writes to code")
