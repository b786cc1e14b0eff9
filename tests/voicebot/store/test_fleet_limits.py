"""Limits hold over all machines: whatever several diallers do at once on one database, no cap is exceeded."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections import Counter

import pytest
from sqlalchemy import text

from voicebot.domain.attempt import Caps, Outcome
from voicebot.domain.outcome import Disposition
from voicebot.store import Store
from voicebot.store.attempts import LeaseLost

from .samples import NOON, allow, new_case

CAPS = Caps(attempts_per_number_day=2, conversations_per_debtor_day=1, attempts_per_debtor_week=4,
            conversations_per_debtor_week=1)  # fmt: skip
STEP = dt.timedelta(seconds=30)
ENDS = (Outcome(Disposition.NO_ANSWER), Outcome(Disposition.BUSY),
        Outcome(Disposition.PROMISE_TO_PAY, talked_to=True))  # fmt: skip


class Machine:
    """One dialler by seeded chance: leases, dials, settles, and now and then dies over what it holds."""

    def __init__(self, name: str, store: Store, rang: list[tuple[str, str]], seed: int) -> None:
        self._name, self._store, self._rang = name, store, rang
        self._chance = random.Random(seed)
        self._held: list[int] = []

    async def live(self, steps: int) -> None:
        for step in range(steps):
            now = NOON + step * STEP
            await self._lease(now) if self._chance.random() < 0.5 else await self._end(now)
            if self._chance.random() < 0.05:
                self._held.clear()  # killed; others settle what it left
            if self._chance.random() < 0.1:
                await self._store.attempts.resolve_orphans(now + dt.timedelta(minutes=5))

    async def _lease(self, now: dt.datetime) -> None:
        for attempt in await self._store.attempts.lease(self._name, 2, now, allow, caps=CAPS):
            try:
                await self._store.attempts.place(attempt.id, self._name, f"{self._name}-{attempt.id}", now)
            except LeaseLost:
                continue
            self._rang.append((attempt.number, attempt.case.debtor.id))
            self._held.append(attempt.id)

    async def _end(self, now: dt.datetime) -> None:
        if not self._held:
            return
        attempt = self._held.pop(self._chance.randrange(len(self._held)))
        try:
            await self._store.attempts.settle(attempt, self._name, self._chance.choice(ENDS), now)
        except LeaseLost:
            return
        found = await self._store.attempts.find(attempt)
        assert found is not None
        await self._store.attempts.add(found.case.id, "reminder", now)


@pytest.mark.parametrize("seed", range(2))
async def test_no_cap_is_exceeded_by_many_at_once(store: Store, database_url: str, seed: int) -> None:
    """Debtors have two cases each, and some share a number."""
    shared = [new_case(n, debtor=n // 2, number=f"+8613900000{n // 4:03d}") for n in range(16)]
    await store.cases.save(shared, NOON)
    for new in shared:
        await store.attempts.add(new.case.id, "reminder", NOON)
    rang: list[tuple[str, str]] = []
    stores = [Store.from_url(database_url, pool_size=2) for _ in range(4)]
    machines = [Machine(f"m{n}", one, rang, 10 * seed + n) for n, one in enumerate(stores)]
    try:
        await asyncio.gather(*(machine.live(30) for machine in machines))
    finally:
        await asyncio.gather(*(one.close() for one in stores))
    numbers, debtors = Counter(number for number, _ in rang), Counter(debtor for _, debtor in rang)
    assert max(numbers.values()) <= CAPS.attempts_per_number_day
    assert max(debtors.values()) <= CAPS.attempts_per_debtor_week
    assert await _conversations(store) <= CAPS.conversations_per_debtor_day
    assert await _taken(store) >= 4, "and what may be dialled is dialled"


async def _taken(store: Store) -> int:
    """Attempts that somebody took: chance decides how many of them rang before their machine was given up."""
    async with store._database.begin() as connection:
        query = text("SELECT count(*) FROM attempts WHERE state <> 'waiting'")
        return int((await connection.execute(query)).scalar_one())


async def _conversations(store: Store) -> int:
    """Most conversations of one debtor, those that may have been one among them."""
    query = text("""
        SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM attempts
        WHERE reached = 'conversation' OR state IN ('leased', 'placed') GROUP BY debtor_id) AS counted
    """)
    async with store._database.begin() as connection:
        return int((await connection.execute(query)).scalar_one())
