# SPDX-License-Identifier: BSD-3-Clause
"""A function that writes past its local variables is caught before it returns."""


def test_stack_smash(misbehave):
    misbehave("stack_smash").assert_panic("stack smashed")
