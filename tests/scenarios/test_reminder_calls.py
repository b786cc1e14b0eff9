"""Reminder calls from ringing to the sealed bundle: what was promised, what was not said, who was fetched."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from voicebot.domain.journal import FactKind
from voicebot.domain.outcome import Disposition
from voicebot.evidence.reading import read_audio
from voicebot.evidence.verify import verify_bundle
from voicebot.telephony.leg import Answered, EarlyMedia, Ended, Ringing

from .people import Debtor
from .stage import CASE, Stage

PRIVATE = re.compile(r"欠|逾期|还款|账单|分期|贷|催|元|块钱|示范消费金融")
PROMISES = {
    "open": ["我是，您说"],
    "verify": ["四三二一"],
    "debt": ["我明天还"],
    "promise": ["对，没问题"],
    "reason": ["最近手头有点紧"],
    "any": ["好的"],
}
Perform = Callable[..., Stage]
MakeDebtor = Callable[..., Debtor]


async def picked_up(stage: Stage, debtor: Debtor) -> None:
    leg = await stage.ring(debtor)
    leg.tell(Ringing(180))
    await stage.pass_time(0.5)
    leg.tell(Answered())
    await stage.play()


def sealed(stage: Stage) -> None:
    assert stage.bundle is not None
    assert verify_bundle(stage.bundle).failures == ()
    assert stage.facts[-1].kind is FactKind.ENDED


def assert_nothing_disclosed_before_identity(stage: Stage) -> None:
    for fact in stage.facts:
        if fact.kind is FactKind.VERIFIED:
            return
        if fact.kind is FactKind.SAYING:
            assert not PRIVATE.search(str(fact.data["text"])), f"disclosed to a stranger: {fact.data['text']}"


def test_a_debtor_promises_to_pay(perform: Perform, debtor: MakeDebtor) -> None:
    stage = perform(lambda stage: picked_up(stage, debtor(answers=PROMISES)))
    assert stage.outcome is not None
    assert stage.outcome.disposition is Disposition.PROMISE_TO_PAY, stage.story()
    assert stage.outcome.promise is not None
    assert (stage.outcome.promise.amount_fen, stage.outcome.promise.confirmed) == (CASE.amount_fen, True)
    assert stage.outcome.verified
    assert_nothing_disclosed_before_identity(stage)
    latencies = [fact.data["turn_ms"] for fact in stage.of(FactKind.LATENCY)]
    assert latencies and all(isinstance(ms, int) and ms < 1500 for ms in latencies), latencies
    sealed(stage)


def test_whoever_is_not_the_debtor_learns_nothing(perform: Perform, debtor: MakeDebtor) -> None:
    stranger = debtor(answers={"open": ["你打错了，我不认识这个人"], "any": ["不认识"]})
    stage = perform(lambda stage: picked_up(stage, stranger))
    assert stage.outcome is not None
    assert stage.outcome.disposition in (Disposition.WRONG_NUMBER, Disposition.THIRD_PARTY), stage.story()
    assert not stage.outcome.verified
    assert_nothing_disclosed_before_identity(stage)
    sealed(stage)


def test_silence_ends_in_no_input(perform: Perform, debtor: MakeDebtor) -> None:
    stage = perform(lambda stage: picked_up(stage, debtor()))
    assert stage.outcome is not None
    assert stage.outcome.disposition is Disposition.NO_INPUT, stage.story()
    assert not stage.of(FactKind.HEARD)
    assert_nothing_disclosed_before_identity(stage)
    sealed(stage)


def test_barge_in_stops_the_sentence_and_tells_how_much_was_heard(perform: Perform, debtor: MakeDebtor) -> None:
    answers = {**PROMISES, "debt": ["我明天还"]}
    hasty = debtor(answers=answers, barges_in=("元", 2000, "等一下，我没有钱还不起"))
    stage = perform(lambda stage: picked_up(stage, hasty))
    cut = [fact for fact in stage.of(FactKind.SAID) if fact.data["interrupted"] and fact.data["heard_ms"]]
    assert cut, stage.story()
    heard, total = cut[0].data["heard_ms"], cut[0].data["total_ms"]
    assert isinstance(heard, int) and isinstance(total, int)
    assert 2000 < heard < min(total, 5000)
    after = stage.facts[stage.facts.index(cut[0]) :]
    assert any(fact.kind is FactKind.UNDERSTOOD for fact in after), "the words that interrupted were lost"
    sealed(stage)


def test_an_agent_is_fetched_and_both_voices_are_recorded(perform: Perform, debtor: MakeDebtor) -> None:
    wants_person = debtor(answers={**PROMISES, "debt": ["我要转人工"], "any": ["转人工"]})
    stage = perform(lambda stage: picked_up(stage, wants_person), agents=2)
    assert stage.outcome is not None and stage.outcome.handoff, stage.story()
    (agent,) = stage.agents
    briefed, joined = stage.of(FactKind.BRIEFED)[0], stage.of(FactKind.JOINED)[0]
    assert briefed.data["text"]
    assert stage.bundle is not None
    talk = read_audio(stage.bundle)[joined.ms * 8 + 1600 :, 0].astype(float)
    assert strength(talk, 400) > 0.5, "the agent is not in the recording"
    spoken = read_audio(stage.bundle)[:, 0].astype(float)[: joined.ms * 8 - 8000]
    assert strength(spoken, 400) < 0.2, "the agent was heard before the join"
    assert len(agent.heard) > 320 * 50
    sealed(stage)


def test_busy_agents_bring_the_bot_back_with_a_callback(perform: Perform, debtor: MakeDebtor) -> None:
    wants_person = debtor(answers={**PROMISES, "debt": ["我要转人工"], "any": ["好的"]})
    stage = perform(lambda stage: picked_up(stage, wants_person), agents=1, busy=True)
    assert stage.outcome is not None and not stage.outcome.handoff
    assert stage.outcome.callbacks, stage.story()
    failed = stage.of(FactKind.TRANSFER_FAILED)[-1]
    after = [fact for fact in stage.of(FactKind.SAID) if fact.seq > failed.seq]
    assert after and after[0].data["heard_ms"] == after[0].data["total_ms"], "the callee is left without a word"
    sealed(stage)


def test_a_carriers_announcement_is_understood_before_any_answer(perform: Perform, debtor: MakeDebtor) -> None:
    async def announced(stage: Stage) -> None:
        callee = debtor()
        leg = await stage.ring(callee)
        leg.tell(Ringing(183))
        leg.tell(EarlyMedia())
        callee.say("您好，您拨打的号码是空号，请核对后再拨。")
        await stage.play()

    stage = perform(announced)
    assert stage.outcome is not None
    assert stage.outcome.disposition is Disposition.UNREACHABLE, stage.story()
    assert not stage.of(FactKind.SAYING), "something was said into an announcement"
    sealed(stage)


def test_a_debtor_who_hangs_up_in_the_middle_leaves_a_whole_record(perform: Perform, debtor: MakeDebtor) -> None:
    async def cut_short(stage: Stage) -> None:
        leg = await stage.ring(debtor())
        leg.tell(Answered())
        await stage.play(lambda: bool(stage.of(FactKind.SAYING)))
        await stage.pass_time(1.0)
        leg.tell(Ended("remote", None, "the peer hung up"))
        await stage.play()

    stage = perform(cut_short)
    said = stage.of(FactKind.SAID)[0].data
    assert said["interrupted"] and 500 < int(str(said["heard_ms"])) < 1500
    sealed(stage)


def strength(sound: np.ndarray[tuple[int, ...], np.dtype[np.float64]], hz: float) -> float:
    """The share of the energy that lies within 25 Hz of a tone."""
    if not len(sound):
        return 0.0
    power = np.abs(np.fft.rfft(sound)) ** 2
    near = np.abs(np.fft.rfftfreq(len(sound), 1 / 8000) - hz) < 25
    return float(power[near].sum() / max(power.sum(), 1.0))
