"""Fleet: who is heard of, who is taken for dead, and where the next call may go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest
from sqlalchemy import text

from tests.voicebot.worker.steady import Steady
from voicebot.domain.clock import FixedClock, SystemClock
from voicebot.domain.fleet import DEAD_AFTER_S, Beat, Joining, WorkerState
from voicebot.domain.records import CallRecord
from voicebot.store import Store
from voicebot.worker.fleet import Fleet, Me, Watch, free_channels
from voicebot.worker.fleet_clock import FleetClock
from voicebot.worker.turns import NOBODY, Turns

NOON = dt.datetime(2026, 11, 24, 4, tzinfo=dt.UTC)
ME = Me("c1-control", "1.0", "0024", "127.0.0.1:8080")


def joining(name: str) -> Joining:
    return Joining(name, name.rpartition("-")[0], name, "l", "1.0", "0024", "192.0.2.7:5060")


def trunk(state: str, used: int, channels: int) -> Mapping[str, object]:
    return {"name": "a", "state": state, "used": used, "channels": channels}


async def beat(store: Store, name: str, epoch: int, *trunks: Mapping[str, object], may_dial: bool = True) -> None:
    await store.workers.beat(name, epoch, Beat(1, 10, may_dial, 0, {"trunks": list(trunks)}))


def test_silence_counts_only_while_somebody_watched() -> None:
    """A database that was away, or a control that stood still, makes nobody dead."""
    steady = Steady()
    watch = Watch(steady)
    watch.look({"w": NOON})
    steady.now += 60
    assert watch.look({"w": NOON}) == set(), "perhaps it was we who did not hear"
    for _ in range(round(DEAD_AFTER_S) - 3):
        steady.now += 1
        assert watch.look({"w": NOON}) == set()
    steady.now += 1
    assert watch.look({"w": NOON}) == {"w"}
    assert watch.look({"w": NOON + dt.timedelta(seconds=1)}) == set(), "it was heard of"


async def test_only_who_leads_buries_the_dead_and_tells_of_it(store: Store) -> None:
    await store.workers.join(joining("berg-0"))
    await store.calls.start(CallRecord("c1", "inbound", "+8613800000000", NOON, worker="berg-0"))
    steady, leads = Steady(), False
    fleet = Fleet(store, ME, FleetClock(monotonic=steady), lambda: leads)
    for _ in range(round(DEAD_AFTER_S) + 2):
        await fleet.look()
        steady.now += 1
    assert fleet.workers[0].living
    leads = True
    await fleet.look()
    await fleet.look()
    assert fleet.workers[0].state is WorkerState.GONE
    call = await store.calls.find("c1")
    assert call is not None and call.lost
    (alert,) = await store.alerts.open()
    assert alert.kind == "worker_lost" and "berg-0" in alert.text and "1 通" in alert.text


async def test_a_call_goes_where_there_is_room(store: Store) -> None:
    fleet = Fleet(store, ME, FleetClock())
    epochs = {name: await store.workers.join(joining(name)) for name in ("berg-0", "tal-0", "see-0")}
    await beat(store, "berg-0", epochs["berg-0"], trunk("up", 3, 10), trunk("down", 0, 50), trunk("trial", 0, 2))
    await beat(store, "tal-0", epochs["tal-0"], trunk("up", 0, 100), may_dial=False)
    await beat(store, "see-0", epochs["see-0"], trunk("up", 0, 5))
    await store.workers.drain("see", "op")
    await fleet.look()
    assert fleet.names() == ["berg-0", "tal-0"] and fleet.capacity == 20 and fleet.free == 9
    assert fleet.may_dial("berg-0") and not fleet.may_dial("tal-0") and not fleet.may_dial("see-0")
    turns = Turns(fleet.names, fleet.may_dial)
    assert [turns.next() for _ in range(2)] == ["berg-0", "berg-0"]


async def test_nobody_has_no_room(store: Store) -> None:
    fleet = Fleet(store, ME, FleetClock())
    await fleet.look()
    assert (fleet.capacity, fleet.alive_at, Turns(fleet.names).next()) == (0, None, NOBODY)


def test_a_line_without_trunks_is_not_limited() -> None:
    assert free_channels({}) is None


async def test_a_wrong_clock_is_told_once_and_seen_by_its_own_control(store: Store) -> None:
    fleet = Fleet(store, ME, FleetClock(FixedClock(SystemClock().now() + dt.timedelta(seconds=90))), lambda: True)
    for _ in range(3):
        await fleet.look()
    assert fleet.skew_s == pytest.approx(90, abs=20)
    assert [alert.kind for alert in await store.alerts.open()] == ["clock_wrong"]


async def test_a_control_that_is_silent_is_known(store: Store) -> None:
    await store.workers.beat_control("c2-control", "1.0", "0024", http="", leads=True, skew_ms=0)
    steady = Steady()
    fleet = Fleet(store, ME, FleetClock(monotonic=steady))
    for _ in range(round(DEAD_AFTER_S) + 2):
        await fleet.look()
        steady.now += 1
    assert fleet.dead_controls == {"c2-control"} and fleet.leader_is_silent
    async with store._database.begin() as connection:
        await connection.execute(text("UPDATE controls SET seen_at = clock_timestamp() WHERE name = 'c2-control'"))
    await fleet.look()
    assert fleet.dead_controls == frozenset() and not fleet.leader_is_silent
