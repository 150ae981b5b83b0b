# SPDX-License-Identifier: BSD-3-Clause
"""What tests of the running system share besides fixtures."""

# Seconds. TCG on a loaded machine may take this long for anything; a test that waits to the end fails.
PATIENCE = 30


def newc(*files):
    """A boot archive: cpio, "newc" format, of (name, data). Shares no code with `imago build`."""
    archive = b""
    for name, data in (*files, ("TRAILER!!!", b"")):
        fields = [0, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        archive += b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        archive += bytes(-len(archive) % 4) + data
        archive += bytes(-len(archive) % 4)
    return archive
