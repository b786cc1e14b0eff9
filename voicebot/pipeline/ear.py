"""Ear: what is heard on one call: its turns, their words, and what gives a machine away."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import replace

from voicebot.asr.recognizer import Transcript
from voicebot.audio.echo import EchoPath
from voicebot.audio.pitch import LOOKED_BACK, ends_low
from voicebot.audio.vad import VadStream
from voicebot.audio.voice_figures import measure
from voicebot.domain.understanding import Topic
from voicebot.intent.answers import says_yes_or_no
from voicebot.intent.danger import danger
from voicebot.intent.is_complete import breaks_off_in_figure, is_closed, is_whole_sum
from voicebot.pipeline.barge_in import insists, is_rest_of_echo
from voicebot.pipeline.end_of_turn import TICK_MS, EndOfTurn, Patience, TurnChange
from voicebot.pipeline.machine import AnswerWatch, Verdict
from voicebot.pipeline.noticed import Deaf, Noticed, Partial, SpeechStarted, StandsIn, Utterance
from voicebot.pipeline.session import Session

PRE_ROLL = 15
"""Ticks of sound before voice was noticed that still belong to the turn (300 ms)."""
PARTIAL_EVERY = 6
"""Ticks between two looks at the words of a running turn (120 ms); where every moment counts it is each tick."""
JUDGED_AT_MS = 200
"""Pause after which the pitch before it is looked at."""
CONCLUDED_WITHIN = 150
"""Ticks that a slow recogniser has for a turn's last words (3 s)."""
VOICE = 0.5
"""Probability of voice above which a tick counts as speech."""

IsComplete = Callable[[str, Topic], bool]


