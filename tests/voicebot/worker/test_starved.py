"""A worker that stood still is taken for dead and wakes up: nothing is rung twice, and no truth is lost.

Line, dialler, placement, register and database are the real ones; only telephones, time and the brain are played.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import text

from tests.voicebot.campaign.samples import NOON, running_campaign
from tests.voicebot.store.samples import allow
from tests.voicebot.worker.steady import BERG, Steady
from voicebot.call.runner import CallRunner
from voicebot.campaign import dialler as dialler_module
from voicebot.campaign.dialler import Dialler
from voicebot.campaign.placement import Placement
from voicebot.domain.attempt import Attempt, AttemptState
from voicebot.domain.clock import FixedClock
from voicebot.domain.fleet import DEAD_AFTER_S
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.records import AgentRecord, CallRecord
from voicebot.domain.talk import Report
from voicebot.evidence.bundle import bundle_folder, bundle_path
from voicebot.evidence.reading import read_journal
from voicebot.evidence.signer import Signer
from voicebot.evidence.verify import verify_bundle
from voicebot.handoff.testing import Office
from voicebot.store import Store
from voicebot.telemetry.process_figures import LineFigures
from voicebot.telephony.leg import Answered, Ended, Ringing, Wanted, always
from voicebot.telephony.testing import SimulatedLeg, SimulatedLine
from voicebot.worker.book import StoreBook
from voicebot.worker.commands import CommandTaker
from voicebot.worker.crew import GIVEN_UP, LineCrew
from voicebot.worker.fleet import Fleet, Me
from voicebot.worker.fleet_clock import FleetClock
from voicebot.worker.membership import Membership


class Brain:
    alive = True

    def report(self, report: Report) -> None: ...

    def frame(self, call: int, pcm: bytes) -> None: ...

    def stored(self, name: str) -> bytes | None:
        return None


class SlowLine(SimulatedLine):
    """The way out may take its time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.free = asyncio.Event(), asyncio.Event()
        self.free.set()

    async def dial(
        self, target: str, *, ring_timeout_s: float = 45, caller_id: str | None = None, trunk: str | None = None,
        wanted: Wanted = always,
    ) -> SimulatedLeg:  # fmt: skip
        self.asked.set()
        await self.free.wait()
        return await super().dial(target, wanted=wanted)


class Berg:
    """The worker, with everything of its own; `stands_still` is what the tests do to it by not letting it beat."""

    def __init__(self, store: Store, folder: Path, steady: Steady) -> None:
        clock, self.recordings = FixedClock(NOON), folder / "recordings"
        self.line = SlowLine()
        self.book = StoreBook(store, "berg-0", self.recordings, clock)
        self.runner = CallRunner(
            self.line, Brain(), Office([], lambda: NOON), self.book, clock, recordings=self.recordings,
            signer=Signer.load_or_create(folder / "keys"), scripts=folder, max_calls=4, inbound_script="inbound",
            worker="berg-0",
        )  # fmt: skip
        figures = LineFigures((("+Inf", 1),), 0.0, True, 0.0, 0)
        crew = LineCrew(self.runner, cast(Any, SimpleNamespace(running=0)), lambda: figures, 4)
        self.membership = Membership(store.workers, BERG, crew, FleetClock(monotonic=steady))
        self.taker = CommandTaker(store, self.runner, "berg-0", clock, allow, lambda: self.membership.holds)

    async def beats(self) -> None:
        """What its loop does every second."""
        epoch = self.membership._epoch
        await (self.membership._beat(epoch) if epoch is not None else self.membership._join())

    async def leg(self) -> SimulatedLeg:
        await until(lambda: done(self.line.legs), self.taker._take)
        return self.line.legs[0]

    def journal(self, call_id: str) -> list[Fact]:
        bundle = bundle_path(bundle_folder(self.recordings, call_id, NOON))
        assert verify_bundle(bundle).failures == ()
        return read_journal(bundle)


async def done(found: object) -> bool:
    return bool(found)


async def until(found: Callable[[], Awaitable[object]], between: Callable[[], Awaitable[object]] | None = None) -> Any:
    for _ in range(1200):
        if result := await found():
            return result
        if between is not None:
            await between()
        await asyncio.sleep(0.05)
    raise AssertionError("nothing came of it within a minute")


