"""Operations: the chained log of every listening, export and deletion; and legal holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from sqlalchemy import select, text, update

from voicebot.domain.operation import FIRST, LegalHold, Operation
from voicebot.store.database import Database, lock_key
from voicebot.store.rows import AnyRow
from voicebot.store.schema_evidence import legal_holds, operations

_AT_ONCE = 500


class Operations:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(
        self,
        actor: str,
        role: str,
        action: str,
        subject: str,
        now: dt.datetime,
        detail: Mapping[str, object] | None = None,
    ) -> Operation:
        """Write one operation behind the last. One at a time in all processes, so that the chain never forks."""
        async with self._database.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("operations", "log")})
            last = select(operations).order_by(operations.c.position.desc()).limit(1)
            row = (await connection.execute(last)).first()
            position, before = (row.position + 1, row.sha256) if row else (1, FIRST)
            one = Operation(position, now, actor, role, action, subject, dict(detail or {}))
            one = replace(one, sha256=one.chained(before))
            await connection.execute(operations.insert().values(**one.told() | {"at": now, "sha256": one.sha256}))
        return one

    async def head(self) -> tuple[int, str]:
        """Length and last hash of the log."""
        query = select(operations.c.position, operations.c.sha256).order_by(operations.c.position.desc()).limit(1)
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).first()
        return (row.position, row.sha256) if row else (0, FIRST)

    async def latest(self, limit: int = 50, before: int | None = None, subject: str | None = None) -> list[Operation]:
        """Newest first; `before`: the next page, after the last position of the one before."""
        query = select(operations).order_by(operations.c.position.desc()).limit(limit)
        if before is not None:
            query = query.where(operations.c.position < before)
        if subject is not None:
            query = query.where(operations.c.subject == subject)
        async with self._database.begin() as connection:
            return [_to_operation(row) for row in await connection.execute(query)]

    async def about(self, subjects: list[str]) -> list[Operation]:
        """All operations on any of these subjects, oldest first."""
        query = select(operations).where(operations.c.subject.in_(subjects)).order_by(operations.c.position)
        async with self._database.begin() as connection:
            return [_to_operation(row) for row in await connection.execute(query)]

    async def in_order(self, after: int = 0) -> AsyncIterator[Operation]:
        """The whole log from a position on."""
        while True:
            query = select(operations).where(operations.c.position > after).order_by(operations.c.position)
            async with self._database.begin() as connection:
                rows = [_to_operation(row) for row in await connection.execute(query.limit(_AT_ONCE))]
            for one in rows:
                yield one
                after = one.position
            if len(rows) < _AT_ONCE:
                return


class Holds:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, case_id: str, reason: str, by: str, now: dt.datetime) -> int:
        """Put a hold on a case; its id. IntegrityError of the database: no such case."""
        values = {"case_id": case_id, "reason": reason, "by": by, "since": now}
        async with self._database.begin() as connection:
            found = await connection.execute(legal_holds.insert().values(**values).returning(legal_holds.c.id))
            return int(found.scalar_one())

    async def lift(self, hold_id: int, by: str, now: dt.datetime) -> bool:
        """Lift a hold; False when it does not stand."""
        query = update(legal_holds).where(legal_holds.c.id == hold_id, legal_holds.c.lifted_at.is_(None))
        async with self._database.begin() as connection:
            return (await connection.execute(query.values(lifted_by=by, lifted_at=now))).rowcount > 0

    async def standing(self, case_id: str | None = None) -> list[LegalHold]:
        """Holds that stand, of one case or of all."""
        query = select(legal_holds).where(legal_holds.c.lifted_at.is_(None)).order_by(legal_holds.c.id)
        if case_id is not None:
            query = query.where(legal_holds.c.case_id == case_id)
        async with self._database.begin() as connection:
            return [LegalHold(**row._mapping) for row in await connection.execute(query)]


def _to_operation(row: AnyRow) -> Operation:
    return Operation(row.position, row.at, row.actor, row.role, row.action, row.subject, row.detail, row.sha256)
