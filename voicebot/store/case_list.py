"""Case list: pages of cases by keyset, fast at a million of them; every search goes through an index."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_, union
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.records import CaseRecord, Number
from voicebot.store.case_parts import numbers_of
from voicebot.store.rows import CASE_COLUMNS, CASE_TABLES, AnyRow, to_case
from voicebot.store.schema import attempts, cases, debtors, numbers

ORDERS = {"overdue": cases.c.overdue_days, "amount": cases.c.amount_fen, "updated": cases.c.updated_at}
"""What a list can be ordered by, the largest first; ids break ties."""

FOUND_MOST = 1000
"""A search that finds more than this shows these alone; whoever searches writes more."""


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases to list; None and '' do not restrict.

    `text` is the beginning or the end of a name, a case number or a telephone number (the last four digits do).
    """

    text: str = ""
    status: str = ""
    creditor_id: str = ""
    product: str = ""
    region: str = ""
    min_overdue_days: int | None = None
    max_overdue_days: int | None = None
    min_amount_fen: int | None = None
    max_amount_fen: int | None = None
    agent_id: str = ""
    order: str = "overdue"


@dataclass(frozen=True, slots=True)
class CasePage:
    """Cases in order; `before` and `after` are marks of the neighbouring pages, None where there is none."""

    cases: tuple[CaseRecord, ...]
    before: str | None
    after: str | None


async def list_cases(
    connection: AsyncConnection, wanted: CaseFilter, limit: int, after: str | None, back: bool
) -> CasePage:
    """One page; one row more than shown is read to know whether it goes on."""
    key = _order(wanted)
    conditions = conditions_of(wanted)
    if after is not None:
        edge = tuple_(*_read_mark(after, wanted.order))
        at = tuple_(key, cases.c.id)
        conditions.append(at > edge if back else at < edge)
    order = (key.asc(), cases.c.id.asc()) if back else (key.desc(), cases.c.id.desc())
    ids = select(cases.c.id, key.label("key")).select_from(cases).where(*conditions).order_by(*order).limit(limit + 1)
    found = (await connection.execute(ids)).all()
    more, shown = len(found) > limit, found[:limit]
    if back:
        shown = list(reversed(shown))
    by_id = {record.case.id: record for record in await read_records(connection, [cases.c.id.in_(_ids(shown))])}
    records = tuple(by_id[row.id] for row in shown if row.id in by_id)
    if not shown:
        return CasePage((), None, None)
    has_before, has_after = (more, True) if back else (after is not None, more)
    first, last = _mark(shown[0], wanted.order), _mark(shown[-1], wanted.order)
    return CasePage(records, first if has_before else None, last if has_after else None)


async def count_cases(connection: AsyncConnection, wanted: CaseFilter, most: int) -> int:
    some = select(cases.c.id).where(*conditions_of(wanted)).limit(most + 1).subquery()
    return int((await connection.execute(select(func.count()).select_from(some))).scalar_one())


async def read_records(connection: AsyncConnection, conditions: Sequence[ColumnElement[bool]]) -> list[CaseRecord]:
    """Cases with numbers and what was tried; few of them."""
    query = select(*CASE_COLUMNS, *_LAST_TRY).select_from(CASE_TABLES).where(*conditions)
    rows = (await connection.execute(query)).all()
    reachable = await numbers_of(connection, {row.debtor_id for row in rows})
    return [_to_record(row, reachable.get(row.debtor_id, ())) for row in rows]


def conditions_of(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    """What a filter asks of table cases."""
    c = cases.c
    equal = ((c.status, wanted.status), (c.creditor_id, wanted.creditor_id), (c.product, wanted.product),
             (c.region, wanted.region), (c.agent_id, wanted.agent_id))  # fmt: skip
    least = ((c.overdue_days, wanted.min_overdue_days), (c.amount_fen, wanted.min_amount_fen))
    most = ((c.overdue_days, wanted.max_overdue_days), (c.amount_fen, wanted.max_amount_fen))
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equal if value]
    conditions += [column >= value for column, value in least if value is not None]
    conditions += [column <= value for column, value in most if value is not None]
    text = wanted.text.strip().lower()
    if text:
        conditions.append(cases.c.id.in_(select(_found(text).c.id)))
    return conditions


def _found(text: str) -> Any:
    """Ids of the cases a text finds, from one index each; materialised, so that no plan walks the whole list."""
    begins, ends = _like(text), _like(text[::-1])
    ways: list[Select[Any]] = [
        select(cases.c.id).where(func.lower(cases.c.id).like(begins, escape="\\")),
        _of_people(func.lower(debtors.c.name).like(begins, escape="\\")),
        _of_people(func.reverse(func.lower(debtors.c.name)).like(ends, escape="\\")),
    ]
    digits = re.sub(r"[\s+-]", "", text)
    if re.fullmatch(r"\d{4,}", digits):
        at_end = func.reverse(numbers.c.number).like(_like(digits[::-1]), escape="\\")
        ways.append(_of_numbers(at_end))
        ways.append(_of_numbers(numbers.c.number.in_([f"+86{digits}", f"+{digits}"])))
    elif text.startswith("sip"):
        ways.append(_of_numbers(numbers.c.number == text))
    limited = [way.limit(FOUND_MOST).subquery() for way in ways]
    return union(*(select(part.c.id) for part in limited)).cte("found").prefix_with("MATERIALIZED")


def _of_people(condition: ColumnElement[bool]) -> Select[Any]:
    return select(cases.c.id).select_from(cases.join(debtors)).where(condition)


def _of_numbers(condition: ColumnElement[bool]) -> Select[Any]:
    at_numbers = cases.join(numbers, numbers.c.debtor_id == cases.c.debtor_id)
    return select(cases.c.id).select_from(at_numbers).where(condition)


def _like(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text) + "%"


def _ids(rows: Sequence[AnyRow]) -> list[str]:
    return [row.id for row in rows]


def _order(wanted: CaseFilter) -> ColumnElement[Any]:
    if wanted.order not in ORDERS:
        raise ValueError(f"cases are ordered by {', '.join(ORDERS)}, not by {wanted.order!r}")
    return ORDERS[wanted.order]


def _mark(row: AnyRow, order: str) -> str:
    key = row.key.isoformat() if isinstance(row.key, dt.datetime) else row.key
    return base64.urlsafe_b64encode(json.dumps([order, key, row.id]).encode()).decode().rstrip("=")


def _read_mark(mark: str, order: str) -> tuple[object, str]:
    try:
        known, key, case_id = json.loads(base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)))
        if known != order or not isinstance(case_id, str) or not isinstance(key, str if order == "updated" else int):
            raise ValueError(mark)
        return (dt.datetime.fromisoformat(str(key)) if order == "updated" else int(key)), case_id
    except (ValueError, TypeError, binascii.Error) as error:
        raise ValueError(f"{mark[:80]!r} is no place in this list: start again without it") from error


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


def _to_record(row: AnyRow, reachable: tuple[Number, ...]) -> CaseRecord:
    return CaseRecord(
        case=to_case(row),
        numbers=reachable,
        status=row.case_status,
        updated_at=row.case_updated_at,
        attempts=row.tries,
        last_disposition=row.last_disposition,
        last_call_at=row.last_call_at,
        billed_fen=row.case_billed_fen,
        region=row.case_region,
        traits=row.debtor_traits,
        loan=row.case_loan,
    )
