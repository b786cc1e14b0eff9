"""Cadence: what a strategy does for the cases of a campaign on one day, planned once however often it is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import Purpose
from voicebot.domain.campaign import Campaign
from voicebot.domain.message import PlannedMessage
from voicebot.domain.records import PromiseState
from voicebot.domain.strategy import Means, Step
from voicebot.store.attempts import ADD
from voicebot.store.cohorts import Entry, enter, held_out
from voicebot.store.database import Database
from voicebot.store.outbox import write_messages
from voicebot.store.schema import cadence, cases, promises
from voicebot.store.schema_follow_up import addresses
from voicebot.store.schema_strategy import cohorts, risks
from voicebot.store.segments import best_number, overdue_on, within_segment


@dataclass(frozen=True, slots=True)
class CaseToday:
    """An open case of a campaign with its arrears as of a day, and what is known of how to reach its debtor.

    `number`: the debtor's best one. `channels`: those other than calls and SMS that have an address. `risk`: the
    score, None before the first scoring.
    """

    case_id: str
    overdue_days: int
    number: str | None
    amount_fen: int = 0
    risk: int | None = None
    channels: frozenset[str] = frozenset()


_PERSON = text("""
    INSERT INTO callbacks (case_id, number, at, reason, booked_at, agent_id)
    SELECT cases.id, best.number, :at, :reason, :now, cases.agent_id
    FROM cases JOIN LATERAL (
        SELECT number FROM numbers WHERE numbers.debtor_id = cases.debtor_id AND valid AND kind = 'debtor'
        ORDER BY rank, numbers.id LIMIT 1
    ) AS best ON true
    WHERE cases.id = :case_id
      AND NOT EXISTS (SELECT FROM callbacks WHERE case_id = :case_id AND reason = :reason AND done_at IS NULL)
    RETURNING id
""")


async def for_a_person(
    connection: AsyncConnection, case_id: str, at: dt.datetime, reason: str, now: dt.datetime
) -> bool:
    """Put a call onto the list of people's callbacks, of whose case it is; False when it stands there already."""
    values = {"case_id": case_id, "at": at, "reason": reason, "now": now}
    return (await connection.execute(_PERSON, values)).first() is not None


class Cadence:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def cases(self, campaign: Campaign, day: dt.date, days: Sequence[int]) -> list[CaseToday]:
        """The open cases of the campaign's segment that are overdue by one of `days` on `day`.

        Without those that another campaign holds out, and those whose promise has its day still to come.
        """
        overdue = overdue_on(day)
        risk = select(risks.c.score).where(risks.c.case_id == cases.c.id).scalar_subquery()
        ours = (
            select(cohorts.c.case_id)
            .where(cohorts.c.case_id == cases.c.id, cohorts.c.campaign_id == campaign.id)
            .exists()
        )
        promised = (
            select(promises.c.id)
            .where(promises.c.case_id == cases.c.id, promises.c.state == PromiseState.OPEN, promises.c.date >= day)
            .exists()
        )
        query = select(
            cases.c.id, cases.c.debtor_id, cases.c.amount_fen, overdue.label("overdue"), best_number().label("number"),
            risk.label("risk"),
        ).where(
            cases.c.status == "open", overdue.in_(days), *within_segment(campaign.segment, overdue),
            ours | ~held_out(cases.c.id),
            ~promised,
        )  # fmt: skip
        async with self._database.begin() as connection:
            rows = (await connection.execute(query.order_by(cases.c.id))).all()
            reached = await _channels(connection, {row.debtor_id for row in rows})
        return [
            CaseToday(
                row.id, row.overdue, row.number, row.amount_fen, row.risk, reached.get(row.debtor_id, frozenset())
            )
            for row in rows
        ]

    async def enter(self, campaign: Campaign, strategy: str, entries: Sequence[Entry], now: dt.datetime) -> None:
        """Write down which cases are reached and which are left alone."""
        async with self._database.begin() as connection:
            await enter(connection, campaign.id, strategy, entries, now)

    async def call(
        self,
        campaign: Campaign,
        case_id: str,
        day: dt.date,
        step: Step,
        at: dt.datetime,
        now: dt.datetime,
        *,
        forward: int = 0,
        notice: PlannedMessage | None = None,
    ) -> bool:
        """Plan a call with the step's script; False when that was done before, or one is still open.

        `forward` is added to the campaign's priority; `notice` announces the call.
        """
        values = {
            "case_id": case_id, "script": step.words, "not_before": at, "number": None, "purpose": Purpose.REMINDER,
            "campaign_id": campaign.id, "priority": campaign.priority + forward,
        }  # fmt: skip
        async with self._database.begin() as connection:
            if not await _note(connection, campaign.id, case_id, day, step, now):
                return False
            planned = (await connection.execute(ADD, values)).scalar_one_or_none() is not None
            if planned and notice is not None:
                await write_messages(connection, case_id, None, None, [notice], now)
            return planned

    async def person(
        self, campaign: Campaign, case_id: str, day: dt.date, step: Step, at: dt.datetime, reason: str, now: dt.datetime
    ) -> bool:
        """Ask people to make the step's call; False when that was done before."""
        async with self._database.begin() as connection:
            if not await _note(connection, campaign.id, case_id, day, step, now):
                return False
            return await for_a_person(connection, case_id, at, reason, now)

    async def message(
        self, campaign: Campaign, case_id: str, day: dt.date, step: Step, planned: PlannedMessage, now: dt.datetime
    ) -> bool:
        """Plan a message by the step's template; False when that was done before."""
        async with self._database.begin() as connection:
            if not await _note(connection, campaign.id, case_id, day, step, now):
                return False
            await write_messages(connection, case_id, None, None, [planned], now)
            return True


async def _channels(connection: AsyncConnection, debtors: set[str]) -> dict[str, frozenset[str]]:
    reachable = (addresses.c.valid, addresses.c.opted_out_at.is_(None), addresses.c.debtor_id.in_(debtors))
    rows = await connection.execute(select(addresses.c.debtor_id, addresses.c.channel).where(*reachable))
    found: dict[str, frozenset[str]] = {}
    for debtor_id, channel in rows:
        found[debtor_id] = found.get(debtor_id, frozenset()) | {channel}
    return found


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
