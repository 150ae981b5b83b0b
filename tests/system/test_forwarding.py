# SPDX-License-Identifier: BSD-3-Clause
"""What goes in comes out, unchanged and in order, or stands in a drop counter."""
import struct

from wire import TRAILER, number_of, wait_until

THROUGH = "FromDevice(eth0) -> Queue(4096) -> ToDevice(eth1);"
FORWARDED_TYPES = {0x0806, 0x0800, 0x86DD, 0x8100}  # firewall.click's patterns, read independently
ROUNDS = 4


def forwards(frame):
    return len(frame) >= 14 and struct.unpack_from(">H", frame, 12)[0] in FORWARDED_TYPES


def with_trailer(frame, number=0):
    return frame + TRAILER.pack(number)


def test_every_frame_of_the_capture_is_forwarded_in_order_or_counted(firewall, capture):
    sent = ROUNDS * len(capture)
    firewall.play(sent)
    drops = firewall.settle()
    expected = [number for number in range(sent) if forwards(with_trailer(capture[number % len(capture)]))]
    assert firewall.recorder.numbers == expected
    assert drops == {"other.discarded": sent - len(expected)}


def test_forwarded_frames_are_unchanged(firewall, capture):
    firewall.play(len(capture))
    firewall.settle()
    assert firewall.recorder.frames
    for _, frame in firewall.recorder.frames:
        number = number_of(frame)
        assert frame == with_trailer(capture[number], number)


def test_frames_of_every_length_pass(launch, platform):
    # From the trailer alone to the largest frame with a VLAN tag. The function looks at nothing but the length.
    frames = [bytes([length & 0xFF]) * length for length in (0, 1, 5, 6, 13, 14, 59, 60, 63, 64, 65, 1000, 1509, 1510)]
    function = launch(platform, THROUGH, frames=frames)
    function.play(10 * len(frames))
    assert function.settle() == {}
    assert function.recorder.numbers == list(range(10 * len(frames)))
    assert [len(frame) for _, frame in function.recorder.frames[:len(frames)]] == [len(frame) + TRAILER.size for frame in frames]


def test_a_frame_longer_than_a_buffer_is_counted_and_harms_nothing(launch):
    # Only on the process platform: QEMU itself discards what does not fit into a virtio buffer, without telling the guest.
    function = launch("process", THROUGH, frames=[bytes(60), bytes(4000)])
    function.play(20)
    assert function.settle() == {"eth0.rx_too_long": 10}
    assert function.recorder.numbers == list(range(0, 20, 2))


def test_a_full_queue_drops_and_counts(launch, platform):
    # Nothing takes from a queue that Idle reads, so 8 frames stay in it and the others are its drops.
    function = launch(platform, "FromDevice(eth0) -> q :: Queue(8) -> Idle;", frames=[bytes(60)])
    function.play(50)
    wait_until(lambda: function.drops() == {"q.full": 42}, 20, "42 drops of the queue")


def test_counters_agree_with_the_wire(firewall, capture):
    firewall.play(2 * len(capture))
    drops = firewall.settle()
    stats = {name: int(value) for name, value in firewall.table("stats").items()}
    assert stats["eth0.rx_packets"] == firewall.sender.sent == firewall.number("received.count")
    assert stats["eth1.tx_packets"] == len(firewall.recorder.numbers) == firewall.number("forwarded.count")
    assert stats["eth0.tx_packets"] == firewall.sender.returned() == 0
    assert sum(drops.values()) == firewall.sender.sent - len(firewall.recorder.numbers)
