"""Leases and outcomes per second, beside the bare statements that they can't do without, in the same run.

    python -m benchmarks.dialler.leases [--attempts 50000] [--seconds 8] [--diallers 1 4] [--json FILE]

Ours is Store.attempts.lease, ten at a time, with the shipped rule packs, modes, breaker and the permission ledger; and
place and settle of what was leased. Bare is what PostgreSQL needs at least to give ten attempts to one of several
diallers and to count them (UPDATE … FOR UPDATE SKIP LOCKED, three counters each), and to book an outcome (UPDATE), by
psycopg with prepared statements, without judging, history, ledger, or anything that follows.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Sized
from pathlib import Path

import psycopg

from voicebot.campaign.dialler import PACING
from voicebot.campaign.permission import caps_of, judge_by
from voicebot.domain.attempt import Attempt, Outcome
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.outcome import Disposition
from voicebot.store import EmbeddedPostgres, Store, migrate
from voicebot.store.urls import conninfo

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
BATCH = 10
FILL = (
    "INSERT INTO creditors (id, name, neutral_name, hotline) VALUES ('k', 'k', 'k', '')",
    "INSERT INTO debtors (id, name) SELECT 'D' || n, '演示' || n FROM generate_series(1, {count}) n",
    "INSERT INTO cases (id, debtor_id, creditor_id, product, amount_fen, billed_fen, overdue_days, as_of, updated_at)"
    " SELECT 'C' || n, 'D' || n, 'k', '消费贷', 100000, 100000, 12, '2026-11-24', now()"
    " FROM generate_series(1, {count}) n",
    "INSERT INTO numbers (debtor_id, number) SELECT 'D' || n, '+86138' || lpad(n::text, 8, '0')"
    " FROM generate_series(1, {count}) n",
    "INSERT INTO campaigns (id, name, script, state, created_at, max_concurrency)"
    " VALUES ('k1', 'k1', 'reminder', 'running', now(), 1000000)",
    "INSERT INTO attempts (campaign_id, case_id, debtor_id, number, script, not_before, priority)"
    " SELECT 'k1', 'C' || n, 'D' || n, '+86138' || lpad(n::text, 8, '0'), 'reminder', '2026-11-24', n % 3"
    " FROM generate_series(1, {count}) n",
)  # fmt: skip
LEASE = """
    UPDATE attempts SET state = 'leased', leased_by = %s, leased_at = %s, lease_until = %s WHERE id IN (
        SELECT id FROM attempts WHERE state = 'waiting' AND not_before <= %s
        ORDER BY priority DESC, not_before, id LIMIT 10 FOR UPDATE SKIP LOCKED
    ) RETURNING id, number, debtor_id
"""
COUNT = """
    INSERT INTO ledger (scope, key, day, used) VALUES (%s, %s, %s, 1)
    ON CONFLICT (scope, key, day) DO UPDATE SET used = ledger.used + 1
"""
BOOK = "UPDATE attempts SET state = 'settled', settled_at = %s, disposition = 'no_answer' WHERE id = %s"


async def ours(url: str, name: str, until: float, leased: list[Attempt]) -> None:
    async with Store.from_url(url, pool_size=1) as store:
        judge, caps = judge_by(), caps_of()
        while time.monotonic() < until:
            leased += await store.attempts.lease(name, BATCH, NOW, judge, caps=caps, pacing=PACING)


async def ours_book(url: str, attempts: list[Attempt], until: float, booked: list[int]) -> None:
    async with Store.from_url(url, pool_size=1) as store:
        while attempts and time.monotonic() < until:
            attempt = attempts.pop()
            worker = str(attempt.leased_by)
            await store.attempts.place(attempt.id, worker, f"call-{attempt.id}", NOW)
            await store.attempts.settle(attempt.id, worker, Outcome(Disposition.NO_ANSWER), NOW)
            booked.append(attempt.id)


async def bare(url: str, name: str, until: float, leased: list[int]) -> None:
    async with await psycopg.AsyncConnection.connect(conninfo(url), prepare_threshold=1) as connection:
        while time.monotonic() < until:
            async with connection.transaction(), connection.cursor() as cursor:
                await cursor.execute(LEASE, (name, NOW, NOW + dt.timedelta(minutes=1), NOW))
                for id_, number, debtor in await cursor.fetchall():
                    keys = (("number_attempts", number), ("debtor_attempts", debtor), ("debtor_conversations", debtor))
                    for scope, key in keys:
                        await cursor.execute(COUNT, (scope, key, NOW.date()))
                    leased.append(id_)


async def bare_book(url: str, attempts: list[int], until: float, booked: list[int]) -> None:
    async with await psycopg.AsyncConnection.connect(conninfo(url), prepare_threshold=1) as connection:
        while attempts and time.monotonic() < until:
            id_ = attempts.pop()
            async with connection.transaction():
                await connection.execute(BOOK, (NOW, id_))
            booked.append(id_)


async def rate(diallers: int, seconds: float, work: Callable[[str, float], Awaitable[None]], done: Sized) -> float:
    """How many of `done` came per second from so many at once."""
    began, before = time.monotonic(), len(done)
    await asyncio.gather(*(work(f"w{n}", began + seconds) for n in range(diallers)))
    return (len(done) - before) / (time.monotonic() - began)


async def measure(url: str, diallers: int, seconds: float) -> dict[str, float]:
    mine: list[Attempt] = []
    theirs: list[int] = []
    done: list[int] = []
    row: dict[str, float] = {"diallers": diallers}
    row["leases"] = await rate(diallers, seconds, lambda n, t: ours(url, n, t, mine), mine)
    row["bare leases"] = await rate(diallers, seconds, lambda n, t: bare(url, n, t, theirs), theirs)
    row["outcomes"] = await rate(diallers, seconds, lambda n, t: ours_book(url, mine, t, done), done)
    row["bare outcomes"] = await rate(diallers, seconds, lambda n, t: bare_book(url, theirs, t, done), done)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--diallers", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="vbbench") as folder:
        server = EmbeddedPostgres(Path(folder) / "pg")
        url = server.start()
        try:
            migrate(url)
            with psycopg.connect(conninfo(url), autocommit=True) as connection:
                for statement in FILL:
                    connection.execute(statement.format(count=given.attempts))
                connection.execute("VACUUM ANALYZE")
            for diallers in given.diallers:
                row = asyncio.run(measure(url, diallers, given.seconds))
                rows.append(row)
                print("  ".join(f"{name} {value:.0f}" for name, value in row.items()), flush=True)
        finally:
            server.stop()
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
