"""From the trigger to the ringing agent, from their acceptance to both hearing each other, on real SIP over loopback.

    python -m benchmarks.transfer --transfers 40 --at-once 4 --json FILE

The line is the product's: SIP, RTP, recorder, queue in PostgreSQL. In the brain's place sits a script that only orders
the hand-over, so no model runs. The telephones are another process; both read the machine's monotonic clock. Times
after a key count from its being pressed and hold the length of its tone; a click goes by the table of commands. They
hold the jitter buffers of both ends; `in the line` is from acceptance to the first frame joined.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.transfer.near import Near
from voicebot.store import EmbeddedPostgres, migrate

COLUMNS = ("trigger_to_ring_ms", "accept_to_debtor_hears_ms", "accept_to_agent_hears_ms", "line_accept_ms")


async def measure(url: str, home: Path, transfers: int, at_once: int, how: str) -> dict[str, Any]:
    """One row: so many transfers, so many of them at once."""
    near = Near(url, home, how)
    await near.start(at_once)
    try:
        for first in range(0, transfers, at_once):
            names = range(first, min(first + at_once, transfers))
            await asyncio.gather(*(near.transfer(number) for number in names))
    finally:
        await near.close()
    rows = near.rows
    figures = {name: quantiles([row[name] for row in rows]) for name in COLUMNS}
    return {"how": how, "transfers": transfers, "at_once": at_once, "joined": len(rows), **figures}


def quantiles(values: list[float]) -> dict[str, float | None]:
    """P50, P95 and the worst, milliseconds."""
    ordered = sorted(values)
    at = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    if not ordered:
        return dict.fromkeys(at)
    return {name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) for name, share in at.items()}


def show(rows: list[dict[str, Any]]) -> None:
    heads = ("accepted by", "at once", "joined", "trigger→ring", "→debtor hears", "→agent hears", "in the line")
    table = Table(*heads, title="Warm transfer over real SIP, P50 / P95 / worst in ms")
    for row in rows:
        cells = [
            " / ".join("–" if value is None else f"{value:.0f}" for value in row[name].values())
            for name in COLUMNS
        ]
        table.add_row(row["how"], str(row["at_once"]), f"{row['joined']}/{row['transfers']}", *cells)
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transfer", description=__doc__)
    parser.add_argument("--transfers", type=int, default=20, help="per row")
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 4], help="transfers at once, one row each")
    parser.add_argument("--how", choices=("key", "click"), nargs="+", default=["key", "click"], help="agents accept")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vb-transfer-") as folder:
        server = EmbeddedPostgres(Path(folder) / "pg")
        url = server.start()
        migrate(url)
        try:
            rows = [
                uvloop.run(measure(url, Path(folder) / f"home-{how}-{count}", options.transfers, count, how))
                for how in options.how
                for count in options.at_once
            ]
        finally:
            server.stop()
    show(rows)
    figures = {"python": platform.python_version(), "machine": platform.machine(), "seconds": time.monotonic() - began}
    if options.json:
        with (open(options.json, "w") if options.json != "-" else sys.stdout) as out:
            json.dump({**figures, "rows": rows}, out, indent=2)


if __name__ == "__main__":
    main()
