"""Death at every step of an attempt: of the control, of the line, of all connections to the database.

Dialler, placement, leases and orders are the real ones; the line writes what a line writes, step by step, and stops at
the step at which somebody dies. Whatever dies, the number rings once at most, what happened is booked in the end, and
the counters count it once.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from tests.voicebot.campaign.samples import NOON, running_campaign
from tests.voicebot.store.samples import allow
from voicebot.campaign import placement as placement_module
from voicebot.campaign.dialler import Dialler
from voicebot.campaign.placement import Placement
from voicebot.domain.attempt import Attempt, AttemptState
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import CallRecord
from voicebot.store import Store
from voicebot.store.commands import DialOrdered

STEPS = ("leased", "ordered", "taken", "begun", "answered", "talked", "ended")
PATIENCE_S = 60
pytestmark = pytest.mark.slow


class Died(BaseException):
    """Ends a process from within, as kill -9 would."""


@dataclass
class Stage:
    """Stops everybody at one step until it goes on."""

    store: Store
    step: str
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    rang: Counter[str] = field(default_factory=Counter)

    async def pass_by(self, step: str) -> None:
        if step == self.step and not self.reached.is_set():
            self.reached.set()
            await self.goes_on.wait()

    def order(self, placement: Placement) -> Callable[[Attempt], DialOrdered]:
        """The dialler dies between the lease and the order."""

        def write(attempt: Attempt) -> DialOrdered:
            if self.step == "leased" and not self.reached.is_set():
                self.reached.set()
                raise Died
            return placement.order(attempt)

        return write


async def insist(write: Callable[[], Awaitable[object]]) -> None:
    """As the call book of a line does."""
    for _ in range(100):
        try:
            await write()
            return
        except Exception:
            await asyncio.sleep(0.05)
    raise AssertionError("the database never came back")


async def line(stage: Stage) -> None:
    """One line, as the database sees it."""
    while True:
        await stage.pass_by("ordered")
        with contextlib.suppress(Exception):
            for order in await stage.store.commands.take(["@line-0"], "line-0", NOON):
                await live(stage, str(order.payload["call_id"]), int(str(order.payload["attempt_id"])))
        await asyncio.sleep(0.02)


async def live(stage: Stage, call_id: str, attempt_id: int) -> None:
    await stage.pass_by("taken")
    stage.rang[call_id] += 1
    await stage.pass_by("begun")
    await insist(lambda: stage.store.calls.start(record(call_id, attempt_id)))
    await stage.pass_by("answered")
    await insist(lambda: stage.store.facts.append(call_id, [fact(0, FactKind.ANSWERED), fact(1, FactKind.HEARD)]))
    await stage.pass_by("talked")
    await insist(lambda: finish(stage.store, call_id))
    await stage.pass_by("ended")


async def finish(store: Store, call_id: str) -> None:
    facts = [fact(2, FactKind.DISPOSITION, disposition="refusal", why=""), fact(3, FactKind.ENDED, by="remote")]
    await store.facts.append(call_id, facts)
    await store.calls.close(call_id, ended_at=NOON, disposition="refusal")


async def recover(store: Store, call_id: str, attempt_id: int) -> None:
    """What a line does with the recording that it died over."""
    await store.calls.start(record(call_id, attempt_id))
    await store.facts.append(call_id, [fact(0, FactKind.ANSWERED), fact(1, FactKind.HEARD)])
    await finish(store, call_id)


def record(call_id: str, attempt_id: int) -> CallRecord:
    return CallRecord(call_id, "outbound", "+8613800000000", NOON, case_id="C0000", attempt_id=attempt_id)


def fact(seq: int, kind: FactKind, **data: object) -> Fact:
    return Fact(seq, NOON.isoformat(), seq, kind, data)


@contextlib.asynccontextmanager
async def running(work: Awaitable[None]):  # type: ignore[no-untyped-def]
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception, Died, BaseExceptionGroup):
            await task


def control(store: Store, stage: Stage, name: str, clock: FixedClock) -> Awaitable[None]:
    placement = Placement(store, ["line-0"], clock)
    dialler = Dialler(store, name, placement.resume, allow, clock=clock, adopt=placement.resume,
                      order=stage.order(placement), poll_s=0.05)  # fmt: skip
    return dialler.run(asyncio.Event())


async def settled(store: Store, disposition: Disposition) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(Exception):
                if any(a.disposition is disposition for a in await store.attempts.of_case("C0000")):
                    return
            await asyncio.sleep(0.05)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement_module, "TAKEN_WITHIN_S", 0.3)
    monkeypatch.setattr(placement_module, "BEGUN_WITHIN_S", 1.0)
    monkeypatch.setattr(placement_module, "LOOK_EVERY_S", 0.05)


@pytest.mark.parametrize("step", STEPS)
async def test_the_control_dies(store: Store, step: str) -> None:
    await running_campaign(store, cases=1)
    stage, clock = Stage(store, step), FixedClock(NOON)
    async with running(line(stage)):
        async with running(control(store, stage, "first", clock)):
            await asyncio.wait_for(stage.reached.wait(), PATIENCE_S)
        clock.advance(dt.timedelta(minutes=2))
        async with running(control(store, stage, "second", clock)):
            stage.goes_on.set()
            if step == "leased":  # nothing rang, and that can't be known: it counts, and is tried again later
                await settled(store, Disposition.FAILED)
                assert stage.rang == {}
                return
            if step == "ordered":
                await tried_again_or_talked(store, clock)
            await settled(store, Disposition.REFUSAL)
    await booked_once(store, stage)


async def tried_again_or_talked(store: Store, clock: FixedClock) -> None:
    """The order was written with the attempt, so a line takes it, or it was taken back and waits for its time."""
    async with asyncio.timeout(PATIENCE_S):
        while not any(a.state is AttemptState.SETTLED for a in await store.attempts.of_case("C0000")):
            clock.advance(dt.timedelta(seconds=1))
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("step", STEPS[1:])
async def test_every_connection_to_the_database_is_cut(store: Store, step: str) -> None:
    await running_campaign(store, cases=1)
    stage, clock = Stage(store, step), FixedClock(NOON)
    async with running(line(stage)), running(control(store, stage, "first", clock)):
        await asyncio.wait_for(stage.reached.wait(), PATIENCE_S)
        with contextlib.suppress(Exception):
            async with store._database.begin() as connection:
                await connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                                              "datname = current_database() AND pid <> pg_backend_pid()"))  # fmt: skip
        stage.goes_on.set()
        await tried_again_or_talked(store, clock)
        await settled(store, Disposition.REFUSAL)
    await booked_once(store, stage)


@pytest.mark.parametrize("step", ["taken", "begun", "answered", "talked"])
async def test_the_line_dies(store: Store, step: str) -> None:
    """What it recorded until then is sealed by its next life, and replaces what was guessed meanwhile."""
    await running_campaign(store, cases=1)
    stage, clock = Stage(store, step), FixedClock(NOON)
    async with running(control(store, stage, "first", clock)):
        async with running(line(stage)):
            await asyncio.wait_for(stage.reached.wait(), PATIENCE_S)
        if step in ("taken", "begun"):
            await settled(store, Disposition.FAILED)
        (attempt,) = [a for a in await store.attempts.of_case("C0000") if a.call_id is not None]
        assert await store.attempts.lease("other", 1, NOON + dt.timedelta(minutes=30), allow) == [], "it may have rung"
        await insist(lambda: recover(store, str(attempt.call_id), attempt.id))
    async with running(control(store, stage, "second", clock)):
        clock.advance(dt.timedelta(minutes=2))
        await settled(store, Disposition.REFUSAL)
    assert sum(stage.rang.values()) <= 1
    await booked_once(store, stage)


async def booked_once(store: Store, stage: Stage) -> None:
    assert all(count == 1 for count in stage.rang.values()) and len(stage.rang) <= 1, "the number rang twice"
    found = [a for a in await store.attempts.of_case("C0000") if a.disposition is Disposition.REFUSAL]
    assert len(found) == 1 and found[0].state is AttemptState.SETTLED
    async with store._database.begin() as connection:
        rows = await connection.execute(text("SELECT scope, used FROM ledger"))
        assert {row.scope: row.used for row in rows} == {
            "number_attempts": 1, "debtor_conversations": 1, "debtor_attempts": 1
        }  # fmt: skip
