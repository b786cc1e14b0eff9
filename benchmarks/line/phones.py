"""The phones: senders of 20 ms RTP that time what comes back with the kernel's own stamps."""

import select
import socket
import struct
import threading
import time
from typing import Any, Final

from sip.rtp import RtpError, RtpPacket, build_rtp, parse_rtp

SLOTS: Final = 20
"""The calls are spread over the 20 ms, as independent phones are."""
PCMU: Final = 0
_SO_TIMESTAMPNS: Final = 35
_STAMP: Final = struct.Struct("@qq")


class Phone:
    """One call: sends on time, keeps timestamp and arrival of every packet that returns."""

    codec = PCMU

    def __init__(self, number: int) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.sock.bind(("127.0.0.1", 0))
        self.ssrc, self.sent = number + 1, 0
        self.arrivals: list[tuple[int, float]] = []

    @property
    def port(self) -> int:
        return int(self.sock.getsockname()[1])

    def payload(self) -> bytes:
        """What to send now: 20 ms of the codec."""
        return bytes([0x2A ^ (self.sent & 0x0F)]) * 160

    def arrived(self, packet: RtpPacket, at: float) -> None:
        """`at`: the kernel's stamp, as time.time() has it."""
        self.arrivals.append((packet.timestamp, at))

    def send(self) -> None:
        payload = self.payload()
        packet = RtpPacket(self.codec, self.sent == 0, self.sent & 0xFFFF, self.sent * 160, self.ssrc, payload)
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
        self.arrived(packet, seconds + nanoseconds / 1e9)


class Booth(threading.Thread):
    """All phones of the far end on one clock; phones come in while it runs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.phones: list[Phone] = []
        self._by_handle: dict[int, Phone] = {}
        self._poll = select.epoll()
        self._closing = False

    def call(self, phone: Phone, address: tuple[str, int]) -> None:
        """From now on this phone talks to `address`."""
        phone.sock.connect(address)
        self._by_handle[phone.sock.fileno()] = phone
        self._poll.register(phone.sock.fileno(), select.EPOLLIN)
        self.phones.append(phone)

    def hang_up(self, phone: Phone) -> None:
        """This phone says nothing any more."""
        if phone in self.phones:
            self.phones.remove(phone)

    def close(self) -> None:
        self._closing = True
        self.join()

    def run(self) -> None:
        begin, slot = time.monotonic(), 0
        while not self._closing:
            while begin + slot * 0.02 / SLOTS <= time.monotonic():
                for phone in tuple(self.phones[slot % SLOTS :: SLOTS]):
                    phone.send()
                slot += 1
            wait_s = max(begin + slot * 0.02 / SLOTS - time.monotonic(), 0)
            for handle, _ in self._poll.poll(wait_s, 256):
                self._by_handle[handle].receive()


def judge(phones: list[Phone], since: float, until: float) -> dict[str, Any]:
    """Loss and lateness of what came back; late against the earliest packet of the same call.

    Counted by timestamps: a frame that a stalled server never sent is as lost as one that got lost. `late` has those
    later than 20 ms: when they were due and when they arrived.
    """
    expected = lost = 0
    late = list[tuple[float, float]]()
    worst = 0.0
    for phone in phones:
        begin = phone.arrivals[0][0] if phone.arrivals else 0
        kept = [(((stamp - begin + 80_000) & 0xFFFFFFFF) // 160, at) for stamp, at in phone.arrivals
                if since <= at < until]
        due_packets = round((until - since) * 50)
        expected += due_packets
        lost += max(due_packets - len({frame for frame, _ in kept}), 0)
        due = [at - 0.02 * frame for frame, at in kept]
        behind = [each - min(due) for each in due]
        late += [(at - by, at) for (_, at), by in zip(kept, behind, strict=True) if by > 0.02]
        worst = max(worst, *behind, 0.0)
    later_40 = sum(at - due > 0.04 for due, at in late)
    return {"expected": expected, "lost": lost, "later_than_20_ms": len(late), "later_than_40_ms": later_40,
            "worst_ms": worst * 1000, "late": late}
