"""From the last sample of the caller's speech to the first of the bot's answer, on real SIP calls over loopback.

    python -m benchmarks.turns --calls 1 5 10 --json FILE
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.turns.far_end import ANSWERS
from benchmarks.turns.server import Server, heard, punctuality, server, turn_times


async def measure(calls: int, turns: int) -> dict[str, Any]:
    """One row: this many calls at once, again until there are enough turns."""
    home = Path(tempfile.mkdtemp(prefix="vb-turns-"))
    try:
        async with server(home, calls) as under_test:
            before = under_test.cpu_s()
            seconds = await _rounds(under_test, calls, math.ceil(turns / (calls * len(ANSWERS))))
            used = {name: spent - before[name] for name, spent in under_test.cpu_s().items()}
        bundles = sorted((home / "recordings").glob("*/*/*/*/*.zip"))
        return _row(calls, seconds, used, home, turn_times(bundles))
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _rounds(under_test: Server, calls: int, rounds: int) -> float:
    """Seconds of all calls together."""
    total = 0.0
    for number in range(rounds):
        names = range(number * calls, (number + 1) * calls)
        total += sum(await asyncio.gather(*(under_test.ring(name) for name in names)))
    return total


def _row(calls: int, seconds: float, used: dict[str, float], home: Path, line_ms: list[float]) -> dict[str, Any]:
    told, late = heard(home), punctuality(home)
    return {
        "calls": calls,
        "turns": len(told["latencies_ms"]),
        "p50_ms": quantile(told["latencies_ms"], 0.5),
        "p95_ms": quantile(told["latencies_ms"], 0.95),
        "line_p50_ms": quantile(line_ms, 0.5),
        "line_p95_ms": quantile(line_ms, 0.95),
        "ticks": late["ticks"],
        "on_time_share": 1 - late["late_over_40_ms"] / max(late["ticks"], 1),
        "packets_lost": told["packets_lost"],
        "cut_in": told["cut_in"],
        **{f"{name}_cpu_s_per_call_minute": spent / seconds * 60 for name, spent in used.items()},
    }


def quantile(values: list[float], share: float) -> float | None:
    """The smallest value that this share of all values does not exceed; None without values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def show(rows: list[dict[str, Any]]) -> None:
    heads = ("calls", "turns", "P50 ms", "P95 ms", "line P50", "line P95", "on time", "line CPU", "brain CPU")
    table = Table(
        *heads,
        title="Waiting for the bot's answer, real SIP calls on loopback",
        caption="P50, P95: at the far end, its jitter buffer included; line: from the journals; "
        "on time: ticks of the line at most 40 ms late; CPU: seconds per call-minute",
    )
    for row in rows:
        waits = [row[key] for key in ("p50_ms", "p95_ms", "line_p50_ms", "line_p95_ms")]
        cpu = [f"{row[f'{name}_cpu_s_per_call_minute']:.2f}" for name in ("line", "brain")]
        cells = ["–" if wait is None else f"{wait:.0f}" for wait in waits]
        table.add_row(str(row["calls"]), str(row["turns"]), *cells, f"{row['on_time_share']:.2%}", *cpu)
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns", description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 5, 10], help="calls at once, one row each")
    parser.add_argument("--turns", type=int, default=12, help="at least this many turns per row")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    rows = [asyncio.run(measure(calls, options.turns)) for calls in options.calls]
    show(rows)
    if options.json:
        figures = {"python": platform.python_version(), "machine": platform.machine(), "rows": rows}
        with (open(options.json, "w") if options.json != "-" else sys.stdout) as out:
            json.dump(figures, out, indent=2)


if __name__ == "__main__":
    main()
