"""The list of cases at a million of them, and a case file of a hundred thousand rows, beside PostgreSQL's bare work.

    python -m benchmarks.dialler.cases [--cases 1000000] [--rows 100000] [--rounds 60] [--json FILE]

The bare statement of a page is the shortest SQL that returns the ids that the page shows; of the import, COPY of the
same rows into the same tables, indexes and all. Both run in the same embedded PostgreSQL in the same run. What each
page of the list costs is measured where the console asks for it: voicebot.console.case_data.CaseData.page.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg

from voicebot.cases.importer import import_cases
from voicebot.console.case_data import CaseData
from voicebot.domain.clock import SystemClock
from voicebot.store import EmbeddedPostgres, Store, migrate
from voicebot.store.cases import CaseFilter
from voicebot.store.urls import conninfo

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英"
HEADINGS = ("借据号", "姓名", "手机号", "身份证后四位", "出生月日", "欠款金额", "逾期天数", "产品", "债权人")
CASE = """
INSERT INTO cases (id, debtor_id, creditor_id, product, amount_fen, billed_fen, overdue_days, as_of, updated_at, region,
    status)
SELECT 'C' || lpad(n::text, 8, '0'), 'D' || n, 'K' || (n %% 5), '消费贷', n * 7919::bigint %% 5000000,
    n * 7919::bigint %% 5000000, n * 31::bigint %% 720, '2026-11-20',
    timestamptz '2026-11-20' - n * interval '1 second', '北京', CASE WHEN n %% 10 = 0 THEN 'closed' ELSE 'open' END
FROM generate_series(1, %s) n
"""
NUMBER = """
INSERT INTO numbers (debtor_id, number, place)
SELECT 'D' || n, '+86138' || lpad(n::text, 8, '0'), '北京市' FROM generate_series(1, %s) n
"""


def fill(url: str, count: int) -> None:
    """Make `count` cases, each with a debtor and a number."""
    given = " || ".join(f"substr('{GIVEN}', n / {each} %% 22 + 1, 1)" for each in (20, 440))
    name = f"substr('{SURNAMES}', n %% 20 + 1, 1) || {given}"
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO creditors (id, name, neutral_name, hotline)"
            " SELECT 'K' || n, '机构' || n, '机构' || n, '' FROM generate_series(0, 4) n"
        )
        connection.execute(
            f"INSERT INTO debtors (id, name) SELECT 'D' || n, {name} FROM generate_series(1, %s) n", [count]
        )
        connection.execute(CASE, [count])
        connection.execute(NUMBER, [count])
        connection.execute("VACUUM ANALYZE")


PAGES: dict[str, tuple[CaseFilter, str]] = {
    "first page": (CaseFilter(), "SELECT id FROM cases ORDER BY overdue_days DESC, id DESC LIMIT 26"),
    "open, one creditor": (
        CaseFilter(status="open", creditor_id="K3"),
        "SELECT id FROM cases WHERE status = 'open' AND creditor_id = 'K3'"
        " ORDER BY overdue_days DESC, id DESC LIMIT 26",
    ),
    "30-60 days, 5,000-10,000 yuan": (
        CaseFilter(min_overdue_days=30, max_overdue_days=60, min_amount_fen=500_000, max_amount_fen=1_000_000),
        "SELECT id FROM cases WHERE overdue_days BETWEEN 30 AND 60 AND amount_fen BETWEEN 500000 AND 1000000"
        " ORDER BY overdue_days DESC, id DESC LIMIT 26",
    ),
    "by amount": (
        CaseFilter(order="amount"), "SELECT id FROM cases ORDER BY amount_fen DESC, id DESC LIMIT 26"
    ),
    "case number": (CaseFilter("c00123456"), "SELECT id FROM cases WHERE lower(id) LIKE 'c00123456%'"),
    "last four digits": (
        CaseFilter("4321"),
        "SELECT cases.id FROM cases JOIN numbers USING (debtor_id) WHERE reverse(number) LIKE '1234%' LIMIT 26",
    ),
    "name": (
        CaseFilter("王伟芳"),
        "SELECT cases.id FROM cases JOIN debtors ON debtors.id = debtor_id WHERE lower(name) LIKE '王伟芳%' LIMIT 26",
    ),
    "common surname": (
        CaseFilter("王"),
        "SELECT cases.id FROM cases JOIN debtors ON debtors.id = debtor_id WHERE lower(name) LIKE '王%' LIMIT 26",
    ),
}  # fmt: skip


async def timed(rounds: int, work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """P50 and P95 in milliseconds."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        await work()
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken), statistics.quantiles(taken, n=20)[18]


