"""Uploads: the queue of sealed calls that go to the object store, and what is known of those that are there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from voicebot.store.columns import Time
from voicebot.store.database import Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema import calls, cases
from voicebot.store.schema_evidence import legal_holds
from voicebot.store.schema_uploads import uploads

LEASE = dt.timedelta(minutes=10)
"""Whoever took an upload and said nothing for so long is taken for dead."""
FIRST_WAIT = dt.timedelta(seconds=5)
LONGEST_WAIT = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Upload:
    """A sealed call to be uploaded: `bundle` below the recordings folder, `tries` begun so far, this one included."""

    call_id: str
    bundle: str
    worker: str | None
    tries: int
    ended_at: dt.datetime
    jurisdiction: str | None
    held: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an object lies and how it is protected."""

    call_id: str
    bundle: str
    key: str
    version: str | None
    size: int
    sha256: str
    keep_until: dt.datetime | None
    held: bool


@dataclass(frozen=True, slots=True)
class UploadFigures:
    """The queue at one moment; `oldest` is when the longest waiting call was queued, `error` the newest trouble."""

    waiting: int = 0
    failing: int = 0
    verified: int = 0
    size: int = 0
    removed: int = 0
    oldest: dt.datetime | None = None
    error: str = ""


class Uploads:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def queue(self, now: dt.datetime, since: dt.datetime | None = None) -> int:
        """Queue all sealed calls that are not queued yet, of those that began after `since`; how many."""
        sealed = select(calls.c.id, calls.c.bundle, calls.c.worker, literal(now, Time).label("queued_at"),
                        literal(now, Time).label("next_at"))  # fmt: skip
        sealed = sealed.where(calls.c.bundle.like("%.zip"), calls.c.ended_at.is_not(None))
        sealed = sealed.where(~select(uploads.c.call_id).where(uploads.c.call_id == calls.c.id).exists())
        if since is not None:
            sealed = sealed.where(calls.c.started_at >= since)
        columns = ["call_id", "bundle", "worker", "queued_at", "next_at"]
        async with self._database.begin() as connection:
            done = await connection.execute(insert(uploads).from_select(columns, sealed).on_conflict_do_nothing())
            return int(done.rowcount)

    async def take(self, by: str, workers: Sequence[str], now: dt.datetime, limit: int = 8) -> list[Upload]:
        """Lease what is due of these workers' calls, oldest first."""
        return await self._take(by, uploads.c.worker.in_(workers), now, limit)

    async def take_these(self, by: str, call_ids: Sequence[str], now: dt.datetime) -> list[Upload]:
        """Lease these, whoever recorded them, as far as they are due."""
        return await self._take(by, uploads.c.call_id.in_(call_ids), now, len(call_ids)) if call_ids else []

    async def _take(self, by: str, which: ColumnElement[bool], now: dt.datetime, limit: int) -> list[Upload]:
        due = (
            select(uploads.c.call_id)
            .where(which, uploads.c.verified_at.is_(None), uploads.c.expired_at.is_(None), uploads.c.next_at <= now)
            .where(uploads.c.lease_until.is_(None) | (uploads.c.lease_until < now))
            .order_by(uploads.c.next_at, uploads.c.call_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self._database.begin() as connection:
            change = update(uploads).where(uploads.c.call_id.in_(due.scalar_subquery()))
            values = {"leased_by": by, "lease_until": now + LEASE, "tries": uploads.c.tries + 1}
            ids = (await connection.execute(change.values(values).returning(uploads.c.call_id))).scalars().all()
            rows = await connection.execute(_taken().where(uploads.c.call_id.in_(ids)).order_by(uploads.c.next_at))
            return [Upload(**row._mapping) for row in rows]

    async def strangers(
        self, workers: Sequence[str], now: dt.datetime, after: str = "", limit: int = 500
    ) -> list[Upload]:
        """Due calls of other workers, by id: their disk may have come here."""
        due = [uploads.c.verified_at.is_(None), uploads.c.expired_at.is_(None), uploads.c.next_at <= now]
        others = or_(uploads.c.worker.is_(None), uploads.c.worker.not_in(workers))
        query = _taken().where(*due, others, uploads.c.call_id > after).order_by(uploads.c.call_id).limit(limit)
        async with self._database.begin() as connection:
            return [Upload(**row._mapping) for row in await connection.execute(query)]

    async def give_back(self, by: str) -> None:
        """Give up what an earlier life of this uploader had leased."""
        await self._change(uploads.c.leased_by == by, leased_by=None, lease_until=None)

    async def failed(self, upload: Upload, why: str, now: dt.datetime) -> None:
        """It did not work; the next try waits twice as long as the last."""
        wait = min(FIRST_WAIT * 2 ** min(upload.tries - 1, 20), LONGEST_WAIT)
        await self._change(
            uploads.c.call_id == upload.call_id, error=why[:500], next_at=now + wait, leased_by=None, lease_until=None
        )

    async def verified(self, placed: Placed, now: dt.datetime, *, read_back: bool) -> None:
        """The object lies there whole."""
        await self._change(
            uploads.c.call_id == placed.call_id, key=placed.key, version=placed.version, size=placed.size,
            sha256=placed.sha256, keep_until=placed.keep_until, held=placed.held, uploaded_at=now, verified_at=now,
            read_back=read_back, error="", leased_by=None, lease_until=None,
        )  # fmt: skip

    async def lost(self, call_id: str, now: dt.datetime) -> None:
        """The object is not there any more as it was: it is uploaded anew, and no copy of it is removed until then."""
        why = "the object store does not hold it any more"
        await self._change(
            uploads.c.call_id == call_id, verified_at=None, uploaded_at=None, next_at=now, queued_at=now, tries=0,
            error=why,
        )  # fmt: skip

    async def placed(self, call_id: str) -> Placed | None:
        """Where a call lies in the object store; None: it is not there."""
        query = _placed().where(uploads.c.call_id == call_id, uploads.c.verified_at.is_not(None))
        async with self._database.begin() as connection:
            row = (await connection.execute(query.where(uploads.c.expired_at.is_(None)))).first()
        return Placed(**row._mapping) if row else None

    async def placed_among(self, call_ids: Sequence[str]) -> dict[str, Placed]:
        """Those of these calls that lie in the object store."""
        there = uploads.c.verified_at.is_not(None) & uploads.c.expired_at.is_(None)
        async with self._database.begin() as connection:
            rows = await connection.execute(_placed().where(there, uploads.c.call_id.in_(call_ids)))
            return {row.call_id: Placed(**row._mapping) for row in rows}

    async def wrongly_held(self, limit: int = 200) -> list[tuple[Placed, bool]]:
        """Objects whose legal hold is not as that of their case, and whether there should be one."""
        standing = select(legal_holds.c.id).where(legal_holds.c.case_id == calls.c.case_id,
                                                  legal_holds.c.lifted_at.is_(None)).exists()  # fmt: skip
        query = _placed(standing.label("wanted")).join(calls, calls.c.id == uploads.c.call_id)
        there = uploads.c.verified_at.is_not(None) & uploads.c.expired_at.is_(None)
        query = query.where(there, uploads.c.held != standing)
        async with self._database.begin() as connection:
            return [_with_wanted(row) for row in await connection.execute(query.limit(limit))]

    async def protected(self, call_id: str, *, held: bool | None = None, keep_until: dt.datetime | None = None) -> None:
        """How an object is protected from now on; None leaves that as it was."""
        values = {name: value for name, value in (("held", held), ("keep_until", keep_until)) if value is not None}
        await self._change(uploads.c.call_id == call_id, **values)

    async def expired(self, call_id: str, now: dt.datetime, *, here: bool) -> None:
        """A call's term is over, and it is gone from the store; `here`: from the disk that it lay on too.

        Else whoever has it on a disk is to delete it there.
        """
        known = select(calls.c.id, calls.c.bundle, calls.c.worker, *(literal(now, Time).label(name) for name in _TIMES))
        rows = insert(uploads).from_select(["call_id", "bundle", "worker", *_TIMES], known.where(_is_sealed(call_id)))
        change = {"expired_at": now, **({"local_removed_at": now} if here else {})}
        async with self._database.begin() as connection:
            if not here:
                await connection.execute(rows.on_conflict_do_nothing())
            await connection.execute(update(uploads).where(uploads.c.call_id == call_id).values(**change))

    async def to_sweep(self, workers: Sequence[str], limit: int = 200) -> list[tuple[str, str]]:
        """Calls (id, bundle) whose term is over and that still lie on these workers' disks."""
        query = select(uploads.c.call_id, uploads.c.bundle).where(
            uploads.c.worker.in_(workers), uploads.c.local_removed_at.is_(None), uploads.c.expired_at.is_not(None)
        )
        async with self._database.begin() as connection:
            return [(row.call_id, row.bundle) for row in await connection.execute(query.limit(limit))]

    async def removable(self, workers: Sequence[str], before: dt.datetime, limit: int = 200) -> list[Placed]:
        """Calls on these workers' disks that were verified in the object store before a moment, oldest first."""
        there = uploads.c.verified_at < before, uploads.c.expired_at.is_(None), uploads.c.local_removed_at.is_(None)
        query = _placed().where(uploads.c.worker.in_(workers), *there)
        async with self._database.begin() as connection:
            rows = await connection.execute(query.order_by(uploads.c.verified_at).limit(limit))
            return [Placed(**row._mapping) for row in rows]

    async def removed_here(self, call_id: str, now: dt.datetime) -> None:
        """The copy on the worker's disk is gone."""
        await self._change(uploads.c.call_id == call_id, local_removed_at=now)

    async def figures(self) -> UploadFigures:
        """The queue in figures, with all that was ever uploaded: reads the whole table."""
        there = uploads.c.verified_at.is_not(None) & uploads.c.expired_at.is_(None)
        query = select(
            func.count().filter(there).label("verified"),
            func.coalesce(func.sum(uploads.c.size).filter(there), 0).label("size"),
            func.count().filter(uploads.c.local_removed_at.is_not(None)).label("removed"),
        )
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).one()
        return replace(await self.waiting(), verified=row.verified, size=int(row.size), removed=row.removed)

    async def waiting(self) -> UploadFigures:
        """Only what waits: quick, however much was uploaded."""
        waits = uploads.c.verified_at.is_(None) & uploads.c.expired_at.is_(None)
        failing = uploads.c.error != ""
        query = select(
            func.count().label("waiting"),
            func.count().filter(failing).label("failing"),
            func.min(uploads.c.queued_at).label("oldest"),
        ).where(waits)
        newest = select(uploads.c.error).where(waits, failing).order_by(uploads.c.next_at.desc()).limit(1)
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).one()
            error = (await connection.execute(newest)).scalar_one_or_none() or ""
        return UploadFigures(row.waiting, row.failing, oldest=row.oldest, error=error)

    async def _change(self, which: ColumnElement[bool], **values: object) -> None:
        async with self._database.begin() as connection:
            await connection.execute(update(uploads).where(which).values(**values))


_TIMES = ("queued_at", "next_at")


def _is_sealed(call_id: str) -> ColumnElement[bool]:
    return and_(calls.c.id == call_id, calls.c.bundle.is_not(None))


def _taken() -> Select[Any]:
    held = select(legal_holds.c.id).where(legal_holds.c.case_id == calls.c.case_id, legal_holds.c.lifted_at.is_(None))
    return (
        select(
            uploads.c.call_id, uploads.c.bundle, uploads.c.worker, uploads.c.tries, calls.c.ended_at,
            cases.c.jurisdiction, held.exists().label("held"),
        )
        .join(calls, calls.c.id == uploads.c.call_id)
        .outerjoin(cases, cases.c.id == calls.c.case_id)
    )  # fmt: skip


def _placed(*more: ColumnElement[Any]) -> Select[Any]:
    return select(
        uploads.c.call_id, uploads.c.bundle, uploads.c.key, uploads.c.version, uploads.c.size, uploads.c.sha256,
        uploads.c.keep_until, uploads.c.held, *more,
    )  # fmt: skip


def _with_wanted(row: AnyRow) -> tuple[Placed, bool]:
    values = dict(row._mapping)
    wanted = bool(values.pop("wanted"))
    return Placed(**values), wanted
