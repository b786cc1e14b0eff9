"""Warm transfer: the next agent is tried, an agent is briefed alone, nobody stays reserved for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

import pytest

from voicebot.domain.journal import FactKind
from voicebot.handoff.desk import EmptyDesk, Seat
from voicebot.handoff.transfer import MOST_AGENTS, Failed, Joined, WarmTransfer
from voicebot.telephony.leg import Answered, Ended
from voicebot.telephony.testing import SimulatedLeg, SimulatedLine

BRIEFING = b"\x07\x00" * 400  # 50 ms


class Office:
    """A desk with agents 1, 2, … who are all free."""

    def __init__(self, agents: int) -> None:
        self._free = [Seat(str(number), f"客服{number}", f"sip:{number}@office") for number in range(1, agents + 1)]
        self.given_back: list[tuple[str, bool]] = []

    async def reserve(self, skill: str, call_id: str, exclude: Collection[str]) -> Seat | None:
        return next((seat for seat in self._free if seat.id not in exclude), None)

    async def release(self, seat: Seat, *, talked: bool) -> None:
        self.given_back.append((seat.id, talked))


class Case:
    """One transfer with its journal; `answers` says for each agent what becomes of ringing them."""

    def __init__(self, answers: list[Answered | Ended], agents: int = 5) -> None:
        self.office = Office(agents)
        self.line = SimulatedLine(lambda leg: leg.tell(answers[len(self.line.legs) - 1]))
        self.journal: list[tuple[FactKind, Mapping[str, object]]] = []
        self._transfer = WarmTransfer(self.office, self.line, "c1", lambda *fact: self.journal.append(fact))

    def start(self) -> asyncio.Task[Joined | Failed]:
        return asyncio.create_task(self._transfer.run(skill="general", briefing_text="简报", briefing=BRIEFING))

    @property
    def kinds(self) -> list[FactKind]:
        return [kind for kind, _ in self.journal]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_agent_hears_the_briefing_before_the_legs_are_joined() -> None:
    case = Case([Answered()])
    task = case.start()
    await settle()
    (leg,) = case.line.legs
    assert leg.tick(0) == BRIEFING[:320]
    assert FactKind.JOINED not in case.kinds
    for number in range(1, 5):
        leg.tick(number)
    joined = await task
    assert isinstance(joined, Joined) and joined.seat.id == "1"
    assert joined.leg is leg and leg.port is joined.bridge
    assert case.kinds == [FactKind.AGENT_RINGING, FactKind.AGENT_ANSWERED, FactKind.BRIEFED, FactKind.JOINED]
    assert case.office.given_back == [], "the agent talks now"


async def test_a_busy_agent_is_followed_by_the_next() -> None:
    case = Case([Ended("remote", 486, "Busy Here"), Answered()])
    task = case.start()
    await settle()
    for number in range(5):
        case.line.legs[1].tick(number)
    joined = await task
    assert isinstance(joined, Joined) and joined.seat.id == "2"
    assert case.journal[1] == (FactKind.TRANSFER_FAILED, {"agent": "1", "why": "agent_busy"})
    assert case.office.given_back == [("1", False)]


async def test_an_agent_who_hangs_up_during_the_briefing_is_followed_by_the_next() -> None:
    case = Case([Answered(), Ended("remote", 480, "gone")], agents=2)
    task = case.start()
    await settle()
    case.line.legs[0].tell(Ended("remote", None, "the peer hung up"))
    assert await task == Failed("agent_absent")
    whys = [data["why"] for kind, data in case.journal if kind is FactKind.TRANSFER_FAILED]
    assert whys == ["agent_hung_up", "agent_absent"]
    assert case.office.given_back == [("1", False), ("2", False)]


async def test_after_some_agents_the_callee_gets_an_answer() -> None:
    case = Case([Ended("local", None, "ring timeout")] * 5)
    assert await case.start() == Failed("agent_absent")
    assert len(case.line.legs) == MOST_AGENTS
    assert len(case.office.given_back) == MOST_AGENTS


async def test_a_desk_that_cannot_be_asked_is_an_empty_one() -> None:
    class Broken(EmptyDesk):
        async def reserve(self, skill: str, call_id: str, exclude: Collection[str]) -> Seat | None:
            raise ConnectionError("the database is away")

    transfer = WarmTransfer(Broken(), SimulatedLine(lambda leg: None), "c1", lambda *fact: None)
    assert await transfer.run(skill="general", briefing_text="", briefing=b"") == Failed("no_agent")


async def test_nobody_at_the_desk() -> None:
    transfer = WarmTransfer(EmptyDesk(), SimulatedLine(), "c1", lambda kind, data: None)
    assert await transfer.run(skill="general", briefing_text="", briefing=b"") == Failed("no_agent")


@pytest.mark.parametrize("answers", [[Answered()], []])
async def test_a_callee_who_hangs_up_meanwhile_leaves_no_agent_ringing_or_reserved(answers: list[Answered]) -> None:
    case = Case([*answers, Ended("local", None, "")])
    if not answers:
        case.line.on_dial = lambda leg: None  # rings and rings
    task = case.start()
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert all(leg.ended for leg in case.line.legs)
    assert case.office.given_back == [("1", False)]


async def test_a_leg_without_a_port_hears_silence() -> None:
    assert SimulatedLeg().tick(0) == bytes(320)
