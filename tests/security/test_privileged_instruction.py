# SPDX-License-Identifier: BSD-3-Clause
"""Ring 3 cannot execute a privileged instruction."""


def test_privileged_instruction_is_a_fault_with_a_report(misbehave):
    misbehave("privileged").assert_fault("general protection fault", "privileged instruction")
