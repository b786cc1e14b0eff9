"""Calls: one row per call, from its start to its verified bundle; lists, searches and a day's figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, case, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from voicebot.domain.clock import SHANGHAI
from voicebot.domain.journal import FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import CallFilter, CallRecord, DayFigures
from voicebot.store.database import CLOSED, Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema import calls, cases, debtors, facts, promises

_TABLES = calls.outerjoin(cases, calls.c.case_id == cases.c.id).outerjoin(debtors, cases.c.debtor_id == debtors.c.id)
_CHANGEABLE = frozenset(
    {
        "worker",
        "answered_at",
        "ended_at",
        "duration_ms",
        "disposition",
        "why",
        "bundle",
        "handoff",
        "verified",
        "script",
        "script_sha256",
        "emotion",
        "case_id",
        "lost",
    }
)


class Calls:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self, call: CallRecord) -> None:
        """Write a call that begins; repeating it changes nothing."""
        values = {
            "id": call.id,
            "direction": call.direction,
            "number": call.number,
            "attempt_id": call.attempt_id,
            "case_id": call.case_id,
            "campaign_id": call.campaign_id,
            "worker": call.worker,
            "started_at": call.started_at,
            "script": call.script,
            "script_sha256": call.script_sha256,
        }
        async with self._database.begin() as connection:
            await connection.execute(insert(calls).values(**values).on_conflict_do_nothing())

    async def change(self, call_id: str, **values: object) -> bool:
        """Set fields of a call, those of CallRecord that change; False when there is no such call.

        Raises ValueError for other fields.
        """
        if unknown := values.keys() - _CHANGEABLE:
            raise ValueError(f"a call has no changeable {', '.join(sorted(unknown))}")
        async with self._database.begin() as connection:
            result = await connection.execute(update(calls).where(calls.c.id == call_id).values(**values))
            return result.rowcount > 0

    async def close(self, call_id: str, **values: object) -> None:
        """Write the end of a call, as `change` does, and wake those who wait for it; it is lost no more.

        Why it was thought to be lost is forgotten with that.
        """
        why = case((calls.c.lost, ""), else_=calls.c.why)
        await self.change(call_id, **{"lost": False, "why": why, **values})
        await self._database.notify(CLOSED, call_id)

    async def ends(self) -> AsyncIterator[str]:
        """Ids of calls that are over and written, for ever; "" first and after a lost connection: look yourself."""
        async for call_id in self._database.listen(CLOSED):
            yield call_id

    async def find(self, call_id: str) -> CallRecord | None:
        async with self._database.begin() as connection:
            row = (await connection.execute(_select().where(calls.c.id == call_id))).first()
        return _to_call(row) if row else None

    async def find_all(self, call_ids: Collection[str]) -> dict[str, CallRecord]:
        """These calls by id; those that are not known are left out."""
        async with self._database.begin() as connection:
            rows = await connection.execute(_select().where(calls.c.id.in_(call_ids)))
            return {row.id: _to_call(row) for row in rows}

    async def running(self, worker: str | None = None) -> list[CallRecord]:
        """Calls that have not ended, oldest first."""
        query = _select().where(calls.c.ended_at.is_(None)).order_by(calls.c.started_at)
        if worker is not None:
            query = query.where(calls.c.worker == worker)
        async with self._database.begin() as connection:
            return [_to_call(row) for row in await connection.execute(query)]

    async def search(
        self, wanted: CallFilter | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[list[CallRecord], int]:
        """One page of calls, newest first, and how many there are in all."""
        conditions = _conditions(wanted or CallFilter())
        async with self._database.begin() as connection:
            count = select(func.count()).select_from(_TABLES).where(*conditions)
            total = (await connection.execute(count)).scalar_one()
            page = _select().where(*conditions).order_by(calls.c.started_at.desc(), calls.c.id)
            rows = await connection.execute(page.limit(limit).offset(offset))
            return [_to_call(row) for row in rows], int(total)

    async def figures(self, day: dt.date) -> DayFigures:
        """What happened on a civil day in Shanghai."""
        first = dt.datetime.combine(day, dt.time(), SHANGHAI)
        that_day = calls.c.started_at.between(first, first + dt.timedelta(days=1, microseconds=-1))
        async with self._database.begin() as connection:
            rows = await connection.execute(
                select(
                    calls.c.disposition,
                    func.count().label("calls"),
                    func.count(calls.c.answered_at).label("answered"),
                    func.sum(cast(calls.c.handoff, Integer)).label("handoffs"),
                )
                .where(that_day)
                .group_by(calls.c.disposition)
            )
            counted = rows.all()
            made = promises.c.made_at.between(first, first + dt.timedelta(days=1, microseconds=-1))
            promised = (
                await connection.execute(
                    select(func.count(), func.coalesce(func.sum(promises.c.amount_fen), 0)).where(
                        made, promises.c.state != "replaced"
                    )
                )
            ).one()
        return _figures(counted, int(promised[0]), int(promised[1]))


def _select() -> Select[Any]:
    return select(calls, debtors.c.name.label("debtor_name")).select_from(_TABLES)


def _conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.text:
        conditions.append(_mentions(wanted.text))
    if wanted.since is not None:
        conditions.append(calls.c.started_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(calls.c.started_at < wanted.until)
    for name in ("disposition", "case_id", "campaign_id", "handoff"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(calls.c[name] == value)
    return conditions


def _mentions(words: str) -> ColumnElement[bool]:
    """The words stand in a name, a number, an id or in what was said and heard."""
    spoken = (
        select(facts.c.call_id)
        .where(facts.c.kind.in_((FactKind.HEARD, FactKind.SAID, FactKind.SAYING)))
        .where(facts.c.data["text"].astext.icontains(words, autoescape=True))
    )
    named = (debtors.c.name, calls.c.number, calls.c.id, calls.c.case_id)
    return or_(*(column.icontains(words, autoescape=True) for column in named), calls.c.id.in_(spoken))


def _figures(counted: Any, made: int, promised_fen: int) -> DayFigures:
    by_disposition: Mapping[str, int] = {r.disposition: r.calls for r in counted if r.disposition}
    talked = {d.value for d in Disposition if d.talked and d is not Disposition.VOICEMAIL}
    return DayFigures(
        calls=sum(r.calls for r in counted),
        answered=sum(r.answered for r in counted),
        talked=sum(n for d, n in by_disposition.items() if d in talked),
        handoffs=sum(r.handoffs or 0 for r in counted),
        promises=made,
        promised_fen=promised_fen,
        dispositions=by_disposition,
    )


def _to_call(row: AnyRow) -> CallRecord:
    return CallRecord(
        id=row.id,
        direction=row.direction,
        number=row.number,
        started_at=row.started_at,
        case_id=row.case_id,
        attempt_id=row.attempt_id,
        campaign_id=row.campaign_id,
        debtor_name=row.debtor_name,
        worker=row.worker,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        duration_ms=row.duration_ms,
        disposition=row.disposition,
        why=row.why,
        bundle=row.bundle,
        handoff=row.handoff,
        verified=row.verified,
        script=row.script,
        script_sha256=row.script_sha256,
        emotion=row.emotion,
        lost=row.lost,
    )
