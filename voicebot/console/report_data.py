"""ReportData: what the page of figures and its API read, and the reports that are sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.report import Period, ReportFilter
from voicebot.domain.report_plan import FORMATS, ReportPlan
from voicebot.domain.tally import DIMENSIONS
from voicebot.reports.book import Book, read_book
from voicebot.store import Store

MOST_DAYS = 800


class ReportData:
    """Raises ValueError, readable to people, for filters and plans that make no sense."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @property
    def today(self) -> dt.date:
        return self._clock.now().astimezone(SHANGHAI).date()

    async def book(
        self, wanted: ReportFilter, period: Period = Period.DAY, by: str = "stage", script: str = ""
    ) -> Book:
        if wanted.since > wanted.until or wanted.days > MOST_DAYS:
            raise ValueError(f"from the first day to the last, at most {MOST_DAYS} days")
        return await read_book(self._store, wanted, period, by, script)

    async def values(self, wanted: ReportFilter) -> Mapping[str, Sequence[str]]:
        """What there is to choose from in these days, by dimension."""
        return await self._store.report_figures.values(wanted.since, wanted.until)

    async def plans(self) -> Sequence[ReportPlan]:
        return await self._store.report_plans.all()

    async def add_plan(
        self, name: str, period: str, formats: Sequence[str], recipients: Sequence[str], hour: int, by: str
    ) -> int:
        """Send a report regularly from now on; its id."""
        to = tuple(address.strip() for address in recipients if address.strip())
        if not name.strip() or not to or any(" " in address or address.count("@") != 1 for address in to):
            raise ValueError("a plan needs a name and e-mail addresses, such as chef@example.org")
        if period not in list(Period) or not formats or set(formats) - set(FORMATS) or not 0 <= hour <= 23:
            raise ValueError("a plan is for a day, week or month, as xlsx or pdf, at an hour of 0–23")
        plan = ReportPlan(0, name.strip()[:80], Period(period), tuple(formats), to[:20], hour, by)
        return await self._store.report_plans.add(plan, self._clock.now())

    async def drop_plan(self, plan_id: int) -> None:
        if not await self._store.report_plans.drop(plan_id):
            raise LookupError(f"there is no plan {plan_id}")


def read_wanted(values: Mapping[str, str], today: dt.date) -> ReportFilter:
    """The filter in an address; what cannot be read asks for the last thirty days of everything."""
    until = _day(values.get("until", "")) or today
    days = values.get("days", "")
    since = _day(values.get("since", ""))
    if since is None or days:
        count = int(days) if days.isascii() and days.isdigit() and 0 < int(days) <= MOST_DAYS else 30
        since = until - dt.timedelta(days=count - 1)
    only = {name: values[name] for name in DIMENSIONS if values.get(name)}
    return ReportFilter(min(since, until), max(since, until), only)


def read_shape(values: Mapping[str, str]) -> tuple[Period, str, str]:
    """Period, dimension and script of an address."""
    period, by = values.get("period", "day"), values.get("by", "stage")
    known = Period(period) if period in list(Period) else Period.DAY
    return known, by if by in DIMENSIONS else "stage", values.get("funnel", "")[:80]


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
