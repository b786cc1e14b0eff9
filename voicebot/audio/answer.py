"""What a line plays before anybody speaks: progress tones, information tones, faxes, beeps, music; and a short hello.

Words tell more (announcements, greetings of voicemail); they are heard elsewhere.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from voicebot.audio.frames import TICK_MS
from voicebot.audio.tones import Look, Tone, look

BEEP_HZ: Final = (780.0, 1420.0)
BEEP_TICKS: Final = 7
"""A beep lasts at least 150 ms: seven whole frames wherever it begins."""
_STEADY_HZ, _STEADY_DB = 15.0, 3.0
PROGRESS_HZ: Final = (435.0, 465.0)
"""China's exchanges use 450 Hz for everything (GB 3380)."""
INFORMATION_HZ: Final = (950.0, 1400.0, 1800.0)
"""The special information tone before an announcement (ITU-T E.180): these three, 330 ms each."""
_INFORMATION_NEAR_HZ: Final = 40.0
CALLED_FAX_HZ, CALLING_FAX_HZ = 2100.0, 1100.0
"""ITU-T T.30: the answer tone CED, the calling tone CNG."""
_FAX_NEAR_HZ: Final = 38.0
_CED_TICKS: Final = 30
_CNG_TICKS: Final = range(21, 28)
"""A calling tone lasts 500 ms within 15 per cent."""


class LineSound(StrEnum):
    """What a machine plays. Ringback and music say that nobody has answered yet, or that one has to wait."""

    RINGBACK = "ringback"
    MUSIC = "music"
    BUSY = "busy_tone"
    CONGESTION = "congestion_tone"
    VACANT = "vacant_tone"
    INFORMATION = "information_tone"
    FAX = "fax"
    BEEP = "beep"


@dataclass(frozen=True, slots=True)
class Cadence:
    """How long a progress tone sounds and pauses, in milliseconds."""

    tone: LineSound
    on_ms: int
    off_ms: int

    def fits(self, on_ms: int, off_ms: int) -> bool:
        """Within a tenth and two ticks."""
        return near(on_ms, self.on_ms) and near(off_ms, self.off_ms)


def near(ms: int, meant_ms: int) -> bool:
    return abs(ms - meant_ms) <= meant_ms // 10 + 2 * TICK_MS


CADENCES: Final = (
    Cadence(LineSound.BUSY, 350, 350),
    Cadence(LineSound.CONGESTION, 700, 700),
)
RINGING_MS, RINGS_APART_MS = 1000, 1200
"""Ringback sounds for a second and then not for four; no other tone pauses as long as this."""
_VACANT_MS: Final = (100, 100, 100, 400)
"""Number unobtainable: three short ones and a long one."""


class BeepDetector:
    """Hears the beep after which one may leave a message."""

    def __init__(self) -> None:
        self._first: Tone | None = None
        self._ticks = 0

    def feed(self, tone: Tone | None) -> bool:
        """Take the tone of 20 ms; True once per beep, as soon as it has lasted."""
        if tone is None or not BEEP_HZ[0] <= tone.hertz <= BEEP_HZ[1]:
            self._first, self._ticks = None, 0
        elif self._first is None or not _same(self._first, tone):
            self._first, self._ticks = tone, 1
        else:
            self._ticks += 1
        return self._ticks == BEEP_TICKS


class ProgressDetector:
    """Tells ringback, busy, congestion and vacant number by the rhythm of 450 Hz."""

    def __init__(self) -> None:
        self._on = self._off = 0
        self._last_on = 0
        self._ons: deque[int] = deque(maxlen=len(_VACANT_MS))
        self._seen: tuple[LineSound, int] | None = None

    def feed(self, tone: Tone | None) -> LineSound | None:
        """Take the tone of 20 ms; a sound once its rhythm was there twice (ringback: one second and a pause)."""
        if tone is not None and PROGRESS_HZ[0] <= tone.hertz <= PROGRESS_HZ[1]:
            return self._sounds()
        self._pauses()
        rang = near(self._last_on * TICK_MS, RINGING_MS) and self._off * TICK_MS == RINGS_APART_MS
        return LineSound.RINGBACK if rang else None

    def _sounds(self) -> LineSound | None:
        self._on += 1
        if not self._off:
            return None
        self._ons.append(self._last_on * TICK_MS)
        told = self._rhythm(self._last_on * TICK_MS, self._off * TICK_MS)
        self._off = 0
        if len(self._ons) == len(_VACANT_MS) and all(map(near, self._ons, _VACANT_MS)):
            return LineSound.VACANT
        return told

    def _pauses(self) -> None:
        if self._on:
            self._last_on, self._on = self._on, 0
        self._off += 1 if self._last_on else 0

    def _rhythm(self, on_ms: int, off_ms: int) -> LineSound | None:
        for cadence in CADENCES:
            if cadence.fits(on_ms, off_ms):
                times = self._seen[1] + 1 if self._seen and self._seen[0] is cadence.tone else 1
                self._seen = cadence.tone, times
                return cadence.tone if times >= 2 else None
        self._seen = None
        return None


