# SPDX-License-Identifier: BSD-3-Clause
"""Ring 3 cannot switch interrupts off."""


def test_privileged_instruction(misbehave):
    misbehave("privileged").assert_fault("general protection fault", "privileged instruction")
