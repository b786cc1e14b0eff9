"""`python -m benchmarks.reports [--calls N]`: fill a database with counted calls and read reports from it."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg

from voicebot.domain.report import Period, ReportFilter
from voicebot.domain.tally import COUNTERS, DIMENSIONS
from voicebot.reports.book import read_book
from voicebot.store import EmbeddedPostgres, Store, migrate
from voicebot.store.urls import conninfo

LAST = dt.date(2026, 11, 22)
_FILL = f"""
INSERT INTO report_calls (call_id, day, stage, region, age, script, strategy, agent, campaign, debtor, nodes,
    last_node, attempts, answered, human, contacts, verified, promises, promised_fen, due_fen, talk_ms, sentences,
    checked, handled, agent_ms)
SELECT 'c' || n, date '{LAST}' - (n %% 90), (array['S1','S2','S3','M2','M3','M4'])[1 + n %% 6],
    (array['广东','浙江','四川','北京','河南','山东','江苏','湖北'])[1 + (n / 7) %% 8],
    (array['<25','25-34','35-44','45-54','55-64'])[1 + (n / 11) %% 5],
    (array['reminder','m1','m2'])[1 + (n / 13) %% 3], (array['gentle','steady'])[1 + (n / 17) %% 2],
    CASE WHEN n %% 20 = 0 THEN 'a' || (n / 20) %% 12 ELSE '' END, 'k', 'd' || (n %% (%(calls)s / 3)),
    array['open','verify','debt','promise'], 'promise', 1, (n %% 10 < 6)::int, (n %% 10 < 5)::int, (n %% 10 < 5)::int,
    (n %% 10 < 3)::int, (n %% 10 < 2)::int, CASE WHEN n %% 10 < 2 THEN 50000 ELSE 0 END,
    CASE WHEN n %% 10 < 3 THEN 120000 ELSE 0 END, CASE WHEN n %% 10 < 5 THEN 42000 ELSE 0 END,
    CASE WHEN n %% 10 < 5 THEN 8 ELSE 0 END, 1, (n %% 20 = 0)::int, CASE WHEN n %% 20 = 0 THEN 90000 ELSE 0 END
FROM generate_series(1, %(calls)s) n
"""
_SUM_DAYS = (
    f"INSERT INTO report_days SELECT day, {', '.join(DIMENSIONS)}, {', '.join(f'sum({c})' for c in COUNTERS)}"
    f" FROM report_calls GROUP BY day, {', '.join(DIMENSIONS)}"
)
_SUM_NODES = """
INSERT INTO report_nodes SELECT day, script, node, count(*), sum((last_node = node)::int), sum(verified), sum(promises)
FROM report_calls, unnest(nodes) node GROUP BY day, script, node
"""
_BARE = (
    f"SELECT {{key}}, {', '.join(f'sum({c})' for c in COUNTERS)} FROM report_calls"
    " WHERE day BETWEEN %s AND %s GROUP BY 1 ORDER BY 1"
)


def main() -> None:
    """Print a row per way of asking: median and worst of several runs, in milliseconds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--keep", type=Path, help="a folder for the database, filled once and measured again")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="vbreports") as folder:
        home = chosen.keep or Path(folder)
        filled = (home / "pg").exists()
        server = EmbeddedPostgres(home / "pg")
        url = server.start()
        try:
            migrate(url)
            if not filled:
                _fill(url, chosen.calls)
            asyncio.run(_measure(url, chosen.runs))
        finally:
            server.stop()


def _fill(url: str, calls: int) -> None:
    began = time.perf_counter()
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(_FILL, {"calls": calls})
        connection.execute(_SUM_DAYS)
        connection.execute(_SUM_NODES)
        connection.execute("VACUUM ANALYZE")
        (days,) = connection.execute("SELECT count(*) FROM report_days").fetchone() or (0,)
    print(f"{calls:,} calls, {days:,} rows of sums, filled in {time.perf_counter() - began:.0f} s")


async def _measure(url: str, runs: int) -> None:
    quarter = ReportFilter(LAST - dt.timedelta(days=89), LAST)
    month = ReportFilter(LAST - dt.timedelta(days=29), LAST)
    async with Store.from_url(url) as store:
        figures = store.report_figures
        await _row("whole report, 90 days", runs, lambda: read_book(store, quarter, Period.WEEK, "region"))
        await _row("whole report, 30 days", runs, lambda: read_book(store, month, Period.DAY, "stage"))
        await _row("one stage, 90 days", runs, lambda: figures.total(ReportFilter(*_span(quarter), {"stage": "M2"})))
        await _row("by region, 90 days", runs, lambda: figures.by(quarter, "region"))
        await _row("distinct debtors, 90 days", runs, lambda: figures.debtors(quarter))
        await _row("bare SQL over the calls, by region", runs, lambda: _bare(url, "region", quarter))
        await _row("bare SQL over the calls, by day", runs, lambda: _bare(url, "day", quarter))


def _span(wanted: ReportFilter) -> tuple[dt.date, dt.date]:
    return wanted.since, wanted.until


async def _bare(url: str, key: str, wanted: ReportFilter) -> None:
    async with await psycopg.AsyncConnection.connect(conninfo(url)) as connection:
        rows = await connection.execute(_BARE.format(key=key), _span(wanted))
        await rows.fetchall()


async def _row(name: str, runs: int, ask: Callable[[], Awaitable[object]]) -> None:
    await ask()
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began) * 1000)
    print(f"{name:38} median {statistics.median(took):7.0f} ms   worst {max(took):7.0f} ms")


if __name__ == "__main__":
    main()
