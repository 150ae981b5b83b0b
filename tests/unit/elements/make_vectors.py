#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes vectors.h: packets as scapy builds them, in hexadecimal, so that what the tests of header elements expect does not come
from our own code. Run it by hand after a change, and commit what it writes:

    /usr/bin/python3 tests/unit/elements/make_vectors.py > tests/unit/elements/vectors.h
"""

from scapy.all import ARP, ICMP, IP, TCP, UDP, Ether, IPOption_NOP, Raw, raw

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
ETHER = Ether(src=A, dst=B)


def ip(**fields):
    return IP(src="10.0.0.1", dst="10.0.0.2", id=7, **fields)


UDP_PACKET = ip() / UDP(sport=1234, dport=53) / b"hello"
TCP_PACKET = ip() / TCP(sport=1024, dport=80, seq=100, ack=200, flags="PA", window=4096) / b"odd"
QUOTED = IP(src="10.0.0.2", dst="192.0.2.9", id=9) / UDP(sport=4000, dport=161) / b"ab"
UNREACHABLE = ip() / ICMP(type=3, code=3) / QUOTED


def truncated(packet, length):
    return raw(packet)[:length]


def flip(packet, at):
    """One bit wrong."""
    data = bytearray(raw(packet))
    data[at] ^= 1
    return bytes(data)


def patched(packet, at, value):
    """Two bytes at `at` replaced."""
    data = raw(packet)
    return data[:at] + value.to_bytes(2, "big") + data[at + 2 :]


def arp(**fields):
    fields.setdefault("hwdst", "00:00:00:00:00:00")
    return ARP(hwsrc=A, psrc="10.0.0.1", pdst="10.0.0.2", **fields)


VECTORS = {
    # Ethernet
    "ETHER_UDP": ETHER / UDP_PACKET,
    "ETHER_UDP_PADDED": raw(ETHER / UDP_PACKET) + bytes(13),
    "ETHER_UDP_MIRRORED": Ether(src=B, dst=A) / UDP_PACKET,
    "ETHER_BROADCAST": Ether(src=A, dst="ff:ff:ff:ff:ff:ff") / UDP_PACKET,
    "ETHER_MULTICAST": Ether(src=A, dst="01:00:5e:00:00:01") / UDP_PACKET,
    "ETHER_TYPE_88B5": Ether(src=A, dst=B, type=0x88B5) / Raw(raw(UDP_PACKET)),
    # IPv4
    "UDP": UDP_PACKET,
    "UDP_PADDED": raw(UDP_PACKET) + bytes(13),
    "UDP_OPTIONS": ip(options=[IPOption_NOP()] * 8) / UDP(sport=1234, dport=53) / b"hello",
    "UDP_TO_THIRD": IP(src="10.0.0.1", dst="10.0.0.3", id=7) / UDP(sport=1234, dport=53) / b"hello",
    "IP_LONGEST_HEADER": ip(options=[IPOption_NOP()] * 40) / b"x",
    "IP_HEADER_ALONE": ip(proto=253),
    "IP_VERSION_6": ip(version=6) / UDP() / b"hello",
    "IP_HEADER_LENGTH_16": ip(ihl=4) / UDP() / b"hello",
    "IP_HEADER_LENGTH_BEYOND": ip(ihl=15, len=28) / UDP(),
    "IP_LENGTH_BEYOND": ip(len=34) / UDP(sport=1234, dport=53) / b"hello",
    "IP_LENGTH_IN_HEADER": ip(len=19) / UDP() / b"hello",
    "IP_LENGTH_ZERO": ip(len=0) / UDP() / b"hello",
    "IP_SUM_WRONG": flip(UDP_PACKET, 10),
    "IP_OPTIONS_SUM_WRONG": flip(ip(options=[IPOption_NOP()] * 8) / UDP() / b"hello", 24),
    "IP_TINY": truncated(UDP_PACKET, 19),
    "IP_FROM_ZERO": IP(src="0.0.0.0", dst="10.0.0.2") / UDP(),
    "IP_FROM_ONES": IP(src="255.255.255.255", dst="10.0.0.2") / UDP(),
    "IP_FROM_NET_BROADCAST": IP(src="18.26.4.255", dst="10.0.0.2") / UDP(),
    "IP_FROM_NET_BROADCAST_TO_US": IP(src="18.26.4.255", dst="18.26.4.9") / UDP(),
    # TCP
    "TCP": TCP_PACKET,
    "TCP_OPTIONS": ip() / TCP(flags="S", options=[("MSS", 1460)]),
    "TCP_SYN_FIN": ip(tos=16, ttl=9) / TCP(sport=1, dport=2, seq=4294967295, flags="SF", window=0),
    "TCP_RESET": ip() / TCP(sport=1, dport=2, seq=5, ack=6, flags="RA", window=1),
    "TCP_SILENT": ip() / TCP(sport=1, dport=2, seq=5, ack=6, flags="A", window=1),
    "TCP_SUM_WRONG": flip(TCP_PACKET, 42),
    "TCP_SUM_OF_OTHER": IP(src="10.0.0.1", dst="10.0.0.3") / Raw(raw(TCP_PACKET)[20:]),
    "TCP_HEADER_16": ip() / TCP(dataofs=4),
    "TCP_HEADER_BEYOND": ip() / TCP(dataofs=6),
    "TCP_TRUNCATED_3": ip(proto=6) / Raw(raw(TCP_PACKET)[20:23]),
    "TCP_TRUNCATED_13": ip(proto=6) / Raw(raw(TCP_PACKET)[20:33]),
    "TCP_TRUNCATED_15": ip(proto=6) / Raw(raw(TCP_PACKET)[20:35]),
    # UDP
    "UDP_NO_SUM": ip() / UDP(sport=1234, dport=53, chksum=0) / b"hello",
    "UDP_SUM_WRONG": flip(UDP_PACKET, 32),
    "UDP_LENGTH_7": ip() / UDP(len=7),
    "UDP_LENGTH_BEYOND": ip() / UDP(len=14) / b"hello",
    "UDP_LENGTH_LESS": ip() / UDP(sport=1, dport=2, len=10, chksum=0) / b"hello",
    "UDP_TRUNCATED_3": ip(proto=17) / Raw(raw(UDP_PACKET)[20:23]),
    "UDP_TRUNCATED_7": ip(proto=17) / Raw(raw(UDP_PACKET)[20:27]),
    # ICMP
    "ICMP_ECHO": ip() / ICMP(type=8, id=0x1234, seq=5) / b"ping",
    "ICMP_ECHO_REPLY": ip() / ICMP(type=0, id=0x1234, seq=5) / b"ping",
    "ICMP_SUM_WRONG": flip(ip() / ICMP(type=8, id=1, seq=5) / b"ping", 28),
    "ICMP_TRUNCATED_1": ip(proto=1) / b"\x08",
    "ICMP_TRUNCATED_7": ip(proto=1) / Raw(raw(ICMP(type=8))[:7]),
    "ICMP_UNREACHABLE_PORT": UNREACHABLE,
    "ICMP_UNREACHABLE_SHORT": truncated(ip(len=55) / ICMP(type=3, code=3) / QUOTED, 55),
    "ICMP_UNREACHABLE_QUOTES_IP": ip() / ICMP(type=3, code=3) / Raw(raw(QUOTED)[:20]),
    "ICMP_UNREACHABLE_PROTOCOL": ip() / ICMP(type=3, code=2) / IP(src="10.0.0.2", dst="192.0.2.9", proto=132) / b"12345678",
    "ICMP_UNREACHABLE_MTU": ip() / ICMP(type=3, code=4, nexthopmtu=1400) / QUOTED,
    "ICMP_UNREACHABLE_EMPTY": ip() / ICMP(type=3, code=1),
    "ICMP_UNREACHABLE_CODE_99": ip() / ICMP(type=3, code=99) / QUOTED,
    "ICMP_TIME_EXCEEDED": ip() / ICMP(type=11, code=1) / QUOTED,
    "ICMP_TIMESTAMP": ip() / ICMP(type=13, id=1, seq=1, ts_ori=1, ts_rx=2, ts_tx=3),
    "ICMP_TIMESTAMP_LONG": ip() / ICMP(type=14, id=1, seq=1) / b"x",
    "ICMP_INFORMATION": ip() / ICMP(type=15, id=1, seq=1),
    "ICMP_INFORMATION_LONG": ip() / ICMP(type=16, id=1, seq=1) / b"x",
    "ICMP_TYPE_99": ip() / ICMP(type=99, code=2),
    # fragments and others
    "FRAGMENT_FIRST": ip(flags="MF") / UDP(sport=1234, dport=53, len=100, chksum=0) / b"12345678",
    "FRAGMENT_MIDDLE_TCP": ip(flags="MF", frag=3, proto=6) / b"12345678",
    "FRAGMENT_LAST_UDP": ip(frag=185, proto=17) / b"1234",
    "FRAGMENT_LAST_ICMP": ip(frag=2, proto=1) / b"1234",
    "PROTOCOL_47": ip(proto=47) / b"1234",
    # ARP
    "ARP_REQUEST": arp(op=1),
    "ARP_REQUEST_TO_KNOWN": arp(op=1, hwdst=B),
    "ARP_REPLY": arp(op=2, hwdst=B),
    "ARP_REVERSE_REQUEST": arp(op=3, hwdst=B),
    "ARP_REVERSE_REPLY": arp(op=4, hwdst=B),
    "ARP_INVERSE_REQUEST": arp(op=8, hwdst=B),
    "ARP_INVERSE_REPLY": arp(op=9, hwdst=B),
    "ARP_OPERATION_77": arp(op=77),
    "ARP_TRAILER": patched(arp(op=1), 2, 0x1000),
    "ARP_HARDWARE_6": patched(arp(op=1), 0, 6),
    "ARP_PROTOCOL_6": patched(arp(op=1), 2, 6),
    "ARP_TRUNCATED": truncated(arp(op=1), 7),
    "ARP_ADDRESSES_TRUNCATED": truncated(arp(op=1), 27),
    "ETHER_ARP_REQUEST": Ether(src=A, dst="ff:ff:ff:ff:ff:ff") / arp(op=1),
}

print("/* SPDX-License-Identifier: BSD-3-Clause\n *\n * Packets built by scapy. Written by make_vectors.py; change that.\n */")
print("#ifndef IMAGO_TESTS_ELEMENTS_VECTORS_H\n#define IMAGO_TESTS_ELEMENTS_VECTORS_H\n")
print("/* clang-format off */")
for name, packet in VECTORS.items():
    print(f'#define VECTOR_{name} "{(packet if isinstance(packet, bytes) else raw(packet)).hex()}"')
print("/* clang-format on */\n\n#endif")
