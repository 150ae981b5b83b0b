# SPDX-License-Identifier: BSD-3-Clause
"""What the measurements share: bundles and images of their own in build/bench, functions on each platform with both ends of their wire,
and a control session without a tool in between, so that the tool's start is not measured.
"""
import contextlib
import os
import pathlib
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools/demo"))
from imago import FIREWALL, Failed, Imago, compile_bpf  # noqa: E402
from wire import Recorder, Sender, read_pcap, wait_until  # noqa: E402

OUTPUT = ROOT / "build/bench"
PROGRAMS = (FIREWALL, ROOT / "bench/programs")
PATIENCE = 30  # seconds for anything, on a machine that has other things to do
MEMORY = 8  # MiB
# Sender and recorder are threads of one interpreter; by default one may keep the other waiting for 5 ms.
sys.setswitchinterval(0.0001)
PRIMER = bytes(60)  # goes ahead of the stream: QEMU 7.2 discards the frame that it holds when a driver starts its device

FORWARD = "FromDevice(eth0) -> count :: Counter -> Queue(1024) -> out :: ToDevice(eth1);\n"
FILTER = "FromDevice(eth0) -> fw :: BPFilter(FILE pass.imb) -> Queue(4096) -> out :: ToDevice(eth1);\n"


def go_first():
    """In a child, where we may: it is not kept waiting by whatever else the machine does."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def say(text):
    """Progress, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def median(values):
    return statistics.median(values)


