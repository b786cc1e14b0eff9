"""Agents: the people who take warm transfers, and who of them is free."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Collection
from typing import Any

from sqlalchemy import ColumnElement, DateTime, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.records import AgentRecord, Role
from voicebot.store.database import DESK, Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema import calls
from voicebot.store.schema_people import agents, users

GRACE = dt.timedelta(seconds=30)
"""So long the worker of a call that is over has to give its agent back itself."""
LONGEST = dt.timedelta(hours=1)
"""No call lasts so long: its worker is gone and never reported the end."""
PRESENCES = ("ready", "busy", "wrap_up", "away", "offline")
SUPERVISORS = (Role.SUPERVISOR, Role.OPERATOR, Role.ADMIN)
"""Roles whose users are rung as supervisors, where they have a phone."""


class Agents:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, agent: AgentRecord) -> None:
        """Add an agent or change name, address, way, skills, languages, after-call time; presence and device stay."""
        values = {
            "id": agent.id,
            "name": agent.name,
            "sip_uri": agent.sip_uri,
            "skills": list(agent.skills),
            "languages": list(agent.languages),
            "after_call_s": agent.after_call_s,
            "via": agent.via,
        }
        change = {name: value for name, value in values.items() if name != "id"}
        query = (
            insert(agents)
            .values(**values, presence=agent.presence, presence_at=agent.presence_at, device=agent.device)
            .on_conflict_do_update(index_elements=["id"], set_=change)
        )
        async with self._database.begin() as connection:
            await connection.execute(query)

    async def all(self) -> list[AgentRecord]:
        async with self._database.begin() as connection:
            return [to_agent(row) for row in await connection.execute(select(agents).order_by(agents.c.id))]

    async def find(self, agent_id: str) -> AgentRecord | None:
        async with self._database.begin() as connection:
            row = (await connection.execute(select(agents).where(agents.c.id == agent_id))).first()
        return to_agent(row) if row else None

    async def supervisors(self) -> list[AgentRecord]:
        """The agents who supervise, by their accounts in the console; who waited longest first."""
        accounts = select(users.c.agent_id).where(users.c.role.in_(SUPERVISORS), ~users.c.disabled)
        query = select(agents).where(agents.c.id.in_(accounts)).order_by(agents.c.presence_at.nulls_first())
        async with self._database.begin() as connection:
            return [to_agent(row) for row in await connection.execute(query)]

    async def set_presence(self, agent_id: str, presence: str, now: dt.datetime, note: str = "") -> bool:
        """What the agent says of themself, one of PRESENCES, and why; False when there is no such agent."""
        if presence not in PRESENCES:
            raise ValueError(f"presence must be one of {', '.join(PRESENCES)}, not {presence!r}")
        until = _end_of_writing(now) if presence == "wrap_up" else None
        change = update(agents).where(agents.c.id == agent_id).values(
            presence=presence, presence_at=now, call_id=None, wrap_until=until, note=note
        )
        async with self._database.begin() as connection:
            return (await connection.execute(change)).rowcount > 0

    async def claim(
        self, candidates: Collection[str], now: dt.datetime, *, call_id: str, presences: Collection[str] = ("ready",)
    ) -> AgentRecord | None:
        """One of `candidates`, longest idle first, as they were until now: busy with `call_id` from here on.

        No other caller gets them too.
        """
        free = select(agents).where(agents.c.presence.in_(presences), agents.c.id.in_(candidates))
        one = free.order_by(agents.c.presence_at.nulls_first(), agents.c.id).limit(1)
        async with self._database.begin() as connection:
            row = (await connection.execute(one.with_for_update(skip_locked=True))).first()
            if row is not None:
                await reserve(connection, row.id, call_id, now)
        return to_agent(row) if row is not None else None

    async def give_back(self, agent_id: str, call_id: str, now: dt.datetime, *, to: str = "ready") -> bool:
        """Ready again after `call_id`, or `to` another presence: wrap_up begins their after-call time.

        False when the agent went away meanwhile or serves another call.
        """
        mine = (agents.c.id == agent_id, agents.c.presence == "busy", agents.c.call_id == call_id)
        change = update(agents).where(*mine).values(
            presence=to,
            wrap_until=_end_of_writing(now) if to == "wrap_up" else None,
            presence_at=now,
            call_id=None,
        )
        async with self._database.begin() as connection:
            return (await connection.execute(change)).rowcount > 0

    async def end_wrap_up(self, now: dt.datetime) -> list[str]:
        """Make those ready whose time for writing is over; their ids."""
        async with self._database.begin() as connection:
            return await end_wrap_up(connection, now)

    async def give_back_lost(self, now: dt.datetime) -> list[str]:
        """Make those ready again whose call is over, unknown or too old to be true; their ids."""
        running = select(calls.c.id).where(calls.c.id == agents.c.call_id, calls.c.ended_at.is_(None))
        lost = or_(~running.exists(), agents.c.presence_at < now - LONGEST)
        change = (
            update(agents)
            .where(agents.c.presence == "busy", agents.c.call_id.is_not(None))
            .where(agents.c.presence_at < now - GRACE, lost)
            .values(presence="ready", presence_at=now, call_id=None)
            .returning(agents.c.id)
        )
        async with self._database.begin() as connection:
            return sorted((await connection.execute(change)).scalars())

    async def changes(self) -> AsyncIterator[str]:
        """One item whenever somebody's presence or the queue changes; also first and after a lost connection."""
        async for table in self._database.listen(DESK):
            yield table


async def reserve(connection: AsyncConnection, agent_id: str, call_id: str, now: dt.datetime) -> AgentRecord | None:
    """Busy with `call_id` from now on; within the caller's transaction."""
    change = (
        update(agents)
        .where(agents.c.id == agent_id)
        .values(presence="busy", presence_at=now, call_id=call_id, wrap_until=None)
        .returning(agents)
    )
    row = (await connection.execute(change)).first()
    return to_agent(row) if row else None


async def end_wrap_up(connection: AsyncConnection, now: dt.datetime) -> list[str]:
    """As Agents.end_wrap_up, within the caller's transaction. Idle since the moment their time was over."""
    change = (
        update(agents)
        .where(agents.c.presence == "wrap_up", agents.c.wrap_until <= now)
        .values(presence="ready", presence_at=agents.c.wrap_until, wrap_until=None)
        .returning(agents.c.id)
    )
    return sorted((await connection.execute(change)).scalars())


def _end_of_writing(now: dt.datetime) -> ColumnElement[Any]:
    return literal(now, DateTime(timezone=True)) + func.make_interval(0, 0, 0, 0, 0, 0, agents.c.after_call_s)


def to_agent(row: AnyRow) -> AgentRecord:
    """From a row with all columns of the agents' table."""
    return AgentRecord(
        id=row.id,
        name=row.name,
        sip_uri=row.sip_uri,
        skills=tuple(row.skills),
        presence=row.presence,
        presence_at=row.presence_at,
        call_id=row.call_id,
        languages=tuple(row.languages),
        after_call_s=row.after_call_s,
        wrap_until=row.wrap_until,
        device=row.device,
        note=row.note,
        via=row.via,
    )
