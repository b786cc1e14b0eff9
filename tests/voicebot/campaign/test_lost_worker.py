"""A worker dies over a call: the attempt is settled as lost within seconds, what follows is planned by the rulebook;
when the worker comes back the truth takes the place of the guess, once."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text

from tests.voicebot.campaign.samples import NOON, running_campaign
from tests.voicebot.store.samples import allow
from tests.voicebot.worker.steady import BERG, Steady
from voicebot.campaign import dialler as dialler_module
from voicebot.campaign.dialler import Dialler
from voicebot.campaign.placement import Placement
from voicebot.domain.attempt import Attempt, AttemptState
from voicebot.domain.clock import FixedClock
from voicebot.domain.fleet import DEAD_AFTER_S, Beat
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import CallRecord
from voicebot.store import Store
from voicebot.worker.fleet import Fleet, Me
from voicebot.worker.fleet_clock import FleetClock


@contextlib.asynccontextmanager
async def control(store: Store, name: str, fleet: Fleet, clock: FixedClock) -> AsyncIterator[asyncio.Task[None]]:
    placement = Placement(store, fleet.names, clock, fleet.may_dial)
    dialler = Dialler(store, name, placement.resume, allow, clock=clock, adopt=placement.resume,
                      order=placement.order, poll_s=0.05, dead=lambda: fleet.dead_controls)  # fmt: skip
    tasks = [asyncio.create_task(work) for work in (dialler.run(asyncio.Event()), placement.follow())]
    try:
        yield tasks[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(found: Callable[[], Awaitable[Attempt | None]]) -> Attempt:
    for _ in range(1200):
        if (attempt := await found()) is not None:
            return attempt
        await asyncio.sleep(0.05)
    raise AssertionError("nothing came of it within a minute")


async def begun(store: Store) -> Attempt:
    """The worker takes its order, and the call is answered."""

    async def placed() -> Attempt | None:
        for order in await store.commands.take(["@berg-0"], "berg-0", NOON):
            call_id, attempt_id = str(order.payload["call_id"]), int(str(order.payload["attempt_id"]))
            record = CallRecord(
                call_id, "outbound", "+8613800000000", NOON, case_id="C0000", attempt_id=attempt_id, worker="berg-0"
            )
            await store.calls.start(record)
            await store.facts.append(call_id, [fact(0, FactKind.ANSWERED), fact(1, FactKind.HEARD)])
            return await store.attempts.find(attempt_id)
        return None

    return await until(placed)


def fact(seq: int, kind: FactKind, **data: object) -> Fact:
    return Fact(seq, NOON.isoformat(), seq, kind, data)


async def bury(fleet: Fleet, steady: Steady) -> None:
    for _ in range(round(DEAD_AFTER_S) + 2):
        await fleet.look()
        steady.now += 1


async def reached(store: Store, attempt: Attempt) -> str:
    async with store._database.begin() as connection:
        query = text("SELECT reached FROM attempts WHERE id = :id")
        return str((await connection.execute(query, {"id": attempt.id})).scalar_one())


async def lost(store: Store, attempt: Attempt) -> Attempt:
    async def settled() -> Attempt | None:
        found = await store.attempts.find(attempt.id)
        return found if found is not None and found.state is AttemptState.SETTLED else None

    return await until(settled)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialler_module, "_TAKE_OVER_S", 0.1)


async def test_a_dead_workers_attempt_is_settled_and_what_follows_planned_and_the_truth_told_later(
    store: Store,
) -> None:
    await running_campaign(store, 1)
    epoch = await store.workers.join(BERG)
    await store.workers.beat("berg-0", epoch, Beat(0, 10, True))
    steady, clock = Steady(), FixedClock(NOON)
    fleet = Fleet(store, Me("c1-control", "1", "1", ""), FleetClock(monotonic=steady), lambda: True)
    await fleet.look()
    async with control(store, "c1-control", fleet, clock):
        attempt = await begun(store)
        await bury(fleet, steady)
        given_up = await lost(store, attempt)
        assert given_up.disposition is Disposition.FAILED
        assert await reached(store, attempt) == "conversation", "it counts, as it may have been one"
        assert "not known" in given_up.why
        following = [one for one in await store.attempts.of_case("C0000") if one.state is AttemptState.WAITING]
        assert len(following) == 1 and following[0].not_before > NOON, "the next step is planned, not dialled at once"
        clock.advance(dt.timedelta(seconds=5))
        await store.workers.join(BERG)  # the machine is back, and has sealed what it recorded
        call_id = str(attempt.call_id)
        await store.facts.append(call_id, [fact(2, FactKind.DISPOSITION, disposition="refusal", why=""),
                                           fact(3, FactKind.ENDED, by="crash")])  # fmt: skip
        for _ in range(2):  # a restart in between tells it twice
            await store.calls.close(call_id, ended_at=NOON, disposition="refusal", why="cut by a crash")

        async def found() -> Attempt | None:
            one = await store.attempts.find(attempt.id)
            return one if one is not None and one.disposition is Disposition.REFUSAL else None

        truth = await until(found)
        assert truth.why == "cut by a crash"
        everything = await store.attempts.of_case("C0000")
        assert [one.state for one in everything].count(AttemptState.SETTLED) == 1, "never doubled"


async def test_the_next_control_resolves_what_the_dead_one_and_its_dead_worker_left(store: Store) -> None:
    """Both machines go at once; leases that are still fresh are nobody's reason to wait."""
    await running_campaign(store, 1)
    epoch = await store.workers.join(BERG)
    await store.workers.beat("berg-0", epoch, Beat(0, 10, True))
    await store.workers.beat_control("c1-control", "1", "1", http="", leads=True, skew_ms=0)
    steady, clock = Steady(), FixedClock(NOON)
    first = Fleet(store, Me("c1-control", "1", "1", ""), FleetClock())
    await first.look()
    async with control(store, "c1-control", first, clock):
        attempt = await begun(store)
    second = Fleet(store, Me("c2-control", "1", "1", ""), FleetClock(monotonic=steady), lambda: True)
    await bury(second, steady)
    assert second.dead_controls == {"c1-control"}
    async with control(store, "c2-control", second, clock):
        given_up = await lost(store, attempt)
    assert (given_up.leased_by, given_up.disposition) == ("c2-control", Disposition.FAILED)
