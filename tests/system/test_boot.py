# SPDX-License-Identifier: BSD-3-Clause
"""The virtual machine starts, or says why not, and ends with a status that tells which."""
import contextlib
import os
import pathlib
import signal
import socket
import struct
import subprocess
import time

import pytest

from harness import PATIENCE, newc
from wire import wait_until

pytestmark = pytest.mark.vm

# Status of a bare QEMU (platform/vm/nucleus.h).
EXIT_CLEAN, EXIT_CONFIGURATION = 0, 35
CLICK = "FromDevice(eth0) -> count :: Counter -> Queue -> ToDevice(eth1);"


@pytest.fixture
def image(imago, signed, tmp_path):
    """image(click) builds an image from the text and returns the paths of image and boot archive."""

    def make(click, name="made"):
        source = tmp_path / f"{name}.click"
        source.write_text(click)
        imago("build", source, "-o", tmp_path / name, "--key", signed.public)
        return tmp_path / f"{name}.elf", tmp_path / f"{name}.cpio"

    return make


@pytest.fixture
def boot(imago, tmp_path):
    """boot(image, archive) boots what must end by itself: (QEMU's exit status, what the serial port said)."""

    def run(elf, archive):
        printed = imago("run", "--print", "--name", "printed", "--accel", "tcg", "--archive", archive, elf)
        status = subprocess.run(["sh", "-c", printed], timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False).returncode
        console = pathlib.Path(imago.environment["XDG_RUNTIME_DIR"]) / "imago/printed/console"
        return status, console.read_text(errors="replace")

    return run


@pytest.fixture
def archive(tmp_path):
    """archive(click) is a boot archive with just this Click file."""

    def make(click):
        path = tmp_path / "other.cpio"
        path.write_bytes(newc(("config.click", click.encode())))
        return path

    return make


def test_the_printed_line_boots_without_our_tool(imago, image):
    printed = imago("run", "--print", "--name", "printed", "--accel", "tcg", image("Idle -> Discard;")[0])
    control = pathlib.Path(imago.environment["XDG_RUNTIME_DIR"]) / "imago/printed/control"
    shell = subprocess.Popen(["sh", "-c", printed], stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until(control.exists, PATIENCE, "the control socket")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(control))
            assert client.recv(64) == b"Click::ControlSocket/1.3\r\n"
            client.sendall(b"WRITE stop\r\n")
            assert shell.wait(PATIENCE) == EXIT_CLEAN
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


