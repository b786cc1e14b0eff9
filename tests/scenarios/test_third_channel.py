"""A call with all its people: held, a colleague consulted, handed on - and every leg of it in the sealed recording."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from voicebot.audio.frames import RATE
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import FactKind
from voicebot.evidence.examine import examine
from voicebot.evidence.reading import read_consultation, read_journal
from voicebot.evidence.redaction import redact, whole_channel
from voicebot.evidence.signer import Signer, verify_signature
from voicebot.evidence.stored_zip import unzip
from voicebot.telephony.leg import Answered, Ended, KeyPressed

from .people import Agent, Debtor
from .stage import Stage
from .test_reminder_calls import PROMISES, sealed
from .virtual_time import START

Perform = Callable[..., Stage]
MakeDebtor = Callable[..., Debtor]
Samples = NDArray[np.int16]
ASKS = {**PROMISES, "open": ["转人工"], "any": ["转人工"]}
FIRST_HZ, SECOND_HZ, DEBTOR_HZ = 400, 700, 1100


def tone(hz: int) -> bytes:
    """20 ms; every tone has whole periods in it."""
    return (3000 * np.sin(2 * np.pi * hz * np.arange(160) / RATE)).astype("<i2").tobytes()


def share(sound: Samples, hz: int) -> float:
    """How much of the energy lies within 20 Hz of a tone."""
    power = np.abs(np.fft.rfft(sound.astype(float))) ** 2
    near = np.abs(np.fft.rfftfreq(len(sound), 1 / RATE) - hz) <= 20
    return float(power[near].sum() / max(power.sum(), 1.0))


class Recording:
    """The three channels of a sealed call; `piece` is what a channel holds between two moments."""

    def __init__(self, bundle: Path) -> None:
        self.members = unzip(bundle.read_bytes())[0]
        both = np.frombuffer(self.members["audio.wav"][44:], "<i2").reshape(-1, 2)
        self.left, self.right = both[:, 0], both[:, 1]
        self.rows = [json.loads(line) for line in self.members["chain.jsonl"].splitlines()[1:]]
        self.third = np.zeros(len(both), np.int16)
        sound, at = np.frombuffer(self.members["consult.wav"][44:], "<i2"), 0
        for row in self.rows:
            if "third" in row:
                size = row["ticks"] * 160
                begin = row["second"] * RATE
                self.third[begin : begin + size] = sound[at : at + size]
                at += size
        assert at == len(sound), "the third channel is longer than its seconds"


def between(sound: Samples, first_ms: int, last_ms: int) -> Samples:
    """Without a fifth of a second at either end, where sounds are on their way."""
    return sound[(first_ms + 200) * 8 : (last_ms - 200) * 8]


class Day:
    """The scenario, and the moments at which its parts began and ended."""

    def __init__(self) -> None:
        self.moments: list[int] = []

    async def play(self, stage: Stage, debtor: Debtor) -> None:
        leg = await stage.ring(debtor)
        leg.tell(Answered())
        first = await self._comes(stage, 0, FIRST_HZ)
        debtor.play(tone(DEBTOR_HZ) * 50 * 60)
        await self._for(stage, 2)
        self._click(stage, "agent_hold", on=True)
        await self._for(stage, 2)
        self._click(stage, "agent_hold", on=False)
        await self._for(stage, 2)
        self._click(stage, "consult", target="a1")
        await stage.play(lambda: len(stage.agents) == 2)
        self._speaks(stage.agents[1], SECOND_HZ)
        await stage.pass_time(1.5)
        await self._for(stage, 3)
        self._click(stage, "three_way")
        await self._for(stage, 3)
        self._click(stage, "end_consult")
        await self._for(stage, 2)
        self._click(stage, "transfer", target="a1")
        await self._comes(stage, 2, SECOND_HZ)
        await self._for(stage, 2)
        assert first.leg.ended is not None, "the first agent is still in the call"
        leg.tell(Ended("remote", None, "the debtor hung up"))
        await stage.play()

    async def _comes(self, stage: Stage, number: int, hz: int) -> Agent:
        await stage.play(lambda: len(stage.agents) > number)
        agent = stage.agents[number]
        self._speaks(agent, hz)
        already = len(stage.of(FactKind.AGENT_ANSWERED))
        await stage.play(lambda: len(stage.of(FactKind.AGENT_ANSWERED)) > already)
        await stage.pass_time(0.5)
        agent.leg.tell(KeyPressed("1"))
        joined = len(stage.of(FactKind.JOINED))
        await stage.play(lambda: len(stage.of(FactKind.JOINED)) > joined)
        return agent

    @staticmethod
    def _speaks(agent: Agent, hz: int) -> None:
        agent.stays, agent.mouth = 100_000, lambda tick: tone(hz)

    @staticmethod
    def _click(stage: Stage, verb: str, **payload: object) -> None:
        (session,) = stage.runner.sessions.values()
        assert session.command(verb, payload)

    async def _for(self, stage: Stage, seconds: float) -> None:
        (session,) = stage.runner.sessions.values()
        self.moments.append(session.recorder.ms)
        await stage.pass_time(seconds)
        self.moments.append(session.recorder.ms)


def test_every_leg_is_in_the_recording_and_the_third_can_be_taken_out_alone(
    perform: Perform, debtor: MakeDebtor, tmp_path: Path
) -> None:
    day = Day()
    stage = perform(lambda stage: day.play(stage, debtor(answers=ASKS)), agents=2)
    sealed(stage)
    assert stage.bundle is not None
    call = Recording(stage.bundle)
    aligned = read_consultation(stage.bundle)
    assert aligned is not None and (aligned == call.third).all()
    _hears_who_spoke(call, day.moments)
    _tells_of_everybody(stage)
    _third_alone(call, Signer.load_or_create(tmp_path / "keys"))


def _hears_who_spoke(call: Recording, moments: list[int]) -> None:
    talk, hold, back, apart, three, after, handed = zip(moments[::2], moments[1::2], strict=True)
    for span in (talk, back, three, after):
        assert share(between(call.left, *span), FIRST_HZ) > 0.4, span
    for span in (hold, apart):
        assert share(between(call.left, *span), FIRST_HZ) < 0.05, "what the debtor could not hear is on their channel"
        assert between(call.left, *span).any(), "the debtor waits in silence"
    assert share(between(call.left, *handed), SECOND_HZ) > 0.9
    assert share(between(call.left, *three), SECOND_HZ) > 0.2
    for span in (talk, hold, apart, three, handed):
        assert share(between(call.right, *span), DEBTOR_HZ) > 0.9, "the debtor is not recorded through it all"
    for hz in (FIRST_HZ, SECOND_HZ):
        assert share(between(call.third, *apart), hz) > 0.3, f"{hz} Hz is missing in the talk of two"
    assert share(between(call.third, *three), SECOND_HZ) > 0.9
    for span in (talk, hold, back, handed):
        assert not between(call.third, *span).any()
    assert all("third" not in row for row in call.rows if row["second"] * 1000 < apart[0] - 2500)
    assert sum(row["ticks"] for row in call.rows) * 160 == len(call.left) == len(call.right), "sound was stretched"


def _tells_of_everybody(stage: Stage) -> None:
    assert [fact.data["on"] for fact in stage.of(FactKind.AGENT_HOLD)] == [True, False]
    assert [fact.data.get("three_way", False) for fact in stage.of(FactKind.CONSULT_STARTED)] == [False, True]
    assert len(stage.of(FactKind.CONSULT_ENDED)) == 1
    assert [fact.data["agent"] for fact in stage.of(FactKind.JOINED)] == ["a0", "a1"]
    assert {"agent": "a0", "by": "transfer"} in [dict(fact.data) for fact in stage.of(FactKind.AGENT_LEFT)]
    assert stage.bundle is not None
    assert [fact.kind for fact in read_journal(stage.bundle)] == [fact.kind for fact in stage.facts if fact.seq >= 0]


def _third_alone(call: Recording, signer: Signer) -> None:
    """`call` was sealed with the keys in the same folder."""
    spans = [whole_channel(call.members, "third")]
    copy = redact(call.members, spans, by="mei", reason="a colleague's advice", signer=signer, clock=FixedClock(START))
    assert {code for code, _ in examine(copy, None, verify_signature)} == set()
    assert not any(copy["consult.wav"][44:]) and copy["audio.wav"] == call.members["audio.wav"]
    assert copy["journal.jsonl"] == call.members["journal.jsonl"]
    flipped = bytearray(call.members["consult.wav"])
    flipped[len(flipped) // 2] ^= 1
    assert {"audio_altered", "hash_mismatch"} <= {
        code for code, _ in examine({**call.members, "consult.wav": bytes(flipped)}, None, verify_signature)
    }
    stranger = Signer(Ed25519PrivateKey.generate())
    forged = redact(call.members, spans, by="x", reason="x", signer=stranger, clock=FixedClock(START))
    assert "redaction_bad" in {code for code, _ in examine(forged, None, verify_signature)}
