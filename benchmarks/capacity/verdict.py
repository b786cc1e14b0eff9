"""What rows add up to: what is clean, where the limit is, whether a call's cost stays flat, and attempts a day."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

Row = Mapping[str, Any]

MOST_P95_MS: Final = 1000.0
MOST_LATE_PERCENT: Final = 0.1
REACHED: Final = 0.85
"""A row counts only where so large a part of its calls really was on the line; calls begin anew all the while."""
OURS: Final = (
    "line", "voice activity", "recogniser", "understanding", "pipeline", "voice", "recorder", "database", "control",
)  # fmt: skip
"""Parts that are the product's; the far end and the benchmark are not."""
ASSUMED: Final = Path(__file__).with_name("day.toml")


@dataclass(frozen=True, slots=True)
class Day:
    """What a day's work looks like; each figure with its source in day.toml."""

    hours: float
    ring_s: float
    talk_s: float
    answered: float
    headline: int
    aim: int


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts a day. `cautious`: as if a ringing call cost what a talking one does; `by_cost`: each at its own cost,
    with no more CPU time than was used at the limit."""

    cautious: int
    by_cost: int
    cpu_s_each: float


def of_kind(rows: Sequence[Row], kind: str, server: str = "ours") -> list[Row]:
    """Rows of one kind, the fewest calls first."""
    return sorted((row for row in rows if row["server"] == server and row.get("kind", "talking") == kind),
                  key=lambda row: (row["calls"], row.get("workers", 1)))


def is_clean(row: Row) -> bool:
    """Answers in time, packets on time, every turn answered, and the load was really there."""
    late, p95 = row.get("late_by_itself_percent"), row.get("p95_ms")
    if row["server"] == "stock":
        late = 0.0  # nobody can tell, see peers.stock
    if late is None or p95 is None or row["unanswered"]:
        return False
    return bool(p95 <= MOST_P95_MS and late < MOST_LATE_PERCENT and row.get("at_once", row["calls"]) >= _least(row))


def _least(row: Row) -> float:
    return REACHED * float(row["calls"])


def limit(rows: Sequence[Row]) -> Row | None:
    """The clean row with the most calls; None where none is."""
    clean = [row for row in of_kind(rows, "talking") if is_clean(row)]
    return clean[-1] if clean else None


def own_cost(row: Row) -> float:
    """CPU seconds per call-minute of all parts of the product, what an idle server spends left out."""
    return sum(row["of_the_call_itself"][part] for part in OURS)


def whole_cost(row: Row) -> float:
    """The same with the idle server's share."""
    return sum(row["cpu_s_per_call_minute"][part] for part in OURS)


def flatness(rows: Sequence[Row]) -> float | None:
    """Cost of a call at the limit over its cost alone; 1 is flat. None without both rows."""
    talking, most = of_kind(rows, "talking"), limit(rows)
    alone = [row for row in talking if row["calls"] == 1]
    return own_cost(most) / own_cost(alone[0]) if most and alone else None


def slope_mb(rows: Sequence[Row]) -> float | None:
    """Memory of the product per call, MB, by least squares over the sizes; None below two sizes."""
    talking = of_kind(rows, "talking")
    if len({row["calls"] for row in talking}) < 2:
        return None
    held = [sum(mb for name, mb in row["memory_mb"].items() if name != "far end") for row in talking]
    return float(np.polyfit([row["at_once"] for row in talking], held, 1)[0])


def load_day(path: Path = ASSUMED) -> Day:
    given = tomllib.loads(path.read_text(encoding="utf-8"))
    return Day(**{name: entry["value"] for name, entry in given.items()})


def attempts(rows: Sequence[Row], day: Day) -> Attempts | None:
    """Attempts a day at the limit; None while nothing was clean, or nothing rang."""
    most, ringing = limit(rows), of_kind(rows, "ringing")
    if most is None or not ringing:
        return None
    talk_s, seconds = day.answered * day.talk_s, day.hours * 3600
    each = own_cost(ringing[-1]) * day.ring_s / 60 + own_cost(most) * talk_s / 60
    idle = sum(most["idle_core"][part] for part in OURS)
    room = sum(most["core"][part] for part in OURS) - idle
    return Attempts(int(most["at_once"] / (day.ring_s + talk_s) * seconds), int(room / each * seconds), each)
