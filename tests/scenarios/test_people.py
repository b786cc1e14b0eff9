"""From the bot to a person: how fast, that nothing is lost on the way, and what becomes of it when nobody comes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from voicebot.domain.journal import FactKind
from voicebot.domain.records import AlertKind
from voicebot.evidence.reading import read_audio
from voicebot.handoff.rules import TransferRules
from voicebot.telephony.leg import Answered, Ended, KeyPressed
from voicebot.worker.ticks import Hello

from .people import Debtor
from .stage import Stage
from .test_reminder_calls import PROMISES, sealed

Perform = Callable[..., Stage]
MakeDebtor = Callable[..., Debtor]
ASKS = {**PROMISES, "open": ["转人工"], "any": ["转人工"]}
MOST_RING_MS, MOST_JOIN_MS = 1000, 300


def ramp(number: int) -> bytes:
    """The n-th 20 ms of a sound of which no two are alike."""
    noise = np.random.default_rng(number).normal(0, 1800, 160)
    return noise.clip(-9000, 9000).astype("<i2").tobytes()


def numbers_in(sound: NDArray[np.int16], upto: int) -> list[int]:
    """Which frames of the ramp are heard in this sound, one after another."""
    known = np.stack([np.frombuffer(ramp(number), "<i2").astype(float) for number in range(upto)])
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    found = []
    for at in range(0, len(sound) - 159, 160):
        frame = sound[at : at + 160].astype(float)
        norm = np.linalg.norm(frame)
        likeness = known @ frame / norm if norm > 1000 else np.zeros(1)
        if likeness.max() > 0.97:
            found.append(int(likeness.argmax()))
    return found


def ms_between(stage: Stage, first: FactKind, second: FactKind) -> int:
    return stage.of(second)[0].ms - stage.of(first)[0].ms


def test_a_person_is_there_at_once_and_nothing_of_either_side_is_lost(perform: Perform, debtor: MakeDebtor) -> None:
    async def accepts(stage: Stage) -> None:
        stage.brain.take(Hello())
        leg = await stage.ring(debtor(answers=ASKS))
        leg.tell(Answered())
        await stage.play(lambda: bool(stage.of(FactKind.AGENT_ANSWERED)))
        await stage.pass_time(1)
        stage.agents[0].leg.tell(KeyPressed("1"))
        await stage.play(lambda: bool(stage.of(FactKind.JOINED)))
        assert stage.debtor is not None
        stage.debtor.play(b"".join(ramp(2000 + number) for number in range(100)))
        await stage.play()

    stage = perform(accepts, agents=1, mouth=ramp, rules=TransferRules(greets=False))
    assert ms_between(stage, FactKind.TRANSFER_STARTED, FactKind.AGENT_RINGING) <= MOST_RING_MS, stage.story()
    assert ms_between(stage, FactKind.AGENT_ACCEPTED, FactKind.JOINED) <= MOST_JOIN_MS
    (joined,) = stage.of(FactKind.JOINED)
    assert isinstance(joined.data["accept_ms"], int) and joined.data["accept_ms"] <= MOST_JOIN_MS
    assert stage.bundle is not None
    audio = read_audio(stage.bundle)
    agent = numbers_in(audio[:, 0], 900)
    assert agent == list(range(agent[0], agent[-1] + 1)) and len(agent) > 500, "frames of the agent are missing"
    assert agent[-1] >= 672, "what the agent said last is not in the recording"
    said_before = (stage.of(FactKind.AGENT_ACCEPTED)[0].ms - stage.of(FactKind.AGENT_ANSWERED)[0].ms) // 20
    assert agent[0] - said_before <= MOST_JOIN_MS // 20
    heard = np.frombuffer(bytes(stage.agents[0].heard), "<i2")
    from_debtor = [number for number in numbers_in(heard, 2100) if number >= 2000]
    assert from_debtor == list(range(2000, 2100)), "the agent missed something"
    assert numbers_in(audio[:, 1], 2100)[-100:] == list(range(2000, 2100))
    sealed(stage)


def test_both_are_greeted_and_the_agent_is_briefed_alone(perform: Perform, debtor: MakeDebtor) -> None:
    async def stays(stage: Stage) -> None:
        stage.brain.take(Hello())
        leg = await stage.ring(debtor(answers=ASKS))
        leg.tell(Answered())
        await stage.play()

    stage = perform(stays, agents=1)
    (briefed,) = stage.of(FactKind.BRIEFED)
    assert isinstance(briefed.data["heard_ms"], int) and 3000 <= briefed.data["heard_ms"] <= 9000, briefed
    assert stage.of(FactKind.AGENT_ACCEPTED)[0].data["how"] == "auto"
    greeting = next(fact for fact in stage.of(FactKind.SAID) if fact.data["utterance_id"] == "greeting")
    assert greeting.data["heard_ms"] == greeting.data["total_ms"]
    assert stage.desk.people["a0"].presence == "wrap_up"
    sealed(stage)


def test_a_debtor_who_waits_is_never_left_in_silence(perform: Perform, debtor: MakeDebtor) -> None:
    async def waits(stage: Stage) -> None:
        stage.brain.take(Hello())
        stage.desk.set_presence("a0", "busy")
        leg = await stage.ring(debtor(answers=ASKS))
        leg.tell(Answered())
        await stage.play(lambda: bool(stage.of(FactKind.TRANSFER_STARTED)))
        await stage.pass_time(45)
        stage.desk.set_presence("a0", "ready")
        await stage.play()

    stage = perform(waits, agents=1)
    start, end = stage.of(FactKind.TRANSFER_STARTED)[0].ms, stage.of(FactKind.AGENT_ACCEPTED)[0].ms
    assert stage.bundle is not None
    heard = read_audio(stage.bundle)[start * 8 : end * 8, 0].astype(float)
    seconds = heard[: len(heard) // 16000 * 16000].reshape(-1, 16000)
    assert np.all(np.sqrt((seconds**2).mean(axis=1)) > 20), "two seconds of nothing"
    places = [fact for fact in stage.of(FactKind.SAID) if str(fact.data["utterance_id"]).startswith("queue-")]
    assert len(places) == 2, stage.story()
    sealed(stage)


def test_when_nobody_comes_the_bot_says_so_and_a_callback_is_booked(perform: Perform, debtor: MakeDebtor) -> None:
    async def nobody(stage: Stage) -> None:
        stage.brain.take(Hello())
        leg = await stage.ring(debtor(answers=ASKS))
        leg.tell(Answered())
        await stage.play()

    stage = perform(nobody, agents=2, busy=True)
    whys = [fact.data["why"] for fact in stage.of(FactKind.TRANSFER_FAILED)]
    assert whys == ["agent_busy", "agent_busy", "agent_busy"], "two agents, then the whole"
    assert stage.of(FactKind.CALLBACK_BOOKED), stage.story()
    assert any("回电" in text or "联系您" in text for text in stage.said()[-4:]), stage.said()
    assert AlertKind.TRANSFER_FAILED in [kind for kind, _ in stage.desk.alerts]
    sealed(stage)


def test_nobody_in_danger_is_hung_up_on(perform: Perform, debtor: MakeDebtor) -> None:
    async def danger(stage: Stage) -> None:
        stage.brain.take(Hello())
        desperate = debtor(answers={**PROMISES, "debt": ["我不想活了，想自杀"], "any": ["我不想活了"]})
        leg = await stage.ring(desperate)
        leg.tell(Answered())
        await stage.play(lambda: len(stage.of(FactKind.TRANSFER_STARTED)) >= 4, within_s=400)
        assert stage.outcome is None, "the line hung up"
        leg.tell(Ended("remote", None, "the debtor hung up"))
        await stage.play()

    stage = perform(danger)
    assert stage.desk.alerts[0][0] is AlertKind.DANGER, "supervisors are paged last and not first"
    assert all(fact.data["urgent"] for fact in stage.of(FactKind.TRANSFER_STARTED))
    sealed(stage)


def test_in_danger_a_supervisor_is_rung_within_the_target(perform: Perform, debtor: MakeDebtor) -> None:
    async def danger(stage: Stage) -> None:
        stage.brain.take(Hello())
        desperate = debtor(answers={**PROMISES, "debt": ["我不想活了，想自杀"], "any": ["我不想活了"]})
        leg = await stage.ring(desperate)
        leg.tell(Answered())
        await stage.play()

    stage = perform(danger, supervisors=1)
    assert ms_between(stage, FactKind.TRANSFER_STARTED, FactKind.JOINED) <= 30_000, stage.story()
    assert stage.of(FactKind.JOINED)[0].data["agent"] == "s0"
    sealed(stage)
