"""Case saving: what a creditor's file says is written over what is known; people are known again across files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Table, func, select, update
from sqlalchemy import case as sql_case
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import TargetKind
from voicebot.domain.case import Address, Case, Creditor, Debtor, Instalment, Salutation
from voicebot.domain.records import Number
from voicebot.store.case_parts import addresses_of, among, insert_rows, instalments_of, numbers_of
from voicebot.store.rows import CASE_COLUMNS, CASE_TABLES, AnyRow, to_bill
from voicebot.store.schema import cases, creditors, debtors, numbers
from voicebot.store.schema_cases import case_events, instalments
from voicebot.store.schema_follow_up import addresses, payments


class Saved(StrEnum):
    """What saving a case did."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case as a creditor tells it: the bill, ways to reach the debtor, best first, and what else is known.

    `traits` and `loan` by the ids of voicebot/cases/data/case_fields.yaml. What is left empty stays as it was.
    """

    case: Case
    numbers: tuple[Number, ...]
    addresses: tuple[Address, ...] = ()
    traits: Mapping[str, object] = field(default_factory=dict)
    loan: Mapping[str, object] = field(default_factory=dict)
    region: str = ""
    birth_year: int | None = None
    instalments: tuple[Instalment, ...] = ()


async def save_cases(
    connection: AsyncConnection, news: Sequence[NewCase], now: dt.datetime, by: str, source: str
) -> list[Saved]:
    """Write cases with all that hangs on them; ids are unique within `news`."""
    before = await _known(connection, news)
    news = await _known_people(connection, news, before)
    filled = [_filled(new, before.get(new.case.id)) for new in news]
    results = [_compare(new, before.get(new.case.id)) for new in filled]
    changed = [new for new, result in zip(filled, results, strict=True) if result is not Saved.SAME]
    if changed:
        await _write(connection, changed, before, now)
        told = [_event(new, before.get(new.case.id), now, by, source) for new in changed]
        await connection.execute(insert_rows(case_events, told))
    return results


async def _known_people(
    connection: AsyncConnection, news: Sequence[NewCase], before: Mapping[str, NewCase]
) -> list[NewCase]:
    """The same cases, with debtors whom we know under another customer number by that number.

    Somebody is the same person who has the same name and a number, or this very case, in common, unless their
    identity cards or birthdays differ. A customer number that we know is believed.
    """
    wanted = select(debtors.c.id).where(among(debtors.c.id, [new.case.debtor.id for new in news]))
    ids = set((await connection.execute(wanted)).scalars())
    strangers = [new for new in news if new.case.debtor.id not in ids]
    if not strangers:
        return list(news)
    people = await _at_numbers(connection, strangers)
    return [new if new.case.debtor.id in ids else _as_known(new, people, before.get(new.case.id)) for new in news]


async def _at_numbers(connection: AsyncConnection, news: Sequence[NewCase]) -> dict[tuple[str, str], AnyRow]:
    """Whom we know at the numbers of these cases, by name and number."""
    at = {number.number for new in news for number in new.numbers if number.kind is TargetKind.DEBTOR}
    columns = (debtors.c.id, debtors.c.name, debtors.c.id_last4, debtors.c.birth_mmdd, numbers.c.number)
    query = (
        select(*columns)
        .select_from(debtors.join(numbers))
        .where(among(numbers.c.number, at), numbers.c.kind == TargetKind.DEBTOR)
        .order_by(debtors.c.id)
    )
    people: dict[tuple[str, str], AnyRow] = {}
    for row in await connection.execute(query):
        people.setdefault((row.name, row.number), row)
    return people


def _as_known(new: NewCase, people: Mapping[tuple[str, str], AnyRow], old: NewCase | None) -> NewCase:
    debtor = new.case.debtor
    known = old.case.debtor if old else None
    if known and known.name == debtor.name and same_identity(debtor, known.id_last4, known.birth_mmdd):
        return replace(new, case=replace(new.case, debtor=replace(debtor, id=known.id)))
    for number in new.numbers:
        row = people.get((debtor.name, number.number))
        if row is not None and same_identity(debtor, row.id_last4, row.birth_mmdd):
            return replace(new, case=replace(new.case, debtor=replace(debtor, id=row.id)))
    return new


def same_identity(debtor: Debtor, id_last4: str | None, birth_mmdd: str | None) -> bool:
    """Whether nothing that is known on both sides differs."""
    pairs = ((debtor.id_last4, id_last4), (debtor.birth_mmdd, birth_mmdd))
    return all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)


async def _known(connection: AsyncConnection, news: Sequence[NewCase]) -> dict[str, NewCase]:
    ids = [new.case.id for new in news]
    query = select(*CASE_COLUMNS).select_from(CASE_TABLES).where(among(cases.c.id, ids))
    rows = (await connection.execute(query)).all()
    people = {row.debtor_id for row in rows}
    reachable = await numbers_of(connection, people) if rows else {}
    written = await addresses_of(connection, people) if rows and any(new.addresses for new in news) else {}
    parts = await instalments_of(connection, ids) if rows and any(new.instalments for new in news) else {}
    return {
        row.case_id: NewCase(
            to_bill(row),
            reachable.get(row.debtor_id, ()),
            written.get(row.debtor_id, ()),
            row.debtor_traits,
            row.case_loan,
            row.case_region,
            row.debtor_birth_year,
            parts.get(row.case_id, ()),
        )
        for row in rows
    }


def _filled(new: NewCase, old: NewCase | None) -> NewCase:
    """What the file is silent about stays as it was."""
    if old is None:
        return new
    mine, known = new.case.debtor, old.case.debtor
    if mine.id == known.id:
        mine = replace(
            mine,
            salutation=known.salutation if mine.salutation is Salutation.UNKNOWN else mine.salutation,
            id_last4=mine.id_last4 or known.id_last4,
            birth_mmdd=mine.birth_mmdd or known.birth_mmdd,
        )
    return replace(
        new,
        case=replace(new.case, debtor=mine),
        traits={**old.traits, **new.traits},
        loan={**old.loan, **new.loan},
        region=new.region or old.region,
        birth_year=new.birth_year or old.birth_year,
        instalments=new.instalments or old.instalments,
    )


def _compare(new: NewCase, old: NewCase | None) -> Saved:
    if old is None:
        return Saved.NEW
    known = {number.number: (number.kind, number.rank) for number in old.numbers}
    same_numbers = all(known.get(number.number) == (number.kind, number.rank) for number in new.numbers)
    same_addresses = {(a.channel, a.address) for a in new.addresses} <= {(a.channel, a.address) for a in old.addresses}
    same_rest = replace(new, numbers=(), addresses=()) == replace(old, numbers=(), addresses=())
    return Saved.SAME if same_numbers and same_addresses and same_rest else Saved.CHANGED


async def _write(
    connection: AsyncConnection, news: Sequence[NewCase], before: Mapping[str, NewCase], now: dt.datetime
) -> None:
    await connection.execute(*creditor_rows([new.case.creditor for new in news]))
    await connection.execute(_upsert_people(_people(news)))
    billed = [new for new in news if (old := before.get(new.case.id)) and old.case.amount_fen != new.case.amount_fen]
    paid = await _paid_since(connection, billed)
    rows = [_case_values(new, before.get(new.case.id), paid.get(new.case.id, 0), now) for new in news]
    await connection.execute(_upsert_cases(rows))
    await _write_numbers(connection, news, {old.case.debtor.id for old in before.values()})
    await _write_addresses(connection, news)
    await _write_instalments(connection, news)


async def _write_numbers(connection: AsyncConnection, news: Sequence[NewCase], known: set[str]) -> None:
    """Named numbers come first; those that are not named any more stay behind them."""
    lines = {(new.case.debtor.id, n.number): n for new in news for n in new.numbers}
    if not lines:
        return
    moved = [debtor for debtor, _ in lines if debtor in known]
    if moved:
        await connection.execute(
            update(numbers).where(numbers.c.debtor_id.in_(moved)).values(rank=numbers.c.rank + 100)
        )
    values = [
        {"debtor_id": debtor, "number": n.number, "kind": n.kind, "rank": n.rank, "valid": n.valid, "name": n.name,
         "relation": n.relation, "place": n.place, "carrier": n.carrier}
        for (debtor, _), n in lines.items()
    ]  # fmt: skip
    await connection.execute(_overwriting(insert_rows(numbers, values), numbers, "debtor_id", "number"))


async def _write_addresses(connection: AsyncConnection, news: Sequence[NewCase]) -> None:
    values = {
        (new.case.debtor.id, a.channel, a.address): {
            "debtor_id": new.case.debtor.id,
            "channel": a.channel,
            "address": a.address,
            "rank": a.rank,
        }
        for new in news
        for a in new.addresses
    }
    if values:
        await connection.execute(insert(addresses).on_conflict_do_nothing(), list(values.values()))


async def _write_instalments(connection: AsyncConnection, news: Sequence[NewCase]) -> None:
    values = [
        {"case_id": new.case.id, "number": part.number, "due_on": part.due_on, "amount_fen": part.amount_fen}
        for new in news
        for part in new.instalments
    ]
    if values:
        listed = {row["case_id"] for row in values}
        await connection.execute(instalments.delete().where(instalments.c.case_id.in_(listed)))
        await connection.execute(instalments.insert(), values)


async def _paid_since(connection: AsyncConnection, news: Sequence[NewCase]) -> dict[str, int]:
    """What was paid after the day of each new bill, which the bill can't know of."""
    if not news:
        return {}
    days = {new.case.id: new.case.as_of for new in news}
    query = (
        select(payments.c.case_id, payments.c.paid_on, func.sum(payments.c.amount_fen).label("fen"))
        .where(payments.c.case_id.in_(days))
        .group_by(payments.c.case_id, payments.c.paid_on)
    )
    found: dict[str, int] = {}
    for row in await connection.execute(query):
        if row.paid_on > days[row.case_id]:
            found[row.case_id] = found.get(row.case_id, 0) + int(row.fen)
    return found


