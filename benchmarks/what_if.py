"""How long a what-if takes: so many cases, read from a database and played through the rulebook, step by step.

`cpu_s` is what this process itself worked; on a machine that others use too the wall clock says less.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import tempfile
import time
from pathlib import Path

from voicebot.campaign.permission import judge_by
from voicebot.domain.campaign import Segment
from voicebot.domain.case import Case, Creditor, Debtor
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.records import Number
from voicebot.store import EmbeddedPostgres, Store, migrate
from voicebot.store.cases import NewCase
from voicebot.strategy.what_if import Setup, what_if

NOW = dt.datetime(2026, 11, 24, 9, 30, tzinfo=SHANGHAI)
LENDER = Creditor("demo", "示例消费金融有限公司", "示例客户服务中心", "4000000000")


def case_of(n: int) -> NewCase:
    debtor = Debtor(f"D{n}", f"演示{n}", id_last4="2315", birth_mmdd="0812")
    bill = Case(f"C{n}", debtor, LENDER, "消费贷", 100_000 + n, n % 90, NOW.date())
    return NewCase(bill, (Number(f"+86138{n:08d}"),))


async def measure(url: str, cases: int, channels: int) -> dict[str, object]:
    async with Store.from_url(url) as store:
        for first in range(0, cases, 500):
            await store.cases.save([case_of(n) for n in range(first, min(first + 500, cases))], NOW)
        began, spent = time.perf_counter(), time.process_time()
        prospects = [one async for batch in store.forecasts.prospects(Segment(), "reminder", NOW) for one in batch]
        read = time.perf_counter()
        rates = await store.forecasts.rates(NOW - dt.timedelta(days=30))
        seen = what_if(prospects, Setup(NOW, channels), judge_by(), rates)
        played, cpu = time.perf_counter(), time.process_time() - spent
    return {
        "cases": seen.cases, "calls": seen.calls, "read_s": round(read - began, 2), "played_s": round(played - read, 2),
        "total_s": round(played - began, 2), "cpu_s": round(cpu, 2),
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=int, default=10_000)
    options.add_argument("--channels", type=int, default=30)
    wanted = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="vbwhatif") as folder:
        server = EmbeddedPostgres(Path(folder) / "pg")
        url = server.start()
        try:
            migrate(url)
            print(json.dumps(asyncio.run(measure(url, wanted.cases, wanted.channels))))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
