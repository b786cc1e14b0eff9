"""Attempts: written, leased, kept alive, settled; and the orphans that a killed worker leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Select, and_, bindparam, false, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import URGENCY, Attempt, AttemptState, Caps, NextAttempt, Outcome, Purpose
from voicebot.domain.message import PlannedMessage
from voicebot.domain.outcome import Disposition
from voicebot.domain.pace import Pacing
from voicebot.domain.permission import Judge, Reached
from voicebot.store import leasing, ledger
from voicebot.store.commands import DialOrdered, write_dial
from voicebot.store.database import Database
from voicebot.store.outbox import write_messages
from voicebot.store.promises import record_callback, record_promise
from voicebot.store.rows import ATTEMPT_COLUMNS, ATTEMPT_TABLES, to_attempt
from voicebot.store.schema import attempts, numbers
from voicebot.store.wrapups import wrapped_up

LEASE = dt.timedelta(seconds=60)
"""How long a lease lasts without a heartbeat."""

_OPEN = (AttemptState.WAITING, AttemptState.LEASED, AttemptState.PLACED)
_HELD = (AttemptState.LEASED, AttemptState.PLACED)


class LeaseLost(RuntimeError):
    """The attempt is no longer this worker's: its lease ran out and somebody settled it."""


class Attempts:
    """All work on attempts. `now` always comes from the caller's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        case_id: str,
        script: str,
        not_before: dt.datetime,
        *,
        number: str | None = None,
        purpose: Purpose = Purpose.REMINDER,
        campaign_id: str | None = None,
        priority: int = 0,
    ) -> int | None:
        """Plan an attempt to the debtor's best number (or `number`).

        None when one is open or no number is known.
        """
        values = {
            "case_id": case_id,
            "script": script,
            "not_before": not_before,
            "number": number,
            "purpose": purpose,
            "campaign_id": campaign_id,
            "priority": priority,
        }
        async with self._database.begin() as connection:
            return (await connection.execute(ADD, values)).scalar_one_or_none()

    async def lease(
        self,
        worker: str,
        limit: int,
        now: dt.datetime,
        judge: Judge,
        *,
        caps: Caps | None = None,
        lease: dt.timedelta = LEASE,
        pacing: Pacing | None = None,
    ) -> list[Attempt]:
        """Take up to `limit` attempts that may be dialled now; they are counted as used from here on.

        Without `pacing` neither modes nor failures of campaigns hold anything back.
        """
        if limit <= 0:
            return []
        async with self._database.begin() as connection:
            return await leasing.lease(
                connection, worker, limit, now, judge=judge, caps=caps or Caps(), until=now + lease, pacing=pacing
            )

    async def place(
        self, attempt_id: int, worker: str, call_id: str, now: dt.datetime, order: DialOrdered | None = None
    ) -> None:
        """Say that the number is dialled from now on; call before the INVITE leaves. Raises LeaseLost.

        `order` goes to its line in the same transaction: there is no attempt without its order, and none is twice.
        """
        change = {"state": AttemptState.PLACED, "placed_at": now, "call_id": call_id}
        async with self._database.begin() as connection:
            await _change_held(connection, attempt_id, worker, (AttemptState.LEASED,), change)
            if order is not None:
                await write_dial(connection, order, now)

    async def heartbeat(
        self, worker: str, ids: Iterable[int], now: dt.datetime, lease: dt.timedelta = LEASE
    ) -> set[int]:
        """Keep leases alive; those ids that are still this worker's."""
        async with self._database.begin() as connection:
            rows = await connection.execute(
                update(attempts)
                .where(attempts.c.id.in_(list(ids)), attempts.c.leased_by == worker, attempts.c.state.in_(_HELD))
                .values(lease_until=now + lease)
                .returning(attempts.c.id)
            )
            return {row.id for row in rows}

    async def release(self, attempt_id: int, worker: str, not_before: dt.datetime) -> None:
        """Give an attempt back that was never dialled; its counters are free again. Raises LeaseLost."""
        async with self._database.begin() as connection:
            attempt = await _held(connection, attempt_id, worker, (AttemptState.LEASED,))
            assert attempt.leased_at is not None
            await ledger.give_back_all(connection, attempt, attempt.leased_at)
            change = {
                "state": AttemptState.WAITING,
                "not_before": not_before,
                "leased_by": None,
                "leased_at": None,
                "lease_until": None,
            }
            await _change_held(connection, attempt_id, worker, (AttemptState.LEASED,), change)

    async def settle(
        self,
        attempt_id: int,
        worker: str,
        outcome: Outcome,
        now: dt.datetime,
        following: Sequence[NextAttempt] = (),
        messages: Sequence[PlannedMessage] = (),
        *,
        lost: bool = False,
        retires: bool = False,
        next_number_at: dt.datetime | None = None,
    ) -> None:
        """Write what came of an attempt and plan what follows. The truth also replaces an orphan's guess.

        `retires`: the number is not this debtor's and is dialled no more; the next one may be rung at `next_number_at`.

        `lost`: nobody knows what came of a number that may have rung: it counts as a conversation until its call
        comes to light.

        What was agreed in a conversation takes the place of everything that was planned for the case; what a person
        wrote about the call, and planned, stands above what the journal tells. `messages` are about the promise.

        Raises LeaseLost when the attempt is not this worker's or was settled before.
        """
        async with self._database.begin() as connection:
            attempt = await _held(connection, attempt_id, worker, _HELD, or_lost=True)
            await _write_outcome(connection, attempt, outcome, now, lost=lost)
            if retires:
                await _retire(connection, attempt, next_number_at)
            if await wrapped_up(connection, outcome.call_id or attempt.call_id):
                return
            if attempt.state is AttemptState.SETTLED:
                await _withdraw(connection, attempt, now, "the lost call was found")
            elif outcome.reached is Reached.CONVERSATION:
                await _withdraw(connection, attempt, now, "settled in another call")
            await _follow_up(connection, attempt, outcome, now, following, messages)

    async def resolve_orphans(
        self, now: dt.datetime, plan: Callable[[Attempt], Sequence[NextAttempt]] = lambda attempt: ()
    ) -> list[Attempt]:
        """Settle attempts whose worker stopped giving signs of life; they stay counted as used.

        A call that may have rung counts as a conversation until its worker's journal says otherwise. `plan` gives
        what follows each.
        """
        async with self._database.begin() as connection:
            rows = await connection.execute(
                _select()
                .where(attempts.c.state.in_(_HELD), attempts.c.lease_until < now)
                .with_for_update(of=attempts, skip_locked=True)
            )
            orphans = [to_attempt(row) for row in rows]
            for attempt in orphans:
                outcome = Outcome(Disposition.FAILED, why=f"worker {attempt.leased_by} lost", call_id=attempt.call_id)
                await _write_outcome(connection, attempt, outcome, now, lost=True)
                await _follow_up(connection, attempt, outcome, now, plan(attempt))
        return orphans

    async def adopt(
        self, worker: str, now: dt.datetime, lease: dt.timedelta = LEASE, *, mine: Collection[int] | None = None,
        dead: Collection[str] = (),
    ) -> list[Attempt]:  # fmt: skip
        """Take over attempts that were dialled by somebody who gives no more signs of life: the calls may go on.

        `dead`: who is known to be gone, before its leases run out. `mine`: attempts that this life of `worker` waits
        for; all others under its name are an earlier life's. None takes none of its name before their lease is over.
        """
        over = [attempts.c.lease_until < now, attempts.c.leased_by.in_(list(dead))]
        if mine is not None:
            over.append(and_(attempts.c.leased_by == worker, attempts.c.id.not_in(list(mine))))
        async with self._database.begin() as connection:
            abandoned = (
                select(attempts.c.id)
                .where(attempts.c.state == AttemptState.PLACED, or_(*over))
                .with_for_update(skip_locked=True)
            )
            change = update(attempts).where(attempts.c.id.in_(abandoned.scalar_subquery()))
            ids = (
                await connection.execute(
                    change.values(leased_by=worker, lease_until=now + lease).returning(attempts.c.id)
                )
            ).scalars()
            rows = await connection.execute(_select().where(attempts.c.id.in_(ids.all())))
            return [to_attempt(row) for row in rows]

    async def cancel(self, case_id: str, why: str, now: dt.datetime) -> int:
        """Withdraw all waiting attempts of a case (paid, recalled); how many there were."""
        async with self._database.begin() as connection:
            result = await connection.execute(
                update(attempts)
                .where(attempts.c.case_id == case_id, attempts.c.state == AttemptState.WAITING)
                .values(state=AttemptState.CANCELLED, why=why, settled_at=now)
            )
            return result.rowcount

    async def find(self, attempt_id: int) -> Attempt | None:
        async with self._database.begin() as connection:
            row = (await connection.execute(_select().where(attempts.c.id == attempt_id))).first()
        return to_attempt(row) if row else None

    async def of_case(self, case_id: str, limit: int = 200) -> list[Attempt]:
        """A case's attempts, newest first."""
        query = _select().where(attempts.c.case_id == case_id).order_by(attempts.c.id.desc()).limit(limit)
        async with self._database.begin() as connection:
            return [to_attempt(row) for row in await connection.execute(query)]

    async def next_due(self) -> dt.datetime | None:
        """When the earliest waiting attempt may be asked for; None when nothing waits."""
        query = select(func.min(attempts.c.not_before)).where(attempts.c.state == AttemptState.WAITING)
        async with self._database.begin() as connection:
            due: dt.datetime | None = (await connection.execute(query)).scalar_one()
        return due


