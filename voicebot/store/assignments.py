"""Assignments: cases given to people, many at a time, and the record of whose a case was when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.campaign import Segment
from voicebot.domain.clock import SHANGHAI
from voicebot.store.database import Database, lock_key
from voicebot.store.portfolio import free_cases
from voicebot.store.schema import cases
from voicebot.store.schema_people import agents
from voicebot.store.schema_strategy import assignments
from voicebot.store.segments import overdue_on, within_segment

PUSH, PULL, BACK = "push", "pull", "back"


@dataclass(frozen=True, slots=True)
class Holder:
    """An agent, how many cases they hold and what those owe, in fen."""

    agent_id: str
    name: str
    skills: frozenset[str]
    has: int
    owed_fen: int


@dataclass(frozen=True, slots=True)
class FreeCase:
    """A case that nobody holds."""

    case_id: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """Whose a case became, when and how."""

    case_id: str
    agent_id: str
    mode: str
    by: str
    at: dt.datetime


Choose = Callable[[Sequence[FreeCase], Sequence[Holder]], Mapping[str, str]]
"""Whose each case becomes, by case id; pure."""


class Assignments:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def push(
        self, segment: Segment, now: dt.datetime, choose: Choose, by: str, *, most: int = 10_000, dry: bool = False
    ) -> dict[str, str]:
        """Give the free cases of a segment away as `choose` says; who got which. `dry`: only say it.

        One push runs at a time, and while it does nobody's pull can overrun a cap it counted on.
        """
        async with self._database.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(lock_key("push", "all"))))
            people = await _holders(connection, lock=not dry)
            free = await _free(connection, segment, now, most, lock=not dry)
            chosen = choose(free, people)
            known = {one.agent_id for one in people}
            given = {one.case_id: chosen[one.case_id] for one in free if chosen.get(one.case_id) in known}
            if given and not dry:
                change = update(cases).where(cases.c.id == bindparam("case"), cases.c.agent_since.is_(None))
                rows = [{"case": case_id, "agent": agent_id} for case_id, agent_id in given.items()]
                await connection.execute(change.values(agent_id=bindparam("agent"), agent_since=now), rows)
                await record(connection, list(given.items()), PUSH, by, now)
            return given

    async def holders(self) -> list[Holder]:
        """All agents with what they hold."""
        async with self._database.begin() as connection:
            return await _holders(connection, lock=False)

    async def of_case(self, case_id: str) -> list[Assignment]:
        """Whose a case was, the latest first."""
        table = assignments.c
        query = select(table.case_id, table.agent_id, table.mode, table.by, table.at).where(table.case_id == case_id)
        async with self._database.begin() as connection:
            rows = await connection.execute(query.order_by(table.at.desc(), table.id.desc()))
            return [Assignment(*row) for row in rows]


async def record(
    connection: AsyncConnection, given: Sequence[tuple[str, str]], mode: str, by: str, now: dt.datetime
) -> None:
    """Write down whose cases became, in the transaction that makes them so."""
    rows = [
        {"case_id": case_id, "agent_id": agent_id, "mode": mode, "by": by, "at": now} for case_id, agent_id in given
    ]
    await connection.execute(assignments.insert(), rows)


async def _holders(connection: AsyncConnection, *, lock: bool) -> list[Holder]:
    everybody = (await connection.execute(select(agents.c.id).order_by(agents.c.id))).scalars().all()
    if lock:  # always in this order, so that two of us can't wait for each other
        for agent_id in everybody:
            await connection.execute(select(func.pg_advisory_xact_lock(lock_key("pull", agent_id))))
    held = (cases.c.agent_id == agents.c.id) & cases.c.agent_since.is_not(None) & (cases.c.status == "open")
    query = (
        select(agents.c.id, agents.c.name, agents.c.skills, func.count(cases.c.id), func.sum(cases.c.amount_fen))
        .outerjoin(cases, held)
        .group_by(agents.c.id)
        .order_by(agents.c.id)
    )
    rows = await connection.execute(query)
    return [Holder(row[0], row[1], frozenset(row[2]), int(row[3]), int(row[4] or 0)) for row in rows]


async def _free(
    connection: AsyncConnection, segment: Segment, now: dt.datetime, most: int, *, lock: bool
) -> list[FreeCase]:
    day = now.astimezone(SHANGHAI).date()
    overdue = overdue_on(day)
    query = (
        select(cases.c.id, cases.c.amount_fen)
        .where(*free_cases(now), *within_segment(segment, overdue))
        .order_by(overdue.desc(), cases.c.id)
        .limit(most)
    )
    if lock:
        query = query.with_for_update(of=cases, skip_locked=True)
    return [FreeCase(row.id, row.amount_fen) for row in await connection.execute(query)]
