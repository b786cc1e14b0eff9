"""Turns of a recogniser that needs longer than a tick: their text comes later, in order, or is done without."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from voicebot.asr.recognizer import RecognizerStream, Transcript
from voicebot.audio.frames import SILENCE, cut
from voicebot.audio.vad import VoiceActivity
from voicebot.pipeline import ear
from voicebot.pipeline.ear import CONCLUDED_WITHIN, Ear
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.noticed import Utterance
from voicebot.tts.synthesizer import load_synthesizer


class SlowEngine:
    """Says `partial` while a turn runs and concludes only when the test does."""

    name, sample_rate = "slow", 8000

    def __init__(self) -> None:
        self.asked: list[Future[Transcript]] = []

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        return SlowStream(self)

    def decode(self, streams: Sequence[RecognizerStream]) -> None: ...


class SlowStream:
    def __init__(self, engine: SlowEngine) -> None:
        self._engine, self._heard = engine, 0

    def accept(self, pcm: bytes) -> None:
        self._heard += len(pcm)

    def partial(self) -> str:
        return "我明" if self._heard > 8000 else ""

    def finish(self) -> Future[Transcript]:
        self._engine.asked.append(Future())
        self._heard = 0
        return self._engine.asked[-1]

    def reset(self) -> None: ...

    def close(self) -> None: ...


class Call:
    def __init__(self) -> None:
        self.engine = SlowEngine()
        self._hearing = Hearing(self.engine, VoiceActivity(), lambda text, topic: False)
        self.ear: Ear = self._hearing.open(1)
        self.utterances: list[Utterance] = []
        self._tick = 0

    def hear(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            self._tick += 1
            for _, noticed in self._hearing.tick(self._tick, ((1, frame),)):
                if isinstance(noticed, Utterance):
                    self.utterances.append(noticed)

    def turn(self) -> None:
        self.hear([*cut(load_synthesizer().synthesize("我明天还钱")), *[SILENCE] * 75])


def test_the_text_comes_when_it_is_ready_with_the_times_of_the_turn() -> None:
    call = Call()
    call.turn()
    assert len(call.engine.asked) == 1
    assert call.utterances == []
    spoken_until = call.ear.at_ms
    call.hear([SILENCE] * 20)
    call.engine.asked[0].set_result(Transcript("我明天还钱", 0.9, 0.0, 1.0))
    call.hear([SILENCE])
    (utterance,) = call.utterances
    assert (utterance.text, utterance.confidence) == ("我明天还钱", 0.9)
    assert 0 < utterance.end_ms < spoken_until, "the turn ended when the caller fell silent, not when the text came"


def test_two_turns_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear, "CONCLUDED_WITHIN", 1000)
    call = Call()
    call.turn()
    call.turn()
    first, second = call.engine.asked
    second.set_result(Transcript("二", 0.9, 0.0, 1.0))
    call.hear([SILENCE])
    assert call.utterances == []
    first.set_result(Transcript("一", 0.9, 0.0, 1.0))
    call.hear([SILENCE])
    assert [utterance.text for utterance in call.utterances] == ["一", "二"]


def test_a_text_that_never_comes_leaves_the_last_partial() -> None:
    call = Call()
    call.turn()
    call.hear([SILENCE] * (CONCLUDED_WITHIN + 1))
    (utterance,) = call.utterances
    assert (utterance.text, utterance.confidence) == ("我明", 0.0)


def test_an_engine_that_fails_ends_the_turn_and_not_the_call() -> None:
    call = Call()
    call.turn()
    call.engine.asked[0].set_exception(RuntimeError("the session is gone"))
    call.hear([SILENCE])
    call.turn()
    call.engine.asked[1].set_result(Transcript("我明天还钱", 0.9, 0.0, 1.0))
    call.hear([SILENCE])
    assert [utterance.text for utterance in call.utterances] == ["我明", "我明天还钱"]
