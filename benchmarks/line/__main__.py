"""CPU, loss and lateness of our media sessions and of a bare UDP echo, side by side.

    python -m benchmarks.line --calls 1 20 50 --seconds 20 --json FILE
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from typing import IO, Any

from rich.console import Console
from rich.table import Table

from benchmarks.line.far_end import WARM_UP_S

COLUMNS = ("server", "calls", "CPU", "core %", "lost", "sent", ">20 ms", ">40 ms",
           "worst ms", "tick p99")


def ask(server: "subprocess.Popen[str]") -> dict[str, Any]:
    """The server's figures so far."""
    assert server.stdin and server.stdout
    server.stdin.write("\n")
    server.stdin.flush()
    return _read(server.stdout)


def _read(stream: IO[str]) -> dict[str, Any]:
    line = stream.readline()
    if not line:
        raise SystemExit("the server under test ended early; its error is above")
    figures: dict[str, Any] = json.loads(line)
    return figures


def measure(kind: str, calls: int, seconds: float, loop: str) -> dict[str, Any]:
    """One row: this server under this many calls."""
    command = [sys.executable, "-m", "benchmarks.line.server", kind, str(calls), "--loop", loop]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        ports = _read(server.stdout)["ports"]
        far_end = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.line.far_end", "--seconds", str(seconds), *map(str, ports)],
            stdout=subprocess.PIPE, text=True)
        time.sleep(WARM_UP_S)
        before = ask(server)
        time.sleep(seconds * 0.9)
        after = ask(server)
        told, _ = far_end.communicate(timeout=seconds + 60)
        server.kill()
    load = (after["cpu_s"] - before["cpu_s"]) / (after["wall_s"] - before["wall_s"])
    return {"server": kind, "loop": loop, "calls": calls, "seconds": seconds,
            "cpu_s_per_call_minute": load * 60 / calls, "cpu_percent": load * 100, **json.loads(told),
            **{key: value for key, value in after.items() if key.startswith("tick")}}


def show(rows: list[dict[str, Any]]) -> None:
    table = Table(*COLUMNS, title="Media of calls on loopback, far end in another process",
                  caption="CPU: seconds per call-minute; >20 ms, >40 ms: packets later than that")
    for row in rows:
        tick = row["tick_late_p99_ms"]
        table.add_row(
            row["server"], str(row["calls"]), f"{row['cpu_s_per_call_minute']:.3f}",
            f"{row['cpu_percent']:.1f}", str(row["lost"]), str(row["expected"]), str(row["later_than_20_ms"]),
            str(row["later_than_40_ms"]), f"{row['worst_ms']:.1f}", "" if tick is None else f"{tick:.1f}")
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.line", description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 20, 50])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    rows = [measure(kind, calls, options.seconds, options.loop)
            for calls in options.calls for kind in ("sessions", "echo")]
    show(rows)
    if options.json:
        figures = {"python": platform.python_version(), "machine": platform.machine(), "rows": rows}
        with (open(options.json, "w") if options.json != "-" else sys.stdout) as out:
            json.dump(figures, out, indent=2)


if __name__ == "__main__":
    main()