class Ear:
    """What is heard on one call."""

    def __init__(self, call: int, vad: VadStream, session: Session, is_complete: IsComplete) -> None:
        self.call = call
        self.vad = vad
        self.echo = EchoPath()
        self.session = session
        self.topic = Topic.OPEN
        self.owed_fen: int | None = None
        self.bot_speaks: Callable[[], bool] = lambda: False
        self._overlapped = self._voiced_ms = 0
        self._begun_under_us = False
        self._insisted: bool | None = None
        self._is_complete = is_complete
        self._turn = EndOfTurn()
        self._watch = AnswerWatch()
        self._before: deque[bytes] = deque(maxlen=PRE_ROLL)
        self._finishing: deque[tuple[Future[Transcript], Utterance, int]] = deque()
        self._ticks = 0
        self._turn_started = 0
        self._partial = ""
        self._complete = self._closed = self._figure = self._low = False
        self._weighed: str | None = None
        """The words of which is known whether they are an answer."""
        self._told_deaf = self._told_standby = False

    @property
    def listening(self) -> bool:
        """True while a turn runs and its sound goes to the recogniser."""
        return self._turn.in_turn

    @property
    def machine(self) -> bool:
        """True once a machine gave itself away: what it says is no turn of a caller."""
        return self._watch.found is not None

    @property
    def answered(self) -> bool:
        return self._watch.answered

    def picked_up(self) -> None:
        """The call was answered: what sounded before belongs to nobody's turn."""
        self._watch.pick_up()
        self._turn = EndOfTurn()
        self._before.clear()
        self._finishing.clear()
        self._partial, self._complete, self._closed, self._figure = "", False, False, False
        self._weighed = None
        self.session.abandon()

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
        voice = self.vad.speech_prob >= VOICE
        noticed += _if_any(self._watch.sound(pcm, voice))
        noticed += self._concluded()
        noticed += self._deafness()
        change = self._turn.tick(
            voice,
            words=bool(self._partial),
            complete=self._complete,
            closed=self._closed,
            figure=self._figure,
            low=self._low,
        )
        self._judge_pitch()
        if change is TurnChange.STARTED:
            self._start_turn()
            noticed.append(SpeechStarted())
        if self._turn.in_turn:
            self._voiced_ms += TICK_MS if voice else 0
            self._take(pcm)
        self._before.append(pcm)
        if change is TurnChange.ENDED:
            noticed += self._end_turn(tick)
        return noticed

    def words(self) -> list[Noticed]:
        """A look at the words so far, after the recogniser decoded."""
        if not self._turn.in_turn:
            return []
        if not self._urgent and (self._ticks - self._turn_started) % PARTIAL_EVERY:
            return []
        text, newly = self.session.partial(), self._insists()
        changed, self._partial = text != self._partial, text
        if self._turn.pause_ms > 0 and text != self._weighed:
            self._weigh(text)
        if not changed:
            return [Partial(text, self._insisted)] if newly else []
        return [Partial(text, self._insisted), *_if_any(self._watch.text(text))]

    def _weigh(self, text: str) -> None:
        """Are these words an answer? It takes long to say, and only a pause has to know."""
        self._weighed = text
        self._complete = self._is_complete(text, self.topic)
        self._closed = self._complete and is_closed(text, self.topic)
        self._figure = not self._complete and breaks_off_in_figure(text, self.topic)
        if self._figure:
            self._closed = is_whole_sum(text, self.topic, self.owed_fen)

    def _insists(self) -> bool:
        """True at the moment when what the caller says over us turns out to be no company by its sound."""
        if self._insisted or not self.bot_speaks():
            return False
        spoken = self.session.syllables()
        self._insisted = None if spoken is None else insists(spoken, self._voiced_ms)
        return bool(self._insisted)

    def close(self) -> None:
        self.session.close()

    def _start_turn(self) -> None:
        self._turn_started = self._ticks
        self._partial = ""
        self._complete = self._closed = self._figure = self._low = False
        self._weighed = None
        self._overlapped, self._voiced_ms, self._insisted = 0, Patience().start_ms, None
        self._begun_under_us = self.bot_speaks()
        for pcm in self._before:
            self._take(pcm)

    def _take(self, pcm: bytes) -> None:
        """Sound of the running turn, at most `Patience.longest_ms` of it."""
        overlaps = self.bot_speaks()
        self.session.accept(pcm, eager=overlaps or self._turn.pause_ms > 0)
        self._overlapped += overlaps

    def _end_turn(self, tick: int) -> list[Noticed]:
        pause_ms = self._turn.pause_ms
        self._before.clear()
        utterance = Utterance(
            self._partial,
            0.0,
            max(0, self._turn_started * TICK_MS - Patience().start_ms),
            self.at_ms - pause_ms,
            tick - pause_ms // TICK_MS,
            measure(bytes(self.session.sound), self._overlap()),
            self._begun_under_us,
            self._insisted,
        )
        finished = self.session.finish()
        if isinstance(finished, Future):
            self._finishing.append((finished, utterance, self._ticks + CONCLUDED_WITHIN))
            return self._concluded()
        if self.session.stream is not None:
            self.session.worked()
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

    def _judge_pitch(self) -> None:
        """Once in each pause."""
        if self._turn.pause_ms == 0:
            self._low = False
        elif self._turn.in_turn and self._turn.pause_ms == JUDGED_AT_MS and not self._complete:
            self._low = ends_low(bytes(self.session.sound[-2 * LOOKED_BACK :]))

    @property
    def _urgent(self) -> bool:
        """The caller may have finished, or talks over us."""
        return self._turn.pause_ms > 0 or self.bot_speaks()

    def _deafness(self) -> list[Noticed]:
        """Told once each: that the standby hears this call, and that nobody does any more."""
        if self.session.why_standby and not self._told_standby:
            self._told_standby = True
            return [StandsIn(self.session.why_standby)]
        if self.session.why_deaf is None or self._told_deaf:
            return []
        self._told_deaf = True
        return [Deaf(self.session.why_deaf)]

    def _text_of(self, finished: Future[Transcript], utterance: Utterance) -> Transcript:
        try:
            transcript = finished.result(0)
        except (Exception, CancelledError) as error:  # it ends this turn's words, not the call
            self.session.broke(error)
            return Transcript(utterance.text, 0.0, None, None)
        if transcript.stand_in:
            self.session.stood_in(transcript.stand_in)
        else:
            self.session.worked()
        return transcript

    def _read(self, transcript: Transcript, utterance: Utterance) -> list[Noticed]:
        utterance = replace(utterance, text=transcript.text, confidence=transcript.confidence)
        if self._is_rest(utterance):
            return [replace(utterance, text="", confidence=0.0)]
        return [*_if_any(self._watch.text(transcript.text)), utterance]

    def _is_rest(self, utterance: Utterance) -> bool:
        """Whether the words are no caller's, but what the echo guard left of ours."""
        text, voice = utterance.text, utterance.voice
        if not text or not utterance.under_us or voice is None:
            return False
        answers = bool(danger(text)) or self._is_complete(text, self.topic) or says_yes_or_no(text, self.topic)
        return is_rest_of_echo(text, voice.voiced_ms, echoes=self.echo.echoes, answers=answers)

    def _overlap(self) -> float:
        """Share of the turn in which we spoke too."""
        return min(1.0, self._overlapped / max(1, self._ticks - self._turn_started + PRE_ROLL))


def _if_any(verdict: Verdict | None) -> list[Noticed]:
    return [verdict] if verdict is not None else []
