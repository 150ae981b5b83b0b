# SPDX-License-Identifier: BSD-3-Clause
"""A null pointer that is called is a fault."""


def test_call_page_zero(misbehave):
    misbehave("call_page_zero").assert_fault("page fault")
