#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the capture files that dump_test.c reads, with scapy: python3 tests/unit/elements/dumps/make.py"""
import bz2
import gzip
import os
import struct

from scapy.all import ARP, IP, UDP, Dot1Q, Ether, Raw
from scapy.utils import PcapWriter, PcapNgWriter

FOLDER = os.path.dirname(os.path.abspath(__file__))
ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
DATAGRAM = IP(src="192.0.2.1", dst="192.0.2.2", id=1) / UDP(sport=1, dport=2) / Raw(b"abc")
FRAMES = [ETHER / DATAGRAM, ETHER / ARP(psrc="192.0.2.1", pdst="192.0.2.2"), ETHER / Dot1Q(vlan=5) / DATAGRAM,
          ETHER / DATAGRAM, ETHER / DATAGRAM]
for number, frame in enumerate(FRAMES):
    frame.time = 1000000000 + number + 0.25


def write(name, frames, **options):
    writer = PcapWriter(os.path.join(FOLDER, name), **options)
    for frame in frames:
        writer.write(frame)
    writer.close()


write("little.pcap", FRAMES, endianness="<")
write("big.pcap", FRAMES, endianness=">")
write("nano.pcap", FRAMES, endianness="<", nano=True)
write("ip.pcap", [DATAGRAM], endianness="<", linktype=101)
ng = PcapNgWriter(os.path.join(FOLDER, "next.pcapng"))
for frame in FRAMES:
    ng.write(frame)
ng.close()
# The same with the first frame cut off after 20 bytes, as `tcpdump -s 20` writes it.
with open(os.path.join(FOLDER, "little.pcap"), "rb") as file:
    whole = file.read()
sec, usec, captured, length = struct.unpack_from("<IIII", whole, 24)
with open(os.path.join(FOLDER, "cut.pcap"), "wb") as file:
    file.write(whole[:24] + struct.pack("<IIII", sec, usec, 20, length) + whole[40:60])
# Compressed, the second time in two streams.
with open(os.path.join(FOLDER, "little.pcap.gz"), "wb") as file:
    file.write(gzip.compress(whole, mtime=0))
with open(os.path.join(FOLDER, "little.pcap.bz2"), "wb") as file:
    file.write(bz2.compress(whole[:100]) + bz2.compress(whole[100:]))
