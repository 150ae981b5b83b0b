# SPDX-License-Identifier: BSD-3-Clause
"""What tests of the running system share besides fixtures."""
import socket
import time

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


class Client:
    """A connection to a socket of a running Click configuration; tried until the socket is there."""

    def __init__(self, place):
        deadline = time.monotonic() + PATIENCE
        while True:
            self.socket = socket.socket(socket.AF_UNIX if isinstance(place, str) else socket.AF_INET)
            self.socket.settimeout(PATIENCE)
            try:
                self.socket.connect(place)
                return
            except OSError:
                self.socket.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def read(self, end):
        got = b""
        while not got.endswith(end):
            piece = self.socket.recv(1)  # no further: what follows is the next reply's
            assert piece, f"closed after {got!r}"
            got += piece
        return got

    def ask(self, line, end):
        self.socket.sendall(line + b"\r\n")
        return self.read(end)
