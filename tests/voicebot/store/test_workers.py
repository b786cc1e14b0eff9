"""Workers: one life at a time under a name, signs of life by the database's clock, and what the dead leave."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import text

from voicebot.campaign.placement import Placement
from voicebot.domain.attempt import AttemptState, Caps
from voicebot.domain.clock import FixedClock
from voicebot.domain.fleet import Beat, Joining, WorkerState
from voicebot.domain.records import CallRecord
from voicebot.store import Store
from voicebot.store.attempts import LeaseLost
from voicebot.store.lost_calls import UNHELD
from voicebot.store.workers import NameTaken

from .samples import NOON, allow, new_case


def joining(name: str = "berg-0", *, home: str = "h1", life: str = "l1") -> Joining:
    return Joining(name, name.rpartition("-")[0], home, life, "1.0", "0024", "192.0.2.7:5060")


async def silent(store: Store, name: str) -> dt.datetime:
    """Nothing was heard of the worker for a while; when it was last."""
    async with store._database.begin() as connection:
        query = text("UPDATE workers SET seen_at = seen_at - interval '30 s' WHERE name = :n RETURNING seen_at")
        at: dt.datetime = (await connection.execute(query, {"n": name})).scalar_one()
    return at


async def test_a_worker_joins_beats_and_leaves(store: Store) -> None:
    epoch = await store.workers.join(joining())
    told = await store.workers.beat("berg-0", epoch, Beat(3, 40, True, -12, {"calls": 3}))
    assert told is not None and not told.drain
    (seen,) = await store.workers.all()
    assert (seen.state, seen.calls, seen.most, seen.may_dial, seen.skew_ms) == (WorkerState.UP, 3, 40, True, -12)
    assert seen.age_s < 30 and seen.figures == {"calls": 3} and seen.machine == "berg"
    await store.workers.leave("berg-0", epoch)
    (left,) = await store.workers.all()
    assert left.state is WorkerState.LEFT and left.drained
    assert await store.workers.beat("berg-0", epoch, Beat()) is None


async def test_a_name_is_one_workers_alone_until_it_is_silent(store: Store) -> None:
    first = await store.workers.join(joining())
    with pytest.raises(NameTaken, match="berg"):
        await store.workers.join(joining(home="h2"))
    again = await store.workers.join(joining(life="l2"))
    assert again > first
    assert await store.workers.beat("berg-0", first, Beat()) is None, "the life before is over"
    await silent(store, "berg-0")
    assert await store.workers.join(joining(home="h2")) > again


async def test_a_drain_ends_with_the_life_in_which_it_was_ordered(store: Store) -> None:
    epoch = await store.workers.join(joining())
    await store.workers.join(joining("tal-0", home="h2"))
    assert await store.workers.drain("berg", "op") == ["berg-0"], "a machine by its name"
    told = await store.workers.beat("berg-0", epoch, Beat(1))
    assert told is not None and told.drain
    berg, tal = await store.workers.all()
    assert (berg.state, berg.drained, berg.drain_by) == (WorkerState.DRAINING, False, "op")
    assert tal.state is WorkerState.UP
    await store.workers.join(joining())  # its line crashed
    assert (await store.workers.all())[0].drain
    await store.workers.join(joining(life="l2"))  # it was started anew
    assert not (await store.workers.all())[0].drain


async def test_the_calls_of_a_dead_worker_are_lost_once_and_its_epoch_is_over(store: Store) -> None:
    epoch = await store.workers.join(joining())
    call = CallRecord("c1", "inbound", "+8613800000000", NOON, worker="berg-0")
    await store.calls.start(call)
    before = (await store.workers.all())[0].seen_at
    await store.workers.beat("berg-0", epoch, Beat(1))
    assert await store.workers.declare_dead("berg-0", before) is None, "it has shown itself meanwhile"
    at = await silent(store, "berg-0")
    assert await store.workers.declare_dead("berg-0", at) == ["c1"]
    assert await store.workers.declare_dead("berg-0", at) is None, "never twice"
    found = await store.calls.find("c1")
    assert found is not None and found.lost and not found.running and "not known" in found.why
    assert await store.workers.beat("berg-0", epoch, Beat(1)) is None, "who comes back must join anew"
    await store.workers.join(joining(), running=["c1"])
    found = await store.calls.find("c1")
    assert found is not None and found.running and not found.lost
    await store.calls.close("c1", ended_at=NOON, disposition="refusal")
    found = await store.calls.find("c1")
    assert found is not None and not found.lost and (found.disposition, found.why) == ("refusal", "")


async def test_an_order_that_died_with_its_line_is_a_lost_call(store: Store) -> None:
    """Taken, and nothing was ever written of it: it may have rung."""
    await store.workers.join(joining())
    await store.cases.save([new_case(1)], NOON)
    planned = await store.attempts.add("C0001", "reminder", NOON)
    (attempt,) = await store.attempts.lease("control", 1, NOON, allow)
    assert planned == attempt.id
    clock = FixedClock(NOON)
    placement = Placement(store, ["berg-0"], clock)
    placed = replace(attempt, state=AttemptState.PLACED, call_id="c9")
    await store.attempts.place(attempt.id, "control", "c9", NOON, placement.order(placed))
    (order,) = await store.commands.take(["@berg-0"], "berg-0", NOON)
    assert order.payload["call_id"] == "c9"
    assert await store.workers.declare_dead("berg-0", await silent(store, "berg-0")) == ["c9"]
    call = await store.calls.find("c9")
    assert call is not None and call.lost and call.attempt_id == attempt.id


async def test_controls_tell_who_leads(store: Store) -> None:
    await store.workers.beat_control("a", "1.0", "0024", http="h:1", leads=False, skew_ms=0)
    await store.workers.beat_control("b", "1.0", "0024", http="h:2", leads=True, skew_ms=7)
    seen = await store.workers.controls()
    assert [(one.name, one.leads) for one in seen] == [("b", True), ("a", False)] and all(one.living for one in seen)
    await store.workers.leave_control("b")
    assert [one.name for one in await store.workers.controls()] == ["a"]


async def test_what_a_dead_control_dialled_is_taken_over_at_once(store: Store) -> None:
    await store.cases.save([new_case(n) for n in range(3)], NOON)
    for n in range(3):
        await store.attempts.add(f"C{n:04}", "reminder", NOON)
    for n, holder in enumerate(("old", "me", "me")):
        (attempt,) = await store.attempts.lease(holder, 1, NOON, allow)
        await store.attempts.place(attempt.id, holder, f"c{n}", NOON)
        last = attempt.id
    assert await store.attempts.adopt("me", NOON) == [], "all leases are fresh"
    taken = await store.attempts.adopt("me", NOON, mine=[last], dead=["old"])
    assert {attempt.call_id for attempt in taken} == {"c0", "c1"}


async def test_what_was_leased_and_never_ordered_waits_again_at_once(store: Store) -> None:
    """Of a dead control, or of our own where the answer was lost; what is under way is left alone."""
    await store.cases.save([new_case(n) for n in range(4)], NOON)
    for n in range(4):
        await store.attempts.add(f"C{n:04}", "reminder", NOON)
    leased = [(await store.attempts.lease(holder, 1, NOON, allow))[0].id for holder in ("old", "me", "me", "other")]
    assert await store.lost_calls.never_ordered("me", NOON, mine=[leased[2]]) == [], "perhaps it is on its way to us"
    later = NOON + 2 * UNHELD
    assert await store.lost_calls.never_ordered("me", later, mine=[leased[2]], dead=["old"]) == leased[:2]
    states = [(one.state, one.leased_by) for n in leased if (one := await store.attempts.find(n)) is not None]
    waits = (AttemptState.WAITING, None)
    assert states == [waits, waits, (AttemptState.LEASED, "me"), (AttemptState.LEASED, "other")]
    with pytest.raises(LeaseLost):
        await store.attempts.place(leased[0], "old", "c1", later)
    again = await store.attempts.lease("me", 9, later, allow, caps=Caps(1, 1, 1, 1))
    assert sorted(one.id for one in again) == leased[:2], "they count nothing"
