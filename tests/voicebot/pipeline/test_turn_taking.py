"""TurnTaking: whose turn is it? What interrupts, what waits, what is no more than company, and when silence counts."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pipecat.audio.dtmf.types import KeypadEntry
from pipecat.frames.frames import (
    Frame,
    InputDTMFFrame,
    InterruptionFrame,
    TranscriptionFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)

from voicebot.dialog.events import Event, KeyPressed, MachineAnswered, Silence, Spoken, TransferEnded
from voicebot.domain.clock import FixedClock
from voicebot.domain.talk import Flush, Order
from voicebot.pipeline.conversation import Conversation
from voicebot.pipeline.frames import DialogEventFrame
from voicebot.pipeline.noticed import Partial
from voicebot.pipeline.turn_taking import TurnTaking

from .chain import Chain, chain

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)


class Talk:
    """A conversation and the chain it goes through."""

    def __init__(self, conversation: Conversation, turns: TurnTaking, one: Chain, orders: list[Order]) -> None:
        self.conversation, self._turns, self._chain, self.orders = conversation, turns, one, orders

    async def put(self, *frames: Frame) -> None:
        await self._chain.put(*frames)

    async def overhears(self, text: str, insists: bool | None = None) -> None:
        self._turns.overhear(Partial(text, insists))
        await self._chain.settle()

    def overhears_at_once(self, text: str) -> None:
        self._turns.overhear(Partial(text))

    def bot_says(self, name: str = "u1", *, interruptible: bool = True) -> None:
        self.conversation.speaking[name] = interruptible

    async def bot_said(self, name: str = "u1") -> None:
        await self.put(DialogEventFrame(Spoken(NOW, name, 900, 900, False)))

    async def after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._chain.settle()

    @property
    def passed(self) -> list[str]:
        return [frame.text for frame in self._chain.out if isinstance(frame, TranscriptionFrame)]

    @property
    def interruptions(self) -> int:
        return sum(isinstance(frame, InterruptionFrame) for frame in self._chain.out)

    def events(self, kind: type[Event]) -> list[Event]:  # type: ignore[type-arg]
        return [f.event for f in self._chain.out if isinstance(f, DialogEventFrame) and isinstance(f.event, kind)]


def final(text: str) -> TranscriptionFrame:
    frame = TranscriptionFrame(text, "callee", NOW.isoformat(), finalized=True)
    frame.interruptible = False
    return frame


@pytest_asyncio.fixture
async def talk() -> AsyncIterator[Talk]:
    conversation = Conversation(1, "c1", patience_s=0.15)
    orders: list[Order] = []
    turns = TurnTaking(conversation, FixedClock(NOW), orders.append)
    async with chain(turns) as one:
        yield Talk(conversation, turns, one, orders)


async def test_words_to_a_silent_bot_pass(talk: Talk) -> None:
    await talk.put(final("我明天还"))
    assert talk.passed == ["我明天还"]
    assert talk.interruptions == 0


async def test_words_interrupt_before_they_are_finished(talk: Talk) -> None:
    talk.bot_says()
    await talk.overhears("等一")
    assert talk.interruptions == 0, "two syllables are not enough"
    await talk.overhears("等一下我")
    assert talk.interruptions == 1
    assert not talk.conversation.bot_speaks
    await talk.overhears("等一下我没钱")
    await talk.put(final("等一下我没钱"))
    assert talk.interruptions == 1, "the bot is silent already"
    assert talk.passed == ["等一下我没钱"]


@pytest.mark.parametrize("interruptible", [True, False])
async def test_sounds_that_insist_interrupt_before_they_are_words(talk: Talk, interruptible: bool) -> None:
    talk.bot_says(interruptible=interruptible)
    await talk.overhears("没", insists=True)
    assert talk.interruptions == interruptible


async def test_the_line_is_told_before_any_frame_moves(talk: Talk) -> None:
    """Where many calls are busy, a frame comes to its turn late."""
    talk.bot_says()
    talk.overhears_at_once("等一下我")
    assert talk.orders == [Flush(1)]
    assert not talk.conversation.bot_speaks
    talk.overhears_at_once("等一下我没钱")
    assert talk.orders == [Flush(1)]


async def test_company_does_not_stop_the_bot_and_is_no_answer(talk: Talk) -> None:
    talk.bot_says()
    await talk.overhears("嗯嗯嗯")
    await talk.put(final("嗯嗯嗯"))
    assert (talk.interruptions, talk.passed, talk.orders) == (0, [], [])


async def test_a_sentence_that_must_be_heard_is_heard_and_the_answer_waits(talk: Talk) -> None:
    talk.bot_says(interruptible=False)
    await talk.overhears("我现在就还")
    await talk.put(final("我现在就还"))
    assert (talk.interruptions, talk.passed) == (0, [])
    await talk.bot_said()
    assert talk.passed == ["我现在就还"]


@pytest.mark.parametrize("interruptible", [True, False])
async def test_danger_stops_any_sentence(talk: Talk, interruptible: bool) -> None:
    talk.bot_says(interruptible=interruptible)
    await talk.overhears("我不想活了")
    assert talk.interruptions == 1
    await talk.put(final("我不想活了"))
    assert talk.passed == ["我不想活了"]


async def test_a_yes_shortly_before_the_end_of_the_question_is_the_answer(talk: Talk) -> None:
    talk.bot_says()
    await talk.put(final("是的"))
    assert talk.passed == []
    await talk.bot_said()
    assert talk.passed == ["是的"]


async def test_an_answer_kept_for_later_is_given_once(talk: Talk) -> None:
    talk.bot_says("u1")
    await talk.put(final("是的"))
    await talk.bot_said("u1")
    talk.bot_says("u2")
    await talk.bot_said("u2")
    assert talk.passed == ["是的"]


async def test_the_answer_waits_for_the_last_of_several_sentences(talk: Talk) -> None:
    talk.bot_says("u1", interruptible=False)
    talk.bot_says("u2", interruptible=False)
    await talk.put(final("我下周三还一半"))
    await talk.bot_said("u1")
    assert talk.passed == []
    await talk.bot_said("u2")
    assert talk.passed == ["我下周三还一半"]


async def test_silence_counts_from_the_end_of_the_question(talk: Talk) -> None:
    talk.bot_says()
    talk.conversation.listening = True
    await talk.after(0.25)
    assert not talk.events(Silence), "the bot was speaking"
    await talk.bot_said()
    talk.conversation.listening = True
    await talk.after(0.25)
    assert len(talk.events(Silence)) == 1


async def test_whoever_speaks_is_not_silent(talk: Talk) -> None:
    talk.conversation.listening = True
    talk.conversation.on_listen()
    await talk.put(UserStartedSpeakingFrame())
    await talk.after(0.25)
    assert not talk.events(Silence)
    await talk.put(UserStoppedSpeakingFrame(), final(""))
    await talk.after(0.25)
    assert len(talk.events(Silence)) == 1, "a cough ends the waiting for ever"


@pytest.mark.parametrize("state", ["handed_over", "over"])
async def test_nobody_waits_for_an_answer_when_the_talk_is_no_longer_the_bots(talk: Talk, state: str) -> None:
    setattr(talk.conversation, state, True)
    talk.conversation.listening = True
    talk.conversation.on_listen()
    await talk.after(0.25)
    assert not talk.events(Silence)


async def test_a_transfer_ends_the_waiting(talk: Talk) -> None:
    talk.conversation.listening = True
    talk.conversation.on_listen()
    await talk.put(DialogEventFrame(TransferEnded(NOW, joined=True)))
    await talk.after(0.25)
    assert not talk.events(Silence)
    assert len(talk.events(TransferEnded)) == 1


async def test_a_machine_interrupts_whatever_is_said(talk: Talk) -> None:
    talk.bot_says(interruptible=False)
    await talk.put(DialogEventFrame(MachineAnswered(NOW, "voicemail")))
    assert talk.interruptions == 1
    assert talk.events(MachineAnswered) == [MachineAnswered(NOW, "voicemail")]


@pytest.mark.parametrize("interruptible", [True, False])
async def test_a_key_is_told_at_once_and_stops_what_may_be_stopped(talk: Talk, interruptible: bool) -> None:
    talk.bot_says(interruptible=interruptible)
    await talk.put(InputDTMFFrame(button=KeypadEntry("5")))
    assert talk.events(KeyPressed) == [KeyPressed(NOW, "5")]
    assert talk.interruptions == int(interruptible)


async def test_whoever_presses_keys_is_not_silent(talk: Talk) -> None:
    talk.conversation.listening = True
    talk.conversation.on_listen()
    for _ in range(4):
        await talk.after(0.1)
        await talk.put(InputDTMFFrame(button=KeypadEntry("5")))
    assert not talk.events(Silence)
    await talk.after(0.25)
    assert len(talk.events(Silence)) == 1
