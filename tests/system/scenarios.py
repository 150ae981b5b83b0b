# SPDX-License-Identifier: BSD-3-Clause
"""What the programs of tests/programs must do: for each a few map entries, packets, and what has to come of them.

Packets and expectations are scapy's, or computed here from the RFC that the program follows; nothing is what a program once said.
"""
import logging
import socket
import struct

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.layers.dns import DNS, DNSQR  # noqa: E402
from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6, IPv6ExtHdrHopByHop  # noqa: E402
from scapy.layers.l2 import ARP, GRE, Dot1Q, Ether  # noqa: E402

ABORTED, DROP, PASS, TX, REDIRECT = range(5)
A, B, GATEWAY = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:01"
ETHER = Ether(src=A, dst=B)
TTL = 64


class Scenario:
    """entries: (map, key, value) in bytes. steps: (packet, verdict, packet afterwards or None: unchanged).
    counts: {map: {key: value}} that must stand there in the end, per-processor values added up; maps named by section for globals."""

    def __init__(self, program, entries, steps, counts=None, records=None):
        self.program, self.entries, self.counts, self.records = program, entries, counts or {}, records
        self.steps = [(bytes(packet), verdict, bytes(packet if after is None else after)) for packet, verdict, after in steps]


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def ip(address):
    return socket.inet_aton(address)


def mac(address):
    return bytes.fromhex(address.replace(":", ""))


# --- load balancer ---

