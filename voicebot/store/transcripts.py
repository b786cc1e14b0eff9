"""Transcripts: everything that was ever said, sought by characters, with filters on all that is known of a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, cast, false, func, or_, select
from sqlalchemy.dialects.postgresql import TSQUERY

from voicebot.domain.grams import sought
from voicebot.domain.quality import SpeechHit, SpeechSearch, SpokenLine
from voicebot.store.database import Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema import calls, cases, debtors, facts
from voicebot.store.schema_quality import call_checks, reviews, transcript_lines

_MOST_LINES = 6
_TABLES = (
    calls.outerjoin(cases, calls.c.case_id == cases.c.id)
    .outerjoin(debtors, cases.c.debtor_id == debtors.c.id)
    .outerjoin(call_checks, call_checks.c.call_id == calls.c.id)
)


class Transcripts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(
        self, wanted: SpeechSearch, limit: int = 25, offset: int = 0
    ) -> tuple[Sequence[SpeechHit], int]:
        """One page of calls, newest first, with the lines that were meant; and how many calls there are in all."""
        conditions = _conditions(wanted)
        chosen = (
            select(calls, debtors.c.name.label("debtor_name"), call_checks.c.risk)
            .select_from(_TABLES)
            .where(*conditions)
            .order_by(calls.c.started_at.desc(), calls.c.id)
        )
        async with self._database.begin() as connection:
            count = select(func.count()).select_from(_TABLES).where(*conditions)
            total = int((await connection.execute(count)).scalar_one())
            rows = (await connection.execute(chosen.limit(limit).offset(offset))).all()
            lines = await self._lines(connection, wanted, [row.id for row in rows])
        return [_to_hit(row, lines.get(row.id, ())) for row in rows], total

    async def _lines(
        self, connection: Any, wanted: SpeechSearch, call_ids: Sequence[str]
    ) -> dict[str, tuple[SpokenLine, ...]]:
        terms = _terms(wanted.text)
        if not terms or not call_ids:
            return {}
        said = or_(*(transcript_lines.c.grams.op("@@")(term) for term in terms))
        query = select(transcript_lines).where(transcript_lines.c.call_id.in_(call_ids), said)
        if wanted.speaker:
            query = query.where(transcript_lines.c.speaker == wanted.speaker)
        found: dict[str, tuple[SpokenLine, ...]] = {}
        for row in await connection.execute(query.order_by(transcript_lines.c.call_id, transcript_lines.c.line)):
            before = found.get(row.call_id, ())
            if len(before) < _MOST_LINES:
                found[row.call_id] = (*before, SpokenLine(row.line, row.speaker, row.ms, row.end_ms, row.text))
        return found


def _terms(text: str) -> list[ColumnElement[Any]]:
    """One query per word between blanks; a word of nothing but punctuation asks for nothing."""
    pieces = [sought(word) for word in text.split()]
    # Grams are letters, digits and Chinese characters alone, so quoting them needs no escape.
    return [cast(" & ".join(f"'{gram}'" for gram in found), TSQUERY) for found in pieces if found]


def _conditions(wanted: SpeechSearch) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [calls.c.ended_at.is_not(None)]
    terms = _terms(wanted.text)
    if wanted.text.strip() and not terms:
        conditions.append(false())
    for term in terms:
        said = select(transcript_lines.c.call_id).where(transcript_lines.c.grams.op("@@")(term))
        if wanted.speaker:
            said = said.where(transcript_lines.c.speaker == wanted.speaker)
        conditions.append(calls.c.id.in_(said))
    if wanted.since is not None:
        conditions.append(calls.c.started_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(calls.c.started_at < wanted.until)
    same = {
        "disposition": wanted.disposition,
        "script": wanted.script,
        "campaign_id": wanted.campaign,
        "direction": wanted.direction,
        "handoff": wanted.handoff,
        "verified": wanted.verified,
    }
    conditions += [calls.c[name] == value for name, value in same.items() if value is not None and value != ""]
    return [*conditions, *_inner(wanted)]


def _inner(wanted: SpeechSearch) -> list[ColumnElement[bool]]:
    """What is known of a call by its length, its findings, its reviews and who took part."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.agent:
        joined = select(facts.c.call_id).where(facts.c.kind == "joined", facts.c.data["agent"].astext == wanted.agent)
        conditions.append(calls.c.id.in_(joined))
    if wanted.rule:
        conditions.append(call_checks.c.findings.contains([{"rules": [wanted.rule]}]))
    if wanted.emotion:
        conditions.append(calls.c.emotion.has_key(wanted.emotion))
    if wanted.least_risk is not None:
        conditions.append(call_checks.c.risk >= wanted.least_risk)
    if wanted.least_s is not None:
        conditions.append(calls.c.duration_ms >= wanted.least_s * 1000)
    if wanted.most_s is not None:
        conditions.append(calls.c.duration_ms <= wanted.most_s * 1000)
    if wanted.most_score is not None:
        scored = select(reviews.c.call_id).where(reviews.c.score <= wanted.most_score)
        conditions.append(calls.c.id.in_(scored))
    return conditions


def _to_hit(row: AnyRow, lines: tuple[SpokenLine, ...]) -> SpeechHit:
    return SpeechHit(
        call_id=row.id,
        started_at=row.started_at,
        number=row.number,
        debtor_name=row.debtor_name or "",
        script=row.script or "",
        disposition=row.disposition,
        duration_ms=row.duration_ms or 0,
        risk=row.risk or 0,
        lines=lines,
    )
