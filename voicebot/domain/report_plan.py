"""ReportPlan: a report that is sent by e-mail when its day, week or month is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from voicebot.domain.clock import SHANGHAI
from voicebot.domain.report import Period

FORMATS = ("xlsx", "pdf")


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """Sent from `hour` on (0–23, Shanghai) the day after its period. `sent_for`: last day of what was sent last."""

    id: int
    name: str
    period: Period
    formats: tuple[str, ...]
    recipients: tuple[str, ...]
    hour: int
    made_by: str
    filters: Mapping[str, str] = field(default_factory=dict)
    active: bool = True
    sent_for: dt.date | None = None
    tried_at: dt.datetime | None = None
    failures: int = 0
    why: str = ""

    def due(self, now: dt.datetime) -> tuple[dt.date, dt.date] | None:
        """First and last day of the period that is to be sent now; None when there is nothing to send."""
        local = now.astimezone(SHANGHAI)
        first, last = last_period(self.period, local.date())
        if not self.active or (self.sent_for is not None and self.sent_for >= last):
            return None
        if local.date() == last + dt.timedelta(days=1) and local.hour < self.hour:
            return None
        return first, last


def last_period(period: Period, today: dt.date) -> tuple[dt.date, dt.date]:
    """The day, week (Monday to Sunday) or month that was over before `today`."""
    if period is Period.DAY:
        yesterday = today - dt.timedelta(days=1)
        return yesterday, yesterday
    if period is Period.WEEK:
        sunday = today - dt.timedelta(days=today.isoweekday())
        return sunday - dt.timedelta(days=6), sunday
    last = today.replace(day=1) - dt.timedelta(days=1)
    return last.replace(day=1), last
