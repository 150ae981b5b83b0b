# SPDX-License-Identifier: BSD-3-Clause
"""Nothing is mapped at address 0: a null pointer that is read is a fault."""


def test_page_zero(misbehave):
    misbehave("page_zero").assert_fault("page fault", "null pointer")
