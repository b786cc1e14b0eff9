"""ReportFilter and what reports are made of: sums under keys, cohorts, a matrix of stages, two arms to compare."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Period(StrEnum):
    """How days are put together."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """From `since` to `until`, both included, in Shanghai; `only` names dimensions and the one value wanted of each."""

    since: dt.date
    until: dt.date
    only: Mapping[str, str] = field(default_factory=dict)

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1


@dataclass(frozen=True, slots=True)
class SumsRow:
    """Counters summed under one value of a dimension, or under the first day of a period."""

    key: str
    sums: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NodeRow:
    """Calls that came to a node of a script; `ended` there; debtors verified and promises among those that came."""

    script: str
    node: str
    came: int
    ended: int
    verified: int
    promised: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """Promises that came due in one week: how many, and how many were paid in full and to four fifths."""

    week: dt.date
    matured: int
    kept: int
    kept_80: int
    broken: int
    renewed: int
    promised_fen: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class Roll:
    """Cases and fen that were in stage `before` at the beginning of a month and in `after` a month later."""

    month: dt.date
    before: str
    after: str
    cases: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Arm:
    """Cases of one strategy that were treated, or held out: how many paid within the days looked at, and how much."""

    strategy: str
    held_out: bool
    cases: int
    paid: int
    paid_fen: int
    due_fen: int
