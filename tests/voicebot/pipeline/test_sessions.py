"""Recogniser sessions that break: the turn goes to a successor, the second break makes that call deaf, no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from voicebot.asr.recognizer import RecognizerStream, Transcript
from voicebot.audio.frames import SILENCE, cut
from voicebot.audio.vad import VoiceActivity
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.noticed import Deaf, Noticed, Utterance
from voicebot.pipeline.session import Session
from voicebot.tts.synthesizer import load_synthesizer

STEPS = ("open", "accept", "decode", "partial", "finish")


class Engine:
    """Reads every turn as the number of bytes it heard. The first `times` sessions of call `bad` fail at `step`."""

    name, sample_rate = "counting", 8000

    def __init__(self, bad: int = 0, step: str = "", times: int = 1) -> None:
        self._bad, self._step, self._times = str(bad), step, times
        self.opened: Counter[str] = Counter()

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        (call,) = hotwords
        self.opened[call] += 1
        stream = Stream(self, call, self.opened[call])
        self.check(stream, "open")
        return stream

    def decode(self, streams: Sequence[RecognizerStream]) -> None:
        for stream in streams:
            assert isinstance(stream, Stream)
            self.check(stream, "decode")

    def check(self, stream: Stream, step: str) -> None:
        if stream.call == self._bad and step == self._step and stream.number <= self._times:
            raise RuntimeError(f"session {stream.number} fails at {step}")


class Stream:
    def __init__(self, engine: Engine, call: str, number: int) -> None:
        self._engine, self.call, self.number, self.heard = engine, call, number, 0

    def accept(self, pcm: bytes) -> None:
        self._engine.check(self, "accept")
        self.heard += len(pcm)

    def partial(self) -> str:
        self._engine.check(self, "partial")
        return str(self.heard)

    def finish(self) -> Transcript:
        self._engine.check(self, "finish")
        heard, self.heard = self.heard, 0
        return Transcript(str(heard), 1.0, 0.0, 1.0)

    def reset(self) -> None: ...

    def close(self) -> None: ...


def played(engine: Engine, calls: int, turns: int = 1) -> dict[int, list[Noticed]]:
    """What each call noticed while all of them heard the same turns."""
    hearing = Hearing(engine, VoiceActivity(), lambda text, topic: False)
    noticed: dict[int, list[Noticed]] = {call: [] for call in range(1, calls + 1)}
    for call in noticed:
        hearing.open(call, [str(call)])
    frames = [*cut(load_synthesizer().synthesize("我明天还钱")), *[SILENCE] * 60] * turns
    for number, frame in enumerate(frames):
        for call, one in hearing.tick(number, [(call, frame) for call in noticed]):
            noticed[call].append(one)
    return noticed


def texts(noticed: list[Noticed]) -> list[str]:
    return [one.text for one in noticed if isinstance(one, Utterance)]


@pytest.mark.parametrize("step", STEPS)
def test_a_session_that_breaks_is_replaced_and_its_successor_hears_the_whole_turn(step: str) -> None:
    (expected,) = texts(played(Engine(), 1)[1])
    engine = Engine(1, step)
    heard = played(engine, 1)[1]
    assert engine.opened == {"1": 2}
    assert texts(heard) == [expected]
    assert not any(isinstance(one, Deaf) for one in heard)


@pytest.mark.parametrize("step", STEPS)
def test_a_call_whose_sessions_all_break_is_deaf_and_the_others_are_not(step: str) -> None:
    (expected,) = texts(played(Engine(), 1)[1])
    engine = Engine(2, step, times=99)
    noticed = played(engine, 3)
    assert [type(one) for one in noticed[2]].count(Deaf) == 1
    assert engine.opened == {"1": 1, "2": 2, "3": 1}, "one successor and no more"
    assert not any(texts([one])[0] for one in noticed[2] if isinstance(one, Utterance))
    for call in (1, 3):
        assert texts(noticed[call]) == [expected]


def test_a_turn_that_works_forgives_what_was_before() -> None:
    engine = Engine()
    session = Session(1, lambda: Stream(engine, "1", 9))
    for _ in range(3):
        session.broke(RuntimeError("gone"))
        assert isinstance(session.finish(), Transcript)
        session.worked()
    assert session.why_deaf is None


def test_an_ear_that_fails_in_itself_is_told_as_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    hearing = Hearing(Engine(), VoiceActivity(), lambda text, topic: False)
    ear = hearing.open(1, ["1"])
    hearing.open(2, ["2"])
    monkeypatch.setattr(ear, "tick", lambda pcm, tick: 1 / 0)
    told = hearing.tick(1, [(1, SILENCE), (2, SILENCE)])
    assert [(call, type(one)) for call, one in told] == [(1, Deaf)]
    assert hearing.tick(2, [(1, SILENCE), (2, SILENCE)]) == []
