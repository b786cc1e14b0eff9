"""Contacts: who must not be called, and what debtors agreed to. Both reach the rulebook at the next lease."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import false, or_, select, update

from voicebot.domain.attempt import Consent, ContactStop
from voicebot.store.database import Database
from voicebot.store.rows import to_consent, to_stop
from voicebot.store.schema import consents, contact_stops, debtors


class Contacts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def stop(self, stop: ContactStop) -> int:
        """Stop automatic calls to a number or a debtor at once; the stop's id."""
        if stop.number is None and stop.debtor_id is None:
            raise ValueError("a stop needs a number or a debtor")
        values = {
            "debtor_id": stop.debtor_id,
            "number": stop.number,
            "reason": stop.reason,
            "call_id": stop.call_id,
            "since": stop.since,
            "until": stop.until,
        }
        return await self._insert(contact_stops, values)

    async def clear_stop(self, stop_id: int, by: str, now: dt.datetime) -> bool:
        """A person lifts a stop; False when it was lifted before."""
        change = (
            update(contact_stops)
            .where(contact_stops.c.id == stop_id, contact_stops.c.cleared_at.is_(None))
            .values(cleared_at=now, cleared_by=by)
        )
        async with self._database.begin() as connection:
            return (await connection.execute(change)).rowcount > 0

    async def stops_of(self, debtor_id: str | None, number: str | None, now: dt.datetime) -> list[ContactStop]:
        """Stops in force for a debtor or a number."""
        table = contact_stops.c
        wanted = {table.debtor_id: debtor_id, table.number: number}
        whose = [column == value for column, value in wanted.items() if value is not None]
        query = (
            select(contact_stops)
            .where(table.cleared_at.is_(None), or_(table.until.is_(None), table.until > now))
            .where(or_(false(), *whose))
            .order_by(table.id)
        )
        async with self._database.begin() as connection:
            return [to_stop(row) for row in await connection.execute(query)]

    async def agree(self, consent: Consent) -> int:
        """Write a consent down; its id."""
        values = {
            "debtor_id": consent.debtor_id,
            "kind": consent.kind,
            "data": consent.data,
            "call_id": consent.call_id,
            "given_at": consent.given_at,
        }
        return await self._insert(consents, values)

    async def revoke(self, consent_id: int, now: dt.datetime) -> bool:
        """A consent is taken back."""
        change = update(consents).where(consents.c.id == consent_id, consents.c.revoked_at.is_(None))
        async with self._database.begin() as connection:
            return (await connection.execute(change.values(revoked_at=now))).rowcount > 0

    async def consents_of(self, debtor_id: str) -> list[Consent]:
        query = select(consents).where(consents.c.debtor_id == debtor_id, consents.c.revoked_at.is_(None))
        async with self._database.begin() as connection:
            return [to_consent(row) for row in await connection.execute(query.order_by(consents.c.id))]

    async def known(self, debtor_ids: Sequence[str]) -> set[str]:
        """Those of some debtors that there are."""
        query = select(debtors.c.id).where(debtors.c.id.in_(set(debtor_ids)))
        async with self._database.begin() as connection:
            return set((await connection.execute(query)).scalars())

    async def _insert(self, table: Any, values: dict[str, Any]) -> int:
        async with self._database.begin() as connection:
            result = await connection.execute(table.insert().values(**values).returning(table.c.id))
            return int(result.scalar_one())
