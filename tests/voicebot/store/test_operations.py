"""The operation log: one chain, whoever writes; and what the store tells a bundle and the retention."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace

from voicebot.domain.clock import SHANGHAI
from voicebot.domain.operation import FIRST, Action
from voicebot.domain.records import CallRecord
from voicebot.store import Store

from .samples import new_case

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)


async def test_operations_are_chained_whoever_writes(store: Store) -> None:
    notes = [store.operations.note("mei", "reviewer", Action.LISTENED, f"call:{n}", NOW, {"n": n}) for n in range(8)]
    await asyncio.gather(*notes)
    before, positions = FIRST, []
    async for one in store.operations.in_order():
        assert one.sha256 == one.chained(before)
        assert replace(one, actor="somebody else").chained(before) != one.sha256
        before, positions = one.sha256, [*positions, one.position]
    assert positions == list(range(1, 9))
    assert await store.operations.head() == (8, before)
    newest = await store.operations.latest(3)
    assert [one.position for one in newest] == [8, 7, 6]
    assert [one.position for one in await store.operations.latest(9, before=3)] == [2, 1]
    assert len(await store.operations.about(["call:1", "call:2", "call:none"])) == 2


async def test_a_hold_stands_until_it_is_lifted(store: Store) -> None:
    await store.cases.save([new_case(1)], NOW)
    hold = await store.holds.put("C0001", "lawsuit (2026) 123", "mei", NOW)
    assert [one.reason for one in await store.holds.standing("C0001")] == ["lawsuit (2026) 123"]
    assert await store.holds.lift(hold, "wang", NOW) and not await store.holds.lift(hold, "wang", NOW)
    assert await store.holds.standing() == []


async def test_what_a_retention_depends_on(store: Store) -> None:
    await store.cases.save([new_case(1)], NOW)
    for number, hours in (("old", 0), ("new", 24)):
        at = NOW + dt.timedelta(hours=hours)
        await store.calls.start(CallRecord(number, "outbound", "+8613800000000", at, case_id="C0001"))
        await store.calls.close(number, ended_at=at, disposition="no_answer", bundle=f"2026/{number}/{number}.zip")
    (old,) = await store.papers.kept(NOW + dt.timedelta(hours=1))
    assert (old.call_id, old.last_action, old.case_open, old.held) == ("old", NOW + dt.timedelta(hours=24), True, False)
    await store.holds.put("C0001", "lawsuit", "mei", NOW)
    both = await store.papers.kept(NOW + dt.timedelta(days=9))
    assert [one.held for one in both] == [True, True]
    assert await store.papers.kept(NOW + dt.timedelta(days=9), after=(both[1].ended_at, both[1].call_id)) == []
    await store.papers.bundle_gone("old")
    assert [one.call_id for one in await store.papers.kept(NOW + dt.timedelta(days=9))] == ["new"]


async def test_papers_of_a_call_and_of_a_case(store: Store) -> None:
    await store.cases.save([new_case(1)], NOW)
    assert await store.papers.of_case("none") is None
    found = await store.papers.of_case("C0001")
    assert found is not None and found.case.id == "C0001" and found.calls == []
    assert await store.papers.before_call(None, "C0001") == {"messages": [], "promise": None}
