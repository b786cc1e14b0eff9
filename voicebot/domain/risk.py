"""Risk: how hard a case will be to settle, as a score with its reasons, and what it was computed from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Fact = float | str | bool | None
Facts = Mapping[str, Fact]
"""What is known of a case, by name; None or absent: unknown. Amounts in yuan, times in days."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One fact of a case, in words, and the points it brought (positive: harder)."""

    fact: str
    words: str
    points: float


@dataclass(frozen=True, slots=True)
class Scored:
    """`score` from 0 (pays by itself) to 100; `reasons` by weight, the heaviest first."""

    score: int
    tier: str
    reasons: tuple[Reason, ...] = ()


class Scorer(Protocol):
    """Scores cases: the scorecard, or a model that stands in for it."""

    @property
    def name(self) -> str: ...

    @property
    def tiers(self) -> tuple[str, ...]:
        """From the easiest to the hardest."""
        ...

    def score(self, facts: Facts) -> Scored: ...


@dataclass(frozen=True, slots=True)
class RiskRecord:
    """A case's risk as it stands: `tier` with `shift`, which calls have moved it by, already in it."""

    case_id: str
    score: int
    tier: str
    shift: int
    reasons: tuple[Reason, ...]
    card: str
    scored_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Past:
    """A case as it was on a day of the past, and whether its debtor had not paid at the end of the time looked at."""

    case_id: str
    facts: Facts
    unpaid: bool


def shifted(tiers: tuple[str, ...], tier: str, by: int) -> str:
    """The tier `by` steps harder (or easier), no further than the ends."""
    if tier not in tiers:
        return tier
    return tiers[max(0, min(len(tiers) - 1, tiers.index(tier) + by))]
