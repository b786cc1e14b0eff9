"""Telephone events: DTMF digits as RTP packets (RFC 4733)."""

import struct
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from sip.rtp.packet import RtpPacket
from sip.rtp.sequencer import FRAME_SAMPLES

DIGITS: Final = "0123456789*#ABCD"
_EVENT: Final = struct.Struct("!BBH")
END: Final = 0x80
LONGEST: Final = 0xFFFF
"""Duration at which a sender must begin a new segment (RFC 4733 section 2.5.1.3)."""
VOLUME: Final = 10
"""dBm0 below zero that we declare."""


@dataclass(frozen=True, slots=True)
class Digit:
    """A key that was pressed and let go."""

    digit: str
    duration_ms: int


_BEFORE_S: Final = 10
"""Timestamps that lead back at most so far are late; further back is a new timeline."""


class EventReceiver:
    """Turns event packets into one Digit per key press, whichever of its packets are lost.

    A press is reported at its first end packet; if all three were lost, when the next press begins or no
    packet has come for `patience` ticks. `clock`: Hz of the events' timestamps and durations.
    """

    def __init__(self, patience: int = 6, *, clock: int = 8000) -> None:
        self._patience, self._clock = patience, clock
        self._before = range(0x100000000 - _BEFORE_S * clock, 0x100000000)
        self._digit = ""
        self._segment: int | None = None
        self._earlier = self._duration = 0
        self._quiet = 0

    def receive(self, packet: RtpPacket) -> list[Digit]:
        """Digits that ended with this packet. Malformed packets and events that are no digit give none."""
        if len(packet.payload) < 4:
            return []
        event, flags, duration = _EVENT.unpack_from(packet.payload)
        if event >= len(DIGITS) or self._is_old(packet.timestamp):
            return []
        ended = self._begin(DIGITS[event], packet)
        self._quiet = 0
        self._duration = max(self._duration, duration)
        return ended + self._finish() if flags & END else ended

    def tick(self) -> list[Digit]:
        """20 ms have passed; a press that fell silent ends here."""
        if not self._digit:
            return []
        self._quiet += 1
        return self._finish() if self._quiet >= self._patience else []

    def _step(self, timestamp: int) -> int:
        return (timestamp - (timestamp if self._segment is None else self._segment)) & 0xFFFFFFFF

    def _is_old(self, timestamp: int) -> bool:
        """Late, or a repeated end packet of a press that was reported."""
        step = self._step(timestamp)
        return step in self._before or (step == 0 and not self._digit and self._segment is not None)

    def _begin(self, digit: str, packet: RtpPacket) -> list[Digit]:
        step = self._step(packet.timestamp)
        if self._digit and step == 0:
            return []
        if self._digit == digit and step == LONGEST and not packet.marker:
            self._segment, self._earlier, self._duration = packet.timestamp, self._earlier + LONGEST, 0
            return []
        ended = self._finish() if self._digit else []
        self._digit, self._segment = digit, packet.timestamp
        self._earlier = self._duration = 0
        return ended

    def _finish(self) -> list[Digit]:
        digit = Digit(self._digit, (self._earlier + self._duration) * 1000 // self._clock)
        self._digit = ""
        return [digit]


class EventPacket(NamedTuple):
    """One telephone-event payload and the tick at which its key press began."""

    payload: bytes
    started: int


class EventSender:
    """Plays queued digits, a packet per tick: key down, three end packets (RFC 4733 2.5.1.4), a pause."""

    def __init__(self, press_ms: int = 160, pause_ms: int = 80) -> None:
        self.units = FRAME_SAMPLES
        """Of the events' clock in 20 ms."""
        self._press = max(press_ms // 20, 2)
        self._pause = max(pause_ms // 20, 3)
        self._queue: deque[str] = deque()
        self._event = 0
        self._started: int | None = None
        self._idle_until = 0

    def queue(self, digits: str) -> None:
        """Add digits 0-9 * # A-D; ValueError for anything else, and then none of them is sent."""
        wanted = digits.upper()
        if strange := [digit for digit in wanted if digit not in DIGITS]:
            raise ValueError(f"{strange[0]!r} is no DTMF digit; send only {DIGITS}")
        self._queue.extend(wanted)

    @property
    def busy(self) -> bool:
        return self._started is not None or bool(self._queue)

    def tick(self, tick: int) -> EventPacket | None:
        """The packet to send now instead of audio, or None."""
        if self._started is None:
            if not self._queue or tick < self._idle_until:
                return None
            self._event, self._started = DIGITS.index(self._queue.popleft()), tick
        started, held = self._started, tick - self._started + 1
        end = held > self._press
        if held >= self._press + 3:
            self._started, self._idle_until = None, tick + self._pause
        duration = min(held, self._press) * self.units
        return EventPacket(_EVENT.pack(self._event, VOLUME | (END if end else 0), duration), started)
