# SPDX-License-Identifier: BSD-3-Clause
"""NICs of the process platform on real interfaces: two network namespaces that know each other only through a function in a third.

    left (10.9.0.1) -- middle: imago -- right (10.9.0.2)

They are joined by veth pairs, or by taps that the function makes and that then move to the outer namespaces. Every test makes its own
namespaces; where they cannot be had (no root, no ip, a kernel without veth) all are skipped, and say why.
"""
import ctypes
import dataclasses
import errno
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import threading

import pytest

from conftest import BUILD, PATIENCE, Running
from wire import wait_until

ETH_P_ALL = 3
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 8, 23  # linux/if_packet.h
SO_RCVBUFFORCE = 33  # asm-generic/socket.h
TP_STATUS_VLAN_VALID = 0x10
CLONE_NEWNET = 0x40000000
SIOCETHTOOL, ETHTOOL_STXCSUM = 0x8946, 0x17  # linux/sockios.h, linux/ethtool.h
ADDRESSES = 12  # of an Ethernet header, before a VLAN tag
QUIET = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")  # hosts say nothing by themselves


def missing():
    """What keeps these tests from running here; None when nothing does."""
    if os.geteuid() != 0:
        return "needs root, to make network namespaces"
    if shutil.which("ip") is None or shutil.which("ping") is None:
        return "needs ip (iproute2) and ping (iputils-ping)"
    if not os.path.exists("/dev/net/tun"):
        return "needs /dev/net/tun"
    probe = f"imago-{os.getpid()}-probe"
    made = run("ip", "netns", "add", probe, check=False)
    if made.returncode != 0:
        return f"network namespaces are not permitted here: {made.stderr.strip()}"
    try:
        veth = run("ip", "-n", probe, "link", "add", "type", "veth", check=False)
        return None if veth.returncode == 0 else f"the kernel has no veth: {veth.stderr.strip()}"
    finally:
        run("ip", "netns", "del", probe)


def run(*command, check=True):
    return subprocess.run(list(map(str, command)), check=check, capture_output=True, text=True, timeout=PATIENCE)


WHY_NOT = missing()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")


class Namespace:
    def __init__(self, name):
        self.name = f"imago-{os.getpid()}-{name}"
        run("ip", "netns", "add", self.name)
        self("sysctl", "-qw", *QUIET)
        self.ip("link", "set", "lo", "up")

    def __call__(self, *command, check=True):
        return run("ip", "netns", "exec", self.name, *command, check=check)

    def ip(self, *arguments):
        return run("ip", "-n", self.name, *arguments)

    def enter(self, make):
        """What make() returns when it is called in this namespace, by a thread that stays there."""
        results = []

        def body():
            libc = ctypes.CDLL(None, use_errno=True)
            with open(f"/run/netns/{self.name}", "rb") as handle:
                if libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            results.append(make())

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        return results[0]

    def wire(self, interface):
        def make():
            return Wire(interface)

        return self.enter(make)


class Wire:
    """Sends and receives whole frames at an interface. The kernel takes VLAN tags out of what is received; here they are back."""

    def __init__(self, interface):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.bind((interface, ETH_P_ALL))
        self.socket.settimeout(PATIENCE)

    def send(self, frame):
        """False: the host had no room for it."""
        try:
            self.socket.send(frame)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            return False
        return True

    def receive(self):
        frame, ancillary, _, _ = self.socket.recvmsg(65536, 256)
        for _, kind, data in ancillary:
            if kind != PACKET_AUXDATA:
                continue
            status, _, _, _, _, tag, protocol = struct.unpack("IIIHHHH", data)
            if status & TP_STATUS_VLAN_VALID:
                frame = frame[:ADDRESSES] + struct.pack(">HH", protocol, tag) + frame[ADDRESSES:]
        return frame

    def waiting(self):
        """The frames that are there already, or have come by the time that these are read."""
        frames = []
        self.socket.settimeout(0)
        try:
            while True:
                frames.append(self.receive())
        except BlockingIOError:
            return frames
        finally:
            self.socket.settimeout(PATIENCE)


@dataclasses.dataclass
class Kind:
    """How a function gets at its interfaces. `names` are what FromDevice and ToDevice call them."""

    method: str
    veth: bool
    names: tuple


