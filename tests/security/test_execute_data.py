# SPDX-License-Identifier: BSD-3-Clause
"""Data cannot be executed."""


def test_execute_data_is_a_fault_with_a_report(misbehave):
    misbehave("execute_data").assert_fault("page fault", "executes what is not code")
