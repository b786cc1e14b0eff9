"""The other ends of the lines: a debtor who answers questions, and agents at their telephones."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from voicebot.audio.frames import RATE, SILENCE, cut
from voicebot.demo.topics import asked
from voicebot.domain.journal import Fact, FactKind
from voicebot.telephony.leg import Answered, Ended
from voicebot.telephony.testing import SimulatedLeg
from voicebot.tts.synthesizer import Synthesizer

THINKS_TICKS = 30
"""600 ms between the bot's last sound and the answer."""


@dataclass
class Debtor:
    """Answers by what was asked (see Topic); a topic without an answer is met with silence.

    `barges_in`: a text said `ms` into the first sentence that holds `word`.
    """

    voice: Synthesizer
    answers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    barges_in: tuple[str, int, str] | None = None
    heard: bytearray = field(default_factory=bytearray)
    _lips: deque[bytes] = field(default_factory=deque)
    _open: dict[object, str] = field(default_factory=dict)
    _since: list[str] = field(default_factory=list)
    _asked: Counter[str] = field(default_factory=Counter)
    _quiet: int = 0
    _barge: int | None = None

    def notice(self, fact: Fact) -> None:
        """The bot's sentences, as the journal has them: a person knows when they are being talked to."""
        if fact.kind is FactKind.SAYING:
            self._open[fact.data["utterance_id"]] = str(fact.data["text"])
            if self.barges_in is not None and self.barges_in[0] in str(fact.data["text"]) and self._barge is None:
                self._barge = self.barges_in[1] // 20
        elif fact.kind is FactKind.SAID:
            text = self._open.pop(fact.data["utterance_id"], None)
            if text is not None:
                self._since.append(text)
            self._quiet = 0

    def say(self, text: str) -> None:
        self.play(self.voice.synthesize(text, "m3"))

    def play(self, pcm: bytes) -> None:
        self._lips.extend(cut(pcm))

    def tick(self, heard: bytes) -> None:
        self.heard += heard
        self._quiet += 1
        if self._barge is not None and self.barges_in is not None:
            self._barge -= 1
            if self._barge == 0:
                self.say(self.barges_in[2])
        if self._since and not self._open and not self._lips and self._quiet == THINKS_TICKS:
            topic = asked("".join(self._since)).value
            self._since.clear()
            texts = self.answers.get(topic, ())
            text = texts[min(self._asked[topic], len(texts) - 1)] if texts else ""
            self._asked[topic] += 1
            if text:
                self.say(text)

    def lips(self) -> bytes:
        return self._lips.popleft() if self._lips else SILENCE


class Agent:
    """A person at an agent's phone: hums a tone, so that it can be found in the recording, and listens."""

    def __init__(
        self, leg: SimulatedLeg, *, busy: bool, stays_ticks: int = 700, mouth: Callable[[int], bytes] | None = None
    ) -> None:
        """`mouth` gives what they say in the n-th 20 ms after they answered, instead of the hum."""
        self.leg = leg
        self.mouth = mouth
        self.stays = stays_ticks
        self.heard = bytearray()
        self._busy = busy
        self._ticks = 0
        t = np.arange(160) / RATE
        self._hum = (3000 * np.sin(2 * np.pi * 400 * t)).astype("<i2").tobytes()

    def tick(self, number: int) -> None:
        self._ticks += 1
        if self._ticks == 25:
            self.leg.tell(Ended("remote", 486, "Busy Here") if self._busy else Answered())
        self.heard += self.leg.tick(number, self._said())
        if self._ticks == self.stays:
            self.leg.tell(Ended("remote", None, "the peer hung up"))

    def _said(self) -> bytes:
        if self._ticks <= 25:
            return SILENCE
        return self.mouth(self._ticks - 26) if self.mouth else self._hum
