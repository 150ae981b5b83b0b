# SPDX-License-Identifier: BSD-3-Clause
"""Entering the gate beside its one address is a fault."""


def test_ud2_behind_gate(misbehave):
    misbehave("ud2_behind_gate").assert_fault()