KINDS = [
    pytest.param(Kind("AF_PACKET", True, ("m0", "m1")), id="af_packet"),
    pytest.param(Kind("AF_XDP", True, ("m0", "m1")), id="af_xdp"),
    pytest.param(Kind("TAP", False, ("tap:m0", "tap:m1")), id="tap"),
]


@pytest.fixture
def spaces():
    made = []

    def make(name):
        made.append(Namespace(name))
        return made[-1]

    yield make
    for namespace in made:
        run("ip", "netns", "del", namespace.name, check=False)


class Bench:
    """left -- function in the middle -- right."""

    CLICK = """
        FromDevice({0}, METHOD {2}, PROMISC true) -> there :: Queue(8192) -> out :: ToDevice({1}, METHOD {2});
        FromDevice({1}, METHOD {2}, PROMISC true) -> back :: Queue(8192) -> ToDevice({0}, METHOD {2});
    """

    def __init__(self, kind, spaces, start):
        self.kind = kind
        self.left, self.middle, self.right = map(spaces, ("left", "middle", "right"))
        self.click = self.CLICK.format(*kind.names, kind.method)
        if kind.veth:
            self.middle.ip("link", "add", "m0", "type", "veth", "peer", "name", "a0", "netns", self.left.name)
            self.middle.ip("link", "add", "m1", "type", "veth", "peer", "name", "c0", "netns", self.right.name)
            self.middle.ip("link", "set", "m0", "up")
            self.middle.ip("link", "set", "m1", "up")
        self.function = start(self.middle, self.click)
        if not kind.veth:
            self.middle.ip("link", "set", "m0", "netns", self.left.name, "name", "a0")
            self.middle.ip("link", "set", "m1", "netns", self.right.name, "name", "c0")
        for namespace, interface, address in ((self.left, "a0", "10.9.0.1/24"), (self.right, "c0", "10.9.0.2/24")):
            namespace.ip("address", "add", address, "dev", interface)
            namespace.ip("link", "set", interface, "up")
            self.wait_for_link(namespace, interface)

    def wait_for_link(self, namespace, interface):
        wait_until(lambda: "LOWER_UP" in namespace.ip("link", "show", interface).stdout, PATIENCE, f"a link at {interface}")

    def wires(self):
        return self.left.wire("a0"), self.right.wire("c0")

    def stats(self):
        """The counters of the NIC on the left."""
        prefix = self.kind.names[0] + "."
        return {name[len(prefix):]: int(value) for name, value in self.function.table("stats").items() if name.startswith(prefix)}

    def missed(self):
        """What was sent on the left and could not come in. Of a tap that went to another namespace, only that one knows."""
        counts = self.stats()
        missed = sum(counts[name] for name in ("rx_missed", "rx_no_buffer", "rx_too_long", "rx_error"))
        return missed if self.kind.veth else missed + dropped_by(self.left, "a0")