def mix(h):
    """MurmurHash3's finaliser, as its author published it."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = (h ^ h >> shift) * factor & 0xFFFFFFFF
    return h ^ h >> 16


def slot_of(packet):
    """Which slot of the table a flow takes: words are those of a little-endian machine."""
    transport = packet[TCP] if TCP in packet else packet[UDP]
    words = struct.unpack("<2I2H", ip(packet[IP].src) + ip(packet[IP].dst) + struct.pack("!2H", transport.sport, transport.dport))
    h = mix(words[0])
    h = mix(h ^ words[1])
    h = mix(h ^ (words[2] << 16 | words[3]))
    return mix(h ^ packet[IP].proto) % 4099


def tunnelled(packet, server):
    # id 0 and no fragment flags, as RFC 2003 leaves to the encapsulator; scapy's checksum.
    return Ether(src=B, dst=server[1]) / IP(src="192.0.2.1", dst=server[0], ttl=TTL, id=0, flags=0, proto=4, tos=packet[IP].tos) / packet[IP]


def load_balancer():
    servers = [("10.1.0.1", "02:00:00:00:01:01"), ("10.1.0.2", "02:00:00:00:01:02")]
    flows = [ETHER / IP(src=f"198.51.100.{i}", dst="203.0.113.1", tos=i) / TCP(sport=1000 + i, dport=80) / b"payload" for i in range(6)]
    flows.append(ETHER / IP(src="198.51.100.9", dst="203.0.113.1", options=[]) / UDP(sport=53, dport=53) / b"question")
    entries = [("services", ip("203.0.113.1") + struct.pack("!HBx", 80, 6), ip("192.0.2.1")),
               ("services", ip("203.0.113.1") + struct.pack("!HBx", 53, 17), ip("192.0.2.1"))]
    entries += [("servers", u32(i + 1), ip(address) + mac(ethernet) + bytes(2)) for i, (address, ethernet) in enumerate(servers)]
    # Every slot that these flows take, alternately; the last flow's slot names a server that is out of service.
    owner = {}
    for number, flow in enumerate(flows[:-1]):
        owner.setdefault(slot_of(flow), 1 + number % 2)
    entries += [("table", u32(slot), u32(index)) for slot, index in owner.items()]
    entries.append(("table", u32(slot_of(flows[-1])), u32(9)))
    steps = [(flow, TX, tunnelled(flow, servers[owner[slot_of(flow)] - 1])) for flow in flows[:-1] * 2]
    steps += [(flows[-1], DROP, None),
              (ETHER / IP(dst="203.0.113.1") / TCP(dport=81), PASS, None),
              (ETHER / IP(dst="203.0.113.1", flags="MF") / TCP(dport=80), PASS, None),
              (ETHER / IP(dst="203.0.113.1", frag=4) / TCP(dport=80), PASS, None),
              (ETHER / ARP(), PASS, None),
              (bytes(ETHER / IP(dst="203.0.113.1") / TCP(dport=80))[:38], PASS, None)]
    return Scenario("load_balancer", entries, steps)


# --- SYN cookies ---

def cookie(address, port, sequence, minute, secret=0x5BD1E995):
    mask = 0xFFFFFFFF
    h = secret ^ struct.unpack("<I", ip(address))[0]
    h = (h ^ h >> 15) * 0x2C1B3C6D & mask
    h ^= (struct.unpack("<H", struct.pack("!H", port))[0] << 16 | minute & 0xFFFF) & mask
    h = (h ^ h >> 12) * 0x297A2D39 & mask
    h ^= sequence
    return (h ^ h >> 15) & mask


def syn_cookie():
    client, server = "198.51.100.7", "203.0.113.1"

    def segment(flags, seq, ack=0, port=4000, **fields):
        return ETHER / IP(src=client, dst=server, id=7) / TCP(sport=port, dport=80, flags=flags, seq=seq, ack=ack, **fields)

    syn = segment("S", 1000, options=[("MSS", 1460), ("SAckOK", b"")])
    answer = Ether(src=B, dst=A) / IP(src=server, dst=client, id=7, ttl=64) / TCP(
        sport=80, dport=4000, flags="SA", seq=cookie(client, 4000, 1000, 30), ack=1001, window=65535)
    good = cookie(client, 4000, 1000, 30) + 1
    older = cookie(client, 4001, 2000, 29) + 1
    steps = [(syn, TX, answer),
             (segment("A", 1001, good + 1), DROP, None),
             (segment("A", 1001, good), PASS, None),
             (segment("PA", 1001, 5) / b"GET /", PASS, None),
             (segment("A", 2001, older, port=4001), PASS, None),
             (segment("A", 2001, cookie(client, 4002, 2000, 28) + 1, port=4002), DROP, None),
             (segment("R", 1, port=4003), DROP, None),
             (ETHER / IP(src=client, dst=server) / TCP(dport=81, flags="S"), PASS, None),
             (ETHER / IP(src=client, dst=server) / UDP(dport=80), PASS, None)]
    return Scenario("syn_cookie", [("minute", u32(0), u32(30))], steps,
                    {"admitted": {ip(client) + struct.pack("!HH", 4000, 0): u64(2), ip(client) + struct.pack("!HH", 4001, 0): u64(1)}})


# --- VLAN ---

def vlan_rewriter():
    inner = IP(src="10.0.0.1", dst="10.0.0.2") / UDP() / (b"x" * 20)

    def rule(vlan, action, to=0):
        return "rules", u32(vlan), struct.pack("<HH", action, to)

    entries = [rule(10, 1, 20), rule(11, 2), rule(0, 3, 30), rule(12, 4), rule(13, 3, 14)]
    steps = [(ETHER / Dot1Q(vlan=10, prio=5) / inner, PASS, ETHER / Dot1Q(vlan=20, prio=5) / inner),
             (ETHER / Dot1Q(vlan=11) / inner, PASS, ETHER / inner),
             (ETHER / inner, PASS, ETHER / Dot1Q(vlan=30) / inner),
             (ETHER / Dot1Q(vlan=12) / inner, DROP, None),
             (ETHER / Dot1Q(vlan=13, prio=2) / inner, PASS, ETHER / Dot1Q(vlan=14) / Dot1Q(vlan=13, prio=2) / inner),
             (ETHER / Dot1Q(vlan=99) / inner, PASS, None),
             (bytes(ETHER / Dot1Q(vlan=11))[:16], DROP, None)]
    return Scenario("vlan_rewriter", entries, steps)


# --- ICMP ---

def icmp_echo():
    request = ICMP(type=8, id=3, seq=4) / b"abcdefgh"
    reply = ICMP(type=0, id=3, seq=4) / b"abcdefgh"
    back = Ether(src=B, dst=A)
    wrong = ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(type=8, chksum=0x1234) / b"z"
    # RFC 1624: 0x1234 - 0x0800 in ones' complement is what the checksum loses when the type goes from 8 to 0.
    still_wrong = back / IP(src="10.0.0.2", dst="10.0.0.1") / ICMP(type=0, chksum=0x1234 + 0x0800) / b"z"
    request6 = ETHER / IPv6(src="2001:db8::1", dst="2001:db8::2") / ICMPv6EchoRequest(id=1, seq=2, data=b"six")
    reply6 = back / IPv6(src="2001:db8::2", dst="2001:db8::1") / ICMPv6EchoReply(id=1, seq=2, data=b"six")
    steps = [(ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / request, TX, back / IP(src="10.0.0.2", dst="10.0.0.1") / reply),
             (ETHER / IP(src="10.0.0.1", dst="10.0.0.2", options=[b"\x01\x01\x01\x00"]) / request, TX,
              back / IP(src="10.0.0.2", dst="10.0.0.1", options=[b"\x01\x01\x01\x00"]) / reply),
             (wrong, TX, still_wrong),
             (request6, TX, reply6),
             (ETHER / IP() / ICMP(type=0), PASS, None),
             (ETHER / IP(frag=1) / request, PASS, None),
             (ETHER / ARP(), PASS, None)]
    return Scenario("icmp_echo", [], steps, {".bss": {u32(0): u64(3) + u64(1)}})


# --- token bucket ---

def token_bucket():
    """4 packets at once, then one a millisecond: a packet may be early by as much as three others take."""
    def at(microseconds, source="10.0.0.1"):
        return ETHER / IP(src=source, dst="10.0.0.2") / UDP(sport=1, dport=9) / struct.pack("!Q", 10**12 + microseconds * 1000)

    steps = [(at(0), PASS, None)] + [(at(1), PASS, None)] * 3 + [(at(2), DROP, None)] * 2
    steps += [(at(2, "10.0.0.9"), PASS, None), (at(999), DROP, None), (at(1000), PASS, None), (at(1001), DROP, None)]
    steps += [(at(9000), PASS, None)] * 4 + [(at(9000), DROP, None)]
    steps.append((ETHER / ARP(), PASS, None))
    return Scenario("token_bucket", [], steps)


# --- firewall by longest prefix ---

def lpm_firewall():
    def rule4(prefix, length, number, verdict):
        return "rules4", u32(length) + ip(prefix), u32(number) + u32(verdict)

    def rule6(prefix, length, number, verdict):
        return "rules6", u32(length) + socket.inet_pton(socket.AF_INET6, prefix), u32(number) + u32(verdict)

    entries = [rule4("10.0.0.0", 8, 1, 1), rule4("10.1.0.0", 16, 2, 0), rule4("10.1.2.3", 32, 3, 1), rule6("2001:db8::", 32, 4, 1),
               rule6("2001:db8:1::", 48, 5, 0)]

    def four(source, verdict):
        return ETHER / IP(src=source, dst="192.0.2.1") / UDP(), verdict, None

    def six(source, verdict):
        return ETHER / IPv6(src=source, dst="::1") / UDP(), verdict, None

    steps = [four("10.9.9.9", DROP), four("10.1.9.9", PASS), four("10.1.2.3", DROP), four("10.1.2.4", PASS), four("11.0.0.1", PASS),
             six("2001:db8:2::1", DROP), six("2001:db8:1::1", PASS), six("2001:db9::1", PASS), (ETHER / ARP(), PASS, None),
             (bytes(ETHER / IP(src="10.0.0.1"))[:30], DROP, None)]
    return Scenario("lpm_firewall", entries, steps, {"hits": {u32(1): u64(1), u32(2): u64(2), u32(3): u64(1), u32(4): u64(1), u32(5): u64(1)}})


# --- DNS ---

def fnv1a(data):
    """64-bit FNV-1a: offset basis and prime of the Fowler-Noll-Vo page."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def dns_filter():
    def key(name):
        return u64(fnv1a(b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"))

    def question(name):
        return ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=5353, dport=53) / DNS(qd=DNSQR(qname=name))

    entries = [("blocked", key("ads.example"), u64(0)), ("blocked", key("test"), u64(0))]
    steps = [(question("ads.example"), DROP, None), (question("A.B.ADS.Example"), DROP, None), (question("example"), PASS, None),
             (question("noads.example"), PASS, None), (question("anything.test"), DROP, None),
             (ETHER / IP() / UDP(dport=54) / DNS(qd=DNSQR(qname="ads.example")), PASS, None),
             (ETHER / IP() / UDP(dport=53) / b"short", PASS, None)]
    return Scenario("dns_filter", entries, steps, {"blocked": {key("ads.example"): u64(2), key("test"): u64(1)}})


# --- sampling ---

def flow_sampler():
    packets = [ETHER / IP(src="10.0.0.1", dst="10.0.0.2", tos=i) / UDP(sport=100 + i, dport=200) / (b"p" * (10 * i)) for i in range(7)]
    packets[3] = ETHER / ARP(psrc="10.0.0.3", pdst="10.0.0.4", hwsrc=A)

    def sample(number):
        data = bytes(packets[number])
        flow = bytes(14)
        if UDP in packets[number]:
            flow = ip("10.0.0.1") + ip("10.0.0.2") + struct.pack("!HHBx", packets[number].sport, 200, 17)
        taken = data[:64]
        return u64(number) + flow + struct.pack("<HH", len(data), len(taken)) + taken.ljust(64, b"\0") + bytes(6)

    broken = bytes(ETHER / IP(ihl=4) / UDP())
    steps = [(packet, PASS, None) for packet in packets] + [(broken, PASS, None)] * 3
    # The tenth packet is a sample, and is discarded.
    return Scenario("flow_sampler", [], steps, {".bss": {u32(0): u64(10) + u64(0)}}, {"samples": [sample(0), sample(3), sample(6)]})


# --- switch ---

def l2_switch():
    """Frames come in by interface 1."""
    there, unknown, group = "02:00:00:00:00:77", "02:00:00:00:00:78", "01:00:5e:00:00:01"

    def station(address, vlan=0):
        return mac(address) + struct.pack("<H", vlan)

    entries = [("stations", station(there), u32(5) + u32(0)), ("stations", station(A), u32(3) + u32(0)), ("ports", u32(5), u32(1))]
    steps = [(Ether(src=A, dst=there) / IP() / UDP(), REDIRECT, None),
             (Ether(src=A, dst=unknown) / IP() / UDP(), PASS, None),
             (Ether(src=B, dst=A) / IP() / UDP(), DROP, None),
             (Ether(src=B, dst=group) / IP() / UDP(), PASS, None),
             (Ether(src=group, dst=A) / IP() / UDP(), DROP, None),
             (Ether(src=A, dst=there) / Dot1Q(vlan=7, prio=3) / IP() / UDP(), PASS, None),
             (bytes(Ether(src=A, dst=there, type=0x8100) / b"\0\0\0"), DROP, None)]
    return Scenario("l2_switch", entries, steps,
                    {"stations": {station(A): u32(1) + u32(1), station(B): u32(1) + u32(0), station(A, 7): u32(1) + u32(0)}})


# --- GRE ---

def gre_decap():
    inner = IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1, dport=2) / b"inside"
    inner6 = IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP() / b"six"
    frame = Ether(src="02:00:00:00:00:51", dst="02:00:00:00:00:52") / inner

    def tunnel(payload, source="192.0.2.10", **fields):
        return ETHER / IP(src=source, dst="192.0.2.1", proto=47) / GRE(**fields) / payload

    entries = [("endpoints", ip("192.0.2.10"), u32(0)), ("endpoints", ip("192.0.2.11"), struct.pack("!I", 42))]
    steps = [(tunnel(inner, proto=0x800), PASS, ETHER / inner),
             (tunnel(inner6, proto=0x86DD), PASS, ETHER / inner6),
             (tunnel(frame, proto=0x6558), PASS, frame),
             (tunnel(inner, "192.0.2.11", proto=0x800, key_present=1, key=42), PASS, ETHER / inner),
             (tunnel(inner, "192.0.2.11", proto=0x800, key_present=1, key=42, seqnum_present=1, sequence_number=9, chksum_present=1), PASS,
              ETHER / inner),
             (tunnel(inner, "192.0.2.11", proto=0x800, key_present=1, key=43), DROP, None),
             (tunnel(inner, "192.0.2.11", proto=0x800), DROP, None),
             (tunnel(inner, "192.0.2.12", proto=0x800), PASS, None),
             (tunnel(inner, proto=0x800, version=1), DROP, None),
             (tunnel(b"", proto=0x800), DROP, None),
             (tunnel(b"123", proto=0x806), DROP, None)]
    return Scenario("gre_decap", entries, steps, {"decapsulated": {ip("192.0.2.10"): u64(3), ip("192.0.2.11"): u64(2)}})


