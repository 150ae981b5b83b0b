# SPDX-License-Identifier: BSD-3-Clause
"""The committed capture is what its script makes."""
import subprocess
import sys

from imago import FIREWALL


def test_the_script_makes_the_committed_capture_byte_for_byte(tmp_path):
    output = tmp_path / "traffic.pcap"
    subprocess.run([sys.executable, FIREWALL / "make_traffic.py", output], check=True, timeout=60)
    assert output.read_bytes() == (FIREWALL / "traffic.pcap").read_bytes()


def test_the_capture_is_small_enough_for_a_repository():
    assert (FIREWALL / "traffic.pcap").stat().st_size <= 256 * 1024
