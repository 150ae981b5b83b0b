# SPDX-License-Identifier: BSD-3-Clause
"""Ring 3 cannot exchange the page tables."""


def test_write_cr3(misbehave):
    misbehave("write_cr3").assert_fault("general protection fault")