class InformationDetector:
    """Hears the three rising tones that come before an announcement."""

    _LONG_ENOUGH: Final = 11
    _GAP: Final = 4

    def __init__(self) -> None:
        self._step = self._ticks = self._gap = 0

    @property
    def under_way(self) -> bool:
        """True while it may still become one: its first tone sounds, or has just ended."""
        return self._step > 0 or self._ticks > 0

    def feed(self, tone: Tone | None) -> bool:
        """Take the tone of 20 ms; True once, at the third."""
        if _is(tone, INFORMATION_HZ[self._step], _INFORMATION_NEAR_HZ):
            self._ticks, self._gap = self._ticks + 1, 0
            if self._step == 2 and self._ticks == self._LONG_ENOUGH:
                self._step = self._ticks = 0
                return True
        elif self._ticks >= self._LONG_ENOUGH and self._step < 2 and self._ticks <= 2 * self._LONG_ENOUGH:
            self._step, self._ticks, self._gap = self._step + 1, 0, 1
        else:
            self._gap += 1
            if self._ticks or self._gap > self._GAP:
                self._step = self._ticks = self._gap = 0
        return False


class FaxDetector:
    """Hears the long answer tone of a fax or modem, and the short calling tone of one that rings us."""

    def __init__(self) -> None:
        self._ced = self._missed = self._cng = 0

    @property
    def under_way(self) -> bool:
        """True while a tone sounds that may become a calling tone."""
        return self._cng > 0

    def feed(self, tone: Tone | None) -> bool:
        """Take the tone of 20 ms; True once it is beyond doubt."""
        return self._called(tone) or self._calling(tone)

    def _called(self, tone: Tone | None) -> bool:
        """Its phase turns over every 450 ms, which spoils a frame each time."""
        if _is(tone, CALLED_FAX_HZ, _FAX_NEAR_HZ):
            self._ced, self._missed = self._ced + 1, 0
        else:
            self._missed += 1
            self._ced = self._ced if self._missed <= 2 else 0
        return self._ced == _CED_TICKS and not self._missed

    def _calling(self, tone: Tone | None) -> bool:
        if _is(tone, CALLING_FAX_HZ, _FAX_NEAR_HZ):
            self._cng += 1
            return False
        lasted, self._cng = self._cng, 0
        return tone is None and lasted in _CNG_TICKS


class MusicDetector:
    """Hears music: sound without a pause, made of few frequencies, that no voice activity takes for a voice."""

    _TICKS: Final = 75
    _SOUNDING, _TONAL, _VOICED = 70, 53, 30
    _CONCENTRATED: Final = 0.75

    def __init__(self) -> None:
        self._window: deque[tuple[bool, bool, bool]] = deque([(False, False, False)] * self._TICKS)
        self._sounding = self._tonal = self._voiced = 0

    def feed(self, seen: Look | None, voice: bool) -> bool:
        """Take a look at 20 ms and whether voice activity hears a voice; True whenever the last 1.5 s were music."""
        tonal = seen is not None and seen.tone is None and seen.concentration > self._CONCENTRATED
        now, past = (seen is not None, tonal, voice), self._window.popleft()
        self._window.append(now)
        self._sounding += now[0] - past[0]
        self._tonal += now[1] - past[1]
        self._voiced += now[2] - past[2]
        return self._sounding >= self._SOUNDING and self._tonal >= self._TONAL and self._voiced <= self._VOICED


class LineSounds:
    """All of them together, for one call."""

    def __init__(self) -> None:
        self._beeps, self._progress = BeepDetector(), ProgressDetector()
        self._information, self._faxes, self._music = InformationDetector(), FaxDetector(), MusicDetector()
        self._beeped = self._spoken = False

    def feed(self, pcm: bytes, voice: bool) -> LineSound | None:
        """Take 20 ms and whether voice activity hears a voice; what was recognised in this tick."""
        seen = look(pcm)
        tone = seen.tone if seen is not None else None
        self._spoken = self._spoken or (voice and tone is None)
        beeped = self._beeps.feed(tone)
        if self._information.feed(tone):
            return self._instead(LineSound.INFORMATION)
        if self._faxes.feed(tone) and not self._spoken:
            return self._instead(LineSound.FAX)
        self._beeped = self._beeped or beeped
        if self._beeped and not self._undecided:
            return self._instead(LineSound.BEEP)
        progress = self._progress.feed(tone)
        music = self._music.feed(seen, voice)
        return progress or (LineSound.MUSIC if music else None)

    @property
    def _undecided(self) -> bool:
        """A beep that may still turn out to be something else."""
        return self._information.under_way or (self._faxes.under_way and not self._spoken)

    def _instead(self, sound: LineSound) -> LineSound:
        self._beeped = False
        return sound


@dataclass(frozen=True, slots=True)
class HelloRule:
    """A person says little and waits: 「喂？」 Speech this short, then silence this long. Whoever says words that no
    machine says may take longer."""

    shortest_ms: int = 100
    longest_ms: int = 2400
    longest_with_words_ms: int = 4500
    silence_ms: int = 400


class ShortHello:
    """Fed from the moment of answer (never with early media)."""

    def __init__(self, rule: HelloRule | None = None) -> None:
        self._rule = rule or HelloRule()
        self._spoken_ms = self._silent_ms = 0

    def feed(self, voice: bool, words: bool = False) -> bool:
        """Take whether a voice is heard in these 20 ms, and whether it said words that no machine says; True while
        what was said was short and is over."""
        if voice:
            self._spoken_ms += TICK_MS
            self._silent_ms = 0
        else:
            self._silent_ms += TICK_MS
        rule = self._rule
        longest_ms = rule.longest_with_words_ms if words else rule.longest_ms
        return rule.shortest_ms <= self._spoken_ms <= longest_ms and self._silent_ms >= rule.silence_ms


def _same(first: Tone, now: Tone) -> bool:
    return (abs(first.hertz - now.hertz) <= _STEADY_HZ
            and abs(first.level_dbfs - now.level_dbfs) <= _STEADY_DB)


def _is(tone: Tone | None, hertz: float, near_hz: float) -> bool:
    return tone is not None and abs(tone.hertz - hertz) <= near_hz
