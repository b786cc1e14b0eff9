"""Papers: what the installation knew before a call, and everything it holds of a case, for bundles and exports."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, func, select, text, tuple_

from voicebot.domain.case import Case
from voicebot.store.database import Database
from voicebot.store.rows import CASE_COLUMNS, CASE_TABLES, AnyRow, to_case
from voicebot.store.schema import attempts, calls, cases, consents, contact_stops, messages, promises
from voicebot.store.schema_evidence import legal_holds
from voicebot.store.schema_permissions import decisions

Row = dict[str, Any]
_FORGET_WORDS = (
    "UPDATE facts SET data = data - '{text,slots,to,from}'::text[] WHERE call_id = :call_id AND kind <> 'note'",
    "UPDATE facts SET data = data - 'blocked' WHERE call_id = :call_id AND kind = 'note'",
    "DELETE FROM transcript_lines WHERE call_id = :call_id",
    "UPDATE call_checks SET findings = (SELECT coalesce(jsonb_agg(one || jsonb_build_object('text', '')), '[]')"
    " FROM jsonb_array_elements(findings) one) WHERE call_id = :call_id",
)


@dataclass(frozen=True, slots=True)
class CasePapers:
    """Rows of one case, oldest first, as the tables hold them."""

    case: Case
    status: str
    calls: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    promises: list[Row] = field(default_factory=list)
    consents: list[Row] = field(default_factory=list)
    stops: list[Row] = field(default_factory=list)
    permissions: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording and what its retention depends on."""

    call_id: str
    case_id: str | None
    bundle: str
    ended_at: dt.datetime
    last_action: dt.datetime
    """The last call of its case."""
    case_open: bool
    settled_at: dt.datetime | None
    held: bool
    jurisdiction: str | None = None


class Papers:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def before_call(self, attempt_id: int | None, case_id: str | None) -> Row:
        """What goes into a call's bundle: `permission`, `messages` of the case so far, the last `promise`."""
        papers: Row = {}
        async with self._database.begin() as connection:
            if attempt_id is not None:
                query = select(decisions).where(decisions.c.attempt_id == attempt_id).order_by(decisions.c.id.desc())
                row = (await connection.execute(query.limit(1))).first()
                papers["permission"] = _plain(row) if row else None
            if case_id is not None:
                told = await connection.execute(_of_case(messages, case_id))
                papers["messages"] = [_plain(row) for row in told]
                made = (await connection.execute(_of_case(promises, case_id))).all()
                papers["promise"] = _plain(made[-1]) if made else None
        return papers

    async def of_case(self, case_id: str) -> CasePapers | None:
        """Everything about a case; None when there is no such case."""
        async with self._database.begin() as connection:
            query = select(*CASE_COLUMNS, cases.c.status).select_from(CASE_TABLES).where(cases.c.id == case_id)
            found = (await connection.execute(query)).first()
            if found is None:
                return None
            case, status = to_case(found), str(found.status)
            debtor = case.debtor.id
            asked = select(decisions).where(
                (decisions.c.case_id == case_id)
                | decisions.c.attempt_id.in_(select(attempts.c.id).where(attempts.c.case_id == case_id))
            )

            async def rows(query: Any) -> list[Row]:
                return [_plain(row) for row in await connection.execute(query)]

            return CasePapers(
                case,
                status,
                calls=await rows(select(calls).where(calls.c.case_id == case_id).order_by(calls.c.started_at)),
                messages=await rows(_of_case(messages, case_id)),
                promises=await rows(_of_case(promises, case_id)),
                consents=await rows(select(consents).where(consents.c.debtor_id == debtor).order_by(consents.c.id)),
                stops=await rows(
                    select(contact_stops).where(contact_stops.c.debtor_id == debtor).order_by(contact_stops.c.id)
                ),
                permissions=await rows(asked.order_by(decisions.c.id)),
            )

    async def kept(
        self, before: dt.datetime, limit: int = 500, after: tuple[dt.datetime, str] | None = None
    ) -> list[Kept]:
        """Recordings of calls that ended before a moment, oldest first; `after`: the last (end, id) seen."""
        of_case = calls.alias("of_case")
        last = select(func.max(of_case.c.started_at)).where(of_case.c.case_id == cases.c.id).correlate(cases)
        held = select(legal_holds.c.id).where(legal_holds.c.case_id == cases.c.id, legal_holds.c.lifted_at.is_(None))
        query = (
            select(
                calls.c.id,
                calls.c.case_id,
                calls.c.bundle,
                calls.c.ended_at,
                cases.c.status,
                cases.c.updated_at,
                cases.c.jurisdiction,
                last.scalar_subquery().label("last_action"),
                held.correlate(cases).exists().label("held"),
            )
            .select_from(calls.outerjoin(cases, cases.c.id == calls.c.case_id))
            .where(calls.c.ended_at < before, calls.c.bundle.is_not(None))
            .order_by(calls.c.ended_at, calls.c.id)
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(calls.c.ended_at, calls.c.id) > after)
        async with self._database.begin() as connection:
            return [_to_kept(row) for row in await connection.execute(query)]

    async def bundle_gone(self, call_id: str) -> None:
        """The recording of a call was deleted: what was said in it goes too, what it counted stays."""
        async with self._database.begin() as connection:
            await connection.execute(calls.update().where(calls.c.id == call_id).values(bundle=None))
            for forgetting in _FORGET_WORDS:
                await connection.execute(text(forgetting), {"call_id": call_id})


def _of_case(table: Table, case_id: str) -> Any:
    return select(table).where(table.c.case_id == case_id).order_by(table.c.id)


def _plain(row: AnyRow) -> Row:
    return dict(row._mapping)


def _to_kept(row: AnyRow) -> Kept:
    is_open = row.status == "open"
    settled = row.updated_at if row.status is not None and not is_open else None
    last = row.last_action or row.ended_at
    return Kept(row.id, row.case_id, row.bundle, row.ended_at, last, is_open, settled, bool(row.held), row.jurisdiction)
