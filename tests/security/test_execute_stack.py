# SPDX-License-Identifier: BSD-3-Clause
"""The stack cannot be executed."""


def test_execute_stack(misbehave):
    misbehave("execute_stack").assert_fault("page fault", "executes what is not code")
