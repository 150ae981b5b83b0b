# SPDX-License-Identifier: BSD-3-Clause
"""Both ends of the wire: plays a capture into one unix datagram socket, records what comes out at another, and knows of every frame
what became of it. QEMU's `dgram` netdev and the process platform's `unix` NIC carry one frame per datagram.

Every frame carries its number in a trailer of 8 bytes, behind what the headers announce, where IP stacks look at nothing. The trailer
is the very end of the datagram: neither QEMU nor virtio pads frames on these paths.
"""
import os
import socket
import struct
import threading
import time

TRAILER = struct.Struct(">Q")
FRAME_MAX = 65536
CONNECT_SECONDS = 20
RECORD = struct.Struct("<IIII")  # of a pcap file: seconds, fraction, captured length, original length
HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)  # pcap with nanoseconds, Ethernet


def read_pcap(path):
    """The frames of a pcap file as a list of bytes."""
    data = path.read_bytes()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}[data[:4]]
    frames, at = [], 24
    while at < len(data):
        length = struct.unpack_from(order + "I", data, at + 8)[0]
        frames.append(data[at + RECORD.size:at + RECORD.size + length])
        at += RECORD.size + length
    return frames


def number_of(frame):
    return TRAILER.unpack_from(frame, len(frame) - TRAILER.size)[0]


class Recorder:
    """Owns the socket that the function's frames leave by; must exist before whatever sends to it starts. `numbers` is what came, in
    order; with `keep`, `frames` has (nanoseconds since the epoch, frame) of each too."""

    def __init__(self, path, keep=False):
        self.numbers, self.frames = [], []
        self.keep = keep
        self.too_short = 0
        self.socket = bound_socket(path)
        self.socket.settimeout(0.2)
        self.stopping = False
        self.thread = threading.Thread(target=self.record, name="recorder", daemon=True)
        self.thread.start()

    def record(self):
        while not self.stopping:
            try:
                frame = self.socket.recv(FRAME_MAX)
            except TimeoutError:
                continue
            if len(frame) < TRAILER.size:
                self.too_short += 1
                continue
            if self.keep:
                self.frames.append((time.time_ns(), frame))
            self.numbers.append(number_of(frame))

    def stop(self):
        self.stopping = True
        self.thread.join()
        self.socket.close()

    def write_pcap(self, path):
        with path.open("wb") as out:
            out.write(HEADER)
            for when, frame in self.frames:
                seconds, nanoseconds = divmod(when, 1_000_000_000)
                out.write(RECORD.pack(seconds, nanoseconds, len(frame), len(frame)) + frame)


class Sender:
    """Plays the capture round after round at `rate` frames per second, or as fast as the receiver takes them with rate None. A full
    receiver blocks it: it never drops. `sent` is the number of the next frame; at `limit` it ends, and goes on when started again.
    `primer` is a frame without number that goes ahead of the first."""

    def __init__(self, frames, local, remote, rate=None, primer=None):
        self.frames, self.remote, self.rate, self.primer = frames, remote, rate, primer
        self.sent = 0
        self.limit = None
        self.error = None
        self.socket = bound_socket(local)
        self.stopping = False
        self.thread = None

    def start(self):
        self.thread = threading.Thread(target=self.play, name="sender", daemon=True)
        self.thread.start()

    def play(self):
        try:
            self.connect()
            if self.primer:
                self.socket.send(self.primer)
            began = time.monotonic() - (self.sent / self.rate if self.rate else 0)
            while not self.stopping and self.sent != self.limit:
                if self.rate:
                    ahead = began + self.sent / self.rate - time.monotonic()
                    if ahead > 0:
                        time.sleep(ahead)
                frame = self.frames[self.sent % len(self.frames)]
                self.socket.send(frame + TRAILER.pack(self.sent))
                self.sent += 1
        except OSError as error:
            self.error = error

    def connect(self):
        """Waits for the receiver to be there, so that the first frame lies ready when it boots."""
        deadline = time.monotonic() + CONNECT_SECONDS
        while not self.stopping:
            try:
                return self.socket.connect(self.remote)
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.001)

    def stop(self):
        """Lets the frame that is being sent finish, then closes."""
        self.stopping = True
        if self.thread:
            self.thread.join()
        self.socket.close()

    def returned(self):
        """Frames that came back to the sender's end: a function that only forwards sends none. Call before stop."""
        count = 0
        try:
            while True:
                self.socket.recv(FRAME_MAX, socket.MSG_DONTWAIT)
                count += 1
        except BlockingIOError:
            return count


def bound_socket(path):
    end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    if os.path.exists(path):
        os.unlink(path)
    end.bind(path)
    return end


def wait_until(condition, seconds, what):
    """Polls until the condition holds and returns its value; TimeoutError says what did not happen."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.01)
