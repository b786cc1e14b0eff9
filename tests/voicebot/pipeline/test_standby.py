"""A recogniser that dies: its calls go on with the one behind it, new calls too, and it is tried again later."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from voicebot.asr.recognizer import RecognizerStream, Transcript
from voicebot.audio.frames import SILENCE, cut
from voicebot.audio.vad import VoiceActivity
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.noticed import Deaf, Noticed, StandsIn, Utterance
from voicebot.pipeline.session import Session
from voicebot.pipeline.standby import AGAIN_AFTER_S, CALLS, Standby
from voicebot.tts.synthesizer import load_synthesizer

from .test_sessions import STEPS, Engine, Stream, played, texts


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Counting(Engine):
    """As Engine, of any name; `open` works with whatever words it is given."""

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        return super().open(hotwords or ["0"])


def heard(engine: Engine, standby: Standby, calls: int, turns: int = 1) -> dict[int, list[Noticed]]:
    hearing = Hearing(engine, VoiceActivity("webrtc"), lambda text, topic: False, standby)
    noticed: dict[int, list[Noticed]] = {call: [] for call in range(1, calls + 1)}
    for call in noticed:
        hearing.open(call, [str(call)])
    frames = [*cut(load_synthesizer().synthesize("我明天还钱")), *[SILENCE] * 60] * turns
    for number, frame in enumerate(frames):
        for call, one in hearing.tick(number, [(call, frame) for call in noticed]):
            noticed[call].append(one)
    return noticed


@pytest.mark.parametrize("step", STEPS)
def test_a_call_whose_sessions_break_goes_on_with_the_standby_and_loses_no_word(step: str) -> None:
    expected = [texts(one) for one in heard(Counting(), Standby(Counting()), 2, turns=2).values()]
    spare = Counting()
    standby = Standby(spare)
    noticed = heard(Counting(1, step, times=99), standby, 2, turns=2)
    assert [texts(one) for one in noticed.values()] == expected
    assert [type(one) for one in noticed[1]].count(StandsIn) == 1
    assert not [one for one in noticed[2] if isinstance(one, StandsIn | Deaf)]
    assert (spare.opened, standby.taken_over) == ({"1": 1}, 1)


def test_when_the_standby_breaks_too_the_call_is_deaf() -> None:
    noticed = heard(Counting(1, "decode", times=99), Standby(Counting(1, "decode", times=99)), 2)
    assert [type(one) for one in noticed[1]].count(Deaf) == 1
    assert len(texts(noticed[2])) == 1


def test_a_dead_engine_is_left_alone_and_tried_again_later() -> None:
    clock = Clock()
    standby = Standby(Counting(), clock=clock)
    for call in range(1, CALLS + 1):
        assert not standby.why
        standby.broke(call, "the model is gone")
    assert standby.why == "the model is gone"
    engine = Counting()
    assert Session(7, lambda: engine.open(["7"]), standby=standby).why_standby == "the model is gone"
    assert not engine.opened, "it is not even asked"
    clock.now += AGAIN_AFTER_S
    assert not Session(8, lambda: engine.open(["8"]), standby=standby).why_standby
    standby.broke(8, "still gone")
    assert standby.why == "still gone", "one call is enough to tell that it did not come back"
    clock.now += AGAIN_AFTER_S
    standby.worked()
    standby.broke(9, "a bad call")
    assert not standby.why, "it works: one call that breaks is that call's matter"


def test_one_call_that_breaks_again_and_again_is_no_dead_engine() -> None:
    standby = Standby(Counting())
    for _ in range(9):
        standby.broke(1, "bad sound")
    assert not standby.why


def test_an_engine_that_was_never_loaded_is_told_in_every_call() -> None:
    spare = Counting()
    noticed = heard(spare, Standby(spare, lost="sherpa:x can't be loaded"), 2)
    assert [one for call in noticed.values() for one in call if isinstance(one, StandsIn)] == [
        StandsIn("sherpa:x can't be loaded")
    ] * 2
    assert all(len(texts(one)) == 1 for one in noticed.values())


class Remote(Counting):
    """Its turns are read elsewhere; there is nobody, so that its own way out reads them."""

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        super().open(hotwords)
        return Away(self, hotwords[0], 1)


class Away(Stream):
    def finish(self) -> Transcript:
        done: Future[Transcript] = Future()
        done.set_result(Transcript("在这儿读的", 0.9, 0.0, 1.0, "the server is gone"))
        return done  # type: ignore[return-value]


def test_an_engine_that_lets_another_read_hands_the_call_over() -> None:
    noticed = heard(Remote(), Standby(Counting()), 1, turns=2)[1]
    first, second = (one.text for one in noticed if isinstance(one, Utterance))
    assert first == "在这儿读的"
    assert int(second) > 0, "the next turn is the standby's own"
    assert StandsIn("the server is gone") in noticed


def test_without_a_standby_nothing_changes() -> None:
    assert not any(isinstance(one, StandsIn) for one in played(Engine(1, "decode", times=99), 1)[1])
