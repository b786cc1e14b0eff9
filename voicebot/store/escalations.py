"""Escalations: what a strategy makes of a call's outcome, written once for each call."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from voicebot.domain.attempt import Attempt, AttemptState, Purpose
from voicebot.domain.message import PlannedMessage
from voicebot.domain.outcome import Disposition
from voicebot.store.attempts import ADD
from voicebot.store.cadence import for_a_person
from voicebot.store.database import Database
from voicebot.store.outbox import write_messages
from voicebot.store.risks import shift
from voicebot.store.rows import ATTEMPT_COLUMNS, ATTEMPT_TABLES, to_attempt
from voicebot.store.schema import attempts, campaigns
from voicebot.store.schema_strategy import escalations


@dataclass(frozen=True, slots=True)
class Settled:
    """A call that nobody has drawn conclusions from yet; `outcomes` of the case in this campaign, the latest first."""

    attempt: Attempt
    strategy: str
    outcomes: tuple[Disposition, ...]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What is done: the risk moves by `risk`; then a call of the bot or of a person, or a message, at `at`.

    Without `rule` nothing is.
    """

    rule: str = ""
    risk: int = 0
    then: str = ""
    at: dt.datetime | None = None
    script: str | None = None
    reason: str | None = None
    message: PlannedMessage | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    """What was concluded from a call of a case, for its page."""

    attempt_id: int
    rule: str
    risk: int
    then: str
    follow_up_at: dt.datetime | None
    at: dt.datetime


class Escalations:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, since: dt.datetime, limit: int = 500) -> list[Settled]:
        """Calls of campaigns with a strategy, settled since then, that nothing was concluded from; the oldest first."""
        done = select(escalations.c.attempt_id).where(escalations.c.attempt_id == attempts.c.id)
        query = (
            select(*ATTEMPT_COLUMNS, campaigns.c.strategy.label("strategy"))
            .select_from(ATTEMPT_TABLES.join(campaigns, campaigns.c.id == attempts.c.campaign_id))
            .where(campaigns.c.strategy.is_not(None), attempts.c.state == AttemptState.SETTLED, ~done.exists())
            .where(attempts.c.disposition.is_not(None), attempts.c.settled_at >= since)
            .order_by(attempts.c.settled_at, attempts.c.id)
            .limit(limit)
        )
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
            found = []
            for row in rows:
                attempt = to_attempt(row)
                past = select(attempts.c.disposition).where(
                    attempts.c.case_id == attempt.case.id,
                    attempts.c.campaign_id == attempt.campaign_id,
                    attempts.c.state == AttemptState.SETTLED,
                    attempts.c.disposition.is_not(None),
                    attempts.c.settled_at <= attempt.settled_at,
                    attempts.c.id <= attempt.id,
                )
                ordered = past.order_by(attempts.c.settled_at.desc(), attempts.c.id.desc()).limit(50)
                outcomes = tuple(Disposition(name) for name in (await connection.execute(ordered)).scalars())
                found.append(Settled(attempt, row.strategy, outcomes))
        return found

    async def conclude(
        self, settled: Settled, conclusion: Conclusion, tiers: tuple[str, ...], now: dt.datetime
    ) -> bool:
        """Carry a conclusion out, once and whole; False when that was done before."""
        attempt = settled.attempt
        async with self._database.begin() as connection:
            values = {
                "attempt_id": attempt.id, "case_id": attempt.case.id, "rule": conclusion.rule,
                "risk": conclusion.risk, "then": conclusion.then, "follow_up_at": conclusion.at, "at": now,
            }  # fmt: skip
            query = insert(escalations).values(**values).on_conflict_do_nothing().returning(escalations.c.attempt_id)
            if (await connection.execute(query)).first() is None:
                return False
            if conclusion.risk:
                await shift(connection, attempt.case.id, conclusion.risk, tiers, now)
            at = conclusion.at or now
            if conclusion.script is not None:
                planned = {
                    "case_id": attempt.case.id, "script": conclusion.script, "not_before": at, "number": None,
                    "purpose": Purpose.REMINDER, "campaign_id": attempt.campaign_id, "priority": 0,
                }  # fmt: skip
                if (await connection.execute(ADD, planned)).scalar_one_or_none() is None:  # another call waits already
                    undone = update(escalations).where(escalations.c.attempt_id == attempt.id)
                    await connection.execute(undone.values(then="", follow_up_at=None))
            if conclusion.reason is not None:
                await for_a_person(connection, attempt.case.id, at, conclusion.reason, now)
            if conclusion.message is not None:
                await write_messages(connection, attempt.case.id, attempt.call_id, None, [conclusion.message], now)
            return True

    async def of_case(self, case_id: str) -> list[Escalation]:
        """What was concluded from a case's calls, the latest first; without those that changed nothing."""
        table = escalations.c
        query = (
            select(table.attempt_id, table.rule, table.risk, table.then, table.follow_up_at, table.at)
            .where(table.case_id == case_id, table.rule != "")
            .order_by(table.at.desc(), table.attempt_id.desc())
        )
        async with self._database.begin() as connection:
            return [Escalation(*row) for row in await connection.execute(query)]
