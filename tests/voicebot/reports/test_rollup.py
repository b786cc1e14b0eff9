"""Figures summed as calls end are those that a rebuild from the journals makes, number by number."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.voicebot.reports.morning import MORNING, morning
from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.domain.desk import Wrapup
from voicebot.domain.outcome import Disposition
from voicebot.domain.plan import Part
from voicebot.domain.records import AgentRecord
from voicebot.domain.report import Period, ReportFilter
from voicebot.quality.afterwards import Afterwards
from voicebot.reports.rollup import RollUp
from voicebot.store import Store

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=SHANGHAI)
TODAY = ReportFilter(NOW.date(), NOW.date())


@pytest.fixture
async def counted(store: Store, tmp_path: Path) -> RollUp:
    """A morning of calls, looked at and counted."""
    await morning(store, tmp_path / "recordings", NOW)
    await Afterwards(store, FixedClock(NOW)).catch_up()
    rollup = RollUp(store, tmp_path / "recordings", FixedClock(NOW))
    assert await rollup.catch_up() == MORNING
    return rollup


async def test_a_rebuild_from_the_journals_gives_the_same_sums(store: Store, counted: RollUp) -> None:
    before = await store.report_calls.sums()
    assert sum(len(rows) for rows in before) > MORNING
    assert await counted.rebuild() == MORNING
    assert await store.report_calls.sums() == before


async def test_counting_again_changes_nothing(store: Store, counted: RollUp) -> None:
    before = await store.report_calls.sums()
    assert await counted.catch_up() == 0
    await store.report_calls.forget(["call-0000", "call-0001"])
    assert await store.report_calls.sums() != before
    assert await counted.catch_up() == 2
    assert await store.report_calls.sums() == before


async def test_a_verdict_is_in_the_figures_at_once_and_the_call_never_leaves_them(
    store: Store, counted: RollUp
) -> None:
    before = await store.report_calls.sums()
    for seq, rule, verdict in ((4, "F15", "confirmed"), (4, "F06", "confirmed"), (5, "blocked:F04", "false")):
        await store.checks.judge("call-0000", seq, rule, verdict, "qa", NOW)
    total = await store.report_figures.total(TODAY)
    assert (total["confirmed"], total["confirmed_critical"], total["confirmed_calls"]) == (2, 1, 1)
    assert (total["false_blocks"], total["checked"]) == (1, MORNING)
    judged = await store.report_calls.sums()
    await counted.rebuild()
    assert await store.report_calls.sums() == judged, "the journals and verdicts say otherwise"
    await store.checks.judge("call-0000", 4, "F15", "false", "qa", NOW)
    await store.checks.judge("call-0000", 4, "F06", "false", "qa", NOW)
    await store.checks.judge("call-0000", 5, "blocked:F04", "confirmed", "qa", NOW)
    assert await store.report_calls.sums() == before


async def test_a_promise_that_an_agent_writes_down_after_the_call_was_counted(store: Store, counted: RollUp) -> None:
    (call, *_) = [call for call in await _calls(store) if call.handoff]
    part = Part(NOW.date() + dt.timedelta(days=2), 50_000)
    wrapup = Wrapup(call.id, "a1", Disposition.PROMISE_TO_PAY, NOW, call.case_id, parts=(part,))
    await store.agents.save(AgentRecord("a1", "王芳", "sip:1001@127.0.0.1"))
    assert await store.wrapups.save(wrapup, NOW)
    assert (await store.report_figures.total(TODAY))["agent_promises"] == 1
    written = await store.report_calls.sums()
    await counted.rebuild()
    assert await store.report_calls.sums() == written


async def test_a_rebuild_mends_sums_that_went_wrong(store: Store, counted: RollUp) -> None:
    before = await store.report_calls.sums()
    async with store._database.begin() as connection:
        await connection.execute(text("UPDATE report_days SET attempts = attempts + 1"))
        await connection.execute(text("DELETE FROM report_nodes"))
        await connection.execute(text("DELETE FROM report_calls WHERE call_id = 'call-0003'"))
    await counted.rebuild()
    assert await store.report_calls.sums() == before


async def test_figures_are_those_of_the_calls(store: Store, counted: RollUp) -> None:
    calls, _ = await store.calls.search(limit=100)
    total = await store.report_figures.total(TODAY)
    assert total["attempts"] == sum(call.direction == "outbound" for call in calls)
    assert total["contacts"] == sum(call.answered_at is not None for call in calls)
    assert total["verified"] == sum(call.verified for call in calls)
    assert total["promises"] == sum(call.disposition == "promise_to_pay" for call in calls)
    assert total["handled"] == sum(call.handoff for call in calls)
    assert total["checked"] == len(calls)
    debtors = await store.report_figures.debtors(TODAY)
    assert debtors["debtors"] == len({call.case_id for call in calls})


async def test_every_way_of_putting_together_sums_to_the_whole(store: Store, counted: RollUp) -> None:
    total = await store.report_figures.total(TODAY)
    for dimension in ("stage", "region", "age", "script", "strategy", "agent"):
        rows = await store.report_figures.by(TODAY, dimension)
        assert {name: sum(row.sums[name] for row in rows) for name in total} == total
    for period in Period:
        rows = await store.report_figures.by_period(TODAY, period)
        assert {name: sum(row.sums[name] for row in rows) for name in total} == total
    only = ReportFilter(TODAY.since, TODAY.until, {"stage": "S2"})
    by_stage = {row.key: row.sums for row in await store.report_figures.by(TODAY, "stage")}
    assert await store.report_figures.total(only) == by_stage["S2"]


async def test_the_funnel_says_where_calls_end(store: Store, counted: RollUp) -> None:
    nodes = {row.node: row for row in await store.report_figures.nodes(TODAY, "reminder")}
    assert nodes["debt"].came >= nodes["promise"].came > 0
    assert sum(row.ended for row in nodes.values()) == sum(row.answered_at is not None for row in await _calls(store))


async def _calls(store: Store) -> list:  # type: ignore[type-arg]
    return (await store.calls.search(limit=100))[0]