def test_bytes_on_the_log_port_do_not_keep_the_worker_awake(imago, image):
    printed = imago("run", "--print", "--name", "printed", "--accel", "tcg", image("Idle -> Discard;")[0])
    directory = pathlib.Path(imago.environment["XDG_RUNTIME_DIR"]) / "imago/printed"
    assert "file,id=log,path=" in printed
    printed = printed.replace("file,id=log,path=", "socket,id=log,server=on,wait=off,path=")
    shell = subprocess.Popen(["sh", "-c", printed], stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until((directory / "control").exists, PATIENCE, "the control socket")
        wait_until((directory / "log").exists, PATIENCE, "the log socket")
        with socket.socket(socket.AF_UNIX) as client, socket.socket(socket.AF_UNIX) as log:
            client.settimeout(PATIENCE)
            client.connect(str(directory / "control"))
            replies = client.makefile("rwb")
            assert replies.readline() == b"Click::ControlSocket/1.3\r\n"

            def sleeps():
                replies.write(b"READ workers\r\n")
                replies.flush()
                assert replies.readline().startswith(b"200 ")
                text = replies.read(int(replies.readline().split()[1])).decode()
                return int(dict(line.split() for line in text.splitlines())["worker0.sleeps"])

            log.connect(str(directory / "log"))
            log.sendall(b"is anybody there?\n" * 100)
            before = sleeps()
            time.sleep(1)
            assert sleeps() - before < 1000
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


def test_8_mib_are_enough(launch, capture):
    function = launch("vm", CLICK, frames=capture, options=["--memory", "8"])
    function.play(2 * len(capture))
    assert function.settle() == {}
    assert int(function.table("memory")["total_bytes"]) <= 8 << 20


def memory_end(elf):
    """Where the last segment of an ELF file ends in memory."""
    data = elf.read_bytes()
    first, size, count = struct.unpack_from("<Q14xHH", data, 32)
    ends = []
    for at in range(first, first + size * count, size):
        kind, _, _, address, _, _, length = struct.unpack_from("<IIQQQQQ", data, at)
        ends.append(address + length if kind == 1 else 0)
    return max(ends)


def test_8_mib_are_enough_for_an_image_that_reaches_beyond_2_mib(imago, tmp_path, signed):
    """What is left behind it, up to the next multiple of 2 MiB, is not lost: the packet pool alone has 2 MiB."""
    source = tmp_path / "heavy.click"
    source.write_text("Idle -> Discard; Ballast;")
    imago("build", source, "-o", tmp_path / "heavy", "--key", signed.public, "--link", imago.program.parents[1] / "platform/vm/libballast.a")
    assert memory_end(tmp_path / "heavy.elf") > 2 << 20
    imago("run", "--detach", "--name", "heavy", "--accel", "tcg", "--memory", "8", tmp_path / "heavy.elf")
    assert "\npackets 1024\n" in imago("read", "heavy", "memory")
    imago("stop", "heavy")


def test_a_refused_configuration_ends_with_its_own_status_and_names_line_and_element(image, archive, boot):
    elf, _ = image("Idle -> Queue -> Discard;")
    status, console = boot(elf, archive("Idle -> Discard;\nq :: Queue(many);\nIdle -> q -> Discard;\n"))
    assert status == EXIT_CONFIGURATION
    assert "config.click:2" in console
    assert "q :: Queue" in console
    assert "CAPACITY: parse error" in console


def test_an_element_that_the_image_lacks_is_named(image, archive, boot):
    elf, _ = image("Idle -> Discard;")
    status, console = boot(elf, archive("Idle -> Paint(1) -> Discard;"))
    assert status == EXIT_CONFIGURATION
    assert "Paint" in console


def test_a_missing_interface_is_named(image, boot):
    status, console = boot(*image(CLICK))
    assert status == EXIT_CONFIGURATION
    assert "eth0" in console


ARCHIVES = {
    "empty": lambda good: b"",
    "noise": lambda good: bytes(range(256)) * 16,
    "zeros": lambda good: bytes(4096),
    "cut in the first header": lambda good: good[:50],
    "cut in the first file": lambda good: good[:130],
    "without its trailer": lambda good: good[:good.rindex(b"070701")],
    "with a file longer than itself": lambda good: good[:54] + b"7fffffff" + good[62:],
    "with letters for a length": lambda good: good[:54] + b"wxyzwxyz" + good[62:],
    "without config.click": lambda good: good.replace(b"config.click", b"config.clock"),
}


@pytest.mark.parametrize("how", ARCHIVES)
def test_a_bad_boot_archive_is_refused_with_a_reason(image, boot, tmp_path, how):
    elf, good = image("Idle -> Discard;")
    bad = tmp_path / "bad.cpio"
    bad.write_bytes(ARCHIVES[how](good.read_bytes()))
    status, console = boot(elf, bad)
    assert status == EXIT_CONFIGURATION
    assert console.strip(), "it died silent"


def test_the_boot_chart_starts_at_the_first_instruction_and_never_goes_back(launch, capture):
    function = launch("vm", CLICK, frames=capture)
    function.play(1)
    function.settle()
    times = [int(line.split()[0]) for line in function.read("boot").splitlines()]
    assert times
    assert times == sorted(times)
    assert 0 < function.number("first_packet")
