"""Who or what answered, by sound alone: beeps, call progress tones, and the short hello of a person.

Words tell more (announcements, greetings of voicemail); they are heard elsewhere.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from voicebot.audio.frames import TICK_MS
from voicebot.audio.tones import Tone, tone_of

BEEP_HZ: Final = (780.0, 1420.0)
BEEP_TICKS: Final = 7
"""A beep lasts at least 150 ms: seven whole frames wherever it begins."""
_STEADY_HZ, _STEADY_DB = 15.0, 3.0
PROGRESS_HZ: Final = (435.0, 465.0)
"""China's exchanges use 450 Hz for everything (GB 3380)."""


class AnswerKind(StrEnum):
    PERSON = "person"
    VOICEMAIL_BEEP = "voicemail_beep"
    ANNOUNCEMENT_TONE = "announcement_tone"
    UNKNOWN = "unknown"


class ProgressTone(StrEnum):
    RINGBACK = "ringback"
    BUSY = "busy"
    CONGESTION = "congestion"


@dataclass(frozen=True, slots=True)
class Cadence:
    """How long a progress tone sounds and pauses, in milliseconds."""

    tone: ProgressTone
    on_ms: int
    off_ms: int

    def fits(self, on_ms: int, off_ms: int) -> bool:
        """Within a tenth and two ticks."""
        return (abs(on_ms - self.on_ms) <= self.on_ms // 10 + 2 * TICK_MS
                and abs(off_ms - self.off_ms) <= self.off_ms // 10 + 2 * TICK_MS)


CADENCES: Final = (
    Cadence(ProgressTone.RINGBACK, 1000, 4000),
    Cadence(ProgressTone.BUSY, 350, 350),
    Cadence(ProgressTone.CONGESTION, 700, 700),
)


class BeepDetector:
    """Hears the beep after which one may leave a message."""

    def __init__(self) -> None:
        self._first: Tone | None = None
        self._ticks = 0

    def feed(self, pcm: bytes) -> bool:
        """Take 20 ms; True once per beep, as soon as it has lasted."""
        tone = tone_of(pcm)
        if tone is None or not BEEP_HZ[0] <= tone.hertz <= BEEP_HZ[1]:
            self._first, self._ticks = None, 0
        elif self._first is None or not _same(self._first, tone):
            self._first, self._ticks = tone, 1
        else:
            self._ticks += 1
        return self._ticks == BEEP_TICKS


class ProgressDetector:
    """Tells ringback, busy and congestion by the rhythm of 450 Hz."""

    def __init__(self) -> None:
        self._on = self._off = 0
        self._last_on = 0
        self._seen: tuple[ProgressTone, int] | None = None

    def feed(self, pcm: bytes) -> ProgressTone | None:
        """Take 20 ms; a tone once its rhythm was there twice (ringback: one whole second and its pause)."""
        tone = tone_of(pcm)
        if tone is not None and PROGRESS_HZ[0] <= tone.hertz <= PROGRESS_HZ[1]:
            return self._sounds()
        self._pauses()
        return None

    def _sounds(self) -> ProgressTone | None:
        self._on += 1
        if not self._off:
            return None
        told = self._rhythm(self._last_on * TICK_MS, self._off * TICK_MS)
        self._off = 0
        return told

    def _pauses(self) -> None:
        if self._on:
            self._last_on, self._on = self._on, 0
        self._off += 1 if self._last_on else 0

    def _rhythm(self, on_ms: int, off_ms: int) -> ProgressTone | None:
        for cadence in CADENCES:
            if cadence.fits(on_ms, off_ms):
                times = self._seen[1] + 1 if self._seen and self._seen[0] is cadence.tone else 1
                self._seen = cadence.tone, times
                enough = 1 if cadence.tone is ProgressTone.RINGBACK else 2
                return cadence.tone if times >= enough else None
        self._seen = None
        return None


@dataclass(frozen=True, slots=True)
class HelloRule:
    """A person says little and waits: 「喂？」 Speech this short, then silence this long."""

    shortest_ms: int = 100
    longest_ms: int = 2400
    silence_ms: int = 700


class AnswerClassifier:
    """Fed from the moment of answer (never with early media), until `kind` is no longer UNKNOWN."""

    def __init__(self, rule: HelloRule | None = None) -> None:
        self.kind = AnswerKind.UNKNOWN
        self._rule = rule or HelloRule()
        self._beeps, self._progress = BeepDetector(), ProgressDetector()
        self._spoken_ms = self._silent_ms = 0

    def feed(self, pcm: bytes, speaking: bool) -> AnswerKind:
        """Take 20 ms and whether voice activity hears somebody speak; the verdict so far."""
        if self.kind is not AnswerKind.UNKNOWN:
            return self.kind
        if self._beeps.feed(pcm):
            self.kind = AnswerKind.VOICEMAIL_BEEP
        elif self._progress.feed(pcm) is not None:
            self.kind = AnswerKind.ANNOUNCEMENT_TONE
        elif self._was_hello(speaking):
            self.kind = AnswerKind.PERSON
        return self.kind

    def _was_hello(self, speaking: bool) -> bool:
        if speaking:
            self._spoken_ms += TICK_MS
            self._silent_ms = 0
        else:
            self._silent_ms += TICK_MS
        rule = self._rule
        return (rule.shortest_ms <= self._spoken_ms <= rule.longest_ms
                and self._silent_ms >= rule.silence_ms)


def _same(first: Tone, now: Tone) -> bool:
    return (abs(first.hertz - now.hertz) <= _STEADY_HZ
            and abs(first.level_dbfs - now.level_dbfs) <= _STEADY_DB)
