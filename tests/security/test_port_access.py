# SPDX-License-Identifier: BSD-3-Clause
"""Ring 3 cannot write to an I/O port: not even to the one that would end the machine."""


def test_port_access(misbehave):
    misbehave("write_port").assert_fault("general protection fault")