def _event(new: NewCase, old: NewCase | None, now: dt.datetime, by: str, source: str) -> dict[str, Any]:
    data: dict[str, object] = {"import": source} if source else {}
    if old is None:
        data |= {"amount_fen": new.case.amount_fen, "overdue_days": new.case.overdue_days}
    else:
        data |= {
            name: [getattr(old.case, name), getattr(new.case, name)]
            for name in ("amount_fen", "overdue_days")
            if getattr(old.case, name) != getattr(new.case, name)
        }
    return {"case_id": new.case.id, "at": now, "kind": "changed" if old else "imported", "by": by, "data": data}


def creditor_rows(wanted: Sequence[Creditor]) -> tuple[Any, list[dict[str, Any]]]:
    rows = {c.id: {"id": c.id, "name": c.name, "neutral_name": c.neutral_name, "hotline": c.hotline} for c in wanted}
    return upsert(creditors, "id"), list(rows.values())


def upsert(table: Any, *key: str) -> Any:
    """Insert, or overwrite all columns but the key and what only calls and people decide: status, valid, whose case."""
    return _overwriting(insert(table), table, *key)


def _overwriting(query: Insert, table: Table, *key: str) -> Any:
    kept = {"id", "status", "valid", "agent_id", "agent_since", *key}
    change = {c.name: query.excluded[c.name] for c in table.columns if c.name not in kept}
    return query.on_conflict_do_update(index_elements=list(key), set_=change)