# --- statistics ---

def protocol_statistics():
    packets = [ETHER / IP() / TCP(), ETHER / IP() / TCP() / b"1234", ETHER / Dot1Q() / Dot1Q() / IP() / UDP(),
               ETHER / IPv6() / IPv6ExtHdrHopByHop() / UDP(), ETHER / IPv6() / TCP(), ETHER / ARP(), bytes(ETHER / IP())[:20]]
    rows = [6, 6, 17, 17, 6, 256, 257]
    counts = {}
    for row, packet in zip(rows, packets):
        number, total = counts.get(u32(row), (0, 0))
        counts[u32(row)] = number + 1, total + len(packet)
    return Scenario("protocol_statistics", [], [(packet, PASS, None) for packet in packets],
                    {"rows": {key: u64(number) + u64(total) for key, (number, total) in counts.items()}})


def size_histogram():
    sizes = [14, 60, 64, 127, 128, 1500]
    histogram = [0] * 17
    for size in sizes:
        histogram[size.bit_length() - 1] += 1
    return Scenario("size_histogram", [], [(bytes(ETHER).ljust(size, b"\0"), PASS, None) for size in sizes],
                    {".data": {u32(0): u32(min(sizes))},
                     ".bss": {u32(0): b"".join(map(u64, histogram)) + u64(sum(sizes)) + u32(max(sizes)) + bytes(4)}})


