"""Policies: segments, strategies, scorecards and stages as people saved them, version by version."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from voicebot.store.database import Database, lock_key
from voicebot.store.schema_strategy import policies


@dataclass(frozen=True, slots=True)
class SavedPolicy:
    """One version. An empty `source` says that the policy was taken away, and the file of that name counts again."""

    kind: str
    name: str
    version: int
    source: str
    saved_by: str
    saved_at: dt.datetime


class VersionConflict(RuntimeError):
    """Somebody else has saved a newer version meanwhile."""


class Policies:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self, kind: str, name: str, source: str, by: str, now: dt.datetime, *, based_on: int | None = None
    ) -> int:
        """Save a further version; its number, from 1. VersionConflict when `based_on` is not the newest any more."""
        newest = select(func.coalesce(func.max(policies.c.version), 0)).where(
            policies.c.kind == kind, policies.c.name == name
        )
        async with self._database.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(lock_key("policy", f"{kind}/{name}"))))
            last = int((await connection.execute(newest)).scalar_one())
            if based_on is not None and based_on != last:
                raise VersionConflict(f"{kind} {name} has version {last} by now; load it and change that")
            values = {
                "kind": kind, "name": name, "version": last + 1, "source": source, "saved_by": by, "saved_at": now,
            }  # fmt: skip
            await connection.execute(insert(policies).values(**values))
            return last + 1

    async def latest(self) -> list[SavedPolicy]:
        """The newest version of each."""
        other = policies.alias()
        newest = select(func.max(policies.c.version)).where(
            policies.c.kind == other.c.kind, policies.c.name == other.c.name
        )
        query = select(other).where(other.c.version == newest.scalar_subquery())
        async with self._database.begin() as connection:
            return [SavedPolicy(*row) for row in await connection.execute(query)]

    async def history(self, kind: str, name: str) -> list[SavedPolicy]:
        """All versions, the newest first."""
        query = select(policies).where(policies.c.kind == kind, policies.c.name == name)
        async with self._database.begin() as connection:
            return [SavedPolicy(*row) for row in await connection.execute(query.order_by(policies.c.version.desc()))]
