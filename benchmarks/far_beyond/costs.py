"""What an attempt costs, from the rows of benchmarks/capacity: CPU by part, rows, bytes of log, wake-ups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.capacity.verdict import OURS, Row, is_clean, limit, of_kind

PER_ATTEMPT: Final = ("database", "control")
"""What these two do they do at the beginning and the end of a call; all other parts work as long as it lasts."""
WHILE_ON_THE_LINE: Final = tuple(part for part in OURS if part not in PER_ATTEMPT)


@dataclass(frozen=True, slots=True)
class Costs:
    """Cores and CPU seconds, the idle server left out.

    `base_core`: as soon as one call runs, for what is done for all calls in one batch. `call_core`: each call.
    `attempt_s`: CPU seconds of database and control per attempt. `line_s`: seconds that an attempt was on the line.
    `seats`: the most calls at once that were clean on one machine; None where nobody tried more than that.
    """

    base_core: Mapping[str, float]
    call_core: Mapping[str, float]
    attempt_s: Mapping[str, float]
    idle_core: Mapping[str, float]
    line_s: float
    rows: float
    transactions: float
    log_bytes: float
    wakes: float
    seats: int | None

    def core(self, on_the_line: float, attempts_per_s: float) -> dict[str, float]:
        """Cores of one machine by part, with so many calls on the line."""
        parts = {part: self.base_core[part] + self.call_core[part] * on_the_line for part in WHILE_ON_THE_LINE}
        parts |= {part: self.attempt_s[part] * attempts_per_s for part in PER_ATTEMPT}
        return {part: cores + self.idle_core[part] for part, cores in parts.items()}


def costs_of(rows: Sequence[Row]) -> Costs:
    """A straight line through the sizes that were clean, or through all where none was. ValueError without a row in
    which calls ended."""
    ended = [row for row in of_kind(rows, "talking") if row["calls_ended"]]
    talking = [row for row in ended if is_clean(row)] or ended
    if not talking:
        raise ValueError("no row in which calls ended: run python -m benchmarks.capacity first")
    calm = [row for row in talking if min(_busy(row, part) for part in PER_ATTEMPT) >= 0] or talking
    lines = {part: _line(talking, part) for part in WHILE_ON_THE_LINE}
    most = limit(rows)
    return Costs(
        base_core={part: base for part, (base, _) in lines.items()},
        call_core={part: slope for part, (_, slope) in lines.items()},
        attempt_s={part: _per_attempt(calm, lambda row, part=part: _busy(row, part) * row["seconds"])
                   for part in PER_ATTEMPT},
        idle_core={part: float(np.median([row["idle_core"][part] for row in calm])) for part in OURS},
        line_s=_per_attempt(talking, lambda row: row["call_s"]),
        rows=_per_attempt(talking, lambda row: row["database"]["rows_written"]),
        transactions=_per_attempt(talking, lambda row: row["database"]["transactions"]),
        log_bytes=_per_attempt(talking, lambda row: row["database"]["log_bytes"]),
        wakes=_per_attempt(talking, lambda row: sum(row["wakes"].values())),
        seats=most["calls"] if most and any(row["calls"] > most["calls"] for row in ended) else None,
    )  # fmt: skip


def _busy(row: Row, part: str) -> float:
    """Cores that a part took for calls."""
    return float(row["core"][part] - row["idle_core"][part])


def _line(rows: Sequence[Row], part: str) -> tuple[float, float]:
    """Base and slope over the calls on the line, neither below nothing; one size alone has no base."""
    sizes, cores = [row["at_once"] for row in rows], [max(0.0, _busy(row, part)) for row in rows]
    if len(set(sizes)) < 2:
        return 0.0, cores[0] / sizes[0]
    slope, base = np.polyfit(sizes, cores, 1)
    if base < 0 or slope < 0:
        return 0.0, float(np.dot(sizes, cores) / np.dot(sizes, sizes))
    return float(base), float(slope)


def _per_attempt(rows: Sequence[Row], of: Any) -> float:
    """Not below nothing: an idle server that was measured before it came to rest hides what a few calls cost."""
    return max(0.0, float(sum(of(row) for row in rows) / sum(row["calls_ended"] for row in rows)))
