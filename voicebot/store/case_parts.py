"""Case parts: what hangs on cases and their debtors, read for many at once, and rows written many at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, any_, cast, column, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import TargetKind
from voicebot.domain.case import Address, Instalment
from voicebot.domain.records import Number
from voicebot.store.schema import numbers
from voicebot.store.schema_cases import instalments
from voicebot.store.schema_follow_up import addresses


def among(column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column is one of many values, which travel as one array."""
    return column == any_(literal(list(values), ARRAY(Text)))


def insert_rows(table: Table, rows: Sequence[Mapping[str, Any]]) -> Insert:
    """One statement for many rows: they travel as one JSON document, at a fraction of what a statement each costs."""
    names = list(rows[0])
    document = cast(literal(json.dumps(rows, ensure_ascii=False, default=str), Text), JSONB)
    columns = [column(name, table.c[name].type) for name in names]
    given = func.jsonb_to_recordset(document).table_valued(*columns, name="given").render_derived(with_types=True)
    return insert(table).from_select(names, select(*(given.c[name] for name in names)))


async def numbers_of(connection: AsyncConnection, debtor_ids: set[str]) -> dict[str, tuple[Number, ...]]:
    query = select(numbers).where(among(numbers.c.debtor_id, debtor_ids)).order_by(numbers.c.rank, numbers.c.id)
    found: dict[str, tuple[Number, ...]] = {}
    for row in await connection.execute(query):
        kind = TargetKind(row.kind)
        number = Number(row.number, kind, row.rank, row.valid, row.name, row.relation, row.place, row.carrier)
        found[row.debtor_id] = (*found.get(row.debtor_id, ()), number)
    return found


async def addresses_of(connection: AsyncConnection, debtor_ids: set[str]) -> dict[str, tuple[Address, ...]]:
    query = select(addresses).where(among(addresses.c.debtor_id, debtor_ids)).order_by(addresses.c.rank, addresses.c.id)
    found: dict[str, tuple[Address, ...]] = {}
    for row in await connection.execute(query):
        found[row.debtor_id] = (*found.get(row.debtor_id, ()), Address(row.channel, row.address, row.rank))
    return found


async def instalments_of(connection: AsyncConnection, case_ids: Sequence[str]) -> dict[str, tuple[Instalment, ...]]:
    query = select(instalments).where(among(instalments.c.case_id, case_ids)).order_by(instalments.c.number)
    found: dict[str, tuple[Instalment, ...]] = {}
    for row in await connection.execute(query):
        part = Instalment(row.number, row.due_on, row.amount_fen)
        found[row.case_id] = (*found.get(row.case_id, ()), part)
    return found
