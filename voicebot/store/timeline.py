"""Timeline: everything that happened to a case in one list, newest first, read from where each thing is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, literal, or_, select, union_all
from sqlalchemy.dialects.postgresql import JSONB

from voicebot.store.database import Database
from voicebot.store.schema import (
    attempts,
    callbacks,
    calls,
    cases,
    consents,
    contact_stops,
    decisions,
    messages,
    numbers,
    promises,
)
from voicebot.store.schema_cases import case_events
from voicebot.store.schema_follow_up import payments, tickets
from voicebot.store.schema_people import wrapups

SHOWN = 100
"""Entries of one page; the rest is behind its mark."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `kind` is one of KINDS or of a case's own events; `ref` is its id where it is kept."""

    at: dt.datetime
    kind: str
    ref: str
    data: Mapping[str, Any]


class Timeline:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_case(self, case_id: str, before: dt.datetime | None = None, limit: int = SHOWN) -> list[Moment]:
        """What happened to a case, newest first; `before` a moment for what is older."""
        parts = []
        for part in _parts(case_id):
            source = part.subquery()
            older = [source.c.at < before] if before else []
            newest = select(source).where(source.c.at.is_not(None), *older).order_by(source.c.at.desc()).limit(limit)
            parts.append(select(newest.subquery()))
        together = union_all(*parts).subquery()
        query = select(together).order_by(together.c.at.desc(), together.c.kind, together.c.ref.desc()).limit(limit)
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
        return [Moment(row.at, row.kind, row.ref, row.data) for row in rows]


def _part(
    kind: str | ColumnElement[str], at: ColumnElement[Any], ref: ColumnElement[Any], **data: ColumnElement[Any]
) -> Select[Any]:
    pairs = [item for name, column in data.items() for item in (literal(name), column)]
    told = cast(func.jsonb_build_object(*pairs), JSONB) if pairs else cast(literal({}, JSONB), JSONB)
    name = literal(kind) if isinstance(kind, str) else kind
    return select(at.label("at"), cast(name, Text).label("kind"), cast(ref, Text).label("ref"), told.label("data"))


def _parts(case_id: str) -> list[Select[Any]]:
    """One select for each place where something about a case is kept."""
    debtor = select(cases.c.debtor_id).where(cases.c.id == case_id).scalar_subquery()
    own = select(numbers.c.number).where(numbers.c.debtor_id == debtor)
    begun = or_(attempts.c.leased_at.is_not(None), attempts.c.settled_at.is_not(None))
    return [
        select(
            case_events.c.at,
            cast(case_events.c.kind, Text).label("kind"),
            cast(case_events.c.id, Text).label("ref"),
            case_events.c.data.op("||")(func.jsonb_build_object("by", case_events.c.by)).label("data"),
        ).where(case_events.c.case_id == case_id),
        _part(
            "call", calls.c.started_at, calls.c.id, direction=calls.c.direction, number=calls.c.number,
            disposition=calls.c.disposition, why=calls.c.why, ms=calls.c.duration_ms, handoff=calls.c.handoff,
        ).where(calls.c.case_id == case_id),
        _part(
            "attempt", func.coalesce(attempts.c.leased_at, attempts.c.settled_at), attempts.c.id,
            number=attempts.c.number, state=attempts.c.state, disposition=attempts.c.disposition,
            why=attempts.c.why, purpose=attempts.c.purpose, call_id=attempts.c.call_id,
        ).where(attempts.c.case_id == case_id, begun),
        _part(
            "planned", attempts.c.not_before, attempts.c.id, number=attempts.c.number, purpose=attempts.c.purpose,
            rule=attempts.c.rule,
        ).where(attempts.c.case_id == case_id, attempts.c.state == "waiting"),
        _part(
            "permission", decisions.c.at, decisions.c.id, allowed=decisions.c.allowed, rule=decisions.c.rule,
            reason=decisions.c.reason, not_before=decisions.c.not_before, attempt=decisions.c.attempt_id,
        ).select_from(decisions.join(attempts, attempts.c.id == decisions.c.attempt_id))
        .where(attempts.c.case_id == case_id),
        _part(
            "promise", promises.c.made_at, promises.c.id, date=promises.c.date, amount_fen=promises.c.amount_fen,
            state=promises.c.state, call_id=promises.c.call_id, confirmed=promises.c.confirmed,
        ).where(promises.c.case_id == case_id),
        _part(
            "payment", payments.c.received_at, payments.c.id, amount_fen=payments.c.amount_fen,
            paid_on=payments.c.paid_on, source=payments.c.source, reference=payments.c.external_id,
        ).where(payments.c.case_id == case_id),
        _part(
            "message", func.coalesce(messages.c.sent_at, messages.c.not_before), messages.c.id, name=messages.c.kind,
            state=messages.c.state, text=messages.c.text, why=messages.c.why,
        ).where(messages.c.case_id == case_id),
        _part(
            "callback", callbacks.c.booked_at, callbacks.c.id, due=callbacks.c.at, reason=callbacks.c.reason,
            done_at=callbacks.c.done_at,
        ).where(callbacks.c.case_id == case_id),
        _part(
            "ticket", tickets.c.opened_at, tickets.c.id, name=tickets.c.kind, state=tickets.c.state,
            owner=tickets.c.owner, deadline=tickets.c.deadline, decision=tickets.c.decision,
        ).where(tickets.c.case_id == case_id),
        _part(
            "wrapup", func.coalesce(wrapups.c.done_at, wrapups.c.started_at), wrapups.c.id, code=wrapups.c.code,
            text=wrapups.c.notes, agent=wrapups.c.agent_id, call_id=wrapups.c.call_id,
        ).where(wrapups.c.case_id == case_id),
        _part(
            "stop", contact_stops.c.since, contact_stops.c.id, reason=contact_stops.c.reason,
            number=contact_stops.c.number, until=contact_stops.c.until, cleared_at=contact_stops.c.cleared_at,
        ).where(or_(contact_stops.c.debtor_id == debtor, contact_stops.c.number.in_(own))),
        _part("consent", consents.c.given_at, consents.c.id, name=consents.c.kind, revoked_at=consents.c.revoked_at)
        .where(consents.c.debtor_id == debtor),
    ]  # fmt: skip


KINDS = (
    "call", "attempt", "planned", "permission", "promise", "payment", "message", "callback", "ticket", "wrapup", "stop",
    "consent",
)  # fmt: skip
"""Beside them stand the kinds of table case_events: imported, changed, open, suspended, closed, note."""
