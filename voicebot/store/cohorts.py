"""Cohorts: which cases a strategy reached, and which it left alone on purpose, so that the two can be compared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.campaign import CampaignState
from voicebot.store.database import Database
from voicebot.store.schema import campaigns
from voicebot.store.schema_strategy import cohorts

LIVING = (CampaignState.RUNNING, CampaignState.PAUSED)


@dataclass(frozen=True, slots=True)
class Entry:
    """A case on the first day on which its campaign had something for it to do."""

    case_id: str
    held_out: bool
    overdue_days: int
    amount_fen: int


def held_out(case_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a campaign which goes on leaves this case alone; then so does every other, by every means."""
    goes_on = campaigns.c.state.in_(LIVING)
    return (
        select(cohorts.c.case_id)
        .join(campaigns, campaigns.c.id == cohorts.c.campaign_id)
        .where(cohorts.c.case_id == case_id, cohorts.c.held_out, goes_on)
        .exists()
    )


async def enter(
    connection: AsyncConnection, campaign_id: str, strategy: str, entries: Sequence[Entry], now: dt.datetime
) -> None:
    """Write down who belongs to which side; the first entry of a case stands."""
    if not entries:
        return
    rows = [
        {
            "campaign_id": campaign_id, "case_id": entry.case_id, "strategy": strategy, "held_out": entry.held_out,
            "overdue_days": entry.overdue_days, "amount_fen": entry.amount_fen, "entered_at": now,
        }
        for entry in entries
    ]  # fmt: skip
    await connection.execute(insert(cohorts).on_conflict_do_nothing(), rows)


class Cohorts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self) -> dict[str, tuple[int, int]]:
        """Cases reached and cases held out, by campaign."""
        query = select(
            cohorts.c.campaign_id,
            func.count().filter(~cohorts.c.held_out),
            func.count().filter(cohorts.c.held_out),
        ).group_by(cohorts.c.campaign_id)
        async with self._database.begin() as connection:
            return {row[0]: (int(row[1]), int(row[2])) for row in await connection.execute(query)}

    async def of_campaign(self, campaign_id: str, held_out: bool) -> list[str]:
        """The ids of one side."""
        side = (cohorts.c.campaign_id == campaign_id, cohorts.c.held_out == held_out)
        query = select(cohorts.c.case_id).where(*side).order_by(cohorts.c.case_id)
        async with self._database.begin() as connection:
            return list((await connection.execute(query)).scalars())
