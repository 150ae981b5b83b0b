# SPDX-License-Identifier: BSD-3-Clause
"""ControlSocket and ChatterSocket, as their clients see them, by Click's manual pages of those names."""
import errno
import os
import pathlib
import resource
import socket
import subprocess

import pytest
from harness import PATIENCE, Client

IMAGO = pathlib.Path(os.environ.get("IMAGO_BUILD", "build")) / "tools/imago"


@pytest.fixture
def click():
    processes = []

    def start(configuration, *options):
        process = subprocess.Popen([IMAGO, "click", *options, "-e", configuration], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
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


def test_arguments_by_keyword(click, runtime):
    """TYPE, PORT, FILENAME, RETRIES, RETRY_WARNINGS, as both manual pages have them; PROXY: the handlers that the element is asked for."""
    path = str(runtime / "control")
    first = click('proxy :: Script(TYPE PROXY, return $0);'
                  f'ControlSocket(TYPE UNIX, FILENAME "{path}", RETRIES 0, RETRY_WARNINGS true);'
                  f'p :: ControlSocket(TYPE TCP, PORT 20000+, LOCALHOST true, PROXY proxy);'
                  'c :: ChatterSocket(TYPE TCP, PORT 20000+, LOCALHOST true)')
    client = Client(path)
    client.read(b"\r\n")
    ports = {}
    for name in "pc":
        client.ask(b"READ %b.port" % name.encode(), b"DATA 5\r\n")
        ports[name] = int(client.socket.recv(5))
    proxied = Client(("127.0.0.1", ports["p"]))
    proxied.read(b"\r\n")
    assert proxied.ask(b"READ any.thing", b"any.thing").startswith(b"200 ")
    with socket.socket() as elsewhere:
        assert elsewhere.connect_ex(("127.0.0.2", ports["c"])) == errno.ECONNREFUSED
    silent = click(f'ControlSocket(UNIX, FILENAME "{path}", RETRIES 50, RETRY_WARNINGS false);'
                   f'ChatterSocket(UNIX, FILENAME "{path}", RETRIES 50, RETRY_WARNINGS false)')
    first.terminate()
    first.wait(PATIENCE)
    assert Client(path).read(b"\r\n").startswith(b"Click::C")
    silent.terminate()
    assert b"use" not in silent.communicate(timeout=PATIENCE)[1]


def test_without_descriptors_a_connection_waits(click, runtime):
    """accept(2): EMFILE. It is said once, and the connection is served when there are descriptors again."""
    path = str(runtime / "control")
    process = click(f'ControlSocket(unix, "{path}")')
    first = Client(path)
    first.read(b"\r\n")
    before = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    used = max(int(fd) for fd in os.listdir(f"/proc/{process.pid}/fd"))
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (used + 1, before[1]))
    second = Client(path)
    assert b"accept: Too many open files; trying again every second" in process.stderr.readline()
    assert first.ask(b"READ version", b"DATA ").startswith(b"200")
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, before)
    assert second.read(b"\r\n") == b"Click::ControlSocket/1.3\r\n"
    process.terminate()
    assert b"accept:" not in process.communicate(timeout=PATIENCE)[1]


PACKETS = 'RatedSource(DATA \\<4500 0014 0000 0000 4001 0000 0a000001 0a000002>, RATE 20) -> MarkIPHeader -> '


def test_channels_are_apart_from_the_log(click, runtime):
    """"CHANNEL: The socket outputs messages sent to this chatter channel"; "Messages sent to a non-default channel are not normally
    printed on standard error. If QUIET_CHANNEL is false, however, the channel's messages do go to standard error\""""
    places = {name: str(runtime / name) for name in ("quiet", "loud", "log")}
    process = click(PACKETS + 'IPPrint(one, CHANNEL quiet) -> IPPrint(two, CHANNEL loud) -> IPPrint(three, CHANNEL nobody) -> IPPrint(four)'
                    f'-> Discard; ChatterSocket(unix, "{places["quiet"]}", CHANNEL quiet);'
                    f'ChatterSocket(unix, "{places["loud"]}", CHANNEL loud, QUIET_CHANNEL false, GREETING false);'
                    f'ChatterSocket(unix, "{places["log"]}", CHANNEL default)')
    quiet, loud, log = (Client(places[name]) for name in places)
    assert quiet.read(b"\r\n") == log.read(b"\r\n") == b"Click::ChatterSocket/1.0\r\n"
    lines = {"quiet": {quiet.read(b"\n").split(b": ")[1] for _ in range(10)}, "loud": {loud.read(b"\n").split(b": ")[1] for _ in range(10)}}
    assert lines == {"quiet": {b"one"}, "loud": {b"two"}}
    assert {log.read(b"\n").split(b": ")[1] for _ in range(10)} == {b"two", b"four"}
    process.terminate()
    said = process.communicate(timeout=PATIENCE)[1]
    assert b"two: " in said and b"four: " in said and b"one: " not in said and b"three: " not in said


def test_hot_swap_keeps_chatter_clients(click, runtime):
    """"The hot-swap will succeed only if the old ChatterSocket and the new ChatterSocket have the same element name, and the same socket
    type, port/filename"; "the new ChatterSocket must have RETRIES set to 1 or more"."""
    control, chatter = str(runtime / "control"), str(runtime / "chatter")

    def configuration(label, channel):
        return (f'ControlSocket(unix, "{control}", RETRIES 1); c :: ChatterSocket(unix, "{chatter}", CHANNEL {channel}, RETRIES 1);'
                + PACKETS + f"IPPrint({label}, CHANNEL v) -> Discard;")

    click(configuration("one", "v"), "-R")
    client, controller = Client(chatter), Client(control)
    client.read(b": one: ")
    controller.read(b"\r\n")

    def swap(data):
        controller.socket.sendall(b"WRITEDATA hotconfig %d\n%b" % (len(data), data))
        assert controller.read(b"\r\n").startswith(b"200")

    for label in ("two", "three"):
        swap(configuration(label, "v").encode())
        client.read(b": %s: " % label.encode())
    swap(configuration("four", "default").encode())  # now it is the log's
    swap(configuration("five", "v").encode())
    client.read(b": five: ")
    assert controller.ask(b"READ c.clients", b"DATA 1\r\n1").startswith(b"200")


def test_verbose_and_too_many_clients(click, runtime):
    """VERBOSE tells of connections; of more than 64 clients the next is turned away."""
    path = str(runtime / "control")
    process = click(f'ControlSocket(unix, "{path}", VERBOSE true)')
    clients = [Client(path) for _ in range(64)]
    for client in clients:
        client.read(b"\r\n")
    assert Client(path).socket.recv(100) == b""
    clients.pop().ask(b"QUIT", b"Goodbye!\r\n")
    Client(path).read(b"\r\n")
    process.terminate()
    said = process.communicate(timeout=PATIENCE)[1]
    assert said.count(b"opened connection") == 65 and said.count(b"no room for connection") == 1
