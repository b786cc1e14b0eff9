"""Cases: bills, their debtors and numbers; written by the import, read by everybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from voicebot.domain.attempt import TargetKind
from voicebot.domain.case import Case, Creditor
from voicebot.domain.records import CaseRecord
from voicebot.store.case_list import CaseFilter, CasePage, count_cases, list_cases, read_records
from voicebot.store.case_parts import addresses_of, instalments_of
from voicebot.store.case_saving import NewCase, Saved, creditor_rows, save_cases
from voicebot.store.database import Database
from voicebot.store.rows import CASE_COLUMNS, CASE_TABLES, to_case
from voicebot.store.schema import cases, creditors, numbers
from voicebot.store.schema_cases import case_events

__all__ = ["CaseFilter", "CasePage", "Cases", "NewCase", "Saved"]


class Cases:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, news: Sequence[NewCase], now: dt.datetime, by: str = "", source: str = "") -> list[Saved]:
        """Write cases with debtors, creditors and numbers in one transaction; ids are unique within `news`.

        A number that is not named any more stays, behind the named ones: we may still have reached the debtor
        there. `by` and `source` (an import) are kept in the case's history.
        """
        if not news:
            return []
        async with self._database.begin() as connection:
            return await save_cases(connection, news, now, by, source)

    async def find(self, case_id: str) -> Case | None:
        query = select(*CASE_COLUMNS).select_from(CASE_TABLES).where(cases.c.id == case_id)
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).first()
        return to_case(row) if row else None

    async def record(self, case_id: str) -> CaseRecord | None:
        """A case as the case page shows it."""
        async with self._database.begin() as connection:
            found = await read_records(connection, [cases.c.id == case_id])
            if not found:
                return None
            addresses = await addresses_of(connection, {found[0].case.debtor.id})
            parts = await instalments_of(connection, [case_id])
        return replace(
            found[0],
            addresses=addresses.get(found[0].case.debtor.id, ()),
            instalments=parts.get(case_id, ()),
        )

    async def by_number(self, number: str) -> list[Case]:
        """Open cases of the debtor at `number` (E.164 or sip: URI), largest amount first.

        For incoming calls.
        """
        query = (
            select(*CASE_COLUMNS)
            .select_from(CASE_TABLES.join(numbers, numbers.c.debtor_id == cases.c.debtor_id))
            .where(numbers.c.number == number, numbers.c.kind == TargetKind.DEBTOR, cases.c.status == "open")
            .order_by(cases.c.amount_fen.desc())
        )
        async with self._database.begin() as connection:
            return [to_case(row) for row in await connection.execute(query)]

    async def search(
        self, wanted: CaseFilter | None = None, limit: int = 25, after: str | None = None, back: bool = False
    ) -> CasePage:
        """One page of cases behind the mark `after`, or before it if `back`. ValueError for no mark of ours."""
        async with self._database.begin() as connection:
            return await list_cases(connection, wanted or CaseFilter(), limit, after, back)

    async def count(self, wanted: CaseFilter, most: int = 10_000) -> int:
        """How many cases a filter finds; counting ends at `most` + 1."""
        async with self._database.begin() as connection:
            return await count_cases(connection, wanted, most)

    async def closed_among(self, ids: Sequence[str]) -> list[str]:
        """Which of these cases are closed."""
        query = select(cases.c.id).where(cases.c.id.in_(ids), cases.c.status == "closed").order_by(cases.c.id)
        async with self._database.begin() as connection:
            return list((await connection.execute(query)).scalars())

    async def retire_number(self, debtor_id: str, number: str) -> bool:
        """This number does not reach this debtor: it is dialled no more, also when the next import names it."""
        change = update(numbers).where(numbers.c.debtor_id == debtor_id, numbers.c.number == number)
        async with self._database.begin() as connection:
            return (await connection.execute(change.values(valid=False))).rowcount > 0

    async def set_status(self, case_id: str, status: str, now: dt.datetime, by: str = "", why: str = "") -> bool:
        """`status` is open, suspended or closed; only open cases are called."""
        if status not in ("open", "suspended", "closed"):
            raise ValueError(f"a case is open, suspended or closed, not {status!r}")
        change = update(cases).where(cases.c.id == case_id).values(status=status, updated_at=now)
        async with self._database.begin() as connection:
            if not (await connection.execute(change)).rowcount:
                return False
            await connection.execute(event_row(case_id, now, status, by, {"why": why} if why else {}))
        return True

    async def note(self, case_id: str, text: str, now: dt.datetime, by: str) -> bool:
        """Write a person's note into the case's history; False when there is no such case."""
        known = select(cases.c.id).where(cases.c.id == case_id)
        async with self._database.begin() as connection:
            if (await connection.execute(known)).first() is None:
                return False
            await connection.execute(event_row(case_id, now, "note", by, {"text": text}))
        return True

    async def save_creditor(self, creditor: Creditor) -> None:
        async with self._database.begin() as connection:
            await connection.execute(*creditor_rows([creditor]))

    async def creditors(self) -> list[Creditor]:
        async with self._database.begin() as connection:
            rows = await connection.execute(select(creditors).order_by(creditors.c.id))
            return [Creditor(row.id, row.name, row.neutral_name, row.hotline) for row in rows]


def event_row(case_id: str, at: dt.datetime, kind: str, by: str, data: dict[str, Any]) -> Insert:
    """One line of a case's history."""
    return insert(case_events).values(case_id=case_id, at=at, kind=kind, by=by, data=data)
