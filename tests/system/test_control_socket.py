# SPDX-License-Identifier: BSD-3-Clause
"""ControlSocket and ChatterSocket, as their clients see them, by Click's manual pages of those names."""
import os
import pathlib
import subprocess

import pytest
from harness import PATIENCE, Client

IMAGO = pathlib.Path(os.environ.get("IMAGO_BUILD", "build")) / "tools/imago"


@pytest.fixture
def click():
    processes = []

    def start(configuration):
        process = subprocess.Popen([IMAGO, "click", "-e", configuration], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_reads_and_writes(click, runtime):
    path = str(runtime / "control")
    process = click(f'Idle -> c :: Counter -> Discard; s :: Script(TYPE PASSIVE, return $1); ControlSocket(unix, "{path}")')
    client = Client(path)
    assert client.read(b"\r\n") == b"Click::ControlSocket/1.3\r\n"
    assert client.ask(b"READ c.count", b"DATA 1\r\n0") == b"200 Read handler 'c.count' OK\r\nDATA 1\r\n0"
    assert client.ask(b"READ s.run a b", b"DATA 1\r\na").startswith(b"200")
    assert client.ask(b"READ nothing.x", b"\r\n") == b"510 No element named 'nothing'\r\n"
    # cat reads files with our rights: only the script itself may call it (Script(n): not accessible via ControlSocket).
    assert client.ask(b"READ s.cat " + path.encode(), b"\r\n").startswith(b"530 ")
    second = Client(path)
    assert second.ask(b"WRITE stop", b"OK\r\n").endswith(b"200 Write handler 'stop' OK\r\n")
    assert process.wait(PATIENCE) == 0
    assert not os.path.exists(path)


def test_commands_in_one_piece_keep_their_order(click, runtime):
    path = str(runtime / "control")
    click(f'Idle -> c :: Counter -> Discard; ControlSocket(unix, "{path}")')
    client = Client(path)
    client.socket.sendall(b"READ c.count\n" * 500 + b"QUIT\n")
    got = client.read(b"200 Goodbye!\r\n")
    assert got.count(b"200 Read handler 'c.count' OK\r\nDATA 1\r\n0") == 500
    assert client.socket.recv(1) == b""


def test_read_only_on_tcp(click, runtime):
    path = str(runtime / "control")
    click(f'Idle -> c :: Counter -> Discard; t :: ControlSocket(TCP, 20000+, LOCALHOST true, READONLY true);'
          f'ControlSocket(UNIX, "{path}")')
    client = Client(path)
    client.read(b"\r\n")
    client.ask(b"READ t.port", b"DATA 5\r\n")
    port = int(client.socket.recv(5))
    reader = Client(("127.0.0.1", port))
    reader.read(b"\r\n")
    assert reader.ask(b"WRITE c.reset", b"\r\n").startswith(b"530 ")
    assert reader.ask(b"READ c.count", b"DATA 1\r\n0").startswith(b"200 ")


def test_chatter_goes_to_clients(click, runtime):
    chatter = str(runtime / "chatter")
    click(f's :: Script(wait 0.3s, print nothing.at, loop); ChatterSocket(unix, "{chatter}")')
    listener = Client(chatter)
    assert listener.read(b"\r\n") == b"Click::ChatterSocket/1.0\r\n"
    line = listener.read(b"those there are\n").decode()
    assert "While executing 's :: Script':" in line and "no element named 'nothing'" in line


def test_place_that_is_taken_is_refused_or_tried_again(click, runtime):
    path = str(runtime / "control")
    first = click(f'ControlSocket(unix, "{path}")')
    Client(path)
    refused = click(f'ControlSocket(unix, "{path}")')
    assert refused.wait(PATIENCE) == 1
    assert b"Address already in use" in refused.stderr.read()
    later = click(f'ControlSocket(unix, "{path}", RETRIES 20)')
    assert later.stderr.readline().strip() != b""
    first.terminate()
    first.wait(PATIENCE)
    assert Client(path).read(b"\r\n") == b"Click::ControlSocket/1.3\r\n"
