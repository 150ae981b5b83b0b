# SPDX-License-Identifier: BSD-3-Clause
"""Ring 3 cannot read the nucleus."""


def test_read_nucleus(misbehave):
    misbehave("read_nucleus").assert_fault("page fault")
