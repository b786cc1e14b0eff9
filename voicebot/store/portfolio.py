"""Portfolio: the cases that agents pull for themselves, and the pool that is left."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import AttemptState
from voicebot.domain.case import Case
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.records import PromiseState
from voicebot.store.cohorts import held_out
from voicebot.store.database import Database, lock_key
from voicebot.store.rows import CASE_COLUMNS, CASE_TABLES, to_case
from voicebot.store.schema import attempts, cases, contact_stops, numbers, promises
from voicebot.store.schema_strategy import assignments

MOST_PULLED = 20
"""Cases one agent may have pulled at a time."""


class PortfolioFull(RuntimeError):
    """The agent has as many cases as they may have: give some back first."""


class Portfolio:
    """A case is pulled while `agent_since` is set; the dialler leaves its reminders to the agent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pool(self, now: dt.datetime, limit: int = 20) -> tuple[list[Case], int]:
        """Cases that anybody may pull, longest overdue first, and how many there are."""
        free = free_cases(now)
        async with self._database.begin() as connection:
            total = (await connection.execute(select(func.count()).select_from(CASE_TABLES).where(*free))).scalar_one()
            rows = await connection.execute(_cases().where(*free).limit(limit))
            return [to_case(row) for row in rows], int(total)

    async def pull(
        self, agent_id: str, now: dt.datetime, case_id: str | None = None, most: int = MOST_PULLED
    ) -> Case | None:
        """The next case of the pool, or `case_id`, for this agent alone; None when somebody else was quicker.

        Raises PortfolioFull.
        """
        async with self._database.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("pull", agent_id)})
            mine = select(func.count()).select_from(cases).where(*_pulled(agent_id))
            if (await connection.execute(mine)).scalar_one() >= most:
                raise PortfolioFull(f"agent {agent_id} has {most} cases already")
            wanted = [*free_cases(now)] + ([cases.c.id == case_id] if case_id else [])
            query = _cases().where(*wanted).limit(1).with_for_update(of=cases, skip_locked=True)
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            change = update(cases).where(cases.c.id == row.case_id)
            await connection.execute(change.values(agent_id=agent_id, agent_since=now))
            await _record(connection, row.case_id, agent_id, "pull", now)
            return to_case(row)

    async def give_back(self, agent_id: str, case_id: str, now: dt.datetime) -> bool:
        """Into the pool again; False when the case is not this agent's."""
        change = update(cases).where(cases.c.id == case_id, *_pulled(agent_id))
        async with self._database.begin() as connection:
            if (await connection.execute(change.values(agent_id=None, agent_since=None))).rowcount == 0:
                return False
            await _record(connection, case_id, agent_id, "back", now)
            return True

    async def of_agent(self, agent_id: str) -> list[Case]:
        """The cases an agent has pulled, longest held first."""
        query = select(*CASE_COLUMNS).select_from(CASE_TABLES).where(*_pulled(agent_id)).order_by(cases.c.agent_since)
        async with self._database.begin() as connection:
            return [to_case(row) for row in await connection.execute(query)]

    async def owner(self, case_id: str) -> str | None:
        """The agent whose case this is, pulled or known from earlier calls."""
        query = select(cases.c.agent_id).where(cases.c.id == case_id)
        async with self._database.begin() as connection:
            return (await connection.execute(query)).scalar()


async def _record(connection: AsyncConnection, case_id: str, agent_id: str, mode: str, now: dt.datetime) -> None:
    values = {"case_id": case_id, "agent_id": agent_id, "mode": mode, "by": agent_id, "at": now}
    await connection.execute(assignments.insert().values(**values))


def _cases() -> Any:
    return select(*CASE_COLUMNS).select_from(CASE_TABLES).order_by(cases.c.overdue_days.desc(), cases.c.id)


def _pulled(agent_id: str) -> tuple[ColumnElement[bool], ...]:
    return cases.c.agent_id == agent_id, cases.c.agent_since.is_not(None), cases.c.status == "open"


def free_cases(now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    """Open, nobody's, with a number, not stopped, promised or held out, and nobody rings there just now."""
    stop = contact_stops.c
    stopped = select(stop.id).where(
        stop.debtor_id == cases.c.debtor_id, stop.cleared_at.is_(None), or_(stop.until.is_(None), stop.until > now)
    )
    reachable = select(numbers.c.id).where(numbers.c.debtor_id == cases.c.debtor_id, numbers.c.valid)
    promised = select(promises.c.id).where(
        promises.c.case_id == cases.c.id,
        promises.c.state == PromiseState.OPEN,
        promises.c.date >= now.astimezone(SHANGHAI).date(),
    )
    ringing = select(attempts.c.id).where(
        attempts.c.case_id == cases.c.id, attempts.c.state.in_((AttemptState.LEASED, AttemptState.PLACED))
    )
    return (
        cases.c.status == "open",
        cases.c.agent_id.is_(None),
        ~stopped.exists(),
        reachable.exists(),
        ~promised.exists(),
        ~ringing.exists(),
        ~held_out(cases.c.id),
    )