def _people(news: Sequence[NewCase]) -> list[dict[str, Any]]:
    """Each debtor once, with all that the cases tell."""
    people: dict[str, dict[str, Any]] = {}
    for new in news:
        told = _debtor_values(new)
        known = people.setdefault(told["id"], told)
        traits = {**known["traits"], **told["traits"]}
        known.update({name: value for name, value in told.items() if value is not None}, traits=traits)
    return list(people.values())


def _upsert_people(rows: Sequence[Mapping[str, Any]]) -> Any:
    """What a file is silent about stays as it was, also for debtors whose other cases it names."""
    query = insert_rows(debtors, rows)
    new = query.excluded
    change = {
        "name": new.name,
        "salutation": func.coalesce(func.nullif(new.salutation, "unknown"), debtors.c.salutation),
        "id_last4": func.coalesce(new.id_last4, debtors.c.id_last4),
        "birth_mmdd": func.coalesce(new.birth_mmdd, debtors.c.birth_mmdd),
        "birth_year": func.coalesce(new.birth_year, debtors.c.birth_year),
        "traits": debtors.c.traits.op("||")(new.traits),
    }
    return query.on_conflict_do_update(index_elements=["id"], set_=change)


def _upsert_cases(rows: Sequence[Mapping[str, Any]]) -> Any:
    """What was paid stays deducted while the creditor's figure is the old one: such a file does not know of it."""
    query = insert_rows(cases, rows)
    new = query.excluded
    kept = {"id", "status", "agent_id", "agent_since"}
    change: dict[str, Any] = {c.name: new[c.name] for c in cases.columns if c.name not in kept}
    change["amount_fen"] = sql_case((cases.c.billed_fen == new.billed_fen, cases.c.amount_fen), else_=new.amount_fen)
    change["status"] = sql_case((new.amount_fen == 0, "closed"), else_=cases.c.status)
    return query.on_conflict_do_update(index_elements=["id"], set_=change)


def _debtor_values(new: NewCase) -> dict[str, Any]:
    person = new.case.debtor
    return {
        "id": person.id,
        "name": person.name,
        "salutation": person.salutation,
        "id_last4": person.id_last4,
        "birth_mmdd": person.birth_mmdd,
        "birth_year": new.birth_year,
        "traits": dict(new.traits),
    }


def _case_values(new: NewCase, old: NewCase | None, paid_fen: int, now: dt.datetime) -> dict[str, Any]:
    case = new.case
    return {
        "id": case.id,
        "debtor_id": case.debtor.id,
        "creditor_id": case.creditor.id,
        "product": case.product,
        "amount_fen": max(0, case.amount_fen - paid_fen),
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
        "region": new.region,
        "loan": dict(new.loan),
    }
