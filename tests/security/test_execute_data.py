# SPDX-License-Identifier: BSD-3-Clause
"""Data cannot be executed."""


def test_execute_data(misbehave):
    misbehave("execute_data").assert_fault("page fault", "executes what is not code")