async def measure_lists(url: str, rounds: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    bare = await psycopg.AsyncConnection.connect(conninfo(url), autocommit=True)
    async with bare, Store.from_url(url) as store:
        data = CaseData(store, SystemClock())
        for name, (wanted, sql) in PAGES.items():
            rows.append(await _row(name, rounds, lambda w=wanted: data.page(w), lambda s=sql: _all(bare, s)))
        mark = await _deep(data)
        key, case_id = 360, "C00500000"
        sql = (
            f"SELECT id FROM cases WHERE (overdue_days, id) < ({key}, '{case_id}')"
            " ORDER BY overdue_days DESC, id DESC LIMIT 26"
        )
        middle = await _row("in the middle", rounds, lambda: data.page(CaseFilter(), mark), lambda: _all(bare, sql))
        rows.append(middle)
    return rows


async def _row(
    name: str, rounds: int, ours: Callable[[], Awaitable[object]], bare: Callable[[], Awaitable[object]]
) -> dict[str, object]:
    await ours()
    await bare()
    p50, p95 = await timed(rounds, ours)
    bare50, bare95 = await timed(rounds, bare)
    return {"page": name, "p50_ms": round(p50, 1), "p95_ms": round(p95, 1), "bare_p50_ms": round(bare50, 1),
            "bare_p95_ms": round(bare95, 1)}  # fmt: skip


async def _all(connection: psycopg.AsyncConnection[tuple[object, ...]], sql: str) -> list[tuple[object, ...]]:
    return await (await connection.execute(sql)).fetchall()  # type: ignore[arg-type]


async def _deep(data: CaseData) -> str | None:
    """The mark of a page in the middle of the list."""
    found = await data.page(CaseFilter(max_overdue_days=360))
    return found.after


def write_file(path: Path, rows: int) -> None:
    chance = random.Random(1)
    with path.open("w", newline="", encoding="gb18030") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for n in range(rows):
            name = chance.choice(SURNAMES) + chance.choice(GIVEN) + chance.choice(GIVEN)
            birth = f"{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}"
            amount = f"{chance.randint(100, 5_000_000) / 100:.2f}"
            last4 = f"{chance.randint(0, 9999):04d}"
            writer.writerow([f"L{n:07d}", name, f"139{n:08d}", last4, birth, amount, n % 400, "消费贷", "示例金融"])


async def measure_import(url: str, rows: int, folder: Path) -> dict[str, object]:
    """Rows per second of a new file, of the same file again, and of COPY alone.

    `cpu_s`: what our own process spent on the new file; `load`: how busy the machine was with other things.
    """
    path = folder / "cases.csv"
    write_file(path, rows)
    async with Store.from_url(url) as store:
        begun, spent = time.perf_counter(), time.process_time()
        report = await import_cases(path, store)
        first, cpu = time.perf_counter() - begun, time.process_time() - spent
        assert report.imported == rows, report
        begun = time.perf_counter()
        report = await import_cases(path, store)
        again = time.perf_counter() - begun
        assert report.duplicates == rows, report
    bare = _copy_again(url)
    return {"rows": rows, "first_s": round(first, 1), "rows_per_s": round(rows / first), "cpu_s": round(cpu, 1),
            "again_s": round(again, 1), "bare_s": round(bare, 1), "load": os.getloadavg()[0]}  # fmt: skip


def _copy_again(url: str) -> float:
    """Seconds that PostgreSQL takes for the same rows by COPY into tables with the same indexes."""
    taken = 0.0
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        for table in ("debtors", "cases", "numbers"):
            connection.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
            where = "WHERE id LIKE 'L%'" if table == "cases" else "WHERE true"
            known = {"debtors": "id", "numbers": "debtor_id"}.get(table)
            if known:
                where = f"WHERE {known} IN (SELECT debtor_id FROM cases WHERE id LIKE 'L%')"
            with connection.cursor().copy(f"COPY (SELECT * FROM {table} {where}) TO STDOUT") as copy:
                content = b"".join(bytes(part) for part in copy)
            begun = time.perf_counter()
            with connection.cursor().copy(f"COPY bare_{table} FROM STDIN") as copy:
                copy.write(content)
            taken += time.perf_counter() - begun
            connection.execute(f"DROP TABLE bare_{table}")
    return taken


async def run(arguments: argparse.Namespace) -> dict[str, object]:
    """`--rows 0` leaves the import out, `--cases 0` the lists."""
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="vbcases") as folder:
        server = EmbeddedPostgres(Path(folder) / "pg")
        url = server.start()
        try:
            migrate(url)
            if arguments.rows:
                found["import"] = await measure_import(url, arguments.rows, Path(folder))
            if arguments.cases:
                await asyncio.to_thread(fill, url, arguments.cases)
                found |= {"cases": arguments.cases, "pages": await measure_lists(url, arguments.rounds)}
        finally:
            server.stop()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the import and the list of cases")
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = asyncio.run(run(arguments))
    if "import" in found:
        print(f"import: {found['import']}")
    for row in found.get("pages", []):  # type: ignore[attr-defined]
        print("  ".join(f"{key}={value}" for key, value in row.items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
