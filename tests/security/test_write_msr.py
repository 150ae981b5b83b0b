# SPDX-License-Identifier: BSD-3-Clause
"""Ring 3 cannot write a model-specific register, such as the one that makes data executable."""


def test_write_msr(misbehave):
    misbehave("write_msr").assert_fault("general protection fault")
