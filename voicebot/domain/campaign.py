"""Campaign: a set of cases that are rung with one call script, and how far it has come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from voicebot.domain.attempt import AttemptState
from voicebot.domain.pace import CampaignMode


class CampaignState(StrEnum):
    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"


Span = tuple[int | None, int | None]
"""From and to, both included; None: without end on that side."""


@dataclass(frozen=True, slots=True)
class TraitFilter:
    """What must be known of a debtor or a loan: a number within `span`, or one of `values` (texts or booleans).

    `key` is a trait of the debtor, or `loan.` and a term of the loan. Whoever's trait is unknown is not taken.
    """

    key: str
    span: tuple[float | None, float | None] | None = None
    values: tuple[str | bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """Which open cases a campaign takes; None does not restrict. Amounts in fen, bounds inclusive.

    `overdue`, `amounts`: within any of these spans. `tries`: calls made for the case so far. `last_outcomes`:
    dispositions, "" for never rung. `tiers` of risk as last scored.
    """

    creditor_id: str | None = None
    product: str | None = None
    min_overdue_days: int | None = None
    max_overdue_days: int | None = None
    min_amount_fen: int | None = None
    max_amount_fen: int | None = None
    case_ids: tuple[str, ...] | None = None
    creditor_ids: tuple[str, ...] | None = None
    products: tuple[str, ...] | None = None
    overdue: tuple[Span, ...] | None = None
    amounts: tuple[Span, ...] | None = None
    tiers: tuple[str, ...] | None = None
    tries: Span | None = None
    last_outcomes: tuple[str, ...] | None = None
    traits: tuple[TraitFilter, ...] = ()


Hours = tuple[dt.time, dt.time]
"""Part of a day in Shanghai time, [from, to), not over midnight."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """`hours`: its reminders begin only in this part of the day; None: whenever the rulebook allows.

    With a `strategy` its cases are reached on the strategy's days; without one they are all rung once it starts.
    `segment_id`: the named segment that `segment` was taken from when the campaign was made.
    `most_abandoned`: the predictive mode's ceiling, 0..1. `callers`: numbers of ours that are shown in turn, each
    at most `calls_per_caller` times a day.
    """

    id: str
    name: str
    script: str
    state: CampaignState
    created_at: dt.datetime
    segment: Segment = field(default_factory=Segment)
    max_concurrency: int = 5
    priority: int = 0
    started_at: dt.datetime | None = None
    stopped_at: dt.datetime | None = None
    hours: Hours | None = None
    strategy: str | None = None
    segment_id: str | None = None
    mode: CampaignMode = CampaignMode.ROBOT
    most_abandoned: float = 0.03
    callers: tuple[str, ...] = ()
    calls_per_caller: int | None = None


@dataclass(frozen=True, slots=True)
class CampaignProgress:
    """`cases` in the campaign, `cases_done` of them without an open attempt; attempts by state and result."""

    campaign: Campaign
    cases: int
    cases_done: int
    attempts: Mapping[AttemptState, int]
    dispositions: Mapping[str, int]

    @property
    def share_done(self) -> float:
        """0..1; an empty campaign has nothing left to do."""
        return self.cases_done / self.cases if self.cases else 1.0
