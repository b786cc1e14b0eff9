"""Preview dial: the agent first, then the debtor; recorded, and without a word of the bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.voicebot.call.test_runner import Desk
from voicebot.call.runner import DialOrder
from voicebot.domain.journal import FactKind
from voicebot.domain.talk import AGENT_SIDE, OWN_SIDE, HandedOver, Opened, Report
from voicebot.evidence.reading import read_audio
from voicebot.handoff.preview import AgentAbsentError
from voicebot.handoff.testing import agent
from voicebot.telephony.leg import Answered, Ended, Ringing, UndiallableError
from voicebot.telephony.testing import SimulatedLeg

ORDER = DialOrder("c1", "sip:debtor@192.0.2.9", "reminder", None, None, agent_id="a0")
AGENT, DEBTOR = b"\x10\x08" * 160, b"\x02\x06" * 160


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    one = Desk(tmp_path)
    one.office.people["a0"] = agent("a0", presence="away")
    yield one
    await one.runner.drain(0)


async def rung(desk: Desk) -> tuple[asyncio.Task[None], SimulatedLeg]:
    dialling = asyncio.create_task(desk.runner.dial(ORDER))
    await asyncio.sleep(0.01)
    (leg,) = desk.line.legs
    return dialling, leg


async def answered(desk: Desk) -> tuple[SimulatedLeg, SimulatedLeg]:
    dialling, leg = await rung(desk)
    leg.tell(Answered())
    await asyncio.wait_for(dialling, 1)
    await asyncio.sleep(0.01)
    return leg, desk.line.legs[1]


async def test_the_agent_is_rung_before_the_debtor(desk: Desk) -> None:
    dialling, leg = await rung(desk)
    assert leg.remote == "sip:a0@office" and desk.facts == []
    leg.tell(Answered())
    await dialling
    assert desk.line.legs[1].remote == ORDER.target


async def test_both_talk_and_the_bot_listens(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[Report] = []
    frames: list[int] = []
    monkeypatch.setattr(desk.brain, "report", reports.append)
    monkeypatch.setattr(desk.brain, "frame", lambda call, pcm: frames.append(call))
    leg, debtor = await answered(desk)
    debtor.tell(Ringing(180))
    await asyncio.sleep(0.01)
    assert leg.tick(1, AGENT) != bytes(320), "the agent does not hear it ring"
    debtor.tell(Answered())
    await asyncio.sleep(0.01)
    for tick in range(2, 60):
        heard = debtor.tick(tick, DEBTOR), leg.tick(tick, AGENT)
    assert heard == (AGENT, DEBTOR)
    assert [type(report) for report in reports] == [HandedOver, Opened]
    assert isinstance(reports[1], Opened) and reports[1].silent
    assert {1, 1 | AGENT_SIDE, 1 | OWN_SIDE} == set(frames)
    assert FactKind.JOINED in [fact.kind for fact in desk.facts]
    debtor.tell(Ended("remote", None, "bye"))
    await desk.until_over()
    audio = read_audio(desk.over[0][1])
    assert audio[-160:, 0].tobytes() == AGENT and audio[-160:, 1].tobytes() == DEBTOR
    assert leg.ended is not None and desk.office.people["a0"].presence == "wrap_up"


async def test_an_agent_who_hangs_up_before_the_answer_ends_the_call(desk: Desk) -> None:
    leg, debtor = await answered(desk)
    leg.tell(Ended("remote", None, "bye"))
    await desk.until_over()
    assert debtor.ended is not None


async def test_an_agent_who_does_not_answer_rings_nobody(desk: Desk) -> None:
    dialling, leg = await rung(desk)
    leg.tell(Ended("remote", 486, "busy"))
    with pytest.raises(AgentAbsentError, match="did not answer"):
        await dialling
    assert len(desk.line.legs) == 1 and desk.office.people["a0"].presence == "away"


async def test_an_agent_who_is_in_a_call_cannot_dial(desk: Desk) -> None:
    desk.office.set_presence("a0", "busy")
    with pytest.raises(AgentAbsentError, match="in a call"):
        await desk.runner.dial(ORDER)


async def test_a_debtor_who_cannot_be_rung_lets_the_agent_go(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    dialling, leg = await rung(desk)

    async def none(*args: object, **values: object) -> SimulatedLeg:
        raise UndiallableError("no trunk")

    monkeypatch.setattr(desk.line, "dial", none)
    leg.tell(Answered())
    with pytest.raises(UndiallableError):
        await dialling
    assert leg.ended is not None and desk.office.people["a0"].presence == "away"
