"""Promises and callbacks: what was agreed in calls and is still to come."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.case import Promise
from voicebot.domain.event import Event, EventKind
from voicebot.domain.records import Callback, PromiseRecord, PromiseState
from voicebot.store.database import Database
from voicebot.store.events import emit
from voicebot.store.rows import AnyRow
from voicebot.store.schema import callbacks, cases, debtors, promises


class Promises:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, case_id: str, call_id: str | None, promise: Promise, now: dt.datetime) -> int:
        """Write a promise down; an open one of the same case is replaced by it. Its id."""
        async with self._database.begin() as connection:
            return await record_promise(connection, case_id, call_id, promise, now)

    async def mark(self, promise_id: int, state: PromiseState) -> None:
        """Say that a promise was kept or broken."""
        async with self._database.begin() as connection:
            await connection.execute(update(promises).where(promises.c.id == promise_id).values(state=state))

    async def of_case(self, case_id: str) -> list[PromiseRecord]:
        """A case's promises, newest first."""
        query = select(promises).where(promises.c.case_id == case_id).order_by(promises.c.id.desc())
        async with self._database.begin() as connection:
            return [_to_promise(row) for row in await connection.execute(query)]

    async def between(self, first: dt.date, last: dt.date) -> list[tuple[PromiseRecord, str]]:
        """Promises for these days, both included, that were not replaced, with the debtor's name."""
        query = (
            select(promises, debtors.c.name.label("debtor_name"))
            .join(cases, promises.c.case_id == cases.c.id)
            .join(debtors, cases.c.debtor_id == debtors.c.id)
            .where(promises.c.date.between(first, last), promises.c.state != PromiseState.REPLACED)
            .order_by(promises.c.date, promises.c.amount_fen.desc(), promises.c.id)
        )
        async with self._database.begin() as connection:
            return [(_to_promise(row), row.debtor_name) for row in await connection.execute(query)]

    async def due(self, first: dt.date, last: dt.date) -> list[PromiseRecord]:
        """Open promises for the days from `first` to `last`, both included."""
        query = select(promises).where(promises.c.state == PromiseState.OPEN, promises.c.date.between(first, last))
        async with self._database.begin() as connection:
            return [_to_promise(row) for row in await connection.execute(query.order_by(promises.c.date))]

    async def book_callback(
        self,
        case_id: str | None,
        call_id: str | None,
        number: str,
        at: dt.datetime | None,
        reason: str,
        now: dt.datetime,
    ) -> int:
        """Somebody wants to be called; `at` None when no time was named. Its id."""
        async with self._database.begin() as connection:
            return await record_callback(connection, case_id, call_id, number, at, reason, now)

    async def callbacks(self, open_only: bool = True, limit: int = 200) -> list[Callback]:
        query = select(callbacks).order_by(callbacks.c.at.asc().nulls_last(), callbacks.c.id).limit(limit)
        if open_only:
            query = query.where(callbacks.c.done_at.is_(None))
        async with self._database.begin() as connection:
            return [_to_callback(row) for row in await connection.execute(query)]

    async def callback_of(self, call_id: str) -> Callback | None:
        """The callback that was booked in a call, the first one."""
        query = select(callbacks).where(callbacks.c.call_id == call_id).order_by(callbacks.c.id).limit(1)
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).first()
        return _to_callback(row) if row else None

    async def called_back(self, case_id: str, before: dt.datetime, now: dt.datetime) -> int:
        """The bot rang as was asked for: what was booked before then, and is no agent's, is done; how many."""
        booked = (callbacks.c.case_id == case_id, callbacks.c.booked_at < before, callbacks.c.agent_id.is_(None))
        change = update(callbacks).where(*booked, callbacks.c.done_at.is_(None)).values(done_at=now)
        async with self._database.begin() as connection:
            return (await connection.execute(change)).rowcount

    async def callback_done(self, callback_id: int, now: dt.datetime) -> None:
        async with self._database.begin() as connection:
            await connection.execute(update(callbacks).where(callbacks.c.id == callback_id).values(done_at=now))


async def record_promise(
    connection: AsyncConnection, case_id: str, call_id: str | None, promise: Promise, now: dt.datetime
) -> int:
    """As Promises.record, in the caller's transaction.

    A call's own promise is written once, the last one stands.
    """
    await connection.execute(
        update(promises)
        .where(promises.c.case_id == case_id, promises.c.state == PromiseState.OPEN)
        .values(state=PromiseState.REPLACED)
    )
    result = await connection.execute(
        promises.insert()
        .values(
            case_id=case_id,
            call_id=call_id,
            date=promise.date,
            amount_fen=promise.amount_fen,
            confirmed=promise.confirmed,
            channel=promise.channel,
            made_at=now,
        )
        .returning(promises.c.id)
    )
    promise_id = int(result.scalar_one())
    data = {"promise_id": promise_id, "case_id": case_id, "call_id": call_id, "date": promise.date.isoformat(),
            "amount_fen": promise.amount_fen, "confirmed": promise.confirmed}  # fmt: skip
    await emit(connection, Event(f"promise.made:{promise_id}", EventKind.PROMISE_MADE, now, data, case_id))
    return promise_id


async def record_callback(
    connection: AsyncConnection,
    case_id: str | None,
    call_id: str | None,
    number: str,
    at: dt.datetime | None,
    reason: str,
    now: dt.datetime,
) -> int:
    """As Promises.book_callback, in the caller's transaction."""
    values = {
        "case_id": case_id,
        "call_id": call_id,
        "number": number,
        "at": at,
        "reason": reason,
        "booked_at": now,
    }
    result = await connection.execute(callbacks.insert().values(**values).returning(callbacks.c.id))
    return int(result.scalar_one())


def _to_promise(row: AnyRow) -> PromiseRecord:
    return PromiseRecord(
        id=row.id,
        case_id=row.case_id,
        call_id=row.call_id,
        date=row.date,
        amount_fen=row.amount_fen,
        confirmed=row.confirmed,
        state=PromiseState(row.state),
        made_at=row.made_at,
        channel=row.channel,
        paid_fen=row.paid_fen,
        settled_at=row.settled_at,
    )


def _to_callback(row: AnyRow) -> Callback:
    return Callback(
        id=row.id,
        case_id=row.case_id,
        call_id=row.call_id,
        number=row.number,
        at=row.at,
        reason=row.reason,
        booked_at=row.booked_at,
        done_at=row.done_at,
    )
