# SPDX-License-Identifier: BSD-3-Clause
"""The virtual machine starts, or says why not, and ends with a status that tells which."""
import os
import pathlib
import shlex
import socket
import subprocess

import pytest

from conftest import PATIENCE
from wire import wait_until

pytestmark = pytest.mark.vm

# Status of a bare QEMU (platform/vm/nucleus.h).
EXIT_CLEAN, EXIT_CONFIGURATION = 0, 35
CLICK = "FromDevice(eth0) -> count :: Counter -> Queue -> ToDevice(eth1);"


@pytest.fixture
def image(imago, signed, tmp_path):
    """image(click) builds an image from the text and returns the paths of image and boot archive."""

    def make(click):
        source = tmp_path / "made.click"
        source.write_text(click)
        imago("build", source, "-o", tmp_path / "made.elf", "--key", signed.public)
        return tmp_path / "made.elf", tmp_path / "made.cpio"

    return make


def qemu(imago, image, *options):
    """The exact QEMU command that `imago run` would use for the image."""
    return shlex.split(imago("run", "--print", "--name", "printed", "--accel", "tcg", *options, image).replace("\\\n", " "))


def serial_to(command, path):
    """The command with the serial port's output in another file."""
    at = command.index("-serial") + 1
    return [*command[:at], f"file:{path}", *command[at + 1:]]


def boot(imago, paths, tmp_path, archive=None, append=None):
    """Boots without our tool what must end by itself: (QEMU's exit status, what the serial port said)."""
    command = qemu(imago, paths[0])
    if archive is not None:
        command[command.index("-initrd") + 1] = str(archive)
    console = tmp_path / "console"
    command = serial_to(command, console)
    directory = pathlib.Path(imago.environment["XDG_RUNTIME_DIR"]) / "imago/printed"
    directory.mkdir(parents=True, exist_ok=True)
    status = subprocess.run(command, cwd=tmp_path, timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False).returncode
    return status, console.read_text(errors="replace")


def test_the_printed_line_boots_without_our_tool(imago, image, tmp_path):
    directory = pathlib.Path(imago.environment["XDG_RUNTIME_DIR"]) / "imago/printed"
    command = qemu(imago, image("Idle -> Discard;")[0])
    directory.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.DEVNULL) as process:
        try:
            wait_until((directory / "control").exists, PATIENCE, "the control socket")
            with socket.socket(socket.AF_UNIX) as control:
                control.settimeout(PATIENCE)
                control.connect(str(directory / "control"))
                control.sendall(b"WRITE stop\r\n")
                assert control.recv(64).startswith(b"Click::ControlSocket/1.")
                assert process.wait(PATIENCE) == EXIT_CLEAN
        finally:
            process.kill()


def test_8_mib_are_enough(launch, capture):
    function = launch("vm", CLICK, frames=capture, options=["--memory", "8"])
    function.play(2 * len(capture))
    assert function.settle() == {}
    assert int(function.table("memory")["total_bytes"]) <= 8 << 20


def test_a_refused_configuration_ends_with_its_own_status_and_names_line_and_element(imago, image, tmp_path):
    status, console = boot(imago, image("Idle -> Discard;\nq :: Queue(many);\nIdle -> q -> Discard;\n"), tmp_path)
    assert status == EXIT_CONFIGURATION
    assert "config.click:2" in console or "made.click:2" in console
    assert "q :: Queue" in console
    assert "many" in console


def test_an_element_that_the_image_lacks_is_named(imago, image, tmp_path):
    # The image of one graph with the archive of another.
    elf, archive = image("Idle -> Discard;")
    small = tmp_path / "small.elf"
    os.rename(elf, small)
    _, other = image("Idle -> Paint(1) -> Discard;")
    status, console = boot(imago, (small, archive), tmp_path, archive=other)
    assert status == EXIT_CONFIGURATION
    assert "Paint" in console


def test_a_missing_interface_is_named(imago, image, tmp_path):
    status, console = boot(imago, image(CLICK), tmp_path)
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
def test_a_bad_boot_archive_is_refused_with_a_reason(imago, image, tmp_path, how):
    paths = image("Idle -> Discard;")
    bad = tmp_path / "bad.cpio"
    bad.write_bytes(ARCHIVES[how](paths[1].read_bytes()))
    status, console = boot(imago, paths, tmp_path, archive=bad)
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
