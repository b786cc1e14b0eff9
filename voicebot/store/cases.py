"""Cases: bills, their debtors and numbers; written by the import, read by everybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import TargetKind
from voicebot.domain.case import Case, Creditor
from voicebot.domain.records import CaseRecord, Number
from voicebot.store.database import Database
from voicebot.store.rows import CASE_COLUMNS, CASE_TABLES, AnyRow, to_case
from voicebot.store.schema import attempts, cases, creditors, debtors, numbers


class Saved(StrEnum):
    """What saving a case did."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case with the numbers of its debtor, best first."""

    case: Case
    numbers: tuple[Number, ...]


class Cases:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, news: Sequence[NewCase], now: dt.datetime) -> list[Saved]:
        """Write cases with debtors, creditors and numbers in one transaction; ids are unique within `news`.

        A number that is not named any more stays, behind the named ones: we may still have reached the debtor
        there.
        """
        if not news:
            return []
        async with self._database.begin() as connection:
            before = await _known(connection, [new.case.id for new in news])
            results = [_compare(new, before.get(new.case.id)) for new in news]
            changed = [new for new, result in zip(news, results, strict=True) if result is not Saved.SAME]
            if changed:
                await _write(connection, changed, now)
        return results

    async def find(self, case_id: str) -> Case | None:
        query = select(*CASE_COLUMNS).select_from(CASE_TABLES).where(cases.c.id == case_id)
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).first()
        return to_case(row) if row else None

    async def record(self, case_id: str) -> CaseRecord | None:
        """A case as the case page shows it."""
        found, _ = await self._records([cases.c.id == case_id], 1, 0)
        return found[0] if found else None

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
        self, text: str | None = None, status: str | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[list[CaseRecord], int]:
        """One page of cases, longest overdue first, and how many there are.

        `text` in names, ids, numbers, products.
        """
        conditions: list[ColumnElement[bool]] = []
        if text:
            at_number = select(numbers.c.debtor_id).where(numbers.c.number.icontains(text, autoescape=True))
            fields = (cases.c.id, debtors.c.name, cases.c.product)
            conditions.append(
                or_(*(f.icontains(text, autoescape=True) for f in fields), cases.c.debtor_id.in_(at_number))
            )
        if status:
            conditions.append(cases.c.status == status)
        return await self._records(conditions, limit, offset)

    async def retire_number(self, debtor_id: str, number: str) -> bool:
        """This number does not reach this debtor: it is dialled no more, also when the next import names it."""
        change = update(numbers).where(numbers.c.debtor_id == debtor_id, numbers.c.number == number)
        async with self._database.begin() as connection:
            return (await connection.execute(change.values(valid=False))).rowcount > 0

    async def set_status(self, case_id: str, status: str, now: dt.datetime) -> bool:
        """`status` is open, suspended or closed; only open cases are called."""
        if status not in ("open", "suspended", "closed"):
            raise ValueError(f"a case is open, suspended or closed, not {status!r}")
        change = update(cases).where(cases.c.id == case_id).values(status=status, updated_at=now)
        async with self._database.begin() as connection:
            return (await connection.execute(change)).rowcount > 0

    async def save_creditor(self, creditor: Creditor) -> None:
        async with self._database.begin() as connection:
            await connection.execute(*_creditors([creditor]))

    async def creditors(self) -> list[Creditor]:
        async with self._database.begin() as connection:
            rows = await connection.execute(select(creditors).order_by(creditors.c.id))
            return [Creditor(row.id, row.name, row.neutral_name, row.hotline) for row in rows]

    async def _records(
        self, conditions: list[ColumnElement[bool]], limit: int, offset: int
    ) -> tuple[list[CaseRecord], int]:
        async with self._database.begin() as connection:
            count = select(func.count()).select_from(CASE_TABLES).where(*conditions)
            total = (await connection.execute(count)).scalar_one()
            page = (
                select(*CASE_COLUMNS, *_LAST_TRY)
                .select_from(CASE_TABLES)
                .where(*conditions)
                .order_by(cases.c.overdue_days.desc(), cases.c.id)
            )
            rows = (await connection.execute(page.limit(limit).offset(offset))).all()
            reachable = await _numbers(connection, {row.debtor_id for row in rows})
        return [_to_record(row, reachable.get(row.debtor_id, ())) for row in rows], int(total)


def _of_attempts(column: ColumnElement[Any]) -> Any:
    """The column's value in the case's latest settled attempt."""
    return (
        select(column)
        .where(attempts.c.case_id == cases.c.id, attempts.c.state == "settled")
        .order_by(attempts.c.settled_at.desc())
        .limit(1)
        .scalar_subquery()
    )


