"""Hearing: voice activity, recognition and end of turn of all calls, in one batch per tick."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

import structlog

from voicebot.asr.recognizer import Recognizer, RecognizerStream, Transcript
from voicebot.audio.answer import BeepDetector
from voicebot.audio.vad import VadStream, VoiceActivity
from voicebot.audio.voice_figures import VoiceFigures, measure
from voicebot.domain.understanding import Topic
from voicebot.intent.is_complete import breaks_off_in_figure
from voicebot.pipeline.end_of_turn import TICK_MS, EndOfTurn, Patience, TurnChange
from voicebot.pipeline.machine import WATCH_MS, AnswerWatch, Machine

log = structlog.get_logger(__name__)

PRE_ROLL = 15
"""Ticks of sound before voice was noticed that still belong to the turn (300 ms)."""
PARTIAL_EVERY = 6
"""Ticks between two looks at the words of a running turn (120 ms)."""
CONCLUDED_WITHIN = 150
"""Ticks that a slow recogniser has for a turn's last words (3 s)."""
VOICE = 0.5
"""Probability of voice above which a tick counts as speech."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    pass


@dataclass(frozen=True, slots=True)
class Partial:
    text: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """A finished turn of the caller. Times are sound since the call was opened; `end_tick` is the line's tick.
    `voice`: how it sounded."""

    text: str
    confidence: float
    start_ms: int
    end_ms: int
    end_tick: int
    voice: VoiceFigures | None = None


Noticed = SpeechStarted | Partial | Utterance | Machine
IsComplete = Callable[[str, Topic], bool]


class Ear:
    """What is heard on one call."""

    def __init__(self, call: int, vad: VadStream, stream: RecognizerStream, is_complete: IsComplete) -> None:
        self.call = call
        self.vad = vad
        self.stream = stream
        self.topic = Topic.OPEN
        self.answered = False
        self.bot_speaks: Callable[[], bool] = lambda: False
        self._sound = bytearray()
        self._overlapped = 0
        self._is_complete = is_complete
        self._turn = EndOfTurn()
        self._watch = AnswerWatch()
        self._beeps = BeepDetector()
        self._before: deque[bytes] = deque(maxlen=PRE_ROLL)
        self._finishing: deque[tuple[Future[Transcript], Utterance, int]] = deque()
        self._ticks = 0
        self._turn_started = 0
        self._partial = ""
        self._complete = self._figure = False

    @property
    def listening(self) -> bool:
        """True while a turn runs and its sound goes to the recogniser."""
        return self._turn.in_turn

    @property
    def machine(self) -> bool:
        """True once a machine gave itself away: what it says is no turn of a caller."""
        return self._watch.found is not None

    def expect_person(self) -> None:
        """Who talks is a person beyond doubt: no word and no beep makes a machine of them any more."""
        self._watch.rule_out()

    @property
    def at_ms(self) -> int:
        return self._ticks * TICK_MS

    def tick(self, pcm: bytes, tick: int) -> list[Noticed]:
        """One 20 ms, after voice activity has seen it and before the recogniser decodes."""
        self._ticks += 1
        noticed: list[Noticed] = []
        if self.at_ms <= WATCH_MS and self._beeps.feed(pcm):
            noticed += _if_any(self._watch.beep(self.at_ms))
        voice = self.vad.speech_prob >= VOICE
        noticed += self._concluded()
        change = self._turn.tick(voice, words=bool(self._partial), complete=self._complete, figure=self._figure)
        if change is TurnChange.STARTED:
            self._start_turn()
            noticed.append(SpeechStarted())
        if self._turn.in_turn:
            self._take(pcm)
        self._before.append(pcm)
        if change is TurnChange.ENDED:
            noticed += self._end_turn(tick)
        return noticed

    def words(self) -> list[Noticed]:
        """A look at the words so far, after the recogniser decoded."""
        if not self._turn.in_turn or (self._ticks - self._turn_started) % PARTIAL_EVERY:
            return []
        text = self.stream.partial()
        if text == self._partial:
            return []
        self._partial = text
        self._complete = self._is_complete(text, self.topic)
        self._figure = not self._complete and breaks_off_in_figure(text, self.topic)
        return [Partial(text), *_if_any(self._machine(text))]

    def close(self) -> None:
        self.stream.close()

    def _start_turn(self) -> None:
        self._turn_started = self._ticks
        self._partial, self._complete, self._figure = "", False, False
        self._sound.clear()
        self._overlapped = 0
        for pcm in self._before:
            self._take(pcm)

    def _take(self, pcm: bytes) -> None:
        """Sound of the running turn, at most `Patience.longest_ms` of it."""
        self.stream.accept(pcm)
        self._sound += pcm
        self._overlapped += self.bot_speaks()

    def _end_turn(self, tick: int) -> list[Noticed]:
        finished = self.stream.finish()
        pause_ms = self._turn.pause_ms
        self._before.clear()
        utterance = Utterance(
            self._partial,
            0.0,
            max(0, self._turn_started * TICK_MS - Patience().start_ms),
            self.at_ms - pause_ms,
            tick - pause_ms // TICK_MS,
            measure(bytes(self._sound), self._overlap()),
        )
        self._sound.clear()
        if isinstance(finished, Future):
            self._finishing.append((finished, utterance, self._ticks + CONCLUDED_WITHIN))
            return self._concluded()
        return self._read(finished, utterance)

    def _concluded(self) -> list[Noticed]:
        """Turns whose text has come meanwhile, in order; of one that never comes the last partial is taken."""
        noticed: list[Noticed] = []
        while self._finishing:
            finished, utterance, deadline = self._finishing[0]
            if not finished.done() and self._ticks < deadline:
                break
            self._finishing.popleft()
            noticed += self._read(self._text_of(finished, utterance), utterance)
        return noticed

    def _text_of(self, finished: Future[Transcript], utterance: Utterance) -> Transcript:
        try:
            return finished.result(0)
        except Exception as error:  # a recogniser that fails ends this turn's words, not the call
            log.error("a turn could not be recognised", call=self.call, error=repr(error))
            return Transcript(utterance.text, 0.0, None, None)

    def _read(self, transcript: Transcript, utterance: Utterance) -> list[Noticed]:
        utterance = replace(utterance, text=transcript.text, confidence=transcript.confidence)
        return [*_if_any(self._machine(transcript.text)), utterance]

    def _overlap(self) -> float:
        """Share of the turn in which we spoke too."""
        return min(1.0, self._overlapped / max(1, self._ticks - self._turn_started + PRE_ROLL))

    def _machine(self, text: str) -> Machine | None:
        return self._watch.text(text, answered=self.answered, at_ms=self.at_ms)


class Hearing:
    """All ears of a brain: one voice activity run and one recogniser run per tick."""

    def __init__(self, recognizer: Recognizer, voice_activity: VoiceActivity, is_complete: IsComplete) -> None:
        self._recognizer = recognizer
        self._voice_activity = voice_activity
        self._is_complete = is_complete
        self._ears: dict[int, Ear] = {}

    def open(self, call: int, hotwords: Sequence[str] = ()) -> Ear:
        ear = Ear(call, self._voice_activity.open(), self._recognizer.open(hotwords), self._is_complete)
        self._ears[call] = ear
        return ear

    def close(self, call: int) -> None:
        ear = self._ears.pop(call, None)
        if ear is not None:
            ear.close()

    def tick(self, number: int, frames: Sequence[tuple[int, bytes]]) -> list[tuple[int, Noticed]]:
        """One tick of all calls; frames of calls that are not open are ignored."""
        heard = [(self._ears[call], pcm) for call, pcm in frames if call in self._ears]
        self._voice_activity.process([(ear.vad, pcm) for ear, pcm in heard])
        noticed = [(ear.call, one) for ear, pcm in heard for one in ear.tick(pcm, number)]
        running = [ear for ear, _ in heard if ear.listening]
        if running:
            self._recognizer.decode([ear.stream for ear in running])
        return noticed + [(ear.call, one) for ear in running for one in ear.words()]


def _if_any(machine: Machine | None) -> list[Noticed]:
    return [machine] if machine is not None else []
