# SPDX-License-Identifier: BSD-3-Clause
"""Code is not writable, not even for the core itself."""


def test_write_to_text(misbehave):
    misbehave("write_text").assert_fault("page fault", "writes to code")
