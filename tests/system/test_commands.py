# SPDX-License-Identifier: BSD-3-Clause
"""The imago command around a run: what runs, how it is found, ended, and what is left of it."""
import os
import signal
import socket
import threading

import pytest

from harness import PATIENCE
from wire import wait_until

CLICK = "FromDevice(eth0) -> count :: Counter -> Queue -> ToDevice(eth1);"


@pytest.fixture
def function(launch, platform):
    return launch(platform, CLICK, name="one")


def row(imago, name):
    """The cells of `imago ps` for a run, or None."""
    rows = {line.split()[0]: line.split() for line in imago("ps").splitlines()[1:]}
    return rows.get(name)


def state(imago, name):
    """'running', 'ended' or 'stale'."""
    line = next(line for line in imago("ps").splitlines() if line.split()[0] == name)
    return next(word for word in ("running", "ended", "stale") if f" {word}" in line)


def test_ps_lists_what_runs(imago, function, platform):
    cells = row(imago, "one")
    assert cells[1] == function.file("pid").strip()
    assert cells[2] == platform
    assert state(imago, "one") == "running"


def test_stop_ends_it_cleanly_with_status_0(imago, function):
    pid = int(function.file("pid"))
    function.stop()
    assert function.file("exit").strip() == "0"
    assert state(imago, "one") == "ended"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_killed_run_is_known_as_gone_and_its_name_is_free(imago, function, launch, platform):
    os.kill(int(function.file("pid")), signal.SIGKILL)
    wait_until(lambda: state(imago, "one") != "running", PATIENCE, "ps to see that it is gone")
    status, _, error = imago.attempt("read", "one", "count.count")
    assert status == 1 and "'one'" in error


def test_a_run_directory_of_a_dead_process_is_stale(imago, function):
    # As after a restart of the host: the pid belongs to somebody else now, who must not be taken for the run.
    function.stop()
    (function.directory() / "exit").unlink()
    (function.directory() / "pid").write_text(f"{os.getpid()}\n")
    assert state(imago, "one") == "stale"
    status, _, error = imago.attempt("stop", "one")
    assert status == 1 and "'one'" in error  # and this test is still alive to say so
    imago("ps", "--clean")
    assert row(imago, "one") is None


def test_a_name_that_runs_is_not_started_twice(imago, function, tmp_path):
    click = tmp_path / "again.click"
    click.write_text("Idle -> Discard;")
    status, _, error = imago.attempt("run", "--process", "--detach", "--name", "one", click)
    assert status == 1
    assert "'one'" in error and "already" in error
    assert state(imago, "one") == "running"


def test_the_log_shows_what_elements_print(imago, launch, platform):
    function = launch(platform, "FromDevice(eth0) -> Print(seen) -> Queue -> ToDevice(eth1);", frames=[bytes(60)])
    function.play(1)
    function.settle()
    wait_until(lambda: "seen" in imago("log", function.name), PATIENCE, "a line in the log")


def test_reading_what_does_not_run_names_the_way_out(imago):
    status, _, error = imago.attempt("read", "nobody", "list")
    assert status == 1
    assert "nobody" in error and "imago ps" in error


@pytest.mark.parametrize("command", ["build", "run", "ps", "stop", "log", "read", "write", "load", "keygen", "bundle", "inspect", "elements"])
def test_every_command_has_help_on_standard_output(imago, command):
    out = imago(command, "--help")
    assert out.startswith("usage:")
    assert "Exit status" in out or "exit status" in out


def test_a_misspelt_command_is_answered_with_the_nearest(imago):
    status, _, error = imago.attempt("laod")
    assert status == 1
    assert "load" in error


@pytest.mark.parametrize("file, name", [(".hidden.click", "hidden"), ("-_odd name.click", "odd-name"), ("_.click", "run")])
def test_any_files_name_makes_a_name_that_a_run_may_have(imago, tmp_path, file, name):
    source = tmp_path / file
    source.write_text("Idle -> Discard;")
    imago("run", "--process", "--detach", source)
    try:
        assert state(imago, name) == "running"
    finally:
        imago("stop", name)


def test_a_client_that_is_not_greeted_connects_again(imago, launch):
    # QEMU may leave a port mute for the next client, until that one hangs up too: here a server that greets the second one only.
    function = launch("process", CLICK, name="one")
    control = function.directory() / "control"
    control.rename(function.directory() / "aside")
    mute = []

    def serve(server):
        mute.append(server.accept()[0])
        client, _ = server.accept()
        with client, client.makefile("rwb") as stream:
            stream.write(b"Click::ControlSocket/1.3\r\n" * 2)  # that of the first one is kept for the second
            stream.flush()
            assert stream.readline() == b"READ count.count\r\n"
            stream.write(b"200 Read handler 'count.count' OK\r\nDATA 2\r\n7\n")

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(control))
        server.listen()
        thread = threading.Thread(target=serve, args=[server])
        thread.start()
        try:
            assert imago("read", "one", "count.count") == "7\n"
        finally:
            thread.join(PATIENCE)
            (function.directory() / "aside").rename(control)
    assert mute[0].recv(1) == b"", "the first connection was not closed"


def test_a_port_that_takes_nobody_is_said_not_to_answer(imago, launch):
    # As while another client is there whom no lock keeps out: the first connection waits in the queue, and no second one is taken.
    function = launch("process", CLICK, name="one")
    control = function.directory() / "control"
    control.rename(function.directory() / "aside")
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(control))
            server.listen(0)
            status, _, error = imago.attempt("read", "one", "count.count")
    finally:
        (function.directory() / "aside").rename(control)
    assert status == 1 and "'one' does not answer on its control port" in error
