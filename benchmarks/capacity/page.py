"""The tables of the page, written from the rows; the prose around them stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.capacity.verdict import (
    OURS,
    Row,
    attempts,
    flatness,
    is_clean,
    limit,
    load_day,
    of_kind,
    own_cost,
    slope_mb,
    whole_cost,
)

BEGIN: Final = "<!-- measured: python -m benchmarks.capacity writes what follows -->"
END: Final = "<!-- end of what was measured -->"


QUIET_LOAD: Final = 1.0
RESTLESS: Final = "\nBelow nothing: the server was still busy with its start when its idling was measured.\n"
BUSY: Final = "\n**Other work ran on the same cores: this is no quiet run.**\n"


class PageError(ValueError):
    """The page lacks the marks between which the tables stand."""


def write_page(page: Path, rows: Sequence[Row], machine: dict[str, Any], fresh: str | None = None) -> None:
    """Put the tables, or `fresh`, between the two marks. PageError where they are not there."""
    text = page.read_text(encoding="utf-8")
    head, found, rest = text.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise PageError(f"{page}: no tables can be written without the lines {BEGIN} and {END}")
    body = tables(rows, machine) if fresh is None else fresh
    page.write_text(f"{head}{BEGIN}\n\n{body}\n{END}{tail}", encoding="utf-8")


def tables(rows: Sequence[Row], machine: dict[str, Any]) -> str:
    """Everything that was measured, as Markdown."""
    parts = [_machine(machine, rows), _turns(rows), _parts(rows), _memory(rows), _verdict(rows)]
    return "\n".join(part for part in parts if part)


def _machine(machine: dict[str, Any], rows: Sequence[Row]) -> str:
    stolen = [row["stolen_percent"] for row in rows]
    span = f"{min(stolen):.1f} to {max(stolen):.1f} %" if stolen else "–"
    return (
        f"{machine['cores']} cores ({machine['processor']}), Python {machine['python']}; load average before the run "
        f"{machine['load_before']}; the hypervisor kept {span} of the CPU time.\n"
    ) + (BUSY if machine["load_before"] > QUIET_LOAD else "")


def _turns(rows: Sequence[Row]) -> str:
    head = ("server", "workers", "calls", "on the line", "turns", "P50 ms", "P95 ms", "P99 ms", "first words P95 ms",
            "no answer", "late %", "by itself %", "cores", "far end, cores", "clean")  # fmt: skip
    body = []
    for row in sorted(rows, key=lambda one: (one["calls"], one.get("workers", 1), one["server"])):
        if row.get("kind", "talking") == "talking":
            times = [_whole(row[key]) for key in ("p50_ms", "p95_ms", "p99_ms", "first_words_p95_ms")]
            late = [_fine(row["late_percent"]), _fine(row["late_by_itself_percent"])]
            cells = [row["server"], row.get("workers", 1), row["calls"], _one(row.get("at_once")), row["turns"], *times]
            body.append([*cells, row["unanswered"], *late, *_cores(row), "yes" if is_clean(row) else "no"])
    return markdown(head, body)


def _cores(row: Row) -> list[str]:
    """CPU seconds a second of the server, and of the telephones beside it."""
    if row["server"] == "stock":
        return [f"{row['core_percent'] / 100:.2f}", f"{row['far_end_core_percent'] / 100:.2f}"]
    return [f"{sum(row['core'][part] for part in OURS):.2f}", f"{row['core']['far end']:.2f}"]


def _parts(rows: Sequence[Row]) -> str:
    """CPU seconds per call-minute of the calls themselves, and in the last columns with the idle server."""
    ours = [*of_kind(rows, "talking"), *of_kind(rows, "ringing")]
    if not ours:
        return ""
    body = []
    for row in ours:
        of_parts = [f"{row['of_the_call_itself'][part]:.3f}" for part in OURS]
        body.append([row["calls"], row["kind"], *of_parts, f"{own_cost(row):.2f}", f"{whole_cost(row):.2f}"])
    title = "CPU seconds per call-minute by part; what an idle server spends stands in the last column alone:\n\n"
    table = markdown(("calls", "kind", *OURS, "sum", "with the idle server"), body)
    restless = any(row["of_the_call_itself"][part] < 0 for row in ours for part in OURS)
    return title + table + (RESTLESS if restless else "") + _stock_costs(rows)


def _stock_costs(rows: Sequence[Row]) -> str:
    stock = of_kind(rows, "talking", "stock")
    told = [f"{row['cpu_s_per_call_minute']['stock']:.2f} at {row['calls']}" for row in stock]
    return f"\nThe stock pipeline's process: {', '.join(told)}.\n" if told else ""


def _memory(rows: Sequence[Row]) -> str:
    ours = of_kind(rows, "talking")
    if not ours:
        return ""
    names = ("line", "brain", "database", "control", "softphone")
    body = [[row["calls"], *(f"{row['memory_mb'].get(name, 0):.0f}" for name in names)] for row in ours]
    slope = slope_mb(rows)
    told = f"\nEach call more takes {slope:.1f} MB (least squares over the sizes).\n" if slope is not None else ""
    held = [f"{row['held_mb']:.0f} at {row['calls']}" for row in of_kind(rows, "talking", "stock")]
    stock = f"The stock pipeline's process holds {', '.join(held)} MB.\n" if held else ""
    title = "Memory in the middle of the measurement, MB (proportional set size):\n\n"
    return title + markdown(("calls", *names), body) + told + stock


def _verdict(rows: Sequence[Row]) -> str:
    most, flat, day = limit(rows), flatness(rows), load_day()
    tried = max((row["calls"] for row in of_kind(rows, "talking")), default=0)
    more = ", the most that were tried" if most and most["calls"] == tried else ""
    lines = [f"* Clean up to **{most['calls']} calls at once**{more}." if most else "* No size was clean."]
    if flat is not None and most is not None:
        lines.append(f"* A call at the limit costs {flat:.2f} times what it costs alone (1 is flat).")
    if (a_day := attempts(rows, day)) is not None:
        lines += [
            f"* **{a_day.cautious:,} attempts a day** if a ringing call cost as much as a talking one; "
            f"{a_day.by_cost:,} with each at its own cost ({a_day.cpu_s_each:.2f} CPU s an attempt) and no more CPU "
            "time than at the limit.",
            f"* A day: {day.hours:g} hours, {day.ring_s:g} s of ringing, {day.answered:.0%} answered, {day.talk_s:g} s "
            "of talk (`benchmarks/capacity/day.toml` says where each figure comes from). The headline to compare with "
            f"is {day.headline:,}, the aim {day.aim:,}.",
        ]
    return "\n".join(lines) + "\n"


def markdown(head: Sequence[object], body: Sequence[Sequence[object]]) -> str:
    """A table."""
    rows = [head, ["---"] * len(head), *body]
    return "".join("| " + " | ".join(map(str, row)) + " |\n" for row in rows)


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def _one(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _fine(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
