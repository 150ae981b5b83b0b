# SPDX-License-Identifier: BSD-3-Clause
"""Ring 3 cannot jump into the nucleus."""


def test_jump_to_nucleus(misbehave):
    misbehave("jump_to_nucleus").assert_fault("page fault")
