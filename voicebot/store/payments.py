"""Payments: money comes in once, lowers what is owed, settles promises and closes what is paid."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import AttemptState, Purpose
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.event import Event, EventKind
from voicebot.domain.message import MessageState
from voicebot.domain.payment import Payment, PromiseTerms, Settlement, promise_state
from voicebot.domain.records import PromiseState
from voicebot.store.database import Database
from voicebot.store.events import emit
from voicebot.store.schema import attempts, cases, messages, promises
from voicebot.store.schema_follow_up import payments

BATCH = 500
_COUNTS_FOR = (PromiseState.OPEN, PromiseState.PARTLY_KEPT, PromiseState.BROKEN)
"""Money that was on its way when a promise was given up still counts for it."""
_OF_PROMISES = (Purpose.PROMISE_EVE, Purpose.PROMISE_DAY, Purpose.PROMISE_MISSED)


@dataclass(slots=True)
class _Standing:
    """A promise while payments are counted for it."""

    id: int
    date: dt.date
    made_on: dt.date
    amount_fen: int
    paid_fen: int
    state: PromiseState
    changed: bool = False

    def takes(self, payment: Payment, terms: PromiseTerms) -> bool:
        late = self.date + dt.timedelta(days=terms.grace_days)
        return self.paid_fen < self.amount_fen and self.made_on <= payment.paid_on <= late


class Payments:
    """`terms`: when a promise counts as kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.terms = PromiseTerms()

    async def settle(self, payment: Payment, now: dt.datetime) -> Settlement:
        """Book one payment; the same reference again changes nothing. LookupError for an unknown case."""
        (settled,) = await self.settle_many([payment], now)
        if settled is None:
            raise LookupError(f"payment {payment.external_id}: there is no case {payment.case_id}")
        return settled

    async def settle_many(self, paid: Sequence[Payment], now: dt.datetime) -> list[Settlement | None]:
        """Book payments in their order, some hundred in one transaction; None for an unknown case."""
        settled: list[Settlement | None] = []
        for first in range(0, len(paid), BATCH):
            async with self._database.begin() as connection:
                settled += await self._settle(connection, paid[first : first + BATCH], now)
        return settled

    async def of_case(self, case_id: str) -> list[tuple[Payment, dt.datetime]]:
        """A case's payments and when we heard of them, newest first."""
        query = select(payments).where(payments.c.case_id == case_id).order_by(payments.c.id.desc())
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
        return [
            (Payment(row.case_id, row.amount_fen, row.paid_on, row.external_id, row.source, row.channel),
             row.received_at)
            for row in rows
        ]  # fmt: skip

    async def _settle(
        self, connection: AsyncConnection, batch: Sequence[Payment], now: dt.datetime
    ) -> list[Settlement | None]:
        owed = await _lock(connection, {payment.case_id for payment in batch})
        fresh = await _book(connection, [payment for payment in batch if payment.case_id in owed], now)
        standing = await _standing(connection, {payment.case_id for payment in fresh.values()})
        settled: list[Settlement | None] = []
        before = dict(owed)
        for payment in batch:
            if payment.case_id not in owed:
                settled.append(None)
            elif fresh.pop(payment.external_id, None) is not payment:
                settled.append(Settlement(payment.case_id, False, owed[payment.case_id]))
            else:
                owed[payment.case_id] = max(0, owed[payment.case_id] - payment.amount_fen)
                settled.append(_count(payment, owed[payment.case_id], standing[payment.case_id], self.terms, now))
        await _write(connection, {case: left for case, left in owed.items() if left != before[case]}, now)
        await _write_promises(connection, standing, now)
        for payment, done in zip(batch, settled, strict=True):
            if done is not None and done.new:
                await _tell(connection, payment, done, now)
        return settled


async def _lock(connection: AsyncConnection, ids: set[str]) -> dict[str, int]:
    query = select(cases.c.id, cases.c.amount_fen).where(cases.c.id.in_(ids)).order_by(cases.c.id).with_for_update()
    return {row.id: int(row.amount_fen) for row in await connection.execute(query)}


async def _book(connection: AsyncConnection, known: Sequence[Payment], now: dt.datetime) -> dict[str, Payment]:
    """The payments that were not known before, by reference."""
    first: dict[str, Payment] = {}
    for payment in known:
        first.setdefault(payment.external_id, payment)
    if not first:
        return {}
    rows = [
        {"case_id": payment.case_id, "amount_fen": payment.amount_fen, "paid_on": payment.paid_on,
         "channel": payment.channel, "source": payment.source, "external_id": payment.external_id, "received_at": now}
        for payment in first.values()
    ]  # fmt: skip
    query = insert(payments).values(rows).on_conflict_do_nothing().returning(payments.c.external_id)
    return {reference: first[reference] for reference in (await connection.execute(query)).scalars()}


