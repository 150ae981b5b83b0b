# SPDX-License-Identifier: BSD-3-Clause
"""A division by zero is a fault with a report, as any other."""


def test_divide_by_zero(misbehave):
    misbehave("divide_by_zero").assert_fault("divide error")
