"""Who calls in is looked up, and a call is never lost to a slow database."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Collection, Mapping
from pathlib import Path

from voicebot.call import runner as module
from voicebot.call.outcome import CallOutcome
from voicebot.call.runner import Caller, CallRunner, DialOrder, LookUp
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.talk import Report
from voicebot.evidence.signer import Signer
from voicebot.handoff.desk import Seat
from voicebot.telephony.leg import Ended
from voicebot.telephony.testing import SimulatedLeg, SimulatedLine

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
CASE = Case(
    "C1", Debtor("D1", "演示"), Creditor("k", "示例消费金融", "示例服务中心", "400"), "消费贷", 100_000, 3, NOW.date()
)


class Around:
    """Brain, desk and book of a runner, remembering what they were told."""

    def __init__(self) -> None:
        self.alive = True
        self.opened_: list[CallFacts] = []
        self.facts: list[Fact] = []
        self.over = asyncio.Event()

    def report(self, report: Report) -> None: ...

    def frame(self, call: int, pcm: bytes) -> None: ...

    def stored(self, name: str) -> bytes | None:
        return None

    async def reserve(self, skill: str, call_id: str, exclude: Collection[str]) -> Seat | None:
        return None

    async def release(self, seat: Seat, *, talked: bool) -> None: ...

    def opened(self, facts: CallFacts, script: str, attempt_id: str | None) -> None:
        self.opened_.append(facts)

    def fact(self, call_id: str, fact: Fact) -> None:
        self.facts.append(fact)

    def live(self, call_id: str, data: Mapping[str, object]) -> None: ...

    def closed(self, facts: CallFacts, outcome: CallOutcome, bundle: Path, attempt_id: str | None) -> None:
        self.over.set()


def runner(around: Around, folder: Path, look_up: LookUp = module.nobody_known) -> CallRunner:
    return CallRunner(
        SimulatedLine(), around, around, around, FixedClock(NOW),
        recordings=folder / "recordings", signer=Signer.load_or_create(folder / "keys"), scripts=folder,
        max_calls=4, inbound_script="inbound", worker="w1", look_up=look_up, institution="示例中心",
        engines={"recognizer": "embedded", "synthesizer": "embedded"},
    )  # fmt: skip


async def called_by(folder: Path, look_up: LookUp) -> CallFacts:
    around, leg = Around(), SimulatedLeg("sip:13800000001@192.0.2.7")
    await runner(around, folder, look_up).incoming(leg)
    leg.tell(Ended("remote", None, "bye"))
    await asyncio.wait_for(around.over.wait(), 5)
    (facts,) = around.opened_
    started = around.facts[0]
    assert started.kind is FactKind.STARTED and started.data["case_id"] == (facts.case.id if facts.case else None)
    return facts


async def test_a_caller_who_is_known_brings_their_case(tmp_path: Path) -> None:
    async def known(remote: str) -> Caller:
        assert remote == "sip:13800000001@192.0.2.7"
        return Caller("+8613800000001", CASE)

    facts = await called_by(tmp_path, known)
    assert (facts.case, facts.number, facts.extra) == (CASE, "+8613800000001", {})


async def test_a_slow_database_costs_the_case_and_not_the_call(tmp_path: Path) -> None:
    async def slow(remote: str) -> Caller:
        await asyncio.sleep(60)
        return Caller(remote, CASE)

    begun = asyncio.get_running_loop().time()
    facts = await called_by(tmp_path, slow)
    assert facts.case is None and facts.extra == {"institution": "示例中心"}
    assert asyncio.get_running_loop().time() - begun < 3


async def test_a_database_that_is_away_costs_the_case_and_not_the_call(tmp_path: Path) -> None:
    async def away(remote: str) -> Caller:
        raise OSError("connection refused")

    assert (await called_by(tmp_path, away)).case is None


async def test_the_journal_says_with_which_address_and_engines_we_rang(tmp_path: Path) -> None:
    around = Around()
    calls = runner(around, tmp_path)
    await calls.dial(DialOrder("c1", "sip:somebody@192.0.2.9", "reminder", CASE, None))
    (dialled,) = [fact.data for fact in around.facts if fact.kind is FactKind.DIALLED]
    assert around.facts[0].data["engines"] == {"recognizer": "embedded", "synthesizer": "embedded"}
    assert dialled["from"] == "sip:voicebot@192.0.2.1:5060" and dialled["to"] == "sip:somebody@192.0.2.9"
    await calls.drain(0)
