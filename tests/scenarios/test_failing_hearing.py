"""A recogniser that fails, and a conversation that does: they cost one call its bot, and no other call anything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from voicebot.asr.recognizer import Recognizer, RecognizerStream, Transcript
from voicebot.domain.journal import FactKind
from voicebot.domain.outcome import Disposition
from voicebot.pipeline.standby import Standby
from voicebot.telephony.leg import Answered
from voicebot.worker.ticks import Hello

from .people import Debtor
from .stage import Models, Stage
from .test_reminder_calls import PROMISES, sealed

Perform = Callable[..., Stage]
MakeDebtor = Callable[..., Debtor]


class Breaking:
    """The recogniser of the models, whose first sessions break as soon as they are decoded."""

    name, sample_rate = "breaking", 8000

    def __init__(self, sound: Recognizer, broken: int) -> None:
        self._sound, self._broken = sound, broken
        self.opened = 0

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        self.opened += 1
        return BrokenStream() if self.opened <= self._broken else self._sound.open(hotwords)

    def decode(self, streams: Sequence[RecognizerStream]) -> None:
        if any(isinstance(stream, BrokenStream) for stream in streams):
            raise RuntimeError("the session was killed")
        self._sound.decode(streams)


class Hanging(Breaking):
    """One whose first sessions never come back from being decoded, until the test is over."""

    def __init__(self, sound: Recognizer, broken: int) -> None:
        super().__init__(sound, broken)
        self.freed = threading.Event()

    def decode(self, streams: Sequence[RecognizerStream]) -> None:
        if any(isinstance(stream, BrokenStream) for stream in streams):
            self.freed.wait(60)
        else:
            self._sound.decode(streams)


class BrokenStream:
    def accept(self, pcm: bytes) -> None: ...

    def partial(self) -> str:
        return ""

    def finish(self) -> Transcript:
        raise RuntimeError("the session was killed")

    def reset(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def breaking(models: Models, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Breaking]:
    """Make so many sessions of the stage's recogniser break."""

    def put(broken: int) -> Breaking:
        engine = Breaking(models.recognizer, broken)
        monkeypatch.setattr(models, "recognizer", engine)
        return engine

    return put


async def answered(stage: Stage, debtor: Debtor) -> None:
    stage.brain.take(Hello())
    leg = await stage.ring(debtor)
    leg.tell(Answered())
    await stage.play()


def test_one_killed_session_costs_not_a_word(
    perform: Perform, debtor: MakeDebtor, breaking: Callable[[int], Breaking]
) -> None:
    engine = breaking(1)
    stage = perform(lambda stage: answered(stage, debtor(answers=PROMISES)))
    assert engine.opened == 2
    assert stage.outcome is not None
    assert stage.outcome.disposition is Disposition.PROMISE_TO_PAY, stage.story()
    sealed(stage)


@pytest.mark.parametrize("times", [1, 99])
def test_a_recogniser_that_hangs_is_left_behind(
    perform: Perform, debtor: MakeDebtor, models: Models, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    engine = Hanging(models.recognizer, times)
    monkeypatch.setattr(models, "recognizer", engine)
    try:
        stage = perform(lambda stage: answered(stage, debtor(answers=PROMISES)), agents=1)
    finally:
        engine.freed.set()
    assert stage.outcome is not None
    if times == 1:
        assert stage.outcome.disposition is Disposition.PROMISE_TO_PAY, stage.story()
    else:
        assert "hangs" in str(stage.of(FactKind.BRAIN_LOST)[0].data["why"])
        assert stage.of(FactKind.JOINED), stage.story()
    sealed(stage)


def test_a_call_that_hears_nothing_more_apologises_and_fetches_a_person(
    perform: Perform, debtor: MakeDebtor, breaking: Callable[[int], Breaking]
) -> None:
    breaking(99)
    stage = perform(lambda stage: answered(stage, debtor(answers=PROMISES)), agents=1)
    assert "recogniser" in str(stage.of(FactKind.BRAIN_LOST)[0].data["why"])
    assert [fact.data["utterance_id"] for fact in stage.of(FactKind.SAID)].count("apology") == 1
    assert stage.of(FactKind.JOINED), stage.story()
    sealed(stage)


def test_with_a_recogniser_behind_the_dead_one_the_call_goes_on_to_its_promise(
    perform: Perform,
    debtor: MakeDebtor,
    models: Models,
    breaking: Callable[[int], Breaking],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(models, "standby", Standby(models.recognizer))
    breaking(99)
    stage = perform(lambda stage: answered(stage, debtor(answers=PROMISES)))
    assert stage.outcome is not None
    assert stage.outcome.disposition is Disposition.PROMISE_TO_PAY, stage.story()
    (note,) = [fact.data for fact in stage.of(FactKind.NOTE) if "why" in fact.data]
    assert note["text"] == "the embedded recogniser hears this call"
    assert "the session was killed" in str(note["why"])
    assert not stage.of(FactKind.BRAIN_LOST)
    sealed(stage)


def test_without_a_person_it_books_a_callback(
    perform: Perform, debtor: MakeDebtor, breaking: Callable[[int], Breaking]
) -> None:
    breaking(99)
    stage = perform(lambda stage: answered(stage, debtor(answers=PROMISES)))
    assert stage.of(FactKind.CALLBACK_BOOKED), stage.story()
    assert stage.of(FactKind.SAID)[-1].data["utterance_id"] == "farewell"
    sealed(stage)


def test_a_conversation_that_fails_ends_with_an_apology(
    perform: Perform, debtor: MakeDebtor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(stage: Stage) -> None:
        stage.brain.take(Hello())
        leg = await stage.ring(debtor(answers=PROMISES))
        leg.tell(Answered())
        await stage.play(lambda: bool(stage.of(FactKind.HEARD)))
        monkeypatch.setattr(stage.brain, "_pass_on", broken)
        await stage.play()

    async def broken(*_: object) -> None:
        raise RuntimeError("no such node")

    stage = perform(fails)
    apology, farewell = stage.of(FactKind.SAID)[-2:]
    assert [apology.data["utterance_id"], farewell.data["utterance_id"]] == ["apology", "farewell"]
    assert stage.of(FactKind.CALLBACK_BOOKED), stage.story()
    assert stage.outcome is not None and stage.outcome.disposition is Disposition.FAILED
    sealed(stage)
