"""What a call costs on the line: ours, a bare UDP echo, baresip-python and pyVoIP under the same phones in one run.

    python -m benchmarks.line --calls 1 20 50 100 200 --seconds 10 --json FILE --plot FILE.svg
"""

import argparse
import json
import platform
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.line.rows import SERVERS, measure

COLUMNS = ("server", "calls", "CPU", "x echo", "core %", "lost %", ">20 ms %", "by itself %", ">40 ms %", "worst ms",
           "stolen %", "set-ups/s", "hang-up ms", "MB", "threads", "")


def show(rows: list[dict[str, Any]]) -> None:
    table = Table(*COLUMNS, title="Calls on loopback, phones in another process",
                  caption="CPU: seconds per call-minute; >20, >40 ms: packets later than that after the earliest; "
                          "by itself: those later than 20 ms while the machine did not stand still; stolen: CPU "
                          "time that the hypervisor kept; hang-up: the latest packet of 10 calls while all "
                          "others hang up at once")
    for row in rows:
        table.add_row(row["server"], str(row["calls"]), *_cells(row, _echo(rows, row["calls"])), row.get("broke", ""))
    Console(width=140).print(table)


def _echo(rows: list[dict[str, Any]], calls: int) -> float | None:
    found = (row["cpu_s_per_call_minute"] for row in rows if (row["server"], row["calls"]) == ("echo", calls))
    return next(found, None)


def _cells(row: dict[str, Any], echo: float | None) -> list[str]:
    if not row.get("expected"):
        return [""] * 13
    cpu, sent = row["cpu_s_per_call_minute"], row["expected"] / 100
    set_ups, hang_up = row["setups_per_s"], row.get("hang_up_worst_ms")
    return [
        f"{cpu:.3f}", f"{cpu / echo:.1f}" if echo else "", f"{row['cpu_percent']:.0f}", f"{row['lost'] / sent:.2f}",
        f"{row['later_than_20_ms'] / sent:.2f}", f"{row['late_by_itself'] / sent:.2f}",
        f"{row['later_than_40_ms'] / sent:.2f}", f"{row['worst_ms']:.0f}", f"{row['stolen_percent']:.1f}",
        "" if set_ups is None else f"{set_ups:.0f}", "" if hang_up is None else f"{hang_up:.0f}",
        f"{row['memory_mb']:.0f}", str(row["threads"])]


def written(rows: list[dict[str, Any]]) -> str:
    return json.dumps({"python": platform.python_version(), "machine": platform.machine(), "rows": rows}, indent=2)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.line", description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 20, 50, 100, 200])
    parser.add_argument("--servers", nargs="+", choices=list(SERVERS), default=["echo", "line", "baresip", "pyvoip"],
                        help="stalled: our line beside a brain that holds its interpreter for 400 ms at a time")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--apart", action="store_true", help="server and phones on cores of their own")
    parser.add_argument("--json", metavar="FILE", help="- for standard output")
    parser.add_argument("--plot", metavar="FILE", help=".svg or .png; needs matplotlib")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for calls in options.calls:
        for kind in options.servers:
            print(f"{kind} under {calls} calls …", file=sys.stderr, flush=True)
            rows.append(measure(kind, calls, options.seconds, apart=options.apart))
        show(rows[-len(options.servers) :])
        if options.json not in (None, "-"):
            with open(options.json, "w") as out:  # after each number of calls: a long run may be cut short
                out.write(written(rows))
    if options.json == "-":
        print(written(rows))
    if options.plot:
        from benchmarks.line.plot import plot

        plot(rows, options.plot)


if __name__ == "__main__":
    main()
