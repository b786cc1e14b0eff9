"""Imports: case files that were handed in, how they are to be read, and what became of their rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Text, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from voicebot.store.database import Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema_cases import file_shapes, imports

REJECTS_KEPT = dt.timedelta(days=30)
"""So long rejected rows can be mended; then they are forgotten: nobody has a claim to keep them."""
UNREAD_KEPT = dt.timedelta(days=7)
"""So long a file waits that was handed in and never read, or that failed."""
LOST_AFTER = dt.timedelta(seconds=60)
"""An import that has not moved for so long has lost its process; it may be started again: nothing is taken twice."""


class ImportState(StrEnum):
    UPLOADED = "uploaded"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """A file and how far it is. `report` as `voicebot cases import --json` prints it; `why`: what made it fail."""

    id: str
    name: str
    sha256: str
    creditor: str
    mapping: Mapping[str, str]
    state: ImportState
    uploaded_by: str
    uploaded_at: dt.datetime
    done: int = 0
    total: int = 0
    report: Mapping[str, Any] = field(default_factory=dict)
    has_rejects: bool = False
    why: str = ""
    ended_at: dt.datetime | None = None
    beat_at: dt.datetime | None = None


_COLUMNS = [column for column in imports.columns if column.name not in ("content", "rejects", "started_at")]


class Imports:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, record: ImportRecord, content: bytes) -> None:
        """Keep a file that was handed in."""
        values = {
            "id": record.id,
            "name": record.name,
            "sha256": record.sha256,
            "creditor": record.creditor,
            "mapping": dict(record.mapping),
            "state": record.state,
            "uploaded_by": record.uploaded_by,
            "uploaded_at": record.uploaded_at,
            "content": content,
        }
        async with self._database.begin() as connection:
            await connection.execute(imports.insert().values(**values))

    async def find(self, import_id: str) -> ImportRecord | None:
        query = select(*_COLUMNS, imports.c.rejects.is_not(None).label("has_rejects")).where(imports.c.id == import_id)
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).first()
        return _to_record(row) if row else None

    async def latest(self, limit: int = 20) -> list[ImportRecord]:
        query = select(*_COLUMNS, imports.c.rejects.is_not(None).label("has_rejects"))
        async with self._database.begin() as connection:
            rows = await connection.execute(query.order_by(imports.c.uploaded_at.desc()).limit(limit))
            return [_to_record(row) for row in rows]

    async def content(self, import_id: str) -> bytes | None:
        """The file; None when its rows are in and only the rejects were kept."""
        return await self._bytes(imports.c.content, import_id)

    async def rejects(self, import_id: str) -> bytes | None:
        return await self._bytes(imports.c.rejects, import_id)

    async def plan(self, import_id: str, mapping: Mapping[str, str], creditor: str) -> bool:
        """Say how a file is to be read; False once it is being read."""
        change = update(imports).where(imports.c.id == import_id, imports.c.state == ImportState.UPLOADED)
        async with self._database.begin() as connection:
            result = await connection.execute(change.values(mapping=dict(mapping), creditor=creditor))
        return result.rowcount > 0

    async def begin(self, import_id: str, now: dt.datetime) -> bool:
        """Take a file for reading; False when somebody else reads it or has read it."""
        lost = (imports.c.state == ImportState.RUNNING) & (imports.c.beat_at < now - LOST_AFTER)
        ready = or_(imports.c.state.in_((ImportState.UPLOADED, ImportState.FAILED)), lost)
        change = update(imports).where(imports.c.id == import_id, imports.c.content.is_not(None), ready)
        values = {"state": ImportState.RUNNING, "started_at": now, "beat_at": now, "done": 0, "total": 0, "why": ""}
        async with self._database.begin() as connection:
            return (await connection.execute(change.values(**values))).rowcount > 0

    async def beat(self, import_id: str, done: int, total: int, now: dt.datetime) -> None:
        change = update(imports).where(imports.c.id == import_id)
        async with self._database.begin() as connection:
            await connection.execute(change.values(done=done, total=total, beat_at=now))

    async def finish(
        self, import_id: str, report: Mapping[str, Any], rejects: bytes | None, now: dt.datetime
    ) -> None:
        """The rows are in: the file is given up, what was rejected is kept."""
        values = {"state": ImportState.DONE, "report": dict(report), "rejects": rejects, "content": None}
        await self._end(import_id, values, now)

    async def fail(self, import_id: str, why: str, now: dt.datetime) -> None:
        await self._end(import_id, {"state": ImportState.FAILED, "why": why}, now)

    async def keep_rejects(self, import_id: str, rejects: bytes | None) -> None:
        """What is left after some were put right."""
        async with self._database.begin() as connection:
            await connection.execute(update(imports).where(imports.c.id == import_id).values(rejects=rejects))

    async def forget_rows(self, now: dt.datetime) -> int:
        """Forget the rows of files whose time is over; in how many. Names, hashes and counts stay."""
        ended = func.coalesce(imports.c.ended_at, imports.c.uploaded_at)
        done = (imports.c.state == ImportState.DONE) & (ended < now - REJECTS_KEPT)
        unread = imports.c.state.in_((ImportState.UPLOADED, ImportState.FAILED)) & (ended < now - UNREAD_KEPT)
        held = imports.c.content.is_not(None) | imports.c.rejects.is_not(None) | imports.c.report.has_key("rejected")
        without = imports.c.report.op("-", return_type=JSONB())
        forgotten = {"content": None, "rejects": None, "report": without(literal("rejected", Text))}
        change = update(imports).where(held, or_(done, unread)).values(forgotten)
        async with self._database.begin() as connection:
            return (await connection.execute(change)).rowcount

    async def remember(self, creditor: str, shape: str, mapping: Mapping[str, str], now: dt.datetime) -> None:
        """What a person said the headings of files of this shape mean, for this creditor."""
        query = insert(file_shapes).values(creditor=creditor, shape=shape, mapping=dict(mapping), used_at=now)
        change = {"mapping": query.excluded.mapping, "used_at": query.excluded.used_at}
        async with self._database.begin() as connection:
            await connection.execute(query.on_conflict_do_update(index_elements=["creditor", "shape"], set_=change))

    async def remembered(self, creditor: str, shape: str) -> dict[str, str] | None:
        """The last mapping for files of this shape: this creditor's, else anybody's."""
        query = select(file_shapes.c.mapping).where(file_shapes.c.shape == shape)
        mine = file_shapes.c.creditor == creditor
        async with self._database.begin() as connection:
            found = await connection.execute(query.order_by(mine.desc(), file_shapes.c.used_at.desc()).limit(1))
            return found.scalar_one_or_none()

    async def _end(self, import_id: str, values: dict[str, Any], now: dt.datetime) -> None:
        change = update(imports).where(imports.c.id == import_id).values(ended_at=now, **values)
        async with self._database.begin() as connection:
            await connection.execute(change)

    async def _bytes(self, column: Any, import_id: str) -> bytes | None:
        async with self._database.begin() as connection:
            found = (await connection.execute(select(column).where(imports.c.id == import_id))).scalar_one_or_none()
        return bytes(found) if found is not None else None


def _to_record(row: AnyRow) -> ImportRecord:
    known = {name: getattr(row, name) for name in ImportRecord.__dataclass_fields__ if name != "state"}
    return ImportRecord(state=ImportState(row.state), **known)
