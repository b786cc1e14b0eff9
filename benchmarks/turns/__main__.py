"""From the caller's last sound to the bot's first, on real SIP calls over loopback, beside a stock pipecat pipeline.

    python -m benchmarks.turns --calls 1 10 25 50 --json FILE --plot FILE.png
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.turns.peers import ours, stock

COLUMNS = ("server", "calls", "turns", "P50 ms", "P95 ms", "P99 ms", "first words P95", "silent P95", "after 3rd P95",
           "no answer", "talked over", "CPU s/min", "core %", "phones %", "stolen %")
TIMES = ("p50_ms", "p95_ms", "p99_ms", "first_words_p95_ms", "stops_p95_ms", "stops_after_third_p95_ms")


def show(rows: list[dict[str, Any]]) -> None:
    table = Table(*COLUMNS, title="Waiting for the bot, on loopback, the telephones in a process of their own",
                  caption="silent: the interrupted bot's last sound after the caller's first, and after the "
                          "caller's third syllable; CPU s/min: of line and brain (stock: its process) per call-minute; "
                          "core %, phones %: of one core, theirs and the far end's; stolen: what the hypervisor kept")
    for row in rows:
        times = ["–" if row[key] is None else f"{row[key]:.0f}" for key in TIMES]
        cpu = f"{sum(row['cpu_s_per_call_minute'].values()):.2f}"
        shares = [f"{row[key]:.0f}" for key in ("core_percent", "far_end_core_percent", "stolen_percent")]
        counts = [str(row["unanswered"]), str(row["talked_over"] + row["cut_in"])]
        table.add_row(row["server"], str(row["calls"]), str(row["turns"]), *times, *counts, cpu, *shares)
    Console(width=150).print(table)


def written(rows: list[dict[str, Any]]) -> str:
    return json.dumps({"python": platform.python_version(), "machine": platform.machine(), "rows": rows}, indent=2)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns", description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 10, 25, 50], help="calls at once, one row each")
    parser.add_argument("--servers", nargs="+", choices=["ours", "stock"], default=["ours", "stock"])
    parser.add_argument("--turns", type=int, default=24, help="at least this many turns per row")
    parser.add_argument("--prompts", metavar="FOLDER", help="where rendered prompts are kept from run to run")
    parser.add_argument("--json", metavar="FILE", help="- for standard output")
    parser.add_argument("--plot", metavar="FILE", help=".png or .svg; needs matplotlib")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="vb-turns-prompts-") as prompts:
        run(options, rows, Path(options.prompts or prompts))
    show(rows)
    if options.json == "-":
        print(written(rows))
    if options.plot:
        from benchmarks.turns.plot import plot

        plot(rows, options.plot)


def run(options: argparse.Namespace, rows: list[dict[str, Any]], prompts: Path) -> None:
    """Fill `rows`, and the file after each row: a long run may be cut short."""
    for calls in options.calls:
        for name in options.servers:
            print(f"{name} with {calls} calls …", file=sys.stderr, flush=True)
            if name == "ours":
                rows.append(asyncio.run(ours(calls, options.turns, prompts)))
            else:
                rows.append(stock(calls, options.turns))
            if options.json not in (None, "-"):
                with open(options.json, "w") as out:
                    out.write(written(rows))


if __name__ == "__main__":
    main()
