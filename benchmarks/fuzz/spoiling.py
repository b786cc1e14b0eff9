"""Seeded mutations of bytes: what a broken or hostile sender makes of a good message."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence

TOKENS = (
    b"\r\n", b"\r\n ", b";", b",", b'"', b"<", b">", b":", b"\\", b"\x00", b"@", b"[", b"%", b"=", b"\xff", b"\xe4",
    b"\t", b"()", b"99999999999", b"-1", b"Content-Length: 4294967295\r\n", b"sip:", b"SIP/2.0",
)  # fmt: skip


class Spoiler:
    """One stream of chance: the same seed spoils the same way."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def spoil(self, data: bytes) -> bytes:
        """One to four mutations."""
        for _ in range(self.chance.randint(1, 4)):
            change: Callable[[bytes], bytes] = self.chance.choice(
                (self._flip, self._insert, self._cut, self._repeat, self._truncate, self._swap_lines, self._grow)
            )
            data = change(data)
        return data

    def _place(self, data: bytes) -> int:
        return self.chance.randrange(len(data) + 1)

    def _flip(self, data: bytes) -> bytes:
        if not data:
            return data
        at = self.chance.randrange(len(data))
        return data[:at] + bytes([self.chance.randrange(256)]) + data[at + 1 :]

    def _insert(self, data: bytes) -> bytes:
        at = self._place(data)
        return data[:at] + self.chance.choice(TOKENS) + data[at:]

    def _cut(self, data: bytes) -> bytes:
        at = self._place(data)
        return data[:at] + data[at + self.chance.randint(1, 60) :]

    def _repeat(self, data: bytes) -> bytes:
        at = self._place(data)
        piece = data[at : at + self.chance.randint(1, 40)]
        return data[:at] + piece * self.chance.randint(2, 20) + data[at:]

    def _truncate(self, data: bytes) -> bytes:
        return data[: self._place(data)]

    def _swap_lines(self, data: bytes) -> bytes:
        lines = data.split(b"\r\n")
        self.chance.shuffle(lines)
        return b"\r\n".join(lines)

    def _grow(self, data: bytes) -> bytes:
        at = self._place(data)
        return (
            data[:at] + bytes([self.chance.choice(b'Aa 0\x00<"')]) * self.chance.choice((100, 1000, 9000)) + data[at:]
        )

    def noise(self, limit: int = 400) -> bytes:
        return self.chance.randbytes(self.chance.randrange(limit))

    def rtp(self, payload_types: Sequence[int] = (0, 8, 9, 13, 101, 127)) -> bytes:
        """A packet that looks like RTP: any source, any leap of sequence and time."""
        chance = self.chance
        first = 0x80 | chance.choice((0, 0, 0, 1, 15, 16, 32))
        head = struct.pack(
            "!BBHII",
            first,
            chance.choice(payload_types) | chance.choice((0, 128)),
            chance.randrange(1 << 16),
            chance.randrange(1 << 32),
            chance.randrange(1 << 32),
        )
        return head + chance.randbytes(chance.choice((0, 1, 4, 160, 160, 160, 1400)))

    def rtcp(self) -> bytes:
        """A packet that looks like RTCP, its length a lie as often as not."""
        chance = self.chance
        words = chance.choice((0, 1, 6, 12, 65535))
        body = chance.randbytes(chance.choice((0, 4, 24, 48)))
        return struct.pack("!BBH", 0x80 | chance.randrange(32), chance.choice((200, 201, 202, 203, 204)), words) + body
