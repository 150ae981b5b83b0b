# SPDX-License-Identifier: BSD-3-Clause
"""The control port speaks Click's ControlSocket protocol to whoever opens it, with no tool of ours in between."""
import contextlib
import fcntl
import os
import resource
import socket
import time

import pytest

from harness import PATIENCE
from wire import wait_until

CLICK = """
source :: FromDevice(eth0);
source -> count :: Counter -> switch :: Switch(0) -> Queue -> ToDevice(eth1);
switch [1] -> Discard;
"""


class Session:
    """A raw client: sends bytes, splits replies by the rules of the protocol alone."""

    def __init__(self, function, greeting=True, patience=PATIENCE):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.mute_ones_greeting = None
        self.socket.settimeout(patience)
        self.socket.connect(str(function.directory() / "control"))
        self.file = self.socket.makefile("rwb")
        try:
            self.greeting = self.line() if greeting else None
        except OSError:
            self.close()
            raise
        self.socket.settimeout(PATIENCE)

    def line(self):
        line = self.file.readline()
        assert line.endswith(b"\r\n"), line
        return line[:-2].decode()

    def reply(self):
        """(code, text of the last line) of the next reply, with all its lines before."""
        while True:
            line = self.line()
            if line == self.mute_ones_greeting:
                self.mute_ones_greeting = None
                continue
            assert line[:3].isdigit() and line[3] in " -", line
            if line[3] == " ":
                return int(line[:3]), line[4:]

    def send(self, text):
        self.file.write(text if isinstance(text, bytes) else text.encode())
        self.file.flush()

    def ask(self, text):
        self.send(text + "\r\n")
        return self.reply()

    def read(self, handler):
        code, _ = self.ask(f"READ {handler}")
        assert code == 200
        word, length = self.line().split()
        assert word == "DATA"
        return self.file.read(int(length)).decode()

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def function(launch, platform):
    return launch(platform, CLICK, frames=[bytes(60)])


@pytest.fixture
def session(function):
    with contextlib.closing(Session(function)) as client:
        yield client


def test_the_greeting_names_the_protocol_and_its_version(session):
    assert session.greeting == "Click::ControlSocket/1.3"


def test_a_handler_is_read_with_its_length_in_front(session):
    assert session.read("count.count").strip() == "0"
    assert "count" in session.read("list")


def test_a_handler_is_written_and_takes_effect(session):
    assert session.ask("WRITE switch.switch 1")[0] == 200
    assert session.read("switch.switch").strip() == "1"


def test_data_may_follow_a_command_with_its_length(session):
    session.send(b"WRITEDATA switch.switch 1\r\n1READ switch.switch\r\n")
    assert session.reply()[0] == 200
    assert session.reply()[0] == 200
    assert session.line().startswith("DATA ")


@pytest.mark.parametrize(("command", "code"), [
    ("READ nobody.count", 510),
    ("READ count.nothing", 511),
    ("WRITE count.nothing 1", 511),
    ("WRITE count.count 1", 530),
    ("READ count.reset", 530),
    ("WRITE switch.switch many", 520),
    ("DANCE", 501),
    ("READ", 500),
    ("WRITEDATA switch.switch 99999999999", 500),
    ("CHECKREAD count.count", 200),
    ("CHECKWRITE count.count", 511),
])
def test_every_command_is_answered_with_clicks_code(session, command, code):
    assert session.ask(command)[0] == code
    assert session.read("count.count").strip() == "0"  # and the session goes on


def test_commands_sent_in_one_piece_are_answered_in_order(session):
    session.send("WRITE switch.switch 1\r\nREAD nobody.x\r\nWRITE switch.switch 0\r\n")
    assert [session.reply()[0] for _ in range(3)] == [200, 510, 200]


def test_quit_ends_the_session(session):
    assert session.ask("QUIT")[0] == 200


def test_a_closed_port_resets_its_session(function):
    # The first client leaves in the middle of a command and its data; the next must not be taken for its continuation.
    with contextlib.closing(Session(function)) as client:
        client.send(b"WRITEDATA switch.switch 1000\r\nhalf of it")
    with contextlib.closing(open_session(function)) as client:
        assert client.greeting == "Click::ControlSocket/1.3"
        assert client.read("switch.switch").strip() == "0"


