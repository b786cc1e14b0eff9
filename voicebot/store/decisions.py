"""Decisions: the permission ledger. Every answer is written where it was made and chained a moment later.

Chaining stands apart, because one chain in the transactions of all leases would make them wait for each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import AttemptState
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.ledger import FIRST, Decision, DecisionSearch, Means, chained, inputs_of, told
from voicebot.domain.permission import DialRequest, DialVerdict, Judge
from voicebot.store.database import Database, lock_key
from voicebot.store.history import History
from voicebot.store.rows import ATTEMPT_COLUMNS, ATTEMPT_TABLES, AnyRow, to_attempt
from voicebot.store.schema import attempts
from voicebot.store.schema_permissions import decisions

_AT_ONCE = 500
_HELD = (AttemptState.LEASED, AttemptState.PLACED)


async def record(
    connection: AsyncConnection, request: DialRequest, verdict: DialVerdict, now: dt.datetime, means: Means = Means.CALL
) -> None:
    """Write an answer down in the transaction that acts on it."""
    asked: DialRequest = getattr(verdict, "asked", None) or request  # what the judge added of its own knowledge
    await connection.execute(
        decisions.insert().values(
            attempt_id=request.attempt_id,
            at=now,
            allowed=verdict.allowed,
            rule=verdict.rule,
            reason=verdict.reason,
            not_before=verdict.not_before,
            pack_sha256=verdict.pack_sha256,
            case_id=request.case_id,
            debtor_id=request.debtor_id,
            number=request.number,
            means=means.value,
            inputs=inputs_of(replace(asked, now=now)),
        )
    )


class Decisions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, request: DialRequest, verdict: DialVerdict, now: dt.datetime, means: Means) -> None:
        """Write an answer down that no transaction of ours acts on."""
        async with self._database.begin() as connection:
            await record(connection, request, verdict, now, means)

    async def again(self, attempt_id: int, now: dt.datetime, judge: Judge) -> DialVerdict | None:
        """Judge an attempt that is about to ring once more: a stop may have come, an hour ended since it was leased.

        Written down like any other answer. None for an attempt that nobody holds, or that does not exist.
        """
        async with self._database.begin() as connection:
            query = select(*ATTEMPT_COLUMNS).select_from(ATTEMPT_TABLES).where(attempts.c.id == attempt_id)
            row = (await connection.execute(query.where(attempts.c.state.in_(_HELD)))).first()
            if row is None:
                return None
            attempt = to_attempt(row)
            history = await History.read(connection, [attempt], now, apart=attempt.id)
            request = history.request(attempt)
            verdict = judge(request, now)
            await record(connection, request, verdict, now)
            return verdict

    async def search(self, wanted: DecisionSearch, limit: int = 50, before_id: int | None = None) -> list[Decision]:
        """Newest first; `before_id`: the next page, after the last id of the one before."""
        query = _filtered(wanted).order_by(decisions.c.id.desc()).limit(limit)
        if before_id is not None:
            query = query.where(decisions.c.id < before_id)
        async with self._database.begin() as connection:
            return [_to_decision(row) for row in await connection.execute(query)]

    async def counts(self, wanted: DecisionSearch) -> dict[str | None, int]:
        """How many answers by rule, None: allowed."""
        found = _filtered(wanted).subquery()
        query = select(found.c.rule, func.count()).group_by(found.c.rule)
        async with self._database.begin() as connection:
            return {row[0]: int(row[1]) for row in await connection.execute(query)}

    async def chain(self, limit: int = _AT_ONCE) -> int:
        """Put answers that stand apart into the chain, oldest first; how many. Call again while it is `limit`."""
        async with self._database.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("ledger", "chain")})
            position, before = await _head(connection)
            rows = await connection.execute(
                select(decisions).where(decisions.c.position.is_(None)).order_by(decisions.c.id).limit(limit)
            )
            done = 0
            for row in rows:
                position, done = position + 1, done + 1
                before = chained(told(replace(_to_decision(row), position=position)), before)
                change = update(decisions).where(decisions.c.id == row.id).values(position=position, sha256=before)
                await connection.execute(change)
            return done

    async def head(self) -> tuple[int, str]:
        """Length and last hash of the chain; what was written down elsewhere shows later that nothing was cut off."""
        async with self._database.begin() as connection:
            return await _head(connection)

    async def in_order(self, after: int = 0) -> AsyncIterator[Decision]:
        """The whole chain from a position on, some hundred rows at a time."""
        async for decision in self.matching(DecisionSearch(), after):
            yield decision

    async def matching(self, wanted: DecisionSearch, after: int = 0) -> AsyncIterator[Decision]:
        """Chained answers that match, in the order of the chain, some hundred rows at a time."""
        while True:
            query = _filtered(wanted).where(decisions.c.position > after).order_by(decisions.c.position)
            async with self._database.begin() as connection:
                rows = [_to_decision(row) for row in await connection.execute(query.limit(_AT_ONCE))]
            for decision in rows:
                yield decision
                after = decision.position or after
            if len(rows) < _AT_ONCE:
                return


async def _head(connection: AsyncConnection) -> tuple[int, str]:
    query = select(decisions.c.position, decisions.c.sha256).where(decisions.c.position.is_not(None))
    row = (await connection.execute(query.order_by(decisions.c.position.desc()).limit(1))).first()
    return (int(row[0]), str(row[1])) if row else (0, FIRST)


def _filtered(wanted: DecisionSearch) -> Select[Any]:
    table, query = decisions.c, select(decisions)
    if wanted.case_id:
        query = query.where(table.case_id == wanted.case_id)
    if wanted.number:
        query = query.where(table.number == wanted.number)
    if wanted.rule:
        query = query.where(table.rule == wanted.rule)
    if wanted.allowed is not None:
        query = query.where(table.allowed.is_(wanted.allowed))
    if wanted.since:
        query = query.where(table.at >= _midnight(wanted.since))
    if wanted.until:
        query = query.where(table.at < _midnight(wanted.until + dt.timedelta(days=1)))
    return query


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), SHANGHAI)


def _to_decision(row: AnyRow) -> Decision:
    return Decision(
        id=row.id,
        at=row.at,
        allowed=row.allowed,
        rule=row.rule,
        reason=row.reason,
        not_before=row.not_before,
        pack_sha256=row.pack_sha256,
        number=row.number,
        means=Means(row.means),
        attempt_id=row.attempt_id,
        case_id=row.case_id,
        debtor_id=row.debtor_id,
        inputs=row.inputs,
        position=row.position,
        sha256=row.sha256,
    )
