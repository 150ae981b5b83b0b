# SPDX-License-Identifier: BSD-3-Clause
"""Code memory that was given back holds breakpoints."""


def test_execute_freed_code(misbehave):
    misbehave("execute_freed_code").assert_fault("general protection fault")  # int3 is not for ring 3
