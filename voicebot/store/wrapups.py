"""Wrap-ups: what agents write after calls. Promises, callbacks and stops go the bot's way, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.domain.attempt import AttemptState, ContactStop, NextAttempt
from voicebot.domain.desk import Wrapup
from voicebot.domain.journal import FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.plan import Part
from voicebot.store.database import Database
from voicebot.store.promises import record_callback, record_promise
from voicebot.store.report_calls import learned
from voicebot.store.rows import AnyRow
from voicebot.store.schema import attempts, callbacks, calls, cases, contact_stops, facts, promises
from voicebot.store.schema_people import agents, wrapups


class Wrapups:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self,
        wrapup: Wrapup,
        now: dt.datetime,
        *,
        number: str = "",
        stop: ContactStop | None = None,
        following: Sequence[NextAttempt] = (),
    ) -> bool:
        """Write a finished wrap-up and all that follows from it; False when it was written before.

        What was planned for the case gives way to `following`. `number` is where a callback rings.
        """
        async with self._database.begin() as connection:
            # Whoever settles the call's attempt meanwhile waits here, and then finds the wrap-up.
            await _attempt_of(connection, wrapup.call_id, lock=True)
            if not await _insert(connection, wrapup, now):
                return False
            await learned(connection, wrapup.call_id)
            if wrapup.case_id is not None:
                await _agree(connection, wrapup, wrapup.case_id, now, following)
            if wrapup.callback_at is not None:
                await _call_back(connection, wrapup, number, now)
            if stop is not None:
                await _stop(connection, stop)
            await _ready(connection, wrapup.agent_id, now)
        return True

    async def of_call(self, call_id: str) -> list[Wrapup]:
        """What was written about a call, oldest first."""
        query = select(wrapups).where(wrapups.c.call_id == call_id, wrapups.c.done_at.is_not(None))
        async with self._database.begin() as connection:
            return [_to_wrapup(row) for row in await connection.execute(query.order_by(wrapups.c.id))]

    async def of_case(self, case_id: str, limit: int = 20) -> list[Wrapup]:
        """What people wrote about a case, newest first."""
        query = select(wrapups).where(wrapups.c.case_id == case_id, wrapups.c.done_at.is_not(None))
        async with self._database.begin() as connection:
            rows = await connection.execute(query.order_by(wrapups.c.id.desc()).limit(limit))
            return [_to_wrapup(row) for row in rows]


    async def missing(self, agent_id: str, since: dt.datetime) -> list[str]:
        """Ids of the calls this agent talked in since then and has not written about, oldest first, also running."""
        done = select(wrapups.c.id).where(
            wrapups.c.call_id == facts.c.call_id, wrapups.c.agent_id == agent_id, wrapups.c.done_at.is_not(None)
        )
        query = select(facts.c.call_id).where(*_joined(agent_id), facts.c.at >= since, ~done.exists())
        async with self._database.begin() as connection:
            rows = await connection.execute(query.group_by(facts.c.call_id).order_by(func.min(facts.c.at)))
            return list(rows.scalars())

    async def took_part(self, agent_id: str, call_id: str) -> bool:
        """Whether this agent was rung for the call."""
        query = select(facts.c.seq).where(
            facts.c.call_id == call_id,
            facts.c.kind.in_((FactKind.AGENT_RINGING, FactKind.JOINED)),
            facts.c.data["agent"].astext == agent_id,
        )
        async with self._database.begin() as connection:
            return (await connection.execute(query.limit(1))).first() is not None


def _joined(agent_id: str) -> tuple[ColumnElement[bool], ...]:
    return facts.c.kind == FactKind.JOINED, facts.c.data["agent"].astext == agent_id


async def wrapped_up(connection: AsyncConnection, call_id: str | None) -> bool:
    """Whether a person wrote down what came of a call, in the caller's transaction: theirs is the last word."""
    done = select(wrapups.c.id).where(wrapups.c.call_id == call_id, wrapups.c.done_at.is_not(None)).limit(1)
    return (await connection.execute(done)).first() is not None


async def _insert(connection: AsyncConnection, wrapup: Wrapup, now: dt.datetime) -> bool:
    plan = [{"date": part.date.isoformat(), "amount_fen": part.amount_fen} for part in wrapup.parts]
    promised = plan[0] if plan else {}
    values: dict[str, Any] = {
        "call_id": wrapup.call_id,
        "agent_id": wrapup.agent_id,
        "case_id": wrapup.case_id,
        "code": wrapup.code,
        "notes": wrapup.notes,
        "promise": promised,
        "plan": {"parts": plan, "waived_fen": wrapup.waived_fen} if plan else {},
        "started_at": min(wrapup.started_at, now),
        "done_at": now,
    }
    query = insert(wrapups).values(**values)
    query = query.on_conflict_do_update(
        index_elements=["call_id", "agent_id"], set_=values, where=wrapups.c.done_at.is_(None)
    )
    return (await connection.execute(query.returning(wrapups.c.id))).first() is not None


