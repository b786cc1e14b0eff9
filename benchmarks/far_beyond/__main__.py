"""Ten thousand to a million attempts an hour: what is full first, which parting answers it, what a month costs.

    python -m benchmarks.far_beyond --page docs/reference/far-beyond.md --plot docs/images/far-beyond.png

A discrete-event model (simpy), fed with what benchmarks/capacity and benchmarks.far_beyond.measure wrote down.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.capacity.log import Log
from benchmarks.capacity.page import BUSY, QUIET_LOAD, write_page
from benchmarks.capacity.verdict import Row, is_clean, load_day, of_kind
from benchmarks.far_beyond.check import Compared, compared
from benchmarks.far_beyond.costs import costs_of
from benchmarks.far_beyond.measure import FILE, read
from benchmarks.far_beyond.outlook import Ground, Outlook, outlook
from benchmarks.far_beyond.page import tables
from benchmarks.far_beyond.stations import load_prices

MEASURED = Path(__file__).parents[1] / "capacity" / "measured.json"
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
"""Attempts an hour."""


def parse() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m benchmarks.far_beyond", description=__doc__, formatter_class=raw)
    parser.add_argument("--per-hour", type=float, nargs="+", default=SIZES)
    parser.add_argument("--costs", type=Path, default=MEASURED, help="rows of benchmarks/capacity")
    parser.add_argument("--alone", type=Path, default=FILE, help="stations measured by themselves")
    parser.add_argument("--held-out", type=int, nargs="*", help="sizes that check the model (two in the middle)")
    parser.add_argument("--page", type=Path, help="the page whose tables are written anew")
    parser.add_argument("--plot", type=Path, help=".png or .svg; needs matplotlib")
    return parser.parse_args()


def main() -> None:
    options = parse()
    log = Log(options.costs)
    ground = Ground(costs_of(log.rows), read(options.alone), load_prices(), load_day())
    outlooks = []
    for per_hour in options.per_hour:
        print(f"{per_hour:,.0f} attempts an hour …", file=sys.stderr, flush=True)
        outlooks.append(outlook(per_hour, ground))
    show(ground, outlooks, checked(log.rows, options.held_out), log, options)


def checked(rows: list[Row], held_out: list[int] | None) -> list[Compared]:
    """Two clean sizes against the model of all others; none where too few were measured."""
    sizes = sorted({row["calls"] for row in of_kind(rows, "talking") if is_clean(row)})
    chosen = sizes[1:-1][:2] if held_out is None else held_out
    return compared(rows, chosen) if len(sizes) > len(chosen) else []


def show(
    ground: Ground, outlooks: list[Outlook], compared_: list[Compared], log: Log, options: argparse.Namespace
) -> None:
    text = tables(ground, outlooks, compared_)
    if log.machine["load_before"] > QUIET_LOAD:
        text = f"{BUSY}\n{text}"
    print(text)
    if options.page:
        write_page(options.page, log.rows, log.machine, text)
    if options.plot:
        from benchmarks.far_beyond.plot import plot

        plot(ground, outlooks, options.plot)


if __name__ == "__main__":
    main()
