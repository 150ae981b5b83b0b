# SPDX-License-Identifier: BSD-3-Clause
"""What the system and security tests share: keys and bundles made once, and functions that run for one test and end with it.

IMAGO_BUILD names the build directory under test (build).
"""
import contextlib
import os
import pathlib
import shutil
import signal
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools/demo"))
from harness import PATIENCE  # noqa: E402
from imago import FIREWALL, Function, Imago, compile_bpf  # noqa: E402
from wire import Recorder, Sender, read_pcap, wait_until  # noqa: E402

BUILD = os.environ.get("IMAGO_BUILD", "build")
CORPUS = pathlib.Path(__file__).parent / "programs"
PROGRAMS = (FIREWALL, pathlib.Path(__file__).parent / "system/programs", *sorted(path for path in CORPUS.iterdir() if path.is_dir()))


def find_program(name):
    """The source of a program of the firewall example, of tests/system/programs or of tests/programs."""
    return next(path for path in (folder / f"{name}.bpf.c" for folder in PROGRAMS) if path.exists())

# They do what no proof allows; functions take them with --allow-unproven only.
UNPROVEN = {"faulty"}


@pytest.fixture
def runtime():
    """A directory for run directories and sockets. Not tmp_path: a unix socket's path may have 107 bytes."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="imago-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def imago(runtime):
    return Imago(BUILD, runtime)


class Signed:
    """Keys, and bundles made from the programs of the firewall example."""

    def __init__(self, directory):
        self.directory = directory
        self.imago = Imago(BUILD, directory)
        self.key, self.public = self.imago.keygen(directory / "operator")
        self.stranger, self.stranger_public = self.imago.keygen(directory / "stranger")

    def bundle(self, program, version, key=None, *options):
        """The bundle, proven and signed, of a program of the firewall example, of tests/system/programs or of tests/programs. Those of
        UNPROVEN are signed only."""
        compiled = self.directory / f"{program}.bpf.o"
        if not compiled.exists():
            compile_bpf(find_program(program), compiled, f"-I{CORPUS}")
        key = key or self.key
        output = self.directory / "-".join([program, str(version), key.stem, *(word.strip("-*") for word in options)])
        output = output.with_suffix(".imb")
        if not output.exists():
            self.imago("bundle" if program in UNPROVEN else "verify", compiled, "-o", output, "--key", key, "--version", version, *options)
        return output


@pytest.fixture(scope="session")
def signed(tmp_path_factory):
    return Signed(tmp_path_factory.mktemp("signed"))


class Running(Function):
    """A function that runs for one test. `recorder` and `sender` are the ends of its wire when it has NICs."""

    recorder = sender = None

    def directory(self):
        return pathlib.Path(self.imago.environment["XDG_RUNTIME_DIR"]) / "imago" / self.name

    def file(self, name):
        """A file of the run directory."""
        path = self.directory() / name
        return path.read_text(errors="replace") if path.exists() else ""

    def play(self, count=None):
        """Plays up to frame number `count` (until told to stop without), and returns at once."""
        self.sender.limit = count
        self.sender.start()

    def drops(self):
        """Drop counters that are not 0, without the total."""
        counts = {name: int(value) for name, value in self.table("drops").items()}
        assert counts["total"] == sum(counts.values()) - counts["total"]
        return {name: value for name, value in counts.items() if value and name != "total"}

    def settle(self):
        """Waits for the sender's end, and until every frame has come out or is counted. Returns the drops."""
        self.sender.thread.join(PATIENCE)
        assert not self.sender.thread.is_alive(), "the function stopped taking frames"
        assert self.sender.error is None
        wait_until(lambda: len(self.recorder.numbers) + sum(self.drops().values()) >= self.sender.sent, PATIENCE, "an account of every frame")
        return self.drops()

    def end(self):
        """Whatever the test left: nothing of it stays."""
        if self.sender:
            self.sender.stopping = True
        pid = self.file("pid").strip()
        if pid and not self.file("exit"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
            with contextlib.suppress(TimeoutError):  # whoever watches over the run writes down how it ended
                wait_until(lambda: self.file("exit"), PATIENCE, "the end of the run")
        for end in (self.sender, self.recorder):
            if end:
                end.stop()


@pytest.fixture
def launch(imago, runtime, signed, tmp_path):
    """launch(platform, click, frames=..., options=..., files=...) starts a function with the Click text and two NICs whose far ends are
    ours; `files` are paths of what goes into its boot archive."""
    started = []

    def start(platform, click, frames=(), options=(), files=(), rate=None, name=None, key=None):
        function = Running(imago, name or f"t{len(started)}")
        started.append(function)
        place = tmp_path / function.name
        place.mkdir()
        (place / "test.click").write_text(click)
        for file in files:
            shutil.copy(file, place)
        ends = {end: str(runtime / f"{function.name}-{end}") for end in ("sender", "eth0", "eth1", "recorder")}
        function.recorder = Recorder(ends["recorder"], keep=True)
        function.sender = Sender(frames, ends["sender"], ends["eth0"], rate)
        kind = "dgram" if platform == "vm" else "unix"
        arguments = ["--detach", "--name", function.name, "--key", key or signed.public]
        arguments += ["--accel", "tcg"] if platform == "vm" else ["--process"]
        for local, remote in (("eth0", "sender"), ("eth1", "recorder")):
            arguments += ["--nic", f"{kind}:{ends[local]},{ends[remote]}"]
        imago("run", *arguments, *options, place / "test.click")
        return function

    yield start
    for function in started:
        function.end()


@pytest.fixture(params=["process", pytest.param("vm", marks=pytest.mark.vm)])
def platform(request):
    """Both platforms run the same core: what holds on one holds on the other."""
    return request.param


@pytest.fixture(scope="session")
def capture():
    return read_pcap(FIREWALL / "traffic.pcap")


@pytest.fixture
def firewall(launch, signed, capture, platform):
    """The firewall example on either platform, with pass.bpf.c version 1."""
    passing = signed.directory / "pass.imb"
    if not passing.exists():
        shutil.copy(signed.bundle("pass", 1), passing)
    return launch(platform, (FIREWALL / "firewall.click").read_text(), frames=capture, files=[passing])
