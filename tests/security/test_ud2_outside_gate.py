# SPDX-License-Identifier: BSD-3-Clause
"""ud2 is a call of the nucleus only at its one address in the gate page; elsewhere it is a fault."""


def test_ud2_outside_gate_is_a_fault_with_a_report(misbehave):
    misbehave("ud2").assert_fault("invalid opcode")
