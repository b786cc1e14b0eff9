"""Segments over the database: the conditions of one, who is in it, and what it looks like in figures."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Integer,
    Numeric,
    ScalarSelect,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy import Text as TextType
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import TargetKind
from voicebot.domain.campaign import Segment, Span, TraitFilter
from voicebot.domain.segment import Ladder, Portrait, Share
from voicebot.store.database import Database
from voicebot.store.schema import attempts, cases, creditors, debtors, numbers
from voicebot.store.schema_strategy import risks

LOAN = "loan."
UNSCORED = ""


class Segments:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def ids(self, segment: Segment, day: dt.date, limit: int | None = None) -> list[str]:
        """The open cases of a segment as of `day`, by id."""
        query = select(cases.c.id).where(*open_cases(segment, day)).order_by(cases.c.id).limit(limit)
        async with self._database.begin() as connection:
            return list((await connection.execute(query)).scalars())

    async def count(self, segment: Segment, day: dt.date) -> tuple[int, int]:
        """How many open cases a segment holds, and what they owe together, in fen."""
        query = select(func.count(), func.coalesce(func.sum(cases.c.amount_fen), 0)).where(*open_cases(segment, day))
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).one()
        return int(row[0]), int(row[1])

    async def portrait(self, segment: Segment, day: dt.date, ladder: Ladder) -> Portrait:
        """A segment in figures. One pass over its cases for each way of parting them."""
        overdue = overdue_on(day)
        chosen = open_cases(segment, day)
        stage = _rung(overdue, [(one.id, one.last) for one in ladder.stages])
        band = _rung(cases.c.amount_fen, [(one.id, one.last) for one in ladder.amounts])
        tier = func.coalesce(select(risks.c.tier).where(risks.c.case_id == cases.c.id).scalar_subquery(), UNSCORED)
        owed = func.coalesce(func.sum(cases.c.amount_fen), 0)
        async with self._database.begin() as connection:
            whole = select(func.count(), owed, func.count(cases.c.debtor_id.distinct())).where(*chosen)
            total, fen, people = (await connection.execute(whole)).one()
            lender = select(creditors.c.name).where(creditors.c.id == cases.c.creditor_id).scalar_subquery()
            parts = [await _parted(connection, by, chosen) for by in (stage, band, tier, lender)]
        return Portrait(
            int(total), int(fen), int(people),
            _in_order(parts[0], [one.id for one in ladder.stages]),
            _in_order(parts[1], [one.id for one in ladder.amounts]),
            tuple(parts[2].values()),
            tuple(sorted(parts[3].values(), key=lambda share: -share.cases)),
        )  # fmt: skip


async def _parted(connection: AsyncConnection, by: Any, chosen: list[ColumnElement[bool]]) -> dict[str, Share]:
    part = select(by.label("part"), cases.c.amount_fen).where(*chosen).subquery()
    query = select(part.c.part, func.count(), func.sum(part.c.amount_fen)).group_by(part.c.part).order_by(part.c.part)
    return {row[0]: Share(row[0], int(row[1]), int(row[2])) for row in await connection.execute(query)}


def _in_order(parts: Mapping[str, Share], names: Sequence[str]) -> tuple[Share, ...]:
    return tuple(parts.get(name, Share(name, 0, 0)) for name in names)


def _rung(value: ColumnElement[Any], ends: Sequence[tuple[str, int | None]]) -> ColumnElement[str]:
    whens = [(value <= last, literal(name, TextType)) for name, last in ends if last is not None]
    top = literal(ends[-1][0], TextType)
    return case(*whens, else_=top) if whens else top


def best_number() -> ScalarSelect[str]:
    """The number of a case's debtor that is rung first; goes into a query over `cases`."""
    return (
        select(numbers.c.number)
        .where(numbers.c.debtor_id == cases.c.debtor_id, numbers.c.valid, numbers.c.kind == TargetKind.DEBTOR)
        .order_by(numbers.c.rank, numbers.c.id)
        .limit(1)
        .scalar_subquery()
    )


def overdue_on(day: dt.date) -> ColumnElement[int]:
    """Days of arrears of a case on a day: a bill ages by the calendar from the day its file says."""
    return cases.c.overdue_days + cast(literal(day, Date) - cases.c.as_of, Integer)


