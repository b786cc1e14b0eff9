"""FleetClock: a machine whose own clock is wrong, or jumps, compares times as all others do."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt

import pytest

from tests.voicebot.campaign.samples import running_campaign
from tests.voicebot.store.samples import allow
from tests.voicebot.worker.steady import Steady
from voicebot.campaign import dialler as dialler_module
from voicebot.campaign.dialler import Dialler
from voicebot.campaign.placement import Placement
from voicebot.domain.attempt import Attempt, AttemptState, Outcome
from voicebot.domain.clock import FixedClock, SystemClock
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import WaitingCall
from voicebot.store import Store
from voicebot.worker.fleet import Fleet, Me
from voicebot.worker.fleet_clock import FleetClock, keep_time

NOON = dt.datetime(2026, 11, 24, 4, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
WRONG = dt.timedelta(minutes=10)


def test_the_databases_time_goes_on_by_steady_seconds_whatever_the_own_clock_does() -> None:
    own, steady = FixedClock(NOON + WRONG), Steady()
    clock = FleetClock(own, steady)
    assert clock.now() == NOON + WRONG, "nothing better is known yet"
    clock.learn(99.0, NOON, 101.0)
    assert clock.now() == NOON
    own.advance(-WRONG)
    steady.now += 5
    assert clock.now() == NOON + 5 * SECOND


@pytest.mark.parametrize(("told_s", "is_s"), [(4.1, 5.0), (5.9, 5.0), (9.0, 9.0), (1.0, 1.0)])
def test_only_what_the_way_does_not_explain_moves_it(told_s: float, is_s: float) -> None:
    steady = Steady()
    clock = FleetClock(FixedClock(NOON), steady)
    clock.learn(100.0, NOON, 100.0)
    steady.now += 5
    clock.learn(104.0, NOON + told_s * SECOND, 106.0)
    assert clock.now() == NOON + is_s * SECOND


def wrong_clock() -> FleetClock:
    return FleetClock(FixedClock(SystemClock().now() + WRONG))


async def test_a_process_without_signs_of_life_learns_the_time_too(store: Store) -> None:
    clock = wrong_clock()
    timing = asyncio.create_task(keep_time(store, clock))
    try:
        async with asyncio.timeout(60):
            while abs(clock.now() - SystemClock().now()) > WRONG / 2:  # noqa: ASYNC110 - a task of ours sets it
                await asyncio.sleep(0.01)
    finally:
        timing.cancel()


async def test_a_leader_whose_clock_is_wrong_takes_nobodys_orders_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own clock every lease of the other control were over long ago, and every order stale."""
    monkeypatch.setattr(dialler_module, "_TAKE_OVER_S", 0.05)
    await running_campaign(store, 1)
    right, wrong = FleetClock(), wrong_clock()
    async with store._database.begin() as connection:
        await connection.exec_driver_sql("UPDATE attempts SET not_before = now() - interval '1 second'")
    (attempt,) = await store.attempts.lease("c1", 1, right.now(), allow)
    order = Placement(store, ["w1"], right).order(attempt)
    await store.attempts.place(attempt.id, "c1", "call-1", right.now(), order)
    fleet = Fleet(store, Me("c2", "1", "1", ""), wrong, lambda: True)
    await fleet.look()
    adopted: list[Attempt] = []

    async def adopt(one: Attempt) -> Outcome:
        adopted.append(one)
        return Outcome(Disposition.FAILED)

    dialler = Dialler(store, "c2", adopt, allow, clock=fleet.clock, adopt=adopt, poll_s=0.05)
    running = asyncio.create_task(dialler.run(asyncio.Event()))
    try:
        await asyncio.sleep(0.5)
        await dialler.keep_house()
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    found = await store.attempts.find(attempt.id)
    assert found is not None and (found.state, found.leased_by) == (AttemptState.PLACED, "c1") and not adopted
    taken = await store.commands.take(["@w1"], "w1", wrong.now())
    assert [one.verb for one in taken] == ["dial"], "a worker with a wrong clock finds the order stale"


async def test_who_waits_on_another_machine_is_not_forgotten(store: Store) -> None:
    right, wrong = FleetClock(), wrong_clock()
    await Fleet(store, Me("c2", "1", "1", ""), wrong).look()
    await store.waiting.enter(WaitingCall("c1", "general", "", right.now()))
    assert [one.call_id for one in await store.waiting.all(wrong.now())] == ["c1"]
