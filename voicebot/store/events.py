"""Events: written in the transaction of what happened, and handed to every webhook that asked for their kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import any_, func, insert, literal, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.event import Event, EventKind
from voicebot.store.database import Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema import calls
from voicebot.store.schema_follow_up import deliveries, events, webhooks


class Events:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self, told: Sequence[Event]) -> int:
        """Write events down; how many were new."""
        async with self._database.begin() as connection:
            return sum([await emit(connection, event) for event in told])

    async def known(self, key: str) -> bool:
        """Whether this was told before."""
        async with self._database.begin() as connection:
            return (await connection.execute(select(events.c.id).where(events.c.key == key))).first() is not None

    async def untold_calls(self, since: dt.datetime, most: int = 500) -> list[str]:
        """Calls that ended since then and of which nobody was told, oldest first."""
        told = select(events.c.id).where(events.c.key == func.concat(f"{EventKind.CALL_OUTCOME.value}:", calls.c.id))
        query = (
            select(calls.c.id)
            .where(calls.c.ended_at >= since, ~told.exists())
            .order_by(calls.c.ended_at)
            .limit(most)
        )
        async with self._database.begin() as connection:
            return list((await connection.execute(query)).scalars())

    async def of_case(self, case_id: str, limit: int = 200) -> list[Event]:
        """What happened in a case, newest first."""
        query = select(events).where(events.c.case_id == case_id).order_by(events.c.id.desc()).limit(limit)
        async with self._database.begin() as connection:
            return [to_event(row) for row in await connection.execute(query)]


async def emit(connection: AsyncConnection, event: Event) -> bool:
    """Write an event down in the caller's transaction; False when its key was known and nothing was written."""
    values = {"key": event.key, "kind": event.kind.value, "at": event.at, "case_id": event.case_id,
              "data": dict(event.data)}  # fmt: skip
    query = upsert(events).values(**values).on_conflict_do_nothing().returning(events.c.id)
    event_id = (await connection.execute(query)).scalar_one_or_none()
    if event_id is None:
        return False
    wanted = select(webhooks.c.name, literal(event_id), literal(event.at)).where(
        webhooks.c.active,
        or_(func.cardinality(webhooks.c.events) == 0, literal(event.kind.value) == any_(webhooks.c.events)),
    )
    await connection.execute(insert(deliveries).from_select(["webhook", "event_id", "next_at"], wanted))
    return True


def to_event(row: AnyRow) -> Event:
    return Event(row.key, EventKind(row.kind), row.at, row.data, row.case_id, row.id)
