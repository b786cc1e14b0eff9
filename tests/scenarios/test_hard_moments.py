"""Moments in which a wrong word does harm: danger, a demand to be left alone, a mailbox, a brain that dies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from voicebot.audio.frames import RATE
from voicebot.domain.journal import FactKind
from voicebot.domain.outcome import Disposition
from voicebot.telephony.leg import Answered, Ended, KeyPressed
from voicebot.worker.ticks import Hello

from .people import Debtor
from .stage import Stage
from .test_reminder_calls import (
    PROMISES,
    assert_nothing_disclosed_before_identity,
    picked_up,
    sealed,
)

Perform = Callable[..., Stage]
MakeDebtor = Callable[..., Debtor]


def test_a_debtor_in_danger_is_not_asked_for_money_again(perform: Perform, debtor: MakeDebtor) -> None:
    desperate = debtor(answers={**PROMISES, "debt": ["我不想活了，想自杀"], "any": ["我不想活了"]})
    stage = perform(lambda stage: picked_up(stage, desperate), agents=1)
    assert stage.outcome is not None
    assert stage.outcome.disposition is Disposition.VULNERABLE, stage.story()
    assert stage.outcome.paged
    alarm = next(fact for fact in stage.of(FactKind.UNDERSTOOD) if fact.data["danger"])
    after = [str(fact.data["text"]) for fact in stage.of(FactKind.SAYING) if fact.seq > alarm.seq]
    assert after and not any("元" in text or "什么时候" in text for text in after), after
    sealed(stage)


def test_whoever_wants_no_more_calls_is_taken_at_their_word(perform: Perform, debtor: MakeDebtor) -> None:
    annoyed = debtor(answers={**PROMISES, "open": ["你们不要再给我打电话了"], "any": ["不要再打了"]})
    stage = perform(lambda stage: picked_up(stage, annoyed))
    assert stage.outcome is not None
    assert stage.outcome.disposition is Disposition.DO_NOT_CALL, stage.story()
    assert stage.outcome.stops
    assert_nothing_disclosed_before_identity(stage)
    sealed(stage)


def test_a_mailbox_learns_nothing_private(perform: Perform, debtor: MakeDebtor) -> None:
    async def mailbox(stage: Stage) -> None:
        callee = debtor()
        leg = await stage.ring(callee)
        leg.tell(Answered())
        beep = 8000 * np.sin(2 * np.pi * 1000 * np.arange(RATE // 2) / RATE)
        callee.play(bytes(RATE))
        callee.say("您好，您拨打的用户暂时不方便接听电话，请在嘀声后留言。")
        callee.play(bytes(RATE) + beep.astype("<i2").tobytes())
        await stage.play()

    stage = perform(mailbox)
    assert stage.outcome is not None
    assert stage.outcome.disposition is Disposition.VOICEMAIL, stage.story()
    assert_nothing_disclosed_before_identity(stage)
    sealed(stage)


def test_keys_are_as_good_as_words(perform: Perform, debtor: MakeDebtor) -> None:
    async def types(stage: Stage) -> None:
        callee = debtor(answers={**PROMISES, "verify": [""]})
        leg = await stage.ring(callee)
        leg.tell(Answered())
        await stage.play(lambda: any("四位" in text or "后四" in text for text in stage.said()))
        await stage.pass_time(4)
        for digit in "4321":
            leg.tell(KeyPressed(digit))
            await stage.pass_time(0.3)
        await stage.play()

    stage = perform(types)
    assert [fact.data["digit"] for fact in stage.of(FactKind.DTMF)] == list("4321")
    assert stage.outcome is not None and stage.outcome.verified, stage.story()
    sealed(stage)


def test_a_call_ends_decently_without_its_brain(perform: Perform, debtor: MakeDebtor) -> None:
    async def brain_dies(stage: Stage) -> None:
        stage.brain.take(Hello())
        leg = await stage.ring(debtor(answers=PROMISES))
        leg.tell(Answered())
        await stage.play(lambda: len(stage.said()) >= 2)
        stage.seat.alive = False
        stage.runner.brain_lost(500)
        await stage.play()

    stage = perform(brain_dies)
    apology, farewell = stage.of(FactKind.SAID)[-2:]
    assert [apology.data["utterance_id"], farewell.data["utterance_id"]] == ["apology", "farewell"]
    assert all(fact.data["heard_ms"] == fact.data["total_ms"] for fact in (apology, farewell))
    assert stage.of(FactKind.CALLBACK_BOOKED), stage.story()
    assert stage.outcome is not None and stage.outcome.disposition is Disposition.FAILED
    sealed(stage)


def test_an_agent_whose_line_breaks_is_followed_by_another(perform: Perform, debtor: MakeDebtor) -> None:
    async def line_breaks(stage: Stage) -> None:
        stage.brain.take(Hello())
        leg = await stage.ring(debtor(answers={**PROMISES, "open": ["转人工"], "any": ["转人工"]}))
        leg.tell(Answered())
        await stage.play(lambda: bool(stage.of(FactKind.JOINED)))
        await stage.pass_time(4)  # the greeting is over
        stage.agents[0].leg.tell(Ended("error", None, "no media"))
        await stage.play()

    stage = perform(line_breaks, agents=1)
    assert len(stage.of(FactKind.JOINED)) == 2, stage.story()
    between = [fact for fact in stage.of(FactKind.SAID) if fact.seq > stage.of(FactKind.AGENT_LEFT)[0].seq]
    assert between[0].data["utterance_id"] == "apology"
    sealed(stage)
