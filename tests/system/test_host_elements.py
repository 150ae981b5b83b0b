# SPDX-License-Identifier: BSD-3-Clause
"""KernelTun, KernelTap, FromHost, ToHost and Socket with the host's own network stack, in network namespaces of their own.

What they must do is in Click's manual pages of the same names. The other side is the kernel, ping, iproute2 and scapy.
"""
import ctypes
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess

import pytest
from harness import PATIENCE, Client
from wire import wait_until

IMAGO = pathlib.Path(os.environ.get("IMAGO_BUILD", "build")) / "tools/imago"
CLONE_NEWNET = 0x40000000
ETHERTYPE_ALL = 3
IP_FREEBIND = 15  # linux/in.h; the socket module lacks it
libc = ctypes.CDLL(None, use_errno=True)


def ip(*words):
    done = subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(map(str, words))}: {done.stderr}"
    return done.stdout


def link(name):
    """What the host says of an interface; None where there is no such."""
    done = subprocess.run(["ip", "-json", "-details", "address", "show", "dev", name], capture_output=True, text=True, check=False)
    return json.loads(done.stdout)[0] if done.returncode == 0 else None


@pytest.fixture
def namespace():
    """This thread, and what it starts, in a network namespace of its own; yields a function that makes more: pids to name them by."""
    if not shutil.which("ip") or not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("needs iproute2 and /dev/net/tun")
    others = []
    with open("/proc/thread-self/ns/net", "rb") as before:
        if libc.unshare(CLONE_NEWNET) != 0:
            pytest.skip("may not make network namespaces")

        def another():
            holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            others.append(holder)
            assert holder.stdout.readline() == b"\n"
            return holder.pid

        try:
            ip("link", "set", "lo", "up")
            yield another
        finally:
            for holder in others:
                holder.communicate()
            assert libc.setns(before.fileno(), CLONE_NEWNET) == 0


class Click:
    """`imago click` with a ControlSocket."""

    def __init__(self, directory, configuration, *options):
        self.path = str(directory / "control")
        self.control = f'ControlSocket(unix, "{self.path}", RETRIES 5);'
        self.process = subprocess.Popen([IMAGO, "click", *options, "-e", self.control + configuration], stderr=subprocess.PIPE, text=True)
        self.client = Client(self.path)
        self.client.read(b"\r\n")

    def read(self, handler):
        reply = self.client.ask(b"READ " + handler.encode(), b"\n")
        assert reply.startswith(b"200"), reply
        length = int(self.client.read(b"\n").split()[1])
        got = b""
        while len(got) < length:
            got += self.client.socket.recv(length - len(got))
        return got.decode()

    def number(self, handler):
        return int(self.read(handler))

    def drops(self, element):
        return {name: int(value) for name, value in map(str.split, self.read(f"{element}.drops").splitlines()) if int(value)}

    def write(self, handler, data=""):
        self.client.socket.sendall(f"WRITEDATA {handler} {len(data.encode())}\n{data}".encode())
        reply = line = self.client.read(b"\n").decode()
        while line[3] == "-":  # more lines follow
            line = self.client.read(b"\n").decode()
            reply += line
        return reply

    def swap(self, configuration):
        reply = self.write("hotconfig", self.control + configuration)
        assert reply.startswith("200"), reply

    def stop(self):
        self.process.terminate()
        return self.process.communicate(timeout=PATIENCE)[1]


