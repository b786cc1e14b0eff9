"""JitterBuffer: Opus packets come in as the network delivers them, one goes out every 20 ms.

The buffer holds between SHORTEST and LONGEST frames: a packet that comes too late makes it wait one frame longer, two
seconds without need make it one frame shorter. The same two moves follow a browser whose clock runs slow or fast.
"""

from __future__ import annotations

from collections import deque
from typing import Final

CLOCK: Final = 48_000
"""Opus counts time stamps at 48 kHz whatever it carries (RFC 7587 section 4.1)."""
SLOT: Final = CLOCK // 50
SHORTEST: Final = 2
"""Frames between a packet's coming and its turn, at best: 40 ms."""
LONGEST: Final = 6
"""120 ms; who waits longer talks over the other."""
_JUDGED: Final = 100
"""Packets over which the buffer finds out that it waits too long: two seconds."""
_LOST_TRACK: Final = 50
"""A time stamp this many frames away begins a new timeline: the sender paused, or another one sends."""
_LATE_RUN: Final = 8
"""So many packets in a row behind their turn mean that the timeline itself has moved."""


class JitterBuffer:
    """`push` each packet, `pop` once per 20 ms. Order, duplicates, loss, pauses and foreign clocks are its matter."""

    def __init__(self) -> None:
        self._packets: dict[int, bytes] = {}
        self._last_stamp: int | None = None
        self._position = 0
        """Unwrapped time stamp of the newest packet, in samples."""
        self._next = 0
        self._newest = 0
        self._wait = 0
        self._late_run = 0
        self._slacks: deque[int] = deque(maxlen=_JUDGED)
        self.received = self.late = self.missing = self.stretched = self.dropped = 0

    @property
    def depth(self) -> int:
        """Frames from the next to the newest: what the buffer adds to the delay now."""
        return max(0, self._newest - self._next + 1) if self._packets else 0

    @property
    def surplus(self) -> bool:
        """Whether a frame may be left out, best a quiet one: nothing needed the whole delay for two seconds."""
        return len(self._slacks) == _JUDGED and min(self._slacks) > SHORTEST

    def push(self, stamp: int, payload: bytes) -> None:
        """Take a packet; `stamp` is its RTP time stamp."""
        self.received += 1
        slot = self._slot(stamp)
        if self._last_stamp is None or abs(slot - self._next) > _LOST_TRACK:
            self._begin(stamp)
            slot = self._slot(stamp)
        slack = slot - self._next
        if slack < 0:
            self._too_late(slot, stamp, payload)
            return
        self._late_run = 0
        self._slacks.append(slack)
        self._keep(slot, stamp, payload)

    def pop(self) -> bytes | None:
        """The packet whose turn it is; None when it is not here: conceal."""
        if self._wait:
            self._wait -= 1
            return None
        if self._last_stamp is None or self._next > self._newest:
            return None  # nothing more to play: the sender pauses, or everything is on its way
        payload = self._packets.pop(self._next, None)
        self._next += 1
        if payload is None:
            self.missing += 1
        return payload

    def shorten(self) -> bytes | None:
        """`pop` once more in the same 20 ms: one frame less delay."""
        self.dropped += 1
        self._slacks.clear()
        return self.pop()

    def _begin(self, stamp: int) -> None:
        """Start a timeline at this packet, SHORTEST frames from now."""
        self._packets.clear()
        self._slacks.clear()
        self._last_stamp, self._position = stamp, 0
        self._next = self._newest = 0
        self._late_run = 0
        self._wait = SHORTEST

    def _slot(self, stamp: int) -> int:
        """Which 20 ms of the timeline this is; time stamps wrap at 32 bits (RFC 3550 section 5.1)."""
        if self._last_stamp is None:
            return 0
        ahead = (stamp - self._last_stamp + (1 << 31)) % (1 << 32) - (1 << 31)
        return (self._position + ahead) // SLOT

    def _keep(self, slot: int, stamp: int, payload: bytes) -> None:
        if slot >= self._newest:
            self._position += (stamp - (self._last_stamp or 0) + (1 << 31)) % (1 << 32) - (1 << 31)
            self._last_stamp, self._newest = stamp, slot
        self._packets[slot] = payload
        while self._newest - self._next + 1 > LONGEST:  # what piled up during a stall is not worth talking late
            self._packets.pop(self._next, None)
            self._next += 1
            self.dropped += 1

    def _too_late(self, slot: int, stamp: int, payload: bytes) -> None:
        """One late packet buys the next ones 20 ms more; many in a row mean that the timeline has moved."""
        self.late += 1
        self._late_run += 1
        if self._late_run >= _LATE_RUN:
            self._begin(stamp)
            self._keep(0, stamp, payload)
        elif self._newest - self._next + 1 + self._wait < LONGEST and not self._wait:
            self._wait = 1
            self.stretched += 1
            self._slacks.clear()
