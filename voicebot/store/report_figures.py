"""ReportFigures: the sums of calls, read by period or by dimension."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, cast, func, select, text
from sqlalchemy.types import Date

from voicebot.domain.report import NodeRow, Period, ReportFilter, SumsRow
from voicebot.domain.tally import COUNTERS, DIMENSIONS
from voicebot.store.database import Database
from voicebot.store.schema_reports import report_calls, report_days, report_nodes


class ReportFigures:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def total(self, wanted: ReportFilter) -> Mapping[str, int]:
        """All counters over the whole of it."""
        query = select(*_summed()).where(*_conditions(wanted))
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).one()
        return {name: int(row[index]) for index, name in enumerate(COUNTERS)}

    async def by_period(self, wanted: ReportFilter, period: Period) -> Sequence[SumsRow]:
        """By the first day of each day, week (Monday) or month, in order; periods without calls are left out."""
        day = report_days.c.day
        key = day if period is Period.DAY else cast(func.date_trunc(period.value, day), Date)
        query = select(key.label("key"), *_summed()).where(*_conditions(wanted)).group_by("key").order_by("key")
        return await self._rows(query)

    async def by(self, wanted: ReportFilter, dimension: str) -> Sequence[SumsRow]:
        """By the values of a dimension. ValueError for one that does not exist."""
        if dimension not in DIMENSIONS:
            raise ValueError(f"no dimension {dimension!r}: one of {', '.join(DIMENSIONS)}")
        key = report_days.c[dimension].label("key")
        query = select(key, *_summed()).where(*_conditions(wanted)).group_by("key").order_by("key")
        return await self._rows(query)

    async def values(self, since: dt.date, until: dt.date) -> Mapping[str, Sequence[str]]:
        """What there is to choose from: the values of every dimension in these days."""
        found: dict[str, Sequence[str]] = {}
        async with self._database.begin() as connection:
            for name in DIMENSIONS:
                column = report_days.c[name]
                query = select(column).where(report_days.c.day.between(since, until)).group_by(column).order_by(column)
                found[name] = [value for value in (await connection.execute(query)).scalars() if value]
        return found

    async def debtors(self, wanted: ReportFilter) -> Mapping[str, int]:
        """Debtors in at least one call, and verified in at least one: they can't be added up from days."""
        each = (
            select(report_calls.c.debtor, func.max(report_calls.c.verified).label("verified"))
            .where(*_conditions(wanted, report_calls), report_calls.c.debtor != "")
            .group_by(report_calls.c.debtor)
            .subquery()
        )
        query = select(func.count(), func.count().filter(each.c.verified > 0)).select_from(each)
        async with self._database.begin() as connection:
            # A hash over hundreds of thousands of debtors fits into this; with the usual 4 MB it goes to the disk.
            await connection.execute(text("SET LOCAL work_mem = '256MB'"))
            await connection.execute(text("SET LOCAL jit = off"))
            row = (await connection.execute(query)).one()
        return {"debtors": int(row[0]), "debtors_verified": int(row[1])}

    async def nodes(self, wanted: ReportFilter, script: str) -> Sequence[NodeRow]:
        """Where the calls of a script came to and where they ended, most visited first; dimensions do not count."""
        names = ("came", "ended", "verified", "promised")
        query = (
            select(report_nodes.c.node, *(func.sum(report_nodes.c[name]) for name in names))
            .where(report_nodes.c.day.between(wanted.since, wanted.until), report_nodes.c.script == script)
            .group_by(report_nodes.c.node)
            .order_by(func.sum(report_nodes.c.came).desc(), report_nodes.c.node)
        )
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
        return [NodeRow(script, row[0], *(int(value) for value in row[1:])) for row in rows]

    async def _rows(self, query: Any) -> Sequence[SumsRow]:
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
        return [SumsRow(str(row[0]), {name: int(row[i]) for i, name in enumerate(COUNTERS, 1)}) for row in rows]


def _summed() -> list[Any]:
    return [func.coalesce(func.sum(report_days.c[name]), 0).label(name) for name in COUNTERS]


def _conditions(wanted: ReportFilter, table: Any = report_days) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [table.c.day.between(wanted.since, wanted.until)]
    for name, value in wanted.only.items():
        if name not in DIMENSIONS:
            raise ValueError(f"no dimension {name!r}: one of {', '.join(DIMENSIONS)}")
        conditions.append(table.c[name] == value)
    return conditions
