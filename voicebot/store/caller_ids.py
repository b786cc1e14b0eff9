"""CallerIds: the registry of numbers that we may show to whom we ring."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from voicebot.domain.permission import CallerId
from voicebot.store.database import Database
from voicebot.store.schema_permissions import caller_ids


class CallerIds:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[CallerId]:
        """Every registered number, those that are not valid any more too."""
        async with self._database.begin() as connection:
            rows = await connection.execute(select(caller_ids).order_by(caller_ids.c.number))
            return [CallerId(row.number, row.holder, row.valid_from, row.valid_to, row.verified_on) for row in rows]

    async def save(self, entry: CallerId, by: str, now: dt.datetime) -> None:
        """Add a number, or write its entry anew. ValueError where number, holder or days make no sense."""
        if not entry.number.strip() or not entry.holder.strip():
            raise ValueError("a caller id needs its number and who holds it")
        if entry.valid_to is not None and entry.valid_to < entry.valid_from:
            raise ValueError(f"{entry.number}: valid_to {entry.valid_to} is before valid_from {entry.valid_from}")
        values = {
            "holder": entry.holder,
            "valid_from": entry.valid_from,
            "valid_to": entry.valid_to,
            "verified_on": entry.verified_on,
            "verified_by": by if entry.verified_on else None,
            "saved_at": now,
            "saved_by": by,
        }
        statement = insert(caller_ids).values(number=entry.number, **values)
        async with self._database.begin() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["number"], set_=values))

    async def remove(self, number: str) -> bool:
        """A number is not ours any more; False when it was not registered."""
        async with self._database.begin() as connection:
            return (await connection.execute(delete(caller_ids).where(caller_ids.c.number == number))).rowcount > 0