ADD = text("""
    INSERT INTO attempts
        (campaign_id, case_id, debtor_id, number, target, purpose, script, not_before, priority)
    SELECT :campaign_id, cases.id, cases.debtor_id, coalesce(:number, best.number),
        coalesce(best.kind, 'debtor'), :purpose, :script, :not_before, :priority
    FROM cases LEFT JOIN LATERAL (
        SELECT number, kind FROM numbers
        WHERE numbers.debtor_id = cases.debtor_id AND valid
          AND (numbers.number = :number OR (CAST(:number AS text) IS NULL AND kind = 'debtor'))
        ORDER BY rank, numbers.id LIMIT 1
    ) AS best ON true
    WHERE cases.id = :case_id AND coalesce(:number, best.number) IS NOT NULL
    ON CONFLICT DO NOTHING RETURNING id
""").bindparams(bindparam("number", type_=attempts.c.number.type))


def _select() -> Select[Any]:
    return select(*ATTEMPT_COLUMNS).select_from(ATTEMPT_TABLES)


async def _held(
    connection: AsyncConnection,
    attempt_id: int,
    worker: str,
    states: tuple[AttemptState, ...],
    or_lost: bool = False,
) -> Attempt:
    """The attempt, locked, if `worker` holds it in one of `states`, or dialled it before it was given up."""
    dialled_and_lost = and_(attempts.c.lost, attempts.c.placed_at.is_not(None)) if or_lost else false()
    held = or_(attempts.c.state.in_(states), dialled_and_lost)
    query = _select().where(attempts.c.id == attempt_id, attempts.c.leased_by == worker, held)
    row = (await connection.execute(query.with_for_update(of=attempts))).first()
    if row is None:
        raise LeaseLost(f"attempt {attempt_id} is not {worker}'s any more")
    return to_attempt(row)


