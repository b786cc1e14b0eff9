"""How large the parts are when work is parted by creditor, region or day: computed from how debtors are spread."""

from __future__ import annotations

import heapq
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

REGIONS: Final = Path(__file__).with_name("regions.toml")
BUCKETS: Final = 1024
CREDITORS: Final = 40
"""Assumption: so many creditors, the k-th of which has 1/k of the first one's debtors (Zipf)."""


def by_creditor(creditors: int = CREDITORS) -> list[float]:
    """The share of each creditor, the largest first; they add up to 1."""
    return _shares([1 / rank for rank in range(1, creditors + 1)])


def by_region(path: Path = REGIONS) -> list[float]:
    """The share of each province, by people."""
    return _shares(list(tomllib.loads(path.read_text(encoding="utf-8"))["people"].values()))


def by_both() -> list[float]:
    """The share of each creditor in each province."""
    return _shares([creditor * region for creditor in by_creditor() for region in by_region()])


def by_debtor() -> list[float]:
    """Equal shares by a hash of the debtor. What holds for a whole creditor then holds across installations."""
    return [1 / BUCKETS] * BUCKETS


def by_day() -> list[float]:
    """All calls of a moment are of one day: parting by day keeps tables small and takes nothing off a busy hour."""
    return [1.0]


def largest_part(shares: Sequence[float], parts: int) -> float:
    """The largest of so many parts, each share whole in one of them, the largest share into the emptiest part first."""
    filled = [0.0] * parts
    for share in sorted(shares, reverse=True):
        heapq.heapreplace(filled, filled[0] + share)
    return max(filled)


def parts_for(shares: Sequence[float], most: float) -> int | None:
    """How few parts make none of them larger than `most` of all; None where the largest share alone is larger."""
    if max(shares) > most:
        return None
    return next(parts for parts in range(1, len(shares) + 1) if largest_part(shares, parts) <= most)


def _shares(weights: Sequence[float]) -> list[float]:
    whole = sum(weights)
    return sorted((weight / whole for weight in weights), reverse=True)
