"""Forecast: what a simulation of a day must know - a segment's cases, as the rulebook would be asked about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import Attempt, AttemptState, TargetKind
from voicebot.domain.campaign import Segment
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.permission import DialRequest, Reached
from voicebot.store.cohorts import held_out
from voicebot.store.database import Database
from voicebot.store.history import History
from voicebot.store.rows import CASE_COLUMNS, CASE_TABLES, to_case
from voicebot.store.schema import attempts, calls, cases
from voicebot.store.schema_strategy import risks
from voicebot.store.segments import best_number, open_cases, overdue_on

BATCH = 500


@dataclass(frozen=True, slots=True)
class Prospect:
    """A case and what the rulebook would be asked about its debtor's best number; None without a number.

    `held_out`: another campaign leaves it alone. `pulled`: a person has it, and the bot leaves it to them.
    """

    case_id: str
    overdue_days: int
    request: DialRequest | None
    risk: int | None = None
    held_out: bool = False
    pulled: bool = False


@dataclass(frozen=True, slots=True)
class Rates:
    """What calls came to lately: by hour in Shanghai how many were made and how many answered; how long, in seconds.

    `rejected`, `busy`: of those that were not answered.
    """

    by_hour: dict[int, tuple[int, int]]
    rejected: float
    busy: float
    talk_s: float
    ring_s: float


class Forecasts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def prospects(self, segment: Segment, script: str, now: dt.datetime) -> AsyncIterator[list[Prospect]]:
        """The open cases of a segment in batches, by id, longest-standing history first read for each batch alone."""
        day, after = now.astimezone(SHANGHAI).date(), ""
        while True:
            async with self._database.begin() as connection:
                batch = await _batch(connection, segment, script, day, after, now)
            if not batch:
                return
            yield batch
            after = batch[-1].case_id

    async def rates(self, since: dt.datetime) -> Rates:
        """What became of calls since a moment; without any, what is usual."""
        table = attempts.c
        hour = func.extract("hour", func.timezone("Asia/Shanghai", table.leased_at))
        talked = table.reached == Reached.CONVERSATION
        made = (table.state == AttemptState.SETTLED, table.leased_at >= since, ~table.lost)
        async with self._database.begin() as connection:
            rows = await connection.execute(
                select(hour, func.count(), func.count().filter(talked)).where(*made).group_by(hour)
            )
            by_hour = {int(row[0]): (int(row[1]), int(row[2])) for row in rows}
            missed = func.nullif(func.count().filter(~talked), 0)
            kinds = await connection.execute(
                select(
                    func.count().filter(table.reached == Reached.REJECTED) / missed,
                    func.count().filter(table.reached == Reached.BUSY) / missed,
                ).where(*made)
            )
            rejected, busy = kinds.one()
            answered = calls.c.answered_at.is_not(None)
            long = case((answered, func.extract("epoch", calls.c.ended_at - calls.c.answered_at)))
            rang = case((answered, func.extract("epoch", calls.c.answered_at - calls.c.started_at)))
            lasted = select(func.avg(long), func.avg(rang)).where(
                calls.c.started_at >= since, calls.c.ended_at.is_not(None)
            )
            talk, ring = (await connection.execute(lasted)).one()
        return Rates(by_hour, float(rejected or 0.08), float(busy or 0.1), float(talk or 70.0), float(ring or 15.0))


async def _batch(
    connection: AsyncConnection, segment: Segment, script: str, day: dt.date, after: str, now: dt.datetime
) -> list[Prospect]:
    overdue = overdue_on(day)
    risk = select(risks.c.score).where(risks.c.case_id == cases.c.id).scalar_subquery()
    query = (
        select(
            *CASE_COLUMNS, overdue.label("overdue"), best_number().label("number"), risk.label("risk"),
            held_out(cases.c.id).label("left_alone"),
        )
        .select_from(CASE_TABLES)
        .where(*open_cases(segment, day), cases.c.id > after)
        .order_by(cases.c.id)
        .limit(BATCH)
    )  # fmt: skip
    rows = (await connection.execute(query)).all()
    asked = {
        row.case_id: Attempt(0, to_case(row), row.number, TargetKind.DEBTOR, AttemptState.WAITING, now, script=script)
        for row in rows
        if row.number is not None
    }
    history = await History.read(connection, list(asked.values()), now)
    return [
        Prospect(
            row.case_id, row.overdue, history.request(asked[row.case_id]) if row.case_id in asked else None, row.risk,
            row.left_alone, row.case_agent_since is not None,
        )
        for row in rows
    ]  # fmt: skip