_LAST_TRY = (
    select(func.count())
    .select_from(attempts)
    .where(attempts.c.case_id == cases.c.id, attempts.c.leased_at.is_not(None))
    .scalar_subquery()
    .label("tries"),
    _of_attempts(attempts.c.disposition).label("last_disposition"),
    _of_attempts(attempts.c.leased_at).label("last_call_at"),
)


async def _known(connection: AsyncConnection, ids: list[str]) -> dict[str, NewCase]:
    query = select(*CASE_COLUMNS).select_from(CASE_TABLES).where(cases.c.id.in_(ids))
    rows = (await connection.execute(query)).all()
    reachable = await _numbers(connection, {row.debtor_id for row in rows})
    return {row.case_id: NewCase(to_case(row), reachable.get(row.debtor_id, ())) for row in rows}


async def _numbers(connection: AsyncConnection, debtor_ids: set[str]) -> dict[str, tuple[Number, ...]]:
    query = select(numbers).where(numbers.c.debtor_id.in_(debtor_ids)).order_by(numbers.c.rank, numbers.c.id)
    found: dict[str, tuple[Number, ...]] = {}
    for row in await connection.execute(query):
        number = Number(row.number, TargetKind(row.kind), row.rank, row.valid)
        found[row.debtor_id] = (*found.get(row.debtor_id, ()), number)
    return found


def _compare(new: NewCase, old: NewCase | None) -> Saved:
    if old is None:
        return Saved.NEW
    known = {number.number: (number.kind, number.rank) for number in old.numbers}
    same_numbers = all(known.get(number.number) == (number.kind, number.rank) for number in new.numbers)
    return Saved.SAME if same_numbers and new.case == old.case else Saved.CHANGED


async def _write(connection: AsyncConnection, news: Sequence[NewCase], now: dt.datetime) -> None:
    await connection.execute(*_creditors([new.case.creditor for new in news]))
    people = {new.case.debtor.id: new.case.debtor for new in news}
    await connection.execute(
        _upsert(debtors, "id"),
        [
            {
                "id": person.id,
                "name": person.name,
                "salutation": person.salutation,
                "id_last4": person.id_last4,
                "birth_mmdd": person.birth_mmdd,
            }
            for person in people.values()
        ],
    )
    await connection.execute(_upsert(cases, "id"), [_case_values(new.case, now) for new in news])
    lines = {(new.case.debtor.id, n.number): n for new in news for n in new.numbers}
    if lines:
        await connection.execute(
            update(numbers).where(numbers.c.debtor_id.in_(people)).values(rank=numbers.c.rank + 100)
        )
        await connection.execute(
            _upsert(numbers, "debtor_id", "number"),
            [
                {"debtor_id": debtor, "number": n.number, "kind": n.kind, "rank": n.rank, "valid": n.valid}
                for (debtor, _), n in lines.items()
            ],
        )


def _creditors(wanted: Sequence[Creditor]) -> tuple[Any, list[dict[str, Any]]]:
    rows = {c.id: {"id": c.id, "name": c.name, "neutral_name": c.neutral_name, "hotline": c.hotline} for c in wanted}
    return _upsert(creditors, "id"), list(rows.values())


def _upsert(table: Any, *key: str) -> Any:
    """Insert, or overwrite all columns but the key and what only calls and people decide: status, valid, whose case."""
    query = insert(table)
    kept = {"id", "status", "valid", "agent_id", "agent_since", *key}
    change = {c.name: query.excluded[c.name] for c in table.columns if c.name not in kept}
    return query.on_conflict_do_update(index_elements=list(key), set_=change)


def _case_values(case: Case, now: dt.datetime) -> dict[str, Any]:
    return {
        "id": case.id,
        "debtor_id": case.debtor.id,
        "creditor_id": case.creditor.id,
        "product": case.product,
        "amount_fen": case.amount_fen,
        "billed_fen": case.amount_fen,
        "principal_fen": case.principal_fen,
        "fees_fen": case.fees_fen,
        "overdue_days": case.overdue_days,
        "as_of": case.as_of,
        "lawsuit_filed": case.lawsuit_filed,
        "credit_reported": case.credit_reported,
        "visit_scheduled": case.visit_scheduled,
        "entrusted": case.entrusted,
        "jurisdiction": case.jurisdiction,
        "updated_at": now,
    }


def _to_record(row: AnyRow, reachable: tuple[Number, ...]) -> CaseRecord:
    return CaseRecord(
        case=to_case(row),
        numbers=reachable,
        status=row.case_status,
        updated_at=row.case_updated_at,
        attempts=row.tries,
        last_disposition=row.last_disposition,
        last_call_at=row.last_call_at,
    )
