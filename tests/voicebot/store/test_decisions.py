"""The permission ledger: every answer with what was known, found again, chained, and its damage seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from voicebot.compliance.asking import judge_by
from voicebot.domain.attempt import ContactStop
from voicebot.domain.ledger import FIRST, DecisionSearch, Means, breaks, chained, told
from voicebot.domain.permission import DialRequest
from voicebot.store import Store

from .samples import MINUTE, NOON, allow, new_case, plan

NOBODY = DialRequest(NOON, ("CN",), "debtor", "13800000001")


async def answers(store: Store) -> None:
    """One yes and three no."""
    await plan(store, *(new_case(n) for n in range(1, 5)))
    await store.contacts.stop(ContactStop("do_not_call", NOON, debtor_id="D0002"))
    await store.contacts.stop(ContactStop("complaint", NOON, debtor_id="D0003"))
    await store.contacts.stop(ContactStop("do_not_call", NOON, number="+8613800000004"))
    await store.attempts.lease("w", 4, NOON, judge_by())


async def exported(store: Store) -> list[dict[str, Any]]:
    while await store.decisions.chain():
        pass
    return [told(decision) async for decision in store.decisions.in_order()]


async def test_every_answer_is_kept_with_what_was_known(store: Store) -> None:
    await answers(store)
    rows = await store.decisions.search(DecisionSearch())
    assert {row.case_id: row.rule for row in rows} == {
        "C0001": None, "C0002": "CN-D2", "C0003": "CN-D1", "C0004": "CN-D2",
    }  # fmt: skip
    stopped = next(row for row in rows if row.case_id == "C0003")
    assert stopped.inputs["stops"] == [{"kind": "complaint", "at": NOON.astimezone(dt.UTC).isoformat()}]
    assert len(stopped.pack_sha256) == 64 and stopped.debtor_id == "D0003"


@pytest.mark.parametrize(
    ("wanted", "cases"),
    [
        (DecisionSearch(case_id="C0002"), {"C0002"}),
        (DecisionSearch(number="+8613800000004"), {"C0004"}),
        (DecisionSearch(rule="CN-D2"), {"C0002", "C0004"}),
        (DecisionSearch(allowed=True), {"C0001"}),
        (DecisionSearch(allowed=False, rule="CN-D1"), {"C0003"}),
        (DecisionSearch(since=dt.date(2026, 11, 24), until=dt.date(2026, 11, 24), allowed=True), {"C0001"}),
        (DecisionSearch(since=dt.date(2026, 11, 25)), set()),
        (DecisionSearch(until=dt.date(2026, 11, 23)), set()),
    ],
)
async def test_answers_are_found_by_case_number_day_rule_and_verdict(
    store: Store, wanted: DecisionSearch, cases: set[str]
) -> None:
    await answers(store)
    assert {row.case_id for row in await store.decisions.search(wanted)} == cases
    assert sum((await store.decisions.counts(wanted)).values()) == len(cases)


async def test_pages_follow_each_other(store: Store) -> None:
    await answers(store)
    first = await store.decisions.search(DecisionSearch(), limit=3)
    second = await store.decisions.search(DecisionSearch(), limit=3, before_id=first[-1].id)
    assert [len(first), len(second)] == [3, 1] and second[0].id < first[-1].id


async def test_a_chain_holds_and_grows(store: Store) -> None:
    await answers(store)
    rows = await exported(store)
    assert [row["position"] for row in rows] == [1, 2, 3, 4] and not list(breaks(rows))
    assert await store.decisions.head() == (4, rows[-1]["sha256"])
    for n in range(3):
        await store.decisions.note(NOBODY, allow(NOBODY, NOON), NOON + n * MINUTE, Means.MESSAGE)
    longer = await exported(store)
    assert longer[:4] == rows and len(longer) == 7 and not list(breaks(longer))


@pytest.mark.parametrize(
    ("damage", "at"),
    [
        (lambda rows: rows[:1] + rows[2:], 2),
        (lambda rows: rows[1:], 1),
        (lambda rows: [rows[0], rows[2], rows[1], rows[3]], 2),
        (lambda rows: [rows[0], {**rows[1], "allowed": True}, *rows[2:]], 2),
        (lambda rows: [*rows[:3], {**rows[3], "number": "+8613900000000"}], 4),
        (lambda rows: [*rows, {**rows[3], "position": 5}], 5),
        (lambda rows: [*rows[:2], {**rows[2], "sha256": None}], 3),
    ],
)
async def test_what_was_done_to_an_export_shows(
    store: Store, damage: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], at: int
) -> None:
    await answers(store)
    found = list(breaks(damage(await exported(store))))
    assert found and found[0].position == at


async def test_a_row_changed_in_the_database_shows_too(store: Store) -> None:
    await answers(store)
    await exported(store)
    async with store._database.begin() as connection:
        await connection.execute(text("UPDATE decisions SET allowed = true, rule = NULL WHERE case_id = 'C0003'"))
    assert [each.position for each in breaks(await exported(store))] == [3]


def test_the_first_is_chained_to_nothing_but_itself() -> None:
    row = {"position": 1, "rule": None}
    assert chained(row, FIRST) != chained({**row, "rule": "CN-T1"}, FIRST) != chained(row, "1" * 64)
