"""A debtor's telephone: says its lines in turn, cuts in once, and times the bot's answers on the wire, without a model.

All times are those of packets: the one with the last sample of our speech leaves, the one with the bot's first loud
sample arrives (the kernel's stamp). No jitter buffer and no sound card stands between.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.line.phones import Phone
from sip.codec.g711 import PCMA
from sip.rtp import RtpPacket

FRAME_BYTES: Final = 320
LOUD: Final = 250
"""A sample above about -42 dBFS is more than line noise."""
QUIET_S: Final = 1.2
"""The bot has finished when it was silent for so long: longer than any pause in or between its sentences should be."""
SOONEST_S: Final = 0.18
"""Sound that comes sooner is no answer, for everybody waits longer: the bot had not finished and we cut in."""
GIVE_UP_S: Final = 8.0
CUTS_IN_AFTER_S: Final = 1.0
"""How long the bot has spoken when we interrupt it."""
STILL_SPEAKS_S: Final = 0.1
SILENT_S: Final = 0.6
"""An interrupted bot is silent when nothing loud came for so long; less is a pause."""
_TONE: Final = (6000 * np.sin(2 * np.pi * 450 * np.arange(800) / 8000)).astype("<i2").tobytes()
_RING: Final = tuple(PCMA.encode(_TONE[at : at + FRAME_BYTES]) for at in range(0, len(_TONE), FRAME_BYTES))
"""45 whole periods of the ringing tone in five frames."""
_QUIET_CODES: Final = bytes(code for code in range(256) if PCMA.magnitude[code] * 128 < LOUD)


@dataclass(frozen=True, slots=True)
class Line:
    """What a debtor says: PCMA frames of 20 ms. `cuts_in`: into the bot's words; `third_s`: when, from its beginning,
    the third syllable is out."""

    frames: tuple[bytes, ...]
    cuts_in: bool = False
    third_s: float = 0.0


@dataclass(slots=True)
class Heard:
    """What a telephone noted, in seconds; counts of what can't be timed."""

    first_words_s: list[float] = field(default_factory=list)
    turns_s: list[float] = field(default_factory=list)
    turned_at: list[float] = field(default_factory=list)
    """When each of these answers came, as time.time() has it."""
    stops_s: list[float] = field(default_factory=list)
    """From our first sound to the bot's last one when we cut in."""
    stops_after_third_s: list[float] = field(default_factory=list)
    """The same from the end of our third syllable."""
    cut_in: int = 0
    talked_over: int = 0
    unanswered: int = 0


def trimmed(pcm: bytes) -> bytes:
    """Speech without the silence at both ends, so that its last sample is its last sound."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(int)) > LOUD)
    return pcm[2 * int(loud[0]) : 2 * (int(loud[-1]) + 1)] if len(loud) else b""


def framed(pcm: bytes) -> tuple[bytes, ...]:
    """PCMA frames of speech; the silence that fills the frames up stands at the beginning."""
    pcm = bytes(-len(pcm) % FRAME_BYTES) + pcm
    return tuple(PCMA.encode(pcm[at : at + FRAME_BYTES]) for at in range(0, len(pcm), FRAME_BYTES))


def is_loud(payload: bytes) -> bool:
    return bool(payload.translate(None, _QUIET_CODES))


class RingingPhone(Phone):
    """Nobody is at home: the caller hears it ring, as the exchange plays it (450 Hz, one second in five)."""

    codec = PCMA.payload_type

    def payload(self) -> bytes:
        return _RING[self.sent % 5] if self.sent % 250 < 50 else PCMA.silent_frame

    def arrived(self, packet: RtpPacket, at: float) -> None:
        """Nobody listens."""


class TalkingPhone(Phone):
    """One call from the debtor's side. `heard` is what counts."""

    codec = PCMA.payload_type

    def __init__(self, number: int, lines: Sequence[Line]) -> None:
        super().__init__(number)
        self.heard = Heard()
        self.answered_at = time.time()
        """A telephone is made when it answers."""
        self._lines = list(lines)[::-1]
        self._lips: list[bytes] = []
        self._began_at = self._third_at = self._spoke_at = 0.0
        self._bot_began_at: float | None = None
        self._bot_last_at = 0.0
        self._waits = self._stopping = False

    @property
    def done(self) -> bool:
        """Everything was said, and the last of it answered or not."""
        return not (self._lines or self._lips or self._waits)

    # --- what we say ---------------------------------------------------------------------------------------

    def payload(self) -> bytes:
        now = time.time()
        self._think(now)
        if not self._lips:
            return PCMA.silent_frame
        frame = self._lips.pop()
        if not self._lips:
            self._spoke_at, self._waits = now, True
        return frame

    def _think(self, now: float) -> None:
        if self._stopping and now - self._bot_last_at >= SILENT_S:
            self._stopping = False
            self.heard.stops_s.append(max(self._bot_last_at - self._began_at, 0.0))
            self.heard.stops_after_third_s.append(max(self._bot_last_at - self._third_at, 0.0))
        if self._waits and now - self._spoke_at > GIVE_UP_S:
            self._waits = False
            self.heard.unanswered += 1
        if self._lines and not self._lips and not self._waits and self._is_due(self._lines[-1], now):
            self._begin(self._lines.pop(), now)

    def _is_due(self, line: Line, now: float) -> bool:
        if self._bot_began_at is None:
            return False
        quiet_s = now - self._bot_last_at
        if line.cuts_in:
            return quiet_s < STILL_SPEAKS_S and now - self._bot_began_at >= CUTS_IN_AFTER_S
        return quiet_s >= QUIET_S

    def _begin(self, line: Line, now: float) -> None:
        self._lips = list(line.frames[::-1])
        self._began_at, self._third_at, self._stopping = now, now + line.third_s, line.cuts_in

    # --- what we hear --------------------------------------------------------------------------------------

    def arrived(self, packet: RtpPacket, at: float) -> None:
        self.arrivals.append((packet.timestamp, at))
        if not is_loud(packet.payload):
            return
        quiet_s, self._bot_last_at = at - self._bot_last_at, at
        if self._bot_began_at is None:
            self._bot_began_at = at
            self.heard.first_words_s.append(at - self.answered_at)
        elif self._waits and not self._stopping:
            self._answered(at)
        elif self._lips and not self._stopping and quiet_s > SILENT_S:
            self.heard.talked_over += 1

    def _answered(self, at: float) -> None:
        self._waits, self._bot_began_at = False, at
        waited_s = at - self._spoke_at
        if waited_s < SOONEST_S:
            self.heard.cut_in += 1
        else:
            self.heard.turns_s.append(waited_s)
            self.heard.turned_at.append(at)
