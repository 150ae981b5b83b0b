# SPDX-License-Identifier: BSD-3-Clause
"""Machine code made at run time cannot run where it is written."""


def test_execute_code_memory(misbehave):
    misbehave("execute_code_memory").assert_fault("page fault", "executes what is not code")
