"""What the telephones heard -> the figures of a row, in milliseconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.line.witness import Gap, backlogs

LATE_S: Final = 0.02


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that this share of all values does not exceed; None without values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def figures(heard: dict[str, Any]) -> dict[str, Any]:
    """Quantiles of `phone.Heard` of all telephones together; None where nothing was measured."""
    turns = heard["turns_s"]
    told: dict[str, Any] = {"turns": len(turns)}
    for name, share in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)):
        told[name] = _ms(turns, share)
    for name in ("first_words", "stops", "stops_after_third"):
        told |= {f"{name}_p50_ms": _ms(heard[f"{name}_s"], 0.5), f"{name}_p95_ms": _ms(heard[f"{name}_s"], 0.95)}
    return told | {name: heard[name] for name in ("cut_in", "talked_over", "unanswered")}


def lateness(
    told: Mapping[str, Any], gaps: list[Gap], window: tuple[float, float] = (0.0, math.inf)
) -> dict[str, float | None]:
    """Percent of the packets within the window that came more than 20 ms late, and of those that would have done so
    without the time in which the machine stood still and caught up. None where no packet came."""
    begin, end = window
    packets = sum(count for second, count in told["packets"].items() if begin <= int(second) < end)
    late = [(due, at) for due, at in told["late"] if begin <= due < end]
    if not packets:
        return {"packets": 0, "late_percent": None, "late_by_itself_percent": None}
    held_up = np.array(backlogs(gaps), float).reshape(-1, 2)
    by_itself = sum(at - due - _overlap(due, at, held_up) > LATE_S for due, at in late)
    return {"packets": packets, "late_percent": len(late) / packets * 100,
            "late_by_itself_percent": by_itself / packets * 100}


def _overlap(begin: float, end: float, held_up: NDArray[np.float64]) -> float:
    """Seconds of the stretch in which the machine was held up: rows of since and until."""
    return float(np.clip(np.minimum(end, held_up[:, 1]) - np.maximum(begin, held_up[:, 0]), 0.0, None).sum())


def _ms(seconds: Sequence[float], share: float) -> float | None:
    found = quantile(seconds, share)
    return None if found is None else round(found * 1000, 1)