class World:
    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.steady = store, Steady()
        self.berg = Berg(store, folder, self.steady)
        clock = FleetClock(monotonic=self.steady)
        self.fleet = Fleet(store, Me("c-control", "1", "1", ""), clock, lambda: True)

    async def attempt(self, state: AttemptState, *, lost: bool = False) -> Attempt:
        async def found() -> Attempt | None:
            (one,) = [one for one in await self.store.attempts.of_case("C0000") if one.call_id is not None]
            return one if one.state is state and await self.is_lost(one.id) is lost else None

        return cast(Attempt, await until(found))

    async def is_lost(self, attempt: int) -> bool:
        return bool(await self.ask("SELECT lost FROM attempts WHERE id = :id", id=attempt))

    async def ask(self, query: str, **values: object) -> object:
        async with self.store._database.begin() as connection:
            return (await connection.execute(text(query), values)).scalar_one()

    async def buries(self) -> None:
        """The worker says nothing for so long that it is taken for dead."""
        for _ in range(round(DEAD_AFTER_S) + 2):
            await self.fleet.look()
            self.steady.now += 1
        await self.attempt(AttemptState.SETTLED, lost=True)

    async def call(self, call_id: str | None) -> CallRecord:
        found = await self.store.calls.find(str(call_id))
        assert found is not None
        return found


@contextlib.asynccontextmanager
async def world(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(dialler_module, "_TAKE_OVER_S", 0.1)
    await running_campaign(store, 1)
    one = World(store, folder)
    await one.berg.beats()
    await one.fleet.look()
    placement = Placement(store, one.fleet.names, FixedClock(NOON), one.fleet.may_dial)
    dialler = Dialler(store, "c-control", placement.resume, allow, clock=FixedClock(NOON), adopt=placement.resume,
                      order=placement.order, poll_s=0.05)  # fmt: skip
    works = (dialler.run(asyncio.Event()), placement.follow(), one.berg.book.run())
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield one
    finally:
        await one.berg.runner.drain(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_somebody_talks_on_the_call_is_booked_anew_and_its_recording_says_so(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(store, tmp_path, monkeypatch) as one:
        leg = await one.berg.leg()
        leg.tell(Answered())
        await one.berg.book.drain()
        attempt = await one.attempt(AttemptState.PLACED)
        await one.buries()
        assert (await one.call(attempt.call_id)).lost and not one.berg.membership.holds
        for _ in range(2):
            await one.berg.beats()
        call = await one.call(attempt.call_id)
        assert leg.ended is None and call.running and not call.lost, "it goes on, and everybody sees it"
        leg.tell(Ended("remote", None, "bye"))
        truth = await one.attempt(AttemptState.SETTLED)
        call = await one.call(attempt.call_id)
        assert not call.lost and call.bundle is not None and truth.call_id == attempt.call_id
        notes = [fact.data["text"] for fact in one.berg.journal(call.id) if fact.kind is FactKind.NOTE]
        assert notes == [GIVEN_UP]
        assert len(one.berg.line.legs) == 1, "rung twice"


async def test_what_only_rings_is_ended_and_counts_as_no_conversation(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(store, tmp_path, monkeypatch) as one:
        leg = await one.berg.leg()
        leg.tell(Ringing(180))
        await one.attempt(AttemptState.PLACED)
        await one.buries()
        await one.berg.beats()
        truth = await one.attempt(AttemptState.SETTLED)
        assert leg.ended is not None and len(one.berg.line.legs) == 1
        assert await one.ask("SELECT reached FROM attempts WHERE id = :id", id=truth.id) != "conversation"


async def test_what_was_about_to_ring_rings_no_more(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood still between the rulebook's answer and the INVITE: the attempt is settled, others may dial by now."""
    async with world(store, tmp_path, monkeypatch) as one:
        one.berg.line.free.clear()
        await until(lambda: done(one.berg.line.asked.is_set()), one.berg.taker._take)
        await one.buries()
        one.berg.line.free.set()
        truth = await one.attempt(AttemptState.SETTLED)
        assert one.berg.line.legs == []
        assert await one.ask("SELECT reached FROM attempts WHERE id = :id", id=truth.id) != "conversation"
        assert not (await one.call(truth.call_id)).running


async def test_an_agent_who_talks_on_is_busy_again(store: Store) -> None:
    """While the worker was taken for dead they were given back, and would be rung in the middle of a call."""
    await store.workers.join(BERG)
    await store.calls.start(CallRecord("c1", "inbound", "+8613800000000", NOON, worker="berg-0"))
    for name in ("talks", "left"):
        await store.agents.save(AgentRecord(name, name, f"sip:{name}@192.0.2.1", ("general",), "ready", NOON))
    facts = [Fact(0, NOON.isoformat(), 0, FactKind.JOINED, {"agent": "left"}),
             Fact(1, NOON.isoformat(), 0, FactKind.AGENT_LEFT, {"agent": "left", "by": "transfer"}),
             Fact(2, NOON.isoformat(), 0, FactKind.JOINED, {"agent": "talks"})]  # fmt: skip
    await store.facts.append("c1", facts)
    await store.workers.join(BERG, running=["c1"])
    talks, left = await store.agents.find("talks"), await store.agents.find("left")
    assert talks is not None and left is not None
    assert (talks.presence, talks.call_id, left.presence) == ("busy", "c1", "ready")