def test_one_client_after_the_other_is_greeted(function):
    """The news that one has gone and the next is there may come at any moment, also while the worker is about to sleep."""
    for _ in range(500):
        with contextlib.closing(open_session(function)) as client:
            assert client.greeting == "Click::ControlSocket/1.3"


def test_what_a_client_left_unread_is_not_the_next_ones(function):
    # The first client asks for more than it reads, until nothing more is taken from it; the second gets its own answers only.
    with contextlib.closing(Session(function, greeting=False)) as client:
        ask_without_reading(client)
    with contextlib.closing(open_session(function)) as client:
        assert client.greeting == "Click::ControlSocket/1.3"
        assert client.read("switch.switch").strip() == "0"


def test_a_client_that_never_reads_does_not_keep_the_worker_awake(function):
    def sleeps():
        with contextlib.closing(open_session(function)) as client:
            return int(dict(line.split() for line in client.read("workers").splitlines())["worker0.sleeps"])

    before = sleeps()
    with contextlib.closing(open_session(function)) as client:
        ask_without_reading(client)
        time.sleep(2)
    # Nothing comes for two seconds: sleeps that end at once would be tens of thousands.
    assert sleeps() - before < 2000


def test_without_descriptors_a_client_waits_and_the_worker_sleeps(launch):
    """accept(2): EMFILE, while poll goes on saying that somebody waits. It is said once, and tried again every second."""
    function = launch("process", CLICK)
    pid = int(function.file("pid"))
    with contextlib.closing(open_session(function)) as client:
        sleeps = lambda: int(dict(line.split() for line in client.read("workers").splitlines())["worker0.sleeps"])  # noqa: E731
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = max(int(fd) for fd in os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 1, limits[1]))
        with contextlib.closing(Session(function, greeting=False)) as second:
            wait_until(lambda: "accept: Too many open files" in client.read("log"), PATIENCE, "the failure to be logged")
            before = sleeps()
            time.sleep(2)
            # Nothing comes for two seconds: sleeps that end at once would be tens of thousands.
            assert sleeps() - before < 2000
            assert client.read("log").count("accept:") == 1
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
            assert "in use by another client" in second.line()


def ask_without_reading(client):
    client.socket.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        for _ in range(10000):
            client.socket.send(b"READ handlers\r\n" * 100)


def open_session(function):
    """A session as soon as the port takes one: QEMU listens again only when it has seen the last client go, and if that one left while
    it was written to, the next one waits for its greeting in vain, but its leaving mends the port."""
    deadline = time.monotonic() + PATIENCE
    patience = 0.5
    mute = False
    while True:
        try:
            session = Session(function, patience=patience)
            # QEMU keeps what it was to send to the one that left, one greeting, for the next.
            session.mute_ones_greeting = session.greeting if mute else None
            return session
        except OSError as error:
            mute = mute or isinstance(error, TimeoutError)
            assert time.monotonic() < deadline
            patience = min(2 * patience, PATIENCE / 3)
            time.sleep(0.01)


def test_a_client_that_never_reads_does_not_stop_packets(function):
    with contextlib.closing(Session(function, greeting=False)) as client:
        ask_without_reading(client)
        function.play(1000)
        wait_until(lambda: len(function.recorder.numbers) == 1000, PATIENCE, "1000 packets")


def test_noise_is_answered_with_errors_and_harms_nothing(function):
    with contextlib.closing(Session(function)) as client:
        client.send(bytes(range(256)) * 64 + b"\r\n")
        assert client.reply()[0] >= 500
    with contextlib.closing(open_session(function)) as client:
        assert client.read("count.count").strip() == "0"


def test_a_second_client_is_told_who_is_there(function):
    with (function.directory() / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, _, error = function.imago.attempt("read", function.name, "count.count")
        assert status == 1
        assert "another client" in error
    assert function.number("count.count") == 0
