# SPDX-License-Identifier: BSD-3-Clause
"""ud2 is a call of the nucleus at its one address in the gate page; elsewhere it is a fault, whatever the registers ask for."""


def test_ud2_outside_gate(misbehave):
    misbehave("ud2").assert_fault("invalid opcode")