async def _standing(connection: AsyncConnection, ids: set[str]) -> dict[str, list[_Standing]]:
    query = select(promises).where(promises.c.case_id.in_(ids), promises.c.state.in_(_COUNTS_FOR))
    found: dict[str, list[_Standing]] = defaultdict(list)
    for row in await connection.execute(query.order_by(promises.c.date, promises.c.id)):
        made = row.made_at.astimezone(SHANGHAI).date()
        state = PromiseState(row.state)
        found[row.case_id].append(_Standing(row.id, row.date, made, row.amount_fen, row.paid_fen, state))
    return found


def _count(
    payment: Payment, left: int, standing: Sequence[_Standing], terms: PromiseTerms, now: dt.datetime
) -> Settlement:
    """Let the promises take the payment, the earliest first; a case that is paid has kept what was open."""
    rest, first = payment.amount_fen, None
    today = now.astimezone(SHANGHAI).date()
    for promise in standing:
        if rest > 0 and promise.takes(payment, terms):
            part = min(rest, promise.amount_fen - promise.paid_fen)
            promise.paid_fen, rest, promise.changed = promise.paid_fen + part, rest - part, True
            promise.state = promise_state(promise.amount_fen, promise.paid_fen, promise.date, today, terms)
            first = first or promise
        if left == 0 and promise.state is PromiseState.OPEN:
            promise.state, promise.changed = PromiseState.KEPT, True
            first = first or promise
    return Settlement(
        payment.case_id, True, left, left == 0, first.id if first else None, first.state if first else None
    )


async def _write(connection: AsyncConnection, left: dict[str, int], now: dt.datetime) -> None:
    if left:
        change = update(cases).where(cases.c.id == bindparam("case")).values(amount_fen=bindparam("left"))
        await connection.execute(change, [{"case": case, "left": rest} for case, rest in left.items()])
    paid = [case for case, rest in left.items() if rest == 0]
    if not paid:
        return
    await connection.execute(update(cases).where(cases.c.id.in_(paid)).values(status="closed", updated_at=now))
    waiting = (attempts.c.case_id.in_(paid), attempts.c.state == AttemptState.WAITING)
    ended = {"state": AttemptState.CANCELLED, "settled_at": now, "why": "paid"}
    await connection.execute(update(attempts).where(*waiting).values(**ended))
    unsent = (messages.c.case_id.in_(paid), messages.c.state == MessageState.WAITING)
    await connection.execute(update(messages).where(*unsent).values(state=MessageState.CANCELLED, why="paid"))


async def _write_promises(
    connection: AsyncConnection, standing: dict[str, list[_Standing]], now: dt.datetime
) -> None:
    """What was paid for each, and what it is now; nobody is rung about a promise that is kept."""
    kept = []
    for case_id, all_of_case in standing.items():
        for promise in all_of_case:
            if not promise.changed:
                continue
            done = None if promise.state is PromiseState.OPEN else now
            values = {"paid_fen": promise.paid_fen, "state": promise.state, "settled_at": done}
            await connection.execute(update(promises).where(promises.c.id == promise.id).values(**values))
            if promise.state is PromiseState.KEPT:
                kept.append(case_id)
                await emit(connection, _kept(case_id, promise, now))
    if kept:
        about = (attempts.c.case_id.in_(kept), attempts.c.purpose.in_(_OF_PROMISES))
        ended = {"state": AttemptState.CANCELLED, "settled_at": now, "why": "promise kept"}
        waiting = attempts.c.state == AttemptState.WAITING
        await connection.execute(update(attempts).where(*about, waiting).values(**ended))


def _kept(case_id: str, promise: _Standing, now: dt.datetime) -> Event:
    data = {"promise_id": promise.id, "date": promise.date.isoformat(), "amount_fen": promise.amount_fen,
            "paid_fen": promise.paid_fen}  # fmt: skip
    return Event(f"promise.kept:{promise.id}", EventKind.PROMISE_KEPT, now, data | {"case_id": case_id}, case_id)


async def _tell(connection: AsyncConnection, payment: Payment, done: Settlement, now: dt.datetime) -> None:
    data: dict[str, object] = {
        "case_id": payment.case_id, "amount_fen": payment.amount_fen, "paid_on": payment.paid_on.isoformat(),
        "reference": payment.external_id, "left_fen": done.left_fen, "promise_id": done.promise_id,
    }  # fmt: skip
    key = f"payment.received:{payment.external_id}"
    await emit(connection, Event(key, EventKind.PAYMENT_RECEIVED, now, data, payment.case_id))
    if done.closed:
        closed = Event(f"case.closed:{payment.external_id}", EventKind.CASE_CLOSED, now,
                       {"case_id": payment.case_id, "why": "paid"}, payment.case_id)  # fmt: skip
        await emit(connection, closed)
