"""Understand: a final transcription becomes an Understanding, and both become facts of the call."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from pipecat.frames.frames import Frame, TranscriptionFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from voicebot.audio.voice_figures import VoiceFigures
from voicebot.dialog.events import Heard
from voicebot.domain.clock import Clock
from voicebot.domain.journal import FactKind
from voicebot.domain.talk import Note
from voicebot.domain.understanding import Emotion, Topic, Understanding
from voicebot.intent.understander import Understander
from voicebot.intent.voice_emotion import Manner, fused, judge, pace_of
from voicebot.pipeline.conversation import Conversation
from voicebot.pipeline.frames import DialogEventFrame, OrderFrame
from voicebot.pipeline.hints import Hint, hint_for
from voicebot.telemetry import traces
from voicebot.telemetry.cpu_clock import CLOCK


class HeardText(Protocol):
    """What the hearing adds to a transcription in its `result`; a stock service leaves it empty."""

    confidence: float
    end_tick: int
    start_ms: int
    end_ms: int
    voice: VoiceFigures | None


class Understand(FrameProcessor):
    def __init__(self, conversation: Conversation, understander: Understander, clock: Clock) -> None:
        super().__init__()
        self._talk = conversation
        self._understander = understander
        self._clock = clock
        self._manner = Manner()
        self._hinted: Hint | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, TranscriptionFrame):
            await self.push_frame(frame, direction)
            return
        now = self._clock.now()
        topic = self._talk.topic
        told = traces.span("understand", self._talk.call_id, characters=len(frame.text))
        with CLOCK.part("understanding"), told:
            understanding = self._understander.understand(frame.text, topic, now)
            understanding = self._felt(understanding, getattr(frame.result, "voice", None))
        await self._note(FactKind.UNDERSTOOD, as_fact(understanding, topic))
        if self._talk.handed_over:
            await self._hint(understanding)
        if understanding.danger or not self._talk.handed_over:
            tick = getattr(frame.result, "end_tick", None)
            await self.push_frame(DialogEventFrame(Heard(now, understanding), answers_tick=tick))

    async def _hint(self, understanding: Understanding) -> None:
        """One line for the person who talks now; the same one not twice in a row."""
        hint = hint_for(understanding)
        if hint is None or hint == self._hinted:
            return
        self._hinted = hint
        slots = understanding.slots
        told: dict[str, object] = {"kind": hint.kind, "text": hint.text}
        if hint.kind == "promise":
            told |= {"date": slots.date and slots.date.isoformat(), "amount_fen": slots.amount_fen}
        await self._note(FactKind.HINT, told)

    def _felt(self, understanding: Understanding, voice: VoiceFigures | None) -> Understanding:
        """The emotion of words and sound together; the caller's manner is learned on the way."""
        if voice is None:
            return understanding
        mood = judge(voice, understanding.text, self._manner)
        self._manner = self._manner.with_turn(voice, pace_of(understanding.text, voice.voiced_ms))
        return replace(understanding, emotion=fused(understanding.emotion, mood))

    async def _note(self, kind: FactKind, data: dict[str, object]) -> None:
        await self.push_frame(OrderFrame(Note(self._talk.call, kind, data)))


def as_fact(understanding: Understanding, topic: Topic) -> dict[str, object]:
    """An Understanding as the data of a journal fact (JSON values only)."""
    slots = understanding.slots
    return {
        "text": understanding.text,
        "topic": topic.value,
        "intents": [{"id": score.id, "p": round(score.p, 3)} for score in understanding.intents],
        "emotion": _emotion(understanding.emotion),
        "danger": understanding.danger,
        "slots": {
            name: value
            for name, value in {
                "date": slots.date and slots.date.isoformat(),
                "date_end": slots.date_end and slots.date_end.isoformat(),
                "time": slots.time and slots.time.isoformat("minutes"),
                "amount_fen": slots.amount_fen,
                "amount_min_fen": slots.amount_min_fen,
                "amount_max_fen": slots.amount_max_fen,
                "ratio": slots.ratio,
                "installments": slots.installments,
                "per_installment_fen": slots.per_installment_fen,
                "ambiguous": slots.ambiguous or None,
            }.items()
            if value is not None
        },
    }


def _emotion(emotion: Emotion) -> dict[str, object]:
    """Label and probability; arousal and cues where there are any."""
    told: dict[str, object] = {"label": emotion.label.value, "p": round(emotion.p, 3)}
    if emotion.arousal is not None:
        told["arousal"] = round(emotion.arousal, 3)
    if emotion.cues:
        told["cues"] = list(emotion.cues)
    return told
