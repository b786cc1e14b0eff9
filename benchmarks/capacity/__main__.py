"""How many calls one machine carries: the whole server under 1, 10, 25, 45 calls at once, and more while it is clean.

    python -m benchmarks.capacity --calls 1 10 25 45 --json FILE
    python -m benchmarks.capacity --from FILE --page docs/reference/capacity.md --plot docs/images/capacity.png

Clean: P95 of a turn at most one second, less than 0.1 % of the packets late, no turn without an answer. The far end has
the same cores. A stock pipecat bot gets the same calls in the same run, as long as it answers any.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.capacity.log import Log
from benchmarks.capacity.row import CALL_S, row
from benchmarks.capacity.verdict import attempts, is_clean, limit, load_day, whole_cost
from benchmarks.turns.debtors import ANSWERS
from benchmarks.turns.peers import stock
from voicebot.telemetry.logs import setup_logs

QUICK = {"calls": [1, 3], "seconds": 20.0, "ringing": 3, "most": 3}


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def told(row: dict[str, Any]) -> str:
    """A row in one line."""
    if row.get("kind") == "ringing":
        return f"{row['calls']} ringing: {whole_cost(row):.2f} CPU s a call-minute, {row['calls_ended']} attempts"
    waits = " / ".join("–" if row[key] is None else f"{row[key]:.0f}" for key in ("p50_ms", "p95_ms"))
    late = row["late_by_itself_percent"]
    cost = whole_cost(row) if row["server"] == "ours" else sum(row["cpu_s_per_call_minute"].values())
    return (f"{row['server']} {row['calls']}: turns {row['turns']}, P50/P95 {waits} ms, no answer {row['unanswered']}, "
            f"late {'–' if late is None else f'{late:.3f}'} %, {cost:.2f} CPU s a call-minute, "
            f"{'clean' if is_clean(row) else 'not clean'}")  # fmt: skip


class Run:
    """All sizes, one after the other; what is in the file already is not measured again."""

    def __init__(self, options: argparse.Namespace, log: Log, prompts: Path) -> None:
        self._options, self._log, self._prompts = options, log, prompts
        self._stock_stands = "stock" in options.servers

    def all(self) -> None:
        sizes = sorted(self._options.calls)
        for calls in sizes:
            self._size(calls)
        while self._goes_on(sizes[-1]):
            sizes.append(sizes[-1] + self._options.step)
            self._size(sizes[-1])
        if self._options.ringing:
            self._ours(self._options.ringing, nobody_home=True)

    def _goes_on(self, calls: int) -> bool:
        last = self._log.find("ours", "talking", calls, self._options.workers)
        return last is not None and is_clean(last) and calls + self._options.step <= self._options.most

    def _size(self, calls: int) -> None:
        if "ours" in self._options.servers:
            self._ours(calls)
        if self._stock_stands:
            self._stock_stands = self._stock(calls)

    def _ours(self, calls: int, *, nobody_home: bool = False) -> None:
        kind, workers = "ringing" if nobody_home else "talking", self._options.workers
        if self._log.find("ours", kind, calls, workers) is None:
            say(f"ours, {calls} {kind}, workers {workers} …")
            measured = asyncio.run(
                row(calls, self._options.seconds, self._prompts, workers=workers, nobody_home=nobody_home)
            )
            self._log.add(measured)
            say(told(measured))

    def _stock(self, calls: int) -> bool:
        """Whether it answered anybody."""
        measured = self._log.find("stock", "talking", calls, 1)
        if measured is None:
            say(f"stock, {calls} talking …")
            measured = stock(calls, max(calls * len(ANSWERS), 12), CALL_S / calls)
            self._log.add(measured)
            say(told(measured))
        return bool(measured["turns"])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.capacity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 10, 25, 45], help="calls at once, one row each")
    parser.add_argument("--step", type=int, default=10, help="so many more, as long as the last row was clean")
    parser.add_argument("--most", type=int, default=200, help="and no more than these")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long a row is measured")
    parser.add_argument("--ringing", type=int, default=20, help="calls at once of the row that nobody answers; 0: none")
    parser.add_argument("--workers", type=int, default=1, help="pairs of line and brain")
    parser.add_argument("--servers", nargs="+", choices=["ours", "stock"], default=["ours", "stock"])
    parser.add_argument("--prompts", metavar="FOLDER", type=Path, help="keeps rendered prompts from run to run")
    parser.add_argument("--quick", action="store_true", help="a few calls for a few minutes, to see that it works")
    parser.add_argument("--json", metavar="FILE", type=Path, help="rows; a run that was cut short goes on from there")
    parser.add_argument("--from", metavar="FILE", type=Path, dest="source", help="measure nothing, show these rows")
    parser.add_argument("--page", metavar="FILE", type=Path, help="the page whose tables are written anew")
    parser.add_argument("--plot", metavar="FILE", type=Path, help=".png or .svg; needs matplotlib")
    options = parser.parse_args()
    if options.quick:
        vars(options).update(QUICK)
    return options


def main() -> None:
    options = parse()
    setup_logs("WARNING")
    log = Log(options.source or options.json)
    if options.source is None:
        with tempfile.TemporaryDirectory(prefix="vb-capacity-prompts-") as folder:
            Run(options, log, options.prompts or Path(folder)).all()
    show(log, options)


def show(log: Log, options: argparse.Namespace) -> None:
    """The tables, in the page too where one is named, and the picture."""
    from benchmarks.capacity.page import tables, write_page

    if log.rows:
        print(tables(log.rows, log.machine))
    most, a_day = limit(log.rows), attempts(log.rows, load_day())
    say(f"clean up to {most['calls'] if most else 0} calls; attempts a day: {a_day.cautious if a_day else '–'}")
    if options.page:
        write_page(options.page, log.rows, log.machine)
    if options.plot:
        from benchmarks.capacity.plot import plot

        plot(log.rows, options.plot)


if __name__ == "__main__":
    main()
