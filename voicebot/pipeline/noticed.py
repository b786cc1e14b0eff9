"""What hearing tells the conversation of one call: speech, words, whole turns, machines, and that it hears no more."""

from __future__ import annotations

from dataclasses import dataclass

from voicebot.audio.voice_figures import VoiceFigures
from voicebot.pipeline.machine import LinePlays, Machine, Person


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    pass


@dataclass(frozen=True, slots=True)
class Partial:
    """The words so far. `insists`: whether their sound should silence an interruptible sentence (see barge_in); None
    where only the words tell."""

    text: str
    insists: bool | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """A finished turn of the caller. Times are sound since the call was opened; `end_tick` is the line's tick.
    `voice`: how it sounded; `under_us`: it began while we spoke; `insists`: as in Partial."""

    text: str
    confidence: float
    start_ms: int
    end_ms: int
    end_tick: int
    voice: VoiceFigures | None = None
    under_us: bool = False
    insists: bool | None = None


@dataclass(frozen=True, slots=True)
class Deaf:
    """The recogniser failed this call for good: nothing more will be understood in it."""

    why: str


@dataclass(frozen=True, slots=True)
class StandsIn:
    """The recogniser behind the configured one hears this call from now on."""

    why: str


Noticed = SpeechStarted | Partial | Utterance | Machine | Person | LinePlays | Deaf | StandsIn
