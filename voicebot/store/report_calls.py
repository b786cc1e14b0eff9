"""ReportCalls: calls are counted once each, and the sums by day and by node of the script kept in step exactly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    and_,
    cast,
    delete,
    exists,
    func,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.clock import SHANGHAI
from voicebot.domain.counted import CallSetting, CountedCall
from voicebot.domain.tally import BLOCKED, COUNTERS, CRITICAL, DIMENSIONS
from voicebot.store.database import Database, lock_key
from voicebot.store.rows import AnyRow
from voicebot.store.schema import calls, campaigns, cases, debtors
from voicebot.store.schema_people import wrapups
from voicebot.store.schema_quality import call_checks, verdicts
from voicebot.store.schema_reports import report_calls, report_days, report_nodes

_BATCH = 500


class ReportCalls:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def uncounted(self, since: dt.datetime | None = None, limit: int = _BATCH) -> Sequence[CallSetting]:
        """Calls that are over and looked at but not counted yet, begun from `since` on; the oldest first."""
        counted = exists().where(report_calls.c.call_id == calls.c.id)
        query = _settings().where(calls.c.ended_at.is_not(None), call_checks.c.call_id.is_not(None), ~counted)
        if since is not None:
            query = query.where(calls.c.started_at >= since)
        return await self._read(query.order_by(calls.c.started_at).limit(limit))

    async def setting(self, call_id: str) -> CallSetting | None:
        """What is known of one call; None when there is no such call."""
        found = await self._read(_settings().where(calls.c.id == call_id))
        return found[0] if found else None

    async def after(self, call_id: str, limit: int = _BATCH) -> Sequence[CallSetting]:
        """Calls that are over in the order of their ids, behind `call_id` ("" for the first)."""
        query = _settings().where(calls.c.ended_at.is_not(None), calls.c.id > call_id)
        return await self._read(query.order_by(calls.c.id).limit(limit))

    async def put(self, counted: Iterable[CountedCall]) -> None:
        """Add these calls to the sums; those that were counted before are replaced. All or nothing."""
        rows = [_row(call) for call in counted]
        if not rows:
            return
        async with self._database.begin() as connection:
            await alone(connection)
            await forget_calls(connection, [row["call_id"] for row in rows])
            await connection.execute(report_calls.insert(), rows)
            await _know(connection, [row["call_id"] for row in rows])  # it may have been judged since it was read
            await _add(connection, [row["call_id"] for row in rows], 1)

    async def forget(self, call_ids: Sequence[str]) -> None:
        """Take calls out of the sums, so that they are counted anew."""
        async with self._database.begin() as connection:
            await alone(connection)
            await forget_calls(connection, call_ids)

    async def sum_anew(self) -> None:
        """Make the sums anew from the calls that were counted; those that are no calls any more are left out."""
        there = exists().where(calls.c.id == report_calls.c.call_id)
        async with self._database.begin() as connection:
            await alone(connection)
            await connection.execute(delete(report_calls).where(~there))
            for table in (report_days, report_nodes):
                await connection.execute(delete(table))
            await _add(connection, None, 1)

    async def sums(self) -> tuple[Sequence[tuple[Any, ...]], Sequence[tuple[Any, ...]]]:
        """All rows of the sums by day and by node, in order: to compare two ways of making them."""
        async with self._database.begin() as connection:
            days = await connection.execute(select(report_days).order_by(*report_days.primary_key.columns))
            nodes = await connection.execute(select(report_nodes).order_by(*report_nodes.primary_key.columns))
            return [tuple(row) for row in days], [tuple(row) for row in nodes]

    async def _read(self, query: Select[Any]) -> Sequence[CallSetting]:
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
            judged = select(verdicts).where(verdicts.c.call_id.in_([row.id for row in rows])).order_by(verdicts.c.seq)
            said: dict[str, list[tuple[str, bool]]] = {}
            for row in await connection.execute(judged):
                said.setdefault(row.call_id, []).append((row.rule, row.verdict == "confirmed"))
        return [_to_setting(row, tuple(said.get(row.id, ()))) for row in rows]


async def forget_calls(connection: AsyncConnection, call_ids: Sequence[str]) -> None:
    """As ReportCalls.forget, in the caller's transaction."""
    await _add(connection, call_ids, -1)
    await connection.execute(delete(report_calls).where(report_calls.c.call_id.in_(call_ids)))
    await connection.execute(delete(report_days).where(report_days.c.attempts == 0, report_days.c.inbound == 0))
    await connection.execute(delete(report_nodes).where(report_nodes.c.came == 0))


async def learned(connection: AsyncConnection, call_id: str) -> None:
    """What is known of a counted call beside its journal has changed: the sums follow, in the caller's transaction.

    A call that is not counted yet learns of it when it is.
    """
    await alone(connection)
    counted = select(report_calls.c.call_id).where(report_calls.c.call_id == call_id)
    if (await connection.execute(counted)).first() is None:
        return
    await _add(connection, [call_id], -1)
    await _know(connection, [call_id])
    await _add(connection, [call_id], 1)


