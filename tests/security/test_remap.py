# SPDX-License-Identifier: BSD-3-Clause
"""The nucleus refuses to map what is not free memory, and calls that it does not have. Misbehave ends with ud2 when all were refused."""


def test_remap(misbehave):
    misbehave("remap_image").assert_fault("invalid opcode")
