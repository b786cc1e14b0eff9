"""The picture: waiting, cost by part and memory over the calls at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # the backend must be chosen first

from benchmarks.capacity.verdict import MOST_P95_MS, OURS, Row, limit, of_kind

STOCK = "black"


def plot(rows: Sequence[Row], path: Path) -> None:
    """Write the picture; the ending of `path` says the format."""
    figure, (waits, costs, memory) = pyplot.subplots(1, 3, figsize=(15, 4.4))
    _waits(waits, rows)
    _costs(costs, rows)
    _memory(memory, rows)
    for axis in (waits, costs, memory):
        axis.set(xlabel="calls at once", xlim=(0, None), ylim=(0, None))
        axis.title.set_fontsize(10)
        axis.grid(visible=True, alpha=0.3)
        axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def _answers(row: Row) -> bool:
    """Whether it answers most turns: how long the few others waited says nothing."""
    return bool(row["turns"] > row["unanswered"])


def _waits(axis: Any, rows: Sequence[Row]) -> None:
    for server, colour in (("ours", "tab:blue"), ("stock", STOCK)):
        for key, name, style in (("p50_ms", "P50", "-"), ("p95_ms", "P95", "--")):
            points = [(row["calls"], row[key]) for row in of_kind(rows, "talking", server) if _answers(row)]
            if points:
                axis.plot(*zip(*points, strict=True), style, marker="o", color=colour, label=f"{server} {name}")
    axis.axhline(MOST_P95_MS, color="grey", linewidth=1)
    if (most := limit(rows)) is not None:
        axis.axvline(most["calls"], color="tab:green", linewidth=1, label=f"clean up to {most['calls']}")
    axis.set(title="from the caller's last sound to the bot's first, ms")


def _costs(axis: Any, rows: Sequence[Row]) -> None:
    ours = of_kind(rows, "talking")
    sizes = [row["calls"] for row in ours]
    stacks = [[max(0.0, row["of_the_call_itself"][part]) for row in ours] for part in OURS]
    if sizes:
        axis.stackplot(sizes, stacks, labels=OURS, alpha=0.85)
    stock = of_kind(rows, "talking", "stock")
    if stock:
        axis.plot([row["calls"] for row in stock], [row["cpu_s_per_call_minute"]["stock"] for row in stock],
                  marker="o", color=STOCK, label="stock")
    axis.set(title="CPU seconds per call-minute, the idle server left out")


def _memory(axis: Any, rows: Sequence[Row]) -> None:
    ours, stock = of_kind(rows, "talking"), of_kind(rows, "talking", "stock")
    for name in ("line", "brain", "database", "control"):
        axis.plot([row["calls"] for row in ours], [row["memory_mb"].get(name, 0.0) for row in ours], marker="o",
                  label=name)
    if stock:
        axis.plot([row["calls"] for row in stock], [row["held_mb"] for row in stock], marker="o", color=STOCK,
                  label="stock")
    axis.set(title="memory, MB")
