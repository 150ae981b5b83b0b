# SPDX-License-Identifier: BSD-3-Clause
"""A call with the direction flag set is a call like any other, and ring 3 gets its flags back."""


def test_direction_flag(misbehave):
    misbehave("direction_flag").assert_fault("invalid opcode")