@pytest.fixture
def start(imago, signed, tmp_path):
    """start(namespace, click) runs the Click text there as a function."""
    started = []

    def launch(namespace, click):
        function = Running(imago, f"nics{len(started)}")
        file = tmp_path / f"{function.name}.click"
        file.write_text(click)
        started.append(function)
        arguments = ["run", "--process", "--detach", "--name", function.name, "--key", signed.public, file]
        done = subprocess.run(["ip", "netns", "exec", namespace.name, imago.program, *map(str, arguments)], env=imago.environment,
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr
        return function

    yield launch
    for function in started:
        function.end()


@pytest.fixture
def bench(request, spaces, start):
    return Bench(request.param, spaces, start)


def checksum_now(interface):
    """Has the interface's local senders complete their checksums: ethtool -K INTERFACE tx off."""
    value = ctypes.create_string_buffer(struct.pack("II", ETHTOOL_STXCSUM, 0))
    request = struct.pack("16sQQQ", interface.encode(), ctypes.addressof(value), 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCETHTOOL, request)


def dropped_by(namespace, interface):
    """How many frames the host wanted to send there and dropped."""
    return json.loads(namespace.ip("-json", "-s", "link", "show", interface).stdout)[0]["stats64"]["tx"]["dropped"]


def ether(payload, protocol=0x88B5):
    """A frame to the other side's address, whoever that is; 0x88b5 is IEEE 802's type for experiments."""
    return b"\x02\x00\x00\x00\x00\x02" + b"\x02\x00\x00\x00\x00\x01" + struct.pack(">H", protocol) + payload


def numbered(number):
    return ether(struct.pack(">I", number) + bytes(42))


def number_of(frame):
    return struct.unpack_from(">I", frame, 14)[0]


VLAN = struct.pack(">HH", (5 << 13) | 100, 0x88B5)  # priority 5, VLAN 100 (IEEE 802.1Q, 9.6)
FRAMES = [
    ether(bytes(46)),
    ether(bytes(range(256)) * 5 + bytes(220)),  # 1,514 bytes: an MTU of 1,500
    ether(b"odd"),
    b"\xff" * 6 + ether(b"to all")[6:],
    ether(VLAN + b"tagged" + bytes(40), 0x8100),
    ether(VLAN + bytes(1500), 0x8100),  # 1,518 bytes: a tag does not count against the MTU
    ether(struct.pack(">HHHH", 0xFFFF, 0x8100, 0x0001, 0x88B5) + b"tagged twice", 0x88A8),
    ether(struct.pack(">HH", 0, 0x88B5) + b"VLAN 0 is a priority only" + bytes(30), 0x8100),
]


@pytest.mark.parametrize("bench", KINDS, indirect=True)
def test_hosts_talk_through_the_function(bench):
    """ping's and UDP's packets of real hosts get through both ways: their checksums are right on the far side, also where the sender
    left them to hardware that a veth does not have."""
    if bench.kind.method == "AF_XDP":  # which does not tell what the sender left open
        for namespace, interface in ((bench.left, "a0"), (bench.right, "c0")):
            namespace.enter(lambda name=interface: checksum_now(name))
    bench.left("ping", "-c", "3", "-i", "0.1", "-W", str(PATIENCE), "10.9.0.2")

    def server():
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind(("10.9.0.2", 5000))
        listener.settimeout(PATIENCE)
        return listener

    listener = bench.right.enter(server)
    client = bench.left.enter(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    client.settimeout(PATIENCE)
    for length in (0, 1, 1472):
        client.sendto(bytes(length), ("10.9.0.2", 5000))
        data, sender = listener.recvfrom(65536)
        assert data == bytes(length) and sender[0] == "10.9.0.1"
        listener.sendto(b"back", sender)
        assert client.recvfrom(65536)[0] == b"back"
    bench.right("ping", "-c", "1", "-W", str(PATIENCE), "10.9.0.1")


@pytest.mark.parametrize("bench", KINDS, indirect=True)
def test_frames_arrive_as_they_were_sent(bench):
    """Every byte and every VLAN tag, in order, both ways."""
    left, right = bench.wires()
    for near, far in ((left, right), (right, left)):
        for frame in FRAMES:
            assert near.send(frame)
        assert [far.receive() for _ in FRAMES] == FRAMES
    # No frame has come twice or back: what the function sends, it does not receive.
    assert left.waiting() == right.waiting() == []
    assert bench.stats()["rx_packets"] == len(FRAMES) and bench.stats()["tx_packets"] == len(FRAMES)


@pytest.mark.parametrize("bench", KINDS, indirect=True)
def test_a_flood_is_accounted_for(bench):
    """While the function stands still, more comes than the interface can keep: what was sent came, or is counted as dropped."""
    left, right = bench.wires()
    pid = int(bench.function.file("pid"))
    os.kill(pid, signal.SIGSTOP)
    sent = sum(left.send(numbered(number)) for number in range(6000))
    os.kill(pid, signal.SIGCONT)
    received = []

    def accounted():
        received.extend(right.waiting())
        return len(received) + bench.missed() == sent

    wait_until(accounted, PATIENCE, f"an account of {sent} frames")
    numbers = [number_of(frame) for frame in received]
    assert numbers == sorted(set(numbers)), "frames doubled or out of order"
    assert sent < 6000 or bench.missed() > 0, "6,000 frames were no flood"
    assert bench.function.number("out.drops") == 0


def test_a_flood_of_a_tap_is_accounted_for(spaces, start):
    """What the host dropped at a tap because nobody took it is rx_missed."""
    middle = spaces("middle")
    function = start(middle, "in :: FromDevice(tap:t0) -> count :: Counter -> Discard")
    wire = middle.wire("t0")
    pid = int(function.file("pid"))
    os.kill(pid, signal.SIGSTOP)
    sent = sum(wire.send(numbered(number)) for number in range(3000))
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: function.number("count.count") + function.number("in.kernel_drops") == sent, PATIENCE, f"an account of {sent} frames")
    assert function.number("in.kernel_drops") == dropped_by(middle, "t0")


@pytest.mark.parametrize("bench", KINDS, indirect=True)
def test_a_hot_swap_keeps_the_devices(bench, tmp_path):
    """20 exchanges of the graph while frames come: the interfaces stay open, and not one frame is lost."""
    left, right = bench.wires()
    graph = tmp_path / "next.click"
    graph.write_text(bench.click)
    sent, stop = [], threading.Event()

    def play():
        while not stop.is_set():
            assert left.send(numbered(len(sent)))
            sent.append(len(sent))
            stop.wait(0.0005)

    player = threading.Thread(target=play)
    player.start()
    for _ in range(20):
        bench.function.write("hotconfig", f"@{graph}")
    stop.set()
    player.join()
    assert bench.missed() == 0
    assert [number_of(right.receive()) for _ in sent] == sent


@pytest.mark.parametrize("bench", KINDS[:2], indirect=True)
def test_an_interface_that_goes_away_is_reported_once(bench):
    """One message, and a worker that sleeps all the same; the other interface goes on."""
    bench.middle.ip("link", "set", "m0", "down")  # leaves an error on the socket
    bench.middle.ip("link", "del", "m0")
    wait_until(lambda: "was removed" in bench.function.read("log"), PATIENCE, "a word about the interface")
    wait_until(lambda: not is_spinning(bench.function), PATIENCE, "the worker to sleep")
    bench.right.wire("c0").send(numbered(1))
    wait_until(lambda: bench.function.table("drops")["m0.tx_error"] == "1", PATIENCE, "a drop of what should go to m0")
    log = bench.function.read("log")
    assert log.count("interface 'm0' was removed from the host") == 1
    assert "'m1'" not in log


def is_spinning(function, questions=5):
    """Whether the worker wakes up without a reason: between two questions it sleeps a few times, not thousands of times."""
    sleeps = [int(function.table("workers")["worker0.sleeps"]) for _ in range(questions)]
    return sleeps[-1] - sleeps[0] > 100 * questions


def attempt(imago, namespace, click, *before):
    done = subprocess.run(["ip", "netns", "exec", namespace.name, *before, imago.program, "click", "-e", click],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stderr


def test_a_name_finds_its_kind(imago, spaces, start):
    """FromDevice(NAME): an interface by AF_PACKET; a tap that is there as its other end, so that it has a carrier; but one that is
    somebody else's by AF_PACKET. What METHOD says goes before."""
    middle = spaces("middle")
    middle.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    for tap in ("t0", "t1"):
        middle.ip("tuntap", "add", "mode", "tap", "name", tap)
    for interface in ("v0", "v1", "t0", "t1"):
        middle.ip("link", "set", interface, "up")
    function = start(middle, "FromDevice(v0) -> Discard; FromDevice(t0) -> Discard; FromDevice(t1, METHOD AF_PACKET) -> Discard;")
    carrier = {name: "LOWER_UP" in middle.ip("link", "show", name).stdout for name in ("t0", "t1")}
    assert carrier == {"t0": True, "t1": False}
    other = start(middle, "FromDevice(t0, PROMISC true) -> count :: Counter -> Discard;")
    middle.wire("t0").send(numbered(1))
    wait_until(lambda: function.table("stats")["t0.rx_packets"] == "1", PATIENCE, "a frame at the other end of t0")
    assert other.number("count.count") == 0  # AF_PACKET, to which it is a frame that the host sends
    status, errors = attempt(imago, middle, "FromDevice(t0, METHOD TAP) -> Discard")
    assert status == 1 and "interface 't0': another program has it" in errors


def test_what_the_host_refuses_to_send_is_counted(spaces, start):
    """A frame over the MTU is a drop of ToDevice, and those behind it go out."""
    middle = spaces("middle")
    middle.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    middle.ip("link", "add", "w0", "mtu", "600", "type", "veth", "peer", "name", "w1")
    for interface in ("v0", "v1", "w0", "w1"):
        middle.ip("link", "set", interface, "up")
    function = start(middle, "FromDevice(v0) -> Queue -> out :: ToDevice(w0)")
    near, far = middle.wire("v1"), middle.wire("w1")
    for frame in (numbered(1), ether(bytes(1000)), numbered(2)):
        near.send(frame)
    assert [far.receive(), far.receive()] == [numbered(1), numbered(2)]
    assert function.number("out.drops") == 1
    assert function.number("out.count") == 3


@pytest.mark.parametrize(("click", "capabilities", "message"), [
    ("FromDevice(v0) -> Discard", "-net_raw", "interface 'v0': not permitted; run as root, or give the program CAP_NET_RAW"),
    ("FromDevice(tap:t9) -> Discard", "-net_admin", "interface 't9': cannot be made, nor taken from its owner"),
    ("FromDevice(v9) -> Discard", "+all", "no network interface 'v9'; expected one of the host, or tap:NAME, packet:INTERFACE, "),
    ("FromDevice(packet:v9) -> Discard", "+all", "no network interface 'v9' on this host"),
    ("FromDevice(tun0) -> Discard", "+all", "interface 'tun0' carries no Ethernet frames"),
    ("FromDevice(tap:v0) -> Discard", "+all", "interface 'v0': no such kind of interface, or it is of another kind"),
    ("FromDevice(tap:a/b) -> Discard", "+all", "tap 'a/b': an interface's name has 1 to 15 characters"),
    ("FromDevice(v0, METHOD AF_XDP) -> Discard", "-net_admin,-sys_admin", "interface 'v0', AF_XDP: not permitted; run as root, or give"),
    ("FromDevice(xdp:w0) -> Discard", "+all", "interface 'w0': its packets are spread over 2 queues, and AF_XDP takes them from one; "
                                              "run: ethtool -L w0 combined 1"),
    ("FromDevice(v0, METHOD DPDK) -> Discard", "+all", "METHOD: there is no 'DPDK'; expected TAP, AF_PACKET, "),
    ("FromDevice(tap:v0, METHOD LINUX) -> Discard", "+all", "METHOD: AF_PACKET does not fit 'tap:v0', which asks for TAP"),
    ("FromDevice(v0) -> Queue -> ToDevice(v0, METHOD TAP)", "+all", "METHOD: interface 'v0' is open as AF_PACKET already"),
    ("FromDevice('pcap:,', OUTBOUND true) -> Discard", "+all", "OUTBOUND: 'pcap:,' does not show what the host sends there"),
])
def test_refusals_name_the_fix(imago, spaces, click, capabilities, message):
    middle = spaces("middle")
    middle.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    middle.ip("link", "add", "w0", "numrxqueues", "2", "numtxqueues", "2", "type", "veth", "peer", "name", "w1")
    middle.ip("tuntap", "add", "mode", "tun", "name", "tun0")
    status, errors = attempt(imago, middle, click, "setpriv", f"--bounding-set={capabilities}")
    assert message in errors
    assert status == 1


def test_xdp_belongs_to_one_and_is_let_go(imago, spaces, start):
    """A second socket on the same queue is refused; when the function ends, its XDP program is detached."""
    middle = spaces("middle")
    middle.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    function = start(middle, "FromDevice(xdp:v0) -> Discard")
    assert "xdp" in middle.ip("link", "show", "v0").stdout
    status, errors = attempt(imago, middle, "FromDevice(xdp:v0) -> Discard")
    assert status == 1 and "interface 'v0', AF_XDP: another AF_XDP socket or XDP program has it" in errors
    function.stop()
    wait_until(lambda: "xdp" not in middle.ip("link", "show", "v0").stdout, PATIENCE, "the interface to be free")


@pytest.mark.parametrize("outbound", [True, False])
def test_outbound_shows_what_the_host_sends(spaces, start, outbound):
    """OUTBOUND (Click's manual): 'emit packets that the kernel sends to the given interface'; without it, those only that come in."""
    middle = spaces("middle")
    middle.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    middle.ip("link", "set", "v0", "up")
    middle.ip("link", "set", "v1", "up")
    function = start(middle, f"FromDevice(v0, OUTBOUND {str(outbound).lower()}) -> c :: Counter -> Discard")
    ours, theirs = middle.wire("v0"), middle.wire("v1")
    ours.send(numbered(1))
    assert theirs.receive() == numbered(1)
    theirs.send(numbered(2))
    assert ours.receive() == numbered(2)
    wait_until(lambda: function.number("c.count") >= 1 + outbound, PATIENCE, "the frames")
    assert function.number("c.count") == 1 + outbound
