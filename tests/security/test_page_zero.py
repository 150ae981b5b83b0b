# SPDX-License-Identifier: BSD-3-Clause
"""Nothing is mapped at address 0: a null pointer is a fault."""


def test_page_zero_is_a_fault_with_a_report(misbehave):
    misbehave("page_zero").assert_fault("page fault", "null pointer")
