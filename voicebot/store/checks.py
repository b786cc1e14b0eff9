"""Checks: what the speech gate found in every call that is over, and what reviewers say of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.dialects.postgresql import array, insert

from voicebot.domain.grams import grams
from voicebot.domain.quality import CallCheck, Finding, FindingKind, SpokenLine
from voicebot.store.database import Database
from voicebot.store.report_calls import learned
from voicebot.store.rows import AnyRow
from voicebot.store.schema import calls
from voicebot.store.schema_quality import call_checks, transcript_lines, verdicts
from voicebot.store.schema_workers import NOW

FOUND_WITHIN = dt.timedelta(hours=1)
"""How long a lost call is waited for before it is judged by what was heard of it."""


class Checks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def unchecked(self, since: dt.datetime | None = None, limit: int = 200) -> Sequence[str]:
        """Ids of calls that are over and were not looked at, begun from `since` on; the oldest first.

        Those of a worker that is gone wait: it may come back, with the rest of their journal.
        """
        looked = exists().where(call_checks.c.call_id == calls.c.id)
        known = or_(~calls.c.lost, calls.c.ended_at < NOW - FOUND_WITHIN)
        query = select(calls.c.id).where(calls.c.ended_at.is_not(None), known, ~looked)
        if since is not None:
            query = query.where(calls.c.started_at >= since)
        async with self._database.begin() as connection:
            return list((await connection.execute(query.order_by(calls.c.started_at).limit(limit))).scalars())

    async def save(self, check: CallCheck, lines: Iterable[SpokenLine]) -> None:
        """Write a check, and what was said in the call so that it is found; both in the place of older ones."""
        values = {
            "at": check.at,
            "findings": [_as_json(finding) for finding in check.findings],
            "sentences": check.sentences,
            "agent_sentences": check.agent_sentences,
            "slipped": check.slipped,
            "risk": check.risk,
        }
        query = insert(call_checks).values(call_id=check.call_id, **values)
        async with self._database.begin() as connection:
            await connection.execute(query.on_conflict_do_update(index_elements=["call_id"], set_=values))
            await connection.execute(transcript_lines.delete().where(transcript_lines.c.call_id == check.call_id))
            for line in lines:
                await connection.execute(transcript_lines.insert().values(**_line(check.call_id, line)))
            await learned(connection, check.call_id)

    async def of(self, call_id: str) -> CallCheck | None:
        query = select(call_checks).where(call_checks.c.call_id == call_id)
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).first()
        return _to_check(row) if row else None

    async def verdicts(self, call_id: str) -> Mapping[tuple[int, str], str]:
        """What reviewers said, by fact and rule: confirmed or false."""
        async with self._database.begin() as connection:
            rows = await connection.execute(select(verdicts).where(verdicts.c.call_id == call_id))
        return {(row.seq, row.rule): row.verdict for row in rows}

    async def judge(self, call_id: str, seq: int, rule: str, verdict: str, by: str, now: dt.datetime) -> None:
        """Say of a finding that it is confirmed or false; the last word stands, and the figures follow at once.

        ValueError for another verdict. A rule that held a sentence back is written `blocked:F01`.
        """
        if verdict not in ("confirmed", "false"):
            raise ValueError(f"a finding is confirmed or false, not {verdict!r}")
        values = {"verdict": verdict, "by": by, "at": now}
        query = insert(verdicts).values(call_id=call_id, seq=seq, rule=rule, **values)
        async with self._database.begin() as connection:
            keys = ["call_id", "seq", "rule"]
            await connection.execute(query.on_conflict_do_update(index_elements=keys, set_=values))
            await learned(connection, call_id)

    async def found(self, since: dt.datetime, rule: str | None = None, limit: int = 200) -> Sequence[CallCheck]:
        """Checks with findings of calls begun from `since` on, those that want a reviewer most first."""
        query = (
            select(call_checks)
            .join(calls, calls.c.id == call_checks.c.call_id)
            .where(calls.c.started_at >= since, func.jsonb_array_length(call_checks.c.findings) > 0)
        )
        if rule is not None:
            query = query.where(call_checks.c.findings.contains([{"rules": [rule]}]))
        async with self._database.begin() as connection:
            rows = await connection.execute(query.order_by(call_checks.c.risk.desc(), call_checks.c.at).limit(limit))
            return [_to_check(row) for row in rows]


def _line(call_id: str, line: SpokenLine) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "line": line.line,
        "speaker": line.speaker,
        "ms": line.ms,
        "end_ms": line.end_ms,
        "text": line.text,
        "grams": func.array_to_tsvector(array(grams(line.text) or ("",))),
    }


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "seq": finding.seq,
        "kind": finding.kind.value,
        "speaker": finding.speaker,
        "rules": list(finding.rules),
        "text": finding.text,
        "start_ms": finding.start_ms,
        "end_ms": finding.end_ms,
        "reason": finding.reason,
    }


def _to_check(row: AnyRow) -> CallCheck:
    findings = tuple(
        Finding(**{**item, "kind": FindingKind(item["kind"]), "rules": tuple(item["rules"])})
        for item in row.findings or ()
    )
    return CallCheck(row.call_id, row.at, findings, row.sentences, row.agent_sentences, row.risk)