async def alone(connection: AsyncConnection) -> None:
    """One at a time: two that count the same call at once would count it twice."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("reports", "sums")})


async def _know(connection: AsyncConnection, call_ids: Sequence[str]) -> None:
    """Write what stands beside the journals into the calls' rows, as voicebot/reports/counting.py counts it."""
    call_id, confirmed = report_calls.c.call_id, verdicts.c.verdict == "confirmed"
    blocked = verdicts.c.rule.startswith(BLOCKED, autoescape=True)

    def judged(condition: ColumnElement[bool]) -> ScalarSelect[int]:
        return select(func.count()).where(verdicts.c.call_id == call_id, condition).scalar_subquery()

    broken = exists().where(verdicts.c.call_id == call_id, confirmed, ~blocked)
    promised = exists().where(wrapups.c.call_id == call_id, wrapups.c.promise != text("'{}'::jsonb"))
    slipped = select(call_checks.c.slipped).where(call_checks.c.call_id == call_id).scalar_subquery()
    values = {
        "confirmed": judged(and_(confirmed, ~blocked)),
        "confirmed_critical": judged(and_(confirmed, verdicts.c.rule.in_(sorted(CRITICAL)))),
        "confirmed_calls": cast(broken, Integer),
        "false_blocks": judged(and_(verdicts.c.verdict != "confirmed", blocked)),
        "agent_promises": cast(and_(promised, report_calls.c.handled > 0), Integer),
        "slipped": func.coalesce(slipped, 0),
    }
    await connection.execute(update(report_calls).where(call_id.in_(call_ids)).values(values))


async def _add(connection: AsyncConnection, call_ids: Sequence[str] | None, sign: int) -> None:
    """Add the calls' rows (None: all) to both sums, or (sign -1) take them out again."""
    these = true() if call_ids is None else report_calls.c.call_id.in_(call_ids)
    keys = ("day", *DIMENSIONS)
    summed = select(
        *(report_calls.c[key] for key in keys),
        *((sign * cast(func.sum(report_calls.c[name]), report_days.c[name].type)).label(name) for name in COUNTERS),
    ).where(these)
    query = insert(report_days).from_select(
        [*keys, *COUNTERS], summed.group_by(*(report_calls.c[key] for key in keys))
    )
    more = {name: report_days.c[name] + query.excluded[name] for name in COUNTERS}
    await connection.execute(query.on_conflict_do_update(index_elements=list(keys), set_=more))
    await _add_nodes(connection, these, sign)


async def _add_nodes(connection: AsyncConnection, these: ColumnElement[bool], sign: int) -> None:
    each = func.unnest(report_calls.c.nodes).table_valued("node", joins_implicitly=True).render_derived("n")
    node = each.c.node
    ended = func.sum(cast(report_calls.c.last_node == node, Integer))
    values = (func.count(), ended, func.sum(report_calls.c.verified), func.sum(report_calls.c.promises))
    summed = (
        select(
            report_calls.c.day,
            report_calls.c.script,
            node,
            *(sign * cast(value, report_nodes.c.came.type) for value in values),
        )
        .where(these)
        .group_by(report_calls.c.day, report_calls.c.script, node)
    )
    names = ("came", "ended", "verified", "promised")
    query = insert(report_nodes).from_select(["day", "script", "node", *names], summed)
    more = {name: report_nodes.c[name] + query.excluded[name] for name in names}
    await connection.execute(query.on_conflict_do_update(index_elements=["day", "script", "node"], set_=more))


def _settings() -> Select[Any]:
    promised = exists().where(wrapups.c.call_id == calls.c.id, wrapups.c.promise != text("'{}'::jsonb"))
    known = (
        calls.outerjoin(cases, calls.c.case_id == cases.c.id)
        .outerjoin(debtors, cases.c.debtor_id == debtors.c.id)
        .outerjoin(campaigns, calls.c.campaign_id == campaigns.c.id)
        .outerjoin(call_checks, call_checks.c.call_id == calls.c.id)
    )
    return select(
        calls,
        cases.c.amount_fen,
        cases.c.overdue_days,
        cases.c.as_of,
        cases.c.debtor_id,
        cases.c.region,
        debtors.c.birth_year,
        campaigns.c.strategy,
        call_checks.c.slipped,
        call_checks.c.call_id.label("check_of"),
        promised.label("agent_promised"),
    ).select_from(known)


def _to_setting(row: AnyRow, said: tuple[tuple[str, bool], ...]) -> CallSetting:
    day = row.started_at.astimezone(SHANGHAI).date()
    overdue = None if row.overdue_days is None else max(0, row.overdue_days + (day - row.as_of).days)
    return CallSetting(
        call_id=row.id,
        direction=row.direction,
        started_at=row.started_at,
        script=(row.script or "").partition("@")[0],
        campaign=row.campaign_id or "",
        strategy=row.strategy or "",
        debtor=row.debtor_id or "",
        region=row.region or "",
        age=day.year - row.birth_year if row.birth_year else None,
        amount_fen=row.amount_fen or 0,
        overdue_days=overdue,
        bundle=row.bundle,
        checked=row.check_of is not None,
        slipped=row.slipped or 0,
        agent_promised=bool(row.agent_promised),
        verdicts=said,
    )


def _row(call: CountedCall) -> dict[str, Any]:
    setting, tally = call.setting, call.tally
    return {
        "call_id": setting.call_id,
        "day": setting.day,
        "stage": call.stage,
        "region": setting.region,
        "age": call.age,
        "script": setting.script,
        "strategy": setting.strategy,
        "agent": tally.agent,
        "campaign": setting.campaign,
        "debtor": setting.debtor,
        "nodes": list(tally.nodes),
        "last_node": tally.last_node,
        **{name: tally[name] for name in COUNTERS},
    }
