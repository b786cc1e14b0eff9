"""Replays: what-if reports that were kept, to be read before a script is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from voicebot.store.database import Database
from voicebot.store.schema import calls
from voicebot.store.schema_quality import replay_runs


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """`candidate`: what the calls were played through; `rows`: one per call, as docs/reference/replay.md says."""

    id: int
    script: str
    candidate: str
    sha256: str
    made_by: str
    made_at: dt.datetime
    summary: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]


class Replays:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(
        self, script: str, candidate: str, sha256: str, by: str, now: dt.datetime, summary: Mapping[str, Any],
        rows: Sequence[Mapping[str, Any]],
    ) -> int:  # fmt: skip
        """Keep a report; its id."""
        values = {
            "script": script,
            "candidate": candidate,
            "sha256": sha256,
            "made_by": by,
            "made_at": now,
            "summary": dict(summary),
            "rows": [dict(row) for row in rows],
        }
        async with self._database.begin() as connection:
            result = await connection.execute(replay_runs.insert().values(values).returning(replay_runs.c.id))
            return int(result.scalar_one())

    async def latest(self, script: str | None = None, limit: int = 20) -> Sequence[ReplayRun]:
        query = select(replay_runs).order_by(replay_runs.c.id.desc()).limit(limit)
        if script is not None:
            query = query.where(replay_runs.c.script == script)
        async with self._database.begin() as connection:
            return [ReplayRun(**row._mapping) for row in await connection.execute(query)]

    async def find(self, run_id: int) -> ReplayRun | None:
        async with self._database.begin() as connection:
            row = (await connection.execute(select(replay_runs).where(replay_runs.c.id == run_id))).first()
        return ReplayRun(**row._mapping) if row else None

    async def calls_of(self, script: str, limit: int = 1000) -> Sequence[tuple[str, str, str | None]]:
        """Answered calls of a script that are over and sealed, newest first: id, bundle, case id."""
        query = (
            select(calls.c.id, calls.c.bundle, calls.c.case_id)
            .where(calls.c.answered_at.is_not(None), calls.c.ended_at.is_not(None), calls.c.bundle.is_not(None))
            .where(calls.c.script == script)
            .order_by(calls.c.started_at.desc())
            .limit(limit)
        )
        async with self._database.begin() as connection:
            return [(row.id, row.bundle, row.case_id) for row in await connection.execute(query)]
