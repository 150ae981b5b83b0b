# SPDX-License-Identifier: BSD-3-Clause
"""A stack that grows too far meets its guard page, and the report still comes, from a stack of its own."""


def test_stack_overflow(misbehave):
    misbehave("stack_overflow").assert_fault("stack overflow")
