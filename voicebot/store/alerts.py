"""Alerts: what a supervisor must see now, until somebody acknowledged it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator

from sqlalchemy import select, update

from voicebot.domain.records import Alert, AlertKind
from voicebot.store.database import ALERTS, Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema_people import alerts


class Alerts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def ring(
        self, kind: AlertKind, text: str, now: dt.datetime, *, call_id: str | None = None, agent_id: str | None = None
    ) -> int:
        """Raise an alert; its id. Listeners are woken."""
        values = {"kind": kind.value, "text": text, "at": now, "call_id": call_id, "agent_id": agent_id}
        async with self._database.begin() as connection:
            result = await connection.execute(alerts.insert().values(**values).returning(alerts.c.id))
            return int(result.scalar_one())

    async def acknowledge(self, alert_id: int, by: str, now: dt.datetime) -> bool:
        """Somebody saw it; False when somebody else had."""
        change = (
            update(alerts)
            .where(alerts.c.id == alert_id, alerts.c.acknowledged_at.is_(None))
            .values(acknowledged_by=by, acknowledged_at=now)
        )
        async with self._database.begin() as connection:
            return (await connection.execute(change)).rowcount > 0

    async def open(self) -> list[Alert]:
        """What nobody acknowledged, newest first."""
        query = select(alerts).where(alerts.c.acknowledged_at.is_(None)).order_by(alerts.c.id.desc())
        async with self._database.begin() as connection:
            return [_to_alert(row) for row in await connection.execute(query)]

    async def recent(self, most: int = 50) -> list[Alert]:
        """The newest, acknowledged or not."""
        async with self._database.begin() as connection:
            query = select(alerts).order_by(alerts.c.id.desc()).limit(most)
            return [_to_alert(row) for row in await connection.execute(query)]

    async def listen(self) -> AsyncIterator[str]:
        """Ids of new alerts; "" first and after a lost connection: read afresh."""
        async for payload in self._database.listen(ALERTS):
            yield payload


def _to_alert(row: AnyRow) -> Alert:
    return Alert(
        id=row.id,
        at=row.at,
        kind=AlertKind(row.kind),
        text=row.text,
        call_id=row.call_id,
        agent_id=row.agent_id,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
    )