async def _agree(
    connection: AsyncConnection, wrapup: Wrapup, case_id: str, now: dt.datetime, following: Sequence[NextAttempt]
) -> None:
    """The first part is a promise like the bot's; the later ones stand open beside it."""
    if wrapup.promise is not None:
        await record_promise(connection, case_id, wrapup.call_id, wrapup.promise, now)
        later = [
            {"case_id": case_id, "call_id": wrapup.call_id, "date": part.date, "amount_fen": part.amount_fen,
             "confirmed": True, "made_at": now}
            for part in wrapup.parts[1:]
        ]  # fmt: skip
        if later:
            await connection.execute(promises.insert(), later)
    if wrapup.code.talked:
        await _replan(connection, wrapup, case_id, now, following)
    if wrapup.parts or wrapup.callback_at is not None:
        owner = update(cases).where(cases.c.id == case_id, cases.c.agent_id.is_(None))
        await connection.execute(owner.values(agent_id=wrapup.agent_id))


async def _replan(
    connection: AsyncConnection, wrapup: Wrapup, case_id: str, now: dt.datetime, following: Sequence[NextAttempt]
) -> None:
    waiting = (attempts.c.case_id == case_id, attempts.c.state == AttemptState.WAITING)
    change = {"state": AttemptState.CANCELLED, "settled_at": now, "why": "settled by a person"}
    await connection.execute(update(attempts).where(*waiting).values(**change))
    past = await _attempt_of(connection, wrapup.call_id) or await _last_attempt(connection, case_id)
    if past is None:
        return
    for planned in following:
        values = {
            "campaign_id": past.campaign_id,
            "case_id": case_id,
            "debtor_id": past.debtor_id,
            "number": planned.number or past.number,
            "target": past.target,
            "purpose": planned.purpose,
            "script": planned.script or past.script,
            "not_before": planned.at,
        }
        await connection.execute(insert(attempts).values(**values).on_conflict_do_nothing())


async def _call_back(connection: AsyncConnection, wrapup: Wrapup, number: str, now: dt.datetime) -> None:
    reason = wrapup.callback_reason or wrapup.notes[:60]
    booked = await record_callback(
        connection, wrapup.case_id, wrapup.call_id, number, wrapup.callback_at, reason, now
    )
    await connection.execute(update(callbacks).where(callbacks.c.id == booked).values(agent_id=wrapup.agent_id))


async def _stop(connection: AsyncConnection, stop: ContactStop) -> None:
    values = {
        "debtor_id": stop.debtor_id,
        "number": stop.number,
        "reason": stop.reason,
        "call_id": stop.call_id,
        "since": stop.since,
        "until": stop.until,
    }
    await connection.execute(contact_stops.insert().values(**values))


async def _ready(connection: AsyncConnection, agent_id: str, now: dt.datetime) -> None:
    """Whoever has finished writing can take the next call."""
    writing = (agents.c.id == agent_id, agents.c.presence == "wrap_up")
    change = {"presence": "ready", "presence_at": now, "wrap_until": None}
    await connection.execute(update(agents).where(*writing).values(**change))


async def _attempt_of(connection: AsyncConnection, call_id: str, lock: bool = False) -> AnyRow | None:
    which = select(calls.c.attempt_id).where(calls.c.id == call_id).scalar_subquery()
    query = select(attempts).where(attempts.c.id == which)
    return (await connection.execute(query.with_for_update() if lock else query)).first()


async def _last_attempt(connection: AsyncConnection, case_id: str) -> AnyRow | None:
    query = select(attempts).where(attempts.c.case_id == case_id).order_by(attempts.c.id.desc()).limit(1)
    return (await connection.execute(query)).first()


def _to_wrapup(row: AnyRow) -> Wrapup:
    parts = row.plan.get("parts", [])
    return Wrapup(
        call_id=row.call_id,
        agent_id=row.agent_id,
        case_id=row.case_id,
        code=Disposition(row.code),
        notes=row.notes,
        parts=tuple(Part(dt.date.fromisoformat(part["date"]), part["amount_fen"]) for part in parts),
        waived_fen=row.plan.get("waived_fen", 0),
        started_at=row.started_at,
        done_at=row.done_at,
    )
