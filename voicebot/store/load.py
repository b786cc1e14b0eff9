"""Load: how much is running and waiting now, for the figures that are published."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select

from voicebot.domain.attempt import AttemptState
from voicebot.domain.records import LoadFigures
from voicebot.store.database import Database
from voicebot.store.schema import attempts, calls
from voicebot.store.schema_people import agents


class Load:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self, now: dt.datetime) -> LoadFigures:
        """A few counts over indexes; cheap enough for every few seconds."""
        is_due = attempts.c.not_before <= now
        async with self._database.begin() as connection:
            running = select(func.count()).select_from(calls).where(calls.c.ended_at.is_(None))
            waiting = select(func.count(), func.count().filter(is_due)).where(attempts.c.state == AttemptState.WAITING)
            total, due = (await connection.execute(waiting)).one()
            presences = await connection.execute(select(agents.c.presence, func.count()).group_by(agents.c.presence))
            return LoadFigures(
                calls_running=int((await connection.execute(running)).scalar_one()),
                attempts_due=int(due),
                attempts_later=int(total) - int(due),
                agents={str(presence): int(count) for presence, count in presences},
            )
