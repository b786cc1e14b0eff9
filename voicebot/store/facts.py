"""Facts: the live copy of the journals, and the stream that wakes the console."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Iterable, Mapping

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.records import LiveFact
from voicebot.store.database import FACTS, Database
from voicebot.store.rows import AnyRow
from voicebot.store.schema import facts

_LONGEST_NOTE = 7000  # bytes; PostgreSQL refuses 8000
_WAKE = text("SELECT pg_notify(:channel, note) FROM unnest(CAST(:notes AS text[])) AS note")


class Facts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, call_id: str, news: Iterable[Fact]) -> None:
        """Copy journal entries, once each, and wake listeners.

        HEARING is passed on to listeners and not kept.
        """
        await self.append_all({call_id: tuple(news)})

    async def append_all(self, news: Mapping[str, Iterable[Fact]]) -> None:
        """The same for several calls at once, all of it or nothing."""
        told = [(call_id, fact) for call_id, facts_ in news.items() for fact in facts_]
        kept = [_values(call_id, fact) for call_id, fact in told if fact.kind is not FactKind.HEARING]
        notes = [_note(call_id, fact) for call_id, fact in told if fact.kind is FactKind.HEARING]
        passed_on = [note for note in notes if len(note.encode()) <= _LONGEST_NOTE]
        if not kept and not passed_on:
            return
        async with self._database.begin() as connection:
            if passed_on:
                await connection.execute(_WAKE, {"channel": FACTS, "notes": passed_on})
            if kept:
                await connection.execute(insert(facts).on_conflict_do_nothing(), kept)

    async def of(self, call_id: str, after: int = -1) -> list[Fact]:
        """A call's facts in order, those behind `after` only."""
        query = select(facts).where(facts.c.call_id == call_id, facts.c.seq > after).order_by(facts.c.seq)
        async with self._database.begin() as connection:
            return [_to_fact(row) for row in await connection.execute(query)]

    async def live(self) -> AsyncIterator[LiveFact | None]:
        """All new facts of all calls, for ever. None comes first and after a lost connection: read afresh."""
        async for payload in self._database.listen(FACTS):
            yield await self._read(payload) if payload else None

    async def _read(self, payload: str) -> LiveFact | None:
        note = json.loads(payload)
        if "data" in note:
            return LiveFact(note["call_id"], _from_json(note))
        facts_ = await self.of(note["call_id"], int(note["seq"]) - 1)
        return LiveFact(note["call_id"], facts_[0]) if facts_ else None


def _note(call_id: str, fact: Fact) -> str:
    """A fact that no table holds, as listeners get it."""
    told = {"call_id": call_id, "seq": fact.seq, "at": fact.at, "ms": fact.ms, "kind": fact.kind}
    return json.dumps({**told, "data": dict(fact.data)}, ensure_ascii=False)


def _values(call_id: str, fact: Fact) -> Mapping[str, object]:
    return {
        "call_id": call_id,
        "seq": fact.seq,
        "at": dt.datetime.fromisoformat(fact.at),
        "ms": fact.ms,
        "kind": fact.kind,
        "data": dict(fact.data),
    }


def _to_fact(row: AnyRow) -> Fact:
    return Fact(row.seq, row.at.astimezone(dt.UTC).isoformat(), row.ms, FactKind(row.kind), row.data)


def _from_json(note: Mapping[str, object]) -> Fact:
    data = note["data"]
    at = dt.datetime.fromisoformat(str(note["at"])).astimezone(dt.UTC).isoformat()
    return Fact(
        int(str(note["seq"])),
        at,
        int(str(note["ms"])),
        FactKind(str(note["kind"])),
        data if isinstance(data, dict) else {},
    )
