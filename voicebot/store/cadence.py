"""Cadence: what a strategy does for the cases of a campaign on one day, planned once however often it is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Date, Integer, cast, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import Purpose, TargetKind
from voicebot.domain.campaign import Campaign
from voicebot.domain.message import PlannedMessage
from voicebot.domain.strategy import Means, Step
from voicebot.store.attempts import ADD
from voicebot.store.campaigns import within_segment
from voicebot.store.database import Database
from voicebot.store.outbox import write_messages
from voicebot.store.schema import cadence, cases, numbers


@dataclass(frozen=True, slots=True)
class CaseToday:
    """An open case of a campaign with its arrears as of a day, and the debtor's best number if one is known."""

    case_id: str
    overdue_days: int
    number: str | None


class Cadence:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def cases(self, campaign: Campaign, day: dt.date, days: Sequence[int]) -> list[CaseToday]:
        """The open cases of the campaign's segment that are overdue by one of `days` on `day`."""
        overdue = cases.c.overdue_days + cast(literal(day, Date) - cases.c.as_of, Integer)
        best = (
            select(numbers.c.number)
            .where(numbers.c.debtor_id == cases.c.debtor_id, numbers.c.valid, numbers.c.kind == TargetKind.DEBTOR)
            .order_by(numbers.c.rank, numbers.c.id)
            .limit(1)
            .scalar_subquery()
        )
        query = select(cases.c.id, overdue.label("overdue"), best.label("number")).where(
            cases.c.status == "open", overdue.in_(days), *within_segment(campaign.segment, overdue)
        )
        async with self._database.begin() as connection:
            rows = await connection.execute(query.order_by(cases.c.id))
            return [CaseToday(row.id, row.overdue, row.number) for row in rows]

    async def call(
        self, campaign: Campaign, case_id: str, day: dt.date, step: Step, at: dt.datetime, now: dt.datetime
    ) -> bool:
        """Plan a call with the step's script; False when that was done before, or one is still open."""
        values = {
            "case_id": case_id, "script": step.words, "not_before": at, "number": None, "purpose": Purpose.REMINDER,
            "campaign_id": campaign.id, "priority": campaign.priority,
        }  # fmt: skip
        async with self._database.begin() as connection:
            if not await _note(connection, campaign.id, case_id, day, step, now):
                return False
            return (await connection.execute(ADD, values)).scalar_one_or_none() is not None

    async def message(
        self, campaign: Campaign, case_id: str, day: dt.date, step: Step, planned: PlannedMessage, now: dt.datetime
    ) -> bool:
        """Plan a message by the step's template; False when that was done before."""
        async with self._database.begin() as connection:
            if not await _note(connection, campaign.id, case_id, day, step, now):
                return False
            await write_messages(connection, case_id, None, None, [planned], now)
            return True


async def _note(
    connection: AsyncConnection, campaign_id: str, case_id: str, day: dt.date, step: Step, now: dt.datetime
) -> bool:
    """Write down that the step is planned; False when it was before."""
    values = {
        "campaign_id": campaign_id, "case_id": case_id, "day": day.toordinal(), "means": Means(step.means).value,
        "words": step.words, "planned_at": now,
    }  # fmt: skip
    query = insert(cadence).values(**values).on_conflict_do_nothing().returning(cadence.c.case_id)
    return (await connection.execute(query)).first() is not None
