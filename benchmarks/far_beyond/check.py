"""The model against the machine: two sizes that it was not fed with, predicted and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.capacity.verdict import OURS, Day, Row, of_kind
from benchmarks.far_beyond.costs import costs_of
from benchmarks.far_beyond.simulation import Town
from benchmarks.far_beyond.stations import Station

WITHIN: Final = 0.25
"""Predicted and measured cores differ by this share of the measured ones at most."""
LASTS_S: Final = 4000.0


@dataclass(frozen=True, slots=True)
class Compared:
    """Cores that the server took at so many calls at once, and attempts a second."""

    calls: int
    predicted_cores: float
    measured_cores: float
    predicted_per_s: float
    measured_per_s: float

    @property
    def error(self) -> float:
        """Of the cores, as a share of what was measured."""
        return abs(self.predicted_cores - self.measured_cores) / self.measured_cores


def compared(rows: Sequence[Row], held_out: Sequence[int]) -> list[Compared]:
    """The model fed with all other sizes and run at these. ValueError where no other size is left."""
    talking = of_kind(rows, "talking")
    known = [row for row in talking if row["calls"] not in held_out]
    costs = costs_of(known)
    found = []
    for row in (one for one in talking if one["calls"] in held_out):
        day = Day(hours=1, ring_s=0.0, talk_s=costs.line_s, answered=1.0, headline=0, aim=0)
        result = Town(_stations(costs.attempt_s), row["calls"], day, LASTS_S).closed(row["calls"])
        cores = sum(costs.core(result.on_the_line, result.ended_per_s).values())
        measured = sum(row["core"][part] for part in OURS)
        pace = row["calls_ended"] / row["seconds"]
        found.append(Compared(row["calls"], cores, measured, result.ended_per_s, pace))
    return found


def _stations(attempt_s: Mapping[str, float]) -> list[Station]:
    """Those that one machine has."""
    return [Station("database", 2, attempt_s["database"], visits=3), Station("control", 1, attempt_s["control"])]
