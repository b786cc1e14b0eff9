"""LostCalls: dial orders that no line took are taken back whole; calls given up that came to light are found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import Attempt, AttemptState, Purpose
from voicebot.store import ledger
from voicebot.store.database import CLOSED, Database
from voicebot.store.dialling import WITHDRAWN
from voicebot.store.rows import ATTEMPT_COLUMNS, ATTEMPT_TABLES, to_attempt
from voicebot.store.schema import attempts, calls

FOUND_WITHIN = dt.timedelta(days=7)
"""A call that comes to light later than that, from the disk of a machine that came back, changes nothing any more."""

UNHELD = dt.timedelta(seconds=5)
"""What a dialler leased that long ago and knows nothing of, it was never told of: the answer was lost."""

_WITHDRAW = text("""
    UPDATE commands SET taken_at = :now, taken_by = :nobody
    WHERE verb = 'dial' AND payload ->> 'call_id' = :call_id AND taken_at IS NULL
""")
_TAKEN = text("""
    SELECT 1 FROM commands WHERE verb = 'dial' AND payload ->> 'call_id' = :call_id AND taken_by <> :nobody
    UNION ALL SELECT 1 FROM calls WHERE id = :call_id
    LIMIT 1
""")


class LostCalls:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_back(self, attempt: Attempt, not_before: dt.datetime, now: dt.datetime) -> bool:
        """Undo an attempt whose order no line has taken: nothing rang, so nothing is counted; it waits again.

        From then on no line can take the order. False when one has: the number may ring. What an agent wanted to
        dial is cancelled instead: the bot must not ring in their place.
        """
        assert attempt.call_id is not None
        key = {"call_id": attempt.call_id, "nobody": WITHDRAWN}
        async with self._database.begin() as connection:
            row = (await connection.execute(_placed(attempt).with_for_update(of=attempts))).first()
            if row is None:
                return False
            await connection.execute(_WITHDRAW, {**key, "now": now})
            if (await connection.execute(_TAKEN, key)).first() is not None:
                return False
            await _undo(connection, to_attempt(row), not_before, now, "no line took the order")
            return True

    async def never_rang(self, attempt_id: int, call_id: str, why: str, not_before: dt.datetime) -> bool:
        """Undo an attempt whose line took the order and will not ring: nothing is counted, it waits again.

        Whoever waits for the call is woken, see `is_undone`. False where it is settled already, or a call was written.
        """
        query = _select().where(
            attempts.c.id == attempt_id, attempts.c.state == AttemptState.PLACED, attempts.c.call_id == call_id
        )
        async with self._database.begin() as connection:
            row = (await connection.execute(query.with_for_update(of=attempts))).first()
            begun = (await connection.execute(select(calls.c.id).where(calls.c.id == call_id))).first()
            if row is None or begun is not None:
                return False
            await _undo(connection, to_attempt(row), not_before, not_before, why)
            await connection.execute(select(func.pg_notify(CLOSED, call_id)))
            return True

    async def never_ordered(
        self, worker: str, now: dt.datetime, *, mine: Collection[int], dead: Collection[str] = ()
    ) -> list[int]:
        """Undo what was leased by somebody who is `dead`, or by `worker` for whom it is not among `mine`.

        No line can know of it: it waits again at once, and counts nothing. Their ids.
        """
        unheld = and_(
            attempts.c.leased_by == worker, attempts.c.id.not_in(list(mine)), attempts.c.leased_at < now - UNHELD
        )
        query = _select().where(
            attempts.c.state == AttemptState.LEASED, or_(attempts.c.leased_by.in_(list(dead)), unheld)
        )
        async with self._database.begin() as connection:
            rows = await connection.execute(query.with_for_update(of=attempts, skip_locked=True))
            left = [to_attempt(row) for row in rows]
            for attempt in left:
                await _undo(connection, attempt, now, now, "whoever leased it is gone")
        return [attempt.id for attempt in left]

    async def is_undone(self, attempt: Attempt) -> bool:
        """Whether an attempt is no longer about this call: it waits again, or is tried anew."""
        mine = select(attempts.c.id).where(attempts.c.id == attempt.id, attempts.c.call_id == attempt.call_id)
        async with self._database.begin() as connection:
            return (await connection.execute(mine)).first() is None

    async def found(self, worker: str, now: dt.datetime) -> list[Attempt]:
        """Attempts given up as lost whose call is over and written after all; they are `worker`'s to settle."""
        ended = select(calls.c.id).where(calls.c.ended_at.is_not(None), ~calls.c.lost, calls.c.id == attempts.c.call_id)
        found = (
            select(attempts.c.id)
            .where(attempts.c.lost, attempts.c.settled_at > now - FOUND_WITHIN, ended.exists())
            .with_for_update(skip_locked=True)
        )
        change = update(attempts).where(attempts.c.id.in_(found.scalar_subquery())).values(leased_by=worker)
        async with self._database.begin() as connection:
            ids = (await connection.execute(change.returning(attempts.c.id))).scalars().all()
            rows = await connection.execute(_select().where(attempts.c.id.in_(ids)))
            return [to_attempt(row) for row in rows]


def _select() -> Select[Any]:
    return select(*ATTEMPT_COLUMNS).select_from(ATTEMPT_TABLES)


def _placed(attempt: Attempt) -> Select[Any]:
    return _select().where(
        attempts.c.id == attempt.id, attempts.c.state == AttemptState.PLACED, attempts.c.call_id == attempt.call_id
    )


async def _undo(
    connection: AsyncConnection, attempt: Attempt, not_before: dt.datetime, now: dt.datetime, why: str
) -> None:
    assert attempt.leased_at is not None
    await ledger.give_back_all(connection, attempt, attempt.leased_at)
    change: dict[str, object] = {
        "state": AttemptState.WAITING,
        "not_before": not_before,
        "leased_by": None,
        "leased_at": None,
        "lease_until": None,
        "placed_at": None,
        "call_id": None,
        "shows": None,
        "why": why,
    }
    if attempt.purpose is Purpose.AGENT:
        change |= {"state": AttemptState.CANCELLED, "settled_at": now, "not_before": attempt.not_before}
    await connection.execute(update(attempts).where(attempts.c.id == attempt.id).values(**change))