def sip_sketch():
    """Three connections of a source may be half open; an ACK ends a handshake. Who opens others has counters of its own."""
    def segment(flags, source="198.51.100.1", port=1000):
        return ETHER / IP(src=source, dst="203.0.113.1") / TCP(sport=port, dport=80, flags=flags)

    steps = [(segment("S", port=1000 + i), PASS, None) for i in range(3)] + [(segment("S", port=1003), DROP, None)] * 2
    steps += [(segment("S", "198.51.100.2"), PASS, None), (segment("A"), PASS, None)]
    steps += [(segment("S"), PASS, None), (segment("S"), DROP, None), (segment("FA"), PASS, None), (segment("S"), DROP, None)]
    return Scenario("sip_sketch", [], steps)


def dispatcher():
    """Linux makes at most 33 tail calls in a run: of entry and UDP handler in turn, the handler is the 1st, 3rd, ..., 33rd."""
    steps = [(ETHER / IP() / TCP(), TX, None), (ETHER / IP() / UDP(), DROP, None), (ETHER / IP() / ICMP(), DROP, None), (ETHER / ARP(), PASS, None)]
    return Scenario("dispatcher", [], steps, {"runs": {u32(0): u64(1), u32(1): u64(17), u32(2): u64(1 + 17 + 1 + 1)}})


SCENARIOS = [load_balancer, syn_cookie, vlan_rewriter, icmp_echo, token_bucket, lpm_firewall, dns_filter, flow_sampler, l2_switch, gre_decap,
             protocol_statistics, size_histogram, sip_sketch, dispatcher]
