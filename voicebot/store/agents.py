"""Agents: the people who take warm transfers, and who of them is free."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert

from voicebot.domain.records import AgentRecord
from voicebot.store.database import Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema import agents, calls

GRACE = dt.timedelta(seconds=30)
"""So long the worker of a call that is over has to give its agent back itself."""
LONGEST = dt.timedelta(hours=1)
"""No call lasts so long: its worker is gone and never reported the end."""

class Agents:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, agent: AgentRecord) -> None:
        """Add an agent or change name, address and skills; presence stays as it is."""
        values = {"id": agent.id, "name": agent.name, "sip_uri": agent.sip_uri, "skills": list(agent.skills)}
        change = {name: value for name, value in values.items() if name != "id"}
        query = (
            insert(agents)
            .values(**values, presence=agent.presence, presence_at=agent.presence_at)
            .on_conflict_do_update(index_elements=["id"], set_=change)
        )
        async with self._database.begin() as connection:
            await connection.execute(query)

    async def all(self) -> list[AgentRecord]:
        async with self._database.begin() as connection:
            return [_to_agent(row) for row in await connection.execute(select(agents).order_by(agents.c.id))]

    async def find(self, agent_id: str) -> AgentRecord | None:
        async with self._database.begin() as connection:
            row = (await connection.execute(select(agents).where(agents.c.id == agent_id))).first()
        return _to_agent(row) if row else None

    async def set_presence(self, agent_id: str, presence: str, now: dt.datetime) -> bool:
        """What the agent says of themself: ready, busy, away or offline; False when there is no such agent."""
        if presence not in _PRESENCES:
            raise ValueError(f"presence must be one of {', '.join(_PRESENCES)}, not {presence!r}")
        change = update(agents).where(agents.c.id == agent_id).values(
            presence=presence, presence_at=now, call_id=None
        )
        async with self._database.begin() as connection:
            return (await connection.execute(change)).rowcount > 0

    async def claim(
        self, skill: str | None, now: dt.datetime, exclude: Sequence[str] = (), *, call_id: str
    ) -> AgentRecord | None:
        """The ready agent with `skill` who has waited longest, busy with `call_id` from now on.

        No other caller gets the same one.
        """
        ready = select(agents.c.id).where(agents.c.presence == "ready", agents.c.id.not_in(list(exclude)))
        if skill is not None:
            ready = ready.where(agents.c.skills.contains([skill]))
        one = ready.order_by(agents.c.presence_at.nulls_first(), agents.c.id).limit(1)
        query = (
            update(agents)
            .where(agents.c.id == one.with_for_update(skip_locked=True).scalar_subquery())
            .values(presence="busy", presence_at=now, call_id=call_id)
            .returning(agents)
        )
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).first()
        return _to_agent(row) if row else None

    async def give_back(self, agent_id: str, call_id: str, now: dt.datetime) -> bool:
        """Ready again after `call_id`; False when the agent went away meanwhile or serves another call."""
        mine = (agents.c.id == agent_id, agents.c.presence == "busy", agents.c.call_id == call_id)
        change = update(agents).where(*mine).values(presence="ready", presence_at=now, call_id=None)
        async with self._database.begin() as connection:
            return (await connection.execute(change)).rowcount > 0

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


_PRESENCES = ("ready", "busy", "away", "offline")


def _to_agent(row: AnyRow) -> AgentRecord:
    return AgentRecord(
        id=row.id,
        name=row.name,
        sip_uri=row.sip_uri,
        skills=tuple(row.skills),
        presence=row.presence,
        presence_at=row.presence_at,
        call_id=row.call_id,
    )
