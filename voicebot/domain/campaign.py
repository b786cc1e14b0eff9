"""Campaign: a set of cases that are rung with one call script, and how far it has come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from voicebot.domain.attempt import AttemptState


class CampaignState(StrEnum):
    DRAFT = "draft"
    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Segment:
    """Which open cases a campaign takes; None does not restrict. Amounts in fen, bounds inclusive."""

    creditor_id: str | None = None
    product: str | None = None
    min_overdue_days: int | None = None
    max_overdue_days: int | None = None
    min_amount_fen: int | None = None
    max_amount_fen: int | None = None
    case_ids: tuple[str, ...] | None = None


Hours = tuple[dt.time, dt.time]
"""Part of a day in Shanghai time, [from, to), not over midnight."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """`hours`: its reminders begin only in this part of the day; None: whenever the rulebook allows.

    With a `strategy` its cases are reached on the strategy's days; without one they are all rung once it starts.
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
