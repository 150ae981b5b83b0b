# SPDX-License-Identifier: BSD-3-Clause
"""Ring 3 cannot write where the nucleus and its page tables are."""


def test_write_page_table(misbehave):
    misbehave("write_page_table").assert_fault("page fault")