def open_cases(segment: Segment, day: dt.date) -> list[ColumnElement[bool]]:
    """The conditions on `cases` that make up a segment on a day."""
    return [cases.c.status == "open", *within_segment(segment, overdue_on(day))]


def within_segment(segment: Segment, overdue_days: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """The conditions of a segment, with the days of arrears as the caller counts them."""
    bounds: list[tuple[Callable[[Any, Any], Any], ColumnElement[Any], Any]] = [
        (operator.eq, cases.c.creditor_id, segment.creditor_id),
        (operator.eq, cases.c.product, segment.product),
        (operator.ge, overdue_days, segment.min_overdue_days),
        (operator.le, overdue_days, segment.max_overdue_days),
        (operator.ge, cases.c.amount_fen, segment.min_amount_fen),
        (operator.le, cases.c.amount_fen, segment.max_amount_fen),
    ]
    conditions = [compare(column, bound) for compare, column, bound in bounds if bound is not None]
    for column, chosen in (
        (cases.c.id, segment.case_ids),
        (cases.c.creditor_id, segment.creditor_ids),
        (cases.c.product, segment.products),
    ):
        if chosen is not None:
            conditions.append(column.in_(chosen))
    for value, spans in ((overdue_days, segment.overdue), (cases.c.amount_fen, segment.amounts)):
        if spans is not None:
            conditions.append(or_(*(_inside(value, span) for span in spans)))
    return conditions + _from_elsewhere(segment)


def _from_elsewhere(segment: Segment) -> list[ColumnElement[bool]]:
    """The conditions on what is known of a case beyond its own row."""
    conditions: list[ColumnElement[bool]] = []
    if segment.tiers is not None:
        scored = select(risks.c.case_id).where(risks.c.case_id == cases.c.id, risks.c.tier.in_(segment.tiers))
        conditions.append(scored.exists())
    rung = (attempts.c.case_id == cases.c.id, attempts.c.leased_at.is_not(None))
    if segment.tries is not None:
        conditions.append(_inside(select(func.count()).select_from(attempts).where(*rung).scalar_subquery(),
                                  segment.tries))  # fmt: skip
    if segment.last_outcomes is not None:
        last = (
            select(func.coalesce(attempts.c.disposition, ""))
            .where(*rung, attempts.c.settled_at.is_not(None))
            .order_by(attempts.c.settled_at.desc(), attempts.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        conditions.append(func.coalesce(last, "").in_(segment.last_outcomes))
    return conditions + [_known(trait) for trait in segment.traits]


def _known(trait: TraitFilter) -> ColumnElement[bool]:
    if trait.key.startswith(LOAN):
        value = cases.c.loan[trait.key.removeprefix(LOAN)]
    else:
        found = select(debtors.c.traits[trait.key]).where(debtors.c.id == cases.c.debtor_id)
        value = found.scalar_subquery()
    kind = func.jsonb_typeof(value)
    text = value.op("#>>", return_type=TextType())(literal_column("CAST('{}' AS text[])"))
    if trait.span is not None:
        number = case((kind == "number", cast(text, Numeric)), else_=None)
        return _inside(number, trait.span)
    if isinstance(trait.values[0], bool):
        flag = case((kind == "boolean", cast(text, Boolean)), else_=None)
        return flag.in_([bool(value) for value in trait.values])
    return and_(kind == "string", text.in_([str(value) for value in trait.values]))


def _inside(value: Any, span: Span | tuple[float | None, float | None]) -> ColumnElement[bool]:
    ends = [value >= span[0]] if span[0] is not None else []
    return and_(*ends, *([value <= span[1]] if span[1] is not None else []), value.is_not(None))


def segment_from(raw: Mapping[str, Any]) -> Segment:
    """A segment as it was written into a campaign."""
    known = {field.name for field in fields(Segment)}
    values = {name: _frozen(value) for name, value in raw.items() if name in known}
    traits = tuple(
        TraitFilter(one["key"], _frozen(one.get("span")), tuple(one.get("values") or ()))
        for one in raw.get("traits") or ()
    )
    return Segment(**values | {"traits": traits})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
