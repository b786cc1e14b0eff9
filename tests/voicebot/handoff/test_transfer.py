"""Warm transfer: the next agent is tried, an agent is briefed alone, nobody stays reserved for nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping

import pytest

from voicebot.domain.journal import FactKind
from voicebot.handoff.conference import Conference
from voicebot.handoff.desk import Wanted
from voicebot.handoff.finders import QueueFinder
from voicebot.handoff.rules import TransferRules
from voicebot.handoff.testing import Office
from voicebot.handoff.transfer import Accepted, Briefing, Failed, WarmTransfer
from voicebot.telephony.leg import Answered, Ended, KeyPressed
from voicebot.telephony.testing import SimulatedLeg, SimulatedLine

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
BRIEFING = Briefing("简报", b"\x07\x00" * 400)  # 50 ms
GONE = Ended("remote", None, "the peer hung up")


class Case:
    """One transfer with its journal; `answers` says for each agent what becomes of ringing them."""

    def __init__(self, answers: list[Answered | Ended], agents: int = 5, *, by_key: bool = False) -> None:
        self.office = Office.of(agents, lambda: NOW)
        self.line = SimulatedLine(self._rung)
        self.journal: list[tuple[FactKind, Mapping[str, object]]] = []
        self.conference = Conference()
        self._answers = answers
        rules = TransferRules(by_key=by_key, accept_within_s=0.05, most_agents=3)
        finder = QueueFinder(self.office, Wanted("c1", "asked"), 0.1, lambda before: None)
        self.transfer = WarmTransfer(
            finder, self.office, self.line, self.conference, lambda *fact: self.journal.append(fact), rules
        )

    def _rung(self, leg: SimulatedLeg) -> None:
        if len(self.line.legs) <= len(self._answers):
            leg.tell(self._answers[len(self.line.legs) - 1])

    def start(self) -> asyncio.Task[Accepted | Failed]:
        return asyncio.create_task(self.transfer.run(BRIEFING))

    def play_out(self, leg: int = 0) -> None:
        for number in range(5):
            self.line.legs[leg].tick(number)

    @property
    def kinds(self) -> list[FactKind]:
        return [kind for kind, _ in self.journal]

    @property
    def whys(self) -> list[object]:
        return [data["why"] for kind, data in self.journal if kind is FactKind.TRANSFER_FAILED]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_an_agent_who_stays_to_the_end_of_the_briefing_has_accepted() -> None:
    case = Case([Answered()])
    task = case.start()
    await settle()
    (leg,) = case.line.legs
    assert leg.tick(0) == BRIEFING.pcm[:320]
    assert FactKind.AGENT_ACCEPTED not in case.kinds
    case.play_out()
    result = await task
    assert isinstance(result, Accepted) and (result.phone.seat.id, result.how) == ("a0", "auto")
    assert leg.port is result.phone.party
    assert case.kinds[:2] == [FactKind.AGENT_RINGING, FactKind.AGENT_ANSWERED]
    assert case.journal[2:] == [
        (FactKind.BRIEFED, {"agent": "a0", "text": "简报", "heard_ms": 60}),
        (FactKind.AGENT_ACCEPTED, {"agent": "a0", "how": "auto"}),
    ]
    assert case.office.released == [] and case.office.queue == {}


@pytest.mark.parametrize("key", ["1", "#"])
async def test_a_key_cuts_the_briefing_short(key: str) -> None:
    case = Case([Answered()], by_key=True)
    task = case.start()
    await settle()
    case.line.legs[0].tick(0)
    case.line.legs[0].tell(KeyPressed(key))
    result = await task
    assert isinstance(result, Accepted) and result.how == "key"
    assert case.journal[2][1]["heard_ms"] == 20
    assert case.line.legs[0].tick(1) == bytes(320), "the briefing goes on in the talk"


async def test_a_click_while_it_rings_is_a_yes_to_come() -> None:
    case = Case([])
    task = case.start()
    await settle()
    assert case.transfer.phone is not None
    case.transfer.phone.click(accept=True)
    await settle()
    assert not task.done()
    case.line.legs[0].tell(Answered())
    result = await task
    assert isinstance(result, Accepted) and result.how == "click"


async def test_whoever_must_press_a_key_and_does_not_is_followed_by_the_next() -> None:
    case = Case([Answered(), Answered()], agents=2, by_key=True)
    task = case.start()
    await settle()
    case.play_out()
    await asyncio.sleep(0.1)
    assert case.whys == ["agent_silent"] and len(case.line.legs) == 2
    assert case.line.legs[0].ended is not None
    case.line.legs[1].tell(KeyPressed("1"))
    assert isinstance(await task, Accepted)


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (Ended("remote", 486, "Busy Here"), "agent_busy"),
        (Ended("remote", 603, "Decline"), "agent_declined"),
        (Ended("remote", 480, "Gone"), "agent_absent"),
        (Ended("local", 408, "no answer"), "agent_absent"),
    ],
)
async def test_an_agent_who_does_not_answer_is_followed_by_the_next(end: Ended, why: str) -> None:
    case = Case([end, Answered()])
    task = case.start()
    await settle()
    case.play_out(1)
    result = await task
    assert isinstance(result, Accepted) and result.phone.seat.id == "a1"
    assert case.whys == [why]
    assert case.office.released == [("a0", False)]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (GONE, "agent_hung_up"),
        (Ended("error", None, "no media"), "agent_lost"),
        (KeyPressed("*"), "agent_declined"),
    ],
)
async def test_an_agent_lost_in_the_briefing_is_followed_by_the_next(event: Ended | KeyPressed, why: str) -> None:
    case = Case([Answered(), Ended("remote", 480, "gone")], agents=2)
    task = case.start()
    await settle()
    case.line.legs[0].tell(event)
    assert await task == Failed("agent_absent")
    assert case.whys == [why, "agent_absent"]
    assert case.office.released == [("a0", False), ("a1", False)]
    assert all(leg.ended for leg in case.line.legs)
    assert [party.name for party in case.conference.parties] == ["debtor"]


async def test_after_some_agents_the_callee_gets_an_answer() -> None:
    case = Case([Ended("local", None, "ring timeout")] * 5)
    assert await case.start() == Failed("agent_absent")
    assert len(case.line.legs) == len(case.office.released) == 3


async def test_a_desk_that_cannot_be_asked_is_an_empty_one() -> None:
    case = Case([Answered()])
    case.office.broken = True
    assert await case.start() == Failed("no_agent")


async def test_nobody_at_the_desk_means_no_waiting() -> None:
    case = Case([], agents=0)
    assert await asyncio.wait_for(case.start(), 0.05) == Failed("no_agent")
    assert case.office.queue == {}


async def test_who_is_busy_is_waited_for() -> None:
    case = Case([Answered()], agents=1)
    case.office.set_presence("a0", "busy")
    task = case.start()
    await settle()
    assert list(case.office.queue) == ["c1"] and case.line.legs == []
    case.office.set_presence("a0", "ready")
    await settle()
    assert len(case.line.legs) == 1, "the queue does not hear of it"
    case.play_out()
    assert isinstance(await task, Accepted)


async def test_waiting_has_an_end_and_is_told() -> None:
    case = Case([], agents=1)
    case.office.set_presence("a0", "busy")
    assert await case.start() == Failed("waited_out")
    assert [kind.value for kind, _ in case.office.alerts] == ["waiting_long"]
    assert case.office.queue == {}


@pytest.mark.parametrize("answers", [[Answered()], []])
async def test_a_callee_who_hangs_up_meanwhile_leaves_no_agent_ringing_or_reserved(answers: list[Answered]) -> None:
    case = Case([*answers])
    task = case.start()
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert all(leg.ended for leg in case.line.legs)
    assert case.office.released == [("a0", False)] and case.office.queue == {}


async def test_a_callee_who_hangs_up_in_the_queue_leaves_it() -> None:
    case = Case([], agents=1)
    case.office.set_presence("a0", "busy")
    task = case.start()
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert case.office.queue == {}
