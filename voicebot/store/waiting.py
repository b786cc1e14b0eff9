"""Waiting: the queue of calls for a person, shared by all workers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.records import AgentRecord, WaitingCall
from voicebot.store.agents import end_wrap_up, reserve, to_agent
from voicebot.store.database import Database, lock_key
from voicebot.store.rows import AnyRow
from voicebot.store.schema import calls, cases
from voicebot.store.schema_people import agents, waiting, wrapups

FORGOTTEN = dt.timedelta(seconds=15)
"""A call that was not seen for so long waits no more: its worker is gone."""
Match = Callable[[Sequence[WaitingCall], Sequence[AgentRecord], dt.datetime], Mapping[str, str]]
"""Who gets whom: call id to agent id, of the calls in order and all agents."""


class Waiting:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def enter(self, call: WaitingCall) -> None:
        """Stand in the queue; who stands there already keeps their place."""
        values = {
            "call_id": call.call_id,
            "skill": call.skill,
            "language": call.language,
            "reason": call.reason,
            "urgent": call.urgent,
            "agent_id": call.agent_id,
            "tried": list(call.tried),
            "since": call.since,
            "seen_at": call.seen_at or call.since,
        }
        async with self._database.begin() as connection:
            await connection.execute(insert(waiting).values(**values).on_conflict_do_nothing())

    async def leave(self, call_id: str) -> None:
        async with self._database.begin() as connection:
            await connection.execute(delete(waiting).where(waiting.c.call_id == call_id))

    async def claim(
        self, call_id: str, tried: Sequence[str], now: dt.datetime, match: Match
    ) -> tuple[AgentRecord | None, int]:
        """The agent whom `match` gives this call, reserved and out of the queue; else None and who waits before it.

        One worker of the installation decides at a time, so nobody is given away twice and the order holds.
        """
        async with self._database.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(lock_key("desk", "claim"))))
            await end_wrap_up(connection, now)
            seen = {"tried": list(tried), "seen_at": now}
            await connection.execute(update(waiting).where(waiting.c.call_id == call_id).values(**seen))
            queue = await _queue(connection, now)
            people = [to_agent(row) for row in await connection.execute(select(agents).order_by(agents.c.id))]
            agent_id = match(queue, people, now).get(call_id)
            if agent_id is None:
                return None, next((n for n, one in enumerate(queue) if one.call_id == call_id), len(queue))
            await connection.execute(delete(waiting).where(waiting.c.call_id == call_id))
            return await reserve(connection, agent_id, call_id, now), 0

    async def all(self, now: dt.datetime) -> list[WaitingCall]:
        """Who waits, in the order in which they are served: urgent first, then who came first."""
        async with self._database.begin() as connection:
            return await _queue(connection, now)

    async def forget(self, now: dt.datetime) -> list[str]:
        """Drop the calls of workers that are gone; their ids."""
        query = delete(waiting).where(waiting.c.seen_at < now - 2 * FORGOTTEN).returning(waiting.c.call_id)
        async with self._database.begin() as connection:
            return sorted((await connection.execute(query)).scalars())

    async def usual_agent(self, call_id: str) -> str | None:
        """The agent whom the debtor of a running call knows: who has the case, else who talked with them last."""
        mine = select(cases.c.agent_id, cases.c.debtor_id).join(calls, calls.c.case_id == cases.c.id)
        async with self._database.begin() as connection:
            case = (await connection.execute(mine.where(calls.c.id == call_id))).first()
            if case is None or case.agent_id is not None:
                return case.agent_id if case is not None else None
            last = (
                select(wrapups.c.agent_id)
                .join(cases, cases.c.id == wrapups.c.case_id)
                .where(cases.c.debtor_id == case.debtor_id)
                .order_by(wrapups.c.started_at.desc())
                .limit(1)
            )
            return (await connection.execute(last)).scalar()


async def _queue(connection: AsyncConnection, now: dt.datetime) -> list[WaitingCall]:
    query = (
        select(waiting)
        .where(waiting.c.seen_at > now - FORGOTTEN)
        .order_by(waiting.c.urgent.desc(), waiting.c.since, waiting.c.call_id)
    )
    return [_to_waiting(row) for row in await connection.execute(query)]


def _to_waiting(row: AnyRow) -> WaitingCall:
    return WaitingCall(
        call_id=row.call_id,
        skill=row.skill,
        reason=row.reason,
        since=row.since,
        language=row.language,
        urgent=row.urgent,
        agent_id=row.agent_id,
        tried=tuple(row.tried),
        seen_at=row.seen_at,
    )
