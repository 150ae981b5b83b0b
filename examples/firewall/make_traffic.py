#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes traffic.pcap, the capture that the demo and the system tests play: what a small network shows on its wire in a second,
and what it should never show. Every run gives the same bytes: seeds, identifiers and times are fixed.

Usage: make_traffic.py [OUTPUT]      (needs Debian's python3-scapy)
"""
import logging
import pathlib
import random
import struct
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)  # it warns of hosts without routes
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN, fragment6)
from scapy.layers.l2 import ARP, LLC, SNAP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.packet import Raw

START = 1_700_000_000  # seconds since the epoch
INTERVAL = 2_500  # microseconds between frames
CLIENTS = 12

GATEWAY_MAC = "02:00:00:00:00:01"
GATEWAY4, GATEWAY6 = "192.0.2.1", "2001:db8::1"
RESOLVER4, RESOLVER6 = "198.51.100.53", "2001:db8:1::53"
WEB4, WEB6 = "203.0.113.80", "2001:db8:2::80"


class Client:
    """One host: its addresses, and its own stream of reproducible noise."""

    def __init__(self, number):
        self.number = number
        self.random = random.Random(0x1AA60 + number)
        self.mac = f"02:00:00:00:01:{number:02x}"
        self.ip4 = f"192.0.2.{10 + number}"
        self.ip6 = f"2001:db8::{0x100 + number:x}"
        self.port = 40000 + 7 * number
        self.name = f"host{number}.example"

    def noise(self, length):
        return self.random.randbytes(length)

    def ether(self, **fields):
        return Ether(src=self.mac, dst=GATEWAY_MAC, **fields)

    def to4(self, address):
        return self.ether() / IP(src=self.ip4, dst=address, id=self.random.randrange(1, 65536), ttl=64)

    def from4(self, address):
        ip = IP(src=address, dst=self.ip4, id=self.random.randrange(1, 65536), ttl=57)
        return Ether(src=GATEWAY_MAC, dst=self.mac) / ip

    def to6(self, address):
        return self.ether() / IPv6(src=self.ip6, dst=address, hlim=64)

    def from6(self, address, hlim=57):
        return Ether(src=GATEWAY_MAC, dst=self.mac) / IPv6(src=address, dst=self.ip6, hlim=hlim)


def neighbours(c):
    yield Ether(src=c.mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op="who-has", hwsrc=c.mac, psrc=c.ip4, hwdst="00:00:00:00:00:00", pdst=GATEWAY4)
    yield Ether(src=GATEWAY_MAC, dst=c.mac) / ARP(op="is-at", hwsrc=GATEWAY_MAC, psrc=GATEWAY4, hwdst=c.mac, pdst=c.ip4)
    yield (Ether(src=c.mac, dst="33:33:ff:00:00:01") / IPv6(src=c.ip6, dst="ff02::1:ff00:1", hlim=255) / ICMPv6ND_NS(tgt=GATEWAY6)
           / ICMPv6NDOptSrcLLAddr(lladdr=c.mac))
    yield c.from6(GATEWAY6, hlim=255) / ICMPv6ND_NA(tgt=GATEWAY6, R=1, S=1, O=1)


def pings(c):
    payload = c.noise(56)
    yield c.to4(GATEWAY4) / ICMP(type="echo-request", id=c.number, seq=1) / Raw(payload)
    yield c.from4(GATEWAY4) / ICMP(type="echo-reply", id=c.number, seq=1) / Raw(payload)
    yield c.to6(GATEWAY6) / ICMPv6EchoRequest(id=c.number, seq=1, data=payload)
    yield c.from6(GATEWAY6) / ICMPv6EchoReply(id=c.number, seq=1, data=payload)


def dns(c):
    for to, back, resolver, kind, address in ((c.to4, c.from4, RESOLVER4, "A", WEB4), (c.to6, c.from6, RESOLVER6, "AAAA", WEB6)):
        ident = c.random.randrange(65536)
        question = DNSQR(qname="www.example", qtype=kind)
        answer = DNSRR(rrname="www.example", type=kind, ttl=300, rdata=address)
        yield to(resolver) / UDP(sport=c.port, dport=53) / DNS(id=ident, rd=1, qd=question)
        yield back(resolver) / UDP(sport=53, dport=c.port) / DNS(id=ident, qr=1, rd=1, ra=1, qd=question, an=answer)
    query = bytes(DNS(id=c.number, rd=1, qd=DNSQR(qname=c.name, qtype="TXT")))
    yield c.to4(RESOLVER4) / TCP(sport=c.port, dport=53, flags="PA", seq=100, ack=200) / Raw(struct.pack(">H", len(query)) + query)


def http(c):
    request = f"GET /{c.number} HTTP/1.1\r\nHost: www.example\r\nUser-Agent: {c.name}\r\n\r\n".encode()
    page = b"<html>" + b"lorem ipsum " * 40 + b"</html>"
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page) + page
    for to, back, web in ((c.to4, c.from4, WEB4), (c.to6, c.from6, WEB6)):
        seq, ack = c.random.randrange(1 << 31), c.random.randrange(1 << 31)
        out = dict(sport=c.port, dport=80)
        into = dict(sport=80, dport=c.port)
        yield to(web) / TCP(**out, flags="S", seq=seq, options=[("MSS", 1460)])
        yield back(web) / TCP(**into, flags="SA", seq=ack, ack=seq + 1, options=[("MSS", 1460)])
        yield to(web) / TCP(**out, flags="A", seq=seq + 1, ack=ack + 1)
        yield to(web) / TCP(**out, flags="PA", seq=seq + 1, ack=ack + 1) / Raw(request)
        yield back(web) / TCP(**into, flags="PA", seq=ack + 1, ack=seq + 1 + len(request)) / Raw(reply)
        yield to(web) / TCP(**out, flags="FA", seq=seq + 1 + len(request), ack=ack + 1 + len(reply))


def voice(c):
    for seq in range(3):
        yield c.to4(WEB4) / UDP(sport=16384, dport=16384 + c.number) / Raw(struct.pack(">BBHII", 0x80, 0, seq, 160 * seq, c.number) + c.noise(160))


def tagged(c):
    tag = Dot1Q(vlan=100 + c.number)
    ip = IP(src=c.ip4, dst=RESOLVER4, id=c.number + 1)
    yield c.ether() / tag / IP(src=c.ip4, dst=WEB4, id=c.number) / TCP(sport=c.port, dport=443, flags="PA", seq=1, ack=1) / Raw(c.noise(200))
    yield c.ether() / tag / ARP(op="who-has", hwsrc=c.mac, psrc=c.ip4, pdst=GATEWAY4)
    yield c.ether() / tag / ip / UDP(sport=c.port, dport=53) / DNS(id=7, rd=1, qd=DNSQR(qname=c.name))
    yield c.ether(type=0x8100) / Dot1Q(vlan=7, type=0x8100) / tag / ip / UDP(sport=c.port, dport=53) / DNS(id=8, rd=1, qd=DNSQR(qname=c.name))


def fragmented(c):
    datagram = IP(src=c.ip4, dst=WEB4, id=0x4000 + c.number) / UDP(sport=c.port, dport=5004) / Raw(c.noise(2600))
    answer = IP(src=RESOLVER4, dst=c.ip4, id=0x5000 + c.number) / UDP(sport=53, dport=c.port) / Raw(c.noise(1700))
    for piece in fragment(datagram, fragsize=1480):
        yield c.ether() / piece
    for piece in fragment(answer, fragsize=1480):
        yield Ether(src=GATEWAY_MAC, dst=c.mac) / piece
    large = IPv6(src=c.ip6, dst=WEB6) / IPv6ExtHdrFragment(id=c.number) / UDP(sport=c.port, dport=5004) / Raw(c.noise(1800))
    for piece in fragment6(large, 1280):
        yield c.ether() / piece


def extended(c):
    question = UDP(sport=c.port, dport=53) / DNS(id=9, rd=1, qd=DNSQR(qname=c.name))
    yield c.to6(RESOLVER6) / IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]) / question
    yield c.to6(RESOLVER6) / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(12))]) / IPv6ExtHdrRouting(type=4) / question
    yield c.to6(WEB6) / IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]) / UDP(sport=c.port, dport=123) / Raw(c.noise(48))


def largest(c):
    yield c.to4(WEB4) / TCP(sport=c.port, dport=443, flags="A", seq=1, ack=1) / Raw(c.noise(1460))


def malformed(c):
    """What a firewall must survive. As bytes, for scapy repairs what it can."""
    udp = bytes(c.to4(WEB4) / UDP(sport=c.port, dport=5000) / Raw(c.noise(20)))
    query = bytes(c.to4(RESOLVER4) / UDP(sport=c.port, dport=53) / DNS(id=1, rd=1, qd=DNSQR(qname=c.name)))
    six = bytes(c.to6(WEB6) / UDP(sport=c.port, dport=5000) / Raw(c.noise(20)))
    yield udp[:1]  # runts: less than an Ethernet header
    yield udp[:6]
    yield udp[:13]
    yield udp[:14]  # the Ethernet header alone
    yield udp[:20]  # ends in the IP header
    yield udp[:38]  # ends in the UDP header
    yield query[:35]  # DNS without a whole port
    yield udp[:14] + b"\x41" + udp[15:]  # header length 4 bytes
    yield query[:14] + b"\x4f" + query[15:34]  # header length 60 bytes, past the end
    yield udp[:14] + b"\x95" + udp[15:]  # IP version 9
    yield udp[:16] + b"\xff\xff" + udp[18:]  # total length past the end
    yield udp[:24] + b"\xba\xad" + udp[26:]  # wrong checksum
    yield udp[:38] + b"\x00\x01" + udp[40:]  # UDP length below its header
    yield six[:30]  # ends in the IPv6 header
    yield six[:20] + b"\x00" + six[21:54]  # announces an extension header that is not there
    yield six[:20] + b"\x3c" + six[21:54] + b"\x11\xff" + bytes(6)  # extension header longer than the frame
    chain = c.to6(RESOLVER6)
    for _ in range(9):
        chain = chain / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))])
    yield bytes(chain / UDP(sport=c.port, dport=53))  # more extension headers than anybody sends
    yield query[:20] + b"\x20\x00" + query[22:36]  # first fragment too small to show its ports
    yield bytes(c.ether() / Dot1Q(vlan=1))[:16]  # ends in the VLAN tag
    yield bytes(c.ether(type=0x88B5) / Raw(c.noise(46)))  # an Ethernet type for experiments
    yield bytes(Dot3(src=c.mac, dst="01:80:c2:00:00:00") / LLC() / SNAP() / Raw(bytes(30)))  # a length instead of a type
    yield bytes(c.ether() / Dot1AD(vlan=9) / IP(src=c.ip4, dst=WEB4, id=3))
    yield c.noise(60)
    yield bytes(60)


def frames():
    """Everything, interleaved: the clients take turns frame by frame, and each begins with something else, so that what a firewall may drop is
    spread over the capture."""
    streams = []
    for number in range(CLIENTS):
        client = Client(number)
        kinds = [neighbours, pings, dns, http, voice, tagged, extended]
        if number % 4 == 0:
            kinds.append(fragmented)
        if number % 3 == 0:
            kinds.append(largest)
        if number % 6 == 5:
            kinds.append(malformed)
        first = number % len(kinds)
        streams.append(frame for kind in kinds[first:] + kinds[:first] for frame in kind(client))
    while streams:
        for stream in list(streams):
            frame = next(stream, None)
            if frame is None:
                streams.remove(stream)
            else:
                yield bytes(frame)


def main():
    output = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("traffic.pcap"))
    capture = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)  # microseconds, Ethernet
    for number, frame in enumerate(frames()):
        seconds, microseconds = divmod(number * INTERVAL, 1_000_000)
        capture += struct.pack("<IIII", START + seconds, microseconds, len(frame), len(frame)) + frame
    output.write_bytes(capture)
    print(f"{output.name}: {number + 1} frames, {len(capture)} bytes")


if __name__ == "__main__":
    main()
