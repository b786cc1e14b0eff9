"""The phones: N senders of 20 ms RTP that time what comes back with the kernel's own stamps."""

import argparse
import json
import select
import socket
import struct
import sys
import time
from typing import Final

from sip.rtp import RtpError, RtpPacket, build_rtp, parse_rtp

SLOTS: Final = 20
"""The calls are spread over the 20 ms, as independent phones are."""
WARM_UP_S: Final = 2.0
_SO_TIMESTAMPNS: Final = 35
_STAMP: Final = struct.Struct("@qq")


class Phone:
    """One call: sends on time, keeps timestamp (in frames) and arrival of every packet that returns."""

    def __init__(self, number: int, port: int) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.sock.connect(("127.0.0.1", port))
        self.ssrc, self.sent = number + 1, 0
        self.arrivals: list[tuple[int, float]] = []

    def send(self) -> None:
        payload = bytes([0x2A ^ (self.sent & 0x0F)]) * 160
        packet = RtpPacket(8, self.sent == 0, self.sent & 0xFFFF, self.sent * 160, self.ssrc, payload)
        self.sent += 1
        try:
            self.sock.send(build_rtp(packet))
        except OSError:
            return  # counts as lost

    def receive(self) -> None:
        try:
            data, ancillary, _, _ = self.sock.recvmsg(512, 64)
        except OSError:
            return
        seconds, nanoseconds = _STAMP.unpack_from(ancillary[0][2])
        try:
            packet = parse_rtp(data)
        except RtpError:
            return  # RTCP
        self.arrivals.append((packet.timestamp, seconds + nanoseconds / 1e9))


def run(ports: list[int], seconds: float) -> tuple[list[Phone], float]:
    """Call all ports for this long; the phones and the wall time at which measuring begins."""
    phones = [Phone(number, port) for number, port in enumerate(ports)]
    poll = select.epoll()
    by_handle = {phone.sock.fileno(): phone for phone in phones}
    for handle in by_handle:
        poll.register(handle, select.EPOLLIN)
    begin, wall = time.monotonic(), time.time()
    slot = 0
    while (now := time.monotonic()) < begin + seconds + WARM_UP_S:
        while begin + slot * 0.02 / SLOTS <= now:
            for phone in phones[slot % SLOTS :: SLOTS]:
                phone.send()
            slot += 1
        for handle, _ in poll.poll(max(begin + slot * 0.02 / SLOTS - time.monotonic(), 0), len(phones)):
            by_handle[handle].receive()
    return phones, wall + WARM_UP_S


def judge(phones: list[Phone], since: float) -> dict[str, float]:
    """Loss and lateness of what came back; late against the earliest packet of the same call.

    Counted by timestamps: a frame that a stalled server never sent is as lost as one that got lost.
    """
    expected = lost = later_20 = later_40 = 0
    worst = 0.0
    for phone in phones:
        begin = phone.arrivals[0][0] if phone.arrivals else 0
        kept = [(((stamp - begin + 80_000) & 0xFFFFFFFF) // 160, at) for stamp, at in phone.arrivals if at >= since]
        if not kept:
            expected, lost = expected + 1, lost + 1
            continue
        frames = {frame for frame, _ in kept}
        span = max(frames) - min(frames) + 1
        expected, lost = expected + span, lost + span - len(frames)
        due = [at - 0.02 * frame for frame, at in kept]
        late = [each - min(due) for each in due]
        later_20 += sum(each > 0.02 for each in late)
        later_40 += sum(each > 0.04 for each in late)
        worst = max(worst, *late)
    return {"expected": expected, "lost": lost, "later_than_20_ms": later_20, "later_than_40_ms": later_40,
            "worst_ms": worst * 1000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("ports", type=int, nargs="+")
    options = parser.parse_args()
    phones, since = run(options.ports, options.seconds)
    json.dump(judge(phones, since), sys.stdout)


if __name__ == "__main__":
    main()
