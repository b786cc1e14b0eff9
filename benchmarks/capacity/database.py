"""What the database did: transactions, rows, bytes of log, wake-ups; and when which call was on the line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from voicebot.store.urls import conninfo

_COUNTERS = """
    SELECT xact_commit + xact_rollback, tup_inserted + tup_updated + tup_deleted, tup_fetched,
           pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8
    FROM pg_stat_database WHERE datname = current_database()
"""
_CALLS = """
    SELECT started_at, answered_at, ended_at, disposition FROM calls WHERE started_at < %s AND ended_at > %s
"""


@dataclass(frozen=True, slots=True)
class Counters:
    """What PostgreSQL counted since it began: transactions, rows written and read by index, bytes of its log."""

    transactions: int
    rows_written: int
    rows_fetched: int
    log_bytes: float

    def since(self, before: Counters) -> dict[str, float]:
        return {
            "transactions": self.transactions - before.transactions,
            "rows_written": self.rows_written - before.rows_written,
            "rows_fetched": self.rows_fetched - before.rows_fetched,
            "log_bytes": self.log_bytes - before.log_bytes,
        }


@dataclass(frozen=True, slots=True)
class Stretch:
    """One call on the line, in seconds of time.time(); `answered` None where nobody did."""

    began: float
    answered: float | None
    ended: float
    disposition: str


async def counters(url: str) -> Counters:
    """The counters now; a backend may keep its own back for a second."""
    async with await psycopg.AsyncConnection.connect(conninfo(url)) as connection:
        row = await (await connection.execute(_COUNTERS)).fetchone()
    assert row is not None
    return Counters(*row)


async def stretches(url: str, since: float, until: float) -> list[Stretch]:
    """All calls that were on the line at any time between the two."""
    bounds = [dt.datetime.fromtimestamp(at, dt.UTC) for at in (until, since)]
    async with await psycopg.AsyncConnection.connect(conninfo(url)) as connection:
        rows = await (await connection.execute(_CALLS, bounds)).fetchall()
    return [
        Stretch(began.timestamp(), answered and answered.timestamp(), ended.timestamp(), disposition or "")
        for began, answered, ended, disposition in rows
    ]


def call_seconds(calls: Sequence[Stretch], since: float, until: float) -> float:
    """Seconds of all calls between the two, ringing included."""
    return sum(max(0.0, min(one.ended, until) - max(one.began, since)) for one in calls)


def talk_seconds(calls: Sequence[Stretch], since: float, until: float) -> float:
    """The same without ringing."""
    return sum(
        max(0.0, min(one.ended, until) - max(one.answered, since)) for one in calls if one.answered is not None
    )
