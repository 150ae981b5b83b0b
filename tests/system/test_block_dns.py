# SPDX-License-Identifier: BSD-3-Clause
"""block_dns.bpf.c drops just the DNS of the capture, as scapy, which shares no code with it, reads the frames."""
import logging
import shutil

logging.getLogger("scapy").setLevel(logging.ERROR)
import pytest  # noqa: E402
from scapy.layers.inet import IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402

from imago import FIREWALL  # noqa: E402
from wire import TRAILER  # noqa: E402


def is_dns(frame):
    """Whether the frame shows port 53 of UDP or TCP."""
    packet = Ether(frame + TRAILER.pack(0))
    ip = packet.getlayer(IP)
    if ip is not None and (ip.version != 4 or ip.ihl < 5 or ip.frag):
        return False
    fragment = packet.getlayer(IPv6ExtHdrFragment)
    if fragment is not None and fragment.offset:
        return False
    for layer in (UDP, TCP):
        transport = packet.getlayer(layer)
        if transport is not None:
            return 53 in (transport.sport, transport.dport)
    return False


@pytest.fixture
def blocking(launch, signed, capture, platform):
    """The firewall example, booted with block_dns.bpf.c instead."""
    shutil.copy(signed.bundle("block_dns", 1), signed.directory / "block_dns.imb")
    click = (FIREWALL / "firewall.click").read_text().replace("pass.imb", "block_dns.imb")
    return launch(platform, click, frames=capture, files=[signed.directory / "block_dns.imb"])


def test_dns_is_dropped_and_nothing_else(blocking, firewall, capture):
    for function in (blocking, firewall):
        function.play(len(capture))
        function.settle()
    blocked = set(firewall.recorder.numbers) - set(blocking.recorder.numbers)
    assert set(blocking.recorder.numbers) <= set(firewall.recorder.numbers)
    # Frames made to hide their ports, which the program drops and scapy has no opinion on, are judged by the next test.
    assert {number for number in firewall.recorder.numbers if is_dns(capture[number])} <= blocked
    hidden = {number for number in blocked if not is_dns(capture[number])}
    assert all(hides_its_ports(capture[number]) for number in hidden)
    assert blocking.drops()["fw.dropped"] == len(blocked)


def hides_its_ports(frame):
    """A first fragment that ends before its ports, or more extension headers than the program follows."""
    packet = Ether(frame)
    ip = packet.getlayer(IP)
    if ip is not None:
        return "MF" in ip.flags and ip.frag == 0 and len(ip.payload) < 4
    return packet.haslayer(IPv6) and bytes(packet)[20] == 60
