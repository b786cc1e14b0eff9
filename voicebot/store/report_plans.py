"""ReportPlans: which reports are sent to whom, and how far that is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import delete, select, update

from voicebot.domain.report import Period
from voicebot.domain.report_plan import ReportPlan
from voicebot.store.database import Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema_reports import report_plans


class ReportPlans:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[ReportPlan]:
        async with self._database.begin() as connection:
            rows = await connection.execute(select(report_plans).order_by(report_plans.c.id))
            return [_to_plan(row) for row in rows]

    async def add(self, plan: ReportPlan, now: dt.datetime) -> int:
        """Keep a plan (its id does not count); the new id."""
        values = {
            "name": plan.name,
            "period": plan.period,
            "formats": list(plan.formats),
            "recipients": list(plan.recipients),
            "hour": plan.hour,
            "filters": dict(plan.filters),
            "made_by": plan.made_by,
            "made_at": now,
        }
        async with self._database.begin() as connection:
            result = await connection.execute(report_plans.insert().values(values).returning(report_plans.c.id))
            return int(result.scalar_one())

    async def drop(self, plan_id: int) -> bool:
        """False when there is no such plan."""
        async with self._database.begin() as connection:
            result = await connection.execute(delete(report_plans).where(report_plans.c.id == plan_id))
            return result.rowcount > 0

    async def sent(self, plan_id: int, last: dt.date, now: dt.datetime) -> None:
        """The period that ended on `last` was sent."""
        await self._set(plan_id, sent_for=last, tried_at=now, failures=0, why="")

    async def failed(self, plan_id: int, why: str, now: dt.datetime) -> None:
        """It could not be sent; it is tried again."""
        await self._set(plan_id, tried_at=now, failures=report_plans.c.failures + 1, why=why[:500])

    async def _set(self, plan_id: int, **values: object) -> None:
        async with self._database.begin() as connection:
            await connection.execute(update(report_plans).where(report_plans.c.id == plan_id).values(**values))


def _to_plan(row: AnyRow) -> ReportPlan:
    return ReportPlan(
        id=row.id,
        name=row.name,
        period=Period(row.period),
        formats=tuple(row.formats),
        recipients=tuple(row.recipients),
        hour=row.hour,
        made_by=row.made_by,
        filters=row.filters,
        active=row.active,
        sent_for=row.sent_for,
        tried_at=row.tried_at,
        failures=row.failures,
        why=row.why,
    )
