"""AnswerWatch: a person, a machine, or nobody yet? By words, tones and the rhythm of speech. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from voicebot.audio.answer import LineSound, LineSounds, ShortHello
from voicebot.domain.talk import UNCLEAR
from voicebot.pipeline import machine_words

TICK_MS = 20
WATCH_MS = 30_000
"""How long after the answer a machine may still reveal itself."""
TONES = frozenset({LineSound.BUSY, LineSound.CONGESTION, LineSound.VACANT})


@dataclass(frozen=True, slots=True)
class Machine:
    """`kind`: voicemail, assistant, announcement, tone or fax; `cue`: what gave it away; `beep`: the beep was heard."""

    kind: str
    cue: str
    beep: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody talks as people do when they pick up. `cue`: hello (the words) or pause (short, then silent)."""

    cue: str


@dataclass(frozen=True, slots=True)
class LinePlays:
    """Ringback or music: no verdict."""

    sound: LineSound


Verdict = Machine | Person | LinePlays


class AnswerWatch:
    """Fed with every 20 ms, and with texts; a verdict may be corrected by a later one that knows more.

    A person is only ever corrected by words or a beep, and nothing corrects an announcement that said what is wrong.
    """

    def __init__(self) -> None:
        self.answered = False
        self._found: Machine | None = None
        self._person: Person | None = None
        self._ruled_out = False
        self._at_ms = 0
        self._sounds, self._hello = LineSounds(), ShortHello()
        self._told: set[LineSound] = set()
        self._text = ""

    @property
    def found(self) -> Machine | None:
        """The machine that gave itself away beyond doubt."""
        return self._found if self._definite else None

    @property
    def over(self) -> bool:
        """Nothing counts any more: a person is known beyond doubt, or the answer is long ago."""
        return self._ruled_out or (self.answered and self._at_ms > WATCH_MS)

    def rule_out(self) -> None:
        """A person was recognised: nothing counts from now on, but what was found stays found."""
        self._ruled_out = True

    def pick_up(self) -> None:
        """The call was answered: time counts from here, and who talks now is somebody else."""
        self.answered = True
        self._at_ms = 0
        self._sounds, self._hello = LineSounds(), ShortHello()
        self._found = None
        self._told.clear()
        self._text = ""

    def sound(self, pcm: bytes, voice: bool) -> Verdict | None:
        """Take 20 ms and whether voice activity hears a voice."""
        self._at_ms += TICK_MS
        if self.over:
            return None
        heard = self._sounds.feed(pcm, voice)
        if heard is not None:
            return self._played(heard)
        if self.answered and self._hello.feed(voice, bool(self._text)) and not machine_words.may_become(self._text):
            return self._is_person("pause")
        return None

    def text(self, text: str) -> Verdict | None:
        """A transcript so far, partial or final."""
        self._text = text
        if self.over or self._definite:
            return None
        machine = machine_words.machine_of(text, answered=self.answered)
        if machine is not None:
            return self._is(Machine(*machine))
        if self.answered and machine_words.is_hello(text):
            return self._is_person("hello")
        return None

    @property
    def _definite(self) -> bool:
        return self._found is not None and self._found.cue != UNCLEAR

    def _played(self, sound: LineSound) -> Verdict | None:
        if sound is LineSound.BEEP:
            return self._beep()
        if sound is LineSound.FAX or sound in TONES:
            if self._definite or self._person:
                return None
            return self._is(Machine("fax" if sound is LineSound.FAX else "tone", sound.value))
        if sound in self._told:
            return None
        self._told.add(sound)
        if sound is LineSound.INFORMATION and not self._definite:
            return self._is(Machine("announcement", UNCLEAR))
        return LinePlays(sound)

    def _beep(self) -> Machine | None:
        """The beep: alone it says voicemail, after a greeting it says that one may speak now."""
        speaks = self._found is None or self._found.kind in ("voicemail", "assistant") or not self._definite
        if not self.answered or not speaks or (self._found and self._found.beep):
            return None
        return self._is(Machine("voicemail", "beep", beep=True))

    def _is(self, machine: Machine) -> Machine | None:
        if machine == self._found:
            return None
        self._found = machine
        return machine

    def _is_person(self, cue: str) -> Person | None:
        if self._person is not None or self._found is not None:
            return None
        self._person = Person(cue)
        return self._person