class Workshop:
    """build/bench: keys, bundles, images; run directories under a short path, because they hold unix sockets."""

    def __init__(self):
        OUTPUT.mkdir(parents=True, exist_ok=True)
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix="imago-"))
        self.imago = Imago("build", self.runtime)
        for stale in OUTPUT.glob("operator*"):
            stale.unlink()
        self.key, self.public = self.imago.keygen(OUTPUT / "operator")
        self.frames = read_pcap(FIREWALL / "traffic.pcap")
        self.bundle("pass", 1, OUTPUT / "pass.imb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.runtime, ignore_errors=True)

    def bundle(self, program, version, output=None):
        """The signed bundle of a program of the firewall example or of bench/programs."""
        compiled = OUTPUT / f"{program}.bpf.o"
        source = next(folder / f"{program}.bpf.c" for folder in PROGRAMS if (folder / f"{program}.bpf.c").exists())
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            compile_bpf(source, compiled)
        return self.imago.bundle(compiled, output or OUTPUT / f"{program}-{version}.imb", self.key, version)

    def image(self, name, click, *options):
        """Builds an image from the text of a Click file; returns the path of the Click file, beside which it lies."""
        source = OUTPUT / f"{name}.click"
        source.write_text(click)
        self.imago("build", source, "-o", OUTPUT / f"{name}.elf", "--key", self.public, *options)
        return source

    def platforms(self):
        """Those that work here: tcg, kvm, process."""
        image = self.image("forward", FORWARD).with_suffix(".elf")
        status, _, why = self.imago.attempt("run", "--print", "--name", "trial", "--accel", "kvm", image)
        kvm = status == 0
        if not kvm:
            say(f"left out: {why.strip()}")
        return ["tcg", *(["kvm"] if kvm else []), "process"]

    def start(self, platform, source, **options):
        return Running(self, platform, source, **options)


class Control:
    """A session of the ControlSocket protocol (docs: the Click manual, ControlSocket)."""

    def __init__(self, path):
        self.socket = wait_until(lambda: self.connect(path), PATIENCE, "the control port")
        self.file = self.socket.makefile("rwb")
        self.file.readline()  # who answers, and which version

    @staticmethod
    def connect(path):
        """None while nobody listens: a socket can be seen a moment before it listens."""
        end = socket.socket(socket.AF_UNIX)
        end.settimeout(PATIENCE)
        try:
            end.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            end.close()
            return None
        return end

    def ask(self, request, data=b""):
        self.file.write(request.encode() + b"\r\n" + data)
        self.file.flush()
        lines = [self.file.readline().decode().rstrip("\r\n")]
        while lines[-1][3:4] == "-":
            lines.append(self.file.readline().decode().rstrip("\r\n"))
        if not lines[-1].startswith("2"):
            raise Failed(f"{request}: " + "\n".join(lines))

    def read(self, handler):
        self.ask(f"READ {handler}")
        return self.file.read(int(self.file.readline().split()[1])).decode()

    def number(self, handler):
        return int(self.read(handler))

    def table(self, handler):
        """Lines "NAME VALUE"."""
        return dict(line.split(None, 1) for line in self.read(handler).splitlines())

    def write(self, handler, value=b""):
        self.ask(f"WRITEDATA {handler} {len(value)}", value)

    def close(self):
        self.file.close()
        self.socket.close()


class Running:
    """A network function with two NICs, its control session, and both ends of its wire. `rate` None: no packets but those played later.
    `memory` in MiB; `extra` are further options of QEMU."""

    count = 0

    def __init__(self, workshop, platform, source, rate=None, frames=None, memory=MEMORY, extra=()):
        Running.count += 1
        self.imago, self.platform, self.name = workshop.imago, platform, f"b{Running.count}"
        self.directory = workshop.runtime / "imago" / self.name
        ends = {end: str(workshop.runtime / f"{self.name}-{end}") for end in ("sender", "eth0", "eth1", "recorder")}
        self.recorder = Recorder(ends["recorder"], keep=True)
        self.sender = Sender(frames or workshop.frames, ends["sender"], ends["eth0"], rate, PRIMER)
        if rate:
            self.sender.start()
        nics = ["--nic", f"dgram:{ends['eth0']},{ends['sender']}", "--nic", f"dgram:{ends['eth1']},{ends['recorder']}"]
        self.process = None
        if platform == "process":
            self.imago("run", "--detach", "--name", self.name, "--process", *nics, "--key", workshop.public, source)
            self.pid = int((self.directory / "pid").read_text())
        else:
            printed = self.imago("run", "--print", "--name", self.name, "--memory", memory, "--accel", platform, *nics, source.with_suffix(".elf"))
            command = shlex.split(printed.replace("\\\n", " "))
            self.directory.mkdir(parents=True, mode=0o700)
            self.started = time.time_ns()
            self.process = subprocess.Popen([*command[command.index("qemu-system-x86_64"):], *extra], stdin=subprocess.DEVNULL,
                                            preexec_fn=go_first)
            self.pid = self.process.pid
        try:
            self.control = Control(self.directory / "control")
        except BaseException:
            self.kill()
            raise

    def kill(self):
        """Ends it at once, whatever it does."""
        if self.process:
            self.process.kill()
            self.process.wait()
        else:
            self.imago.attempt("stop", "--force", self.name)
        self.sender.stop()
        self.recorder.stop()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """A function that was measured must end well."""
        if kind is not None:
            self.kill()
            return
        self.sender.stopping = True
        self.control.write("stop")
        self.control.close()
        if self.process is None:
            self.imago.attempt("stop", self.name)
        status = self.process.wait(PATIENCE) if self.process else 0
        self.sender.stop()
        self.recorder.stop()
        if status != 0:
            raise Failed(f"the machine ended with status {status}: " + (self.directory / "console").read_text(errors="replace"))

    def first_frame(self):
        """Nanoseconds from QEMU's start to the first frame that came out."""
        wait_until(lambda: self.recorder.frames, PATIENCE, "the first frame to come out")
        return self.recorder.frames[0][0] - self.started

    def flow(self, frames=100):
        """Waits for so many more packets; when they do not come, says what each end knows."""
        goal = len(self.recorder.numbers) + frames
        try:
            wait_until(lambda: len(self.recorder.numbers) >= goal, PATIENCE, "packets to flow")
        except TimeoutError:
            raise Failed(f"packets stopped on {self.platform}: {self.sender.sent} sent (error: {self.sender.error}), {len(self.recorder.numbers)} "
                         f"came out\n{self.control.read('stats')}{self.control.read('workers')}{self.control.read('memory')}") from None

    def cpu_seconds(self):
        """Of the process, its threads and what the kernel did for them."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