@pytest.fixture
def click(runtime):
    started = []

    def start(configuration, *options):
        started.append(Click(runtime, configuration, *options))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def ping(address, *options):
    done = subprocess.run(["ping", "-n", "-c", "5", "-i", "0.02", "-W", str(PATIENCE), *options, address],
                          capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
    assert done.returncode == 0 and " 0% packet loss" in done.stdout, done.stdout + done.stderr


# Cables: what the host sends into one interface comes out of the other, which another namespace has.
CABLES = {
    "tun": "a :: KernelTun(10.9.0.1/24, DEVNAME im0); b :: KernelTun(0/0, DEVNAME im1); a -> b; b -> a;",
    "tun, pulled": "a :: KernelTun(10.9.0.1/24, DEVNAME im0); b :: KernelTun(0/0, DEVNAME im1); a -> Queue -> b; b -> Queue -> a;",
    "tap": "a :: KernelTap(10.9.0.1/24, DEVNAME im0); b :: KernelTap(0/0, DEVNAME im1); a -> b; b -> a;",
    "TAP true": "a :: KernelTun(10.9.0.1/24, DEVNAME im0, TAP true); b :: KernelTap(0/0, DEVNAME im1); a -> Queue -> b; b -> Queue -> a;",
    "host": "a :: FromHost(im0, 10.9.0.1/24) -> tb :: ToHost(im1); b :: FromHost(im1) -> Queue -> Unqueue -> ta :: ToHost(im0);",
}


def far_end(name, pid):
    """Moves an interface to the namespace and gives it 10.9.0.2."""
    ip("link", "set", name, "netns", pid)
    for words in (f"address add 10.9.0.2/24 dev {name}", f"link set {name} up"):
        subprocess.run(["nsenter", "--net", "--target", str(pid), "ip", *words.split()], check=True)


@pytest.mark.parametrize("kind", CABLES)
@pytest.mark.parametrize("threads", [1, 2])
def test_ping_through_two_interfaces(namespace, click, kind, threads):
    """"This allows a user-level Click to hand packets to the ordinary kernel IP processing code", and back: ARP and ICMP of two hosts."""
    place = "StaticThreadSched(b 1);" if threads == 2 else ""
    running = click(CABLES[kind] + place, "-j", str(threads))
    far_end("im1", namespace())
    ping("10.9.0.2")
    ping("10.9.0.2", "-s", "1472")  # a full frame: 1,500 bytes of IP
    if "host" not in kind:
        assert running.number("a.packets") >= 10 and running.number("b.packets") >= 10
        assert running.number("a.selected_calls") >= 1
        assert running.drops("a") == {} and set(running.drops("b")) <= {"write_failed"}
    assert running.read("a.dev_name") == "im0"
    if "Queue -> b" in CABLES[kind]:
        assert running.read("b.scheduled") in ("true", "false")  # it sleeps while the interface has nothing
        assert [running.read(f"b.{name}") for name in ("tickets", "home_thread")] == ["1024", str(threads - 1)]
    # What the host sent of its own before the far end was up.
    assert all("write failed: Input/output error" in line for line in running.stop().splitlines())
    assert link("im0") is None


def test_interfaces_get_what_the_arguments_say(namespace, click):
    """ADDR/MASK, GATEWAY, ETHER, MTU, DEVNAME with a pattern, DST6, as the host shows them."""
    running = click("""
        a :: KernelTap(192.0.2.1/25, 192.0.2.2, ETHER 2:0:0:0:0:7, MTU 1400, DEVNAME tap%d, BURST 1, HEADROOM 64,
                       IGNORE_QUEUE_OVERFLOWS true) -> Discard;
        b :: KernelTun(10.8.0.1/16) -> Discard;
        c :: FromHost(fake, 10.7.0.1/24, DST6 2001:db8::1/64, ETHER 2:0:0:0:0:8, MTU 100, HEADROOM 10) -> Discard;
        d :: FromHost(plain) -> Discard; Idle -> ToHost(plain);
        """)
    a, b, c, d = (link(running.read(f"{name}.dev_name")) for name in "abcd")
    assert (a["ifname"], a["address"], a["mtu"]) == ("tap0", "02:00:00:00:00:07", 1400)
    assert [(one["local"], one["prefixlen"]) for one in a["addr_info"] if one["family"] == "inet"] == [("192.0.2.1", 25)]
    assert "PROMISC" in a["flags"] and "NOARP" not in a["flags"] and a["linkinfo"]["info_data"]["type"] == "tap"
    assert ip("route", "show", "default").startswith("default via 192.0.2.2 dev tap0")
    assert (b["ifname"], b["mtu"], b["linkinfo"]["info_data"]["type"]) == ("tun0", 1500, "tun")
    assert [(one["local"], one["prefixlen"]) for one in b["addr_info"] if one["family"] == "inet"] == [("10.8.0.1", 16)]
    assert c["address"] == "02:00:00:00:00:08" and c["mtu"] == 1500 and "UP" in c["flags"]
    assert {("10.7.0.1", 24), ("2001:db8::1", 64)} <= {(one["local"], one["prefixlen"]) for one in c["addr_info"]}
    assert "UP" not in d["flags"]  # "If DST is not specified, FromHost assumes the tunnel has already been configured"
    assert running.read("c.signal") == "true"


def raw_send(name, data, times=1):
    """Has the host send these very bytes on an interface."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ALL)) as raw:
        raw.bind((name, 0))
        for _ in range(times):
            raw.send(data)


def test_what_is_not_ip_leaves_by_the_second_output(namespace, click):
    """"If the kernel passes up a non-IP packet, KernelTun will emit that packet on its second output, or drop it\""""
    running = click("a :: KernelTun(10.9.0.1/24, DEVNAME im0); a -> Discard; a [1] -> other :: Counter -> Discard;"
                    "b :: KernelTun(10.8.0.1/24, DEVNAME im1) -> Discard;")
    for data in (b"\x00" * 40, b"\x45" + bytes(10), b"\x60" + bytes(30)):  # neither version; headers that are cut short
        raw_send("im0", data)
        raw_send("im1", data)
    wait_until(lambda: running.number("other.count") == 3 and running.drops("b") == {"not_ip": 3}, PATIENCE, "six packets")


def test_packets_reach_the_host(namespace, click):
    """The host receives what is sent to KernelTun from its network header on, whatever stands in front; what cannot be is counted."""
    scapy = pytest.importorskip("scapy.all")
    datagram = bytes(scapy.IP(src="10.9.0.9", dst="10.9.0.1") / scapy.UDP(sport=1, dport=4000) / b"hello")
    long = bytes(scapy.IP(src="10.9.0.9", dst="10.9.0.1") / scapy.UDP(sport=1, dport=4000) / bytes(1300))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.settimeout(PATIENCE)
        server.bind(("0.0.0.0", 4000))
        source = "InfiniteSource(DATA \\<{}>, LIMIT 2)".format
        running = click(f"""
            t :: KernelTun(10.9.0.1/24, DEVNAME im0, MTU 1200) -> Discard;
            {source(datagram.hex())} -> MarkIPHeader -> t;
            {source("1122" + datagram.hex())} -> MarkIPHeader(2) -> t;
            {source(datagram.hex())} -> t;
            {source("55" + datagram[1:].hex())} -> MarkIPHeader -> t;
            {source("45" + "00" * 18)} -> MarkIPHeader -> t;
            {source(long.hex())} -> MarkIPHeader -> t;
            """)
        assert [server.recv(100) for _ in range(4)] == [b"hello"] * 4
    wait_until(lambda: running.drops("t").get("too_long") == 2, PATIENCE, "the drops")
    # MarkIPHeader does not mark what is shorter than an IP header.
    assert running.drops("t") == {"no_network_header": 4, "not_ip": 2, "too_long": 2}
    said = running.stop()
    for text in ("no network header", "unknown IP version", "packet larger than MTU"):
        assert said.count(f"KernelTun(im0): {text}") == 1


def test_frames_reach_the_host(namespace, click):
    """KernelTap and ToHost: a frame to the interface's own address is received; one that is too short, or longer than the MTU, is not."""
    scapy = pytest.importorskip("scapy.all")
    frame = bytes(scapy.Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:07") /
                  scapy.IP(src="10.9.0.9", dst="10.9.0.1") / scapy.UDP(sport=1, dport=4000) / b"hello")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.settimeout(PATIENCE)
        server.bind(("0.0.0.0", 4000))
        running = click(f"""
            k :: KernelTap(10.9.0.1/24, DEVNAME im0, ETHER 2:0:0:0:0:7, MTU 600) -> Discard;
            FromHost(im1, 10.8.0.1/24, ETHER 2:0:0:0:0:7) -> Discard; h :: ToHost(im1);
            good :: InfiniteSource(DATA \\<{frame.hex()}>, LIMIT 1) -> both :: Tee; both -> k; both [1] -> h;
            short :: InfiniteSource(DATA \\<{frame[:13].hex()}>, LIMIT 1) -> all :: Tee; all -> k; all [1] -> h;
            long :: InfiniteSource(DATA \\<{(frame + bytes(1000)).hex()}>, LIMIT 1) -> k;
            """)
        assert [server.recv(100) for _ in range(2)] == [b"hello"] * 2
    wait_until(lambda: running.drops("k") == {"too_short": 1, "too_long": 1}, PATIENCE, "the drops of KernelTap")
    assert running.read("h.drops") == "1"
    assert running.read("h.dev_name") == "im1"
    assert "h.too_short 1\n" in running.read("drops")
    ip("link", "set", "im0", "down")  # the host refuses what is sent now (EIO)
    running.write("good.reset")
    wait_until(lambda: running.drops("k").get("write_failed") == 1, PATIENCE, "a failed write")
    assert "KernelTap(im0): write failed: Input/output error" in running.stop()


def test_an_interface_that_vanishes_ends_reading_and_nothing_else(namespace, click):
    running = click("a :: KernelTap(10.9.0.1/24, DEVNAME im0) -> Discard; good :: InfiniteSource(LENGTH 60, LIMIT 1, ACTIVE false) -> a;"
                    "b :: KernelTun(10.8.0.1/24, DEVNAME im1) -> c :: Counter -> Discard;")
    ip("link", "delete", "im0")
    running.write("good.active", "true")
    wait_until(lambda: running.drops("a").get("write_failed") == 1, PATIENCE, "a failed write")
    calls = running.number("a.selected_calls")
    raw_send("im1", b"\x45" + bytes(30))
    wait_until(lambda: running.number("c.count") + running.number("b.packets") > 0, PATIENCE, "the other interface's packet")
    assert running.number("a.selected_calls") == calls
    said = running.stop()
    assert "KernelTap(im0): read: File descriptor in bad state" in said and "write failed: File descriptor in bad state" in said


def test_refusals_name_the_interface(namespace, click):
    taken = click("a :: KernelTap(10.9.0.1/24, DEVNAME im0) -> Discard;")
    for configuration, message in {
        "KernelTap(10.8.0.1/24, DEVNAME im0) -> Discard": "interface 'im0': another program has it",
        "KernelTap(10.8.0.1/24, DEVNAME im9) -> Discard; KernelTap(10.7.0.1/24, DEVNAME im9) -> Discard": "interface 'im9' is taken by",
        "KernelTap(10.8.0.1/24, ETHER 1:0:0:0:0:1, DEVNAME im8) -> Discard": "warning: could not set interface Ethernet address: interface 'im8'",
        "KernelTun(10.8.0.1/24, ETHER 2:0:0:0:0:1, DEVNAME im8) -> Discard": "warning: could not set interface Ethernet address: interface 'im8'",
        "KernelTun(10.8.0.1/24, MTU 50, DEVNAME im8) -> Discard": "warning: could not set interface MTU: interface 'im8'",
        "KernelTun(10.8.0.1/24, DEV_NAME im8) -> Discard": "warning: DEV_NAME: argument deprecated",
        "FromHost(im8, 10.8.0.1/24, ETHER 1:0:0:0:0:1) -> Discard": "interface 'im8': cannot have this Ethernet address",
        "FromHost(im8, GATEWAY 10.8.0.1) -> Discard": "no route through this gateway: Network is unreachable",
        "FromHost(im8) -> Discard; Idle -> ToHost(im7)": "ToHost(im7) requires an initialized FromHost with the same dev_name",
    }.items():
        done = subprocess.run([IMAGO, "click", "-e", configuration + "; DriverManager(stop)"], capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert message in done.stderr
        assert done.returncode == (0 if message.startswith("warning") else 1), configuration
        assert link("im8") is None and link("im9") is None
    assert taken.read("a.dev_name") == "im0"


def test_hot_swap_keeps_the_interface(namespace, click):
    """Same DEVNAME, or same name: the interface stays, with the addresses that the host gave it; counts go on."""
    running = click(CABLES["tap"], "-R")
    other = namespace()
    far_end("im1", other)
    ping("10.9.0.2")
    index, packets = link("im0")["ifindex"], running.number("a.packets")
    running.swap("x :: KernelTap(10.9.0.1/24, DEVNAME im0, MTU 1300); b :: KernelTap(0/0, DEVNAME im1); x -> b; b -> x;")
    assert (link("im0")["ifindex"], link("im0")["mtu"]) == (index, 1300)
    ping("10.9.0.2")
    running.swap("a :: FromHost(im0) -> ToHost(im1); FromHost(im1) -> ToHost(im0);")  # of another class
    ping("10.9.0.2")
    running.swap(CABLES["tap"])
    ping("10.9.0.2")
    count = running.number("b.packets")
    running.swap("a :: KernelTap(10.9.0.1/24, DEVNAME im0); b :: KernelTap(0/0, DEVNAME im1); a -> Queue -> b; b -> Counter -> a;")
    ping("10.9.0.2")
    assert running.number("b.packets") >= count + 5
    assert link("im0")["ifindex"] == index and packets >= 5
    # A graph that is refused leaves all as it was, and so does one that asks for what another program has.
    with subprocess.Popen([IMAGO, "click", "-e", "KernelTun(10.6.0.1/24, DEVNAME im5) -> Discard"]) as holder:
        wait_until(lambda: link("im5"), PATIENCE, "the other program's interface")
        reply = running.write("hotconfig", running.control + "a :: KernelTap(10.9.0.1/24, DEVNAME im0) -> Discard; KernelTun(10.6.0.1/24, DEVNAME im5) -> Discard")
        holder.kill()
    assert reply.startswith("5")
    ping("10.9.0.2")
    running.swap("Idle -> Discard")
    wait_until(lambda: link("im0") is None, PATIENCE, "the end of the interface")


def test_unnamed_interface_stays_with_its_namesake(namespace, click):
    running = click("a :: KernelTun(10.9.0.1/24) -> Discard; b :: KernelTun(10.8.0.1/24) -> Discard;", "-R")
    before = [link(f"tun{number}")["ifindex"] for number in (0, 1)]
    running.swap("b :: KernelTun(10.8.0.1/24) -> Counter -> Discard; a :: KernelTun(10.7.0.1/24) -> Counter -> Discard;")
    assert [link(f"tun{number}")["ifindex"] for number in (0, 1)] == before
    assert (running.read("a.dev_name"), running.read("b.dev_name")) == ("tun0", "tun1")
    assert link("tun0")["addr_info"][0]["local"] == "10.7.0.1"


def test_full_queue_holds_the_host_back(namespace, click):
    """FromHost reads nothing while the queue downstream is full, so nothing is dropped there."""
    running = click("f :: FromHost(im0, 10.9.0.1/24) -> q :: FullNoteQueue(4) -> u :: Unqueue(ACTIVE false) -> c :: Counter -> Discard;")
    raw_send("im0", b"\xff" * 6 + bytes(54), times=200)
    wait_until(lambda: running.number("q.length") == 4, PATIENCE, "a full queue")
    assert running.read("f.signal") == "false"
    running.write("u.active", "true")
    wait_until(lambda: running.number("c.count") >= 200, PATIENCE, "all that the host had sent")
    assert running.number("q.drops") == 0


# --- Socket ---


@pytest.mark.parametrize("threads", [1, 2])
def test_a_file_through_tcp(namespace, click, tmp_path, threads):
    """What a source has pushed when it stops the driver arrives, all of it and in order, in another process."""
    lines = [b"the quick brown fox %06d\n" % number for number in range(20000)]
    capture = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)  # pcap, Ethernet: the lines are not looked into
    capture += b"".join(struct.pack("<IIII", 1, 0, len(line), len(line)) + line for line in lines)
    (tmp_path / "in.pcap").write_bytes(capture)
    place = "StaticThreadSched(s 1);" if threads == 2 else ""
    with socket.create_server(("127.0.0.1", 5000)) as server:
        server.settimeout(PATIENCE)
        sender = subprocess.Popen([IMAGO, "click", "-j", str(threads), "-e",
                                   f"{place} FromDump({tmp_path}/in.pcap, STOP true) -> s :: Socket(TCP, 127.0.0.1, 5000)"])
        peer = server.accept()[0]
        with peer:
            peer.settimeout(PATIENCE)
            got = b""
            while piece := peer.recv(65536):
                got += piece
        assert sender.wait(PATIENCE) == 0
    assert got == b"".join(lines)


@pytest.mark.parametrize("threads", [1, 2])
def test_echo_server(namespace, click, threads):
    """One connection after the other, each with what it sent; a client that resets does no harm; the address can be used at once."""
    place = "StaticThreadSched(s 1);" if threads == 2 else ""
    for _ in range(2):
        running = click(f"{place} s :: Socket(TCP, 127.0.0.1, 5000, VERBOSE true) -> Queue -> s;", "-j", str(threads))
        for number in range(3):
            client = Client(("127.0.0.1", 5000))
            data = os.urandom(100000)
            client.socket.sendall(data[:50000])
            got = b""
            while len(got) < 50000:
                got += client.socket.recv(65536)
            assert got == data[:50000]
            if number == 1:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            client.socket.close()
        said = running.stop()
        assert said.count("s :: Socket: opened connection") == 3


def test_connection_that_is_refused_ends_the_start(namespace):
    done = subprocess.run([IMAGO, "click", "-e", "Idle -> Socket(TCP, 127.0.0.1, 5000)"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1 and "connect 127.0.0.1:5000: Connection refused" in done.stderr


@pytest.mark.parametrize("served", [True, False])
def test_connection_that_takes_long_goes_on_in_the_background(namespace, click, served):
    """Nobody answers at first, as the graph throws the requests away; what has waited is sent when the host's second or third one is
    answered, and dropped when that is refused."""
    running = click("KernelTun(10.5.0.9/24, DEVNAME im0) -> Discard;"
                    "InfiniteSource(DATA hello, LIMIT 1) -> s :: Socket(TCP, 10.5.0.1, 5000, VERBOSE true);")
    assert running.drops("s") == {}
    with socket.socket() as server:
        server.settimeout(PATIENCE)
        if served:  # it listens before the address is there, or a request in between would be refused
            server.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            server.bind(("10.5.0.1", 5000))
            server.listen()
        ip("address", "add", "10.5.0.1/32", "dev", "lo")
        if served:
            with server.accept()[0] as peer:
                peer.settimeout(PATIENCE)
                assert peer.recv(5, socket.MSG_WAITALL) == b"hello"
        else:
            wait_until(lambda: running.drops("s") == {"not_connected": 1}, PATIENCE, "the refusal")
    said = running.stop()
    assert ("s :: Socket: opened connection" if served else "s :: Socket: Connection refused") in said