async def _change_held(
    connection: AsyncConnection,
    attempt_id: int,
    worker: str,
    states: tuple[AttemptState, ...],
    change: dict[str, object],
) -> None:
    result = await connection.execute(
        update(attempts)
        .where(attempts.c.id == attempt_id, attempts.c.leased_by == worker, attempts.c.state.in_(states))
        .values(**change)
    )
    if result.rowcount == 0:
        raise LeaseLost(f"attempt {attempt_id} is not {worker}'s any more")


async def _write_outcome(
    connection: AsyncConnection, attempt: Attempt, outcome: Outcome, now: dt.datetime, *, lost: bool
) -> None:
    reached = outcome.reached
    if lost and attempt.call_id is not None:  # also when it is said twice, after an answer that did not arrive
        reached = Reached.CONVERSATION
    change = {
        "state": AttemptState.SETTLED,
        "settled_at": now,
        "disposition": outcome.disposition,
        "reached": reached,
        "why": outcome.why,
        "call_id": outcome.call_id or attempt.call_id,
        "lost": lost,
    }
    await connection.execute(update(attempts).where(attempts.c.id == attempt.id).values(**change))
    if reached is not Reached.CONVERSATION and attempt.leased_at is not None:
        await ledger.give_back_conversation(connection, attempt.case.debtor.id, attempt.leased_at)


async def _retire(connection: AsyncConnection, attempt: Attempt, next_number_at: dt.datetime | None) -> None:
    whose = (numbers.c.debtor_id == attempt.case.debtor.id, numbers.c.number == attempt.number)
    await connection.execute(update(numbers).where(*whose).values(valid=False))
    if next_number_at is None:
        return
    values = {
        "case_id": attempt.case.id,
        "script": attempt.script,
        "not_before": next_number_at,
        "number": None,
        "purpose": attempt.purpose,
        "campaign_id": attempt.campaign_id,
        "priority": attempt.priority,
    }
    await connection.execute(ADD, values)


async def _withdraw(connection: AsyncConnection, attempt: Attempt, now: dt.datetime, why: str) -> None:
    """Take back what was planned for the case before we knew better."""
    await connection.execute(
        update(attempts)
        .where(attempts.c.case_id == attempt.case.id, attempts.c.state == AttemptState.WAITING)
        .where(attempts.c.campaign_id.is_not_distinct_from(attempt.campaign_id))
        .values(state=AttemptState.CANCELLED, settled_at=now, why=why)
    )


async def _follow_up(
    connection: AsyncConnection,
    attempt: Attempt,
    outcome: Outcome,
    now: dt.datetime,
    following: Sequence[NextAttempt],
    messages: Sequence[PlannedMessage] = (),
) -> None:
    if outcome.promise is not None:
        promise_id = await record_promise(connection, attempt.case.id, outcome.call_id, outcome.promise, now)
        await write_messages(connection, attempt.case.id, outcome.call_id, promise_id, messages, now)
    if outcome.callback_wanted or outcome.callback_at is not None:
        await record_callback(
            connection,
            attempt.case.id,
            outcome.call_id,
            attempt.number,
            outcome.callback_at,
            outcome.why,
            now,
        )
    for planned in following:
        await connection.execute(
            insert(attempts)
            .values(
                campaign_id=attempt.campaign_id,
                case_id=attempt.case.id,
                debtor_id=attempt.case.debtor.id,
                number=planned.number or attempt.number,
                target=attempt.target,
                purpose=planned.purpose,
                script=planned.script or attempt.script,
                tries=attempt.tries + 1,
                not_before=planned.at,
                priority=attempt.priority - URGENCY.get(attempt.purpose, 0) + URGENCY.get(planned.purpose, 0),
            )
            .on_conflict_do_nothing()
        )
