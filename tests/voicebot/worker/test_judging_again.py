"""Judging again: between lease and INVITE a stop may come, an hour end, a recorder die; then nothing rings."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.voicebot.campaign.samples import NOON, new_case
from tests.voicebot.worker.test_commands import runner
from voicebot.call.runner import DialOrder
from voicebot.compliance.asking import judge_by
from voicebot.domain.attempt import AttemptState, ContactStop, Outcome
from voicebot.domain.clock import FixedClock
from voicebot.domain.ledger import DecisionSearch
from voicebot.domain.outcome import Disposition
from voicebot.domain.permission import Judge
from voicebot.store import Store
from voicebot.worker.commands import CommandTaker

SECONDS = dt.timedelta(seconds=8)


async def ordered(store: Store) -> Mapping[str, object]:
    """An attempt that was leased and placed at noon, as the order that the line gets."""
    await store.cases.save([new_case(1)], NOON)
    planned = await store.attempts.add("C0001", "reminder", NOON)
    assert planned is not None
    (attempt,) = await store.attempts.lease("w", 1, NOON, judge_by())
    await store.attempts.place(attempt.id, "w", "call-1", NOON)
    order = {"call_id": "call-1", "attempt_id": attempt.id, "case_id": "C0001", "target": attempt.number}
    return order | {"script": "reminder"}


async def dial(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, order: Mapping[str, object], now: dt.datetime,
    judge: Judge | None = None, holds: bool = True,
) -> list[DialOrder]:  # fmt: skip
    """The orders that ring."""
    rung: list[DialOrder] = []

    async def ring(order: DialOrder) -> None:
        rung.append(order)

    taker = CommandTaker(store, runner(store, folder), "w1", FixedClock(now), judge or judge_by(), lambda: holds)
    monkeypatch.setattr(taker._runner, "dial", ring)
    await asyncio.wait_for(taker._dial(order), 60)
    return rung


async def test_what_is_still_permitted_rings_and_ends_with_its_hours(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (rung,) = await dial(store, tmp_path, monkeypatch, await ordered(store), NOON + SECONDS)
    assert rung.close_by == NOON.replace(hour=20, minute=2)
    assert [row.allowed for row in await store.decisions.search(DecisionSearch(case_id="C0001"))] == [True, True]


async def test_a_stop_that_came_after_the_lease_holds(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await ordered(store)
    await store.contacts.stop(ContactStop("do_not_call", NOON, debtor_id="D0001"))
    assert await dial(store, tmp_path, monkeypatch, order, NOON + SECONDS) == []
    assert await store.calls.find("call-1") is None, "nobody was rung, so there was no call"
    undone = await store.attempts.find(int(str(order["attempt_id"])))
    assert undone is not None and undone.state is AttemptState.WAITING and "CN-D2" in undone.why
    newest, oldest = await store.decisions.search(DecisionSearch(case_id="C0001"))
    assert (oldest.allowed, newest.allowed, newest.rule) == (True, False, "CN-D2")
    assert await store.attempts.lease("w", 1, undone.not_before, judge_by()) == []
    denied = await store.attempts.find(undone.id)
    assert denied is not None and denied.state is AttemptState.DENIED


async def test_an_order_that_lay_until_noon_is_over(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await ordered(store)
    assert await dial(store, tmp_path, monkeypatch, order, NOON.replace(hour=12)) == []


async def test_what_cannot_be_judged_does_not_ring(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(request: object, now: dt.datetime) -> object:
        raise RuntimeError("no rules here")

    order = await ordered(store)
    assert await dial(store, tmp_path, monkeypatch, order, NOON + SECONDS, broken) == []  # type: ignore[arg-type]


async def test_what_was_given_up_meanwhile_does_not_ring(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker stood still, was taken for dead, and its attempt was settled."""
    order = await ordered(store)
    failed = Outcome(Disposition.FAILED, why="worker w lost", call_id="call-1")
    await store.attempts.settle(int(str(order["attempt_id"])), "w", failed, NOON + SECONDS, lost=True)
    assert await dial(store, tmp_path, monkeypatch, order, NOON + SECONDS) == []
    call = await store.calls.find("call-1")
    assert call is not None and not call.running and "settled before it rang" in call.why


async def test_who_may_have_been_taken_for_dead_does_not_ring(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await dial(store, tmp_path, monkeypatch, await ordered(store), NOON + SECONDS, holds=False) == []
