# SPDX-License-Identifier: BSD-3-Clause
"""Ring 3 cannot halt the CPU."""


def test_halt(misbehave):
    misbehave("halt").assert_fault("general protection fault", "privileged instruction")
