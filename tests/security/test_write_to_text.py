# SPDX-License-Identifier: BSD-3-Clause
"""Code is not writable, not even for the core itself."""


def test_write_to_text_is_a_fault_with_a_report(misbehave):
    misbehave("write_text").assert_fault("page fault", "writes to code")
